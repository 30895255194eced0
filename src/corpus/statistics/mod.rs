//! Statistics of the channels of a corpus.
//!
//! What enters: tensors of kind `channels`, f32, (C, H, W), not normalised. What leaves: [`Statistics`], which is data: it
//! is what `--normalize` takes, and two of them can be merged.
//!
//! Every image is reduced to its own moments in 64-bit floating point, in two passes; these are merged in input order
//! (Chan, Golub and LeVeque, 1979: means and sums of squared differences from the mean). So the result is the same, bit by
//! bit, for any number of threads, and up to rounding (1e-9 of the value, and less) for any split of the inputs.

mod gather;
mod moments;
mod rank;

use serde::{Deserialize, Serialize};

use super::manifest::Part;
use crate::recipe::{ChannelSet, Kind, Layout, Normalize, Recipe, RecipeError};
use crate::tensor::Dtype;

pub use gather::{Gathered, gather};
pub use moments::{Channel, HISTOGRAM_EDGES, ImageMoments};
pub use rank::{Proposal, Ranked, rank};

use moments::Moments;

/// What `mean` and `std` are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Definition {
    /// Of all coefficients of all images: what new training wants.
    #[default]
    Pooled,
    /// DCTNet's: mean over images of each image's mean, and standard deviation over images of each image's mean.
    Dctnet,
}

/// Statistics of a corpus. Lists have one element a channel, in tensor order; units are those of dequantised
/// coefficients. Variances are those of a population (divided by n).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Version of jpegdct.
    pub jpegdct_version: String,
    /// What `mean` and `std` are of.
    pub definition: Definition,
    /// Mean by that definition.
    pub mean: Vec<f64>,
    /// Standard deviation by that definition.
    pub std: Vec<f64>,
    /// The channels.
    pub channels: ChannelSet,
    /// Images.
    pub images: u64,
    /// Inputs that gave none.
    pub failed: u64,
    /// Inputs of all parts.
    pub inputs: u64,
    /// Fingerprint of their paths.
    pub inputs_hash: String,
    /// The parts of the inputs these are of, if not all.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<Part>,
    /// The recipe of the tensors.
    pub recipe: Recipe,
    /// Its fingerprint.
    pub recipe_hash: String,
    /// Where the bins of the histograms meet; the first and the last bin are open. A value on an edge is in the bin
    /// farther from zero.
    pub histogram_edges: Vec<f64>,
    /// Each channel.
    pub per_channel: Vec<Channel>,
}

/// The recipe whose tensors [`gather`] takes: not normalised, in f32 and (C, H, W).
///
/// # Errors
/// A recipe of whole planes has no channels.
pub fn recipe_for(mut recipe: Recipe) -> Result<Recipe, RecipeError> {
    if recipe.kind != Kind::Channels {
        return Err(RecipeError::Conflict("statistics of channels", "kind planes or quantised"));
    }
    recipe.normalize = Normalize::None;
    recipe.dtype = Dtype::F32;
    recipe.layout = Layout::Chw;
    Ok(recipe)
}

impl Statistics {
    /// Statistics of nothing yet.
    pub fn new(recipe: &Recipe, definition: Definition, inputs: u64, inputs_hash: String) -> Statistics {
        let channels = recipe.channels.clone();
        Statistics {
            jpegdct_version: env!("CARGO_PKG_VERSION").into(),
            definition,
            mean: vec![0.0; channels.len()],
            std: vec![0.0; channels.len()],
            images: 0,
            failed: 0,
            inputs,
            inputs_hash,
            parts: Vec::new(),
            recipe: recipe.clone(),
            recipe_hash: recipe.hash(),
            histogram_edges: HISTOGRAM_EDGES.to_vec(),
            per_channel: channels.indices().map(Channel::new).collect(),
            channels,
        }
    }

    /// Takes in one image.
    pub fn add(&mut self, image: &ImageMoments) {
        self.images += 1;
        for (channel, moments) in self.per_channel.iter_mut().zip(image.channels()) {
            channel.add(moments);
        }
    }

