//! A picture in memory: rectangles and small text.

use std::io::Cursor;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// A picture, 8 bits of red, green and blue a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Width of a glyph and the gap after it.
const ADVANCE: usize = 6;
/// Height of a line of text.
pub(super) const LINE: usize = 9;

impl Picture {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, colour: Colour) -> Picture {
        Picture { width, height, pixels: colour.repeat(width * height) }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The colour at column x, row y, `None` outside.
    pub fn get(&self, x: usize, y: usize) -> Option<Colour> {
        let at = 3 * (y * self.width + x);
        (x < self.width).then(|| self.pixels.get(at..at + 3)?.try_into().ok()).flatten()
    }

    /// Sets a pixel; outside nothing happens.
    pub fn set(&mut self, x: usize, y: usize, colour: Colour) {
        let at = 3 * (y * self.width + x);
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(at..at + 3)
        {
            pixel.copy_from_slice(&colour);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Colour) {
        for row in y..y + height {
            for column in x..x + width {
                self.set(column, row, colour);
            }
        }
    }

    /// Writes text, its upper left corner at column x, row y. Characters without a glyph are blanks.
    pub fn text(&mut self, x: usize, y: usize, text: &str, colour: Colour) {
        for (place, character) in text.chars().enumerate() {
            let Some((_, rows)) = GLYPHS.iter().find(|(known, _)| *known == character) else { continue };
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    self.set(x + place * ADVANCE + column, y + row, colour);
                }
            }
        }
    }

    /// The width text takes.
    pub fn text_width(text: &str) -> usize {
        (text.chars().count() * ADVANCE).saturating_sub(1)
    }

    /// As PNG.
    ///
    /// # Errors
    /// A picture too large for a PNG, with the encoder's words.
    pub fn to_png(self) -> Result<Vec<u8>, String> {
        let size = |length: usize| u32::try_from(length).map_err(|error| error.to_string());
        let image = image::RgbImage::from_raw(size(self.width)?, size(self.height)?, self.pixels);
        let image = image.ok_or("the picture has another size than it says")?;
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).map_err(|error| error.to_string())?;
        Ok(bytes.into_inner())
    }
}

/// Glyphs of 5 x 7 pixels, a row a byte, the leftmost pixel at bit 4.
#[rustfmt::skip]
const GLYPHS: [(char, [u8; 7]); 34] = [
    ('0', [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('2', [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f]),
    ('3', [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e]),
    ('6', [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e]),
    ('9', [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c]),
    ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04]),
    ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e]),
    ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11]),
    ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11]),
    ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e]),
    ('a', [0x00, 0x00, 0x0e, 0x01, 0x0f, 0x11, 0x0f]),
    ('b', [0x10, 0x10, 0x16, 0x19, 0x11, 0x11, 0x1e]),
    ('d', [0x01, 0x01, 0x0d, 0x13, 0x11, 0x11, 0x0f]),
    ('e', [0x00, 0x00, 0x0e, 0x11, 0x1f, 0x10, 0x0e]),
    ('f', [0x06, 0x09, 0x08, 0x1c, 0x08, 0x08, 0x08]),
    ('g', [0x00, 0x0f, 0x11, 0x11, 0x0f, 0x01, 0x0e]),
    ('i', [0x04, 0x00, 0x0c, 0x04, 0x04, 0x04, 0x0e]),
    ('l', [0x0c, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('n', [0x00, 0x00, 0x16, 0x19, 0x11, 0x11, 0x11]),
    ('o', [0x00, 0x00, 0x0e, 0x11, 0x11, 0x11, 0x0e]),
    ('r', [0x00, 0x00, 0x16, 0x19, 0x10, 0x10, 0x10]),
    ('s', [0x00, 0x00, 0x0e, 0x10, 0x0e, 0x01, 0x1e]),
    ('t', [0x08, 0x08, 0x1c, 0x08, 0x08, 0x09, 0x06]),
    ('u', [0x00, 0x00, 0x11, 0x11, 0x11, 0x13, 0x0d]),
    ('v', [0x00, 0x00, 0x11, 0x11, 0x11, 0x0a, 0x04]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c]),
    (',', [0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08]),
    ('-', [0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00]),
    ('+', [0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_png() {
        let mut picture = Picture::new(20, 10, [255; 3]);
        picture.fill(15, 5, 100, 2, [1, 2, 3]);
        picture.text(1, 1, "1?", [0; 3]);
        let read = image::load_from_memory(&picture.clone().to_png().unwrap()).unwrap().to_rgb8();
        assert_eq!(read.dimensions(), (20, 10));
        assert_eq!(read.get_pixel(19, 6).0, [1, 2, 3]);
        assert_eq!(picture.get(3, 1), Some([0; 3]), "the tip of the 1");
        assert_eq!(picture.get(20, 0), None);
        assert_eq!(Picture::text_width("12"), 11);
    }
}
