//! The command line: names, help texts and ranges. Nothing is done here.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jpegdct::reencode::ChromaSampling;
use jpegdct::verify::DEFAULT_TOLERANCE;
use jpegdct::{Damage, DecodeOptions, Limits, Recipe};

const EXIT_CODES: &str = "\
Exit codes:
  0  every input gave its result
  1  some inputs failed (each is named on stderr with the reason), none was found, or the run broke off
  2  the command line is wrong";

/// JPEG files to frequency-domain tensors, without ever making a pixel.
#[derive(Debug, Parser)]
#[command(name = "jpegdct", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make tensors of images
    Extract(Box<ExtractArgs>),
    /// Show what files hold
    Inspect(InspectArgs),
    /// Compare tensors with the pixel path
    Verify(Box<VerifyArgs>),
    /// Measure what decoding costs, beside the alternatives
    Bench(BenchArgs),
}

/// Inputs, common to all commands.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Files, folders, glob patterns, or - for one image on standard input
    ///
    /// A file named here is always taken. In a folder, and the folders in it, files are taken that have the extension
    /// of an image format (jpg jpeg jpe jfif png webp tif tiff bmp gif pnm ppm pgm pbm), and files without an
    /// extension that start like an image.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// Threads that decode [default: as many as the machine runs at once]
    ///
    /// The output is the same, byte by byte, for any number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

impl InputArgs {
    /// The number of threads.
    pub fn threads(&self) -> usize {
        jpegdct::corpus::threads_or_all(self.threads.map(usize::from))
    }
}

/// Limits, common to all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of one image")]
pub struct LimitArgs {
    /// Pixels, width times height [default: 2^28]
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub max_pixels: Option<u64>,

    /// Bytes of coefficients held at once, or of one tensor [default: 2G]
    #[arg(long, value_name = "BYTES", value_parser = parse_number)]
    pub max_memory: Option<u64>,

    /// Scans of a progressive file [default: 1000]
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub max_scans: Option<u64>,

    /// Passes over the image that scans may make with next to no data [default: 32]
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub max_passes: Option<u64>,

    /// Marker segments of a file [default: 10000]
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub max_segments: Option<u64>,

    /// Bytes of a file [default: 1G]
    #[arg(long, value_name = "BYTES", value_parser = parse_number)]
    pub max_file_bytes: Option<u64>,
}

impl LimitArgs {
    /// The limits, defaults where nothing is said.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.pixels = self.max_pixels.unwrap_or(limits.pixels);
        limits.memory = self.max_memory.unwrap_or(limits.memory);
        limits.scans = self.max_scans.unwrap_or(limits.scans);
        limits.passes = self.max_passes.unwrap_or(limits.passes);
        limits.segments = self.max_segments.unwrap_or(limits.segments);
        limits.file_bytes = self.max_file_bytes.unwrap_or(limits.file_bytes);
        limits
    }

    /// Decoder options with these limits.
    pub fn decode_options(&self, damage: Damage) -> DecodeOptions {
        let mut options = DecodeOptions::default();
        options.limits = self.limits();
        options.damage = damage;
        options
    }
}

/// The recipe and changes to it.
#[derive(Debug, Args)]
#[command(next_help_heading = "The tensor")]
pub struct RecipeArgs {
    /// A preset, or a recipe in a .toml or .json file
    #[arg(long, value_name = "NAME|FILE", default_value = "native-24", long_help = format!(
        "A preset, or a recipe in a .toml or .json file\n\nPresets: {}", Recipe::preset_names().join(", ")
    ))]
    pub recipe: String,

    /// Changes to it.
    #[command(flatten)]
    pub changes: ChangeArgs,
}

/// Changes to a recipe.
#[derive(Debug, Args)]
#[command(next_help_heading = "The tensor")]
pub struct ChangeArgs {
    /// Frequencies: 6, 24, 32, 48, 64 or 192 (DCTNet's sets), zigzag:Y,CB,CR (the first of each), y:0-3,8;cb:0;cr:0 (row-major
    /// 8*v+u) or @FILE
    #[arg(long, value_name = "SET")]
    pub channels: Option<String>,

