//! What each loop costs with its data in the first cache: measurements, not checks.
//!
//! `cargo test --release --lib time_of_each_loop -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::convert::{Column, Dequantise};
use super::direct::{Direct, DirectRows};
use super::horizontal::{Horizontal, Rearrange, RowShape};
use super::target::{Spare, Target, WriteLines};
use super::vertical::Vertical;
use crate::cpu::{self, Buffer, Cpu, LANES};
use crate::recipe::Layout;
use crate::scans::{Block, Placement, Tile};
use crate::spectral::axis::{AxisMap, CoefficientMap, Filter};
use crate::spectral::plan::{Output, TargetPlan};
use crate::tensor::Dtype;

/// The width in blocks of a photograph, and what of it DCTNet's crop reads.
const WIDE: usize = 63;

fn time(name: &str, per: usize, mut work: impl FnMut(Cpu)) {
    let mut line = format!("{name:34}");
    for cpu in cpu::all() {
        let mut best = f64::INFINITY;
        for _ in 0..300 {
            let start = Instant::now();
            for _ in 0..20 {
                work(cpu);
            }
            best = best.min(start.elapsed().as_nanos() as f64 / 20.0);
        }
        line += &format!("  {} {:7.2}", cpu.level().name(), best / per as f64);
    }
    println!("{line}  ns");
}

fn buffer(len: usize) -> Buffer {
    let mut buffer = Buffer::default();
    buffer.reserve(len);
    buffer
}

#[test]
#[ignore = "a measurement, not a check"]
fn time_of_each_loop() {
    let blocks: Vec<Block> = (0..WIDE).map(|b| std::array::from_fn(|k| (b * 7 + k) as i16 - 90)).collect();
    let placement =
        Placement { h: 1, v: 1, mcu_stride: 1, row_stride: 1, blocks_wide: WIDE, rows: 1, ..Placement::default() };
    let placements = [placement];
    let tile = Tile::new(&blocks, &placements);
    let row = || tile.row(0, 0);
    let steps = [3.0; 64];
    let mut columns = buffer(8 * LANES * WIDE);
    let columns: &mut [Column] = columns.get_mut().as_chunks_mut().0;
    time("convert, a block", WIDE, |cpu| {
        cpu.run(Dequantise { row: row(), wanted: 0..WIDE, steps: &steps, half: 0, columns: &mut *columns });
    });
    let resize = AxisMap::resize_rows(410, 512, 32..480, Filter::Bilinear, false);
    for k in [2, 4, 8] {
        let map = CoefficientMap::new(&resize, k);
        let shape = RowShape::new(56, k);
        let mut rows = buffer(16 * shape.pitch);
        let rows = rows.get_mut();
        time(&format!("horizontal, K {k}, an output of two rows"), 56, |cpu| {
            cpu.run(Horizontal { columns: &*columns, map: &map, shape, rows: &mut *rows });
        });
        time(&format!("no map, K {k}, a block of two rows"), 56, |cpu| {
            cpu.run(Rearrange { columns: &*columns, shape, rows: &mut *rows });
        });
        let mut sums = buffer(8 * shape.pitch);
        let sums = sums.get_mut();
        let weights = vec![0.1; 16 * k];
        time(&format!("vertical, K {k}, 56 blocks from 2 rows"), 1, |cpu| {
            let (rows, sums) = (&*rows, &mut *sums);
            cpu.run(Vertical { rows, shape, weights: &weights, kept: k, sums, first: true });
        });
        let plan = TargetPlan::new("", Layout::Chw, k * k, (56, 56), Dtype::F32);
        let mut target = Target::new(plan, &mut Spare::default()).expect("memory");
        let output = |n: usize| Output { frequency: (n / k * 8 + n % k) as u8, channel: n, scale: 0.5, shift: 1.0 };
        let outputs: Vec<Output> = (0..k * k).map(output).collect();
        time(&format!("store, {} lines of 56", k * k), 1, |cpu| {
            let (target, outputs, values) = (&mut target, &outputs, &*sums);
            black_box(cpu.run(WriteLines { target, outputs, rows: &[values], shape, first: 3 }));
        });
    }
    for (dtype, layout, count) in [
        (Dtype::F32, Layout::Chw, 16),
        (Dtype::F32, Layout::Chw, 64),
        (Dtype::F16, Layout::Chw, 64),
        (Dtype::I16, Layout::Chw, 64),
        (Dtype::F32, Layout::Hwc, 64),
        (Dtype::I16, Layout::Hwc, 64),
    ] {
        let mut target =
            Target::new(TargetPlan::new("", layout, 64, (47, WIDE), dtype), &mut Spare::default()).expect("memory");
        let output = |n: usize| Output { frequency: n as u8, channel: n, scale: 0.5, shift: 1.0 };
        let direct = Direct::new(&(0..count).map(output).collect::<Vec<_>>(), None);
        time(&format!("direct, {count} {layout:?} {dtype:?}, a block"), WIDE, |cpu| {
            let (direct, target) = (&direct, &mut target);
            black_box(cpu.run(DirectRows {
                direct,
                tile: &tile,
                component: 0,
                rows: 0..1,
                columns: 0..WIDE,
                to: 3,
                target,
            }));
        });
    }
}
