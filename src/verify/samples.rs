//! Sample planes in f64 and the steps applied to them.
//!
//! What enters: a plane of samples minus the level shift, neither rounded nor clamped. What leaves: the same after a
//! [`Step`], or its 8 x 8 blocks as frequencies. Every step is written as it is defined on samples; none knows that it
//! could be done on coefficients.

use super::dct;
use super::resample::Weights;
use crate::recipe::Chroma;
use crate::recipe::geometry::Filter;

/// Samples of one component, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplePlane {
    /// Columns, at least one.
    pub width: usize,
    /// Rows, at least one.
    pub height: usize,
    /// `width * height` samples.
    pub samples: Vec<f64>,
}

/// The scale of one axis: `numerator / denominator` output samples for one input sample, `length` output samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Scale {
    pub numerator: usize,
    pub denominator: usize,
    pub length: usize,
}

impl Scale {
    /// The same scale with the smallest numerator and denominator; both must be positive.
    #[must_use]
    pub fn lowest_terms(self) -> Scale {
        let divides = |d: &usize| self.numerator.is_multiple_of(*d) && self.denominator.is_multiple_of(*d);
        let common = (1..=self.denominator).rev().find(divides).unwrap_or(1);
        Scale { numerator: self.numerator / common, denominator: self.denominator / common, ..self }
    }
}

/// A step on samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Keeps the first columns and rows, as many as stated or as there are.
    Crop {
        /// Columns kept.
        width: usize,
        /// Rows kept.
        height: usize,
    },
    /// Repeats the last column and row up to the size stated.
    Extend {
        /// Columns afterwards.
        width: usize,
        /// Rows afterwards.
        height: usize,
    },
    /// Chroma upsampling. Both axes by one mode.
    Upsample {
        /// How; [`Chroma::None`] does nothing.
        chroma: Chroma,
        /// Horizontal scale.
        x: Scale,
        /// Vertical scale.
        y: Scale,
    },
    /// Rows and columns exchanged.
    Transpose,
    /// First and last column exchanged, and so on.
    FlipX,
    /// First and last row exchanged, and so on.
    FlipY,
    /// To a size.
    Resize {
        /// Columns afterwards.
        width: usize,
        /// Rows afterwards.
        height: usize,
        /// The interpolation.
        filter: Filter,
        /// Whether shrinking widens it.
        antialias: bool,
    },
    /// A window, which may reach outside the plane.
    Window {
        /// Its first column.
        x: i64,
        /// Its first row.
        y: i64,
        /// Its columns.
        width: usize,
        /// Its rows.
        height: usize,
        /// The level-shifted sample outside the plane; `None`: the nearest inside.
        outside: Option<i32>,
    },
    /// The mean of squares of this many samples a side; where the plane ends in one, its last samples are repeated.
    Average(usize),
}

impl Step {
    /// The plane after the step.
    pub fn apply(&self, plane: &SamplePlane) -> SamplePlane {
        match *self {
            Step::Crop { width, height } => {
                plane.resampled(width.min(plane.width), height.min(plane.height), |x, y| (x, y))
            }
            Step::Extend { width, height } => {
                let (right, bottom) = (plane.width - 1, plane.height - 1);
                plane.resampled(width, height, |x, y| (x.min(right), y.min(bottom)))
            }
            Step::Upsample { chroma: Chroma::None, .. } => plane.clone(),
            Step::Upsample { chroma, x, y } => plane
                .map_rows(|row| upsample(chroma, row, x))
                .transposed()
                .map_rows(|column| upsample(chroma, column, y))
                .transposed(),
            Step::Transpose => plane.transposed(),
            Step::FlipX => plane.resampled(plane.width, plane.height, |x, y| (plane.width - 1 - x, y)),
            Step::FlipY => plane.resampled(plane.width, plane.height, |x, y| (x, plane.height - 1 - y)),
            Step::Resize { width, height, filter, antialias } => {
                let columns = Weights::resize(plane.width, width, filter, antialias);
                let rows = Weights::resize(plane.height, height, filter, antialias);
                plane.map_rows(|row| columns.apply(row)).transposed().map_rows(|column| rows.apply(column)).transposed()
            }
            Step::Window { x, y, width, height, outside } => plane.window((x, y), (width, height), outside),
            Step::Average(side) => {
                let (width, height) = (plane.width.div_ceil(side), plane.height.div_ceil(side));
                let whole = Step::Extend { width: width * side, height: height * side }.apply(plane);
                let mean =
                    |line: &[f64]| line.chunks(side).map(|part| part.iter().sum::<f64>() / side as f64).collect();
                whole.map_rows(mean).transposed().map_rows(mean).transposed()
            }
        }
    }
}

