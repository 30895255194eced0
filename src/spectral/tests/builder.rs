//! Kind `channels`.

use super::image::Image;
use super::reference;
use crate::error::{Error, Malformed, Mismatch};
use crate::limits::{LimitKind, Limits};
use crate::markers::ColorModel::{self, Cmyk, Grayscale, Rgb, Unknown, YCbCr, Ycck};
use crate::recipe::{Chroma, Edge, Layout, Normalize, Recipe, RecipeError, Statistics};
use crate::scans::TileConsumer;
use crate::spectral::builder::{Builder, BuilderScratch, Spectral};
use crate::tensor::{Dtype, Tensor, Values};

const SIZES: [(u32, u32); 6] = [(36, 28), (8, 8), (1, 1), (17, 33), (64, 16), (25, 9)];
const MODES: [Chroma; 3] = [Chroma::Triangle, Chroma::Replicate, Chroma::ZeroPad];
const EDGES: [Edge; 2] = [Edge::Stored, Edge::Replicate];

/// Sampling factors of three components: the usual ones, then every odd ratio, luma subsampled, axes mixed.
const FACTORS: [[(u8, u8); 3]; 12] = [
    [(1, 1), (1, 1), (1, 1)],
    [(2, 2), (1, 1), (1, 1)],
    [(2, 1), (1, 1), (1, 1)],
    [(1, 2), (1, 1), (1, 1)],
    [(4, 1), (1, 1), (1, 1)],
    [(1, 4), (1, 2), (1, 1)],
    [(3, 1), (1, 1), (1, 1)],
    [(3, 1), (2, 1), (1, 1)],
    [(1, 4), (1, 3), (1, 1)],
    [(1, 1), (2, 2), (2, 2)],
    [(2, 1), (1, 2), (1, 1)],
    [(2, 2), (2, 2), (2, 2)],
];

fn recipe(channels: &str, chroma: Chroma, edge: Edge) -> Recipe {
    Recipe { channels: channels.parse().unwrap(), chroma, edge, ..Recipe::default() }
}

fn one(image: &Image, recipe: &Recipe) -> Tensor {
    let (mut tensors, _) = image.build(recipe, 1).unwrap();
    assert_eq!(tensors.len(), 1);
    tensors.remove(0)
}

fn f32s(tensor: &Tensor) -> &[f32] {
    match &tensor.values {
        Values::F32(values) => values,
        other => panic!("{} instead of f32", other.dtype_name()),
    }
}

fn assert_matches_reference(image: &Image, recipe: &Recipe) {
    let tensor = one(image, recipe);
    let (shape, expected) = reference::tensor(image, recipe);
    assert_eq!(tensor.shape, shape);
    for (i, (found, expected)) in f32s(&tensor).iter().zip(&expected).enumerate() {
        let frame = &image.info.frame;
        assert!(
            (f64::from(*found) - expected).abs() < 2e-3,
            "{found} instead of {expected} at {i}: {}x{} {:?} {:?} {:?}",
            frame.width,
            frame.height,
            frame.components.iter().map(|c| (c.h, c.v)).collect::<Vec<_>>(),
            recipe.chroma,
            recipe.edge
        );
    }
}

#[test]
fn every_ratio_mode_edge_and_size_is_the_pixel_path() {
    for (seed, factors) in (1..).zip(FACTORS) {
        for (chroma, edge) in MODES.into_iter().flat_map(|mode| EDGES.map(|edge| (mode, edge))) {
            for (color, (width, height)) in SIZES.into_iter().flat_map(|size| [(YCbCr, size), (Rgb, size)]) {
                let image = Image::random(width, height, &factors, color, seed);
                assert_matches_reference(&image, &recipe("24", chroma, edge));
            }
        }
    }
}

#[test]
fn chroma_of_more_blocks_than_a_kernel_takes_at_once() {
    for (seed, factors) in (1..).zip([FACTORS[1], FACTORS[2], FACTORS[3], [(2, 2), (2, 1), (1, 2)]]) {
        for (width, height) in [(530, 35), (512, 16), (20, 530), (273, 25)] {
            let image = Image::random(width, height, &factors, YCbCr, seed);
            for (chroma, edge) in MODES.into_iter().flat_map(|mode| EDGES.map(|edge| (mode, edge))) {
                assert_matches_reference(&image, &recipe("24", chroma, edge));
            }
            assert_matches_reference(&image, &recipe("192", Chroma::Triangle, EDGES[seed as usize % 2]));
        }
    }
}

