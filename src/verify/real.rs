//! The pixel path: what a data loader sees that decodes to 8-bit pixels first.
//!
//! What enters: the bytes of a JPEG, a recipe, the tensor made from coefficients. What leaves: how far that tensor is
//! from the one computed from decoded pixels. The decoder is `jpeg-decoder`, which shares no code with this crate: a
//! wrong coefficient would show here and nowhere else. The recipe's spatial and photometric steps are done on the
//! decoded samples in f64, without another rounding or clamping to 8 bits after each of them; block steps (frequency
//! enhancement, cutout) on the 8 x 8 samples that become a block of the tensor.
//!
//! The decoder rounds samples to 8 bits and clamps them to 0..=255, so the distance is its rounding noise: a uniform
//! error of variance 1/12 a sample alone gives every frequency an RMS of 0.29, clamping adds to it where the image is
//! over- or underexposed. Its planes are taken as YCbCr (or RGB, for RGB files), before any conversion to RGB: no second
//! rounding.
//!
//! What it does with subsampled planes, and so which chroma mode it can be compared with:
//!
//! | ratio, horizontal x vertical | its upsampling | comparable mode |
//! |---|---|---|
//! | 1x1 | none needed | any |
//! | 2x1, 1x2, 2x2 | 3/4 and 1/4 (libjpeg's fancy), border replicate at the component's true size | `triangle` |
//! | other whole ratios | nearest | `replicate` |
//! | 3:2, 4:3 | refused | none |
//!
//! With another mode the planes that need no upsampling are compared, mostly luma alone. With `edge = "replicate"`, and after any spatial step, all blocks are; with `edge = "stored"` those whose
//! samples depend on nothing beyond the image, since no pixel path sees what is stored there.

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};
use serde::Serialize;

use super::compare::{Difference, Sums};
use super::reference::{Expected, apply_photometric, rgb_to_ycbcr, select};
use super::samples::{SamplePlane, Step};
use super::steps::component_steps;
use crate::limits::Limits;
use crate::markers::{ColorModel, ImageInfo};
use crate::recipe::{Chroma, Edge, Kind, Recipe};
use crate::spec::frame::{Component, Process};

/// The distance to the pixel path, in units of dequantised coefficients.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Real {
    /// All channels compared; `None` if no block could be.
    pub all: Option<Difference>,
    /// Y channels; `None` where luma is subsampled and the chroma mode is not the decoder's.
    pub luma: Option<Difference>,
    /// Cb and Cr channels; `None` too where the chroma mode is not the decoder's, or the image is grey.
    pub chroma: Option<Difference>,
    /// Blocks compared, of one channel.
    pub blocks_compared: u64,
    /// Blocks there are.
    pub blocks: u64,
    /// Share of decoded samples, all planes at full size, that are 0 or 255: clamped, or as good as.
    pub clipped: f64,
}

/// Why there is no pixel path to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unavailable {
    /// The recipe's tensors are no function of pixels alone: kinds `planes` and `quantised`.
    Kind,
    /// The decoder has no arithmetic decoding.
    Arithmetic,
    /// The decoder has 8-bit samples only.
    Precision(u8),
    /// The decoder has no upsampling by 3:2 or 4:3.
    Ratio,
    /// The decoder upsamples every plane in another way than the recipe.
    Upsampling,
    /// The decoder refused the file.
    Refused(String),
}

