//! The pixel path to the tensor of `native-24`, as fast as it can reasonably be done: what coefficients are compared with.
//!
//! What enters: the bytes of a JPEG. What leaves: the tensor, or the bytes of another JPEG. libjpeg decodes to YCbCr
//! with its own upsampling (fancy) and its SIMD; then the planes are transformed by a float AAN DCT (Arai, Agui, Nakajima,
//! 1988) on eight lanes at a time, compiled for each level of [`crate::cpu`] as this crate's own kernels are. Rows
//! of frequencies that no channel wants are left out of the second pass, and nothing is ever stored but one band of
//! eight lines and the tensor.

use std::io;

use mozjpeg::{ColorSpace, Compress, Decompress};

use crate::cpu::{Cpu, Kernel, Simd};
use crate::recipe::ChannelSet;

/// Eight numbers side by side.
type Lanes = [f32; 8];

/// cos(k pi / 16) sqrt(2), 1 for k = 0: what the AAN DCT leaves in frequency k, times sqrt(8).
const AAN: [f32; 8] = [1.0, 1.387_039_9, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_4];

/// Decodes to pixels and transforms them, one image after another.
#[derive(Debug)]
pub struct PixelPath {
    cpu: Cpu,
    /// Per component and vertical frequency: the wanted (horizontal frequency, channel).
    wanted: [[Vec<(usize, usize)>; 8]; 3],
    channels: usize,
    /// One band of eight lines, as libjpeg gives it.
    lines: Vec<u8>,
    /// The same as planes, level-shifted: component, line, column.
    band: Vec<f32>,
}

impl PixelPath {
    /// A pixel path to these channels.
    pub fn new(channels: &ChannelSet) -> PixelPath {
        let mut wanted: [[Vec<(usize, usize)>; 8]; 3] = Default::default();
        let mut channel = 0;
        for (component, rows) in wanted.iter_mut().enumerate() {
            for &frequency in channels.component(component) {
                rows[usize::from(frequency / 8)].push((usize::from(frequency % 8), channel));
                channel += 1;
            }
        }
        PixelPath { cpu: Cpu::detect(), wanted, channels: channel, lines: Vec::new(), band: Vec::new() }
    }

    /// The tensor (channels, block rows, block columns) of dequantised coefficients; beyond the image its last line and
    /// column are repeated, as with `edge = "replicate"`.
    ///
    /// # Errors
    /// What libjpeg does not decode to YCbCr or to grey. Some of libjpeg's errors are panics.
    pub fn tensor(&mut self, bytes: &[u8]) -> io::Result<Vec<f32>> {
        let header = Decompress::new_mem(bytes)?;
        let grey = header.color_space() == ColorSpace::JCS_GRAYSCALE;
        let mut image = header.to_colorspace(if grey { ColorSpace::JCS_GRAYSCALE } else { ColorSpace::JCS_YCbCr })?;
        let (width, height, samples) = (image.width(), image.height(), if grey { 1 } else { 3 });
        let (blocks_wide, blocks_high) = (width.div_ceil(8), height.div_ceil(8));
        // Groups of eight blocks; what is beyond the image is never stored.
        let stride = width.next_multiple_of(64);
        self.lines.resize(8 * width * samples, 0);
        self.band.resize(samples * 8 * stride, 0.0);
        let mut tensor = vec![0.0; self.channels * blocks_wide * blocks_high];
        for block_row in 0..blocks_high {
            let lines = (height - 8 * block_row).min(8);
            image.read_scanlines_into(&mut self.lines[..lines * width * samples])?;
            for line in 0..8 {
                let source = &self.lines[line.min(lines - 1) * width * samples..][..width * samples];
                spread(source, samples, &mut self.band[line * stride..], 8 * stride);
            }
            for (plane, wanted) in self.band.chunks_exact(8 * stride).zip(&self.wanted) {
                let tensor = &mut tensor;
                self.cpu.run(Transform { plane, stride, wanted, blocks_wide, blocks_high, block_row, tensor });
            }
        }
        image.finish()?;
        Ok(tensor)
    }
}

/// One line of interleaved samples to a line of each plane, `step` apart; the last sample is repeated.
fn spread(source: &[u8], samples: usize, planes: &mut [f32], step: usize) {
    let width = source.len() / samples;
    let shifted = |sample: u8| f32::from(sample) - 128.0;
    if samples == 1 {
        planes[..width].iter_mut().zip(source).for_each(|(to, &from)| *to = shifted(from));
    } else {
        let (y, rest) = planes.split_at_mut(step);
        let (cb, cr) = rest.split_at_mut(step);
        for (((y, cb), cr), pixel) in y.iter_mut().zip(cb).zip(cr).zip(source.as_chunks::<3>().0) {
            [*y, *cb, *cr] = pixel.map(shifted);
        }
    }
    let end = width.next_multiple_of(8);
    for plane in planes.chunks_mut(step).take(samples) {
        let last = plane[width - 1];
        plane[width..end].fill(last);
    }
}

/// The wanted frequencies of one block row of a plane, each to its channel.
struct Transform<'a> {
    plane: &'a [f32],
    stride: usize,
    wanted: &'a [Vec<(usize, usize)>; 8],
    blocks_wide: usize,
    blocks_high: usize,
    block_row: usize,
    tensor: &'a mut [f32],
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for group in 0..self.stride / 64 {
            // Vertical pass: frequency, column.
            let mut columns = [[0.0f32; 64]; 8];
            for block in 0..8 {
                let at = 64 * group + 8 * block;
                let spectrum = aan(std::array::from_fn(|y| lanes(&self.plane[y * self.stride + at..])));
                for (row, values) in columns.iter_mut().zip(spectrum) {
                    row[8 * block..][..8].copy_from_slice(&values);
                }
            }
            let blocks = (self.blocks_wide - 8 * group).min(8);
            for (v, (row, wanted)) in columns.iter().zip(self.wanted).enumerate() {
                if wanted.is_empty() {
                    continue;
                }
                // Horizontal pass, one block a lane.
                let spectrum = aan(std::array::from_fn(|x| std::array::from_fn(|block| row[8 * block + x])));
                for &(u, channel) in wanted {
                    let scale = 1.0 / (8.0 * AAN[u] * AAN[v]);
                    let values = spectrum[u].map(|value| value * scale);
                    let start = (channel * self.blocks_high + self.block_row) * self.blocks_wide + 8 * group;
                    self.tensor[start..][..blocks].copy_from_slice(&values[..blocks]);
                }
            }
        }
    }
}