#[test]
fn every_size_and_odd_channel_sets() {
    for (width, height) in SIZES {
        for (channels, edge) in [("y:63,0,9;cb:5;cr:40,2", Edge::Stored), ("y:1;cr:3,0", Edge::Replicate)] {
            let image = Image::random(width, height, &FACTORS[1], YCbCr, width.into());
            assert_matches_reference(&image, &recipe(channels, Chroma::Triangle, edge));
        }
    }
    let image = Image::random(36, 28, &FACTORS[1], YCbCr, 5);
    for channels in ["192", "zigzag:3,2,1", "cb:0"] {
        assert_matches_reference(&image, &recipe(channels, Chroma::Triangle, Edge::Stored));
    }
}

#[test]
fn grey_has_zero_chroma_and_normalisation_reaches_every_channel() {
    let statistics = Statistics { mean: (0..192).map(f64::from).collect(), std: (1..193).map(f64::from).collect() };
    for factors in [[(1, 1)], [(2, 2)]] {
        let image = Image::random(21, 13, &factors, Grayscale, 3);
        for normalize in [Normalize::None, Normalize::Dctnet, Normalize::Statistics(statistics.clone())] {
            for layout in [Layout::Chw, Layout::Hwc] {
                let recipe = Recipe { normalize: normalize.clone(), ..recipe("24", Chroma::Triangle, Edge::Stored) };
                let (_, expected) = reference::tensor(&image, &recipe);
                let tensor = one(&image, &Recipe { layout, ..recipe });
                let chw = if layout == Layout::Hwc { to_chw(&tensor) } else { f32s(&tensor).to_vec() };
                assert!(chw.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 2e-3));
            }
        }
    }
    let colour = Image::random(40, 24, &FACTORS[1], YCbCr, 4);
    let normalize = Normalize::Statistics(statistics);
    assert_matches_reference(&colour, &Recipe { normalize, ..recipe("64", Chroma::Triangle, Edge::Replicate) });
}

fn to_chw(tensor: &Tensor) -> Vec<f32> {
    let channels = *tensor.shape.last().unwrap();
    let values = f32s(tensor);
    (0..channels).flat_map(|c| values[c..].iter().step_by(channels).copied()).collect()
}

