//! How far two tensors are apart.
//!
//! What enters: pairs of numbers, what was expected and what was found. What leaves: their largest difference, its root
//! mean square and the ratio of signal to it, ready to be written as JSON. Nothing is judged here.

use serde::Serialize;

use crate::tensor::Values;

/// The differences of a set of values. Units are those of the values compared: dequantised coefficients, or quantised
/// ones for the recipe kind `quantised`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Values compared.
    pub values: u64,
    /// Values found that are infinite or not a number; they are in none of the other figures.
    pub non_finite: u64,
    /// Largest absolute difference.
    pub max: f64,
    /// Root of the mean squared difference.
    pub rms: f64,
    /// Signal-to-noise ratio in dB, `10 log10(sum expected^2 / sum difference^2)`; `None` without a difference and
    /// where all that is expected is zero but for f64's rounding.
    pub snr_db: Option<f64>,
    /// Largest absolute difference after what the element type's rounding may explain is taken off, 0 or more.
    pub max_excess: f64,
}

/// An RMS of the expected values below this is no signal: what f64 rounding leaves where the true values are zero.
const NO_SIGNAL: f64 = 1e-9;

/// Sums that a [`Difference`] is made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    values: u64,
    non_finite: u64,
    max: f64,
    max_excess: f64,
    signal: f64,
    noise: f64,
}

impl Sums {
    /// Takes one pair. `rounding` is the difference that the element type alone may make, in the same units.
    pub fn add(&mut self, expected: f64, found: f64, rounding: f64) {
        self.values += 1;
        if !found.is_finite() {
            self.non_finite += 1;
            return;
        }
        let difference = (found - expected).abs();
        self.max = self.max.max(difference);
        self.max_excess = self.max_excess.max(difference - rounding);
        self.signal += expected * expected;
        self.noise += difference * difference;
    }

    /// Joins the sums of two sets of values.
    pub fn join(self, other: Sums) -> Sums {
        Sums {
            values: self.values + other.values,
            non_finite: self.non_finite + other.non_finite,
            max: self.max.max(other.max),
            max_excess: self.max_excess.max(other.max_excess),
            signal: self.signal + other.signal,
            noise: self.noise + other.noise,
        }
    }

    /// The figures; `None` if nothing was compared.
    pub fn difference(&self) -> Option<Difference> {
        let finite = self.values - self.non_finite;
        let defined = self.signal > NO_SIGNAL.powi(2) * finite as f64 && self.noise > 0.0;
        (self.values > 0).then(|| Difference {
            values: self.values,
            non_finite: self.non_finite,
            max: self.max,
            rms: if finite > 0 { (self.noise / finite as f64).sqrt() } else { 0.0 },
            snr_db: defined.then(|| 10.0 * (self.signal / self.noise).log10()),
            max_excess: self.max_excess,
        })
    }
}

/// Stored values as f64, without loss.
pub fn to_f64(values: &Values) -> Vec<f64> {
    match values {
        Values::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Values::F16(v) => v.iter().map(|x| x.to_f64()).collect(),
        Values::I16(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Values::U16(v) => v.iter().map(|&x| f64::from(x)).collect(),
    }
}

/// What becomes of `value` where the element type cannot hold it: the nearest value that it can.
pub fn saturate(values: &Values, value: f64) -> f64 {
    match values {
        Values::F32(_) => value,
        Values::F16(_) => value.clamp(half::f16::MIN.to_f64(), half::f16::MAX.to_f64()),
        Values::I16(_) => value.clamp(f64::from(i16::MIN), f64::from(i16::MAX)),
        Values::U16(_) => value.clamp(0.0, f64::from(u16::MAX)),
    }
}

/// The most that rounding `value` to the element type can change it: half a unit in the last place, 2^-24 of an f32
/// and 2^-11 of an f16 (2^-25 absolute where f16 is subnormal), half a unit of an integer.
pub fn rounding(values: &Values, value: f64) -> f64 {
    match values {
        Values::F32(_) => value.abs() * 2f64.powi(-24),
        Values::F16(_) => (value.abs() * 2f64.powi(-11)).max(2f64.powi(-25)),
        Values::I16(_) | Values::U16(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn figures_by_hand() {
        let mut sums = Sums::default();
        for (expected, found) in [(3.0, 3.0), (-4.0, -4.5), (0.0, 0.5), (5.0, 4.0)] {
            sums.add(expected, found, 0.25);
        }
        let d = sums.difference().unwrap();
        assert_eq!((d.values, d.non_finite, d.max, d.max_excess), (4, 0, 1.0, 0.75));
        assert!((d.rms - (1.5f64 / 4.0).sqrt()).abs() < 1e-15);
        assert!((d.snr_db.unwrap() - 10.0 * (50.0f64 / 1.5).log10()).abs() < 1e-12);
    }

    #[test]
    fn rounding_of_nothing_is_no_signal() {
        let mut sums = Sums::default();
        sums.add(1e-15, 0.0, 0.0);
        assert_eq!(sums.difference().unwrap().snr_db, None);
        sums.add(1e-3, 1e-3, 0.0);
        assert!(sums.difference().unwrap().snr_db.unwrap() > 200.0);
    }

    #[test]
    fn joined_sets_are_one_set() {
        let (mut a, mut b, mut whole) = (Sums::default(), Sums::default(), Sums::default());
        for (i, (expected, found)) in [(1.0, 1.5), (2.0, 2.0), (-7.0, -9.0)].into_iter().enumerate() {
            if i < 1 { &mut a } else { &mut b }.add(expected, found, 0.0);
            whole.add(expected, found, 0.0);
        }
        assert_eq!(a.join(b).difference(), whole.difference());
    }

    #[test]
    fn what_is_no_number_is_counted() {
        let mut sums = Sums::default();
        sums.add(1.0, f64::NAN, 0.0);
        sums.add(1.0, f64::INFINITY, 0.0);
        let d = sums.difference().unwrap();
        assert_eq!((d.values, d.non_finite, d.max, d.snr_db), (2, 2, 0.0, None));
        assert_eq!(Sums::default().difference(), None);
    }

    #[test]
    fn rounding_bounds_what_the_types_do() {
        for i in 0..2000 {
            let value = f64::from(i) * 1.37 - 900.123 + f64::from(i) * 1e-5;
            let f16s = Values::F16(vec![f16::from_f64(value)]);
            let f32s = Values::F32(vec![value as f32]);
            let i16s = Values::I16(vec![value.round() as i16]);
            for values in [f16s, f32s, i16s] {
                assert!((to_f64(&values)[0] - value).abs() <= rounding(&values, value), "{values:?} {value}");
            }
        }
        assert_eq!(saturate(&Values::I16(vec![]), 1e5), 32767.0);
        assert_eq!(saturate(&Values::F16(vec![]), -1e5), -65504.0);
    }
}
