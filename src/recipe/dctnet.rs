//! The figures published with DCTNet, carried as data (`dctnet.json`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Statistics;

/// Channel subsets and per-channel statistics of the paper's released models.
#[derive(Debug, Deserialize)]
pub struct Constants {
    /// Channel count -> frequencies.
    pub channel_sets: BTreeMap<String, Set>,
    /// For the classification models. Its `std` is the standard deviation across images of each image's mean, not of the
    /// coefficients: pretrained weights need it, new training wants pooled figures.
    pub classification: Statistics,
    /// For the detection models.
    pub detection: Statistics,
}

/// Row-major indices of one channel subset.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Set {
    pub y: Vec<u8>,
    pub cb: Vec<u8>,
    pub cr: Vec<u8>,
}

/// The constants, parsed once.
pub fn constants() -> &'static Constants {
    static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
        serde_json::from_str(include_str!("dctnet.json")).expect("the crate's own data file is valid; a test reads it")
    });
    &CONSTANTS
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_data_file_is_whole() {
        let constants = super::constants();
        for statistics in [&constants.classification, &constants.detection] {
            assert_eq!((statistics.mean.len(), statistics.std.len()), (192, 192));
            assert!(statistics.std.iter().all(|&s| s > 0.0));
        }
        assert_eq!(constants.channel_sets.len(), 5);
        assert_eq!(constants.classification.mean[0], -88.397);
    }
}
