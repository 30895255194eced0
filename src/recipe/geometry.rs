//! Where the samples of a tensor come from: the spatial steps of a recipe, as data.
//!
//! What enters: the table `geometry` of a recipe. What leaves: a checked [`Geometry`], and from it, for an image of a
//! given size, the list of [`Step`](super::steps::Step)s. Nothing is applied here.
//!
//! Steps are applied in one order, whatever the order they are written in: `orient`, `rotate`, `resize`, `crop` or
//! `random_resized_crop`, `pad`, `hflip` and `vflip`, `flip`, `upscale`.
//!
//! ```toml
//! [geometry]
//! orient = true
//! resize = { short = 256, filter = "bicubic" }
//! crop = { center = 224 }
//! ```

use serde::{Deserialize, Serialize};

use super::RecipeError;

/// The largest width or height a recipe may ask for.
const MAX_SIZE: u32 = 1 << 16;

/// The spatial steps of a recipe. The default has none.
///
/// With any of them the samples read are those of the image alone: what a file holds beyond its last column and row is
/// not looked at, and a size that is no multiple of 8 ends in a block that repeats the last sample
/// ([`Edge::Replicate`](super::Edge)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Geometry {
    /// Whether the EXIF orientation is applied, as `cv2.imread` and PIL's `exif_transpose` do.
    #[serde(skip_serializing_if = "is_false")]
    pub orient: bool,
    /// A clockwise turn in degrees: 0, 90, 180 or 270.
    #[serde(skip_serializing_if = "is_zero")]
    pub rotate: u16,
    /// A resize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// A crop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// A crop at random, resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_resized_crop: Option<RandomResizedCrop>,
    /// Padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad: Option<Pad>,
    /// Left and right exchanged, always.
    #[serde(skip_serializing_if = "is_false")]
    pub hflip: bool,
    /// Top and bottom exchanged, always.
    #[serde(skip_serializing_if = "is_false")]
    pub vflip: bool,
    /// Left and right exchanged with this probability, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip: Option<f64>,
    /// DCTNet's enlargement before its transform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upscale: Option<Upscale>,
    /// What random steps depend on, together with the image's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// Height and width in pixels, 1..=65536. Text forms: a number (a square), `[height, width]`, `"HxW"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SizeText", into = "[u32; 2]")]
#[allow(missing_docs)]
pub struct Size {
    pub height: u32,
    pub width: u32,
}

/// The forms a size is written in.
#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Square(u32),
    Pair([u32; 2]),
    Text(String),
}

impl TryFrom<SizeText> for Size {
    type Error = RecipeError;

    fn try_from(text: SizeText) -> Result<Size, RecipeError> {
        let size = match text {
            SizeText::Square(side) => Size { height: side, width: side },
            SizeText::Pair([height, width]) => Size { height, width },
            SizeText::Text(text) => {
                let bad = || RecipeError::Value { field: "size", value: text.chars().take(40).collect() };
                let (height, width) = text.split_once('x').ok_or_else(bad)?;
                let number = |text: &str| text.trim().parse().map_err(|_| bad());
                Size { height: number(height)?, width: number(width)? }
            }
        };
        check_length("size", size.height).and(check_length("size", size.width)).map(|()| size)
    }
}

impl From<Size> for [u32; 2] {
    fn from(size: Size) -> [u32; 2] {
        [size.height, size.width]
    }
}

/// The interpolation of a resize. The rules are those of two families, see [`Resize::antialias`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Filter {
    /// One input sample.
    Nearest,
    /// Piecewise linear.
    #[default]
    Bilinear,
    /// The mean over the area of an output sample.
    Area,
    /// Piecewise cubic.
    Bicubic,
    /// A sinc windowed by a wider one.
    Lanczos3,
}

/// A resize. Either `size`, with `fit` or without, or `short` or `long` or both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Resize {
    /// The length of the shorter side. The longer one keeps the ratio, rounded down: `int(short * long / short_now)`, as
    /// torchvision and DCTNet have it. With `long`, the largest length of the shorter side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<u32>,
    /// The largest length of the longer side. The image takes the largest size within `long` and `short`; both sides are
    /// rounded to the nearest, `int(length * scale + 0.5)`, as mmcv has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long: Option<u32>,
    /// Exactly this size, or a box for `fit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// How the ratio is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// The interpolation.
    pub filter: Filter,
    /// Whether shrinking widens the filter, as PIL and torchvision do; otherwise the rules are cv2's.
    pub antialias: bool,
}

