//! Arguments of `jpegdct stats`.

use std::path::PathBuf;

use crate::corpus::Part;
use clap::{Args, ValueEnum};

use super::extract::{LogArg, ReencodeArgs, parse_part};
use super::{ChangeArgs, EXIT_CODES, InputArgs, LimitArgs};

/// Arguments of `stats`.
#[derive(Debug, Args)]
#[command(
    long_about = "Gather the statistics of channels: mean, standard deviation, energy, range, share of zeros and histogram of \
each.

FILE is JSON, and what --normalize takes. Figures are of dequantised coefficients as the recipe makes them, before \
normalisation. They are the same for any number of threads, and for any split with --shard-of and merge (to 1e-9).",
    after_help = EXIT_CODES,
    after_long_help = format!("\
Two definitions. pooled: mean and standard deviation of all coefficients of all images, what new training wants. dctnet: mean \
and standard deviation over images of each image's mean, as published with DCTNet. The file holds the figures of both; \
\"mean\" and \"std\" are those of the one chosen.

Examples:
  jpegdct stats train -o stats.json
      all 192 channels at the photographs' own size
  jpegdct stats train -o stats.json --recipe dctnet-64
      after DCTNet's resize and crop, 64 channels
  jpegdct stats train -o stats.json --rank --budget 24 --plot energy.png
      channels in order of what they tell, the best 24, and maps of energy
  jpegdct extract train -o tensors --recipe dctnet-64 --normalize stats.json

{EXIT_CODES}")
)]
pub struct StatsArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// JSON file to write, - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// What mean and std are of
    #[arg(long, value_enum, default_value_t)]
    pub definition: DefinitionArg,

    /// Rank the channels by energy and by variance between images; the order is added to FILE and printed
    #[arg(long)]
    pub rank: bool,

    /// How many channels to propose
    #[arg(long, value_name = "K", default_value_t = 24, requires = "rank", value_parser = clap::value_parser!(u8).range(1..=192))]
    pub budget: u8,

    /// PNG file to write with maps of energy by frequency
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Only part I of N equal parts of the inputs, I from 0; see merge
    #[arg(long, value_name = "I/N", value_parser = parse_part)]
    pub shard_of: Option<Part>,

    /// How to report on stderr
    #[arg(long, value_enum, default_value_t)]
    pub log: LogArg,

    /// A preset, or a recipe in a .toml or .json file; its normalisation, element type and layout do not matter
    #[arg(long, value_name = "NAME|FILE", default_value = "native-192", help_heading = "The tensor")]
    pub recipe: String,

    /// Changes to it.
    #[command(flatten)]
    pub changes: ChangeArgs,

    /// Images that are no JPEG.
    #[command(flatten)]
    pub reencode: ReencodeArgs,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Values of `--definition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DefinitionArg {
    /// All coefficients of all images
    #[default]
    Pooled,
    /// Over images, of each image's mean
    Dctnet,
}
