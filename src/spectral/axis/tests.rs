//! Properties that hold for every axis map, the dense twin of the conjugation, and the resize rules by hand.

use proptest::prelude::*;

use super::*;
use crate::spectral::dct::{self, D};

const FILTERS: [Filter; 5] = [Filter::Nearest, Filter::Bilinear, Filter::Area, Filter::Bicubic, Filter::Lanczos3];

/// A step that fits any input size.
#[derive(Debug, Clone)]
enum Step {
    Window { offset: i64, len: usize, constant: Option<f64> },
    Flip,
    Resize { n_out: usize, filter: Filter, antialias: bool },
    ResizeFrom { n_out: usize, offset: f64, scale: f64, filter: Filter, antialias: bool },
    Smooth(Vec<f64>),
    Average(usize),
    Triangle(Ratio),
    Replicate(Ratio),
    ZeroPad(Ratio),
}

impl Step {
    fn map(&self, n: usize) -> AxisMap {
        let up = |ratio: Ratio| (n * ratio.num() as usize).div_ceil(ratio.den() as usize);
        match *self {
            Step::Window { offset, len, constant } => {
                AxisMap::window(n, offset, len, constant.map_or(Pad::Edge, Pad::Constant))
            }
            Step::Flip => AxisMap::flip(n),
            Step::Resize { n_out, filter, antialias } => AxisMap::resize(n, n_out, filter, antialias),
            Step::ResizeFrom { n_out, offset, scale, filter, antialias } => {
                AxisMap::resize_from(n, n_out, offset, scale, filter, antialias)
            }
            Step::Smooth(ref kernel) => AxisMap::smooth(n, kernel),
            Step::Average(factor) => AxisMap::average(n, factor),
            Step::Triangle(ratio) => AxisMap::triangle(n, up(ratio), ratio),
            Step::Replicate(ratio) => AxisMap::replicate(n, up(ratio), ratio),
            Step::ZeroPad(ratio) => AxisMap::zero_pad(n, up(ratio), ratio),
        }
    }
}

fn ratio() -> impl Strategy<Value = Ratio> {
    (1u8..=4, 1u8..=4).prop_map(|(h_max, h)| Ratio::new(h_max.max(h), h.min(h_max)))
}

fn filter() -> impl Strategy<Value = Filter> {
    prop::sample::select(&FILTERS[..])
}

/// Any step; constants only where asked for, since they break the row sums.
fn step(constants: bool) -> impl Strategy<Value = Step> {
    let constant = if constants { prop::option::of(-128.0..127.0).boxed() } else { Just(None).boxed() };
    prop_oneof![
        (-20i64..70, 1usize..=70, constant).prop_map(|(offset, len, constant)| Step::Window { offset, len, constant }),
        Just(Step::Flip),
        (1usize..=70, filter(), any::<bool>()).prop_map(|(n_out, filter, antialias)| Step::Resize {
            n_out,
            filter,
            antialias
        }),
        (1usize..=70, -10.0..40.0, 0.1..5.0, filter(), any::<bool>()).prop_map(
            |(n_out, offset, scale, filter, antialias)| Step::ResizeFrom { n_out, offset, scale, filter, antialias }
        ),
        prop::sample::select(vec![vec![1.0], vec![0.125, 0.75, 0.125], vec![0.1, -0.2, 1.2, -0.2, 0.1]])
            .prop_map(Step::Smooth),
        (1usize..=5).prop_map(Step::Average),
        ratio().prop_map(Step::Triangle),
        ratio().prop_map(Step::Replicate),
        ratio().prop_map(Step::ZeroPad),
    ]
}

/// The maps of up to `steps` steps on n samples, in order; their chain is their product.
fn maps(n: usize, steps: &[Step]) -> Vec<AxisMap> {
    let mut size = n;
    let mut maps = Vec::new();
    for step in steps {
        let map = step.map(size);
        size = map.n_out();
        maps.push(map);
    }
    maps
}

fn chain(n: usize, steps: &[Step]) -> AxisMap {
    maps(n, steps).iter().fold(AxisMap::identity(n), |all, next| all.then(next))
}

