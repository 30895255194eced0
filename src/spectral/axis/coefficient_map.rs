//! An axis map on DCT coefficients.
//!
//! What enters: an [`AxisMap`] on samples and how many output frequencies are wanted. What leaves: for every output
//! block, the input blocks it reads and a weight for each of their coefficients and each wanted frequency, laid out for
//! the kernels. Nothing is applied to an image here, except by [`CoefficientMap::apply`], the kernels' slow twin.
//!
//! From input block j to output block i the map is `M_ij = D R_ij D^T` (R_ij: rows 8i.. and columns 8j.. of R). It is
//! built as `(D R_ij) D^T`: every tap of R adds its multiple of a column of D to one column of the first product, K numbers;
//! then columns x and 7 - x share a row of D^T up to the sign of odd frequencies, so they are added and subtracted first.
//! The cost is K multiplications a tap and 4 * 8 * K a pair of blocks, never a dense 8 x 8 x 8 product.
//!
//! A last smoothing by `[s, 1 - 2s, s]` is folded into D: its columns are smoothed instead of the rows of R, of which
//! there are then ten, -1 and 8 too.

use std::ops::Range;

use super::map::AxisMap;
use crate::cpu::{Cpu, Kernel, Simd};
use crate::spectral::dct::{self, D_T};

/// Precision of the weights: f32 for the kernels, f64 for verification. Built in f64 either way and rounded once.
pub trait Real: Copy + Default + PartialEq + sealed::Sealed {
    /// Rounds to this precision.
    fn from_f64(value: f64) -> Self;
    /// Exactly this value.
    fn to_f64(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// How far back a block is looked for whose map is the same but for a shift: the longest period of a chroma ratio.
const LONGEST_PERIOD: usize = 4;

/// `y_i = sum over j of M_ij x_j + b_i`, for blocks of spectra along one axis; only frequencies `0..k` of y.
///
/// Output block i reads input blocks `first[i] .. first[i] + count[i]`, and its weights are
/// `weights[offset[i] ..][..count[i] * 8 * k]` in the order (input block, input frequency u, output frequency), the last
/// fastest. Blocks whose maps differ only by a shift share their weights, so offsets may repeat. Every output block reads
/// at least one input block, with zero weights if it is constant, as long as there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct CoefficientMap<T = f32> {
    blocks_in: usize,
    k: usize,
    first: Vec<u32>,
    count: Vec<u32>,
    offset: Vec<usize>,
    weights: Vec<T>,
    /// `[blocks_out][k]`, or empty when all are zero.
    bias: Vec<T>,
    /// For every input block the hull of the outputs that read it.
    readers: Vec<(u32, u32)>,
    shift: Option<usize>,
}

impl<T: Real> CoefficientMap<T> {
    /// Conjugates a map by the DCT and keeps output frequencies `0..k` (k is taken into 1..=8).
    ///
    /// `ceil(n_in / 8)` blocks are read; columns beyond `n_in` have no weight. `ceil(n_out / 8)` blocks are made; where
    /// `n_out` ends inside a block its last row is repeated ([`Edge::Replicate`](super::Edge)).
    pub fn new(map: &AxisMap, k: usize) -> CoefficientMap<T> {
        CoefficientMap::smoothed(map, 0.0, k)
    }

    /// The same for the map and then a smoothing by `[side, 1 - 2 * side, side]`, border replicate:
    /// `new(&map.then(&AxisMap::smooth(map.n_out(), ..)), k)`, without making its rows.
    pub fn smoothed(map: &AxisMap, side: f64, k: usize) -> CoefficientMap<T> {
        if side != 0.0 && (!map.n_out().is_multiple_of(dct::N) || map.has_bias()) {
            // The last sample of a block that is not full is repeated after the smoothing, not before it.
            let kernel = [side, 1.0 - 2.0 * side, side];
            return CoefficientMap::smoothed(&map.then(&AxisMap::smooth(map.n_out(), &kernel)), 0.0, k);
        }
        let blocks_out = map.n_out().div_ceil(dct::N);
        let mut built = CoefficientMap {
            blocks_in: map.n_in().div_ceil(dct::N),
            k: k.clamp(1, dct::N),
            first: Vec::with_capacity(blocks_out),
            count: Vec::with_capacity(blocks_out),
            offset: Vec::with_capacity(blocks_out),
            weights: Vec::new(),
            bias: Vec::new(),
            readers: Vec::new(),
            shift: None,
        };
        Cpu::detect().run(Conjugate { map, side, built: &mut built });
        built.place_constants();
        built.push_bias(map);
        built.readers = built.find_readers();
        built.shift = built.find_shift(map).filter(|_| side == 0.0);
        built
    }

