//! Chroma of half the size, doubled along one axis or both.
//!
//! What enters: one block row of a component, zigzag order. What leaves: finished output rows `[w][k][i]`, two for each
//! block row where rows are doubled. Lanes are blocks side by side, which all have the same weights
//! ([`Doubling`]), so that no block is ever transposed. A row waits for the one below, whose first samples it needs.

use super::horizontal::RowShape;
use crate::cpu::shuffle::{self, BLOCKS};
use crate::cpu::{Aligned, Kernel, LANES, Simd};
use crate::scans::{Block, TileRow};
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ROW_MAJOR;
use crate::spectral::axis::{CoefficientMap, Doubling};
use crate::spectral::dct::D_T;

/// An axis that is doubled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DoubledAxis<'a> {
    pub doubling: &'static Doubling,
    /// The same as a matrix, for outputs from `regular` on.
    pub map: &'a CoefficientMap,
    pub regular: usize,
}

/// Steps of quantisation in zigzag order; `None` where values stay quantised.
pub(crate) fn zigzag_steps(table: Option<&QuantTable>) -> [f32; 64] {
    std::array::from_fn(|i| table.map_or(1.0, |table| f32::from(table.0[i])))
}

/// What each frequency adds to the first sample of a block; to the last, the odd ones add the opposite.
const FIRST_SAMPLE: [f32; 8] = {
    let mut weights = [0.0; 8];
    let mut u = 0;
    while u < 8 {
        weights[u] = D_T[0][u] as f32;
        u += 1;
    }
    weights
};

/// Spectra of 16 blocks: frequencies 0..8 along the axis that is doubled.
type Spectra<S> = [<S as Simd>::F32x16; 8];

/// What even and what odd input frequencies add up to.
#[inline(always)]
fn shares<S: Simd>(simd: S, weights: &[f32; 8], x: &Spectra<S>) -> [S::F32x16; 2] {
    let mut even = simd.mul(simd.splat(weights[0]), x[0]);
    let mut odd = simd.mul(simd.splat(weights[1]), x[1]);
    for u in [2, 4, 6] {
        even = simd.mul_add(simd.splat(weights[u]), x[u], even);
        odd = simd.mul_add(simd.splat(weights[u + 1]), x[u + 1], odd);
    }
    [even, odd]
}

/// First and last samples of 16 blocks.
#[inline(always)]
fn ends<S: Simd>(simd: S, x: &Spectra<S>) -> [S::F32x16; 2] {
    let [even, odd] = shares(simd, &FIRST_SAMPLE, x);
    [simd.add(even, odd), simd.mul_add(odd, simd.splat(-1.0), even)]
}

/// Output frequency f of both halves of 16 blocks, see [`Doubling`].
#[inline(always)]
fn halves<S: Simd>(
    simd: S,
    doubling: &Doubling,
    f: usize,
    x: &Spectra<S>,
    before: S::F32x16,
    behind: S::F32x16,
) -> [S::F32x16; 2] {
    let [even, odd] = shares(simd, &doubling.weights[f], x);
    let (beside, minus) = (doubling.beside[f], simd.splat(-1.0));
    let left = simd.mul_add(simd.splat(beside), before, simd.add(even, odd));
    let right = match f % 2 {
        0 => simd.mul_add(simd.splat(beside), behind, simd.mul_add(odd, minus, even)),
        _ => simd.mul_add(simd.splat(-beside), behind, simd.mul_add(even, minus, odd)),
    };
    [left, right]
}

/// Lines `pitch` apart, 16 numbers of each.
#[inline(always)]
fn load_spectra<S: Simd>(simd: S, lines: &[f32], pitch: usize) -> Spectra<S> {
    let mut spectra = [simd.splat(0.0); 8];
    for (u, x) in spectra.iter_mut().enumerate() {
        *x = load(simd, lines, u * pitch);
    }
    spectra
}

/// 16 numbers from there on.
#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32], at: usize) -> S::F32x16 {
    match values[at..].first_chunk() {
        Some(values) => simd.load(values),
        None => simd.splat(0.0),
    }
}

/// 16 numbers to there on; buffers have the room.
#[inline(always)]
fn store<S: Simd>(simd: S, value: S::F32x16, values: &mut [f32], at: usize) {
    if let Some(values) = values[at..].first_chunk_mut() {
        simd.store(value, values);
    }
}

/// Dequantises a block row into rows `[v][u][i]`.
pub(crate) struct Unpack<'a> {
    pub row: TileRow<'a>,
    /// Zigzag order.
    pub steps: &'a [f32; 64],
    /// Of 8 frequencies, lines of whole 16.
    pub shape: RowShape,
    pub rows: &'a mut [f32],
}

