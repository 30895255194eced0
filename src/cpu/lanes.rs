//! Arithmetic on 16 numbers at once, the same for every level: what kernels are written in.
//!
//! What enters: arrays of 16. What leaves: arrays of 16. A type that implements [`Simd`] stands for a level; its values
//! prove that the processor has it, so the instructions inside are safe to call from safe code. Beside them stands
//! [`Portable`], plain loops, which tests hold the others equal to.
//!
//! All levels round alike, except that [`Simd::mul_add`] rounds once where it is one instruction and twice elsewhere.

/// Numbers taken together.
pub(crate) const LANES: usize = 16;

/// The first magnitude that rounds to infinity in f16: halfway between the largest finite value and the next step.
const F16_OVERFLOW: f32 = 65520.0;
/// The largest finite value of f16.
const F16_MAX: f32 = 65504.0;
/// The first values that round out of i16, ties to even: 32767.5 becomes 32768, -32768.5 becomes -32768.
const I16_OVERFLOW: f32 = 32767.5;
const I16_UNDERFLOW: f32 = -32768.5;

/// The level a kernel is being compiled for, as a type. Values prove that the processor has it.
pub(crate) trait Simd: Copy {
    /// 16 numbers.
    type F32x16: Copy;
    /// 4 numbers in double precision, for the making of maps: every level rounds them alike.
    type F64x4: Copy;

    /// How many sums of 16 numbers stay in registers beside what they are made of.
    const SUMS: usize;

    /// Proof of [`Level::V3`](super::Level::V3) or more.
    #[inline(always)]
    #[cfg_attr(not(all(target_arch = "x86_64", not(feature = "safe"))), allow(dead_code))]
    fn v3(self) -> Option<V3> {
        None
    }

    /// Proof of [`Level::V4`](super::Level::V4).
    #[inline(always)]
    fn v4(self) -> Option<V4> {
        None
    }

    /// 16 times the same.
    fn splat(self, value: f32) -> Self::F32x16;
    /// From memory.
    fn load(self, from: &[f32; LANES]) -> Self::F32x16;
    /// To memory.
    fn store(self, value: Self::F32x16, to: &mut [f32; LANES]);
    /// To memory, lanes 0..8 and 8..16 apart.
    fn store_halves(self, value: Self::F32x16, low: &mut [f32; LANES / 2], high: &mut [f32; LANES / 2]);
    /// From integers in memory, exactly.
    fn load_i16(self, from: &[i16; LANES]) -> Self::F32x16;
    /// `a * b`.
    fn mul(self, a: Self::F32x16, b: Self::F32x16) -> Self::F32x16;
    /// `a + b`.
    fn add(self, a: Self::F32x16, b: Self::F32x16) -> Self::F32x16;
    /// `a * b + c`, rounded once or twice.
    fn mul_add(self, a: Self::F32x16, b: Self::F32x16, c: Self::F32x16) -> Self::F32x16;
    /// Lanes of `a` and `b` by turns: the first 16, the other 16.
    fn interleave(self, a: Self::F32x16, b: Self::F32x16) -> [Self::F32x16; 2];
    /// 4 times the same.
    fn splat_f64(self, value: f64) -> Self::F64x4;
    /// From memory.
    fn load_f64(self, from: &[f64; 4]) -> Self::F64x4;
    /// To memory.
    fn store_f64(self, value: Self::F64x4, to: &mut [f64; 4]);
    /// `a + b`.
    fn add_f64(self, a: Self::F64x4, b: Self::F64x4) -> Self::F64x4;
    /// `a - b`.
    fn sub_f64(self, a: Self::F64x4, b: Self::F64x4) -> Self::F64x4;
    /// `a * b`.
    fn mul_f64(self, a: Self::F64x4, b: Self::F64x4) -> Self::F64x4;
    /// To integers, nearest, ties to even. Bit n of the result: lane n did not fit and is the nearest end.
    fn store_i16(self, value: Self::F32x16, to: &mut [i16; LANES]) -> u16;
    /// To the bits of f16, nearest, ties to even. Bit n of the result: lane n would have been infinite and is the largest
    /// finite value.
    fn store_f16(self, value: Self::F32x16, to: &mut [u16; LANES]) -> u16;
}

