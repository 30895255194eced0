//! From a recipe's geometry to the steps for one image.
//!
//! What enters: the [`Geometry`], the size and EXIF orientation of an image, its key. What leaves: a list of [`Step`]s,
//! each with all its numbers. All rounding of sizes and offsets, and every random choice, happens here and only here;
//! that the tensor builder and the check on samples apply the same steps is no proof that a size is right, so tests here
//! state sizes by hand.

use smallvec::SmallVec;

use super::geometry::{Align, Crop, Filter, Fit, Geometry, Pad, PadMode, RandomResizedCrop, Resize, Size};
use super::random::Random;
use crate::error::Result;
use crate::limits::{LimitKind, Limits};

/// One spatial step on an image, all planes alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Step {
    /// Rows and columns exchanged.
    Transpose,
    /// The first column becomes the last.
    FlipX,
    /// The first row becomes the last.
    FlipY,
    /// To a size.
    Resize { width: u32, height: u32, filter: Filter, antialias: bool },
    /// `width` x `height` samples, the first of them at column x and row y, which may lie outside the image.
    Window { x: i64, y: i64, width: u32, height: u32, fill: Fill },
    /// Bilinear enlargement, cv2's rule: luma by the first factor, chroma by the second, then the mean of every third x
    /// third samples of chroma.
    Upscale { luma: u32, chroma: u32, average: u32 },
}

/// What a window has outside the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fill {
    /// The nearest sample.
    Edge,
    /// This grey, 0..=255, in R, G and B alike: luma has its value, chroma is neutral.
    Grey(u8),
}

/// The steps for one image and the size they lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// In order.
    pub steps: SmallVec<[Step; 4]>,
    /// Columns of the result.
    pub width: u32,
    /// Rows of the result.
    pub height: u32,
}

impl Geometry {
    /// The steps for an image of this size and EXIF orientation (1..=8; any other counts as 1). `key` is its name; random
    /// steps depend on it and on the seed.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit) where an image on the way has more pixels than
    /// [`Limits::pixels`](crate::Limits::pixels).
    pub fn steps(&self, width: u32, height: u32, orientation: u8, key: &str, limits: &Limits) -> Result<Steps> {
        let mut made = Steps { steps: SmallVec::new(), width, height };
        let seed = self.seed.unwrap_or(0);
        if self.orient {
            made.turn(of_orientation(orientation));
        }
        made.turn(of_rotation(self.rotate));
        if let Some(resize) = self.resize {
            let (width, height) = resize.size_for(made.width, made.height);
            made.resize(width, height, resize.filter, resize.antialias, limits)?;
        }
        if let Some(crop) = self.crop {
            made.crop(crop);
        }
        if let Some(crop) = self.random_resized_crop {
            let (x, y, width, height) = crop.window(made.width, made.height, &mut Random::new(seed, "crop", key));
            made.window(x.into(), y.into(), width, height, Fill::Edge);
            made.resize(crop.size.width, crop.size.height, crop.filter, crop.antialias, limits)?;
        }
        if let Some(pad) = self.pad {
            made.pad(pad);
        }
        let by_chance = self.flip.is_some_and(|p| Random::new(seed, "flip", key).uniform() < p);
        if self.hflip != by_chance {
            made.steps.push(Step::FlipX);
        }
        if self.vflip {
            made.steps.push(Step::FlipY);
        }
        if let Some(upscale) = self.upscale {
            let (luma, chroma, average) = (upscale.luma, upscale.chroma, upscale.average);
            made.check(made.width.saturating_mul(chroma), made.height.saturating_mul(chroma), limits)?;
            made.steps.push(Step::Upscale { luma, chroma, average });
            (made.width, made.height) = (made.width * luma, made.height * luma);
        }
        made.check(made.width, made.height, limits)?;
        Ok(made)
    }
}

/// A transpose, then a flip of columns, then one of rows.
type Turn = (bool, bool, bool);

