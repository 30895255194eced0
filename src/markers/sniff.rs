//! What a byte string that is no JPEG seems to be, by its first bytes.

use std::fmt;

/// File formats told apart by content, never by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are the formats' own
pub enum Format {
    Png,
    WebP,
    Tiff,
    Bmp,
    Gif,
    Pnm,
    Jpeg2000,
    JpegXl,
    JpegXr,
    Avif,
    /// An archive, whose first image is not looked for.
    Tar,
    /// No bytes at all.
    Empty,
    /// None of the above.
    Unknown,
}

impl Format {
    /// Guesses from the first bytes. JPEG itself is not told apart here: the marker parser does that.
    pub fn of(bytes: &[u8]) -> Format {
        let is = |at: usize, magic: &[u8]| bytes.get(at..at + magic.len()) == Some(magic);
        match bytes {
            [] => Format::Empty,
            _ if is(0, b"\x89PNG\r\n\x1a\n") => Format::Png,
            _ if is(0, b"RIFF") && is(8, b"WEBP") => Format::WebP,
            _ if is(0, b"II*\0") || is(0, b"MM\0*") || is(0, b"II+\0") || is(0, b"MM\0+") => Format::Tiff,
            _ if is(0, b"GIF87a") || is(0, b"GIF89a") => Format::Gif,
            _ if is(4, b"jP  \r\n\x87\n") || is(0, b"\xff\x4f\xff\x51") => Format::Jpeg2000,
            _ if is(0, b"\xff\x0a") || is(4, b"JXL \r\n\x87\n") => Format::JpegXl,
            _ if is(0, b"II\xbc\x01") => Format::JpegXr,
            _ if is(4, b"ftypavif") || is(4, b"ftypavis") => Format::Avif,
            // POSIX 1003.1, ustar: the field "magic" of the first header.
            _ if is(257, b"ustar") => Format::Tar,
            [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Format::Pnm,
            // The file header's reserved words are zero and the DIB header has a known small size.
            _ if is(0, b"BM") && is(6, &[0; 4]) && bytes.get(15..18) == Some(&[0; 3]) => Format::Bmp,
            _ => Format::Unknown,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Tiff => "TIFF",
            Format::Bmp => "BMP",
            Format::Gif => "GIF",
            Format::Pnm => "PNM",
            Format::Jpeg2000 => "JPEG 2000",
            Format::JpegXl => "JPEG XL",
            Format::JpegXr => "JPEG XR",
            Format::Avif => "AVIF",
            Format::Tar => "tar archive",
            Format::Empty => "the file is empty",
            Format::Unknown => "unknown content",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn known_and_unknown_starts() {
        assert_eq!(Format::of(b""), Format::Empty);
        assert_eq!(Format::of(b"hello"), Format::Unknown);
        assert_eq!(Format::of(b"\x89PNG\r\n\x1a\n...."), Format::Png);
        assert_eq!(Format::of(b"P5\n2 2\n255\n"), Format::Pnm);
        assert_eq!(Format::of(b"BM"), Format::Unknown, "two letters are no bitmap");
        let tar = [&b"a.jpg"[..], &[0; 252], b"ustar\x0000"].concat();
        assert_eq!((Format::of(&tar), Format::of(&tar[..260])), (Format::Tar, Format::Unknown));
    }
}
