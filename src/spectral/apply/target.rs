//! Where finished values go: one output array, its strides, and the conversion to its element type.
//!
//! What enters: rows of f32 coefficients. What leaves: scaled, shifted, rounded values in place. Nothing wraps: a value
//! that does not fit saturates and is counted.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::error::Result;
use crate::limits::zeroed;
use crate::recipe::photometric::Hole;
use crate::spectral::plan::TargetPlan;
use crate::tensor::{Dtype, Tensor, Values};

/// Values converted at a time: a few cache lines of every element type.
const CHUNK: usize = 64;

/// Where the value of a channel, a block row and a block column stands: the sum of index times stride.
///
/// Swapping `row` and `column` is a transpose of the grid, so a quarter turn costs no copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strides {
    /// From one channel to the next.
    pub channel: usize,
    /// From one block row to the next.
    pub row: usize,
    /// From one block column to the next.
    pub column: usize,
}

/// A tensor being filled.
#[derive(Debug)]
pub(crate) struct Target {
    plan: TargetPlan,
    values: Values,
}

impl Target {
    /// An array of zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(plan: TargetPlan) -> Result<Target> {
        let len = plan.shape.iter().product();
        let values = match plan.dtype {
            Dtype::F32 => Values::F32(zeroed(len)?),
            Dtype::F16 => Values::F16(zeroed(len)?),
            Dtype::I16 => Values::I16(zeroed(len)?),
        };
        Ok(Target { plan, values })
    }

    /// The strides.
    pub fn strides(&self) -> Strides {
        self.plan.strides
    }

    /// Writes `source * scale + shift` into row `row`, columns from `column` on, of a channel. Returns how many values
    /// saturated.
    pub fn write_row(&mut self, place: Place, source: &[f32], scale: f32, shift: f32) -> u64 {
        let Strides { channel, row, column } = self.plan.strides;
        let start = place.channel * channel + place.row * row + place.column * column;
        match &mut self.values {
            Values::F32(values) => write_strided(&mut values[start..], column, source, scale, shift),
            Values::F16(values) => write_strided(&mut values[start..], column, source, scale, shift),
            Values::I16(values) => write_strided(&mut values[start..], column, source, scale, shift),
            Values::U16(_) => 0, // never a target: `new` makes none
        }
    }

    /// Writes consecutive channels of one block, the first at `place`; the channel stride must be 1.
    pub fn write_block(&mut self, place: Place, source: &[f32]) -> u64 {
        debug_assert_eq!(self.plan.strides.channel, 1);
        let start = place.channel + place.row * self.plan.strides.row + place.column * self.plan.strides.column;
        let end = start + source.len();
        match &mut self.values {
            Values::F32(values) => f32::write(&mut values[start..end], source, 1.0, 0.0),
            Values::F16(values) => f16::write(&mut values[start..end], source, 1.0, 0.0),
            Values::I16(values) => i16::write(&mut values[start..end], source, 1.0, 0.0),
            Values::U16(_) => 0,
        }
    }

    /// All its blocks.
    pub fn whole(&self) -> Hole {
        let (rows, columns) = self.plan.grid;
        Hole { rows: 0..rows, columns: 0..columns }
    }

    /// Fills these blocks of a channel with the stored form of zero coefficients. Returns how many values saturated.
    pub fn write_zeros(&mut self, channel: usize, blocks: &Hole, shift: f32) -> u64 {
        let zeros = [0f32; CHUNK];
        let mut saturated = 0;
        for row in blocks.rows.clone() {
            for column in blocks.columns.clone().step_by(CHUNK) {
                let part = &zeros[..CHUNK.min(blocks.columns.end - column)];
                saturated += self.write_row(Place { channel, row, column }, part, 1.0, shift);
            }
        }
        saturated
    }

    /// The finished tensor.
    pub fn into_tensor(self) -> Tensor {
        Tensor { name: self.plan.name, shape: self.plan.shape, values: self.values }
    }
}

/// The first value of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub channel: usize,
    pub row: usize,
    pub column: usize,
}

/// An element type of tensors.
trait Element: Copy + Default {
    /// Writes `source * scale + shift` to as many places, returns how many values saturated.
    fn write(to: &mut [Self], source: &[f32], scale: f32, shift: f32) -> u64;
}