    /// How subsampled chroma comes to the size of luma
    #[arg(long, value_parser = PossibleValuesParser::new(["triangle", "replicate", "zero-pad", "none"]))]
    pub chroma: Option<String>,

    /// What fills the last, partial blocks
    #[arg(long, value_parser = PossibleValuesParser::new(["stored", "replicate"]))]
    pub edge: Option<String>,

    /// JPEGs in CMYK or YCCK: re-encoded as YCbCr (said in the manifest), or refused
    #[arg(long, value_parser = PossibleValuesParser::new(["reencode", "refuse"]))]
    pub cmyk: Option<String>,

    /// Element type
    #[arg(long, value_parser = PossibleValuesParser::new(["f32", "f16", "i16"]))]
    pub dtype: Option<String>,

    /// Order of axes; blocks is (rows, columns, 8, 8), for recipes of whole planes
    #[arg(long, value_parser = PossibleValuesParser::new(["chw", "hwc", "blocks"]))]
    pub layout: Option<String>,

    /// Mean and standard deviation: none, dctnet, or a JSON file
    #[arg(long, value_name = "none|dctnet|FILE")]
    pub normalize: Option<String>,

    /// Whether an EXIF orientation is applied
    #[arg(long, value_parser = PossibleValuesParser::new(["on", "off"]))]
    pub orient: Option<String>,
}

impl ChangeArgs {
    /// The fields that are changed, as the recipe names them.
    pub fn changes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("channels", &self.channels),
            ("chroma", &self.chroma),
            ("edge", &self.edge),
            ("cmyk", &self.cmyk),
            ("dtype", &self.dtype),
            ("layout", &self.layout),
            ("normalize", &self.normalize),
            ("orient", &self.orient),
        ]
        .into_iter()
        .filter_map(|(field, value)| value.as_deref().map(|value| (field, value)))
    }
}

/// Arguments of `extract`.
#[derive(Debug, Args)]
#[command(
    long_about = "Make tensors of images.

OUT holds the tensors, manifest.jsonl with one line for each input (what became of it, where its tensors are, what it \
was), and dataset.json with the recipe. For --format npy the tree below OUT is that of the inputs: a/b/img.jpg gives \
a/b/img.npy, relative to the folder if one folder is the only INPUT. Of two images that would share a file the later \
keeps its extension: img.png.npy. A file appears whole or not at all, and nothing is written outside OUT.

An image that is no JPEG is decoded and re-encoded as one first; --no-reencode leaves it out. So is a JPEG in CMYK or \
YCCK, whose planes are not linear in those of YCbCr, unless --cmyk refuse or --no-reencode says otherwise. A damaged image is left \
out too unless --damaged keep says otherwise. Whatever is left out is named on stderr and in the manifest.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
Examples:
  jpegdct extract photos -o tensors
      24 channels of every image below photos, at its own size, as .npy files
  jpegdct extract train -o train-dct --recipe dctnet-24 --dtype f16 --format safetensors
      DCTNet's tensor for ResNet-50, in half precision, 1000 images a shard
  jpegdct extract 'photos/**/*.jpg' -o tensors --channels zigzag:10,3,3 --damaged keep
      the first frequencies in zigzag order; what can be read of damaged files is kept
  curl -s https://example.org/img.jpg | jpegdct extract - -o one
      one image from standard input, as one/stdin.npy

{EXIT_CODES}")
)]
pub struct ExtractArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Folder for tensors and manifest; made if it is missing
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// The tensor.
    #[command(flatten)]
    pub recipe: RecipeArgs,

    /// What to write, and what to do with failures.
    #[command(flatten)]
    pub run: RunArgs,

    /// Images that are no JPEG.
    #[command(flatten)]
    pub reencode: ReencodeArgs,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What to write, and what to do with failures.
#[derive(Debug, Args)]
#[command(next_help_heading = "The run")]
pub struct RunArgs {
    /// Format of the tensors
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,

