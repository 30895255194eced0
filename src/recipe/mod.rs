//! The recipe: the whole description of a tensor, as data.
//!
//! What enters: a preset's name, a TOML or JSON text, or fields set one by one. What leaves: a validated [`Recipe`],
//! stored with every output so that a tensor can always be made again. Nothing is computed here.

mod channels;
pub mod dctnet;
pub mod geometry;
mod normalize;
pub mod photometric;
mod presets;
mod random;
pub mod steps;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::spec::fingerprint::fnv1a;
use crate::tensor::Dtype;

pub use channels::ChannelSet;
pub use geometry::Geometry;
pub use normalize::{Normalize, Statistics};
pub use photometric::Photometric;

/// What kind of tensors a recipe gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One tensor: the selected channels of Y, Cb and Cr on one grid.
    #[default]
    Channels,
    /// Every component at its own size, dequantised, all 64 frequencies.
    Planes,
    /// Every component at its own size, quantised integers, and the quantisation tables.
    Quantised,
}

/// How subsampled planes come to luma's size. Any sampling ratio works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Chroma {
    /// Centred bilinear; weights 3/4 and 1/4 at ratio 2 (libjpeg's fancy upsampling). Needs neighbouring blocks.
    #[default]
    Triangle,
    /// Nearest: every sample is repeated.
    Replicate,
    /// Block-local spectral interpolation: each block's spectrum is padded with zeros.
    ZeroPad,
    /// No upsampling: the planes must have one size.
    None,
}

/// What the samples beyond the image in its last, partial blocks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// What the file holds.
    #[default]
    Stored,
    /// The last true sample repeated: what a pixel path sees that crops to the image and pads to whole blocks.
    Replicate,
}

/// What becomes of an image in CMYK or YCCK, which is not linear in Y, Cb and Cr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Cmyk {
    /// It goes through pixels: decoded, made RGB, encoded as a JPEG again, and the tensor is that one's. Whoever walks the
    /// files does so and says so with the output; [`Extractor`](crate::Extractor) itself refuses the file.
    #[default]
    Reencode,
    /// It is refused.
    Refuse,
}

/// Axis order of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// (channels, block rows, block columns).
    #[default]
    Chw,
    /// (block rows, block columns, channels).
    Hwc,
    /// (block rows, block columns, 8, 8): vertical, then horizontal frequency. For `planes` and `quantised` only.
    Blocks,
}

/// The description of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Recipe {
    /// The preset it started from, or any name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Channels on one grid, or planes.
    pub kind: Kind,
    /// Wanted frequencies (kind `channels`).
    pub channels: ChannelSet,
    /// Chroma upsampling (kind `channels`).
    pub chroma: Chroma,
    /// Samples beyond the image in partial blocks (kind `channels`). With a step in `geometry` they are never read:
    /// whatever is stated here, it is as `replicate`.
    pub edge: Edge,
    /// Images in CMYK or YCCK (kind `channels`; the others take the four planes as they are).
    pub cmyk: Cmyk,
    /// Of progressive images the refinement scans are left out, whose low bits the coefficients then lack: an approximation
    /// that costs a fraction of the time. Other images are as they are.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_refinement: bool,
    /// Spatial steps (kind `channels`, with chroma upsampled).
    #[serde(skip_serializing_if = "is_default")]
    pub geometry: Geometry,
    /// Brightness, colour, detail and cutouts (kind `channels`).
    #[serde(skip_serializing_if = "is_default")]
    pub photometric: Photometric,
    /// Normalisation (kind `channels`).
    pub normalize: Normalize,
    /// Element type. Kind `quantised` is always i16.
    pub dtype: Dtype,
    /// Axis order.
    pub layout: Layout,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for ChannelSet {
    /// DCTNet's 24.
    fn default() -> Self {
        ChannelSet::dctnet(24).expect("24 is one of the published counts; a test makes it")
    }
}

