//! Where finished values go: one output array, its strides, and the conversion to its element type.
//!
//! What enters: rows of f32 coefficients. What leaves: scaled, shifted, rounded values in place. Nothing wraps: a value
//! that does not fit saturates and is counted.

use half::f16;
use half::slice::HalfBitsSliceExt;
use half::vec::HalfBitsVecExt;

use super::horizontal::RowShape;
use crate::cpu::{Kernel, LANES, Simd};
use crate::error::Result;
use crate::limits::zeroed;
use crate::recipe::photometric::Hole;
use crate::spectral::plan::Output;
use crate::spectral::plan::TargetPlan;
use crate::tensor::{Dtype, Tensor, Values};

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
    /// In memory that a former tensor had, if there is any that is large enough: every place must be written.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(plan: TargetPlan, spare: &mut Spare) -> Result<Target> {
        let len = plan.shape.iter().product();
        let values = match spare.take(plan.dtype, len) {
            Some(values) => values,
            // Fresh zero pages in each case; a vector of f16 zeros would be filled by hand.
            None => match plan.dtype {
                Dtype::F32 => Values::F32(zeroed(len)?),
                Dtype::F16 => Values::F16(zeroed::<u16>(len)?.reinterpret_into()),
                Dtype::I16 => Values::I16(zeroed(len)?),
            },
        };
        Ok(Target { plan, values })
    }

    /// The array and its strides, for kernels.
    pub fn parts(&mut self) -> (&mut Values, Strides) {
        (&mut self.values, self.plan.strides)
    }

    /// Writes `source * scale + shift` into row `row`, columns from `column` on, of a channel. Returns how many values
    /// saturated.
    #[inline(always)]
    pub fn write_row<S: Simd>(&mut self, simd: S, place: Place, source: &[f32], scale: f32, shift: f32) -> u64 {
        let (strides, start) = (self.plan.strides, self.plan.strides.place(place));
        match &mut self.values {
            Values::F32(values) => write_run(simd, &mut values[start..], strides.column, source, scale, shift),
            Values::F16(values) => write_run(simd, &mut values[start..], strides.column, source, scale, shift),
            Values::I16(values) => write_run(simd, &mut values[start..], strides.column, source, scale, shift),
            Values::U16(_) => 0, // never a target: `new` makes none
        }
    }

    /// All its blocks.
    pub fn whole(&self) -> Hole {
        let (rows, columns) = self.plan.grid;
        Hole { rows: 0..rows, columns: 0..columns }
    }

    /// Fills these blocks of a channel with the stored form of zero coefficients. Returns how many values saturated.
    pub fn write_zeros(&mut self, channel: usize, blocks: &Hole, shift: f32) -> u64 {
        let Strides { channel: channel_stride, row: row_stride, column: column_stride } = self.plan.strides;
        let mut saturated = 0;
        for row in blocks.rows.clone() {
            for column in blocks.columns.clone() {
                let place = channel * channel_stride + row * row_stride + column * column_stride;
                match &mut self.values {
                    Values::F32(values) => values[place] = shift,
                    Values::F16(values) => values[place] = f16::from_f32(shift),
                    Values::I16(values) => {
                        let rounded = shift.round_ties_even();
                        saturated += u64::from(!(-32768.0..=32767.0).contains(&rounded));
                        values[place] = rounded as i16;
                    }
                    Values::U16(_) => {}
                }
            }
        }
        saturated
    }

    /// The finished tensor.
    pub fn into_tensor(self) -> Tensor {
        Tensor { name: self.plan.name, shape: self.plan.shape, values: self.values }
    }
}

/// Memory of former tensors.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    values: Vec<Values>,
}

impl Spare {
    /// Tensors kept: those of a few images.
    const KEPT: usize = 16;

    /// Keeps the memory of a tensor, or of another if there are too many: the smallest goes.
    pub fn give(&mut self, values: Values) {
        self.values.push(values);
        if self.values.len() > Self::KEPT {
            let sizes = self.values.iter().enumerate().map(|(i, values)| (values.len(), i));
            if let Some((_, smallest)) = sizes.min() {
                self.values.swap_remove(smallest);
            }
        }
    }

    /// An array of that type and length, whatever it holds.
    fn take(&mut self, dtype: Dtype, len: usize) -> Option<Values> {
        let fits = |values: &Values| match (values, dtype) {
            (Values::F32(values), Dtype::F32) => values.capacity() >= len,
            (Values::F16(values), Dtype::F16) => values.capacity() >= len,
            (Values::I16(values), Dtype::I16) => values.capacity() >= len,
            _ => false,
        };
        let mut values = self.values.swap_remove(self.values.iter().position(fits)?);
        match &mut values {
            Values::F32(values) => values.resize(len, 0.0),
            Values::F16(values) => values.resize(len, f16::ZERO),
            Values::I16(values) => values.resize(len, 0),
            Values::U16(_) => {}
        }
        Some(values)
    }
}

/// The first value of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub channel: usize,
    pub row: usize,
    pub column: usize,
}