    /// Images in a shard, for formats that have shards [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub shard_images: Option<u32>,

    /// Bytes of tensor data in a shard, held in memory until it is written [default: 256M]
    #[arg(long, value_name = "BYTES", value_parser = parse_number)]
    pub shard_bytes: Option<u64>,

    /// What happens to the rest when an input fails
    #[arg(long, value_enum, default_value_t)]
    pub on_error: OnErrorArg,

    /// What happens to images with a good header and damaged data
    #[arg(long, value_enum, default_value_t)]
    pub damaged: DamagedArg,

    /// How to report on stderr
    #[arg(long, value_enum, default_value_t)]
    pub log: LogArg,
}

/// Images that are no JPEG.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images that are no JPEG")]
pub struct ReencodeArgs {
    /// Leave them out (status not_jpeg) instead of re-encoding them; JPEGs in CMYK too (status refused)
    #[arg(long)]
    pub no_reencode: bool,

    /// Quality of the intermediate JPEG, 1 to 100
    #[arg(long, value_name = "Q", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100), conflicts_with = "no_reencode")]
    pub reencode_quality: u8,

    /// Chroma subsampling of the intermediate JPEG: 4:4:4, 4:2:2 or 4:2:0
    #[arg(long, value_name = "S", default_value_t, conflicts_with = "no_reencode")]
    pub reencode_sampling: ChromaSampling,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(
    long_about = "Show what files hold: coding process, size, components, tables and a digest of the coefficients.

The digest is FNV-1a 64 over a component's quantised coefficients: the same after any lossless transcode, such as \
jpegtran's from baseline to progressive. Damaged files are decoded as far as they go.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
With --json, one object a line, in the order of the inputs. Fields: path, status (ok, damaged, refused, not_jpeg), error, \
warnings, process (baseline, extended, progressive, arithmetic, arithmetic_progressive), precision, width, height, color, \
restart_interval, orientation, scans, components (id, h, v, blocks_wide, blocks_high, quant_table, digest). What is not \
known of a file that was refused is null; a file that cannot be read is refused.

Examples:
  jpegdct inspect img.jpg
  jpegdct inspect --json photos | jq -r 'select(.status != \"ok\") | .path'

{EXIT_CODES} (damaged, refused and not_jpeg count as failed)")
)]
pub struct InspectArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// One JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(
    long_about = "Compare tensors with the pixel path.

Each image's tensor is compared with two others. Exact: blocks are brought to samples, every step is done there, blocks \
are transformed again, all in 64-bit floating point; a difference is a fault. Real: another decoder gives 8-bit pixels, \
and these are transformed; the difference is that path's rounding and clamping. Figures are in units of dequantised \
coefficients, whatever the recipe's normalisation.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
An image passes if no value differs from the exact one by more than the tolerance. What the element type rounds off (half \
a unit in the last place of f16, half a unit of i16) is taken off the difference first, and for an image with \
coefficients beyond 1024, the range of 8-bit photographs, the tolerance is multiplied by its largest coefficient, in file or tensor, over 1024.

SNR is 10 log10 of signal over error, in dB. Real SNR is over what the other decoder can be compared in: with edge replicate \
all blocks, with edge stored those that depend on nothing beyond the image; chroma only where it upsamples as the recipe \
does (triangle at ratios 1 and 2, replicate at 3 and 4). Clipped is the share of its samples that are 0 or 255.

With --json, one object a line: for each image and recipe {{kind: image, recipe, path, status, error, excess, report}} in \
the order of the inputs, then for each recipe {{kind: summary, recipe, tolerance, passed, differing, failed, summary}}. \
status is ok, differs, damaged, refused, not_jpeg, unreadable or failed; excess is what the tolerance is compared with.

Examples:
  jpegdct verify photos
  jpegdct verify photos --recipe native-24 --recipe native-192 --edge replicate