impl Default for Resize {
    /// Antialiased bilinear; of no size, and so not valid.
    fn default() -> Resize {
        Resize { short: None, long: None, size: None, fit: None, filter: Filter::default(), antialias: true }
    }
}

/// How an image and a box of another ratio go together. Sides are rounded to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// The largest image inside the box.
    Contain,
    /// The smallest image that fills it.
    Cover,
}

/// A crop. What lies outside the image is black, as in torchvision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Crop {
    /// The middle. The offset is `round((length - size) / 2)`, halves to even; where the image is smaller, there are
    /// `floor((size - length) / 2)` black samples before it.
    Center {
        /// The size.
        center: Size,
    },
    /// A window.
    At {
        /// Its first column.
        x: u32,
        /// Its first row.
        y: u32,
        /// Its width.
        w: u32,
        /// Its height.
        h: u32,
    },
}

/// torchvision's `RandomResizedCrop`: a window of random area and ratio, resized. Depends on the seed, the image's key and
/// its size, and on nothing else. The resize reads nothing outside the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RandomResizedCrop {
    /// The size made.
    pub size: Size,
    /// Least and greatest share of the image's area, above 0 and at most 1.
    #[serde(default = "default_scale")]
    pub scale: [f64; 2],
    /// Least and greatest width over height.
    #[serde(default = "default_ratio")]
    pub ratio: [f64; 2],
    /// The interpolation.
    #[serde(default)]
    pub filter: Filter,
    /// As [`Resize::antialias`].
    #[serde(default = "default_antialias")]
    pub antialias: bool,
}

impl RandomResizedCrop {
    /// torchvision's defaults: 8 to 100 % of the area, ratios 3:4 to 4:3, bilinear with antialiasing.
    pub fn new(size: Size) -> RandomResizedCrop {
        let (scale, ratio, antialias) = (default_scale(), default_ratio(), default_antialias());
        RandomResizedCrop { size, scale, ratio, filter: Filter::default(), antialias }
    }
}

fn default_scale() -> [f64; 2] {
    [0.08, 1.0]
}

fn default_ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

fn default_antialias() -> bool {
    true
}

/// Padding, to a size or to the next multiple. An image that is larger already stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Pad {
    /// The least size afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Both lengths become multiples of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple: Option<u32>,
    /// What the padding is.
    pub mode: PadMode,
    /// The grey of mode `constant`, 0 (black) to 255, in R, G and B alike.
    pub value: u8,
    /// Where the image is.
    pub align: Align,
}

/// What padding is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum PadMode {
    /// A grey value.
    #[default]
    Constant,
    /// The nearest sample of the image.
    Edge,
}

/// Where an image stands in its padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Top left.
    #[default]
    Start,
    /// In the middle, `floor` of half the padding before it.
    Center,
}

/// DCTNet's enlargement: its code enlarges images bilinearly (cv2's rule) before it compresses them again, and takes luma
/// and chroma from different enlargements.
///
/// Luma is enlarged by `luma`; chroma by `chroma`, and of that every `average` by `average` samples become their mean, as
/// an encoder of subsampled chroma makes them. `chroma = luma * average`, so that both have one grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Upscale {
    pub luma: u32,
    pub chroma: u32,
    pub average: u32,
}

impl Geometry {
    /// Whether there is any step. A seed is none.
    pub fn is_some(&self) -> bool {
        let Geometry { orient, rotate, resize, crop, random_resized_crop, pad, hflip, vflip, flip, upscale, seed: _ } =
            self;
        *orient
            || *rotate != 0
            || resize.is_some()
            || crop.is_some()
            || random_resized_crop.is_some()
            || pad.is_some()
            || *hflip
            || *vflip
            || flip.is_some()
            || upscale.is_some()
    }

