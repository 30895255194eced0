//! 64 numbers and a bit for each: what a mask says is done to all of them at once.
//!
//! What enters: masks and blocks. What leaves: masks and blocks, at every level exactly the same. Each function has its
//! plain loop for the portable level, which a test holds the others equal to.

use super::Simd;

/// The low bits of `value` at the places of the bits set in `mask`, lowest first; 0 elsewhere (BMI2's PDEP).
#[inline(always)]
pub(crate) fn deposit<S: Simd>(simd: S, value: u64, mask: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v3() {
        // SAFETY: the proof has BMI2.
        return unsafe { std::arch::x86_64::_pdep_u64(value, mask) };
    }
    let _ = simd;
    let (mut value, mut mask, mut deposited) = (value, mask, 0);
    while value != 0 && mask != 0 {
        deposited |= mask & mask.wrapping_neg() & (value & 1).wrapping_neg();
        mask &= mask - 1;
        value >>= 1;
    }
    deposited
}

/// The low bits of two numbers at the places of the bits that are not set in the mask that `row` is of, `clear` of `width`,
/// lowest first. Those of the second count where the first has one.
#[inline(always)]
pub(crate) fn deposit_beside<S: Simd>(simd: S, values: [u64; 2], row: &Row, clear: u64) -> [u64; 2] {
    if simd.v3().is_some() {
        return values.map(|value| deposit(simd, value, clear));
    }
    let count = clear.count_ones();
    let ([mut left, second], mut deposited) = (values, [0; 2]);
    while left != 0 {
        // So many that are not set are below this one, and so many that are.
        let place = left.trailing_zeros();
        let set = row.0[count.saturating_sub(place) as usize % Row::LEN];
        let bit = 1 << ((place + u32::from(set)) & 63);
        deposited[0] |= bit;
        deposited[1] |= if second >> place & 1 == 1 { bit } else { 0 };
        left &= left - 1;
    }
    deposited
}

/// The bits of `value` at the places of the bits set in `mask`, one beside the other, lowest first (BMI2's PEXT).
#[inline(always)]
pub(crate) fn extract<S: Simd>(simd: S, value: u64, mask: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v3() {
        // SAFETY: the proof has BMI2.
        return unsafe { std::arch::x86_64::_pext_u64(value, mask) };
    }
    let _ = simd;
    let (mut mask, mut extracted, mut place) = (mask, 0, 0);
    while mask != 0 {
        extracted |= (value >> mask.trailing_zeros() & 1) << place;
        mask &= mask - 1;
        place += 1;
    }
    extracted
}

/// How many bits of a mask are set below each of those that are not, in the order from its highest bit to its lowest: at 0 all
/// that are set, at `n` those below the `n`th that is not, and behind the last one 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Row(pub [u8; Row::LEN]);

impl Row {
    /// One behind the furthest that is ever asked for.
    pub const LEN: usize = 176;

    /// What there is to say of an empty mask.
    pub const EMPTY: Row = Row([0; Row::LEN]);
}

/// Fills a row for the bits `set` among those of `width`, a mask of up to 63 low bits. What is further on than all that a
/// row can say stays 0.
#[inline(always)]
pub(crate) fn set_below<S: Simd>(simd: S, row: &mut Row, set: u64, width: u64) {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v4() {
        // SAFETY: the proof has AVX-512 F, BW, VBMI and VBMI2.
        return unsafe { x86::set_below(row, width & !set, set.count_ones()) };
    }
    let _ = simd;
    // From the lowest bit to the highest, eight at a time.
    let unused = width.leading_zeros() & 63;
    let (set, clear) = (set.reverse_bits() >> unused, (width & !set).reverse_bits() >> unused);
    let all = set.count_ones();
    let (mut at, mut left) = (1, all);
    row.0[..72].fill(0);
    row.0[0] = all as u8;
    for byte in 0..8 {
        let bits = (clear >> (8 * byte)) as u8;
        let found = ONES * u64::from(left) - PASSED[usize::from(bits)];
        row.0[at..at + 8].copy_from_slice(&found.to_le_bytes());
        at += bits.count_ones() as usize;
        left -= ((set >> (8 * byte)) as u8).count_ones();
    }
    row.0[at..at + 8].fill(0);
}

/// Eight times 1.
const ONES: u64 = u64::MAX / 255;

/// For eight bits: how many that are not set are below the first, the second and so on of those that are set.
const PASSED: [u64; 256] = {
    let (mut table, mut bits) = ([0; 256], 0);
    while bits < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if bits >> place & 1 == 1 {
                table[bits] |= (place - found) << (8 * found);
                found += 1;
            }
            place += 1;
        }
        bits += 1;
    }
    table
};

