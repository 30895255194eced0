//! The orthonormal 8-point DCT-II, the only transform of this crate.
//!
//! What enters: eight numbers along one axis. What leaves: their spectrum, or the other way round. This serves the
//! building of axis maps, in f64; no image is ever transformed with it.
//!
//! T.81 A.3.3 scales its two-dimensional FDCT by C(u)C(v)/4, which is exactly the orthonormal DCT-II along both axes:
//! a dequantised JPEG coefficient is an orthonormal coefficient of (sample - 128), and DC = 8 * (mean - 128).

/// Samples along one side of a block (T.81 A.1.3).
pub const N: usize = 8;

/// cos(m * pi / 16), m = 0..=8, correctly rounded.
const COS_16THS: [f64; 9] = [
    1.0,
    0.980_785_280_403_230_4,
    0.923_879_532_511_286_7,
    0.831_469_612_302_545_2,
    std::f64::consts::FRAC_1_SQRT_2,
    0.555_570_233_019_602_2,
    0.382_683_432_365_089_8,
    0.195_090_322_016_128_27,
    0.0,
];

/// The matrix D: `D[k][x] = s(k) * cos((2x + 1) * k * pi / 16)` with s(0) = sqrt(1/8), else 1/2.
///
/// Row k is the basis function of frequency k. Orthonormal: the inverse of D is its transpose.
pub static D: [[f64; N]; N] = basis();

/// The transpose of [`D`]: `D_T[x]` is the spectrum of a unit impulse at sample x.
pub static D_T: [[f64; N]; N] = transposed(basis());

const fn basis() -> [[f64; N]; N] {
    let mut d = [[0.0; N]; N];
    let mut k = 0;
    while k < N {
        let scale = if k == 0 { 0.5 * std::f64::consts::FRAC_1_SQRT_2 } else { 0.5 };
        let mut x = 0;
        while x < N {
            d[k][x] = scale * cos_16ths((2 * x + 1) * k);
            x += 1;
        }
        k += 1;
    }
    d
}

/// cos(m * pi / 16) by its symmetries, so that equal magnitudes are equal bits.
const fn cos_16ths(m: usize) -> f64 {
    let m = m % 32;
    let m = if m > 16 { 32 - m } else { m };
    if m > 8 { -COS_16THS[16 - m] } else { COS_16THS[m] }
}

const fn transposed(m: [[f64; N]; N]) -> [[f64; N]; N] {
    let mut t = [[0.0; N]; N];
    let mut i = 0;
    while i < N {
        let mut j = 0;
        while j < N {
            t[j][i] = m[i][j];
            j += 1;
        }
        i += 1;
    }
    t
}

/// The spectrum of eight samples: D x.
pub fn forward(samples: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| D[i].iter().zip(samples).map(|(d, x)| d * x).sum())
}

/// The first `frequencies` rows of the orthonormal `points`-point DCT-II, row-major (frequency, sample).
///
/// For interpolation between transforms of different lengths; 8 points are [`D`].
pub fn basis_of(points: usize, frequencies: usize) -> Vec<f64> {
    let n = points as f64;
    let mut rows = Vec::with_capacity(points * frequencies);
    for k in 0..frequencies {
        let scale = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
        for x in 0..points {
            rows.push(scale * ((2 * x + 1) as f64 * k as f64 * std::f64::consts::PI / (2.0 * n)).cos());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_cosine_and_is_orthonormal() {
        let general = basis_of(N, N);
        for i in 0..N {
            for j in 0..N {
                assert!((D[i][j] - general[i * N + j]).abs() < 1e-15);
                assert_eq!(D[i][j], D_T[j][i]);
                let dot: f64 = (0..N).map(|x| D[i][x] * D[j][x]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn dc_is_the_scaled_mean_and_the_norm_is_kept() {
        let x = [3.0, -1.5, 0.0, 100.0, -128.0, 127.0, 7.25, 1.0];
        let y = forward(&x);
        assert!((y[0] - x.iter().sum::<f64>() / 8f64.sqrt()).abs() < 1e-12);
        let norm = |v: [f64; N]| v.iter().map(|a| a * a).sum::<f64>();
        assert!((norm(y) - norm(x)).abs() < 1e-9);
    }
}