impl SamplePlane {
    /// A plane whose sample (x, y) is the sample of this one that `source` names.
    fn resampled(&self, width: usize, height: usize, source: impl Fn(usize, usize) -> (usize, usize)) -> SamplePlane {
        let at = |x, y| {
            let (x, y) = source(x, y);
            self.samples[y * self.width + x]
        };
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
        SamplePlane { width, height, samples }
    }

    fn window(&self, (left, top): (i64, i64), (width, height): (usize, usize), outside: Option<i32>) -> SamplePlane {
        let (last_x, last_y) = (self.width as i64 - 1, self.height as i64 - 1);
        let sample = |x: i64, y: i64| match outside {
            Some(value) if !(0..=last_x).contains(&x) || !(0..=last_y).contains(&y) => value.into(),
            _ => self.samples[y.clamp(0, last_y) as usize * self.width + x.clamp(0, last_x) as usize],
        };
        let rows = top..top + height as i64;
        let samples = rows.flat_map(|y| (left..left + width as i64).map(move |x| (x, y))).map(|(x, y)| sample(x, y));
        SamplePlane { width, height, samples: samples.collect() }
    }

    /// Rows and columns exchanged.
    fn transposed(&self) -> SamplePlane {
        self.resampled(self.height, self.width, |x, y| (y, x))
    }