/// TIFF 6.0, tag 274, as used by EXIF: how the stored image is brought to its upright position.
fn of_orientation(orientation: u8) -> Turn {
    match orientation {
        2 => (false, true, false),
        3 => (false, true, true),
        4 => (false, false, true),
        5 => (true, false, false),
        6 => (true, true, false),
        7 => (true, true, true),
        8 => (true, false, true),
        _ => (false, false, false),
    }
}

/// Degrees clockwise.
fn of_rotation(degrees: u16) -> Turn {
    match degrees {
        90 => (true, true, false),
        180 => (false, true, true),
        270 => (true, false, true),
        _ => (false, false, false),
    }
}

impl Steps {
    fn check(&self, width: u32, height: u32, limits: &Limits) -> Result<()> {
        limits.check(LimitKind::Pixels, u64::from(width) * u64::from(height))
    }

    fn turn(&mut self, (transpose, flip_x, flip_y): Turn) {
        if transpose {
            self.steps.push(Step::Transpose);
            (self.width, self.height) = (self.height, self.width);
        }
        self.steps.extend(flip_x.then_some(Step::FlipX));
        self.steps.extend(flip_y.then_some(Step::FlipY));
    }

    fn resize(&mut self, width: u32, height: u32, filter: Filter, antialias: bool, limits: &Limits) -> Result<()> {
        self.check(width, height, limits)?;
        if (width, height) != (self.width, self.height) {
            self.steps.push(Step::Resize { width, height, filter, antialias });
            (self.width, self.height) = (width, height);
        }
        Ok(())
    }

    fn window(&mut self, x: i64, y: i64, width: u32, height: u32, fill: Fill) {
        if (x, y, width, height) != (0, 0, self.width, self.height) {
            self.steps.push(Step::Window { x, y, width, height, fill });
            (self.width, self.height) = (width, height);
        }
    }

    fn crop(&mut self, crop: Crop) {
        match crop {
            Crop::Center { center: Size { height, width } } => {
                let (x, y) = (centred(self.width, width), centred(self.height, height));
                self.window(x, y, width, height, Fill::Grey(0));
            }
            Crop::At { x, y, w, h } => self.window(x.into(), y.into(), w, h, Fill::Grey(0)),
        }
    }

    fn pad(&mut self, pad: Pad) {
        let to = |length: u32, size: Option<u32>| match (size, pad.multiple) {
            (Some(size), _) => length.max(size),
            (None, Some(multiple)) => length.checked_next_multiple_of(multiple).unwrap_or(length),
            (None, None) => length,
        };
        let width = to(self.width, pad.size.map(|size| size.width));
        let height = to(self.height, pad.size.map(|size| size.height));
        let (x, y) = match pad.align {
            Align::Start => (0, 0),
            Align::Center => (centred(self.width, width), centred(self.height, height)),
        };
        let fill = match pad.mode {
            PadMode::Edge => Fill::Edge,
            PadMode::Constant => Fill::Grey(pad.value),
        };
        self.window(x, y, width, height, fill);
    }
}

/// Where a centred window begins: Python's `round((length - size) * 0.5)`, which takes halves to even, or if it is larger
/// `-((size - length) // 2)`.
fn centred(length: u32, size: u32) -> i64 {
    let (length, size) = (i64::from(length), i64::from(size));
    if size > length {
        return -((size - length) / 2);
    }
    let half = (length - size) / 2;
    half + i64::from((length - size) % 2 == 1 && half % 2 == 1)
}