#[inline(always)]
fn lanes(values: &[f32]) -> Lanes {
    std::array::from_fn(|i| values[i])
}

/// The eight-point DCT of each lane; frequency k comes out times sqrt(8) * AAN[k].
#[inline(always)]
fn aan(x: [Lanes; 8]) -> [Lanes; 8] {
    let add = |a: Lanes, b: Lanes| -> Lanes { std::array::from_fn(|i| a[i] + b[i]) };
    let sub = |a: Lanes, b: Lanes| -> Lanes { std::array::from_fn(|i| a[i] - b[i]) };
    let mul = |a: Lanes, by: f32| -> Lanes { a.map(|value| value * by) };
    let [s0, s1, s2, s3] = [add(x[0], x[7]), add(x[1], x[6]), add(x[2], x[5]), add(x[3], x[4])];
    let [d0, d1, d2, d3] = [sub(x[0], x[7]), sub(x[1], x[6]), sub(x[2], x[5]), sub(x[3], x[4])];
    // Even frequencies.
    let [e0, e1, e2, e3] = [add(s0, s3), add(s1, s2), sub(s1, s2), sub(s0, s3)];
    let z = mul(add(e2, e3), std::f32::consts::FRAC_1_SQRT_2);
    // Odd frequencies.
    let [o0, o1, o2] = [add(d3, d2), add(d2, d1), add(d1, d0)];
    let z5 = mul(sub(o0, o2), 0.382_683_43);
    let z2 = add(mul(o0, 0.541_196_1), z5);
    let z4 = add(mul(o2, 1.306_563), z5);
    let z3 = mul(o1, std::f32::consts::FRAC_1_SQRT_2);
    let (z11, z13) = (add(d0, z3), sub(d0, z3));
    [add(e0, e1), add(z11, z4), add(e3, z), sub(z13, z2), sub(e0, e1), add(z13, z2), sub(e3, z), sub(z11, z4)]
}

/// Decodes to RGB, as a data loader does.
///
/// # Errors
/// What libjpeg does not decode to RGB. Some of its errors are panics.
pub fn rgb(bytes: &[u8]) -> io::Result<(usize, usize, Vec<u8>)> {
    let mut image = Decompress::new_mem(bytes)?.rgb()?;
    let (width, height) = (image.width(), image.height());
    let pixels = image.read_scanlines::<u8>()?;
    image.finish()?;
    Ok((width, height, pixels))
}

/// Decodes to RGB and encodes that again with quality 100, 4:4:4, libjpeg-turbo's settings for speed.
///
/// # Errors
/// As [`rgb`].
pub fn reencoded(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let (width, height, pixels) = rgb(bytes)?;
    let mut encoder = Compress::new(ColorSpace::JCS_RGB);
    encoder.set_fastest_defaults();
    encoder.set_optimize_coding(false);
    encoder.set_size(width, height);
    encoder.set_quality(100.0);
    encoder.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
    let mut started = encoder.start_compress(Vec::with_capacity(pixels.len() / 2))?;
    started.write_scanlines(&pixels)?;
    started.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::Extractor;
    use crate::recipe::Recipe;
    use crate::scans::DecodeOptions;
    use crate::spectral::dct::D;

    #[test]
    fn the_quick_transform_is_the_orthonormal_one() {
        let input: [Lanes; 8] = std::array::from_fn(|y| std::array::from_fn(|x| ((y * 29 + x * 71) % 255) as f32));
        let spectrum = aan(input);
        for (k, basis) in D.iter().enumerate() {
            for lane in 0..8 {
                let exact: f64 = basis.iter().zip(&input).map(|(d, row)| d * f64::from(row[lane])).sum();
                let quick = f64::from(spectrum[k][lane] / (8f32.sqrt() * AAN[k]));
                assert!((quick - exact).abs() < 1e-3, "{k}: {quick} {exact}");
            }
        }
    }

    #[test]
    fn the_tensor_is_the_one_of_the_coefficients() {
        for name in ["coffee-420", "chelsea-444"] {
            let path = format!("{}/fixtures/photos/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let mut recipe = Recipe::preset("native-24").unwrap();
            recipe.set("edge", "replicate").unwrap();
            let extraction = Extractor::new(recipe, DecodeOptions::default()).unwrap().extract_bytes(&bytes).unwrap();
            let ours = extraction.tensors[0].view_f32().unwrap();
            let theirs = PixelPath::new(&ChannelSet::default()).tensor(&bytes).unwrap();
            assert_eq!(ours.len(), theirs.len());
            let signal: f32 = ours.iter().map(|value| value.powi(2)).sum();
            let noise: f32 = ours.iter().zip(&theirs).map(|(a, b)| (a - b).powi(2)).sum();
            // Pixels are rounded to 8 bits and clamped: an error of 0.3 in each coefficient, a little more where they are
            // clamped.
            assert!((noise / theirs.len() as f32).sqrt() < 1.0 && signal / noise > 1e4, "{name}: {signal} {noise}");
        }
    }
}