/// Every processor is this one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

/// Whether multiplication and addition are one instruction in all that is compiled; `f32::mul_add` is a call elsewhere.
const FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// Adding it to a value below 2^22 leaves the value, rounded to nearest with ties to even, in the low bits of the
/// significand: 1.5 * 2^23. Vectorises where `round_ties_even` would be a library call.
const ROUND: f32 = 12_582_912.0;

impl Simd for Portable {
    type F32x16 = [f32; LANES];
    type F64x4 = [f64; 4];

    const SUMS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> [f32; LANES] {
        *from
    }

    #[inline(always)]
    fn store(self, value: [f32; LANES], to: &mut [f32; LANES]) {
        *to = value;
    }

    #[inline(always)]
    fn store_halves(self, value: [f32; LANES], low: &mut [f32; LANES / 2], high: &mut [f32; LANES / 2]) {
        low.copy_from_slice(&value[..LANES / 2]);
        high.copy_from_slice(&value[LANES / 2..]);
    }

    #[inline(always)]
    fn load_i16(self, from: &[i16; LANES]) -> [f32; LANES] {
        from.map(f32::from)
    }

    #[inline(always)]
    fn mul(self, mut a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        a.iter_mut().zip(b).for_each(|(a, b)| *a *= b);
        a
    }

    #[inline(always)]
    fn add(self, mut a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], mut c: [f32; LANES]) -> [f32; LANES] {
        for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
            *c = if FMA { a.mul_add(b, *c) } else { a * b + *c };
        }
        c
    }

    #[inline(always)]
    fn interleave(self, a: [f32; LANES], b: [f32; LANES]) -> [[f32; LANES]; 2] {
        let turn = |half: usize| std::array::from_fn(|i| if i % 2 == 0 { a[half + i / 2] } else { b[half + i / 2] });
        [turn(0), turn(LANES / 2)]
    }

    #[inline(always)]
    fn splat_f64(self, value: f64) -> [f64; 4] {
        [value; 4]
    }

    #[inline(always)]
    fn load_f64(self, from: &[f64; 4]) -> [f64; 4] {
        *from
    }

    #[inline(always)]
    fn store_f64(self, value: [f64; 4], to: &mut [f64; 4]) {
        *to = value;
    }

    #[inline(always)]
    fn add_f64(self, a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }

    #[inline(always)]
    fn sub_f64(self, a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
    }

    #[inline(always)]
    fn mul_f64(self, a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
        [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]]
    }

    #[inline(always)]
    fn store_i16(self, value: [f32; LANES], to: &mut [i16; LANES]) -> u16 {
        for (to, y) in to.iter_mut().zip(value) {
            let y = y.clamp(f32::from(i16::MIN), f32::from(i16::MAX)) + ROUND;
            *to = (y.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as i16;
        }
        lanes_where(value, |y| !(I16_UNDERFLOW..I16_OVERFLOW).contains(&y))
    }

    #[inline(always)]
    fn store_f16(self, value: [f32; LANES], to: &mut [u16; LANES]) -> u16 {
        use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
        to.reinterpret_cast_mut::<half::f16>().convert_from_f32_slice(&value.map(|y| y.clamp(-F16_MAX, F16_MAX)));
        lanes_where(value, |y| y.abs() >= F16_OVERFLOW)
    }
}

/// Bit n: the condition holds in lane n.
#[inline(always)]
fn lanes_where(values: [f32; LANES], condition: impl Fn(f32) -> bool) -> u16 {
    if !values.iter().fold(false, |any, &value| any | condition(value)) {
        return 0;
    }
    values.iter().rev().fold(0, |bits, &value| bits << 1 | u16::from(condition(value)))
}

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
pub(crate) use x86::{V3, V4};