/// Why a recipe is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Neither a preset nor a readable file.
    #[error("no recipe is named {name:?}; presets: {presets}")]
    UnknownPreset {
        /// The name asked for.
        name: String,
        /// The names there are.
        presets: String,
    },
    /// A file that cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// Its path.
        path: String,
        /// The reason.
        reason: String,
    },
    /// Text that is no recipe.
    #[error("not a recipe: {0}")]
    Parse(String),
    /// A channel index above 63, or twice in one component, or a count above 64.
    #[error("channel {0} is above 63 or listed twice")]
    Channel(u64),
    /// Text that is no channel set.
    #[error("{0:?} is no channel set: 6, 24, 32, 48, 64, 192, zigzag:Y,CB,CR, y:0-3,8;cb:0;cr:0 or @FILE")]
    ChannelText(String),
    /// A channel set without channels.
    #[error("a channel set needs a channel")]
    NoChannels,
    /// A field that does not exist.
    #[error("recipes have no field {0:?}")]
    UnknownField(String),
    /// A value the field does not take.
    #[error("{value:?} is no value of {field}")]
    Value {
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// Statistics that fit neither 192 nor the recipe's channels, or hold a bad number.
    #[error("statistics of {found} channels; needed are 192 or {channels}")]
    StatisticsLength {
        /// Values found.
        found: usize,
        /// Channels of the recipe.
        channels: usize,
    },
    /// A mean or standard deviation that is no finite number, or a standard deviation of zero or less.
    #[error("channel {0} has a mean or standard deviation that cannot be used")]
    StatisticsValue(usize),
    /// Two fields that exclude each other.
    #[error("{0} does not go with {1}")]
    Conflict(&'static str, &'static str),
}

impl Recipe {
    /// A preset by name, `None` if there is none.
    pub fn preset(name: &str) -> Option<Recipe> {
        presets::preset(name)
    }

    /// The names of all presets.
    pub fn preset_names() -> Vec<String> {
        presets::names()
    }

    /// A preset, or the recipe in a `.toml` or `.json` file.
    ///
    /// # Errors
    /// Neither a preset nor a readable file with a valid recipe.
    pub fn load(name_or_path: &str) -> Result<Recipe, RecipeError> {
        if let Some(recipe) = Recipe::preset(name_or_path) {
            return Ok(recipe);
        }
        let json = name_or_path.ends_with(".json");
        if !json && !name_or_path.ends_with(".toml") {
            return Err(RecipeError::UnknownPreset {
                name: name_or_path.into(),
                presets: Recipe::preset_names().join(", "),
            });
        }
        let text = std::fs::read_to_string(name_or_path)
            .map_err(|error| RecipeError::File { path: name_or_path.into(), reason: error.to_string() })?;
        if json { Recipe::from_json(&text) } else { Recipe::from_toml(&text) }
    }

    /// A recipe from TOML; missing fields have their defaults.
    ///
    /// # Errors
    /// Bad TOML, unknown fields, or a recipe that is not valid.
    pub fn from_toml(text: &str) -> Result<Recipe, RecipeError> {
        let recipe: Recipe = toml::from_str(text).map_err(|error| RecipeError::Parse(error.to_string()))?;
        recipe.validate().map(|()| recipe)
    }

    /// A recipe from JSON; missing fields have their defaults.
    ///
    /// # Errors
    /// As [`Recipe::from_toml`].
    pub fn from_json(text: &str) -> Result<Recipe, RecipeError> {
        let recipe: Recipe = serde_json::from_str(text).map_err(|error| RecipeError::Parse(error.to_string()))?;
        recipe.validate().map(|()| recipe)
    }

