//! Arguments of `jpegdct bench`.

use std::path::PathBuf;

use clap::Args;

use super::{EXIT_CODES, InputArgs, LimitArgs};

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(
    long_about = "Measure what decoding costs, beside the alternatives.

Files are read into memory; then all ways to read them take turns, one at a time, batch by batch, several times over: \
this crate's coefficients and tensors, libjpeg's coefficients (mozjpeg's jpeg_read_coefficients, the yardstick), the pixel \
path to the same tensor (libjpeg to YCbCr, then a float DCT), the re-encode path, and decoders of pixels. A row is the sum \
of the medians of its batches. An image that one of them cannot read is left out of all, and named.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
libjpeg is no baseline without its SIMD. Whether it has it is asked of libjpeg itself; if not, there are no ratios. To have \
it, build with --features mozjpeg-simd where nasm is installed.

With --threads above 1, the corpus run (24 channels, f32, files in memory, nothing written) is timed too, on one thread \
and on that many, by the wall clock; and so are tiles, coefficients and tensor with all threads on one image after another.

With --json, one object: jpegdct_version, clock, cpu (portable, v3, v4), optimised, libjpeg_simd, repeats, images, bytes, luma_pixels, \
pixel_path_snr_db (how near the pixel path's tensor is), rows (id, name, own, ns_per_pixel, mb_per_s, images_per_s, \
speed_vs_libjpeg, speed_vs_pixel_path, spread), scaling (threads, images_per_s_1, images_per_s_n, speedup, together (id, name, ns_per_pixel_1, ns_per_pixel_n, speedup); \
null for one thread), left_out (path, row, reason). A speed is how many times faster, null without a baseline; spread is the longest repeat \
less the shortest, over the median.

Examples:
  jpegdct bench photos
  jpegdct bench photos --repeat 11 --threads 1 --json
  jpegdct bench photos --svg bench.svg

{EXIT_CODES} (an image left out counts as failed)")
)]
pub struct BenchArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Passes that are measured; a row is made of their medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,

    /// Images measured at most, spread evenly over the inputs
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: u32,

    /// One JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// A bar chart too, as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}
