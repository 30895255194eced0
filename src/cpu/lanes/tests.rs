//! Every level against the portable one.

use super::super::{Kernel, all};
use super::*;

/// Every operation on one set of numbers, as bits.
#[derive(Debug, Clone, Copy)]
struct Everything {
    a: [f32; LANES],
    b: [f32; LANES],
    integers: [i16; LANES],
}

#[derive(Debug, PartialEq)]
struct Found {
    product: [u32; LANES],
    sum: [f32; LANES],
    fused: [f32; LANES],
    turns: [[f32; LANES]; 2],
    widened: [f32; LANES],
    halves: [[f32; LANES / 2]; 2],
    doubles: [[f64; 4]; 3],
    i16s: ([i16; LANES], u16),
    f16s: ([u16; LANES], u16),
}

impl Kernel for Everything {
    type Output = Found;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Found {
        let (a, b, one) = (simd.load(&self.a), simd.load(&self.b), simd.splat(1.0));
        let get = |value| {
            let mut to = [0.0; LANES];
            simd.store(value, &mut to);
            to
        };
        let [mut low, mut high] = [[0.0; LANES / 2]; 2];
        simd.store_halves(b, &mut low, &mut high);
        let x = simd.load_f64(&std::array::from_fn(|i| f64::from(self.a[i]) / 3.0));
        let y = simd.splat_f64(f64::from(self.b[0]) / 7.0);
        let mut doubles = [[0.0; 4]; 3];
        for (to, value) in doubles.iter_mut().zip([simd.add_f64(x, y), simd.sub_f64(x, y), simd.mul_f64(x, y)]) {
            simd.store_f64(value, to);
        }
        let (mut i16s, mut f16s) = (([0; LANES], 0), ([0; LANES], 0));
        i16s.1 = simd.store_i16(a, &mut i16s.0);
        f16s.1 = simd.store_f16(a, &mut f16s.0);
        Found {
            product: get(simd.mul(a, b)).map(f32::to_bits),
            sum: get(simd.add(a, b)),
            fused: get(simd.mul_add(a, b, one)),
            turns: simd.interleave(a, b).map(get),
            widened: get(simd.load_i16(&self.integers)),
            halves: [low, high],
            doubles,
            i16s,
            f16s,
        }
    }
}

#[test]
fn every_level_computes_what_the_portable_one_does() {
    let special = [
        0.5, 1.5, -0.5, -2.5, 32767.4, 32767.5, -32768.5, -32769.0, 1e9, -1e30, 65519.0, 65520.0, -65520.0, 2049.0,
        2051.0, 1e-7,
    ];
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 - 8_388_608.0
    };
    for round in 0..if cfg!(miri) { 5 } else { 200 } {
        let a = if round == 0 { special } else { std::array::from_fn(|_| next() / (1 << (round % 20)) as f32) };
        let work =
            Everything { a, b: std::array::from_fn(|_| next()), integers: std::array::from_fn(|_| next() as i16) };
        let expected = work.run(Portable);
        for cpu in all() {
            let found = cpu.run(work);
            for ((found, expected), product) in found.fused.iter().zip(expected.fused).zip(expected.product) {
                // One rounding of the product more or less.
                let tolerance = f32::from_bits(product).abs() * f32::EPSILON;
                assert!((found - expected).abs() <= tolerance, "{found} {expected}");
            }
            assert_eq!(found, Found { fused: found.fused, ..work.run(Portable) }, "{}", cpu.level().name());
        }
    }
}

#[test]
fn integers_and_halves_saturate_and_are_counted() {
    let mut a = [0.0; LANES];
    a[..8].copy_from_slice(&[0.5, 1.5, -0.5, -2.5, 32767.5, -32768.5, -32769.0, 1e9]);
    let work = Everything { a, b: a, integers: [0; LANES] };
    for cpu in all() {
        let Found { i16s, f16s, .. } = cpu.run(work);
        assert_eq!(i16s.0[..8], [0, 2, 0, -2, 32767, -32768, -32768, 32767]);
        assert_eq!((i16s.1, f16s.1), (0b1101_0000, 0b1000_0000));
        assert_eq!(f16s.0[7], half::f16::MAX.to_bits());
    }
}