    /// Gives outputs that read nothing one input block with zero weights, near a neighbour's, so that kernels need no
    /// special case and a stream of inputs meets them in order.
    fn place_constants(&mut self) {
        if self.blocks_in == 0 || self.count.iter().all(|&count| count > 0) {
            return;
        }
        let zeros = self.weights.len();
        self.weights.resize(zeros + dct::N * self.k, T::default());
        let leading = self.count.iter().position(|&count| count > 0).unwrap_or(self.count.len());
        let mut near = self.first.get(leading).copied().unwrap_or(0);
        for i in 0..self.first.len() {
            if self.count[i] == 0 {
                (self.first[i], self.count[i], self.offset[i]) = (near, 1, zeros);
            } else {
                near = self.first[i] + self.count[i] - 1;
            }
        }
    }

    fn push_bias(&mut self, map: &AxisMap) {
        if !map.has_bias() {
            return;
        }
        for i in 0..self.first.len() {
            let samples = std::array::from_fn(|r| map.bias((dct::N * i + r).min(map.n_out() - 1)));
            self.bias.extend(dct::forward(&samples)[..self.k].iter().map(|&b| T::from_f64(b)));
        }
    }

    fn find_readers(&self) -> Vec<(u32, u32)> {
        let mut readers = vec![(u32::MAX, 0); self.blocks_in];
        for (i, (&first, &count)) in (0u32..).zip(self.first.iter().zip(&self.count)) {
            for (from, to) in &mut readers[first as usize..(first + count) as usize] {
                (*from, *to) = ((*from).min(i), i + 1);
            }
        }
        readers
    }

    fn find_shift(&self, map: &AxisMap) -> Option<usize> {
        let shift = *self.first.first()? as usize;
        let moved = |o| map.row(o) == (o + dct::N * shift, &[1.0]);
        (map.n_out().is_multiple_of(dct::N) && !map.has_bias() && (0..map.n_out()).all(moved)).then_some(shift)
    }
}

/// What the kernels and the tensor builder ask.
impl<T: Real> CoefficientMap<T> {
    /// Blocks read.
    pub fn blocks_in(&self) -> usize {
        self.blocks_in
    }

    /// Blocks made.
    pub fn blocks_out(&self) -> usize {
        self.first.len()
    }

    /// Output frequencies kept, `0..k`; 1..=8.
    #[inline]
    pub fn k(&self) -> usize {
        self.k
    }

    /// First input block of every output block.
    pub fn first(&self) -> &[u32] {
        &self.first
    }

    /// How many input blocks every output block reads.
    pub fn count(&self) -> &[u32] {
        &self.count
    }

    /// Where every output block's weights begin in [`weights`](Self::weights).
    pub fn offset(&self) -> &[usize] {
        &self.offset
    }

    /// All weights; the layout is described at the type.
    pub fn weights(&self) -> &[T] {
        &self.weights
    }

    /// The first input block of output i and its weights, `count * 8 * k` of them. Panics if `i >= blocks_out`.
    #[inline]
    pub fn taps(&self, i: usize) -> (usize, &[T]) {
        let from = self.offset[i];
        (self.first[i] as usize, &self.weights[from..from + self.count[i] as usize * dct::N * self.k])
    }

