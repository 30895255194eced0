//! Arguments of `jpegdct extract`.

use std::path::PathBuf;

use crate::corpus::Part;
use crate::reencode::ChromaSampling;
use clap::{Args, ValueEnum};

use super::{EXIT_CODES, InputArgs, LimitArgs, RecipeArgs, parse_number};

/// Arguments of `extract`.
#[derive(Debug, Args)]
#[command(
    long_about = "Make tensors of images.

OUT holds the tensors, manifest.jsonl with one line for each input (what became of it, where its tensors are, what it \
was), and dataset.json with the recipe. For --format npy the tree below OUT is that of the inputs: a/b/img.jpg gives \
a/b/img.npy, relative to the folder if one folder is the only INPUT. Of two images that would share a file the later \
keeps its extension: img.png.npy. A file appears whole or not at all, and nothing is written outside OUT. A run that was \
interrupted, by whatever, is taken up by the same command with --resume; the result is that of a run without interruption.

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
  jpegdct extract train -o part-3 --recipe dctnet-24 --format webdataset --shard-of 3/8
      the fourth of eight parts, as tar shards with labels; jpegdct merge joins the parts
  curl -s https://example.org/img.jpg | jpegdct extract - -o one
      one image from standard input, as one/stdin.npy

{EXIT_CODES}")
)]
pub struct ExtractArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Folder for tensors and manifest; made if it is missing. Or a URL: s3://, gs://, az:// (feature cloud)
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

    /// Only part I of N equal parts of the inputs, I from 0: for several machines; see merge
    #[arg(long, value_name = "I/N", value_parser = parse_part)]
    pub shard_of: Option<Part>,

    /// Take up the run in OUT that was interrupted, with the same inputs and flags
    #[arg(long)]
    pub resume: bool,

    /// Images in a shard, for formats that have shards [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub shard_images: Option<u32>,

    /// Bytes of tensor data in a shard; safetensors holds them in memory until the shard is written [default: 256M]
    #[arg(long, value_name = "BYTES", value_parser = parse_number)]
    pub shard_bytes: Option<u64>,

    /// Compress tensors with Zstandard at this level, 1 to 19, or 3; for the formats parquet and zarr
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "3",
        value_parser = clap::value_parser!(i32).range(1..=19))]
    pub zstd: Option<i32>,

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

/// Formats of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputFormat {
    /// One NumPy file a tensor, in folders like those of the inputs
    #[default]
    Npy,
    /// One NumPy file of shape (N, C, H, W), stack.npy, and stack.jsonl; for recipes of one size
    Stack,
    /// Shards of many images, shard-000000.safetensors ..., tensors named by image
    Safetensors,
    /// Tar shards as WebDataset reads them, shard-000000.tar ...: .npy, .json and .cls of each image
    Webdataset,
    /// Parquet shards with a column of Arrow's fixed-shape tensors, shard-000000.parquet ...; for recipes of one size, in
    /// builds with the feature parquet
    Parquet,
    /// One Zarr array of shape (N, C, H, W), tensors.zarr, in shards; for recipes of one size, in builds with the
    /// feature zarr
    Zarr,
}

impl OutputFormat {
    /// As in `--format`.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
    }
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

/// `I/N` with I below N.
pub fn parse_part(text: &str) -> Result<Part, String> {
    let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((index, of)) if index < of => Ok(Part { index, of }),
        Some(_) => Err("parts are counted from 0, so I is less than N".to_string()),
        None => Err("not of the form I/N, as 0/4".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_zero() {
        assert_eq!(parse_part("0/1"), Ok(Part { index: 0, of: 1 }));
        assert_eq!(parse_part("3/4"), Ok(Part { index: 3, of: 4 }));
        for bad in ["4/4", "0/0", "1", "a/b", "-1/4", ""] {
            assert!(parse_part(bad).is_err(), "{bad:?}");
        }
    }
}