    /// Every row replaced; all to one length.
    fn map_rows(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> SamplePlane {
        let samples: Vec<f64> = self.samples.chunks_exact(self.width).flat_map(f).collect();
        SamplePlane { width: samples.len() / self.height, height: self.height, samples }
    }

    /// A plane from a grid of blocks of frequencies (row-major `8 * v + u`), block row by block row.
    pub fn from_blocks(blocks_wide: usize, blocks_high: usize, blocks: &[[f64; 64]]) -> SamplePlane {
        let (width, height) = (8 * blocks_wide, 8 * blocks_high);
        let mut samples = vec![0.0; width * height];
        for (b, block) in blocks.iter().enumerate() {
            let (top, left) = (b / blocks_wide * 8, b % blocks_wide * 8);
            for (y, row) in dct::inverse(block).chunks_exact(8).enumerate() {
                samples[(top + y) * width + left..][..8].copy_from_slice(row);
            }
        }
        SamplePlane { width, height, samples }
    }

    /// The frequencies of the plane's whole blocks, block row by block row. Samples right of and below them are left out.
    pub fn to_blocks(&self) -> Vec<[f64; 64]> {
        let mut blocks = Vec::with_capacity(self.width / 8 * (self.height / 8));
        for top in (0..self.height / 8).map(|b| 8 * b) {
            for left in (0..self.width / 8).map(|b| 8 * b) {
                let block = std::array::from_fn(|i| self.samples[(top + i / 8) * self.width + left + i % 8]);
                blocks.push(dct::forward(&block));
            }
        }
        blocks
    }

    /// Applies steps one after another.
    pub fn apply_steps(self, steps: &[Step]) -> SamplePlane {
        steps.iter().fold(self, |plane, step| step.apply(&plane))
    }
}

/// Upsamples one line.
fn upsample(chroma: Chroma, line: &[f64], scale: Scale) -> Vec<f64> {
    match chroma {
        Chroma::Triangle => triangle(line, scale),
        Chroma::Replicate => replicate(line, scale),
        Chroma::ZeroPad => zero_pad(line, scale),
        Chroma::None => line.to_vec(),
    }
}

/// Linear interpolation between sample centres: output o lies at input `(o + 1/2) / ratio - 1/2`. Positions beyond the
/// first and last sample take that sample.
fn triangle(line: &[f64], scale: Scale) -> Vec<f64> {
    let (p, q) = (scale.numerator as i64, scale.denominator as i64);
    let last = line.len() as i64 - 1;
    let at = |i: i64| line[i.clamp(0, last) as usize];
    let output = |o: i64| {
        // ((2o + 1) q - p) / 2p in whole numbers: no rounding can move the floor.
        let position = (2 * o + 1) * q - p;
        let (left, fraction) = (position.div_euclid(2 * p), position.rem_euclid(2 * p) as f64 / (2 * p) as f64);
        (1.0 - fraction) * at(left) + fraction * at(left + 1)
    };
    (0..scale.length as i64).map(output).collect()
}

/// Repeats samples: output o takes input `floor(o / ratio)`, at most the last.
fn replicate(line: &[f64], scale: Scale) -> Vec<f64> {
    let source = |o: usize| (o * scale.denominator / scale.numerator).min(line.len() - 1);
    (0..scale.length).map(|o| line[source(o)]).collect()
}

/// Spectral interpolation: every span of `8 * denominator` samples (one block at whole ratios, two at 3:2) is taken to
/// its spectrum, which is continued with zeros and brought back on `8 * numerator` samples. The factor `sqrt(ratio)`
/// keeps the mean. A span that the line ends in is completed by repeating the last sample.
fn zero_pad(line: &[f64], scale: Scale) -> Vec<f64> {
    let (span_in, span_out) = (8 * scale.denominator, 8 * scale.numerator);
    let (narrow, wide) = (dct::basis(span_in), dct::basis(span_out));
    let gain = (span_out as f64 / span_in as f64).sqrt();
    let mut out = Vec::with_capacity(scale.length + span_out);
    let mut start = 0;
    while out.len() < scale.length {
        let span: Vec<f64> = (start..start + span_in).map(|i| line[i.min(line.len() - 1)]).collect();
        let spectrum: Vec<f64> = narrow.iter().map(|row| row.iter().zip(&span).map(|(d, s)| d * s).sum()).collect();
        let sample = |o: usize| gain * spectrum.iter().zip(&wide).map(|(f, row)| f * row[o]).sum::<f64>();
        out.extend((0..span_out).map(sample));
        start += span_in;
    }
    out.truncate(scale.length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(numerator: usize, denominator: usize, length: usize) -> Scale {
        Scale { numerator, denominator, length }
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    }

    #[test]
    fn triangle_weights_by_hand() {
        // Ratio 2: outputs at -1/4, 1/4, 3/4, 5/4, 7/4, 9/4 of three samples.
        near(&triangle(&[8.0, 16.0, 4.0], scale(2, 1, 6)), &[8.0, 10.0, 14.0, 13.0, 7.0, 4.0]);
        // Ratio 3: -1/3, 0, 1/3, 2/3, 1, 4/3.
        near(&triangle(&[3.0, 9.0], scale(3, 1, 6)), &[3.0, 3.0, 5.0, 7.0, 9.0, 9.0]);
        // Ratio 4: -3/8, -1/8, 1/8, 3/8, 5/8, 7/8, 9/8.
        near(&triangle(&[0.0, 8.0], scale(4, 1, 7)), &[0.0, 0.0, 1.0, 3.0, 5.0, 7.0, 8.0]);
        // Ratio 3:2: -1/6, 1/2, 7/6.
        near(&triangle(&[0.0, 6.0, 12.0], scale(3, 2, 3)), &[0.0, 3.0, 7.0]);
    }

    #[test]
    fn replicate_by_hand() {
        near(&replicate(&[1.0, 2.0], scale(2, 1, 5)), &[1.0, 1.0, 2.0, 2.0, 2.0]);
        near(&replicate(&[1.0, 2.0, 3.0], scale(3, 2, 5)), &[1.0, 1.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn zero_pad_keeps_the_mean_and_stays_in_its_span() {
        let line: Vec<f64> = (0..16).map(|i| f64::from((i * i * 7) % 31)).collect();
        let mean = |s: &[f64]| s.iter().sum::<f64>() / s.len() as f64;
        let double = zero_pad(&line, scale(2, 1, 32));
        assert!((mean(&double[..16]) - mean(&line[..8])).abs() < 1e-12);
        let alone = zero_pad(&line[..8], scale(2, 1, 16));
        near(&double[..16], &alone);
        let thirds = zero_pad(&line, scale(3, 2, 24));
        assert!((mean(&thirds) - mean(&line)).abs() < 1e-12);
        // A cosine of the block is that cosine, sampled more finely.
        let cosine = |n: f64, x: usize| (3.0 * std::f64::consts::PI * (2 * x + 1) as f64 / (2.0 * n)).cos();
        let coarse: Vec<f64> = (0..8).map(|x| cosine(8.0, x)).collect();
        let fine: Vec<f64> = (0..32).map(|x| cosine(32.0, x)).collect();
        near(&zero_pad(&coarse, scale(4, 1, 32)), &fine);
        // Three samples of eight: the last is repeated.
        near(&zero_pad(&[4.0; 3], scale(2, 1, 6)), &[4.0; 6]);
    }

    #[test]
    fn steps_move_samples_where_they_say() {
        let plane = SamplePlane { width: 3, height: 2, samples: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let cropped = plane.clone().apply_steps(&[Step::Crop { width: 2, height: 9 }]);
        assert_eq!((cropped.width, cropped.height), (2, 2));
        let extended = cropped.apply_steps(&[Step::Extend { width: 3, height: 3 }]);
        assert_eq!(extended.samples, [1.0, 2.0, 2.0, 4.0, 5.0, 5.0, 4.0, 5.0, 5.0]);
        let step = Step::Upsample { chroma: Chroma::Replicate, x: scale(1, 1, 3), y: scale(2, 1, 4) };
        assert_eq!(
            step.apply(&plane).samples,
            [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 4.0, 5.0, 6.0],
            "rows are doubled, columns are not"
        );
    }

    #[test]
    fn windows_turns_and_means_by_hand() {
        let plane = SamplePlane { width: 3, height: 2, samples: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        assert_eq!(Step::Transpose.apply(&plane).samples, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(Step::FlipX.apply(&plane).samples, [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(Step::FlipY.apply(&plane).samples, [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
        let window = |outside| Step::Window { x: 2, y: -1, width: 2, height: 2, outside }.apply(&plane).samples;
        assert_eq!(window(Some(-9)), [-9.0, -9.0, 3.0, -9.0]);
        assert_eq!(window(None), [3.0; 4]);
        let mean = Step::Average(2).apply(&plane);
        assert_eq!((mean.width, mean.height, mean.samples), (2, 1, vec![3.0, 4.5]));
    }

    #[test]
    fn blocks_and_samples_are_inverse() {
        let blocks: Vec<[f64; 64]> =
            (0..6).map(|b| std::array::from_fn(|i| ((b * 64 + i) * 29 % 97) as f64 - 40.0)).collect();
        let plane = SamplePlane::from_blocks(3, 2, &blocks);
        assert_eq!((plane.width, plane.height), (24, 16));
        for (a, b) in plane.to_blocks().iter().zip(&blocks) {
            near(a, b);
        }
    }
}
