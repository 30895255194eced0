//! Changes of brightness, colour and detail that are linear in the coefficients.
//!
//! What enters: the table `photometric` of a recipe, an image's key. What leaves: a [`Tone`]: gains and an offset, and the
//! [`Hole`] of a cutout. Nothing is applied here. Nothing is clamped, ever: where a pixel path would cut a sample at
//! 0 or 255, the linear value stays.
//!
//! The last three are block operations of Park and Johnson (RGB no more: Minimally-Decoded JPEG Vision Transformers,
//! CVPR 2023), on the blocks of the tensor, whatever the file's own blocks were.
//!
//! ```toml
//! [photometric]
//! brightness = [0.8, 1.2]
//! saturation = [0.5, 1.5]
//! chroma_drop = 0.1
//! frequency_enhancement = [0.7, 1.5]
//! cutout = { blocks = 8, p = 0.5 }
//! seed = 7
//! ```

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::random::Random;

/// Factors drawn uniformly between two numbers, for each image from the seed and its key; equal numbers are a fixed factor.
/// They are applied after all spatial steps, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Photometric {
    /// R, G and B are multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<[f64; 2]>,
    /// The distance of R, G and B from mid-grey (128) is multiplied. torchvision takes the distance from the image's mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<[f64; 2]>,
    /// Cb and Cr are multiplied: the distance from the grey of the same luma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saturation: Option<[f64; 2]>,
    /// Cb and Cr become zero with this probability, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grayscale: Option<f64>,
    /// With this probability, 0..=1, Cb becomes zero, or Cr, or both; each of the three in a third of the cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma_drop: Option<f64>,
    /// All frequencies but the zero one of Y, Cb and Cr are multiplied: the distance of samples from their block's mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_enhancement: Option<[f64; 2]>,
    /// A square of blocks becomes zero: mid-grey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<Cutout>,
    /// What the factors depend on, together with the image's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A square of blocks without content.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Cutout {
    /// Its side in blocks of the tensor, 1..=65536. Its middle is any place of the tensor, so that it may be cut off at a
    /// border.
    pub blocks: u32,
    /// How probable it is, 0..=1.
    #[serde(default = "always")]
    pub p: f64,
}

fn always() -> f64 {
    1.0
}

/// What becomes of samples x, the middle of the range being 0 and half its length 1: `gain * x + offset` of luma,
/// `chroma * x` of Cb and Cr. Then the distance from the block's mean is multiplied by `detail`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Tone {
    pub gain: f64,
    pub offset: f64,
    pub chroma: [f64; 2],
    pub detail: f64,
}

impl Tone {
    /// Everything as it is.
    pub const PLAIN: Tone = Tone { gain: 1.0, offset: 0.0, chroma: [1.0; 2], detail: 1.0 };
}

/// The block rows and block columns of a tensor that a cutout takes. Neither is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Hole {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

/// The largest factor a recipe may ask for.
const MAX_FACTOR: f64 = 1e3;

/// The largest side of a cutout, in blocks.
const MAX_SIDE: u32 = 1 << 16;

