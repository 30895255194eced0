//! Moments of one channel, of one image and of many.

use serde::{Deserialize, Serialize};

use crate::tensor::{Tensor, Values};

/// Where the bins of histograms meet: powers of two from 1/2 to 2048, and their negatives. 27 bins.
pub const HISTOGRAM_EDGES: [f64; 26] = [
    -2048.0, -1024.0, -512.0, -256.0, -128.0, -64.0, -32.0, -16.0, -8.0, -4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0,
    8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0,
];

/// Bins of a histogram.
const BINS: usize = HISTOGRAM_EDGES.len() + 1;

/// The bin of a value: at its middle, whatever is below 1/2 in magnitude; then one for each power of two.
fn bin(value: f32) -> usize {
    // The exponent as stored; that of 1/2 is 126.
    let exponent = (value.to_bits() >> 23 & 0xff) as i32;
    let from_middle = (exponent - 125).clamp(0, BINS as i32 / 2) as usize;
    if value < 0.0 { BINS / 2 - from_middle } else { BINS / 2 + from_middle }
}

/// Number, mean and sum of squared differences from the mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of (value - mean)^2.
    pub m2: f64,
}

impl Moments {
    fn of(values: &[f32]) -> Moments {
        let count = values.len() as u64;
        if count == 0 {
            return Moments::default();
        }
        let mean = sum(values, f64::from) / count as f64;
        // The second sum is what rounding left of the mean.
        let rest = sum(values, |value| f64::from(value) - mean) / count as f64;
        let mean = mean + rest;
        let m2 = sum(values, |value| {
            let difference = f64::from(value) - mean;
            difference * difference
        });
        Moments { count, mean, m2 }
    }

    fn one(value: f64) -> Moments {
        Moments { count: 1, mean: value, m2: 0.0 }
    }

    fn merge(&mut self, other: &Moments) {
        let count = self.count + other.count;
        if count == 0 {
            return;
        }
        let difference = other.mean - self.mean;
        let share = other.count as f64 / count as f64;
        self.mean += difference * share;
        self.m2 += other.m2 + difference * difference * share * self.count as f64;
        self.count = count;
    }

    /// Of a population.
    pub fn variance(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.m2 / self.count as f64 }
    }

    /// Mean of the squares.
    pub fn energy(&self) -> f64 {
        self.variance() + self.mean * self.mean
    }
}

/// A sum in 64 bits, in an order of its own that does not depend on the machine: eight sums side by side.
fn sum(values: &[f32], term: impl Fn(f32) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&value| term(value)).sum();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += term(value);
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// One channel of one image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImageChannel {
    moments: Moments,
    min: f32,
    max: f32,
    zeros: u64,
    histogram: [u32; BINS],
}

/// One image, reduced to the moments of its channels.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageMoments(Vec<ImageChannel>);

impl ImageMoments {
    /// Of a tensor (C, H, W) in f32, `None` for any other.
    pub fn of(tensor: &Tensor) -> Option<ImageMoments> {
        let (Values::F32(values), [channels, height, width]) = (&tensor.values, &tensor.shape[..]) else { return None };
        let plane = height * width;
        if plane == 0 || values.len() != channels * plane {
            return None;
        }
        let channel = |values: &[f32]| {
            let (mut min, mut max, mut zeros, mut histogram) = (f32::INFINITY, f32::NEG_INFINITY, 0, [0; BINS]);
            for &value in values {
                min = min.min(value);
                max = max.max(value);
                zeros += u64::from(value == 0.0);
                histogram[bin(value)] += 1;
            }
            ImageChannel { moments: Moments::of(values), min, max, zeros, histogram }
        };
        Some(ImageMoments(values.chunks_exact(plane).map(channel).collect()))
    }

    pub(super) fn channels(&self) -> &[ImageChannel] {
        &self.0
    }
}

/// One channel of a corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its place among all 192: c for Y, 64 + c for Cb, 128 + c for Cr, c = 8 v + u.
    pub channel: usize,
    /// Of all coefficients of all images.
    pub pooled: Moments,
    /// Of the images' means.
    pub of_means: Moments,
    /// Of the images' root mean squares.
    pub of_rms: Moments,
    /// Mean of the squares of all coefficients.
    pub energy: f64,
    /// The smallest coefficient.
    pub min: f64,
    /// The largest coefficient.
    pub max: f64,
    /// Coefficients that are exactly zero.
    pub zeros: u64,
    /// Their share, 0..=1.
    pub zero_share: f64,
    /// Coefficients in each bin.
    pub histogram: Vec<u64>,
}

impl Channel {
    pub(super) fn new(channel: usize) -> Channel {
        let none = Moments::default();
        Channel {
            channel,
            pooled: none,
            of_means: none,
            of_rms: none,
            energy: 0.0,
            // Finite, for JSON has no infinity; the first image replaces them.
            min: 0.0,
            max: 0.0,
            zeros: 0,
            zero_share: 0.0,
            histogram: vec![0; BINS],
        }
    }

    pub(super) fn add(&mut self, image: &ImageChannel) {
        self.range(image.min.into(), image.max.into(), image.moments.count);
        self.pooled.merge(&image.moments);
        self.of_means.merge(&Moments::one(image.moments.mean));
        self.of_rms.merge(&Moments::one(image.moments.energy().sqrt()));
        self.zeros += image.zeros;
        self.histogram.iter_mut().zip(image.histogram).for_each(|(sum, count)| *sum += u64::from(count));
    }

    pub(super) fn merge(&mut self, other: &Channel) {
        self.range(other.min, other.max, other.pooled.count);
        self.pooled.merge(&other.pooled);
        self.of_means.merge(&other.of_means);
        self.of_rms.merge(&other.of_rms);
        self.zeros += other.zeros;
        self.histogram.iter_mut().zip(&other.histogram).for_each(|(sum, count)| *sum += count);
    }

    /// Widens the range by that of `count` further coefficients.
    fn range(&mut self, min: f64, max: f64, count: u64) {
        match (self.pooled.count, count) {
            (_, 0) => {}
            (0, _) => (self.min, self.max) = (min, max),
            _ => (self.min, self.max) = (self.min.min(min), self.max.max(max)),
        }
    }

    pub(super) fn finish(&mut self) {
        self.energy = self.pooled.energy();
        self.zero_share = self.zeros as f64 / self.pooled.count.max(1) as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_meet_at_the_edges() {
        let by_edges = |value: f64| {
            HISTOGRAM_EDGES.iter().filter(|&&edge| if edge > 0.0 { value >= edge } else { value > edge }).count()
        };
        let mut values = vec![0.0f32, -0.0, 0.3, -0.3, 1e-30, -1e-30, 5000.0, -5000.0];
        for edge in HISTOGRAM_EDGES {
            values.extend([edge as f32, edge as f32 * 1.1, edge as f32 * 0.9]);
        }
        for value in values {
            assert_eq!(bin(value), by_edges(value.into()), "{value}");
        }
    }

    #[test]
    fn nothing_has_no_moments() {
        let mut none = Moments::of(&[]);
        none.merge(&Moments::default());
        assert_eq!((none.variance(), none.energy()), (0.0, 0.0));
        let tensor = Tensor { name: String::new(), shape: vec![1, 0, 3], values: Values::F32(vec![]) };
        assert!(ImageMoments::of(&tensor).is_none());
    }
}