/// Compares a tensor, as values of dequantised coefficients in the order channel, block row, block column, with the
/// pixel path.
///
/// # Errors
/// Why there is no such path for this file and recipe.
pub fn compare(
    bytes: &[u8],
    info: &ImageInfo,
    recipe: &Recipe,
    key: &str,
    found: &Expected,
) -> Result<Real, Unavailable> {
    check(info, recipe)?;
    let (luma_comparable, chroma_comparable) = comparable(info, recipe.chroma);
    if !luma_comparable && !chroma_comparable {
        return Err(Unavailable::Upsampling);
    }
    let (planes, clipped) = decode_planes(bytes, info)?;
    let mut planes: Vec<SamplePlane> = if recipe.geometry.is_some() {
        let (width, height) = (info.frame.width, info.frame.height);
        // The extractor made these steps under its limits; none is exceeded now.
        let limits = Limits { pixels: u64::MAX, ..Limits::default() };
        let steps = recipe.geometry.steps(width, height, info.orientation, key, &limits);
        let steps = steps.map_err(|error| Unavailable::Refused(error.to_string()))?;
        let planes = planes.into_iter().enumerate();
        planes.map(|(index, plane)| plane.apply_steps(&component_steps(&steps, info, index))).collect()
    } else {
        let whole = Step::Extend { width: 8 * found.blocks_wide, height: 8 * found.blocks_high };
        planes.iter().map(|plane| whole.apply(plane)).collect()
    };
    if info.color == ColorModel::Rgb {
        rgb_to_ycbcr(&mut planes);
    }
    apply_photometric(&mut planes, &recipe.photometric, key, info.frame.precision);
    let expected = select(&planes, &recipe.channels);
    if (expected.blocks_wide, expected.blocks_high) != (found.blocks_wide, found.blocks_high) {
        return Err(Unavailable::Upsampling);
    }
    let blocks = found.blocks_wide * found.blocks_high;
    let every = recipe.edge == Edge::Replicate || recipe.geometry.is_some();
    let wanted: Vec<bool> =
        (0..blocks).map(|b| every || is_inside(info, b % found.blocks_wide, b / found.blocks_wide)).collect();
    let luma_channels = recipe.channels.component(0).len();
    let mut sums = [Sums::default(); 2];
    for (channel, (expected, found)) in
        expected.values.chunks_exact(blocks).zip(found.values.chunks_exact(blocks)).enumerate()
    {
        let sum = &mut sums[usize::from(channel >= luma_channels)];
        for ((&expected, &found), _) in expected.iter().zip(found).zip(&wanted).filter(|(_, wanted)| **wanted) {
            sum.add(expected, found, 0.0);
        }
    }
    let [luma, chroma] = sums;
    let luma = if luma_comparable { luma } else { Sums::default() };
    let chroma = if chroma_comparable { chroma } else { Sums::default() };
    Ok(Real {
        all: luma.join(chroma).difference(),
        luma: luma.difference(),
        chroma: chroma.difference(),
        blocks_compared: wanted.iter().filter(|&&w| w).count() as u64,
        blocks: blocks as u64,
        clipped,
    })
}

/// What the decoder is known not to have.
fn check(info: &ImageInfo, recipe: &Recipe) -> Result<(), Unavailable> {
    let frame = &info.frame;
    if recipe.kind != Kind::Channels {
        return Err(Unavailable::Kind);
    }
    if matches!(frame.process, Process::Arithmetic | Process::ArithmeticProgressive) {
        return Err(Unavailable::Arithmetic);
    }
    if frame.precision != 8 {
        return Err(Unavailable::Precision(frame.precision));
    }
    if frame.components.iter().any(|c| !frame.h_max.is_multiple_of(c.h) || !frame.v_max.is_multiple_of(c.v)) {
        return Err(Unavailable::Ratio);
    }
    Ok(())
}

/// Decodes to planes of the image's size, samples minus 128, and the share of samples at either end of the range.
fn decode_planes(bytes: &[u8], info: &ImageInfo) -> Result<(Vec<SamplePlane>, f64), Unavailable> {
    let refused = |error: jpeg_decoder::Error| Unavailable::Refused(error.to_string());
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(refused)?;
    if info.frame.components.len() == 3 {
        // "RGB" is the decoder's name for: interleave the upsampled planes as they are. Its "None" writes line buffers
        // one behind another and cannot hold subsampled planes.
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let pixels = decoder.decode().map_err(refused)?;
    let decoded = decoder.info().ok_or_else(|| Unavailable::Refused("no image header".into()))?;
    let (width, height) = (usize::from(decoded.width), usize::from(decoded.height));
    let count = match decoded.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        other => return Err(Unavailable::Refused(format!("pixel format {other:?}"))),
    };
    let same_size = (width, height) == (info.frame.width as usize, info.frame.height as usize);
    if !same_size || pixels.len() != width * height * count {
        return Err(Unavailable::Refused(format!("{} bytes for {width} x {height} x {count}", pixels.len())));
    }
    let plane = |component: usize| {
        let samples = pixels.iter().skip(component).step_by(count).map(|&s| f64::from(s) - 128.0).collect();
        SamplePlane { width, height, samples }
    };
    let clipped = pixels.iter().filter(|&&s| s == 0 || s == 255).count();
    Ok(((0..count).map(plane).collect(), clipped as f64 / pixels.len().max(1) as f64))
}