#[cfg(not(all(target_arch = "x86_64", not(feature = "safe"))))]
pub(crate) use never::{V3, V4};

/// Levels that do not exist here.
#[cfg(not(all(target_arch = "x86_64", not(feature = "safe"))))]
#[allow(dead_code)]
mod never {
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum V3 {}

    #[derive(Debug, Clone, Copy)]
    pub(crate) enum V4 {}
}

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    /// Proof of [`Level::V3`](crate::cpu::Level::V3).
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct V3(());

    /// Proof of [`Level::V4`](crate::cpu::Level::V4).
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct V4(());

    impl V3 {
        /// # Safety
        /// The processor has the features of the level.
        #[inline(always)]
        pub(crate) unsafe fn new() -> V3 {
            V3(())
        }
    }

    impl V4 {
        /// # Safety
        /// The processor has the features of the level.
        #[inline(always)]
        pub(crate) unsafe fn new() -> V4 {
            V4(())
        }
    }

    /// Double precision, the same at both levels.
    macro_rules! doubles {
        () => {
            #[inline(always)]
            fn splat_f64(self, value: f64) -> __m256d {
                // SAFETY: `self` proves AVX.
                unsafe { _mm256_set1_pd(value) }
            }

            #[inline(always)]
            fn load_f64(self, from: &[f64; 4]) -> __m256d {
                // SAFETY: `self` proves AVX; `from` is 32 bytes, any alignment will do.
                unsafe { _mm256_loadu_pd(from.as_ptr()) }
            }

            #[inline(always)]
            fn store_f64(self, value: __m256d, to: &mut [f64; 4]) {
                // SAFETY: `self` proves AVX; `to` is 32 bytes, any alignment will do.
                unsafe { _mm256_storeu_pd(to.as_mut_ptr(), value) }
            }

            #[inline(always)]
            fn add_f64(self, a: __m256d, b: __m256d) -> __m256d {
                // SAFETY: `self` proves AVX.
                unsafe { _mm256_add_pd(a, b) }
            }

            #[inline(always)]
            fn sub_f64(self, a: __m256d, b: __m256d) -> __m256d {
                // SAFETY: `self` proves AVX.
                unsafe { _mm256_sub_pd(a, b) }
            }

            #[inline(always)]
            fn mul_f64(self, a: __m256d, b: __m256d) -> __m256d {
                // SAFETY: `self` proves AVX.
                unsafe { _mm256_mul_pd(a, b) }
            }
        };
    }

    impl Simd for V3 {
        type F32x16 = [__m256; 2];
        type F64x4 = __m256d;

        const SUMS: usize = 4;

        #[inline(always)]
        fn v3(self) -> Option<V3> {
            Some(self)
        }

        #[inline(always)]
        fn splat(self, value: f32) -> [__m256; 2] {
            // SAFETY: `self` proves AVX.
            unsafe { [_mm256_set1_ps(value); 2] }
        }

        #[inline(always)]
        fn load(self, from: &[f32; LANES]) -> [__m256; 2] {
            let (halves, _) = from.as_chunks::<8>();
            // SAFETY: `self` proves AVX; each half is 8 numbers, any alignment will do.
            unsafe { [_mm256_loadu_ps(halves[0].as_ptr()), _mm256_loadu_ps(halves[1].as_ptr())] }
        }

        #[inline(always)]
        fn store(self, value: [__m256; 2], to: &mut [f32; LANES]) {
            let (halves, _) = to.as_chunks_mut::<8>();
            // SAFETY: `self` proves AVX; each half is 8 numbers, any alignment will do.
            unsafe {
                _mm256_storeu_ps(halves[0].as_mut_ptr(), value[0]);
                _mm256_storeu_ps(halves[1].as_mut_ptr(), value[1]);
            }
        }

        #[inline(always)]
        fn store_halves(self, value: [__m256; 2], low: &mut [f32; LANES / 2], high: &mut [f32; LANES / 2]) {
            // SAFETY: `self` proves AVX; each half is 8 numbers, any alignment will do.
            unsafe {
                _mm256_storeu_ps(low.as_mut_ptr(), value[0]);
                _mm256_storeu_ps(high.as_mut_ptr(), value[1]);
            }
        }

        #[inline(always)]
        fn load_i16(self, from: &[i16; LANES]) -> [__m256; 2] {
            let (halves, _) = from.as_chunks::<8>();
            // SAFETY: `self` proves AVX2; each half is 16 bytes, any alignment will do.
            unsafe {
                let half = |n: usize| {
                    let integers = _mm_loadu_si128(halves[n].as_ptr().cast());
                    _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(integers))
                };
                [half(0), half(1)]
            }
        }

        #[inline(always)]
        fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: `self` proves AVX.
            unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: `self` proves AVX.
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: `self` proves FMA.
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }

        #[inline(always)]
        fn interleave(self, a: [__m256; 2], b: [__m256; 2]) -> [[__m256; 2]; 2] {
            // SAFETY: `self` proves AVX.
            unsafe {
                let turn = |n: usize| {
                    // Lanes 0, 1, 4, 5 and 2, 3, 6, 7: quarters in the wrong halves.
                    let (low, high) = (_mm256_unpacklo_ps(a[n], b[n]), _mm256_unpackhi_ps(a[n], b[n]));
                    [_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high)]
                };
                [turn(0), turn(1)]
            }
        }

        doubles!();

        #[inline(always)]
        fn store_i16(self, value: [__m256; 2], to: &mut [i16; LANES]) -> u16 {
            // SAFETY: `self` proves AVX2; `to` is 32 bytes, any alignment will do.
            unsafe {
                let (most, least) = (_mm256_set1_ps(i16::MAX.into()), _mm256_set1_ps(i16::MIN.into()));
                let rounded = |y| _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(y, most), least));
                // Packing works on 128 bits at a time and leaves the middle quarters exchanged.
                let packed = _mm256_packs_epi32(rounded(value[0]), rounded(value[1]));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
                let (over, under) = (_mm256_set1_ps(I16_OVERFLOW), _mm256_set1_ps(I16_UNDERFLOW));
                let beyond =
                    |y| _mm256_or_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(y, over), _mm256_cmp_ps::<_CMP_LT_OQ>(y, under));
                bits(beyond(value[0]), beyond(value[1]))
            }
        }

        #[inline(always)]
        fn store_f16(self, value: [__m256; 2], to: &mut [u16; LANES]) -> u16 {
            let (halves, _) = to.as_chunks_mut::<8>();
            // SAFETY: `self` proves F16C; each half is 16 bytes, any alignment will do.
            unsafe {
                let (most, least) = (_mm256_set1_ps(F16_MAX), _mm256_set1_ps(-F16_MAX));
                for (to, y) in halves.iter_mut().zip(value) {
                    let y = _mm256_max_ps(_mm256_min_ps(y, most), least);
                    _mm_storeu_si128(to.as_mut_ptr().cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(y));
                }
                let (over, under) = (_mm256_set1_ps(F16_OVERFLOW), _mm256_set1_ps(-F16_OVERFLOW));
                let beyond =
                    |y| _mm256_or_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(y, over), _mm256_cmp_ps::<_CMP_LE_OQ>(y, under));
                bits(beyond(value[0]), beyond(value[1]))
            }
        }
    }

    /// The sign bits of 16 lanes.
    #[inline]
    #[target_feature(enable = "avx")]
    fn bits(low: __m256, high: __m256) -> u16 {
        (_mm256_movemask_ps(low) | _mm256_movemask_ps(high) << 8) as u16
    }

    impl Simd for V4 {
        type F32x16 = __m512;
        type F64x4 = __m256d;

        const SUMS: usize = 4;

        #[inline(always)]
        fn v3(self) -> Option<V3> {
            Some(V3(()))
        }

        #[inline(always)]
        fn v4(self) -> Option<V4> {
            Some(self)
        }

        #[inline(always)]
        fn splat(self, value: f32) -> __m512 {
            // SAFETY: `self` proves AVX-512F.
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        fn load(self, from: &[f32; LANES]) -> __m512 {
            // SAFETY: `self` proves AVX-512F; `from` is 64 bytes, any alignment will do.
            unsafe { _mm512_loadu_ps(from.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, value: __m512, to: &mut [f32; LANES]) {
            // SAFETY: `self` proves AVX-512F; `to` is 64 bytes, any alignment will do.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
        }

        #[inline(always)]
        fn store_halves(self, value: __m512, low: &mut [f32; LANES / 2], high: &mut [f32; LANES / 2]) {
            // SAFETY: `self` proves AVX-512 F and DQ; each half is 8 numbers, any alignment will do.
            unsafe {
                _mm256_storeu_ps(low.as_mut_ptr(), _mm512_castps512_ps256(value));
                _mm256_storeu_ps(high.as_mut_ptr(), _mm512_extractf32x8_ps::<1>(value));
            }
        }

        #[inline(always)]
        fn load_i16(self, from: &[i16; LANES]) -> __m512 {
            // SAFETY: `self` proves AVX-512F; `from` is 32 bytes, any alignment will do.
            unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(from.as_ptr().cast()))) }
        }

        #[inline(always)]
        fn mul(self, a: __m512, b: __m512) -> __m512 {
            // SAFETY: `self` proves AVX-512F.
            unsafe { _mm512_mul_ps(a, b) }
        }

        #[inline(always)]
        fn add(self, a: __m512, b: __m512) -> __m512 {
            // SAFETY: `self` proves AVX-512F.
            unsafe { _mm512_add_ps(a, b) }
        }

        #[inline(always)]
        fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            // SAFETY: `self` proves AVX-512F.
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }

        #[inline(always)]
        fn interleave(self, a: __m512, b: __m512) -> [__m512; 2] {
            // SAFETY: `self` proves AVX-512F.
            unsafe {
                // Numbers below 16 are lanes of `a`, the others of `b`.
                let turns = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                let behind = _mm512_add_epi32(turns, _mm512_set1_epi32(8));
                [_mm512_permutex2var_ps(a, turns, b), _mm512_permutex2var_ps(a, behind, b)]
            }
        }

        doubles!();

        #[inline(always)]
        fn store_i16(self, value: __m512, to: &mut [i16; LANES]) -> u16 {
            // SAFETY: `self` proves AVX-512F; `to` is 32 bytes, any alignment will do.
            unsafe {
                let (most, least) = (_mm512_set1_ps(i16::MAX.into()), _mm512_set1_ps(i16::MIN.into()));
                let rounded = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(value, most), least));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(rounded));
                _mm512_cmp_ps_mask::<_CMP_GE_OQ>(value, _mm512_set1_ps(I16_OVERFLOW))
                    | _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, _mm512_set1_ps(I16_UNDERFLOW))
            }
        }

        #[inline(always)]
        fn store_f16(self, value: __m512, to: &mut [u16; LANES]) -> u16 {
            // SAFETY: `self` proves AVX-512F; `to` is 32 bytes, any alignment will do.
            unsafe {
                let (most, least) = (_mm512_set1_ps(F16_MAX), _mm512_set1_ps(-F16_MAX));
                let clamped = _mm512_max_ps(_mm512_min_ps(value, most), least);
                let halves = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(clamped);
                _mm256_storeu_si256(to.as_mut_ptr().cast(), halves);
                _mm512_cmp_ps_mask::<_CMP_GE_OQ>(value, _mm512_set1_ps(F16_OVERFLOW))
                    | _mm512_cmp_ps_mask::<_CMP_LE_OQ>(value, _mm512_set1_ps(-F16_OVERFLOW))
            }
        }
    }
}

#[cfg(test)]
mod tests;