impl Resize {
    /// Width and height of an image of this size afterwards.
    fn size_for(&self, width: u32, height: u32) -> (u32, u32) {
        let (short, long) = (width.min(height), width.max(height));
        match (self.size, self.fit, self.short, self.long) {
            (Some(size), None, ..) => (size.width, size.height),
            (Some(size), Some(fit), ..) => {
                // Which side decides, compared in whole numbers.
                let by_width = u64::from(size.width) * u64::from(height) <= u64::from(size.height) * u64::from(width);
                if by_width == (fit == Fit::Contain) {
                    (size.width, rounded(height, size.width, width))
                } else {
                    (rounded(width, size.height, height), size.height)
                }
            }
            (None, _, Some(to), None) => {
                let other = length(u64::from(to) * u64::from(long) / u64::from(short));
                if width <= height { (to, other) } else { (other, to) }
            }
            (None, _, to_short, to_long) => {
                let to_short = to_short.map_or(u64::MAX >> 32, u64::from);
                let to_long = to_long.map_or(u64::MAX >> 32, u64::from);
                // The smaller of the two scales, as a fraction.
                let (to, from) = if to_long * u64::from(short) <= to_short * u64::from(long) {
                    (to_long, long)
                } else {
                    (to_short, short)
                };
                (rounded(width, length(to), from), rounded(height, length(to), from))
            }
        }
    }
}

/// `int(length * to / from + 0.5)`, at least 1.
fn rounded(length_now: u32, to: u32, from: u32) -> u32 {
    let (product, from) = (u128::from(length_now) * u128::from(to), u128::from(from));
    length(((2 * product + from) / (2 * from)) as u64)
}

fn length(value: u64) -> u32 {
    u32::try_from(value.max(1)).unwrap_or(u32::MAX)
}

/// How often a window is tried before the middle of the image is taken.
const ATTEMPTS: usize = 10;

