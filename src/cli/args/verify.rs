//! Arguments of `jpegdct verify`.

use crate::verify::DEFAULT_TOLERANCE;
use clap::Args;

use super::{ChangeArgs, EXIT_CODES, InputArgs, LimitArgs};

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

/// A finite number, zero or more.
fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("not a number of 0 or more".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_finite() {
        assert_eq!(parse_tolerance("2e-3"), Ok(2e-3));
        for bad in ["", "-1", "nan", "inf", "x"] {
            assert!(parse_tolerance(bad).is_err(), "{bad:?}");
        }
    }
}