    /// The constants `[blocks_out][k]` added to the outputs, or an empty slice when there are none.
    ///
    /// They are the spectrum of the axis map's bias along this axis. In two dimensions a constant along the other axis is
    /// its zero frequency alone: of a block (v, u) the horizontal map adds `sqrt(8) * bias[u]` at v = 0, and the vertical
    /// map, applied after it, `sqrt(8) * bias[v]` at u = 0.
    pub fn bias(&self) -> &[T] {
        &self.bias
    }

    /// Whether outputs are the inputs, frequencies `0..k` of them.
    pub fn is_identity(&self) -> bool {
        self.shift == Some(0) && self.blocks_in == self.blocks_out()
    }

    /// `Some(s)` if output block i is input block i + s as it is: a crop along block borders.
    pub fn shift(&self) -> Option<usize> {
        self.shift
    }

    /// Hull of the input blocks that these output blocks read. Outputs beyond the last are ignored.
    pub fn input_range(&self, outputs: Range<usize>) -> Range<usize> {
        let end = outputs.end.min(self.first.len());
        let start = outputs.start.min(end);
        let reads = || self.first[start..end].iter().zip(&self.count[start..end]);
        let from = reads().map(|(&first, _)| first).min().unwrap_or(0);
        let to = reads().map(|(&first, &count)| first + count).max().unwrap_or(0);
        from as usize..to as usize
    }

    /// Hull of the output blocks that read input block j; empty if none does.
    pub fn readers(&self, j: usize) -> Range<usize> {
        match self.readers.get(j) {
            Some(&(from, to)) if from < to => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// The last output block that reads input block j.
    pub fn last_output_needing(&self, j: usize) -> Option<usize> {
        self.readers(j).last()
    }

    /// The most input blocks that one output block reads: the length of a ring of inputs.
    pub fn max_count(&self) -> usize {
        self.count.iter().copied().max().unwrap_or(0) as usize
    }

    /// The most output blocks that one input block meets, by their hull: with inputs arriving in order, the length of a
    /// ring of accumulators that is always enough, flips included.
    pub fn max_open(&self) -> usize {
        self.readers.iter().map(|&(from, to)| to.saturating_sub(from)).max().unwrap_or(0) as usize
    }

    /// The most output blocks left unfinished when an input block has been dealt with. Outputs that begin and end on the
    /// same block pass through one more accumulator, so for a map that does not flip a ring of `max_carried() + 1` is
    /// enough; where many outputs read one block alone (padding, strong enlarging) it is far shorter than `max_open()`.
    pub fn max_carried(&self) -> usize {
        let mut change = vec![0i64; self.blocks_in + 1];
        for (&first, &count) in self.first.iter().zip(&self.count) {
            // Unfinished after blocks first ..= first + count - 2.
            change[first as usize] += 1;
            change[(first + count).saturating_sub(1) as usize] -= 1;
        }
        let carried = change.iter().scan(0, |open, change| {
            *open += change;
            Some(*open)
        });
        carried.max().unwrap_or(0) as usize
    }

    /// Memory of the map in bytes, for a cache to count.
    pub fn bytes(&self) -> usize {
        let per_output = 2 * size_of::<u32>() + size_of::<usize>();
        self.first.len() * per_output + self.readers.len() * 8 + (self.weights.len() + self.bias.len()) * size_of::<T>()
    }

    /// At most this [`bytes`](Self::bytes), and what its vectors have to spare, of a map from `blocks_in` to `blocks_out` blocks,
    /// of which `different` have weights of their own, each of `read` blocks.
    pub(in crate::spectral) fn bytes_at_most(
        blocks_in: u64,
        blocks_out: u64,
        different: u64,
        read: u64,
        k: u64,
    ) -> u64 {
        let (number, block) = (size_of::<T>() as u64, dct::N as u64 * k);
        let per_output = (2 * size_of::<u32>() + size_of::<usize>()) as u64 + 2 * k * number;
        // One block of zeros, for outputs that read nothing.
        let weights = (different.saturating_mul(read) + 1).saturating_mul(2 * block * number);
        weights.saturating_add(blocks_out * per_output).saturating_add(blocks_in * 16)
    }

    /// Applies the map to blocks of spectra along one axis, in f64: the slow twin of the kernels. Missing blocks count as
    /// zero; frequencies from k on come out zero.
    pub fn apply(&self, blocks: &[[f64; dct::N]]) -> Vec<[f64; dct::N]> {
        (0..self.blocks_out())
            .map(|i| {
                let mut out = [0.0; dct::N];
                for (y, b) in out.iter_mut().zip(self.bias.chunks_exact(self.k).nth(i).unwrap_or(&[])) {
                    *y = b.to_f64();
                }
                let (first, weights) = self.taps(i);
                let inputs = blocks.get(first..).unwrap_or(&[]).iter().flatten();
                for (x, weights) in inputs.zip(weights.chunks_exact(self.k)) {
                    for (y, w) in out.iter_mut().zip(weights) {
                        *y += w.to_f64() * x;
                    }
                }
                out
            })
            .collect()
    }
}

/// Rows of R that make an output block: -1..=8, of which the outer two count for a smoothing alone.
const ROWS: usize = dct::N + 2;

/// The making of the weights.
struct Conjugate<'a, T> {
    map: &'a AxisMap,
    side: f64,
    built: &'a mut CoefficientMap<T>,
}

impl<T: Real> Kernel for Conjugate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Output frequencies are taken four at a time.
        if self.built.k <= 4 { self.push_blocks::<S, 1>(simd) } else { self.push_blocks::<S, 2>(simd) }
    }
}