/// A bit for each number that is not 0.
#[inline(always)]
pub(crate) fn nonzero<S: Simd>(simd: S, block: &[i16; 64]) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    {
        if let Some(_proof) = simd.v4() {
            // SAFETY: the proof has AVX-512 F and BW.
            return unsafe { x86::nonzero_v4(block) };
        }
        if let Some(_proof) = simd.v3() {
            // SAFETY: the proof has AVX2.
            return unsafe { x86::nonzero_v3(block) };
        }
    }
    let _ = simd;
    let (groups, _) = block.as_chunks::<16>();
    groups.iter().rev().fold(0, |all, group| {
        let bits = group.iter().enumerate().fold(0, |bits, (k, &value)| bits | u16::from(value != 0) << k);
        all << 16 | u64::from(bits)
    })
}

/// Adds `step` to the magnitude of the numbers in `larger`, which are not 0, and sets those in `new`, which are 0, to
/// `step` where they are in `positive`, too, and to `-step` elsewhere.
#[inline(always)]
pub(crate) fn refine<S: Simd>(simd: S, block: &mut [i16; 64], larger: u64, new: u64, positive: u64, step: i16) {
    #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
    if let Some(_proof) = simd.v4() {
        // SAFETY: the proof has AVX-512 F and BW.
        return unsafe { x86::refine(block, larger, new, positive, step) };
    }
    let _ = simd;
    let (groups, _) = block.as_chunks_mut::<16>();
    for (i, group) in groups.iter_mut().enumerate() {
        let [larger, new, positive] = [larger, new, positive].map(|mask| (mask >> (16 * i)) as u16);
        // No branches: this is vector arithmetic.
        for (k, value) in group.iter_mut().enumerate() {
            let all_if = |mask: u16| if mask & 1 << k != 0 { -1 } else { 0i16 };
            let negative = (*value >> 15) & all_if(larger) | !all_if(positive) & all_if(new);
            *value = value.wrapping_add(((step ^ negative) - negative) & all_if(larger | new));
        }
    }
}

