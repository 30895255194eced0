//! Changes of order that no compiler finds: coefficients of many blocks side by side, blocks in another order,
//! transposes.
//!
//! What enters: arrays. What leaves: the same numbers elsewhere, at every level exactly the same. Each function has its
//! plain loops for the portable level and, where the level has them, shuffles of 8 x 8.

use super::Simd;

/// 64 numbers that belong together.
pub(crate) type Block = [i16; 64];

/// Blocks taken together.
pub(crate) const BLOCKS: usize = 16;

/// An order of 64 numbers: place -> where its number comes from. Numbers may be left out or repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order([u16; 64]);

impl Order {
    /// Sources beyond 63 are taken modulo 64.
    pub const fn new(sources: &[u8; 64]) -> Order {
        let mut order = [0; 64];
        let mut i = 0;
        while i < 64 {
            order[i] = (sources[i] & 63) as u16;
            i += 1;
        }
        Order(order)
    }

    /// One block in this order.
    pub fn apply(&self, block: &Block) -> Block {
        self.0.map(|source| block[usize::from(source & 63)])
    }
}

/// Numbers `8 * group ..` of 16 blocks: `to[i][b] = blocks[b][8 * group + i]`; groups are taken modulo 8.
#[inline(always)]
pub(crate) fn gather<S: Simd>(simd: S, blocks: &[&Block; BLOCKS], group: usize, to: [&mut [i16; BLOCKS]; 8]) {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v3() {
        // SAFETY: the proof has AVX2.
        return unsafe { x86::gather(blocks, group, to) };
    }
    let _ = simd;
    for (i, row) in to.into_iter().enumerate() {
        row.iter_mut().zip(blocks).for_each(|(to, block)| *to = block[8 * (group & 7) + i]);
    }
}

/// Blocks in another order: `to[b] = order(blocks[b])`, for as many as there are, at most 16.
#[inline(always)]
pub(crate) fn reorder<S: Simd>(simd: S, blocks: &[&Block], order: &Order, to: &mut [Block; BLOCKS]) {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    {
        if let Some(_proof) = simd.v4() {
            // SAFETY: the proof has AVX-512 F and BW.
            return unsafe { x86::permute_all(blocks, order, to) };
        }
        if let (Some(_proof), Some(first)) = (simd.v3(), blocks.first()) {
            let padded = std::array::from_fn(|b| *blocks.get(b).unwrap_or(first));
            // SAFETY: the proof has AVX2.
            return unsafe { x86::reorder(&padded, order, to) };
        }
    }
    let _ = simd;
    to.iter_mut().zip(blocks).for_each(|(to, block)| *to = order.apply(block));
}

/// The transpose of 8 x 8 numbers: `to[j * to_pitch + i] = from[i * from_pitch + j]`.
///
/// Panics if a slice does not have all places.
#[inline(always)]
pub(crate) fn transpose<S: Simd>(simd: S, from: &[f32], from_pitch: usize, to: &mut [f32], to_pitch: usize) {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v3() {
        // SAFETY: the proof has AVX2.
        return unsafe { x86::transpose(from, from_pitch, to, to_pitch) };
    }
    let _ = simd;
    for j in 0..8 {
        let row = &mut to[j * to_pitch..][..8];
        row.iter_mut().enumerate().for_each(|(i, to)| *to = from[i * from_pitch + j]);
    }
}