impl Strides {
    /// Index of a value.
    pub fn place(self, Place { channel, row, column }: Place) -> usize {
        channel * self.channel + row * self.row + column * self.column
    }
}

/// Writes finished rows `[w][k][i]`, one below the other, to their places. Gives how many values saturated.
pub(crate) struct WriteLines<'a> {
    pub target: &'a mut Target,
    pub outputs: &'a [Output],
    pub rows: &'a [&'a [f32]],
    pub shape: RowShape,
    /// Block row of the target of the first.
    pub first: usize,
}

impl Kernel for WriteLines<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let mut saturated = 0;
        for output in self.outputs {
            for (values, row) in self.rows.iter().zip(self.first..) {
                let line = self.shape.line(values, output.frequency);
                let place = Place { channel: output.channel, row, column: 0 };
                saturated += self.target.write_row(simd, place, line, output.scale, output.shift);
            }
        }
        saturated
    }
}

/// An element type of tensors.
pub(crate) trait Element: Copy + Default {
    /// Converts 16 numbers. Bit n of the result: lane n saturated.
    fn put<S: Simd>(simd: S, value: S::F32x16, to: &mut [Self; LANES]) -> u16;
}

impl Element for f32 {
    #[inline(always)]
    fn put<S: Simd>(simd: S, value: S::F32x16, to: &mut [f32; LANES]) -> u16 {
        simd.store(value, to);
        0
    }
}

impl Element for f16 {
    #[inline(always)]
    fn put<S: Simd>(simd: S, value: S::F32x16, to: &mut [f16; LANES]) -> u16 {
        let mut bits = [0; LANES];
        let saturated = simd.store_f16(value, &mut bits);
        to.copy_from_slice(bits.reinterpret_cast());
        saturated
    }
}

impl Element for i16 {
    /// Rounds to the nearest integer, ties to even.
    #[inline(always)]
    fn put<S: Simd>(simd: S, value: S::F32x16, to: &mut [i16; LANES]) -> u16 {
        simd.store_i16(value, to)
    }
}

/// A type of numbers that are written.
pub(crate) trait Number: Copy + Default {
    /// 16 of them.
    fn load<S: Simd>(simd: S, from: &[Self; LANES]) -> S::F32x16;
}

impl Number for f32 {
    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[f32; LANES]) -> S::F32x16 {
        simd.load(from)
    }
}

impl Number for i16 {
    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[i16; LANES]) -> S::F32x16 {
        simd.load_i16(from)
    }
}

/// Runs from this length on are written from one boundary of 16 values to the next; shorter ones gain nothing.
const ALIGNED: usize = 8 * LANES;

/// Writes `source * scale + shift` to places `stride` apart, 16 at a time. The first and the last 16 overlap others where
/// the length or the place is no multiple. Returns how many values saturated.
#[inline(always)]
pub(crate) fn write_run<S: Simd, E: Element, N: Number>(
    simd: S,
    to: &mut [E],
    stride: usize,
    source: &[N],
    scale: f32,
    shift: f32,
) -> u64 {
    let (scale, shift) = (simd.splat(scale), simd.splat(shift));
    let affine = |numbers: &[N; LANES]| simd.mul_add(N::load(simd, numbers), scale, shift);
    let ones = |bits: u16| u64::from(bits.count_ones());
    let mut saturated = 0;
    if let (1, Some(first), Some(last)) = (stride, source.first_chunk(), source.last_chunk()) {
        let to = &mut to[..source.len()];
        // An address that cannot be told gives `usize::MAX`.
        let offset = if source.len() < ALIGNED { 0 } else { to.as_ptr().align_offset(LANES * size_of::<E>()) };
        let head = if offset < LANES { offset } else { 0 };
        if let (1.., Some(to)) = (head, to.first_chunk_mut()) {
            saturated += ones(E::put(simd, affine(first), to) << (LANES - head));
        }
        let (to, source) = (&mut to[head..], &source[head..]);
        for (to, numbers) in to.as_chunks_mut().0.iter_mut().zip(source.as_chunks().0) {
            saturated += ones(E::put(simd, affine(numbers), to));
        }
        let rest = source.len() % LANES;
        if let (1.., Some(to)) = (rest, to.last_chunk_mut()) {
            saturated += ones(E::put(simd, affine(last), to) >> (LANES - rest));
        }
        return saturated;
    }
    for (n, numbers) in source.chunks(LANES).enumerate() {
        let mut some = [N::default(); LANES];
        some[..numbers.len()].copy_from_slice(numbers);
        saturated += put_some(simd, affine(&some), numbers.len(), to[n * LANES * stride..].iter_mut().step_by(stride));
    }
    saturated
}

