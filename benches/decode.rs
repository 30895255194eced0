//! What it costs to read a photograph: coefficients and tensors, beside libjpeg's coefficients.
//!
//! `cargo bench --features mozjpeg-simd` measures against libjpeg with its SIMD (needs nasm); without the feature the
//! yardstick is not a fair one and its name says so. `JPEGDCT_PHOTOS=FOLDER` takes the JPEG files of a folder (read into
//! memory first; progressive ones show what scans that nothing is wanted of cost) instead of the fixtures' photographs,
//! `JPEGDCT_CPU=portable|v3|v4` lower kernels. Throughput is in luma pixels. The loops of a tensor one by one are timed by the ignored test
//! `time_of_each_loop` of the library.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jpegdct::bench::libjpeg;
use jpegdct::bench::stages::{Recording, Unstuffer};
use jpegdct::recipe::Layout;
use jpegdct::scans::{Demand, Tile, TileConsumer, decode_tiles};
use jpegdct::spectral::axis::{AxisMap, CoefficientMap, Filter, Ratio};
use jpegdct::tensor::Dtype;
use jpegdct::{Coefficients, DecodeOptions, ExtractScratch, Extractor, Recipe, Result, Scratch};

/// Takes tiles and does nothing: what is left is entropy decoding.
struct Nobody {
    /// What is wanted of the first component and of the others.
    highest: [Option<u8>; 2],
}

impl TileConsumer for Nobody {
    fn demand(&mut self, info: &jpegdct::markers::ImageInfo) -> Result<Demand> {
        let mut demand = Demand::all(info);
        demand.highest.iter_mut().enumerate().for_each(|(c, highest)| *highest = self.highest[c.min(1)]);
        Ok(demand)
    }

    fn begin(&mut self, _: &jpegdct::markers::ImageInfo) -> Result<()> {
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        black_box(tile);
        Ok(())
    }
}

fn photographs() -> Vec<Vec<u8>> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/photos");
    let folder = std::env::var_os("JPEGDCT_PHOTOS").map_or_else(own, PathBuf::from);
    let files = std::fs::read_dir(folder).expect("the folder of photographs can be read");
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("the entry can be read").path()).collect();
    paths.sort();
    let is_jpeg = |bytes: &Vec<u8>| bytes.starts_with(&[0xff, 0xd8]);
    paths.iter().filter_map(|path| std::fs::read(path).ok()).filter(is_jpeg).collect()
}

fn decode(criterion: &mut Criterion) {
    let photographs = photographs();
    let options = DecodeOptions::default();
    let pixels = |bytes: &Vec<u8>| {
        let frame = Coefficients::decode(bytes).expect("photographs are sound").info.frame;
        u64::from(frame.width) * u64::from(frame.height)
    };
    let mut group = criterion.benchmark_group("photographs");
    group.throughput(Throughput::Elements(photographs.iter().map(pixels).sum()));
    group.sample_size(20);

    let simd = if libjpeg::has_simd() { "with SIMD" } else { "WITHOUT SIMD, no baseline" };
    group.bench_function(format!("libjpeg jpeg_read_coefficients, {simd}"), |bencher| {
        bencher.iter(|| {
            photographs.iter().map(|bytes| libjpeg::coefficients(bytes).expect("a photograph")).sum::<usize>()
        });
    });

    let mut scratch = Scratch::default();
    for (name, y, chroma) in
        [("all", 63, 63), ("DC alone", 0, 0), ("Y to 24, chroma to 4", 24, 4), ("all of Y, DC of chroma", 63, 0)]
    {
        let highest = [Some(y), Some(chroma)];
        group.bench_function(format!("tiles of coefficients, {name}"), |bencher| {
            bencher.iter(|| {
                for bytes in &photographs {
                    let consumer = &mut Nobody { highest };
                    decode_tiles(bytes, &options, &mut scratch, consumer).expect("photographs are sound");
                }
            });
        });
    }
    group.bench_function("coefficients, row-major", |bencher| {
        bencher.iter(|| {
            for bytes in &photographs {
                black_box(Coefficients::decode_with(bytes, &options, &mut scratch).expect("photographs are sound"));
            }
        });
    });
    for threads in [1, 2] {
        let mut together = options;
        together.threads = threads;
        group.bench_function(format!("tiles of coefficients, threads on one file: {threads}"), |bencher| {
            bencher.iter(|| {
                for bytes in &photographs {
                    let consumer = &mut Nobody { highest: [Some(63); 2] };
                    decode_tiles(bytes, &together, &mut scratch, consumer).expect("photographs are sound");
                }
            });
        });
    }
    let mut scratch = ExtractScratch::default();
    let extractor =
        |recipe: &str| Extractor::new(Recipe::preset(recipe).expect("a preset"), options).expect("presets are valid");
    for recipe in ["native-24", "native-192", "planes", "dctnet-24"] {
        let extractor = extractor(recipe);
        group.bench_function(format!("tensor {recipe} f32"), |bencher| {
            bencher.iter(|| {
                for bytes in &photographs {
                    let tensor = black_box(extractor.extract(bytes, "", &mut scratch).expect("photographs are sound"));
                    scratch.recycle(tensor);
                }
            });
        });
    }
    group.bench_function("tensor dctnet-24 f32, new maps for each photograph", |bencher| {
        bencher.iter(|| {
            for bytes in &photographs {
                let tensor = black_box(extractor("dctnet-24").extract(bytes, "", &mut scratch));
                scratch.recycle(tensor.expect("photographs are sound"));
            }
        });
    });
    group.finish();
}