{EXIT_CODES} (an image beyond the tolerance counts as failed, a file that is no JPEG too)")
)]
pub struct VerifyArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// A preset, or a recipe in a .toml or .json file; may be given several times
    #[arg(long = "recipe", value_name = "NAME|FILE", default_value = "native-24", help_heading = "The tensor")]
    pub recipes: Vec<String>,

    /// Changes to every recipe.
    #[command(flatten)]
    pub changes: ChangeArgs,

    /// The largest difference that passes, in units of dequantised coefficients
    #[arg(long, value_name = "T", default_value_t = DEFAULT_TOLERANCE, value_parser = parse_tolerance, help_heading = "The comparison")]
    pub tolerance: f64,

    /// How many of the worst files are named
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "The comparison")]
    pub worst: usize,

    /// One JSON object a line
    #[arg(long, help_heading = "The comparison")]
    pub json: bool,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(
    long_about = "Measure what decoding costs, beside the alternatives.

Files are read into memory; then every way to read them takes turns on one thread, batch by batch, several times over: \
this crate's coefficients and tensors, libjpeg's coefficients (mozjpeg's jpeg_read_coefficients, the yardstick), the pixel \
path to the same tensor (libjpeg to YCbCr, then a float DCT), the re-encode path, and decoders of pixels. A row is the sum \
of the medians of its batches. An image that one of them cannot read is left out of all, and named.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
libjpeg is no baseline without its SIMD. Whether it has it is asked of libjpeg itself; if not, there are no ratios. To have \
it, build with --features mozjpeg-simd where nasm is installed.

With --threads above 1, the corpus run (24 channels, f32, files in memory, nothing written) is timed too, on one thread \
and on that many, by the wall clock.

With --json, one object: jpegdct_version, clock, cpu (portable, v3, v4), optimised, libjpeg_simd, repeats, images, bytes, luma_pixels, \
pixel_path_snr_db (how near the pixel path's tensor is), rows (id, name, own, ns_per_pixel, mb_per_s, images_per_s, \
speed_vs_libjpeg, speed_vs_pixel_path, spread), scaling (threads, images_per_s_1, images_per_s_n, speedup; null for one \
thread), left_out (path, row, reason). A speed is how many times faster, null without a baseline; spread is the longest repeat \
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

/// Formats of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputFormat {
    /// One NumPy file a tensor, in folders like those of the inputs
    #[default]
    Npy,
    /// Shards of many images, shard-000000.safetensors ..., tensors named by image
    Safetensors,
}

/// Values of `--on-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnErrorArg {
    /// Go on with the others
    #[default]
    Skip,
    /// Leave them undone
    Stop,
}

/// Values of `--damaged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DamagedArg {
    /// They count as failed and have no tensor
    #[default]
    Refuse,
    /// What was decoded is kept, lost coefficients are zero; the manifest has status damaged and warnings
    Keep,
}

/// Values of `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogArg {
    /// For people: a progress bar on a terminal, lines elsewhere
    #[default]
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// A whole number of 1 or more, with K, M or G for powers of 1024.
fn parse_number(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        unit => return Err(format!("{unit:?} is no unit; use K, M, G or T (powers of 1024)")),
    };
    let number: NonZeroU64 = digits.parse().map_err(|_| "not a whole number of 1 or more".to_string())?;
    number.get().checked_mul(1 << shift).ok_or_else(|| "too large".to_string())
}

/// A finite number, zero or more.
fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("not a number of 0 or more".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_have_units() {
        assert_eq!(parse_number("12"), Ok(12));
        assert_eq!(parse_number("2G"), Ok(2 << 30));
        assert_eq!(parse_number("3 MiB"), Ok(3 << 20));
        for bad in ["", "0", "-1", "G", "1.5G", "1X", "99999999999T"] {
            assert!(parse_number(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tolerances_are_finite() {
        assert_eq!(parse_tolerance("2e-3"), Ok(2e-3));
        for bad in ["", "-1", "nan", "inf", "x"] {
            assert!(parse_tolerance(bad).is_err(), "{bad:?}");
        }
    }
}
