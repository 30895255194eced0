//! Changes of brightness and colour that are linear in the coefficients.
//!
//! What enters: the table `photometric` of a recipe, an image's key. What leaves: a [`Tone`]: one gain and one offset for
//! luma, one gain for chroma. Nothing is applied here. Nothing is clamped, ever: where a pixel path would cut a sample at
//! 0 or 255, the linear value stays.
//!
//! ```toml
//! [photometric]
//! brightness = [0.8, 1.2]
//! saturation = [0.5, 1.5]
//! seed = 7
//! ```

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
    /// What the factors depend on, together with the image's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// What becomes of samples x, the middle of the range being 0 and half its length 1: `gain * x + offset` of luma,
/// `chroma * x` of chroma.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Tone {
    pub gain: f64,
    pub offset: f64,
    pub chroma: f64,
}

/// The largest factor a recipe may ask for.
const MAX_FACTOR: f64 = 1e3;

impl Photometric {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let fields = [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)];
        for (field, range) in fields {
            if let Some([least, greatest]) = range
                && !(0.0 <= least && least <= greatest && greatest <= MAX_FACTOR)
            {
                return Err(RecipeError::Value { field, value: format!("{least}, {greatest}") });
            }
        }
        match self.grayscale {
            Some(p) if !(0.0..=1.0).contains(&p) => {
                Err(RecipeError::Value { field: "grayscale", value: p.to_string() })
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
        let grey = self.grayscale.is_some_and(|p| Random::new(seed, "grayscale", key).uniform() < p);
        let saturation = if grey { 0.0 } else { draw("saturation", self.saturation) };
        // Black is -1: multiplied by the brightness it must stay -1.
        let gain = brightness * contrast;
        Tone { gain, offset: (brightness - 1.0) * contrast, chroma: gain * saturation }
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
        assert_eq!((tone.gain, tone.offset, tone.chroma), (1.0, 0.5, 3.0));
        assert_eq!(parse("grayscale = 1.0").unwrap().tone("a"), Tone { gain: 1.0, offset: 0.0, chroma: 0.0 });
        assert_eq!(Photometric::default().tone("a"), Tone { gain: 1.0, offset: 0.0, chroma: 1.0 });
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
    fn what_cannot_be_is_refused() {
        for text in ["brightness = [2, 1]", "contrast = [-1, 1]", "saturation = [0, nan]", "grayscale = 2.0", "hue = 1"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