fn write_strided<E: Element>(to: &mut [E], stride: usize, source: &[f32], scale: f32, shift: f32) -> u64 {
    if stride == 1 {
        return E::write(&mut to[..source.len()], source, scale, shift);
    }
    let mut saturated = 0;
    let mut chunk = [E::default(); CHUNK];
    for (n, part) in source.chunks(CHUNK).enumerate() {
        let chunk = &mut chunk[..part.len()];
        saturated += E::write(chunk, part, scale, shift);
        let places = to[n * CHUNK * stride..].iter_mut().step_by(stride);
        places.zip(chunk).for_each(|(place, value)| *place = *value);
    }
    saturated
}

impl Element for f32 {
    fn write(to: &mut [f32], source: &[f32], scale: f32, shift: f32) -> u64 {
        to.iter_mut().zip(source).for_each(|(to, x)| *to = x * scale + shift);
        0
    }
}

/// The first magnitude that rounds to infinity in f16: halfway between the largest finite value and the next step.
const F16_OVERFLOW: f32 = 65520.0;

impl Element for f16 {
    fn write(to: &mut [f16], source: &[f32], scale: f32, shift: f32) -> u64 {
        let mut scaled = [0f32; CHUNK];
        let mut saturated = 0;
        for (to, source) in to.chunks_mut(CHUNK).zip(source.chunks(CHUNK)) {
            let scaled = &mut scaled[..source.len()];
            let mut count = 0u32;
            for (scaled, x) in scaled.iter_mut().zip(source) {
                let y = x * scale + shift;
                count += u32::from(y.abs() >= F16_OVERFLOW);
                *scaled = y.clamp(-65504.0, 65504.0);
            }
            to.convert_from_f32_slice(scaled);
            saturated += u64::from(count);
        }
        saturated
    }
}

/// 1.5 * 2^23: adding it to a value below 2^22 leaves the value, rounded to nearest with ties to even, in the low bits
/// of the significand. Vectorises where `round_ties_even` would be a library call.
const ROUND: f32 = 12_582_912.0;

impl Element for i16 {
    /// Rounds to the nearest integer, ties to even.
    fn write(to: &mut [i16], source: &[f32], scale: f32, shift: f32) -> u64 {
        let mut saturated = 0;
        for (to, source) in to.chunks_mut(CHUNK).zip(source.chunks(CHUNK)) {
            let mut count = 0u32;
            for (to, x) in to.iter_mut().zip(source) {
                let y = x * scale + shift;
                // 32767.5 rounds up to 32768, -32768.5 to -32768 (ties to even).
                count += u32::from(y >= 32767.5) | u32::from(y < -32768.5);
                let y = y.clamp(-32768.0, 32767.0) + ROUND;
                *to = (y.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as i16;
            }
            saturated += u64::from(count);
        }
        saturated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Layout;

    fn write<E: Element>(source: &[f32], scale: f32, shift: f32) -> (Vec<E>, u64) {
        let mut to = vec![E::default(); source.len()];
        let saturated = E::write(&mut to, source, scale, shift);
        (to, saturated)
    }

    #[test]
    fn integers_round_to_even_and_saturate() {
        let (values, saturated) =
            write::<i16>(&[0.5, 1.5, -0.5, -2.5, 2.4999, 32767.4, 32767.5, -32768.5, -32769.0, 1e9, -1e30], 1.0, 0.0);
        assert_eq!(values, [0, 2, 0, -2, 2, 32767, 32767, -32768, -32768, 32767, -32768]);
        assert_eq!(saturated, 4);
        assert_eq!(write::<i16>(&[10.0, -7.0], 0.5, 1.0).0, [6, -2]);
    }

    #[test]
    fn every_integer_survives() {
        let source: Vec<f32> = (i16::MIN..=i16::MAX).map(f32::from).collect();
        let (values, saturated) = write::<i16>(&source, 1.0, 0.0);
        assert_eq!((values, saturated), ((i16::MIN..=i16::MAX).collect(), 0));
    }

    #[test]
    fn halves_never_become_infinite() {
        let (values, saturated) = write::<f16>(&[65519.0, 65520.0, -1e9, 1.0], 1.0, 0.0);
        assert_eq!(values, [f16::MAX, f16::MAX, f16::MIN, f16::ONE]);
        assert_eq!(saturated, 2);
    }

    #[test]
    fn strides_are_kept() {
        let mut target = Target::new(TargetPlan::new("", Layout::Hwc, 3, (2, 2), Dtype::F32)).unwrap();
        target.write_row(Place { channel: 2, row: 1, column: 0 }, &[1.0, 2.0], 2.0, 1.0);
        target.write_block(Place { channel: 0, row: 0, column: 1 }, &[7.0, 8.0]);
        let expected = vec![0., 0., 0., 7., 8., 0., 0., 0., 3., 0., 0., 5.];
        assert_eq!(target.into_tensor().values, Values::F32(expected));
    }
}