    /// The recipe as JSON on one line, fields in fixed order: the form that is stored and hashed.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a recipe is strings, numbers and lists only")
    }

    /// Fingerprint of what the recipe does (its name left out): FNV-1a 64 of [`Recipe::to_json`], 16 hex digits.
    pub fn hash(&self) -> String {
        let nameless = Recipe { name: None, ..self.clone() };
        format!("{:016x}", fnv1a(nameless.to_json().as_bytes()))
    }

    /// Sets one field from text, as the command's flags do: `channels`, `chroma`, `edge`, `cmyk`, `dtype`, `layout`,
    /// `normalize`, `orient` and `skip-refinement` (`on` or `off`).
    ///
    /// # Errors
    /// An unknown field or a value it does not take. The whole is checked by [`Recipe::validate`].
    pub fn set(&mut self, field: &str, value: &str) -> Result<(), RecipeError> {
        match field {
            "channels" => self.channels = value.parse()?,
            "chroma" => self.chroma = from_word("chroma", value)?,
            "edge" => self.edge = from_word("edge", value)?,
            "cmyk" => self.cmyk = from_word("cmyk", value)?,
            "dtype" => self.dtype = from_word("dtype", value)?,
            "layout" => self.layout = from_word("layout", value)?,
            "normalize" => self.normalize = Normalize::load(value)?,
            "orient" => self.geometry.orient = from_switch("orient", value)?,
            "skip-refinement" => self.skip_refinement = from_switch("skip-refinement", value)?,
            _ => return Err(RecipeError::UnknownField(field.into())),
        }
        Ok(())
    }

    /// The shape of the tensor, if all images give one: kind `channels`, and a geometry that ends in one size.
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        // Long, high, small and large images, and one turned by its orientation.
        let images = [(1, 1, 1), (4000, 30, 1), (30, 4000, 1), (500, 375, 6), (3001, 2003, 1)];
        let size = |&(width, height, orientation)| {
            let steps = self.geometry.steps(width, height, orientation, "", &Limits::default()).ok()?;
            Some((steps.width.div_ceil(8) as usize, steps.height.div_ceil(8) as usize, steps.width, steps.height))
        };
        let mut sizes = images.iter().map(size);
        let first = sizes.next().flatten()?;
        let (wide, high, ..) = first;
        match self.layout {
            _ if self.kind != Kind::Channels || !sizes.all(|size| size == Some(first)) => None,
            Layout::Chw => Some(vec![self.channels.len(), high, wide]),
            Layout::Hwc => Some(vec![high, wide, self.channels.len()]),
            Layout::Blocks => None,
        }
    }

    /// Whether a tensor depends on the image's key: there are steps or changes that are drawn for each image.
    pub fn is_random(&self) -> bool {
        let Photometric {
            brightness, contrast, saturation, grayscale, chroma_drop, frequency_enhancement, cutout, ..
        } = self.photometric;
        let is_range = |range: Option<[f64; 2]>| range.is_some_and(|[least, greatest]| least < greatest);
        self.geometry.random_resized_crop.is_some()
            || [self.geometry.flip, grayscale, chroma_drop].iter().any(Option::is_some)
            || [brightness, contrast, saturation, frequency_enhancement].into_iter().any(is_range)
            || cutout.is_some()
    }

    /// Checks that the fields fit each other.
    ///
    /// # Errors
    /// The first pair that does not.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.normalize.statistics_for(&self.channels)?;
        self.geometry.validate()?;
        self.photometric.validate()?;
        if !is_default(&self.photometric) && self.kind != Kind::Channels {
            return Err(RecipeError::Conflict("photometric", "kind planes or quantised"));
        }
        if self.geometry.is_some() && self.kind != Kind::Channels {
            return Err(RecipeError::Conflict("geometry", "kind planes or quantised"));
        }
        if self.geometry.is_some() && self.chroma == Chroma::None {
            return Err(RecipeError::Conflict("geometry", "chroma none"));
        }
        match self.kind {
            Kind::Channels if self.layout == Layout::Blocks => {
                Err(RecipeError::Conflict("layout blocks", "kind channels"))
            }
            Kind::Quantised if self.dtype != Dtype::I16 => {
                Err(RecipeError::Conflict("kind quantised", "a dtype other than i16"))
            }
            Kind::Planes | Kind::Quantised if self.normalize != Normalize::None => {
                Err(RecipeError::Conflict("normalisation", "kind planes or quantised"))
            }
            _ => Ok(()),
        }
    }
}

