//! Smoothing and averaging.
//!
//! What enters: a size and a kernel. What leaves: a map that keeps the size, or divides it by a whole number.

use super::map::{AxisMap, Rows};

impl AxisMap {
    /// Correlation with a kernel centred on each sample, border replicate: `y[o] = sum k[t] * x[o + t - len / 2]`.
    ///
    /// The kernel has an odd number of taps; of an even number, tap `len / 2` is the centre. Rows sum to what the kernel
    /// sums to: keep that 1, or the level shift does not pass through.
    ///
    /// Enlarging by 2 bilinearly and averaging pairs again is the kernel `[1/8, 3/4, 1/8]`, borders included.
    pub fn smooth(n: usize, kernel: &[f64]) -> AxisMap {
        let reach = (kernel.len() / 2) as i64;
        let mut rows = Rows::new(n, n);
        for o in 0..n as i64 {
            rows.push(o - reach, kernel);
        }
        rows.finish()
    }

    /// The mean of every `factor` samples: `ceil(n / factor)` outputs, the last one completed by repeating the last
    /// sample, as encoders do when they subsample. A factor of 0 counts as 1.
    pub fn average(n: usize, factor: usize) -> AxisMap {
        let factor = factor.max(1);
        let taps = vec![1.0 / factor as f64; factor];
        let mut rows = Rows::new(n, n.div_ceil(factor));
        for o in 0..n.div_ceil(factor) {
            rows.push((o * factor) as i64, &taps);
        }
        rows.finish()
    }
}