    /// Takes in the statistics of other images.
    ///
    /// # Errors
    /// What does not fit together, for people.
    pub fn merge(&mut self, other: &Statistics) -> Result<(), String> {
        let differs = [
            ("recipe", self.recipe_hash != other.recipe_hash),
            ("definition", self.definition != other.definition),
            ("bins of the histograms", self.histogram_edges != other.histogram_edges),
            ("number of channels", self.per_channel.len() != other.per_channel.len()),
        ];
        if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
            return Err(format!("the {what} is not the same"));
        }
        match (self.parts.is_empty(), other.parts.is_empty()) {
            // Whole inputs of their own.
            (true, true) => {
                // Of statistics that were merged before, each has its own.
                if self.inputs_hash.split('+').any(|own| other.inputs_hash.split('+').any(|hash| hash == own)) {
                    return Err("the inputs are the same: they would count twice".into());
                }
                self.inputs += other.inputs;
                self.inputs_hash = format!("{}+{}", self.inputs_hash, other.inputs_hash);
            }
            (false, false) => {
                if self.inputs_hash != other.inputs_hash {
                    return Err("the parts are of different inputs".into());
                }
                if other.parts.iter().any(|part| part.of != self.parts[0].of) {
                    return Err("the inputs were split into different numbers of parts".into());
                }
                if let Some(double) = other.parts.iter().find(|part| self.parts.contains(part)) {
                    return Err(format!("part {}/{} is there twice", double.index, double.of));
                }
                self.parts.extend(&other.parts);
            }
            _ => return Err("one is of a part of its inputs, the other of all".into()),
        }
        self.images += other.images;
        self.failed += other.failed;
        for (channel, other) in self.per_channel.iter_mut().zip(&other.per_channel) {
            channel.merge(other);
        }
        Ok(())
    }

    /// The first part that is missing.
    pub fn missing_part(&self) -> Option<Part> {
        let of = self.parts.first()?.of;
        (0..of).map(|index| Part { index, of }).find(|part| !self.parts.contains(part))
    }

    /// Fills in what is derived: `mean`, `std` and each channel's figures. Parts that are complete become the whole.
    pub fn finish(&mut self) {
        self.parts.sort_by_key(|part| part.index);
        if self.missing_part().is_none() {
            self.parts.clear();
        }
        for channel in &mut self.per_channel {
            channel.finish();
        }
        let of: fn(&Channel) -> &Moments = match self.definition {
            Definition::Pooled => |channel| &channel.pooled,
            Definition::Dctnet => |channel| &channel.of_means,
        };
        self.mean = self.per_channel.iter().map(|channel| of(channel).mean).collect();
        self.std = self.per_channel.iter().map(|channel| of(channel).variance().sqrt()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Tensor, Values};

    /// Images of unequal sizes whose values have a large mean: what a naive sum of squares gets wrong.
    fn images() -> Vec<Tensor> {
        let mut state = 1u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0
        };
        let mut image = |n: usize| {
            let shape = vec![2, 3, n];
            let half = 3 * n;
            let values = (0..2 * half).map(|i| if i < half { 1000.0 + random() } else { random() - 0.5 });
            Tensor { name: String::new(), shape, values: Values::F32(values.collect()) }
        };
        (1..40).map(|n| image(1 + n * 7 % 30)).collect()
    }

    fn empty(definition: Definition) -> Statistics {
        let mut recipe = Recipe::default();
        recipe.set("channels", "y:0,1").unwrap();
        Statistics::new(&recipe, definition, 39, "x".into())
    }

    fn of(images: &[Tensor], definition: Definition) -> Statistics {
        let mut statistics = empty(definition);
        images.iter().for_each(|image| statistics.add(&ImageMoments::of(image).unwrap()));
        statistics.finish();
        statistics
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs().max(1e-3)
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        let images = images();
        let statistics = of(&images, Definition::Pooled);
        let dctnet = of(&images, Definition::Dctnet);
        for c in 0..2 {
            let per_image: Vec<Vec<f64>> = images
                .iter()
                .map(|image| {
                    image.view_f32().unwrap().index_axis(ndarray::Axis(0), c).iter().map(|&v| v.into()).collect()
                })
                .collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let std = |values: &[f64]| {
                let m = mean(values);
                mean(&values.iter().map(|v| (v - m) * (v - m)).collect::<Vec<_>>()).sqrt()
            };
            let all = per_image.concat();
            let means: Vec<f64> = per_image.iter().map(|values| mean(values)).collect();
            assert!(close(statistics.mean[c], mean(&all)) && close(statistics.std[c], std(&all)));
            assert!(close(dctnet.mean[c], mean(&means)) && close(dctnet.std[c], std(&means)));
            let channel = &statistics.per_channel[c];
            assert_eq!(channel.min, all.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(channel.max, all.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            assert!(close(channel.energy, mean(&all.iter().map(|v| v * v).collect::<Vec<_>>())));
            assert_eq!(channel.histogram.iter().sum::<u64>(), all.len() as u64);
        }
        assert_eq!(statistics.images, 39);
    }

    #[test]
    fn any_split_gives_the_same() {
        let images = images();
        let whole = of(&images, Definition::Pooled);
        for of_parts in [2u64, 3, 7, 39] {
            let mut parts = (0..of_parts).map(|index| {
                let mut part = of(&images[crate::corpus::part_of(images.len(), index, of_parts)], Definition::Pooled);
                part.parts = vec![Part { index, of: of_parts }];
                // As it is stored.
                serde_json::from_str::<Statistics>(&serde_json::to_string(&part).unwrap()).unwrap()
            });
            let mut merged = parts.next().unwrap();
            assert_eq!(merged.missing_part().map(|part| part.index), Some(1));
            for part in parts {
                merged.merge(&part).unwrap();
                assert!(merged.merge(&part).unwrap_err().contains("twice"));
            }
            merged.finish();
            assert!(merged.parts.is_empty() && merged.images == 39);
            for c in 0..2 {
                assert!(close(merged.mean[c], whole.mean[c]) && close(merged.std[c], whole.std[c]), "{of_parts}");
                assert!(close(merged.per_channel[c].energy, whole.per_channel[c].energy));
                assert_eq!(merged.per_channel[c].histogram, whole.per_channel[c].histogram);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut a = empty(Definition::Pooled);
        assert!(a.merge(&empty(Definition::Dctnet)).unwrap_err().contains("definition"));
        assert!(a.merge(&empty(Definition::Pooled)).unwrap_err().contains("twice"));
        let of = |hash: &str, part: Option<Part>| {
            let inputs_hash = hash.into();
            Statistics { inputs_hash, parts: part.into_iter().collect(), ..empty(Definition::Pooled) }
        };
        a.merge(&of("y", None)).unwrap();
        for again in ["x", "y", "y+z"] {
            assert!(a.merge(&of(again, None)).unwrap_err().contains("twice"), "{again}");
        }
        let part = |index, of| Some(Part { index, of });
        let mut half = of("x", part(0, 2));
        assert!(half.merge(&of("x", part(1, 3))).unwrap_err().contains("different numbers"));
        half.merge(&of("x", part(1, 2))).unwrap();
    }
}