/// Parses a word through the type's serde names, so that flags and files take the same words.
fn from_word<T: serde::de::DeserializeOwned>(field: &'static str, value: &str) -> Result<T, RecipeError> {
    serde_json::from_value(serde_json::Value::String(value.into()))
        .map_err(|_| RecipeError::Value { field, value: value.into() })
}

/// Parses `on` or `off`.
fn from_switch(field: &'static str, value: &str) -> Result<bool, RecipeError> {
    match value {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(RecipeError::Value { field, value: value.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_survive_both_texts() {
        for name in Recipe::preset_names() {
            let recipe = Recipe::preset(&name).unwrap();
            recipe.validate().unwrap();
            assert_eq!(Recipe::from_json(&recipe.to_json()).unwrap(), recipe);
            assert_eq!(Recipe::from_toml(&toml::to_string(&recipe).unwrap()).unwrap(), recipe);
        }
    }

    #[test]
    fn the_hash_is_of_what_it_does() {
        let mut recipe = Recipe::preset("native-24").unwrap();
        let hash = recipe.hash();
        recipe.name = Some("mine".into());
        assert_eq!(recipe.hash(), hash);
        recipe.set("chroma", "replicate").unwrap();
        assert_ne!(recipe.hash(), hash);
        let hash = recipe.hash();
        recipe.set("skip-refinement", "on").unwrap();
        assert_ne!(recipe.hash(), hash);
        recipe.set("skip-refinement", "off").unwrap();
        assert_eq!(recipe.hash(), hash);
    }

    #[test]
    fn shapes_and_chance_are_known_beforehand() {
        let shape = |text: &str| Recipe::from_toml(text).unwrap().fixed_shape();
        assert_eq!(Recipe::preset("dctnet-24").unwrap().fixed_shape(), Some(vec![24, 56, 56]));
        assert_eq!(shape("layout = 'hwc'\ngeometry.resize.size = [100, 50]"), Some(vec![13, 7, 24]));
        for name in ["native-24", "planes", "quantised", "dctnet-detection-24"] {
            assert_eq!(Recipe::preset(name).unwrap().fixed_shape(), None, "{name}");
        }
        assert_eq!(shape("geometry.resize.short = 64"), None);
        for name in Recipe::preset_names() {
            assert!(!Recipe::preset(&name).unwrap().is_random());
        }
        let random = |text: &str| Recipe::from_toml(text).unwrap().is_random();
        assert!(random("geometry.flip = 0.5") && random("geometry.random_resized_crop.size = 64"));
        assert!(random("photometric.brightness = [0.5, 1]") && random("photometric.cutout.blocks = 1"));
        assert!(!random("photometric.contrast = [2, 2]") && !random("geometry.hflip = true"));
    }

    #[test]
    fn unfit_fields_are_refused() {
        assert!(matches!(Recipe::from_toml("colour = 1"), Err(RecipeError::Parse(_))));
        assert!(matches!(Recipe::from_toml("layout = 'blocks'"), Err(RecipeError::Conflict(..))));
        assert!(matches!(Recipe::from_toml("kind = 'quantised'"), Err(RecipeError::Conflict(..))));
        assert!(matches!(Recipe::load("native-25"), Err(RecipeError::UnknownPreset { .. })));
        let mut recipe = Recipe::default();
        assert!(matches!(recipe.set("dtype", "f64"), Err(RecipeError::Value { field: "dtype", .. })));
        assert!(matches!(recipe.set("size", "1"), Err(RecipeError::UnknownField(_))));
    }
}
