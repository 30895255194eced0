//! Wing: checks tensors against the samples they stand for.
//!
//! What enters: the bytes of a JPEG and a recipe. What leaves: how far the tensor that the crate makes of them is from
//! two others: [mod@reference], the same linear mathematics done on samples in f64, where a difference is a fault; and
//! [`real`], the path over decoded 8-bit pixels, where the difference is that path's rounding. No tensor is ever made
//! here for use, no file is read and nothing is re-encoded; files that are not JPEG are an error.
//!
//! Figures are in units of dequantised coefficients whatever the normalisation: a tensor's values are multiplied by the
//! standard deviations and the means are added before anything is compared, so one tolerance serves all channels and
//! recipes. What the element type rounds off (f16, i16) is taken off a difference before it is judged, and values it
//! cannot hold are expected at the nearest one it can.

mod compare;
#[cfg(feature = "corpus")]
mod corpus;
mod dct;
pub mod real;
pub mod reference;
mod resample;
pub mod samples;
mod steps;
mod summary;

use serde::Serialize;

use crate::coefficients::{Coefficients, Plane};
use crate::error::Error;
use crate::extractor::{ExtractScratch, Extractor};
use crate::recipe::{Kind, Layout, Recipe, RecipeError};
use crate::scans::{DecodeOptions, Scratch};
use crate::tensor::{Tensor, Values};

pub use compare::{Difference, Sums};
#[cfg(feature = "corpus")]
pub use corpus::{ImageLine, Refusal, SummaryLine, verify_all};
pub use summary::{Spread, Summary};

use compare::{rounding, saturate, to_f64};
use real::{Real, Unavailable};
use reference::Expected;

/// The largest difference that passes where no other tolerance is given, for coefficients of 8-bit photographs.
///
/// f32 arithmetic on values up to 1024 leaves errors of a few 1e-4; a wrong weight or a misplaced sample leaves errors
/// of 1 and more.
pub const DEFAULT_TOLERANCE: f64 = 2e-3;

/// The range of an 8-bit image's coefficients: 8 * 128. Beyond it, rounding errors grow with the values.
const RANGE: f64 = 1024.0;

/// Compares tensors of one recipe.
#[derive(Debug)]
pub struct Verifier {
    extractor: Extractor,
    recipe: Recipe,
    options: DecodeOptions,
}

/// Buffers used by one image after another.
#[derive(Debug, Default)]
pub struct VerifyScratch {
    extract: ExtractScratch,
    decode: Scratch,
}

/// What was found for one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageReport {
    /// Each tensor against the reference.
    pub tensors: Vec<TensorReport>,
    /// All tensors together.
    pub exact: Difference,
    /// What tolerances are multiplied by for this image: its largest dequantised coefficient, in the file or
    /// in a tensor, over 1024, at least 1.
    pub scale: f64,
    /// Values that the element type could not hold, as the extractor counted them.
    pub saturated: u64,
    /// The distance to the pixel path.
    pub real: Option<Real>,
    /// Why there is none.
    pub real_unavailable: Option<Unavailable>,
}

impl ImageReport {
    /// The figure that a tolerance is compared with: the largest difference beyond the element type's rounding, divided
    /// by [`ImageReport::scale`]; infinite if a value is not finite.
    pub fn excess(&self) -> f64 {
        if self.exact.non_finite > 0 { f64::INFINITY } else { self.exact.max_excess / self.scale }
    }
}

/// One tensor against the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorReport {
    /// The tensor's name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its distance from the reference.
    pub difference: Difference,
}

/// Why an image could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file gives no tensor.
    #[error(transparent)]
    Decode(#[from] Error),
    /// A tensor has another shape than the reference.
    #[error("tensor {name:?} has shape {found:?}, expected is {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The reference's.
        expected: Vec<usize>,
    },
    /// There are more or fewer tensors than components.
    #[error("{found} tensors, expected are {expected}")]
    Count {
        /// Tensors found.
        found: usize,
        /// Tensors expected.
        expected: usize,
    },
}

