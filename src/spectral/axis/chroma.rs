//! Chroma upsampling, from a component's own samples to the samples of the frame.
//!
//! What enters: the sampling factors of the component and of the frame (T.81 A.1.1) along one axis. What leaves: a map
//! for any ratio, 3:1, 4:1, 3:2 and 4:3 included. T.81 says nothing of how samples are centred; all three rules take
//! chroma as JFIF does, centred between the luma samples it stands for.

use super::map::{AxisMap, Rows};
use crate::spectral::dct;

/// How many output samples stand for one input sample: `num / den`, in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: u32,
    den: u32,
}

impl Ratio {
    /// No upsampling.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// The ratio of a component with sampling factor `h` in a frame whose largest is `h_max`, both 1..=4. A factor of 0,
    /// which no frame has, counts as 1.
    pub fn new(h_max: u8, h: u8) -> Ratio {
        let (num, den) = (u32::from(h_max.max(1)), u32::from(h.max(1)));
        let common = (1..=num.min(den)).rev().find(|d| num % d == 0 && den % d == 0).unwrap_or(1);
        Ratio { num: num / common, den: den / common }
    }

    /// Numerator in lowest terms.
    pub fn num(self) -> u32 {
        self.num
    }

    /// Input samples from one output sample to the next.
    pub(in crate::spectral) fn pace(self) -> f64 {
        f64::from(self.den) / f64::from(self.num)
    }

    /// Denominator in lowest terms.
    pub fn den(self) -> u32 {
        self.den
    }
}

impl AxisMap {
    /// Centred bilinear upsampling: output o lies at input `(o + 1/2) / ratio - 1/2`, border replicate.
    ///
    /// At ratio 2 the weights are 3/4 and 1/4, what libjpeg calls fancy upsampling. `n_out` is the frame's size, or any
    /// other: outputs beyond the last input repeat it.
    pub fn triangle(n_in: usize, n_out: usize, ratio: Ratio) -> AxisMap {
        let (num, den) = (i64::from(ratio.num), i64::from(ratio.den));
        let mut rows = Rows::new(n_in, n_out);
        for o in 0..n_out as i64 {
            // The position ((2o + 1) den - num) / (2 num), whole and fractional part, in exact arithmetic.
            let position = (2 * o + 1) * den - num;
            let (whole, part) = (position.div_euclid(2 * num), position.rem_euclid(2 * num));
            rows.push_between(whole, part as f64 / (2 * num) as f64);
        }
        rows.finish()
    }

    /// Nearest-neighbour upsampling: output o is input `floor(o / ratio)`, what libjpeg calls simple upsampling.
    pub fn replicate(n_in: usize, n_out: usize, ratio: Ratio) -> AxisMap {
        let mut rows = Rows::new(n_in, n_out);
        for o in 0..n_out {
            rows.push_copy((o as u64 * u64::from(ratio.den) / u64::from(ratio.num)) as i64);
        }
        rows.finish()
    }

    /// Block-local spectral interpolation (RGB-no-more): the spectrum of a span of blocks is zero-padded and inverted at
    /// the larger size, scaled so that DC stays the mean.
    ///
    /// The span is the smallest number of input blocks that become whole output blocks, `den` of them becoming `num`: one
    /// block for the usual integer ratios; two blocks taken as one 16-point spectrum for 3:2, three as one of 24 points
    /// for 4:3. No sample outside the span is read. Where `n_in` ends inside a span its last sample is repeated; pass
    /// the stored size ([`Edge::Stored`](super::Edge)) to keep what the file holds.
    pub fn zero_pad(n_in: usize, n_out: usize, ratio: Ratio) -> AxisMap {
        let (span_in, span_out) = (dct::N * ratio.den as usize, dct::N * ratio.num as usize);
        let kernel = zero_pad_kernel(span_in, span_out);
        let mut rows = Rows::new(n_in, n_out);
        for o in 0..n_out {
            let row = o % span_out * span_in;
            rows.push((o / span_out * span_in) as i64, &kernel[row..row + span_in]);
        }
        rows.finish()
    }
}

/// `sqrt(out / in) * D_out^T * [D_in; 0]`, row-major (output sample, input sample). Where the output has fewer points
/// than the input (no frame asks for it), the frequencies it lacks are dropped.
fn zero_pad_kernel(points_in: usize, points_out: usize) -> Vec<f64> {
    let frequencies = points_in.min(points_out);
    let (wide, narrow) = (dct::basis_of(points_out, frequencies), dct::basis_of(points_in, frequencies));
    let scale = (points_out as f64 / points_in as f64).sqrt();
    let mut kernel = Vec::with_capacity(points_in * points_out);
    for o in 0..points_out {
        for x in 0..points_in {
            let sum: f64 = (0..frequencies).map(|k| wide[k * points_out + o] * narrow[k * points_in + x]).sum();
            kernel.push(scale * sum);
        }
    }
    kernel
}