/// Whether Y, and whether Cb and Cr, are upsampled by the decoder as the mode says; see the module's table. Each of them
/// depends on all planes of an RGB file.
fn comparable(info: &ImageInfo, chroma: Chroma) -> (bool, bool) {
    let frame = &info.frame;
    // Along an axis of one pixel the decoder upsamples nothing, which is the same in all modes.
    let ratio = |max: u8, own: u8, pixels: u32| if pixels == 1 { 1 } else { max / own };
    let same = |c: &Component| match (ratio(frame.h_max, c.h, frame.width), ratio(frame.v_max, c.v, frame.height)) {
        (1, 1) => true,
        (1..=2, 1..=2) => chroma == Chroma::Triangle,
        _ => chroma == Chroma::Replicate,
    };
    let (first, others) = frame.components.split_at(frame.components.len().min(1));
    let (first, others) = (first.iter().all(same), others.len() == 2 && others.iter().all(same));
    if info.color == ColorModel::Rgb { (first && others, first && others) } else { (first, others) }
}

/// Whether all samples that a block depends on, in any component, lie inside the image.
fn is_inside(info: &ImageInfo, column: usize, row: usize) -> bool {
    let frame = &info.frame;
    let inside = |c: &Component| {
        is_inside_axis(column, frame.h_max, c.h, c.width) && is_inside_axis(row, frame.v_max, c.v, c.height)
    };
    frame.components.iter().all(inside)
}

/// The same along one axis for a component of `length` true samples. A subsampled block may read half an output sample
/// beyond its own last one, and so one input sample more; nothing lies beyond a length of whole blocks.
fn is_inside_axis(block: usize, max: u8, own: u8, length: u32) -> bool {
    let (max, own) = (usize::from(max), usize::from(own));
    let read = if max == own { 8 * (block + 1) } else { (8 * (block + 1) * own).div_ceil(max) + 1 };
    length.is_multiple_of(8) || read <= length as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::frame::{Frame, Sampling};

    #[test]
    fn what_is_comparable() {
        let info = |factors: [(u8, u8); 3], width, color| {
            let sampling = factors.map(|(h, v)| Sampling { id: 1, h, v, quant_index: 0 });
            let frame = Frame::new(Process::Baseline, 8, width, 40, &sampling);
            ImageInfo { frame, color, orientation: 1, restart_interval: 0, quant_tables: vec![None; 3] }
        };
        let of = |factors, chroma| comparable(&info(factors, 40, ColorModel::YCbCr), chroma);
        let whole = [(1, 1); 3];
        let (double, four) = ([(2, 2), (1, 1), (1, 1)], [(4, 2), (1, 1), (1, 1)]);
        for chroma in [Chroma::Triangle, Chroma::Replicate, Chroma::ZeroPad, Chroma::None] {
            assert_eq!(of(whole, chroma), (true, true));
            assert_eq!(of(double, chroma), (true, chroma == Chroma::Triangle));
            assert_eq!(of(four, chroma), (true, chroma == Chroma::Replicate));
            assert_eq!(of([(1, 1), (2, 1), (2, 1)], chroma), (chroma == Chroma::Triangle, true));
            assert_eq!(comparable(&info(double, 40, ColorModel::Rgb), chroma).0, chroma == Chroma::Triangle);
        }
        assert!(comparable(&info([(4, 1), (1, 1), (1, 1)], 1, ColorModel::YCbCr), Chroma::ZeroPad).1, "one column");
    }

    #[test]
    fn what_lies_inside() {
        // 36 columns: four whole blocks and a half.
        assert!(is_inside_axis(3, 1, 1, 36) && !is_inside_axis(4, 1, 1, 36));
        // Chroma of 18 samples at ratio 2: block 3 is made of samples 12..16 and reads sample 16.
        assert!(is_inside_axis(3, 2, 1, 18) && !is_inside_axis(4, 2, 1, 18));
        // 12 samples of 24 columns: block 2 is made of samples 8..12 and reads the thirteenth, which is padding.
        assert!(is_inside_axis(1, 2, 1, 12) && !is_inside_axis(2, 2, 1, 12));
        // Nothing is padding.
        assert!(is_inside_axis(3, 2, 1, 16) && is_inside_axis(1, 1, 1, 16));
    }
}