/// Always inlined into kernels, which have the features of their level.
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod x86 {
    use std::arch::x86_64::*;

    /// As [`super::set_below`], for the bits that are not set and the number of those that are.
    ///
    /// # Safety
    /// The processor has AVX-512 F, BW, VBMI and VBMI2.
    #[inline(always)]
    pub unsafe fn set_below(row: &mut super::Row, clear: u64, all: u32) {
        const PLACES: [i8; 64] = {
            let mut places = [0; 64];
            let mut place = 0;
            while place < 64 {
                places[place] = place as i8;
                place += 1;
            }
            places
        };
        let count = clear.count_ones();
        let inside = !(u64::MAX << (count & 63));
        // SAFETY: the caller has the features; loads and stores are of 64 bytes, of any alignment.
        unsafe {
            let places = _mm512_loadu_si512(PLACES.as_ptr().cast());
            // From the lowest bit to the highest, and all behind that.
            let below = _mm512_maskz_compress_epi8(clear, places);
            let below = _mm512_mask_sub_epi8(_mm512_set1_epi8(all as i8), inside, below, places);
            let order = _mm512_sub_epi8(_mm512_set1_epi8(count as i8), places);
            let row = row.0.as_mut_ptr().cast();
            _mm512_storeu_si512(row, _mm512_maskz_permutexvar_epi8(inside << 1 | 1, order, below));
        }
    }

    /// As [`super::nonzero`].
    ///
    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[inline(always)]
    pub unsafe fn nonzero_v4(block: &[i16; 64]) -> u64 {
        // SAFETY: the caller has the features; the 64 numbers are two registers, of any alignment.
        unsafe {
            let at = block.as_ptr().cast::<__m512i>();
            let (low, high) = (_mm512_loadu_si512(at), _mm512_loadu_si512(at.add(1)));
            u64::from(_mm512_test_epi16_mask(low, low)) | u64::from(_mm512_test_epi16_mask(high, high)) << 32
        }
    }

    /// As [`super::nonzero`].
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    pub unsafe fn nonzero_v3(block: &[i16; 64]) -> u64 {
        // SAFETY: the caller has AVX2; the 64 numbers are four registers, of any alignment.
        unsafe {
            let at = block.as_ptr().cast::<__m256i>();
            let is_zero = |i| _mm256_cmpeq_epi16(_mm256_loadu_si256(at.add(i)), _mm256_setzero_si256());
            // Eight bytes of each come to lie between eight of the other.
            let zeros = |i| _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(is_zero(i), is_zero(i + 1)));
            let mask = |i| _mm256_movemask_epi8(zeros(i)) as u32;
            !(u64::from(mask(0)) | u64::from(mask(2)) << 32)
        }
    }

    /// As [`super::refine`].
    ///
    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[inline(always)]
    pub unsafe fn refine(block: &mut [i16; 64], larger: u64, new: u64, positive: u64, step: i16) {
        // SAFETY: the caller has the features; the 64 numbers are two registers, of any alignment.
        unsafe {
            let at = block.as_mut_ptr().cast::<__m512i>();
            let (low, high) = (_mm512_loadu_si512(at), _mm512_loadu_si512(at.add(1)));
            let negative = u64::from(_mm512_movepi16_mask(low)) | u64::from(_mm512_movepi16_mask(high)) << 32;
            let up = larger & !negative | new & positive;
            let down = larger & negative | new & !positive;
            let step = _mm512_set1_epi16(step);
            let low = _mm512_mask_add_epi16(low, up as u32, low, step);
            let low = _mm512_mask_sub_epi16(low, down as u32, low, step);
            let high = _mm512_mask_add_epi16(high, (up >> 32) as u32, high, step);
            let high = _mm512_mask_sub_epi16(high, (down >> 32) as u32, high, step);
            _mm512_storeu_si512(at, low);
            _mm512_storeu_si512(at.add(1), high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Kernel;

    struct All {
        value: u64,
        mask: u64,
        block: [i16; 64],
    }

    impl Kernel for All {
        type Output = ([u64; 5], Vec<u8>, [i16; 64]);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let All { value, mask, mut block } = self;
            let zeros = (0..64).filter(|&k| block[k] == 0).fold(0, |all, k| all | 1u64 << k);
            refine(simd, &mut block, mask & !zeros, mask & zeros, value, 2);
            // A row that was another one's before.
            let (mut row, width) = (Row::EMPTY, u64::MAX >> 1);
            set_below(simd, &mut row, value & width, width);
            set_below(simd, &mut row, mask & width, width);
            let bits = row.0.to_vec();
            // As many numbers as there are places.
            let clear = width & !mask;
            let low = value & !(u64::MAX << clear.count_ones());
            let [first, second] = deposit_beside(simd, [low, value >> 1], &row, clear);
            let words = [
                deposit(simd, value, mask),
                extract(simd, value, mask),
                nonzero(simd, &self.block),
                first,
                first & second,
            ];
            (words, bits, block)
        }
    }

    #[test]
    fn every_level_gives_the_same_and_it_is_right() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        for turn in 0..200 {
            let (value, mask) = (next(), [next(), next() & next(), 0, u64::MAX, 1 << 63][turn % 5]);
            let block = std::array::from_fn(|_| [0, 4, -4, 32764, -32764, 0, 8, -8][next() as usize % 8]);
            let places: Vec<u32> = (0..64).filter(|place| mask >> place & 1 == 1).collect();
            let deposited = places.iter().enumerate().fold(0, |all, (i, place)| all | (value >> i & 1) << place);
            let extracted = places.iter().enumerate().fold(0, |all, (i, place)| all | (value >> place & 1) << i);
            let not_zero = (0..64).filter(|&k| block[k] != 0).fold(0, |all, k| all | 1u64 << k);
            let refined: [i16; 64] = std::array::from_fn(|k| match (mask >> k & 1, block[k]) {
                (0, _) => block[k],
                (_, 0) => [-2, 2][(value >> k & 1) as usize],
                (_, negative) if negative < 0 => negative - 2,
                (_, positive) => positive + 2,
            });
            for cpu in crate::cpu::all() {
                let (words, bits, got_block) = cpu.run(All { value, mask, block });
                let beside = |value: u64| {
                    let clear = (0..63).filter(|place| mask >> place & 1 == 0);
                    clear.enumerate().fold(0, |all, (i, place)| all | (value >> i & 1) << place)
                };
                let both = [beside(value), beside(value) & beside(value >> 1)];
                assert_eq!(words, [deposited, extracted, not_zero, both[0], both[1]], "{cpu:?}");
                let below = |place: &u32| (mask & ((1u64 << place) - 1)).count_ones() as u8;
                let mut row: Vec<u8> =
                    (0..63).rev().filter(|place| mask >> place & 1 == 0).map(|p| below(&p)).collect();
                row.insert(0, below(&63));
                row.resize(Row::LEN, 0);
                assert_eq!(bits, row, "{cpu:?}");
                assert_eq!(got_block, refined, "{cpu:?}");
            }
        }
    }
}