/// Always inlined into kernels, which have the features of their level; a function with features of its own would be a
/// call.
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;
    use crate::cpu::Aligned;

    /// Two 8 x 8 transposes, one in each half of the registers.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    unsafe fn transpose_halves(rows: [__m256i; 8]) -> [__m256i; 8] {
        let [a, b, c, d, e, f, g, h] = rows;
        // SAFETY: the caller has AVX2.
        unsafe {
            let (ab, ab_high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
            let (cd, cd_high) = (_mm256_unpacklo_epi16(c, d), _mm256_unpackhi_epi16(c, d));
            let (ef, ef_high) = (_mm256_unpacklo_epi16(e, f), _mm256_unpackhi_epi16(e, f));
            let (gh, gh_high) = (_mm256_unpacklo_epi16(g, h), _mm256_unpackhi_epi16(g, h));
            // Columns 0 and 1 of a..d and of e..h, then 2 and 3, 4 and 5, 6 and 7.
            let (p, q) = (_mm256_unpacklo_epi32(ab, cd), _mm256_unpacklo_epi32(ef, gh));
            let (r, s) = (_mm256_unpackhi_epi32(ab, cd), _mm256_unpackhi_epi32(ef, gh));
            let (t, u) = (_mm256_unpacklo_epi32(ab_high, cd_high), _mm256_unpacklo_epi32(ef_high, gh_high));
            let (v, w) = (_mm256_unpackhi_epi32(ab_high, cd_high), _mm256_unpackhi_epi32(ef_high, gh_high));
            [
                _mm256_unpacklo_epi64(p, q),
                _mm256_unpackhi_epi64(p, q),
                _mm256_unpacklo_epi64(r, s),
                _mm256_unpackhi_epi64(r, s),
                _mm256_unpacklo_epi64(t, u),
                _mm256_unpackhi_epi64(t, u),
                _mm256_unpacklo_epi64(v, w),
                _mm256_unpackhi_epi64(v, w),
            ]
        }
    }

    /// As [`super::gather`].
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    pub(super) unsafe fn gather(blocks: &[&Block; BLOCKS], group: usize, to: [&mut [i16; BLOCKS]; 8]) {
        let eight = |block: &Block| {
            let (groups, _) = block.as_chunks::<8>();
            // SAFETY: 16 bytes, any alignment will do.
            unsafe { _mm_loadu_si128(groups[group & 7].as_ptr().cast()) }
        };
        // SAFETY: the caller has AVX2; a row is 32 bytes, any alignment will do.
        unsafe {
            let mut rows = [_mm256_setzero_si256(); 8];
            for (b, row) in rows.iter_mut().enumerate() {
                *row = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(eight(blocks[b])), eight(blocks[b + 8]));
            }
            let rows = transpose_halves(rows);
            for (to, row) in to.into_iter().zip(rows) {
                _mm256_storeu_si256(to.as_mut_ptr().cast(), row);
            }
        }
    }

    /// As [`super::reorder`]: all numbers side by side, then back in the other order.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    pub(super) unsafe fn reorder(blocks: &[&Block; BLOCKS], order: &Order, to: &mut [Block; BLOCKS]) {
        let mut all = Aligned([[0i16; BLOCKS]; 64]);
        // SAFETY: the caller has AVX2; a row of `all` is 32 bytes, eight numbers of a block are 16, any alignment will do.
        unsafe {
            for (group, rows) in all.0.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                gather(blocks, group, rows.each_mut());
            }
            for (group, sources) in order.0.as_chunks::<8>().0.iter().enumerate() {
                let mut rows = [_mm256_setzero_si256(); 8];
                for (row, source) in rows.iter_mut().zip(sources) {
                    *row = _mm256_loadu_si256(all.0[usize::from(source & 63)].as_ptr().cast());
                }
                let rows = transpose_halves(rows);
                for (b, row) in rows.into_iter().enumerate() {
                    let mut put = |b: usize, half: __m128i| {
                        let (groups, _) = to[b].as_chunks_mut::<8>();
                        _mm_storeu_si128(groups[group].as_mut_ptr().cast(), half);
                    };
                    put(b, _mm256_castsi256_si128(row));
                    put(b + 8, _mm256_extracti128_si256::<1>(row));
                }
            }
        }
    }

    /// One block in another order, by the one instruction that picks from 64 numbers: 0..32 and 32..64 of the result.
    ///
    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[inline(always)]
    unsafe fn permute(block: &Block, order: &Order) -> [__m512i; 2] {
        // SAFETY: the caller has the features; an order and a block are two times 64 bytes each, any alignment will do.
        unsafe {
            let load = |from: *const i16| [_mm512_loadu_si512(from.cast()), _mm512_loadu_si512(from.add(32).cast())];
            let [low, high] = load(block.as_ptr());
            load(order.0.as_ptr().cast()).map(|sources| _mm512_permutex2var_epi16(low, sources, high))
        }
    }

    /// As [`super::reorder`].
    ///
    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[inline(always)]
    pub(super) unsafe fn permute_all(blocks: &[&Block], order: &Order, to: &mut [Block; BLOCKS]) {
        for (block, to) in blocks.iter().zip(to) {
            // SAFETY: the caller has the features; each half of a block is 64 bytes, any alignment will do.
            unsafe {
                let [low, high] = permute(block, order);
                _mm512_storeu_si512(to.as_mut_ptr().cast(), low);
                _mm512_storeu_si512(to.as_mut_ptr().add(32).cast(), high);
            }
        }
    }

    /// As [`super::transpose`].
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    pub(super) unsafe fn transpose(from: &[f32], from_pitch: usize, to: &mut [f32], to_pitch: usize) {
        let reach = |pitch: usize| pitch.saturating_mul(7).saturating_add(8);
        assert!(from.len() >= reach(from_pitch) && to.len() >= reach(to_pitch));
        for half in [0, 4] {
            // SAFETY: the caller has AVX2; rows up to 7 of 8 numbers are within `reach`, any alignment will do.
            unsafe {
                // Rows i and i + 4, columns half .. half + 4.
                let mut rows = [_mm256_setzero_ps(); 4];
                for (i, row) in rows.iter_mut().enumerate() {
                    let four = |i: usize| _mm_loadu_ps(from.as_ptr().add(i * from_pitch + half));
                    *row = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(four(i)), four(i + 4));
                }
                let [a, b, c, d] = rows;
                let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let columns = [
                    _mm256_shuffle_ps::<0x44>(ab, cd),
                    _mm256_shuffle_ps::<0xee>(ab, cd),
                    _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                    _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
                ];
                for (j, column) in columns.into_iter().enumerate() {
                    _mm256_storeu_ps(to.as_mut_ptr().add((half + j) * to_pitch), column);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kernel, all};
    use super::*;

    fn blocks() -> [Block; BLOCKS] {
        std::array::from_fn(|b| std::array::from_fn(|k| (b * 64 + k) as i16 - 300))
    }

    struct Gather<'a>([&'a Block; BLOCKS], usize);

    impl Kernel for Gather<'_> {
        type Output = [[i16; BLOCKS]; 8];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mut to = [[0; BLOCKS]; 8];
            gather(simd, &self.0, self.1, to.each_mut());
            to
        }
    }

    struct Reorder<'a>(&'a [&'a Block], &'a Order);

    impl Kernel for Reorder<'_> {
        type Output = [Block; BLOCKS];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mut to = [[0; 64]; BLOCKS];
            reorder(simd, self.0, self.1, &mut to);
            to
        }
    }

    struct Transpose<'a>(&'a [f32]);

    impl Kernel for Transpose<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mut to = vec![0.0; 90];
            transpose(simd, self.0, 16, &mut to, 11);
            to
        }
    }

    #[test]
    fn every_level_puts_the_same_numbers_in_the_same_places() {
        let blocks = blocks();
        let refs = blocks.each_ref();
        let order = Order::new(&std::array::from_fn(|i| (i * 29 % 67) as u8));
        let numbers: Vec<f32> = (0..136).map(|i| i as f32).collect();
        for cpu in all() {
            for group in 0..8 {
                let found = cpu.run(Gather(refs, group));
                assert!((0..8).all(|i| (0..BLOCKS).all(|b| found[i][b] == blocks[b][8 * group + i])));
            }
            for count in [1, 7, 16] {
                let found = cpu.run(Reorder(&refs[..count], &order));
                assert!(found.iter().zip(&blocks[..count]).all(|(found, block)| *found == order.apply(block)));
            }
            let found = cpu.run(Transpose(&numbers));
            assert!((0..8).all(|i| (0..8).all(|j| found[11 * j + i] == numbers[16 * i + j])));
        }
        let block: Block = std::array::from_fn(|k| 3 * k as i16);
        assert_eq!(order.apply(&block)[63], 3 * (63 * 29 % 67) as i16);
    }
}