impl Photometric {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let fields = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("frequency_enhancement", self.frequency_enhancement),
        ];
        for (field, range) in fields {
            if let Some([least, greatest]) = range
                && !(0.0 <= least && least <= greatest && greatest <= MAX_FACTOR)
            {
                return Err(RecipeError::Value { field, value: format!("{least}, {greatest}") });
            }
        }
        let chances = [
            ("grayscale", self.grayscale),
            ("chroma_drop", self.chroma_drop),
            ("cutout", self.cutout.map(|cutout| cutout.p)),
        ];
        for (field, p) in chances {
            if let Some(p) = p.filter(|p| !(0.0..=1.0).contains(p)) {
                return Err(RecipeError::Value { field, value: p.to_string() });
            }
        }
        match self.cutout {
            Some(cutout) if !(1..=MAX_SIDE).contains(&cutout.blocks) => {
                Err(RecipeError::Value { field: "cutout", value: cutout.blocks.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The factors for the image named `key`.
    pub fn tone(&self, key: &str) -> Tone {
        let seed = self.seed.unwrap_or(0);
        let draw = |step: &str, range: Option<[f64; 2]>| {
            range.map_or(1.0, |[least, greatest]| Random::new(seed, step, key).between(least, greatest))
        };
        let brightness = draw("brightness", self.brightness);
        let contrast = draw("contrast", self.contrast);
        let chance = |step: &str, p: Option<f64>| p.is_some_and(|p| Random::new(seed, step, key).uniform() < p);
        let saturation = draw("saturation", self.saturation);
        // Black is -1: multiplied by the brightness it must stay -1.
        let gain = brightness * contrast;
        let mut chroma = [gain * saturation; 2];
        if chance("grayscale", self.grayscale) {
            chroma = [0.0; 2];
        }
        if chance("chroma_drop", self.chroma_drop) {
            match Random::new(seed, "chroma_drop which", key).below(3) {
                0 => chroma[0] = 0.0,
                1 => chroma[1] = 0.0,
                _ => chroma = [0.0; 2],
            }
        }
        let detail = draw("frequency_enhancement", self.frequency_enhancement);
        Tone { gain, offset: (brightness - 1.0) * contrast, chroma, detail }
    }

    /// What is cut out of the tensor of the image named `key`, which is so many blocks high and wide.
    pub fn hole(&self, key: &str, (high, wide): (usize, usize)) -> Option<Hole> {
        let cutout = self.cutout?;
        let mut random = Random::new(self.seed.unwrap_or(0), "cutout", key);
        if random.uniform() >= cutout.p || high == 0 || wide == 0 {
            return None;
        }
        // The middle block, or of an even side the one behind the middle.
        let side = cutout.blocks as usize;
        let mut around = |length: usize| {
            let middle = random.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize;
            middle.saturating_sub(side / 2)..(middle + side.div_ceil(2)).min(length)
        };
        Some(Hole { rows: around(high), columns: around(wide) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn parse(text: &str) -> Result<Photometric, RecipeError> {
        Recipe::from_toml(&format!("[photometric]\n{text}")).map(|recipe| recipe.photometric)
    }

    #[test]
    fn factors_by_hand() {
        let tone = parse("brightness = [2, 2]\ncontrast = [0.5, 0.5]\nsaturation = [3, 3]").unwrap().tone("");
        // Black, -1, times 2 stays black, halved in contrast -1/2; mid-grey becomes white, 1, and then 1/2.
        assert_eq!((tone.gain, tone.offset, tone.chroma), (1.0, 0.5, [3.0; 2]));
        let unchanged = Tone { gain: 1.0, offset: 0.0, chroma: [1.0; 2], detail: 1.0 };
        assert_eq!(parse("grayscale = 1.0").unwrap().tone("a"), Tone { chroma: [0.0; 2], ..unchanged });
        assert_eq!(parse("frequency_enhancement = [2, 2]").unwrap().tone("a"), Tone { detail: 2.0, ..unchanged });
        assert_eq!(Photometric::default().tone("a"), unchanged);
    }

    #[test]
    fn chance_depends_on_seed_and_key_alone() {
        let drawn = |seed: u32, key: &str| parse(&format!("brightness = [0.5, 1.5]\nseed = {seed}")).unwrap().tone(key);
        assert_eq!(drawn(1, "a"), drawn(1, "a"));
        assert_ne!(drawn(1, "a"), drawn(1, "b"));
        assert_ne!(drawn(1, "a"), drawn(2, "a"));
        assert!((0..200).all(|n| (0.5..1.5).contains(&drawn(n, "k").gain)));
    }

    #[test]
    fn chroma_is_dropped_in_three_ways() {
        let recipe = parse("chroma_drop = 0.6").unwrap();
        let mut counts = [0; 4];
        for n in 0..2000 {
            let [cb, cr] = recipe.tone(&n.to_string()).chroma;
            counts[cb as usize + 2 * cr as usize] += 1;
        }
        assert!((740..860).contains(&counts[3]), "{counts:?}");
        assert!(counts[..3].iter().all(|count| (340..460).contains(count)), "{counts:?}");
    }

    #[test]
    fn holes_are_squares_cut_off_at_the_border() {
        let recipe = parse("cutout = { blocks = 4 }").unwrap();
        let (mut whole, mut seen) = (0, [[0; 9]; 7]);
        for n in 0..2000 {
            let hole = recipe.hole(&n.to_string(), (7, 9)).unwrap();
            assert_eq!(recipe.hole(&n.to_string(), (7, 9)), Some(hole.clone()));
            assert!((2..=4).contains(&hole.rows.len()) && (2..=4).contains(&hole.columns.len()), "{hole:?}");
            whole += usize::from(hole.rows.len() == 4 && hole.columns.len() == 4);
            hole.rows.for_each(|y| seen[y][hole.columns.clone()].iter_mut().for_each(|count| *count += 1));
        }
        // The middle is one of 7 x 9; of these 4 x 6 leave the whole square inside.
        assert!((700..830).contains(&whole), "{whole}");
        assert!(seen.as_flattened().iter().all(|&count| count > 0), "{seen:?}");
        assert_eq!(recipe.hole("", (1, 1)), Some(Hole { rows: 0..1, columns: 0..1 }));
        assert_eq!(parse("cutout = { blocks = 4, p = 0 }").unwrap().hole("", (7, 9)), None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in [
            "brightness = [2, 1]",
            "contrast = [-1, 1]",
            "saturation = [0, nan]",
            "grayscale = 2.0",
            "hue = 1",
            "chroma_drop = -0.1",
            "frequency_enhancement = [0, 1e4]",
            "cutout = {}",
            "cutout = { blocks = 0 }",
            "cutout = { blocks = 1, p = nan }",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
