//! The tensor as it is defined: through samples, in f64.
//!
//! What enters: the quantised coefficients of an image and a recipe. What leaves: one array of expected values a tensor,
//! not normalised and not rounded. Nothing of [`crate::spectral`]'s mathematics is used: blocks are brought to
//! samples, every spatial step is done there, and blocks are transformed again.
//!
//! The samples are not those of a pixel decoder: they are neither rounded nor clamped, so they are what the
//! coefficients say, exactly. What rounding and clamping change is measured by [`super::real`]. Entropy decoding is the
//! crate's own here, and is checked against another decoder only there.

use super::samples::{SamplePlane, Scale, Step};
use super::steps::component_steps;
use crate::coefficients::{Coefficients, Plane};
use crate::error::{Error, Malformed, Mismatch, Result};
use crate::limits::Limits;
use crate::markers::ColorModel;
use crate::recipe::{ChannelSet, Chroma, Edge, Kind, Photometric, Recipe};
use crate::spec::frame::{Component, Frame};

/// Expected values of one tensor, in the order channel, block row, block column.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Channels.
    pub channels: usize,
    /// Block rows.
    pub blocks_high: usize,
    /// Block columns.
    pub blocks_wide: usize,
    /// The values, in units of dequantised coefficients (of quantised ones for the kind `quantised`).
    pub values: Vec<f64>,
}

/// The tensors of an image under a recipe, normalisation and rounding left out. `key` is the image's name, as for
/// [`Extractor::extract`](crate::Extractor::extract).
///
/// Tables of the kind `quantised` are not among them; there is one array a component.
///
/// # Errors
/// [`Error::Mismatch`] where the recipe cannot be applied: colour models that are not linear in YCbCr, planes of
/// different sizes without upsampling. [`Error::Malformed`] (at offset 0: no place in the file is wrong) where a
/// quantisation table was never defined.
pub fn expected(coefficients: &Coefficients, recipe: &Recipe, key: &str, limits: &Limits) -> Result<Vec<Expected>> {
    match recipe.kind {
        Kind::Channels => Ok(vec![channels(coefficients, recipe, key, limits)?]),
        Kind::Planes => coefficients.planes.iter().map(|plane| Ok(whole_plane(plane, dequantised(plane)?))).collect(),
        Kind::Quantised => Ok(coefficients.planes.iter().map(|plane| whole_plane(plane, quantised(plane))).collect()),
    }
}

/// The largest dequantised coefficient, 0 if there is none: the size that rounding errors are measured by.
pub fn peak(coefficients: &Coefficients) -> f64 {
    let planes = coefficients.planes.iter().filter_map(|plane| plane.dequantised());
    planes.flatten().map(|value| f64::from(value).abs()).fold(0.0, f64::max)
}

fn channels(coefficients: &Coefficients, recipe: &Recipe, key: &str, limits: &Limits) -> Result<Expected> {
    let info = &coefficients.info;
    let frame = &info.frame;
    if !matches!(info.color, ColorModel::Grayscale | ColorModel::YCbCr | ColorModel::Rgb) {
        return Err(Error::Mismatch(Mismatch::ColorModel(info.color)));
    }
    if recipe.chroma == Chroma::None {
        check_sizes(frame)?;
    }
    let spatial = match recipe.geometry.is_some() {
        true => Some(recipe.geometry.steps(frame.width, frame.height, info.orientation, key, limits)?),
        false => None,
    };
    let edge = if spatial.is_some() { Edge::Replicate } else { recipe.edge };
    let mut planes = Vec::new();
    for (index, plane) in coefficients.planes.iter().enumerate() {
        let mut steps = steps(frame, &plane.component, recipe.chroma, edge);
        if let Some(spatial) = &spatial {
            // Whole blocks are made of the result, not of what it is made from.
            steps.retain(|step| !matches!(step, Step::Extend { .. }));
            steps.extend(component_steps(spatial, info, index));
        }
        let (wide, high) = grid(&plane.component);
        planes.push(SamplePlane::from_blocks(wide, high, &dequantised(plane)?).apply_steps(&steps));
    }
    if info.color == ColorModel::Rgb {
        rgb_to_ycbcr(&mut planes);
    }
    apply_photometric(&mut planes, &recipe.photometric, key, frame.precision);
    Ok(select(&planes, &recipe.channels))
}

/// The steps that bring a component to the tensor's grid.
pub fn steps(frame: &Frame, component: &Component, chroma: Chroma, edge: Edge) -> Vec<Step> {
    let whole = |samples: u32| samples.next_multiple_of(8) as usize;
    let true_size = Step::Crop { width: component.width as usize, height: component.height as usize };
    let (width, height) = match (chroma, edge) {
        (Chroma::None, Edge::Stored) => return Vec::new(),
        (Chroma::None, Edge::Replicate) => {
            return vec![true_size, Step::Extend { width: whole(component.width), height: whole(component.height) }];
        }
        (_, Edge::Stored) => (whole(frame.width), whole(frame.height)),
        (_, Edge::Replicate) => (frame.width as usize, frame.height as usize),
    };
    let scale = |max: u8, own: u8, length| Scale { numerator: max.into(), denominator: own.into(), length };
    let x = scale(frame.h_max, component.h, width);
    let y = scale(frame.v_max, component.v, height);
    let upsample = Step::Upsample { chroma, x: x.lowest_terms(), y: y.lowest_terms() };
    match edge {
        Edge::Stored => vec![upsample],
        Edge::Replicate => {
            vec![true_size, upsample, Step::Extend { width: whole(frame.width), height: whole(frame.height) }]
        }
    }
}