#[test]
fn layouts_hold_the_same_values() {
    for (factors, color) in [(FACTORS[0], YCbCr), (FACTORS[1], YCbCr), (FACTORS[3], Rgb)] {
        let image = Image::random(600, 20, &factors, color, 8);
        let chw = recipe("48", Chroma::Triangle, Edge::Stored);
        let hwc = one(&image, &Recipe { layout: Layout::Hwc, ..chw.clone() });
        let chw = one(&image, &chw);
        assert_eq!(hwc.shape, [chw.shape[1], chw.shape[2], chw.shape[0]]);
        assert!(to_chw(&hwc).iter().zip(f32s(&chw)).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}

#[test]
fn element_types_round_the_same_values() {
    let image = Image::random(50, 30, &FACTORS[1], YCbCr, 9);
    for layout in [Layout::Chw, Layout::Hwc] {
        let of = |dtype| Recipe { dtype, layout, ..recipe("32", Chroma::Triangle, Edge::Stored) };
        let (exact, f16, i16) =
            (one(&image, &of(Dtype::F32)), one(&image, &of(Dtype::F16)), one(&image, &of(Dtype::I16)));
        let (Values::F16(f16), Values::I16(i16)) = (&f16.values, &i16.values) else { panic!("element types") };
        for ((x, half), integer) in f32s(&exact).iter().zip(f16).zip(i16) {
            assert_eq!(half::f16::from_f32(*x), *half);
            assert_eq!(x.round_ties_even() as i16, *integer);
        }
    }
}

#[test]
fn large_products_saturate_and_are_counted() {
    let mut image = Image::random(8, 8, &[(1, 1)], Grayscale, 1);
    image.info.quant_tables[0].as_mut().unwrap().0[..2].fill(u16::MAX);
    image.blocks[0][0][..3].copy_from_slice(&[i16::MIN, i16::MAX, 3]);
    image.info.quant_tables[0].as_mut().unwrap().0[2] = 7;
    let of = |dtype| Recipe { dtype, ..recipe("y:0,1,8", Chroma::Triangle, Edge::Stored) };
    let (tensors, saturated) = image.build(&of(Dtype::I16), 1).unwrap();
    assert_eq!((&tensors[0].values, saturated), (&Values::I16(vec![i16::MIN, i16::MAX, 21]), 2));
    let (tensors, saturated) = image.build(&of(Dtype::F16), 1).unwrap();
    let halves = [half::f16::MIN, half::f16::MAX, half::f16::from_f32(21.0)].to_vec();
    assert_eq!((&tensors[0].values, saturated), (&Values::F16(halves), 2));
    let (tensors, saturated) = image.build(&of(Dtype::F32), 1).unwrap();
    let exact = vec![-32768.0 * 65535.0, 32767.0 * 65535.0, 21.0];
    assert_eq!((&tensors[0].values, saturated), (&Values::F32(exact), 0));
}

#[test]
fn tile_height_and_used_buffers_change_no_byte() {
    let mut scratch = BuilderScratch::default();
    for factors in FACTORS {
        for color in [YCbCr, Rgb] {
            let image = Image::random(45, 120, &factors, color, 11);
            let recipe = recipe("24", Chroma::Triangle, Edge::Replicate);
            let (expected, _) = image.build(&recipe, 1).unwrap();
            for rows in [2, 3, 1000] {
                let (found, _) = image.build_with(&recipe, rows, &Limits::default(), &mut scratch).unwrap();
                assert_eq!(expected[0].values.bytes(), found[0].values.bytes());
            }
        }
    }
}

#[test]
fn an_unfinished_image_leaves_nothing_behind() {
    let recipe = recipe("24", Chroma::Triangle, Edge::Stored);
    let image = Image::random(64, 64, &[(1, 1), (1, 2), (1, 1)], Rgb, 2);
    let mut scratch = BuilderScratch::default();
    let spectral = Spectral::new(recipe.clone()).unwrap();
    let limits = Limits::default();
    for _ in 0..2 {
        let mut builder = Builder::new(&spectral, &limits, "", &mut scratch);
        builder.demand(&image.info).unwrap();
        builder.begin(&image.info).unwrap();
        image.feed(&mut builder, 0..1);
    }
    let (found, _) = image.build_with(&recipe, 1, &limits, &mut scratch).unwrap();
    assert_eq!(found, image.build(&recipe, 1).unwrap().0);
}

/// Tensors of an image as a builder with these buffers makes them of its first MCU rows.
fn of_rows(image: &Image, recipe: &Recipe, scratch: &mut BuilderScratch, rows: std::ops::Range<u32>) -> Vec<Tensor> {
    let (spectral, limits) = (Spectral::new(recipe.clone()).unwrap(), Limits::default());
    let mut builder = Builder::new(&spectral, &limits, "", scratch);
    builder.demand(&image.info).unwrap();
    builder.begin(&image.info).unwrap();
    image.feed(&mut builder, rows);
    builder.finish(&image.info).0
}

#[test]
fn memory_of_another_image_does_not_show() {
    let resized = Recipe::from_toml("[geometry]\nresize = { size = [40, 56] }").unwrap();
    let padded = Recipe { edge: Edge::Replicate, ..recipe("64", Chroma::Triangle, Edge::Replicate) };
    let planes = |name: &str| Recipe::preset(name).unwrap();
    let recipes =
        [recipe("24", Chroma::Triangle, Edge::Stored), padded, resized, planes("planes"), planes("quantised")];
    for (recipe, color) in recipes.iter().flat_map(|recipe| [(recipe, YCbCr), (recipe, Rgb)]) {
        let mut scratch = BuilderScratch::default();
        let other = Image::random(90, 70, &FACTORS[0], color, 3);
        scratch.recycle(other.build(recipe, 1).unwrap().0);
        let image = Image::random(75, 61, &FACTORS[1], color, 4);
        let whole = of_rows(&image, recipe, &mut scratch, 0..image.info.frame.mcus_high);
        assert_eq!(whole, image.build(recipe, 1).unwrap().0);
        scratch.recycle(whole);
        // What a decoder would have left out.
        let part = of_rows(&image, recipe, &mut scratch, 0..1);
        assert_eq!(part, of_rows(&image, recipe, &mut BuilderScratch::default(), 0..1));
    }
}

#[test]
fn every_level_gives_the_same_tensor() {
    let plain = recipe("64", Chroma::Triangle, Edge::Replicate);
    let resized = Recipe::from_toml("[geometry]\nresize = { size = [40, 56] }\nhflip = true").unwrap();
    let dctnet = Recipe::preset("dctnet-24").unwrap();
    for (factors, recipe) in
        FACTORS[..4].iter().flat_map(|factors| [(factors, &plain), (factors, &resized), (factors, &dctnet)])
    {
        let image = Image::random(150, 131, factors, YCbCr, 5);
        let at = |cpu| image.build_with(recipe, 1, &Limits::default(), &mut BuilderScratch::with_cpu(cpu)).unwrap().0;
        let levels: Vec<_> = crate::cpu::all().into_iter().map(at).collect();
        for (found, expected) in levels.iter().flat_map(|level| f32s(&level[0]).iter().zip(f32s(&levels[0][0]))) {
            assert!((found - expected).abs() <= 1e-4 + 1e-5 * expected.abs(), "{found} {expected}");
        }
    }
    // Where nothing is summed and nothing normalised there is one rounding, the same at every level.
    for name in ["native-64", "planes", "quantised"] {
        for (layout, dtype) in [(Layout::Chw, Dtype::F32), (Layout::Hwc, Dtype::F16), (Layout::Chw, Dtype::I16)] {
            let recipe = Recipe { layout, dtype, ..Recipe::preset(name).unwrap() };
            let Ok(recipe) = recipe.validate().map(|()| recipe) else { continue };
            let image = Image::random(150, 131, &FACTORS[0], YCbCr, 5);
            let at =
                |cpu| image.build_with(&recipe, 1, &Limits::default(), &mut BuilderScratch::with_cpu(cpu)).unwrap();
            let levels: Vec<_> = crate::cpu::all().into_iter().map(at).collect();
            assert!(levels.iter().all(|level| *level == levels[0]), "{name} {layout:?} {dtype:?}");
        }
    }
}

#[test]
fn without_upsampling_planes_must_have_one_size() {
    let none = recipe("24", Chroma::None, Edge::Replicate);
    let image = Image::random(36, 28, &FACTORS[1], YCbCr, 1);
    assert!(matches!(
        image.build(&none, 1),
        Err(Error::Mismatch(Mismatch::PlaneSize { component: 1, blocks: (3, 2), luma: (5, 4) }))
    ));
    assert_matches_reference(&image, &recipe("zigzag:10,0,0", Chroma::Triangle, Edge::Stored));
    image.build(&recipe("zigzag:10,0,0", Chroma::None, Edge::Stored), 1).expect("only luma is wanted");
    for edge in EDGES {
        assert_matches_reference(&Image::random(36, 28, &FACTORS[0], YCbCr, 1), &recipe("24", Chroma::None, edge));
        // 6 x 6 pixels in 4:2:0: different samples, but one block each.
        assert_matches_reference(&Image::random(6, 6, &FACTORS[1], YCbCr, 1), &recipe("24", Chroma::None, edge));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let recipe = Recipe::default();
    for (count, color) in [(4, Cmyk), (4, Ycck), (2, Unknown)] {
        let image = Image::random(16, 16, &vec![(1, 1); count], color, 1);
        let refused = image.build(&recipe, 1);
        assert!(matches!(refused, Err(Error::Mismatch(Mismatch::ColorModel(model))) if model == color));
    }
    let mut image = Image::random(16, 16, &FACTORS[0], ColorModel::YCbCr, 1);
    let memory = 24 * 2 * 2 * 4;
    let limits = |memory| Limits { memory, ..Limits::default() };
    let scratch = &mut BuilderScratch::default();
    image.build_with(&recipe, 1, &limits(memory), scratch).expect("just fits");
    assert!(matches!(
        image.build_with(&recipe, 1, &limits(memory - 1), scratch),
        Err(Error::Limit { kind: LimitKind::Memory, found: 384, limit: 383 })
    ));
    let tiny = Statistics { mean: vec![0.0; 192], std: vec![1e-60; 192] };
    let tiny = Recipe { normalize: Normalize::Statistics(tiny), ..Recipe::default() };
    assert_eq!(Spectral::new(tiny).unwrap_err(), RecipeError::StatisticsValue(0), "not finite in f32");
    image.info.quant_tables[1] = None;
    assert!(matches!(image.build(&recipe, 1), Err(Error::Malformed { kind: Malformed::MissingQuantTable(0), .. })));
}
