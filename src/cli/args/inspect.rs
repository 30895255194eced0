//! Arguments of `jpegdct inspect`.

use clap::Args;

use super::{EXIT_CODES, InputArgs, LimitArgs};

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