/// Without upsampling, the planes must have one size.
fn check_sizes(frame: &Frame) -> Result<()> {
    let blocks = |c: &Component| (c.blocks_wide, c.blocks_high);
    let mut sizes = frame.components.iter().map(blocks);
    let Some(luma) = sizes.next() else { return Ok(()) };
    match sizes.enumerate().find(|&(_, size)| size != luma) {
        Some((i, blocks)) => Err(Error::Mismatch(Mismatch::PlaneSize { component: i + 1, blocks, luma })),
        None => Ok(()),
    }
}

/// RGB to YCbCr by its definition (ITU-R BT.601 luma, JFIF's full range), in place. The level shift of all three passes
/// through: the weights of Y sum to 1, and Cb and Cr are differences.
pub fn rgb_to_ycbcr(planes: &mut [SamplePlane]) {
    let [r, g, b] = planes else { return };
    for ((r, g), b) in r.samples.iter_mut().zip(&mut g.samples).zip(&mut b.samples) {
        let y = 0.299 * *r + 0.587 * *g + 0.114 * *b;
        let (cb, cr) = ((*b - y) / 1.772, (*r - y) / 1.402);
        (*r, *g, *b) = (y, cb, cr);
    }
}

/// Changes Y, Cb and Cr sample by sample, and block by block. The planes are whole blocks.
pub fn apply_photometric(planes: &mut [SamplePlane], photometric: &Photometric, key: &str, precision: u8) {
    let tone = photometric.tone(key);
    let middle = f64::from(precision - 1).exp2();
    for (index, plane) in planes.iter_mut().enumerate() {
        let gain = if index == 0 { tone.gain } else { tone.chroma[(index - 1).min(1)] };
        for sample in &mut plane.samples {
            *sample *= gain;
            *sample += if index == 0 { tone.offset * middle } else { 0.0 };
        }
    }
    let Some(first) = planes.first() else { return };
    let (high, wide) = (first.height / 8, first.width / 8);
    let hole = photometric.hole(key, (high, wide));
    for plane in planes {
        for (row, column) in (0..high).flat_map(|row| (0..wide).map(move |column| (row, column))) {
            let is_cut = hole.as_ref().is_some_and(|h| h.rows.contains(&row) && h.columns.contains(&column));
            let places = (0..64).map(|i| (8 * row + i / 8) * plane.width + 8 * column + i % 8);
            let mean = places.clone().map(|place| plane.samples[place]).sum::<f64>() / 64.0;
            for place in places {
                let sample = &mut plane.samples[place];
                *sample = if is_cut { 0.0 } else { mean + tone.detail * (*sample - mean) };
            }
        }
    }
}

/// Transforms the planes and keeps the wanted channels. Planes that are not there (chroma of a grey image) are zero.
pub fn select(planes: &[SamplePlane], channels: &ChannelSet) -> Expected {
    let (blocks_wide, blocks_high) = planes.first().map_or((0, 0), |plane| (plane.width / 8, plane.height / 8));
    let mut values = Vec::with_capacity(channels.len() * blocks_wide * blocks_high);
    for component in 0..3 {
        let wanted = channels.component(component);
        if wanted.is_empty() {
            continue;
        }
        match planes.get(component).map(SamplePlane::to_blocks) {
            Some(blocks) => {
                values.extend(wanted.iter().flat_map(|&c| blocks.iter().map(move |block| block[usize::from(c)])));
            }
            None => values.extend(std::iter::repeat_n(0.0, wanted.len() * blocks_wide * blocks_high)),
        }
    }
    Expected { channels: channels.len(), blocks_high, blocks_wide, values }
}

/// All 64 frequencies of a component on its own grid.
fn whole_plane(plane: &Plane, blocks: Vec<[f64; 64]>) -> Expected {
    let (blocks_wide, blocks_high) = grid(&plane.component);
    let values = (0..64).flat_map(|c| blocks.iter().map(move |block| block[c])).collect();
    Expected { channels: 64, blocks_high, blocks_wide, values }
}

fn grid(component: &Component) -> (usize, usize) {
    (component.blocks_wide as usize, component.blocks_high as usize)
}

/// Blocks of dequantised coefficients, row-major (T.81 A.3.4).
fn dequantised(plane: &Plane) -> Result<Vec<[f64; 64]>> {
    let missing = || Error::malformed(0, Malformed::MissingQuantTable(plane.component.quant_index));
    let table = plane.quant_table.ok_or_else(missing)?.row_major();
    let mut blocks = quantised(plane);
    for block in &mut blocks {
        for (value, step) in block.iter_mut().zip(table) {
            *value *= f64::from(step);
        }
    }
    Ok(blocks)
}

/// Blocks of quantised coefficients, row-major.
fn quantised(plane: &Plane) -> Vec<[f64; 64]> {
    let block = |values: &[i16]| std::array::from_fn(|i| f64::from(values[i]));
    plane.values.chunks_exact(64).map(block).collect()
}
