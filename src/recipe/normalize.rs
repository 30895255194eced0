//! Normalisation: per-channel mean and standard deviation.

use serde::{Deserialize, Serialize};

use super::{ChannelSet, RecipeError, dctnet};

/// Per-channel statistics, either of all 192 channels (index c for Y, 64 + c for Cb, 128 + c for Cr) or of a recipe's own
/// channels in tensor order. Units are those of dequantised coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Statistics {
    /// Means.
    pub mean: Vec<f64>,
    /// Standard deviations, positive.
    pub std: Vec<f64>,
}

/// How a tensor is normalised: every value becomes `(value - mean) / std`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Plain dequantised coefficients.
    #[default]
    None,
    /// DCTNet's published figures for classification.
    Dctnet,
    /// DCTNet's published figures for detection.
    DctnetDetection,
    /// These figures; the recipe carries them.
    Statistics(Statistics),
}

impl Normalize {
    /// `none`, `dctnet`, `dctnet-detection`, or the path of a JSON or TOML file with `mean` and `std`.
    ///
    /// # Errors
    /// A file that cannot be read or holds no statistics.
    pub fn load(text: &str) -> Result<Normalize, RecipeError> {
        match text {
            "none" => return Ok(Normalize::None),
            "dctnet" => return Ok(Normalize::Dctnet),
            "dctnet-detection" => return Ok(Normalize::DctnetDetection),
            _ => {}
        }
        let file = |reason: String| RecipeError::File { path: text.into(), reason };
        let content = std::fs::read_to_string(text).map_err(|error| file(error.to_string()))?;
        let statistics = if text.ends_with(".toml") {
            toml::from_str(&content).map_err(|error| error.to_string())
        } else {
            serde_json::from_str(&content).map_err(|error| error.to_string())
        };
        statistics.map(Normalize::Statistics).map_err(file)
    }

    /// Mean and standard deviation of each channel of a set, in tensor order; `None` without normalisation.
    ///
    /// # Errors
    /// Statistics of another length than 192 or the set's, or numbers that cannot be divided by.
    pub fn statistics_for(&self, channels: &ChannelSet) -> Result<Option<Vec<(f64, f64)>>, RecipeError> {
        let statistics = match self {
            Normalize::None => return Ok(None),
            Normalize::Dctnet => &dctnet::constants().classification,
            Normalize::DctnetDetection => &dctnet::constants().detection,
            Normalize::Statistics(statistics) => statistics,
        };
        let found = statistics.mean.len();
        if statistics.std.len() != found || (found != 192 && found != channels.len()) {
            return Err(RecipeError::StatisticsLength { found, channels: channels.len() });
        }
        let indices: Vec<usize> = if found == 192 { channels.indices().collect() } else { (0..found).collect() };
        let pairs: Vec<_> = indices.iter().map(|&i| (statistics.mean[i], statistics.std[i])).collect();
        match pairs.iter().position(|(mean, std)| !mean.is_finite() || !std.is_finite() || *std <= 0.0) {
            Some(bad) => Err(RecipeError::StatisticsValue(bad)),
            None => Ok(Some(pairs)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_own_statistics() {
        let set: ChannelSet = "y:0,9;cr:1".parse().unwrap();
        let all = Statistics { mean: (0..192).map(f64::from).collect(), std: vec![2.0; 192] };
        let pairs = Normalize::Statistics(all).statistics_for(&set).unwrap().unwrap();
        assert_eq!(pairs, [(0.0, 2.0), (9.0, 2.0), (129.0, 2.0)]);
        let own = Statistics { mean: vec![1.0, 2.0, 3.0], std: vec![1.0; 3] };
        assert_eq!(Normalize::Statistics(own).statistics_for(&set).unwrap().unwrap()[1], (2.0, 1.0));
    }

    #[test]
    fn unusable_statistics() {
        let set = ChannelSet::default();
        let of = |mean: Vec<f64>, std: Vec<f64>| Normalize::Statistics(Statistics { mean, std }).statistics_for(&set);
        assert!(matches!(
            of(vec![0.0; 5], vec![1.0; 5]),
            Err(RecipeError::StatisticsLength { found: 5, channels: 24 })
        ));
        assert_eq!(of(vec![0.0; 24], vec![0.0; 24]), Err(RecipeError::StatisticsValue(0)));
        assert_eq!(of(vec![f64::NAN; 24], vec![1.0; 24]), Err(RecipeError::StatisticsValue(0)));
    }
}
