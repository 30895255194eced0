//! The orthonormal DCT-II by its definition, as slow as it reads.
//!
//! What enters and leaves: f64 vectors, or 8 x 8 blocks in row-major order `8 * v + u`. No fast algorithm and no table
//! of the tensor builder is used, so that an error there cannot hide here.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// `length` x `length` matrix, row k the k-th basis vector: `a(k) cos((2x + 1) k pi / 2n)`, `a(0) = sqrt(1/n)`, else
/// `sqrt(2/n)`. For n = 8 this is the transform of T.81 A.3.3, whose factors C(u)/2 are the same numbers.
pub fn basis(length: usize) -> Vec<Vec<f64>> {
    let n = length as f64;
    let value = |k: usize, x: usize| {
        let scale = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
        scale * ((2 * x + 1) as f64 * k as f64 * PI / (2.0 * n)).cos()
    };
    (0..length).map(|k| (0..length).map(|x| value(k, x)).collect()).collect()
}

/// The 8-point basis.
static BASIS: LazyLock<[[f64; 8]; 8]> = LazyLock::new(|| {
    let basis = basis(8);
    std::array::from_fn(|k| std::array::from_fn(|x| basis[k][x]))
});

/// Samples (row-major, 8 y + x) to frequencies (8 v + u).
pub fn forward(block: &[f64; 64]) -> [f64; 64] {
    let d = &*BASIS;
    separable(block, |frequency, sample| d[frequency][sample])
}

/// Frequencies (8 v + u) to samples (8 y + x).
pub fn inverse(block: &[f64; 64]) -> [f64; 64] {
    let d = &*BASIS;
    separable(block, |sample, frequency| d[frequency][sample])
}

/// `M B M^T` for the matrix `m(row, column)`.
fn separable(block: &[f64; 64], m: impl Fn(usize, usize) -> f64) -> [f64; 64] {
    let mut rows = [0.0; 64];
    for y in 0..8 {
        for to in 0..8 {
            rows[8 * y + to] = (0..8).map(|from| m(to, from) * block[8 * y + from]).sum();
        }
    }
    let mut out = [0.0; 64];
    for to in 0..8 {
        for x in 0..8 {
            out[8 * to + x] = (0..8).map(|from| m(to, from) * rows[8 * from + x]).sum();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values without symmetry.
    fn block() -> [f64; 64] {
        std::array::from_fn(|i| ((i * i * 37 + 11 * i) % 251) as f64 - 120.0)
    }

    #[test]
    fn inverse_undoes_forward() {
        let samples = block();
        let back = inverse(&forward(&samples));
        assert!(samples.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-11));
    }

    #[test]
    fn a_flat_block_is_eight_times_its_mean() {
        let frequencies = forward(&[5.0; 64]);
        assert!((frequencies[0] - 40.0).abs() < 1e-12);
        assert!(frequencies[1..].iter().all(|f| f.abs() < 1e-12));
    }

    #[test]
    fn u_is_horizontal_and_equals_the_formula_of_the_standard() {
        let samples = block();
        let frequencies = forward(&samples);
        for (u, v) in [(0, 0), (1, 0), (0, 3), (5, 2), (7, 7)] {
            let c = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
            let mut sum = 0.0;
            for y in 0..8 {
                for x in 0..8 {
                    let angle = |s: usize, k: usize| ((2 * s + 1) * k) as f64 * PI / 16.0;
                    sum += samples[8 * y + x] * angle(x, u).cos() * angle(y, v).cos();
                }
            }
            assert!((frequencies[8 * v + u] - 0.25 * c(u) * c(v) * sum).abs() < 1e-10, "u {u} v {v}");
        }
    }

    #[test]
    fn every_length_is_orthonormal() {
        for length in [8, 12, 16, 24, 32] {
            let d = basis(length);
            for (i, a) in d.iter().enumerate() {
                for (j, b) in d.iter().enumerate() {
                    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
    }
}
