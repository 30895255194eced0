//! What the builder costs, without the decoder: measurements, not checks.
//!
//! `JPEGDCT_PHOTOS=FOLDER cargo test --release --lib time_of -- --ignored --nocapture`. Tiles are recorded first and copied
//! into one buffer before each is timed, so that they are as warm as a decoder leaves them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::cpu::{self, Cpu};
use crate::error::Result;
use crate::limits::Limits;
use crate::markers::ImageInfo;
use crate::recipe::{Layout, Recipe};
use crate::scans::{Block, DecodeOptions, Demand, Placement, Scratch, Tile, TileConsumer, decode_tiles};
use crate::spectral::builder::{Builder, BuilderScratch, Spectral};
use crate::tensor::Dtype;

/// The tiles of one photograph.
struct Recording {
    info: ImageInfo,
    tiles: Vec<(Vec<Block>, Vec<Placement>)>,
}

impl TileConsumer for Recording {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        Ok(Demand::all(info))
    }

    fn begin(&mut self, info: &ImageInfo) -> Result<()> {
        self.info = info.clone();
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        self.tiles.push((tile.blocks.to_vec(), tile.placements.to_vec()));
        Ok(())
    }
}

fn recordings() -> Vec<Recording> {
    let own = || concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/photos").into();
    let folder = std::env::var_os("JPEGDCT_PHOTOS").unwrap_or_else(own);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut scratch = Scratch::default();
    let record = |path: &std::path::PathBuf| {
        let info = super::image::Image::random(8, 8, &[(1, 1)], crate::markers::ColorModel::Grayscale, 1).info;
        let mut recording = Recording { info, tiles: Vec::new() };
        decode_tiles(&std::fs::read(path).ok()?, &DecodeOptions::default(), &mut scratch, &mut recording).ok()?;
        Some(recording)
    };
    paths.iter().filter_map(record).collect()
}

impl Recording {
    fn pixels(&self) -> f64 {
        f64::from(self.info.frame.width) * f64::from(self.info.frame.height)
    }

    /// Plan and maps, then all else.
    fn build(&self, spectral: &Spectral, scratch: &mut BuilderScratch, copy: &mut Vec<Block>) -> [Duration; 2] {
        let limits = Limits::default();
        let start = Instant::now();
        let mut builder = Builder::new(spectral, &limits, "", scratch);
        let demand = builder.demand(&self.info).unwrap();
        let planned = start.elapsed();
        let start = Instant::now();
        builder.begin(&self.info).unwrap();
        let mut spent = start.elapsed();
        let v_max = u32::from(self.info.frame.v_max);
        for (blocks, placements) in &self.tiles {
            let rows = placements[0].first_row..placements[0].first_row + placements[0].rows;
            if rows.end.div_ceil(v_max) <= demand.mcu_rows.start || rows.start / v_max >= demand.mcu_rows.end {
                continue;
            }
            copy.clear();
            copy.extend_from_slice(blocks);
            let start = Instant::now();
            builder.tile(&Tile::new(copy, placements)).unwrap();
            spent += start.elapsed();
        }
        let start = Instant::now();
        let (tensors, _) = black_box(builder.finish(&self.info));
        spent += start.elapsed();
        scratch.recycle(tensors);
        [planned, spent]
    }
}

#[test]
#[ignore = "a measurement, not a check"]
fn time_of_building_tensors() {
    let recordings = recordings();
    let pixels: f64 = recordings.iter().map(Recording::pixels).sum();
    println!("{} photographs, {:.1} MP; ns per luma pixel: plan and maps, the rest", recordings.len(), pixels / 1e6);
    let only = std::env::var("JPEGDCT_RECIPE").ok();
    // All levels, or the one asked for.
    let cpus = if std::env::var_os("JPEGDCT_CPU").is_some() { vec![Cpu::detect()] } else { cpu::all() };
    for (name, layout, dtype) in [
        ("native-24", Layout::Chw, Dtype::F32),
        ("native-24", Layout::Chw, Dtype::F16),
        ("native-192", Layout::Chw, Dtype::F32),
        ("native-192", Layout::Chw, Dtype::F16),
        ("native-192", Layout::Chw, Dtype::I16),
        ("native-192", Layout::Hwc, Dtype::F32),
        ("planes", Layout::Blocks, Dtype::F32),
        ("quantised", Layout::Blocks, Dtype::I16),
        ("dctnet-24", Layout::Chw, Dtype::F32),
        ("dctnet-64", Layout::Chw, Dtype::F32),
    ] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let recipe = Recipe { layout, dtype, ..Recipe::preset(name).unwrap() };
        let mut line = format!("{name:11} {layout:?} {dtype:?}:");
        let mut times: Vec<_> = cpus.iter().map(|&cpu| (cpu, [0.0; 2])).collect();
        for recording in &recordings {
            let (mut best, mut copy) = (vec![[f64::MAX; 2]; times.len()], Vec::new());
            let mut scratches: Vec<_> = times.iter().map(|(cpu, _)| BuilderScratch::with_cpu(*cpu)).collect();
            for _ in 0..4 {
                for (scratch, best) in scratches.iter_mut().zip(&mut best) {
                    // Maps are built for every image.
                    let spectral = Spectral::new(recipe.clone()).unwrap();
                    let found = recording.build(&spectral, scratch, &mut copy);
                    best.iter_mut().zip(found).for_each(|(best, t)| *best = best.min(t.as_nanos() as f64));
                }
            }
            for ((_, sum), best) in times.iter_mut().zip(best) {
                sum.iter_mut().zip(best).for_each(|(sum, t)| *sum += t / pixels);
            }
        }
        for (cpu, [plan, rest]) in times {
            line += &format!("  {} {plan:.3} + {rest:.3}", Cpu::level(cpu).name());
        }
        println!("{line}");
    }
}