/// Converts the first `count` of 16 numbers. Returns how many of them saturated.
#[inline(always)]
pub(crate) fn put_some<'a, S: Simd, E: Element + 'a>(
    simd: S,
    value: S::F32x16,
    count: usize,
    to: impl Iterator<Item = &'a mut E>,
) -> u64 {
    let mut values = [E::default(); LANES];
    let bits = E::put(simd, value, &mut values);
    to.zip(&values[..count]).for_each(|(to, value)| *to = *value);
    u64::from((bits & (u16::MAX >> (LANES - count))).count_ones())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::recipe::Layout;

    /// Writes the second row of one channel, which begins anywhere, at every level; all must agree.
    fn write(dtype: Dtype, source: &[f32], scale: f32, shift: f32) -> (Values, u64) {
        let plan = TargetPlan::new("", Layout::Chw, 1, (2, source.len()), dtype);
        let shape = RowShape::new(source.len(), 1);
        let outputs = [Output { frequency: 0, channel: 0, scale, shift }];
        let at = |cpu: Cpu| {
            let mut target = Target::new(plan.clone(), &mut Spare::default()).unwrap();
            let lines = WriteLines { target: &mut target, outputs: &outputs, rows: &[source], shape, first: 1 };
            let saturated = cpu.run(lines);
            let values = match target.into_tensor().values {
                Values::F32(values) => Values::F32(values[source.len()..].to_vec()),
                Values::F16(values) => Values::F16(values[source.len()..].to_vec()),
                Values::I16(values) => Values::I16(values[source.len()..].to_vec()),
                other => other,
            };
            (values, saturated)
        };
        let found: Vec<_> = crate::cpu::all().into_iter().map(at).collect();
        assert!(found.iter().all(|other| *other == found[0]));
        found.into_iter().next().unwrap()
    }

    #[test]
    fn integers_round_to_even_and_saturate() {
        let source = [0.5, 1.5, -0.5, -2.5, 2.4999, 32767.4, 32767.5, -32768.5, -32769.0, 1e9, -1e30];
        let expected = [0, 2, 0, -2, 2, 32767, 32767, -32768, -32768, 32767, -32768];
        assert_eq!(write(Dtype::I16, &source, 1.0, 0.0), (Values::I16(expected.to_vec()), 4));
        assert_eq!(write(Dtype::I16, &[10.0, -7.0], 0.5, 1.0), (Values::I16(vec![6, -2]), 0));
    }

    #[test]
    fn values_that_are_written_twice_count_once() {
        for len in (1..70).chain(120..200usize) {
            let source: Vec<f32> = (0..len).map(|i| if i % 3 == 0 { 1e6 } else { i as f32 }).collect();
            let expected = (0..len).map(|i| if i % 3 == 0 { i16::MAX } else { i as i16 }).collect();
            assert_eq!(write(Dtype::I16, &source, 1.0, 0.0), (Values::I16(expected), len.div_ceil(3) as u64));
            assert_eq!(write(Dtype::F16, &source, 1.0, 0.0).1, len.div_ceil(3) as u64);
        }
    }

    #[test]
    fn every_integer_survives() {
        let source: Vec<f32> = (i16::MIN..=i16::MAX).map(f32::from).collect();
        assert_eq!(write(Dtype::I16, &source, 1.0, 0.0), (Values::I16((i16::MIN..=i16::MAX).collect()), 0));
    }

    #[test]
    fn halves_never_become_infinite() {
        let (values, saturated) = write(Dtype::F16, &[65519.0, 65520.0, -1e9, 1.0], 1.0, 0.0);
        assert_eq!(values, Values::F16(vec![f16::MAX, f16::MAX, f16::MIN, f16::ONE]));
        assert_eq!(saturated, 2);
    }

    #[test]
    fn strides_are_kept() {
        for cpu in crate::cpu::all() {
            let mut target =
                Target::new(TargetPlan::new("", Layout::Hwc, 3, (2, 18), Dtype::F32), &mut Spare::default()).unwrap();
            let source: Vec<f32> = (0..18).map(|i| i as f32).collect();
            let outputs = [Output { frequency: 0, channel: 2, scale: 2.0, shift: 1.0 }];
            let shape = RowShape::new(18, 1);
            cpu.run(WriteLines { target: &mut target, outputs: &outputs, rows: &[&source], shape, first: 1 });
            let place = |i: usize| if i >= 54 && i % 3 == 2 { 2.0 * ((i - 54) / 3) as f32 + 1.0 } else { 0.0 };
            assert_eq!(target.into_tensor().values, Values::F32((0..108).map(place).collect()));
        }
    }

    #[test]
    fn memory_is_used_again_where_it_fits() {
        let mut spare = Spare::default();
        let plan = |len, dtype| TargetPlan::new("", Layout::Chw, 1, (1, len), dtype);
        for len in [10, 30, 20] {
            spare.give(Values::F32(vec![7.0; len]));
        }
        let mut make = |len, dtype| Target::new(plan(len, dtype), &mut spare).unwrap().into_tensor().values;
        assert_eq!(make(25, Dtype::F32), Values::F32(vec![7.0; 25]));
        assert_eq!(make(25, Dtype::F32), Values::F32(vec![0.0; 25]));
        assert_eq!(make(5, Dtype::I16), Values::I16(vec![0; 5]));
        for len in 0..40 {
            spare.give(Values::F32(vec![1.0; len]));
        }
        assert_eq!(spare.values.len(), Spare::KEPT);
        assert!(spare.values.iter().all(|values| values.len() >= 20), "the small ones went");
    }
}
