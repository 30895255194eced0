//! The pixel way in f64, written from the definitions and sharing nothing with the maps: inverse DCT of the stored
//! blocks, the spatial step sample by sample, colour in pixels, forward DCT.

use std::f64::consts::PI;

use super::image::Image;
use crate::markers::ColorModel;
use crate::recipe::{Chroma, Edge, Recipe};

/// Samples of one component, level-shifted.
struct Samples {
    width: usize,
    values: Vec<f64>,
}

impl Samples {
    fn height(&self) -> usize {
        self.values.len() / self.width
    }

    fn column(&self, x: usize) -> Vec<f64> {
        self.values[x..].iter().step_by(self.width).copied().collect()
    }

    /// A step along each axis.
    fn map(&self, horizontal: &Step, vertical: &Step) -> Samples {
        let rows: Vec<f64> = self.values.chunks(self.width).flat_map(|row| horizontal.apply(row)).collect();
        let rows = Samples { width: rows.len() / self.height(), values: rows };
        let columns: Vec<Vec<f64>> = (0..rows.width).map(|x| vertical.apply(&rows.column(x))).collect();
        let values = (0..columns[0].len()).flat_map(|y| columns.iter().map(move |column| column[y])).collect();
        Samples { width: columns.len(), values }
    }
}

/// Upsampling and edge along one axis.
struct Step {
    chroma: Chroma,
    edge: Edge,
    /// True samples of the component, pixels of the frame.
    samples: usize,
    frame: usize,
    num: usize,
    den: usize,
}

impl Step {
    fn apply(&self, stored: &[f64]) -> Vec<f64> {
        let blocks_out = if self.num == self.den { self.samples } else { self.frame }.div_ceil(8);
        let seen = match self.edge {
            Edge::Stored => stored.len(),
            Edge::Replicate => self.samples,
        };
        let last = match (self.edge, self.num == self.den) {
            (Edge::Stored, _) => 8 * blocks_out - 1,
            (Edge::Replicate, true) => self.samples - 1,
            (Edge::Replicate, false) => self.frame - 1,
        };
        let at = |x: i64| stored[x.clamp(0, seen as i64 - 1) as usize];
        (0..8 * blocks_out).map(|o| self.sample(o.min(last), &at)).collect()
    }

    fn sample(&self, o: usize, at: &dyn Fn(i64) -> f64) -> f64 {
        let (num, den) = (self.num, self.den);
        match self.chroma {
            _ if num == den => at(o as i64),
            Chroma::None => unreachable!("no upsampling is asked of unequal planes"),
            Chroma::Replicate => at((o * den / num) as i64),
            Chroma::Triangle => {
                let x = (o as f64 + 0.5) * den as f64 / num as f64 - 0.5;
                let part = x - x.floor();
                (1.0 - part) * at(x.floor() as i64) + part * at(x.floor() as i64 + 1)
            }
            Chroma::ZeroPad => {
                // The spectrum of the span of blocks that sample o lies over, evaluated at its centre.
                let (points_in, points_out) = (8 * den, 8 * num);
                let start = (o / points_out * points_in) as i64;
                let x = (o % points_out) as f64 / points_out as f64 + 0.5 / points_out as f64;
                (0..points_in)
                    .map(|k| {
                        let basis = |x: f64| (PI * k as f64 * x).cos();
                        let norm = if k == 0 { 1.0 } else { 2.0 } / points_in as f64;
                        let spectrum: f64 = (0..points_in)
                            .map(|i| at(start + i as i64) * basis((i as f64 + 0.5) / points_in as f64))
                            .sum();
                        norm * spectrum * basis(x)
                    })
                    .sum()
            }
        }
    }
}

fn basis(k: usize, x: usize) -> f64 {
    let scale = if k == 0 { 0.125f64.sqrt() } else { 0.5 };
    scale * ((2 * x + 1) as f64 * k as f64 * PI / 16.0).cos()
}

fn inverse_dct(image: &Image, component: usize) -> Samples {
    let c = &image.info.frame.components[component];
    let table = image.info.quant_tables[component].unwrap().row_major();
    let (wide, high) = (c.blocks_wide as usize, c.blocks_high as usize);
    let mut values = vec![0.0; 64 * wide * high];
    for (by, bx) in (0..high).flat_map(|by| (0..wide).map(move |bx| (by, bx))) {
        let block = &image.blocks[component][by * c.padded_blocks_wide as usize + bx];
        let block = crate::spec::zigzag::to_row_major(block);
        for (y, x) in (0..64).map(|i| (i / 8, i % 8)) {
            values[(8 * by + y) * 8 * wide + 8 * bx + x] =
                (0..64).map(|i| f64::from(block[i]) * f64::from(table[i]) * basis(i / 8, y) * basis(i % 8, x)).sum();
        }
    }
    Samples { width: 8 * wide, values }
}

/// The tensor of a `channels` recipe as f64, (C, Hb, Wb), and its shape.
pub fn tensor(image: &Image, recipe: &Recipe) -> (Vec<usize>, Vec<f64>) {
    let frame = &image.info.frame;
    let mut planes: Vec<Samples> = (0..frame.components.len())
        .map(|component| {
            let c = &frame.components[component];
            let step = |samples: u32, size: u32, max: u8, factor: u8| {
                let (num, den) = match (recipe.chroma, usize::from(max), usize::from(factor)) {
                    (Chroma::None, ..) => (1, 1),
                    (_, 4, 2) => (2, 1),
                    (_, num, den) => (num, den),
                };
                let (samples, frame) = (samples as usize, size as usize);
                Step { chroma: recipe.chroma, edge: recipe.edge, samples, frame, num, den }
            };
            let horizontal = step(c.width, frame.width, frame.h_max, c.h);
            let vertical = step(c.height, frame.height, frame.v_max, c.v);
            inverse_dct(image, component).map(&horizontal, &vertical)
        })
        .collect();
    if image.info.color == ColorModel::Rgb {
        to_ycbcr(&mut planes);
    }
    let grid = (planes[0].height() / 8, planes[0].width / 8);
    let affine = recipe.normalize.statistics_for(&recipe.channels).unwrap();
    let mut values = Vec::new();
    for (list, component) in (0..3).flat_map(|list| recipe.channels.component(list).iter().map(move |&f| (list, f))) {
        let (mean, std) = affine.as_ref().map_or((0.0, 1.0), |pairs| pairs[values.len() / (grid.0 * grid.1)]);
        let (v, u) = (usize::from(component) / 8, usize::from(component) % 8);
        for (by, bx) in (0..grid.0).flat_map(|by| (0..grid.1).map(move |bx| (by, bx))) {
            let coefficient: f64 = planes.get(list).map_or(0.0, |plane| {
                let sample = |y: usize, x: usize| plane.values[(8 * by + y) * plane.width + 8 * bx + x];
                (0..64).map(|i| sample(i / 8, i % 8) * basis(v, i / 8) * basis(u, i % 8)).sum()
            });
            values.push((coefficient - mean) / std);
        }
    }
    (vec![recipe.channels.len(), grid.0, grid.1], values)
}

/// JFIF's equations on pixels of 0..=255 and beyond, offsets included.
fn to_ycbcr(planes: &mut [Samples]) {
    for i in 0..planes[0].values.len() {
        let [r, g, b] = [0, 1, 2].map(|c| planes[c].values[i] + 128.0);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        planes[0].values[i] = y - 128.0;
        planes[1].values[i] = (b - y) / 1.772 + 128.0 - 128.0;
        planes[2].values[i] = (r - y) / 1.402 + 128.0 - 128.0;
    }
}
