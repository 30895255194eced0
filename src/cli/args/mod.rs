//! The command line: names, help texts and ranges. Nothing is done here.

mod bench;
mod extract;
mod inspect;
mod merge;
mod show;
mod stats;
mod verify;

use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::{Damage, DecodeOptions, Limits, Recipe};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

pub use bench::BenchArgs;
pub use extract::{DamagedArg, ExtractArgs, LogArg, OnErrorArg, OutputFormat, ReencodeArgs};
pub use inspect::InspectArgs;
pub use merge::MergeArgs;
pub use show::{ShapeArg, ShowArgs};
pub use stats::{DefinitionArg, StatsArgs};
pub use verify::VerifyArgs;

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
    /// Gather the statistics of channels
    Stats(Box<StatsArgs>),
    /// Join the parts of a run
    Merge(MergeArgs),
    /// Draw the planes of a tensor
    Show(Box<ShowArgs>),
}

/// Inputs, common to all commands.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Files, folders, glob patterns, tar archives, @LIST, URLs, or - for one image on standard input
    ///
    /// A file named here is always taken. In a folder, and the folders in it, files are taken that have the extension
    /// of an image format (jpg jpeg jpe jfif png webp tif tiff bmp gif pnm ppm pgm pbm), and files without an
    /// extension that start like an image; if all lie in folders below it, the first of these is an image's class.
    /// Archives (.tar, .tar.gz, .tgz) count as folders; in a WebDataset's, .cls is the label. A list (@FILE, @- or
    /// FILE.jsonl) has a path a line, or an object with "path" and "label". In builds with the feature cloud, s3://, gs:// and
    /// az:// URLs are objects or folders of them, http(s):// URLs objects; credentials come from the environment.
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
        crate::corpus::threads_or_all(self.threads.map(usize::from))
    }
}

/// Limits, common to all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of one image")]
pub struct LimitArgs {
    /// Pixels, width times height, of the image and of those on the way to its tensor [default: 2^28]
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub max_pixels: Option<u64>,

    /// Bytes of coefficients held at once, or of one tensor and its axis maps [default: 2G]
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
        let default = Limits::default();
        Limits {
            pixels: self.max_pixels.unwrap_or(default.pixels),
            memory: self.max_memory.unwrap_or(default.memory),
            scans: self.max_scans.unwrap_or(default.scans),
            passes: self.max_passes.unwrap_or(default.passes),
            segments: self.max_segments.unwrap_or(default.segments),
            file_bytes: self.max_file_bytes.unwrap_or(default.file_bytes),
        }
    }

    /// Decoder options with these limits.
    pub fn decode_options(&self, damage: Damage) -> DecodeOptions {
        DecodeOptions { limits: self.limits(), damage, ..DecodeOptions::default() }
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

    /// Leave out the refinement scans of progressive JPEGs: an approximation, without the low bits of the coefficients
    #[arg(long)]
    pub skip_refinement: bool,
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
        .chain(self.skip_refinement.then_some(("skip-refinement", "on")))
    }
}

/// A whole number of 1 or more, with K, M or G for powers of 1024.
pub fn parse_number(text: &str) -> Result<u64, String> {
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
}