/// The stages of the route by themselves: unstuffing, and what comes behind the decoder. Entropy decoding is the rows of
/// tiles above.
fn stages(criterion: &mut Criterion) {
    let photographs = photographs();
    let recordings: Vec<Recording> =
        photographs.iter().map(|bytes| Recording::new(bytes).expect("photographs are sound")).collect();
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(photographs.iter().map(|bytes| bytes.len() as u64).sum()));
    let mut unstuffer = Unstuffer::default();
    group.bench_function("unstuff", |bencher| {
        bencher.iter(|| {
            photographs.iter().map(|bytes| unstuffer.unstuff(bytes).expect("photographs are sound")).sum::<usize>()
        });
    });
    group.throughput(Throughput::Elements(recordings.iter().map(Recording::luma_pixels).sum()));
    let (mut scratch, mut copy) = (ExtractScratch::default(), Vec::new());
    for (name, preset, dtype, layout) in [
        ("tiles to planes, 24 channels, f32", "native-24", Dtype::F32, Layout::Chw),
        ("tiles to planes, 192 channels, f32", "native-192", Dtype::F32, Layout::Chw),
        ("tiles to planes, 192 channels, f16", "native-192", Dtype::F16, Layout::Chw),
        ("tiles to planes, 192 channels, i16", "native-192", Dtype::I16, Layout::Chw),
        ("tiles to planes, 192 channels side by side, f32", "native-192", Dtype::F32, Layout::Hwc),
        ("tiles to blocks, f32", "planes", Dtype::F32, Layout::Blocks),
        ("tiles to blocks, quantised", "quantised", Dtype::I16, Layout::Blocks),
        ("tiles through axis maps, dctnet-24, maps made for each photograph", "dctnet-24", Dtype::F32, Layout::Chw),
        ("tiles through axis maps, dctnet-64, maps made for each photograph", "dctnet-64", Dtype::F32, Layout::Chw),
    ] {
        let mut recipe = Recipe::preset(preset).expect("a preset");
        (recipe.dtype, recipe.layout) = (dtype, layout);
        let new = || Extractor::new(recipe.clone(), DecodeOptions::default()).expect("presets are valid");
        let kept = new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for recording in &recordings {
                    // Native maps are few; those of a resize differ from size to size.
                    let own = preset.starts_with("dctnet").then(&new);
                    let tensors = recording.tensors(own.as_ref().unwrap_or(&kept), &mut scratch, &mut copy);
                    scratch.recycle_tensors(black_box(tensors).expect("photographs are sound"));
                }
            });
        });
    }
    group.finish();
}

/// The maps of a dctnet-24 photograph of 500 x 375 in 4:2:0, built from nothing.
fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("maps");
    let resize = |n: usize, to: usize| {
        let offset = (to - 448) / 2;
        AxisMap::resize_rows(n, to, offset..offset + 448, Filter::Bilinear, false)
    };
    let upsampled = |n: usize, to| AxisMap::triangle(n.div_ceil(2), n, Ratio::new(2, 1)).then(&resize(n, to));
    let luma = |n, to| CoefficientMap::<f32>::new(&resize(n, to), 4);
    let chroma = |n, to| CoefficientMap::<f32>::smoothed(&upsampled(n, to), 0.125, 2);
    group.bench_function("luma axis", |bencher| bencher.iter(|| luma(500, 683)));
    group.bench_function("chroma axis, upsampled and smoothed", |bencher| bencher.iter(|| chroma(500, 683)));
    group.bench_function("four axes", |bencher| {
        bencher.iter(|| (luma(500, 683), luma(375, 512), chroma(500, 683), chroma(375, 512)));
    });
    group.finish();
}

/// What the files of `tools/hostile_files.py` cost two threads beside one, in turns, by the clock: `JPEGDCT_HOSTILE=FOLDER`. Damage
/// is kept.
fn hostile(_: &mut Criterion) {
    let Some(folder) = std::env::var_os("JPEGDCT_HOSTILE") else { return };
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("the entry can be read").path()).collect();
    paths.sort();
    println!("{:50} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}", "", "tiles 1", "2", "1/2", "planes 1", "2", "1/2");
    for path in paths {
        let bytes = std::fs::read(&path).expect("the file can be read");
        let mut line = format!("{:50}", path.file_name().unwrap_or_default().to_string_lossy());
        for planes in [false, true] {
            let mut scratches = [Scratch::default(), Scratch::default()];
            let mut times = [Vec::new(), Vec::new()];
            for round in 0..8 {
                for (threads, (scratch, times)) in [1, 2].into_iter().zip(scratches.iter_mut().zip(&mut times)) {
                    let mut options = DecodeOptions::default();
                    (options.threads, options.damage) = (threads, jpegdct::Damage::Keep);
                    let start = std::time::Instant::now();
                    if planes {
                        black_box(Coefficients::decode_with(&bytes, &options, scratch).expect("damage is kept"));
                    } else {
                        let consumer = &mut Nobody { highest: [Some(63); 2] };
                        decode_tiles(&bytes, &options, scratch, consumer).expect("damage is kept");
                    }
                    // The first round is for memory.
                    times.extend((round > 0).then(|| start.elapsed().as_secs_f64() * 1e3));
                }
            }
            let [one, two] = times.map(|mut times| {
                times.sort_by(f64::total_cmp);
                times[times.len() / 2]
            });
            line += &format!(" {one:8.1} {two:8.1} {:6.2}  ", one / two);
        }
        println!("{line}");
    }
}

criterion_group!(benches, decode, stages, maps, hostile);
criterion_main!(benches);
