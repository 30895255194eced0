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
        // Bits that are 0 leave nothing.
        for _ in 0..value.trailing_zeros() {
            mask &= mask.wrapping_sub(1);
        }
        deposited |= mask & mask.wrapping_neg();
        mask &= mask.wrapping_sub(1);
        value = value >> value.trailing_zeros() >> 1;
    }
    deposited
}

/// The bit of `mask` that has `behind` set bits below it. `last` is a higher one, or 0, and this one the `passed`th below it,
/// 1 or more.
#[inline(always)]
pub(crate) fn next_bit<S: Simd>(simd: S, mask: u64, behind: u32, last: u64, passed: u32) -> u64 {
    if simd.v3().is_some() {
        return deposit(simd, 1 << (behind & 63), mask);
    }
    let highest = |mask: u64| (1 << 63 >> (mask.leading_zeros() & 63)) & mask;
    let left = (1..passed).fold(mask & last.wrapping_sub(1), |left, _| left ^ highest(left));
    highest(left)
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
    let mut left = larger;
    while left != 0 {
        let value = &mut block[left.trailing_zeros() as usize & 63];
        // -1 where negative, 1 elsewhere.
        *value = value.wrapping_add(step * (*value >> 15 | 1));
        left &= left - 1;
    }
    let mut left = new;
    while left != 0 {
        let place = left.trailing_zeros();
        block[place as usize & 63] = if positive >> place & 1 == 1 { step } else { -step };
        left &= left - 1;
    }
}

/// Always inlined into kernels, which have the features of their level.
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod x86 {
    use std::arch::x86_64::*;

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
        type Output = (u64, Vec<u64>, [i16; 64]);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let All { value, mask, mut block } = self;
            let zeros = (0..64).filter(|&k| block[k] == 0).fold(0, |all, k| all | 1u64 << k);
            refine(simd, &mut block, mask & !zeros, mask & zeros, value, 2);
            // Every second bit from the highest on.
            let (mut bits, mut last, mut left) = (Vec::new(), 0, mask.count_ones());
            while left >= 2 {
                left -= 2;
                last = next_bit(simd, mask, left, last, 2);
                bits.push(last);
            }
            (deposit(simd, value, mask), bits, block)
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
            let refined: [i16; 64] = std::array::from_fn(|k| match (mask >> k & 1, block[k]) {
                (0, _) => block[k],
                (_, 0) => [-2, 2][(value >> k & 1) as usize],
                (_, negative) if negative < 0 => negative - 2,
                (_, positive) => positive + 2,
            });
            for cpu in crate::cpu::all() {
                let (got, bits, got_block) = cpu.run(All { value, mask, block });
                assert_eq!(got, deposited, "{cpu:?}");
                let seconds: Vec<u64> = places.iter().rev().skip(1).step_by(2).map(|&place| 1 << place).collect();
                assert_eq!(bits, seconds, "{cpu:?}");
                assert_eq!(got_block, refined, "{cpu:?}");
            }
        }
    }
}