    /// Whether the window read differs from image to image even where their sizes are equal.
    pub fn is_random(&self) -> bool {
        self.random_resized_crop.is_some()
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn validate(&self) -> Result<(), RecipeError> {
        if !matches!(self.rotate, 0 | 90 | 180 | 270) {
            return Err(bad("rotate", self.rotate));
        }
        if let Some(p) = self.flip.filter(|p| !(0.0..=1.0).contains(p)) {
            return Err(bad("flip", p));
        }
        if self.crop.is_some() && self.random_resized_crop.is_some() {
            return Err(RecipeError::Conflict("crop", "random_resized_crop"));
        }
        self.resize.map_or(Ok(()), |resize| resize.validate())?;
        if let Some(Crop::At { x, y, w, h }) = self.crop {
            check_length("crop", w).and(check_length("crop", h))?;
            check_length("crop", x.max(1)).and(check_length("crop", y.max(1)))?;
        }
        if let Some(RandomResizedCrop { scale, ratio, .. }) = self.random_resized_crop {
            let ordered = |[least, greatest]: [f64; 2], end: f64| 0.0 < least && least <= greatest && greatest <= end;
            if !ordered(scale, 1.0) {
                return Err(bad("scale", format!("{scale:?}")));
            }
            if !ordered(ratio, 1e6) {
                return Err(bad("ratio", format!("{ratio:?}")));
            }
        }
        if let Some(pad) = self.pad {
            match (pad.size, pad.multiple) {
                (Some(_), None) => {}
                (None, Some(multiple)) => check_length("multiple", multiple)?,
                _ => return Err(RecipeError::Value { field: "pad", value: "either size or multiple".into() }),
            }
        }
        match self.upscale {
            Some(Upscale { luma, chroma, average })
                if !(1..=16).contains(&luma) || !(1..=16).contains(&average) || chroma != luma * average =>
            {
                Err(bad("upscale", format!("{luma}, {chroma}, {average}")))
            }
            _ => Ok(()),
        }
    }
}

impl Resize {
    fn validate(&self) -> Result<(), RecipeError> {
        for length in [self.short, self.long].into_iter().flatten() {
            check_length("resize", length)?;
        }
        match (self.size, self.short.or(self.long), self.fit) {
            (Some(_), None, _) | (None, Some(_), None) => Ok(()),
            (None, None, _) => Err(RecipeError::Value { field: "resize", value: "no size".into() }),
            (Some(_), Some(_), _) => Err(RecipeError::Conflict("resize to a size", "short or long")),
            (None, Some(_), Some(_)) => Err(RecipeError::Conflict("fit", "short or long")),
        }
    }
}

fn check_length(field: &'static str, length: u32) -> Result<(), RecipeError> {
    if (1..=MAX_SIZE).contains(&length) { Ok(()) } else { Err(bad(field, length)) }
}

fn bad(field: &'static str, value: impl ToString) -> RecipeError {
    RecipeError::Value { field, value: value.to_string() }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u16) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn parse(text: &str) -> Result<Geometry, RecipeError> {
        Recipe::from_toml(&format!("[geometry]\n{text}")).map(|recipe| recipe.geometry)
    }

    #[test]
    fn every_form_survives_both_texts() {
        for text in [
            "orient = true\nresize = { short = 512, antialias = false }\ncrop = { center = 448 }",
            "resize = { size = '20x30', fit = 'cover', filter = 'lanczos3' }\ncrop = { x = 1, y = 2, w = 3, h = 4 }",
            "random_resized_crop = { size = [224, 225], scale = [0.2, 1.0] }\nflip = 0.5\nseed = 7",
            "rotate = 90\npad = { multiple = 32, mode = 'edge' }\nhflip = true\nvflip = true",
            "resize = { long = 1333, short = 800 }\nupscale = { luma = 1, chroma = 2, average = 2 }",
        ] {
            let recipe = Recipe { geometry: parse(text).unwrap(), ..Recipe::default() };
            assert!(recipe.geometry.is_some());
            assert_eq!(Recipe::from_json(&recipe.to_json()).unwrap(), recipe);
            assert_eq!(Recipe::from_toml(&toml::to_string(&recipe).unwrap()).unwrap(), recipe);
        }
        let size = parse("resize = { size = '20x30' }").unwrap().resize.unwrap().size;
        assert_eq!(size, Some(Size { height: 20, width: 30 }));
    }

    #[test]
    fn a_recipe_without_steps_is_written_as_before() {
        assert!(!Recipe::default().to_json().contains("geometry"));
        assert!(!Geometry::default().is_some());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in [
            "rotate = 45",
            "flip = 1.5",
            "flip = nan",
            "resize = {}",
            "resize = { short = 0 }",
            "resize = { short = 70000 }",
            "resize = { short = 8, size = 8 }",
            "resize = { short = 8, fit = 'cover' }",
            "resize = { size = '8' }",
            "resize = { size = [0, 8] }",
            "resize = { size = 8, filter = 'gauss' }",
            "crop = { center = 8, x = 1 }",
            "crop = { x = 0, y = 0, w = 0, h = 1 }",
            "crop = { center = 8 }\nrandom_resized_crop = { size = 8 }",
            "random_resized_crop = { size = 8, scale = [0.0, 1.0] }",
            "random_resized_crop = { size = 8, ratio = [2.0, 1.0] }",
            "pad = { mode = 'edge' }",
            "pad = { size = 8, multiple = 8 }",
            "upscale = { luma = 1, chroma = 2, average = 1 }",
            "zoom = 2",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
