//! Resizing one line of samples, from the definitions of the two families of rules.
//!
//! What enters: lengths, a filter, whether shrinking is antialiased. What leaves: for every output sample the input
//! samples it is made of and their weights. Nothing of the tensor builder's resizing is used.
//!
//! Antialiased (PIL, torchvision): output o has its centre at `(o + 1/2) s`, s input samples to one output; input sample i
//! weighs `k((i + 1/2 - centre) / max(s, 1))`, samples outside the image are left out, and weights are divided by their
//! sum. Otherwise (cv2): the kernel at its own width around `(o + 1/2) s - 1/2`, samples outside the image being those at
//! its border.

use std::f64::consts::PI;

use crate::recipe::geometry::Filter;

/// Weights of input samples, per output sample.
#[derive(Debug, Clone)]
pub struct Weights(Vec<Vec<(usize, f64)>>);

impl Weights {
    /// Of a resize from `from` to `to` samples, both at least 1.
    pub fn resize(from: usize, to: usize, filter: Filter, antialias: bool) -> Weights {
        Weights((0..to).map(|o| weights(o, from, to, filter, antialias)).collect())
    }

    /// The line resized.
    pub fn apply(&self, line: &[f64]) -> Vec<f64> {
        self.0.iter().map(|weights| weights.iter().map(|&(i, w)| w * line[i]).sum()).collect()
    }
}

fn weights(o: usize, from: usize, to: usize, filter: Filter, antialias: bool) -> Vec<(usize, f64)> {
    if from == to {
        return vec![(o, 1.0)];
    }
    let scale = from as f64 / to as f64;
    match (filter, antialias) {
        (Filter::Nearest, true) => vec![((2 * o + 1) * from / (2 * to), 1.0)],
        (Filter::Nearest, false) => vec![(o * from / to, 1.0)],
        (Filter::Area, false) => normalised((0..from).map(|i| (i, overlap(i, o, from, to))).collect()),
        (_, true) => {
            let (centre, stretch) = ((o as f64 + 0.5) * scale, scale.max(1.0));
            normalised((0..from).map(|i| (i, kernel(filter, (i as f64 + 0.5 - centre) / stretch, -0.5))).collect())
        }
        (_, false) => {
            let position = (o as f64 + 0.5) * scale - 0.5;
            let mut all = vec![0.0; from];
            for i in position.floor() as i64 - 3..=position.floor() as i64 + 4 {
                all[i.clamp(0, from as i64 - 1) as usize] += kernel(filter, i as f64 - position, -0.75);
            }
            normalised(all.into_iter().enumerate().collect())
        }
    }
}

/// How much of input sample i lies under output sample o, in units of 1 / to.
fn overlap(i: usize, o: usize, from: usize, to: usize) -> f64 {
    let (start, end) = ((i * to).max(o * from), ((i + 1) * to).min((o + 1) * from));
    end.saturating_sub(start) as f64
}

fn normalised(weights: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    let sum: f64 = weights.iter().map(|(_, w)| w).sum();
    weights.into_iter().filter(|&(_, w)| w != 0.0).map(|(i, w)| (i, w / sum)).collect()
}

/// The kernels; `a` is the cubic's parameter.
fn kernel(filter: Filter, x: f64, a: f64) -> f64 {
    let d = x.abs();
    match filter {
        Filter::Nearest | Filter::Area => f64::from(u8::from(-0.5 < x && x <= 0.5)),
        Filter::Bilinear => (1.0 - d).max(0.0),
        Filter::Bicubic if d < 1.0 => (a + 2.0) * d.powi(3) - (a + 3.0) * d.powi(2) + 1.0,
        Filter::Bicubic if d < 2.0 => a * d.powi(3) - 5.0 * a * d.powi(2) + 8.0 * a * d - 4.0 * a,
        Filter::Bicubic => 0.0,
        Filter::Lanczos3 if d == 0.0 => 1.0,
        Filter::Lanczos3 if d < 3.0 => 3.0 * (PI * d).sin() * (PI * d / 3.0).sin() / (PI * d).powi(2),
        Filter::Lanczos3 => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Vec<f64>, expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    }

    #[test]
    fn halving_and_doubling_by_hand() {
        let line = [0.0, 8.0, 16.0, 40.0];
        let to = |n, filter, antialias| Weights::resize(4, n, filter, antialias).apply(&line);
        near(to(2, Filter::Nearest, false), &[0.0, 16.0]);
        near(to(2, Filter::Nearest, true), &[8.0, 40.0]);
        near(to(2, Filter::Area, false), &[4.0, 28.0]);
        near(to(2, Filter::Area, true), &[4.0, 28.0]);
        near(to(2, Filter::Bilinear, false), &[4.0, 28.0]);
        // A triangle of half-width 2: weights 3, 3, 1 over 7, the fourth lies outside.
        near(to(2, Filter::Bilinear, true), &[(3.0 * 8.0 + 16.0) / 7.0, (8.0 + 3.0 * 16.0 + 3.0 * 40.0) / 7.0]);
        near(to(8, Filter::Bilinear, false), &[0.0, 2.0, 6.0, 10.0, 14.0, 22.0, 34.0, 40.0]);
        near(to(8, Filter::Bilinear, true), &[0.0, 2.0, 6.0, 10.0, 14.0, 22.0, 34.0, 40.0]);
        // Keys' cubic at 1/2 with a = -0.75: -3/32, 19/32, 19/32, -3/32.
        near(
            to(2, Filter::Bicubic, false),
            &[
                (-3.0 * 0.0 + 19.0 * 0.0 + 19.0 * 8.0 - 3.0 * 16.0) / 32.0,
                (-3.0 * 8.0 + 19.0 * 16.0 + 19.0 * 40.0 - 3.0 * 40.0) / 32.0,
            ],
        );
        near(Weights::resize(3, 2, Filter::Area, false).apply(&[3.0, 6.0, 12.0]), &[4.0, 10.0]);
        near(Weights::resize(3, 1, Filter::Lanczos3, true).apply(&[5.0; 3]), &[5.0]);
        near(Weights::resize(1, 3, Filter::Lanczos3, false).apply(&[5.0]), &[5.0; 3]);
    }
}