impl<T: Real> Conjugate<'_, T> {
    /// For at most 4 Q output frequencies.
    #[inline(always)]
    fn push_blocks<S: Simd, const Q: usize>(self, simd: S) {
        let Conjugate { map, side, built } = self;
        let smoothed = smoothed_columns::<Q>(side);
        // The rows a smoothing needs.
        let used = if side == 0.0 { 1..ROWS - 1 } else { 0..ROWS };
        // The product D R on the input blocks that an output block reads, one after the other.
        let mut product: Vec<[[f64; 4]; Q]> = Vec::new();
        for i in 0..map.n_out().div_ceil(dct::N) {
            let rows: [_; ROWS] = std::array::from_fn(|r| block_row(map, i, r));
            let rows = &rows[used.clone()];
            let (first, count) = blocks_read(rows);
            let offset = match built.same_block(map, i, rows.len(), first, count) {
                Some(past) => built.offset[past],
                None => {
                    product.clear();
                    product.resize(dct::N * count, [[0.0; 4]; Q]);
                    for (&(start, taps), column) in rows.iter().zip(&smoothed[used.clone()]) {
                        // A row without taps starts nowhere.
                        let columns = product.get_mut(start.wrapping_sub(dct::N * first)..).unwrap_or(&mut []);
                        for (sums, w) in columns.iter_mut().zip(taps) {
                            let w = simd.splat_f64(*w);
                            for q in 0..Q {
                                let term = simd.mul_f64(w, simd.load_f64(&column[q]));
                                simd.store_f64(simd.add_f64(simd.load_f64(&sums[q]), term), &mut sums[q]);
                            }
                        }
                    }
                    let offset = built.weights.len();
                    for (j, product) in (first..).zip(product.as_chunks::<{ dct::N }>().0) {
                        built.push_weights(simd, side == 0.0 && is_moved(rows, j), product);
                    }
                    offset
                }
            };
            built.first.push(first as u32);
            built.count.push(count as u32);
            built.offset.push(offset);
        }
    }
}

impl<T: Real> CoefficientMap<T> {
    /// An output block shortly before block i whose rows, `used` of them, are the same but for a shift by whole blocks.
    #[inline(always)]
    fn same_block(&self, map: &AxisMap, i: usize, used: usize, first: usize, count: usize) -> Option<usize> {
        (i.saturating_sub(LONGEST_PERIOD)..i).rev().find(|&past| {
            let shift = dct::N * self.first[past] as usize;
            let outer = usize::from(used != ROWS);
            self.count[past] as usize == count
                && (outer..ROWS - outer).all(|r| {
                    let ((start, taps), (past_start, past_taps)) = (block_row(map, i, r), block_row(map, past, r));
                    start + shift == past_start + dct::N * first && *taps == *past_taps
                })
        })
    }