/// Level-shifted samples without a pattern that a wrong map could keep.
fn samples(n: usize) -> Vec<f64> {
    (0..n as u64).map(|x| (x.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as f64 - 128.0).collect()
}

fn spectra(samples: &[f64]) -> Vec<[f64; 8]> {
    samples
        .chunks(8)
        .map(|block| dct::forward(&std::array::from_fn(|x| block.get(x).copied().unwrap_or(0.0))))
        .collect()
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

fn row_sum(map: &AxisMap, o: usize) -> f64 {
    map.row(o).1.iter().sum()
}

/// R as a dense matrix.
fn dense(map: &AxisMap) -> Vec<Vec<f64>> {
    (0..map.n_out())
        .map(|o| {
            let (start, taps) = map.row(o);
            let mut row = vec![0.0; map.n_in()];
            row[start..start + taps.len()].copy_from_slice(taps);
            row
        })
        .collect()
}

/// M_ij = D R_ij D^T by its definition: the slow twin of `CoefficientMap::new`. `[output frequency][input frequency]`.
fn dense_conjugate(r: &[Vec<f64>], i: usize, j: usize) -> [[f64; 8]; 8] {
    let entry = |y: usize, x: usize| r[(8 * i + y).min(r.len() - 1)].get(8 * j + x).copied().unwrap_or(0.0);
    std::array::from_fn(|k| {
        std::array::from_fn(|u| {
            (0..8).flat_map(|y| (0..8).map(move |x| (y, x))).map(|(y, x)| D[k][y] * entry(y, x) * D[u][x]).sum()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The heart of the matter: coefficients of R x + b, without ever making x.
    #[test]
    fn on_coefficients_as_on_samples(n in 1usize..=70, steps in prop::collection::vec(step(true), 0..4), k in 1usize..=8) {
        let map = chain(n, &steps);
        // Samples beyond n are there, as MCU padding is, and must not be seen.
        let stored = samples(n.next_multiple_of(8));
        let mut expected = map.apply(&stored);
        expected.resize(expected.len().next_multiple_of(8), *expected.last().unwrap());
        let made = CoefficientMap::<f64>::new(&map, k).apply(&spectra(&stored));
        for (made, expected) in made.iter().zip(spectra(&expected)) {
            prop_assert!(close(&made[..k], &expected[..k], 1e-9), "{:?} {:?}", made, expected);
            prop_assert!(made[k..].iter().all(|&y| y == 0.0));
        }
        prop_assert_eq!(made.len(), expected.len() / 8);
    }

    #[test]
    fn conjugation_equals_its_dense_twin(n in 1usize..=70, steps in prop::collection::vec(step(true), 0..4), k in 1usize..=8) {
        let map = chain(n, &steps);
        let built = CoefficientMap::<f64>::new(&map, k);
        let rounded = CoefficientMap::<f32>::new(&map, k);
        let r = dense(&map);
        for i in 0..built.blocks_out() {
            let (first, weights) = built.taps(i);
            let (_, weights32) = rounded.taps(i);
            prop_assert!(built.count()[i] > 0 && first + built.count()[i] as usize <= built.blocks_in());
            for j in 0..built.blocks_in() {
                let twin = dense_conjugate(&r, i, j);
                for u in 0..8 {
                    for (f, twin) in twin[..k].iter().enumerate() {
                        let inside = j.checked_sub(first).filter(|&t| t < built.count()[i] as usize);
                        let at = inside.map(|t| (t * 8 + u) * k + f);
                        prop_assert!((at.map_or(0.0, |at| weights[at]) - twin[u]).abs() < 1e-12);
                        prop_assert_eq!(at.map_or(0.0, |at| weights32[at]), at.map_or(0.0, |at| weights[at] as f32));
                    }
                }
            }
        }
    }

    #[test]
    fn a_folded_smoothing_is_a_smoothing(
        n in 1usize..=70,
        steps in prop::collection::vec(step(true), 0..4),
        side in 0.0f64..0.5,
        k in 1usize..=8,
    ) {
        let map = chain(n, &steps);
        let folded: CoefficientMap<f64> = CoefficientMap::smoothed(&map, side, k);
        let smooth = AxisMap::smooth(map.n_out(), &[side, 1.0 - 2.0 * side, side]);
        let plain: CoefficientMap<f64> = CoefficientMap::new(&map.then(&smooth), k);
        let input = spectra(&samples(n));
        prop_assert!(close(folded.apply(&input).as_flattened(), plain.apply(&input).as_flattened(), 1e-10));
    }

    #[test]
    fn then_is_one_map_after_the_other_and_associative(
        n in 1usize..=70, a in step(true), b in step(true), c in step(true),
    ) {
        let parts = maps(n, &[a, b, c]);
        let (left, right) = (parts[0].then(&parts[1]).then(&parts[2]), parts[0].then(&parts[1].then(&parts[2])));
        let x = samples(n);
        let one_by_one = parts.iter().fold(x.clone(), |x, map| map.apply(&x));
        prop_assert!(close(&left.apply(&x), &one_by_one, 1e-9));
        prop_assert!(close(&right.apply(&x), &one_by_one, 1e-9));
    }

    #[test]
    fn rows_sum_to_one(n in 1usize..=70, steps in prop::collection::vec(step(false), 1..4)) {
        let map = chain(n, &steps);
        for o in 0..map.n_out() {
            let (start, taps) = map.row(o);
            prop_assert!(start + taps.len() <= n && !taps.is_empty());
            prop_assert!((row_sum(&map, o) - 1.0).abs() < 1e-12);
        }
        prop_assert!(!map.has_bias());
    }

    /// Row sum and bias together pass the constant itself through.
    #[test]
    fn bias_makes_up_for_the_row_sum(n in 1usize..=70, before in 0usize..20, after in 0usize..20, step in step(false)) {
        let pad = AxisMap::pad(n, before, after, Pad::Constant(-128.0));
        let map = pad.then(&step.map(pad.n_out()));
        prop_assert!(close(&map.apply(&vec![-128.0; n]), &vec![-128.0; map.n_out()], 1e-9));
    }

    #[test]
    fn flip_twice_is_the_identity(n in 1usize..=70) {
        prop_assert!(AxisMap::flip(n).then(&AxisMap::flip(n)).is_identity());
        prop_assert_eq!(AxisMap::flip(n).is_identity(), n == 1);
    }

    #[test]
    fn crop_undoes_pad(n in 1usize..=70, before in 0usize..20, after in 0usize..20, black in any::<bool>()) {
        let pad = AxisMap::pad(n, before, after, if black { Pad::Constant(-128.0) } else { Pad::Edge });
        prop_assert_eq!(pad.has_bias(), black && before + after > 0);
        prop_assert!(pad.then(&AxisMap::crop(n + before + after, before, n)).is_identity());
    }

    #[test]
    fn queries_agree_with_the_tables(n in 1usize..=70, steps in prop::collection::vec(step(true), 0..4)) {
        let map = CoefficientMap::<f32>::new(&chain(n, &steps), 4);
        let reads = |i: usize, j: usize| (map.first()[i]..map.first()[i] + map.count()[i]).contains(&(j as u32));
        for j in 0..map.blocks_in() {
            let of: Vec<usize> = (0..map.blocks_out()).filter(|&i| reads(i, j)).collect();
            prop_assert_eq!(map.last_output_needing(j), of.last().copied());
            prop_assert!(map.readers(j).is_empty() == of.is_empty() && of.iter().all(|i| map.readers(j).contains(i)));
            prop_assert!(map.readers(j).len() <= map.max_open());
            let carried = |&i: &usize| map.first()[i] + map.count()[i] > j as u32 + 1;
            prop_assert!(of.iter().copied().filter(carried).count() <= map.max_carried());
        }
        let half = map.blocks_out() / 2..map.blocks_out();
        let range = map.input_range(half.clone());
        for i in half {
            prop_assert!((0..map.blocks_in()).all(|j| !reads(i, j) || range.contains(&j)));
        }
        prop_assert!(map.max_carried() <= map.max_open());
    }

    /// A streaming accumulator ring of `max_carried() + 1` is enough for maps that do not flip.
    #[test]
    fn the_smallest_ring_holds(n in 1usize..=70, n_out in 1usize..=300, filter in filter(), antialias in any::<bool>()) {
        let map = CoefficientMap::<f32>::new(&AxisMap::resize(n, n_out, filter, antialias), 8);
        let mut owner = vec![None; map.max_carried() + 1];
        for j in 0..map.blocks_in() {
            for i in map.readers(j) {
                let slot = i % owner.len();
                if map.first()[i] as usize == j {
                    prop_assert_eq!(owner[slot], None);
                    owner[slot] = Some(i);
                }
                prop_assert_eq!(owner[slot], Some(i));
                if (map.first()[i] + map.count()[i]) as usize == j + 1 {
                    owner[slot] = None;
                }
            }
        }
        prop_assert!(owner.iter().all(Option::is_none));
    }

    /// Chroma upsampling is centred: a ramp stays a ramp away from the borders, for any ratio.
    #[test]
    fn triangle_keeps_a_ramp(n in 4usize..=70, ratio in ratio()) {
        let n_out = n * ratio.num() as usize / ratio.den() as usize;
        let ramp: Vec<f64> = (0..n).map(|x| x as f64).collect();
        for (o, y) in AxisMap::triangle(n, n_out, ratio).apply(&ramp).iter().enumerate() {
            let c = (o as f64 + 0.5) * f64::from(ratio.den()) / f64::from(ratio.num()) - 0.5;
            prop_assert!((y - c.clamp(0.0, (n - 1) as f64)).abs() < 1e-12);
        }
    }

    /// cv2's bilinear enlarging is the triangle rule.
    #[test]
    fn triangle_is_bilinear_enlarging(n in 1usize..=70, num in 1u8..=4) {
        let n_out = n * usize::from(num);
        let (a, b) = (AxisMap::triangle(n, n_out, Ratio::new(num, 1)), AxisMap::resize(n, n_out, Filter::Bilinear, false));
        prop_assert!(close(&a.apply(&samples(n)), &b.apply(&samples(n)), 1e-9));
    }

    /// In a span's own spectrum, zero-padding is what its name says.
    #[test]
    fn zero_pad_pads_the_spectrum_with_zeros(ratio in ratio(), spans in 1usize..=3) {
        let (span_in, span_out) = (8 * ratio.den() as usize, 8 * ratio.num() as usize);
        let x = samples(span_in * spans);
        let y = AxisMap::zero_pad(x.len(), span_out * spans, ratio).apply(&x);
        let transform = |x: &[f64]| -> Vec<f64> {
            dct::basis_of(x.len(), x.len()).chunks(x.len()).map(|row| row.iter().zip(x).map(|(b, x)| b * x).sum()).collect()
        };
        let scale = (span_out as f64 / span_in as f64).sqrt();
        for (x, y) in x.chunks(span_in).zip(y.chunks(span_out)) {
            let mut padded: Vec<f64> = transform(x).iter().map(|c| c * scale).collect();
            padded.resize(span_out, 0.0);
            prop_assert!(close(&transform(y), &padded, 1e-9));
        }
    }

    #[test]
    fn rows_of_a_resize_are_the_resize_cropped(
        n in 1usize..=70, n_out in 1usize..=70, start in 0usize..=70, len in 0usize..=70,
        filter in filter(), antialias in any::<bool>(),
    ) {
        let whole = AxisMap::resize(n, n_out, filter, antialias);
        let rows = AxisMap::resize_rows(n, n_out, start..start + len, filter, antialias);
        let (start, end) = (start.min(n_out), (start + len).min(n_out));
        prop_assert_eq!(rows, whole.then(&AxisMap::crop(n_out, start, end.max(start) - start)));
    }

    /// Bilinear enlarging by 2 and averaging back is one smoothing, border included.
    #[test]
    fn enlarge_and_average_is_a_smoothing(n in 1usize..=70) {
        let long = AxisMap::resize(n, 2 * n, Filter::Bilinear, false).then(&AxisMap::average(2 * n, 2));
        let short = AxisMap::smooth(n, &[0.125, 0.75, 0.125]);
        prop_assert!(close(&long.apply(&samples(n)), &short.apply(&samples(n)), 1e-12));
    }

    /// A general window equals crop after resize, when it is the same window.
    #[test]
    fn resize_from_is_resize_then_crop(n in 8usize..=70, n_out in 8usize..=70, antialias in any::<bool>()) {
        let (offset, len) = (n_out / 4, n_out / 2);
        let scale = n as f64 / n_out as f64;
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos3] {
            let whole = AxisMap::resize(n, n_out, filter, antialias).then(&AxisMap::crop(n_out, offset, len));
            let window = AxisMap::resize_from(n, len, offset as f64 * scale, scale, filter, antialias);
            prop_assert!(close(&whole.apply(&samples(n)), &window.apply(&samples(n)), 1e-9));
        }
    }

    /// Equal areas: the mean of the image is kept, whatever the sizes.
    #[test]
    fn area_keeps_the_mean(n in 1usize..=70, n_out in 1usize..=70) {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let y = AxisMap::resize(n, n_out, Filter::Area, false).apply(&samples(n));
        prop_assert!((mean(&y) - mean(&samples(n))).abs() < 1e-9);
    }
}

#[track_caller]
fn assert_row(map: &AxisMap, o: usize, start: usize, taps: &[f64]) {
    let (found_start, found) = map.row(o);
    assert!(found_start == start && close(found, taps, 1e-12), "row {o}: {found_start} {found:?}");
}

#[test]
fn pil_rules_by_hand() {
    // 4 -> 2, triangle stretched to half-width 2: centre 1, samples 0..3 at distances -0.5, 0.5, 1.5 (and -1.5 outside).
    let map = AxisMap::resize(4, 2, Filter::Bilinear, true);
    assert_row(&map, 0, 0, &[3.0 / 7.0, 3.0 / 7.0, 1.0 / 7.0]);
    assert_row(&map, 1, 1, &[1.0 / 7.0, 3.0 / 7.0, 3.0 / 7.0]);
    // 8 -> 4, an inner row: centre 3, samples 1..=4 at -1.5, -0.5, 0.5, 1.5.
    assert_row(&AxisMap::resize(8, 4, Filter::Bilinear, true), 1, 1, &[0.125, 0.375, 0.375, 0.125]);
    // 5 -> 2, box of half-width 1.25: sample 2 lies on the border of both, which is the upper end of the first.
    let map = AxisMap::resize(5, 2, Filter::Area, true);
    assert_row(&map, 0, 0, &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
    assert_row(&map, 1, 3, &[0.5, 0.5]);
    // 8 -> 4, cubic a = -0.5 stretched by 2: distances 0.25, 0.75, 1.25, 1.75 give these, summing to 2.
    let (a, b, c, d) = (0.867_187_5, 0.226_562_5, -0.070_312_5, -0.023_437_5);
    let half = [d / 2.0, c / 2.0, b / 2.0, a / 2.0, a / 2.0, b / 2.0, c / 2.0, d / 2.0];
    assert_row(&AxisMap::resize(16, 8, Filter::Bicubic, true), 3, 3, &half);
    // 2 -> 4 does not stretch: centre 0.75 lies 0.25 from sample 0 and 0.75 from sample 1.
    assert_row(&AxisMap::resize(2, 4, Filter::Bilinear, true), 1, 0, &[0.75, 0.25]);
    // Centre 0.25: sample 1 at distance 1.25 is out, sample 0 remains and is normalised.
    assert_row(&AxisMap::resize(2, 4, Filter::Bilinear, true), 0, 0, &[1.0]);
    // Nearest takes the sample under the centre: 5 -> 2 at 1.25 and 3.75.
    let map = AxisMap::resize(5, 2, Filter::Nearest, true);
    assert_row(&map, 0, 1, &[1.0]);
    assert_row(&map, 1, 3, &[1.0]);
}

#[test]
fn cv2_rules_by_hand() {
    // 4 -> 2: position 0.5, two taps however much it shrinks.
    assert_row(&AxisMap::resize(4, 2, Filter::Bilinear, false), 0, 0, &[0.5, 0.5]);
    // 2 -> 4: position -0.25 is clamped to the border, 0.25 is not.
    let map = AxisMap::resize(2, 4, Filter::Bilinear, false);
    assert_row(&map, 0, 0, &[1.0]);
    assert_row(&map, 1, 0, &[0.75, 0.25]);
    assert_row(&map, 3, 1, &[1.0]);
    // Cubic a = -0.75 halfway: -3/32, 19/32, 19/32, -3/32, with the outer tap folded onto the border at o = 0.
    let (outer, inner) = (-3.0 / 32.0, 19.0 / 32.0);
    let map = AxisMap::resize(8, 4, Filter::Bicubic, false);
    assert_row(&map, 1, 1, &[outer, inner, inner, outer]);
    assert_row(&map, 0, 0, &[outer + inner, inner, outer]);
    // Area 5 -> 2: 2.5 samples each.
    let map = AxisMap::resize(5, 2, Filter::Area, false);
    assert_row(&map, 0, 0, &[0.4, 0.4, 0.2]);
    assert_row(&map, 1, 2, &[0.2, 0.4, 0.4]);
    // Area 2 -> 3, by cv2's enlarging rule: s = 2/3, o = 1: x = 0, fx = 2 - 1 / s = 1/2.
    let map = AxisMap::resize(2, 3, Filter::Area, false);
    assert_row(&map, 0, 0, &[1.0]);
    assert_row(&map, 1, 0, &[0.5, 0.5]);
    assert_row(&map, 2, 1, &[1.0]);
    // Nearest takes the left end: 5 -> 2 at 0 and 2.5.
    let map = AxisMap::resize(5, 2, Filter::Nearest, false);
    assert_row(&map, 0, 0, &[1.0]);
    assert_row(&map, 1, 2, &[1.0]);
}

#[test]
fn a_resized_crop_clamps_where_it_is_told() {
    let crop_first = AxisMap::crop(20, 6, 4).then(&AxisMap::resize(4, 8, Filter::Bilinear, true));
    assert_row(&crop_first, 0, 6, &[1.0]);
    let image_border = AxisMap::resize_from(20, 8, 6.0, 0.5, Filter::Bilinear, true);
    assert_row(&image_border, 0, 5, &[0.25, 0.75]);
    // A fractional window wholly outside still reads the border.
    assert_row(&AxisMap::resize_from(20, 2, 40.5, 0.5, Filter::Lanczos3, true), 1, 19, &[1.0]);
}

#[test]
fn chroma_ratios_by_hand() {
    let map = AxisMap::triangle(18, 36, Ratio::new(2, 1));
    assert_eq!(map.row(0), (0, &[1.0][..]));
    assert_eq!(map.row(1), (0, &[0.75, 0.25][..]));
    assert_eq!(map.row(2), (0, &[0.25, 0.75][..]));
    assert_eq!(map.row(35), (17, &[1.0][..]));
    // 3:1 puts every third output on a sample, 3:2 every third between.
    assert_eq!(AxisMap::triangle(4, 12, Ratio::new(3, 1)).row(4), (1, &[1.0][..]));
    assert_eq!(AxisMap::triangle(4, 6, Ratio::new(3, 2)).row(1), (0, &[0.5, 0.5][..]));
    let copies = |map: AxisMap| (0..map.n_out()).map(|o| map.row(o).0).collect::<Vec<_>>();
    assert_eq!(copies(AxisMap::replicate(4, 6, Ratio::new(3, 2))), [0, 0, 1, 2, 2, 3]);
    assert_eq!(copies(AxisMap::replicate(2, 9, Ratio::new(4, 1))), [0, 0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!((Ratio::new(4, 2), Ratio::new(3, 3)), (Ratio::new(2, 1), Ratio::ONE));
}

#[test]
fn smoothing_by_hand() {
    let map = AxisMap::smooth(4, &[0.25, 0.5, 0.25]);
    assert_eq!(map.row(0), (0, &[0.75, 0.25][..]));
    assert_eq!(map.row(2), (1, &[0.25, 0.5, 0.25][..]));
    let map = AxisMap::average(5, 2);
    assert_eq!((map.n_out(), map.row(1)), (3, (2, &[0.5, 0.5][..])));
    assert_eq!(map.row(2), (4, &[1.0][..]));
}

#[test]
fn edges_of_the_last_block() {
    assert!(AxisMap::whole_blocks(18, Edge::Stored).is_identity());
    let map = AxisMap::whole_blocks(18, Edge::Replicate);
    assert_eq!((map.n_in(), map.n_out(), map.row(23)), (18, 24, (17, &[1.0][..])));
    assert!(CoefficientMap::<f32>::new(&AxisMap::whole_blocks(18, Edge::Stored), 4).is_identity());
    assert!(!CoefficientMap::<f32>::new(&map, 4).is_identity());
    // The whole blocks of it are still the identity, bit for bit.
    let map = CoefficientMap::<f32>::new(&map, 8);
    let identity: Vec<f32> = (0..64).map(|at| f32::from(u8::from(at / 8 == at % 8))).collect();
    assert_eq!(map.taps(1), (1, &identity[..]));
    assert_eq!(CoefficientMap::<f32>::new(&AxisMap::crop(40, 16, 16), 8).shift(), Some(2));
    assert_eq!(CoefficientMap::<f32>::new(&AxisMap::crop(40, 12, 16), 8).shift(), None);
}

/// Padding both axes with one constant needs no bias: shift the samples, pad with zero, shift back.
#[test]
fn one_constant_in_two_dimensions() {
    let (vertical, horizontal) = (
        AxisMap::pad(3, 1, 2, Pad::Constant(-128.0)).then(&AxisMap::resize(6, 5, Filter::Bilinear, false)),
        AxisMap::pad(4, 0, 3, Pad::Constant(-128.0)).then(&AxisMap::smooth(7, &[0.25, 0.5, 0.25])),
    );
    let both = |image: &[Vec<f64>], v: &AxisMap, h: &AxisMap| -> Vec<Vec<f64>> {
        let wide: Vec<Vec<f64>> = image.iter().map(|row| h.apply(row)).collect();
        let columns = (0..h.n_out()).map(|x| v.apply(&wide.iter().map(|row| row[x]).collect::<Vec<_>>()));
        columns.collect()
    };
    let image: Vec<Vec<f64>> = samples(12).chunks(4).map(<[f64]>::to_vec).collect();
    let with_bias = both(&image, &vertical, &horizontal);
    let shifted: Vec<Vec<f64>> = image.iter().map(|row| row.iter().map(|x| x + 128.0).collect()).collect();
    let zero = |map: AxisMap, next: &AxisMap| map.then(next);
    let v = zero(AxisMap::pad(3, 1, 2, Pad::Constant(0.0)), &AxisMap::resize(6, 5, Filter::Bilinear, false));
    let h = zero(AxisMap::pad(4, 0, 3, Pad::Constant(0.0)), &AxisMap::smooth(7, &[0.25, 0.5, 0.25]));
    assert!(!v.has_bias() && !h.has_bias() && vertical.has_bias());
    for (a, b) in with_bias.iter().zip(both(&shifted, &v, &h)) {
        assert!(close(a, &b.iter().map(|y| y - 128.0).collect::<Vec<_>>(), 1e-9));
    }
}

/// Periods share weights: the inner blocks of 2x upsampling are two maps, whatever the size.
#[test]
fn repeated_blocks_share_weights() {
    let weights = |n| CoefficientMap::<f32>::new(&AxisMap::triangle(n, 2 * n, Ratio::new(2, 1)), 8).weights().len();
    assert_eq!(weights(80), weights(800));
    let weights = |n| CoefficientMap::<f32>::new(&AxisMap::triangle(n, n * 4 / 3, Ratio::new(4, 3)), 8).weights().len();
    assert_eq!(weights(120), weights(1200));
}

/// Nothing that a recipe or a header could ask for panics, sizes of zero included.
#[test]
fn absurd_sizes_do_not_panic() {
    for (n_in, n_out) in [(0, 0), (0, 9), (9, 0), (1, 1)] {
        for filter in FILTERS {
            for antialias in [false, true] {
                let map = AxisMap::resize(n_in, n_out, filter, antialias);
                assert_eq!(CoefficientMap::<f32>::new(&map, 8).blocks_out(), n_out.div_ceil(8));
                for scale in [0.0, -3.0, 1e300, f64::NAN, f64::INFINITY] {
                    let map = AxisMap::resize_from(n_in, n_out, -1e300, scale, filter, antialias);
                    assert_eq!((map.n_in(), map.n_out()), (n_in, n_out));
                }
            }
        }
        let flip = AxisMap::flip(n_in).then(&AxisMap::average(n_in, 0));
        assert_eq!(flip.n_out(), n_in);
        let pad = CoefficientMap::<f32>::new(&AxisMap::pad(n_in, 9, 9, Pad::Constant(1.0)), 1);
        assert_eq!(pad.blocks_out(), (n_in + 18).div_ceil(8));
        assert_eq!(pad.apply(&[]).len(), pad.blocks_out());
        assert_eq!(AxisMap::zero_pad(n_in, n_out, Ratio::new(0, 3)).n_out(), n_out);
    }
}

/// Time to build the four axes of a dctnet-24 photograph of 500 x 375 in 4:2:0. Run with `--release -- --ignored`.
#[test]
#[ignore = "a measurement, not a check"]
fn time_of_building_maps() {
    let resize = |n: usize, to: usize| {
        let offset = (to - 448) / 2;
        AxisMap::resize_rows(n, to, offset..offset + 448, Filter::Bilinear, false)
    };
    let luma = |n, to| CoefficientMap::<f32>::new(&resize(n, to), 4);
    let composed = |n: usize, to| AxisMap::triangle(n.div_ceil(2), n, Ratio::new(2, 1)).then(&resize(n, to));
    let chroma = |n, to| CoefficientMap::<f32>::smoothed(&composed(n, to), 0.125, 2);
    let time = |name: &str, build: &dyn Fn() -> usize| {
        let best = (0..40).map(|_| {
            let start = std::time::Instant::now();
            let weights: usize = (0..50).map(|_| std::hint::black_box(build())).sum();
            assert!(weights > 0);
            start.elapsed().as_secs_f64() * 1e6 / 50.0
        });
        println!("{name}: {:.1} us", best.fold(f64::INFINITY, f64::min));
    };
    let weights = |map: CoefficientMap| map.weights().len();
    time("rows of resize 500 -> 683", &|| resize(500, 683).n_out());
    time("luma axis 500 -> 683 -> 448, K 4", &|| weights(luma(500, 683)));
    time("composition of the chroma axis 250 -> 500 -> 683 -> 448", &|| composed(500, 683).n_out());
    time("chroma axis, smoothed, K 2", &|| weights(chroma(500, 683)));
    time("four axes", &|| {
        weights(luma(500, 683)) + weights(luma(375, 512)) + weights(chroma(500, 683)) + weights(chroma(375, 512))
    });
    let cut = |n: usize| AxisMap::resize(n, 448, Filter::Bilinear, true).shifted(500, 20);
    time("rows of a crop to 300 and a resize to 448, antialiased", &|| cut(300).n_out());
    time("the same from 470", &|| cut(470).n_out());
    time("its map, K 4", &|| weights(CoefficientMap::new(&cut(470), 4)));
    let up = |n| CoefficientMap::new(&AxisMap::triangle(n, 2 * n, Ratio::new(2, 1)), 8);
    time("native chroma 250 -> 500, K 8", &|| weights(up(250)));
    let shrink = || AxisMap::resize(4000, 448, Filter::Bilinear, true);
    time("antialiased 4000 -> 448, K 8", &|| weights(CoefficientMap::new(&shrink(), 8)));
}
