//! Arguments of `jpegdct show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{EXIT_CODES, LimitArgs, RecipeArgs};

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(
    long_about = "Draw the planes of a tensor as a labelled mosaic.

FILE is an image, or a .npy file as extract writes it with its channels named by the dataset.json beside or above it. \
DC planes are grey; all others are blue where negative, red where positive, white at zero, each with its own contrast. \
A picture of more than --max-pixels is refused.",
    after_help = EXIT_CODES
)]
pub struct ShowArgs {
    /// An image, or a tensor in a .npy file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// PNG file to write
    #[arg(short, long, value_name = "PNG")]
    pub output: PathBuf,

    /// How planes are laid out
    #[arg(long, value_enum, default_value_t)]
    pub shape: ShapeArg,

    /// Pixels for a coefficient [default: such that a plane is about 100 pixels wide]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub scale: Option<u16>,

    /// The tensor of an image; for a .npy file without dataset.json, its channels.
    #[command(flatten)]
    pub recipe: RecipeArgs,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Values of `--shape`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ShapeArg {
    /// By frequency, vertical down and horizontal across, Y beside Cb and Cr
    #[default]
    Square,
    /// In the order of the tensor, eight a row
    Rows,
}