impl Verifier {
    /// A verifier of a recipe.
    ///
    /// # Errors
    /// A recipe that is not valid.
    pub fn new(recipe: Recipe, options: DecodeOptions) -> Result<Verifier, RecipeError> {
        Ok(Verifier { extractor: Extractor::new(recipe.clone(), options)?, recipe, options })
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Makes the tensors of an image and compares them. `key` is the image's name, as for [`Extractor::extract`].
    ///
    /// # Errors
    /// [`VerifyError::Decode`] where the extractor refuses the file, the others where tensor and reference cannot be
    /// compared at all.
    pub fn verify(&self, bytes: &[u8], key: &str, scratch: &mut VerifyScratch) -> Result<ImageReport, VerifyError> {
        let extraction = self.extractor.extract(bytes, key, &mut scratch.extract)?;
        let coefficients = Coefficients::decode_with(bytes, &self.options, &mut scratch.decode)?;
        let (tables, tensors): (Vec<&Tensor>, Vec<&Tensor>) =
            extraction.tensors.iter().partition(|tensor| matches!(tensor.values, Values::U16(_)));
        let expected = reference::expected(&coefficients, &self.recipe, key, &self.options.limits)?;
        if tensors.len() != expected.len() {
            return Err(VerifyError::Count { found: tensors.len(), expected: expected.len() });
        }
        let peak =
            expected.iter().flat_map(|tensor| &tensor.values).fold(0.0, |peak: f64, value| peak.max(value.abs()));
        let mut sums = Sums::default();
        let mut reports = Vec::new();
        let mut found = None;
        for (tensor, expected) in tensors.into_iter().zip(&expected) {
            let (values, difference) = self.compare(tensor, expected)?;
            reports.extend(report(tensor, difference));
            sums = sums.join(difference);
            found.get_or_insert(values);
        }
        if self.recipe.kind == Kind::Quantised {
            let (tensor, difference) = compare_tables(&tables, &coefficients.planes)?;
            reports.extend(report(tensor, difference));
            sums = sums.join(difference);
        }
        let real = match found {
            Some(found) => real::compare(bytes, &coefficients.info, &self.recipe, key, &found),
            None => Err(Unavailable::Kind),
        };
        Ok(ImageReport {
            tensors: reports,
            exact: sums.difference().ok_or(VerifyError::Count { found: 0, expected: 1 })?,
            scale: (peak.max(reference::peak(&coefficients)) / RANGE).max(1.0),
            saturated: extraction.saturated,
            real_unavailable: real.as_ref().err().cloned(),
            real: real.ok(),
        })
    }

    /// A tensor's values in units of coefficients, and their differences from what is expected.
    fn compare(&self, tensor: &Tensor, expected: &Expected) -> Result<(Expected, Sums), VerifyError> {
        let (c, h, w) = (expected.channels, expected.blocks_high, expected.blocks_wide);
        let shape = match self.recipe.layout {
            Layout::Chw => vec![c, h, w],
            Layout::Hwc => vec![h, w, c],
            Layout::Blocks => vec![h, w, 8, 8],
        };
        if tensor.shape != shape || tensor.values.len() != expected.values.len() {
            let (name, found) = (tensor.name.clone(), tensor.shape.clone());
            return Err(VerifyError::Shape { name, found, expected: shape });
        }
        let stored = to_f64(&tensor.values);
        // Bad statistics make no extractor, and so no verifier.
        let statistics = self.recipe.normalize.statistics_for(&self.recipe.channels).ok().flatten();
        let mut found = Expected { values: Vec::with_capacity(stored.len()), ..*expected };
        let mut sums = Sums::default();
        for channel in 0..c {
            let (mean, std) = statistics.as_ref().map_or((0.0, 1.0), |pairs| pairs[channel]);
            for block in 0..h * w {
                let place = match self.recipe.layout {
                    Layout::Chw => channel * h * w + block,
                    Layout::Hwc | Layout::Blocks => block * c + channel,
                };
                let value = stored[place] * std + mean;
                let ideal = (expected.values[channel * h * w + block] - mean) / std;
                let expected = saturate(&tensor.values, ideal) * std + mean;
                sums.add(expected, value, rounding(&tensor.values, ideal) * std);
                found.values.push(value);
            }
        }
        Ok((found, sums))
    }
}

fn report(tensor: &Tensor, sums: Sums) -> Option<TensorReport> {
    let difference = sums.difference()?;
    Some(TensorReport { name: tensor.name.clone(), shape: tensor.shape.clone(), difference })
}

/// The tensor `quant_tables`, (components, 8, 8), against the tables of the file; zeros stand for a table that was never
/// defined.
fn compare_tables<'a>(tables: &[&'a Tensor], planes: &[Plane]) -> Result<(&'a Tensor, Sums), VerifyError> {
    let &[tensor] = tables else { return Err(VerifyError::Count { found: tables.len(), expected: 1 }) };
    let shape = vec![planes.len(), 8, 8];
    if tensor.shape != shape || tensor.values.len() != 64 * planes.len() {
        let (name, found) = (tensor.name.clone(), tensor.shape.clone());
        return Err(VerifyError::Shape { name, found, expected: shape });
    }
    let expected = planes.iter().flat_map(|plane| plane.quant_table.map_or([0; 64], |table| table.row_major()));
    let mut sums = Sums::default();
    for (expected, found) in expected.zip(to_f64(&tensor.values)) {
        sums.add(f64::from(expected), found, 0.0);
    }
    Ok((tensor, sums))
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    /// Three channels on a grid of 2 x 2 blocks, normalised by (value - 100) / 50, (value + 1) / 0.25 and value / 2.
    fn verifier(layout: &str) -> Verifier {
        let text =
            r#"{"channels": "y:0,1;cb:0", "normalize": {"statistics": {"mean": [100, -1, 0], "std": [50, 0.25, 2]}}}"#;
        let mut recipe = Recipe::from_json(text).unwrap();
        recipe.set("layout", layout).unwrap();
        Verifier::new(recipe, DecodeOptions::default()).unwrap()
    }

    fn expected() -> Expected {
        let values = (0..12).map(|i| f64::from(i * i) * 8.5 - 300.0).collect();
        Expected { channels: 3, blocks_high: 2, blocks_wide: 2, values }
    }

    /// The tensor that is expected, in C, H, W, its values changed by `change`.
    fn stored(change: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let scale = |i: usize, value: f64| (value - [100.0, -1.0, 0.0][i / 4]) / [50.0, 0.25, 2.0][i / 4];
        expected().values.iter().enumerate().map(|(i, &value)| change(i, scale(i, value))).collect()
    }

    fn compare(layout: &str, shape: &[usize], values: Values) -> Result<Difference, VerifyError> {
        let tensor = Tensor { name: String::new(), shape: shape.to_vec(), values };
        verifier(layout).compare(&tensor, &expected()).map(|(_, sums)| sums.difference().unwrap())
    }

    fn f32s(values: Vec<f64>) -> Values {
        Values::F32(values.into_iter().map(|value| value as f32).collect())
    }

    #[test]
    fn differences_are_in_units_of_coefficients() {
        let right = compare("chw", &[3, 2, 2], f32s(stored(|_, value| value))).unwrap();
        assert!(right.max_excess < 1e-9, "only f32's rounding is left: {right:?}");
        // One value of the channel whose standard deviation is 50, one hundredth of it off.
        let wrong = compare("chw", &[3, 2, 2], f32s(stored(|i, v| if i == 2 { v + 0.01 } else { v }))).unwrap();
        assert!((wrong.max - 0.5).abs() < 1e-4, "{wrong:?}");
        // The channel whose standard deviation is a quarter.
        let wrong = compare("chw", &[3, 2, 2], f32s(stored(|i, v| if i == 5 { v + 0.01 } else { v }))).unwrap();
        assert!((wrong.max - 0.0025).abs() < 1e-3, "{wrong:?}");
    }

    #[test]
    fn layouts_are_told_apart() {
        let chw = stored(|_, value| value);
        let hwc = (0..12).map(|place| chw[place % 3 * 4 + place / 3]).collect();
        assert!(compare("hwc", &[2, 2, 3], f32s(hwc)).unwrap().max_excess < 1e-9);
        assert!(compare("hwc", &[2, 2, 3], f32s(chw.clone())).unwrap().max > 1.0);
        assert!(matches!(compare("hwc", &[3, 2, 2], f32s(chw)), Err(VerifyError::Shape { .. })));
    }

    #[test]
    fn the_rounding_of_narrow_types_is_no_fault() {
        let f16s = |change: fn(usize, f64) -> f64| Values::F16(stored(change).into_iter().map(f16::from_f64).collect());
        let right = compare("chw", &[3, 2, 2], f16s(|_, value| value)).unwrap();
        assert!(right.max > 1e-2 && right.max_excess < 1e-9, "{right:?}");
        let wrong = compare("chw", &[3, 2, 2], f16s(|i, v| if i == 11 { v * 1.01 } else { v })).unwrap();
        assert!(wrong.max_excess > 1.0, "{wrong:?}");
        let i16s = |offset: f64| {
            Values::I16(stored(|_, value| value + offset).into_iter().map(|value| value.round() as i16).collect())
        };
        assert!(compare("chw", &[3, 2, 2], i16s(0.0)).unwrap().max_excess < 1e-9);
        assert!(compare("chw", &[3, 2, 2], i16s(1.0)).unwrap().max_excess > 1.0);
    }

    #[test]
    fn excess_is_measured_by_the_image() {
        let mut sums = Sums::default();
        sums.add(0.0, 4.0, 1.0);
        let exact = sums.difference().unwrap();
        let report = |exact| ImageReport {
            tensors: Vec::new(),
            exact,
            scale: 2.0,
            saturated: 0,
            real: None,
            real_unavailable: Some(Unavailable::Kind),
        };
        assert_eq!(report(exact).excess(), 1.5);
        assert_eq!(report(Difference { non_finite: 1, ..exact }).excess(), f64::INFINITY);
    }
}