impl RandomResizedCrop {
    /// The window (x, y, width, height), by torchvision's rule: area uniform in `scale`, logarithm of the ratio uniform;
    /// after ten windows that do not fit, the middle of the image at the nearest ratio allowed.
    fn window(&self, width: u32, height: u32, random: &mut Random) -> (u32, u32, u32, u32) {
        let (image_width, image_height) = (f64::from(width), f64::from(height));
        for _ in 0..ATTEMPTS {
            let area = image_width * image_height * random.between(self.scale[0], self.scale[1]);
            let ratio = random.between(self.ratio[0].ln(), self.ratio[1].ln()).exp();
            let w = (area * ratio).sqrt().round_ties_even() as u32;
            let h = (area / ratio).sqrt().round_ties_even() as u32;
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                let y = random.below(height - h + 1);
                return (random.below(width - w + 1), y, w, h);
            }
        }
        let (mut w, mut h) = (width, height);
        let ratio = image_width / image_height;
        if ratio < self.ratio[0] {
            h = ((image_width / self.ratio[0]).round_ties_even() as u32).clamp(1, height);
        } else if ratio > self.ratio[1] {
            w = ((image_height * self.ratio[1]).round_ties_even() as u32).clamp(1, width);
        }
        ((width - w) / 2, (height - h) / 2, w, h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn steps_of(text: &str, (width, height): (u32, u32), orientation: u8, key: &str) -> Steps {
        let recipe = Recipe::from_toml(&format!("[geometry]\n{text}")).unwrap();
        recipe.geometry.steps(width, height, orientation, key, &Limits::default()).unwrap()
    }

    fn size_of(text: &str, size: (u32, u32)) -> (u32, u32) {
        let steps = steps_of(text, size, 1, "");
        (steps.width, steps.height)
    }

    #[test]
    fn sizes_by_hand() {
        // int(512 * 500 / 375) = int(682.67)
        assert_eq!(size_of("resize.short = 512", (500, 375)), (682, 512));
        assert_eq!(size_of("resize.short = 512", (375, 500)), (512, 682));
        assert_eq!(size_of("resize.short = 8", (65535, 1)), (524_280, 8));
        assert_eq!(size_of("resize = { long = 1333, short = 800 }", (640, 480)), (1067, 800));
        assert_eq!(size_of("resize = { long = 1333, short = 800 }", (480, 640)), (800, 1067));
        // 1333 / 1000 is below 800 / 400.
        assert_eq!(size_of("resize = { long = 1333, short = 800 }", (1000, 400)), (1333, 533));
        assert_eq!(size_of("resize.long = 10", (4000, 3)), (10, 1));
        assert_eq!(size_of("resize = { size = [100, 200], fit = 'contain' }", (300, 100)), (200, 67));
        assert_eq!(size_of("resize = { size = [100, 200], fit = 'contain' }", (100, 300)), (33, 100));
        assert_eq!(size_of("resize = { size = [100, 200], fit = 'cover' }", (300, 100)), (300, 100));
        assert_eq!(size_of("resize = { size = [100, 200], fit = 'cover' }", (100, 300)), (200, 600));
        assert_eq!(size_of("pad.multiple = 32", (33, 64)), (64, 64));
        assert_eq!(size_of("pad.size = [40, 50]", (45, 45)), (50, 45));
        assert_eq!(size_of("upscale = { luma = 2, chroma = 2, average = 1 }", (33, 64)), (66, 128));
    }

    #[test]
    fn offsets_by_hand() {
        // Python: round(0.5) = 0, round(1.5) = 2, round(2.5) = 2, round(117.0) = 117.
        assert_eq!([449, 451, 453, 682].map(|n| centred(n, 448)), [0, 2, 2, 117]);
        assert_eq!([7, 6, 5].map(|n| centred(n, 8)), [0, -1, -1]);
        let window = Step::Window { x: 2, y: -1, width: 8, height: 8, fill: Fill::Grey(0) };
        assert_eq!(steps_of("crop.center = 8", (11, 6), 1, "").steps[..], [window]);
        assert_eq!(steps_of("crop.center = 8", (8, 8), 1, "").steps[..], []);
    }

    #[test]
    fn orientations_swap_sides_before_anything_else() {
        let steps = steps_of("orient = true\nresize.short = 512", (375, 500), 6, "");
        let resize = Step::Resize { width: 682, height: 512, filter: Filter::Bilinear, antialias: true };
        assert_eq!(steps.steps[..], [Step::Transpose, Step::FlipX, resize]);
        assert_eq!(steps_of("hflip = true", (9, 9), 6, "").steps[..], [Step::FlipX], "orientation is off by default");
        assert_eq!(steps_of("orient = true", (9, 9), 77, "").steps[..], []);
    }

    #[test]
    fn chance_depends_on_seed_and_key_alone() {
        let text =
            |seed: u32| format!("seed = {seed}\nflip = 0.5\nrandom_resized_crop = {{ size = 32, scale = [0.1, 0.9] }}");
        let mut windows = std::collections::HashSet::new();
        let (mut flips, mut tall) = (0, 0);
        for n in 0..400 {
            let key = format!("image {n}");
            let steps = steps_of(&text(1), (300, 200), 1, &key);
            assert_eq!(steps, steps_of(&text(1), (300, 200), 1, &key));
            assert_ne!(steps, steps_of(&text(2), (300, 200), 1, &key));
            let Some(&Step::Window { x, y, width, height, .. }) = steps.steps.first() else { panic!("a window") };
            assert!(x >= 0 && y >= 0 && x as u32 + width <= 300 && y as u32 + height <= 200);
            let (area, ratio) = (f64::from(width * height) / 60_000.0, f64::from(width) / f64::from(height));
            assert!((0.095..0.91).contains(&area) && (0.74..1.36).contains(&ratio), "{area} {ratio}");
            windows.insert((x, y, width, height));
            flips += usize::from(steps.steps.contains(&Step::FlipX));
            tall += usize::from(height > width);
        }
        assert!(windows.len() > 395, "{}", windows.len());
        assert!((150..250).contains(&flips), "{flips}");
        assert!((120..280).contains(&tall), "{tall}");
    }

    #[test]
    fn a_window_that_never_fits_is_the_middle() {
        let steps = steps_of("random_resized_crop = { size = 8, scale = [1.0, 1.0] }", (1000, 10), 1, "k");
        let window = Step::Window { x: 493, y: 0, width: 13, height: 10, fill: Fill::Edge };
        assert_eq!(steps.steps[0], window);
    }

    #[test]
    fn gigantic_images_on_the_way_are_refused() {
        let geometry = Recipe::from_toml("geometry.resize.short = 512").unwrap().geometry;
        assert!(geometry.steps(65535, 1, 1, "", &Limits::default()).is_err());
    }
}