    /// The weights from one input block to one output block: `M[u][f] = sum over x of D[u][x] * product[x][f]`.
    #[inline(always)]
    fn push_weights<S: Simd, const Q: usize>(&mut self, simd: S, moved: bool, product: &[[[f64; 4]; Q]; dct::N]) {
        let k = self.k;
        if moved {
            // Exactly the identity, without the rounding of D D^T.
            let one = |tap: usize| T::from_f64(f64::from(u8::from(tap / k == tap % k)));
            return self.weights.extend((0..dct::N * k).map(one));
        }
        let from = self.weights.len();
        self.weights.resize(from + dct::N * k, T::default());
        let weights = &mut self.weights[from..];
        for q in 0..Q {
            // What even input frequencies take of samples x and 7 - x, and what odd ones do.
            let [mut even, mut odd] = [[simd.splat_f64(0.0); dct::N / 2]; 2];
            for x in 0..dct::N / 2 {
                let (left, right) = (simd.load_f64(&product[x][q]), simd.load_f64(&product[7 - x][q]));
                (even[x], odd[x]) = (simd.add_f64(left, right), simd.sub_f64(left, right));
            }
            for u in 0..dct::N {
                let parts = if u % 2 == 0 { &even } else { &odd };
                let term = |x: usize| simd.mul_f64(simd.splat_f64(D_T[x][u]), parts[x]);
                let sum = simd.add_f64(simd.add_f64(term(0), term(1)), simd.add_f64(term(2), term(3)));
                let mut sums = [0.0; 4];
                simd.store_f64(sum, &mut sums);
                let rounded = sums.map(T::from_f64);
                let to = &mut weights[k * u + 4 * q..k * (u + 1)];
                // Fixed lengths, the usual ones: a loop over two or four numbers costs more than the sums.
                if let Some(to) = to.first_chunk_mut::<4>() {
                    *to = rounded;
                } else if let [a, b] = to {
                    (*a, *b) = (rounded[0], rounded[1]);
                } else {
                    to.iter_mut().zip(rounded).for_each(|(to, rounded)| *to = rounded);
                }
            }
        }
    }
}

/// The first 4 Q rows of `D S`, S being the smoothing: columns -1..=8.
#[inline(always)]
fn smoothed_columns<const Q: usize>(side: f64) -> [[[f64; 4]; Q]; ROWS] {
    let column = |r: usize| r.checked_sub(1).and_then(|r| D_T.get(r)).copied().unwrap_or_default();
    std::array::from_fn(|r| {
        let (before, own, after) = (r.checked_sub(1).map_or([0.0; dct::N], column), column(r), column(r + 1));
        let smoothed = |f: usize| side * (before[f] + after[f]) + (1.0 - 2.0 * side) * own[f];
        std::array::from_fn(|q| std::array::from_fn(|f| smoothed(4 * q + f)))
    })
}

/// Row `r - 1` of R of output block i: beyond the first and the last row of all, these again.
#[inline(always)]
fn block_row(map: &AxisMap, i: usize, r: usize) -> (usize, &[f64]) {
    map.row((dct::N * i + r).saturating_sub(1).min(map.n_out() - 1))
}

/// First input block and number of input blocks under these rows.
#[inline(always)]
fn blocks_read(rows: &[(usize, &[f64])]) -> (usize, usize) {
    let (mut lo, mut hi) = (usize::MAX, 0);
    for &(start, taps) in rows {
        if !taps.is_empty() {
            (lo, hi) = (lo.min(start), hi.max(start + taps.len()));
        }
    }
    if lo >= hi { (0, 0) } else { (lo / dct::N, hi.div_ceil(dct::N) - lo / dct::N) }
}

/// Whether these eight rows are input block j as it is.
#[inline(always)]
fn is_moved(rows: &[(usize, &[f64])], j: usize) -> bool {
    rows.iter().enumerate().all(|(r, &row)| row == (dct::N * j + r, &[1.0]))
}