impl Kernel for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Unpack { row, steps, shape, rows } = self;
        let mut lines = Aligned([[0; BLOCKS]; 8]);
        for start in (0..shape.blocks).step_by(BLOCKS) {
            let last = shape.blocks - 1;
            let blocks: [&Block; BLOCKS] = std::array::from_fn(|b| row.block((start + b).min(last)));
            for (eighth, steps) in steps.as_chunks::<8>().0.iter().enumerate() {
                shuffle::gather(simd, &blocks, eighth, lines.0.each_mut());
                for (n, (line, &step)) in lines.0.iter().zip(steps).enumerate() {
                    let frequency = usize::from(ROW_MAJOR[8 * eighth + n]);
                    let at = frequency / 8 * shape.pitch + frequency % 8 * shape.stride + start;
                    store(simd, simd.mul(simd.load_i16(line), simd.splat(step)), rows, at);
                }
            }
        }
    }
}

/// Doubles columns: rows `[v][u][i]` to rows `[v][k][i]` of twice the width, for 8 v.
pub(crate) struct Across<'a> {
    pub axis: DoubledAxis<'a>,
    pub from: &'a [f32],
    pub from_shape: RowShape,
    pub rows: &'a mut [f32],
    /// Lines of whole 32.
    pub shape: RowShape,
    /// Room for two lines of the input and 32 numbers.
    pub samples: &'a mut [f32],
}

impl Kernel for Across<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for_kept!(self.shape.k, self.apply::<S>(simd))
    }
}

impl Across<'_> {
    #[inline(always)]
    fn apply<S: Simd, const K: usize>(self, simd: S) {
        let Across { axis: DoubledAxis { doubling, map, regular }, from, from_shape, rows, shape, samples } = self;
        let blocks = from_shape.blocks;
        // The last samples of the blocks before, the first ones of those behind.
        let (before, behind) = samples.split_at_mut(from_shape.stride + LANES);
        for v in 0..8 {
            let (from, rows) = (&from[v * from_shape.pitch..], &mut rows[v * shape.pitch..][..shape.pitch]);
            for i in (0..blocks).step_by(LANES) {
                let [first, last] = ends(simd, &load_spectra(simd, &from[i..], from_shape.stride));
                store(simd, first, behind, i);
                store(simd, last, before, i + 1);
            }
            // At the border samples repeat.
            (before[0], behind[blocks]) = (behind[0], before[blocks]);
            for i in (0..blocks).step_by(LANES) {
                let spectra = load_spectra(simd, &from[i..], from_shape.stride);
                let (before, behind) = (load(simd, before, i), load(simd, behind, i + 1));
                for f in 0..K {
                    let [left, right] = halves(simd, doubling, f, &spectra, before, behind);
                    let [low, high] = simd.interleave(left, right);
                    store(simd, low, rows, f * shape.stride + 2 * i);
                    store(simd, high, rows, f * shape.stride + 2 * i + LANES);
                }
            }
            for o in regular..shape.blocks {
                let (first, taps) = map.taps(o);
                for (f, taps) in (0..K).map(|f| (f, taps.iter().skip(f).step_by(K))) {
                    let places = (0..).map(|n| n % 8 * from_shape.stride + first + n / 8);
                    rows[f * shape.stride + o] = taps.zip(places).map(|(weight, at)| weight * from[at]).sum();
                }
            }
        }
    }
}

/// Doubles rows: one block row `[v][k][i]` to two output rows `[w][k][i]`.
pub(crate) struct Down<'a> {
    pub doubling: &'static Doubling,
    /// Kept vertical frequencies.
    pub kept: usize,
    pub shape: RowShape,
    pub row: &'a [f32],
    /// The row below, or none.
    pub below: Option<&'a [f32]>,
    /// The last samples of the row above, `[k][i]`, or none; then, of this row.
    pub above: &'a mut [f32],
    pub top: bool,
    pub sums: [&'a mut [f32]; 2],
}

impl Kernel for Down<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for_kept!(self.kept, self.apply::<S>(simd))
    }
}

impl Down<'_> {
    #[inline(always)]
    fn apply<S: Simd, const K: usize>(self, simd: S) {
        let Down { doubling, shape, row, below, above, top, sums: [upper, lower], .. } = self;
        for x in (0..shape.k * shape.stride).step_by(LANES) {
            let own = load_spectra(simd, &row[x..], shape.pitch);
            let [first, last] = ends(simd, &own);
            let before = if top { first } else { load(simd, above, x) };
            let behind = match below {
                Some(below) => ends(simd, &load_spectra(simd, &below[x..], shape.pitch))[0],
                None => last,
            };
            store(simd, last, above, x);
            for f in 0..K {
                let [left, right] = halves(simd, doubling, f, &own, before, behind);
                store(simd, left, upper, f * shape.pitch + x);
                store(simd, right, lower, f * shape.pitch + x);
            }
        }
    }
}
