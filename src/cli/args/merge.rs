//! Arguments of `jpegdct merge`.

use std::path::PathBuf;

use clap::Args;

use super::EXIT_CODES;

/// Arguments of `merge`.
#[derive(Debug, Args)]
#[command(
    long_about = "Join the parts of a run, made with --shard-of, or runs over inputs of their own.

Folders: OUT gets all files (hard links where the file system allows, else copies), one manifest.jsonl and one dataset.json. \
Shards are numbered on, stacks written behind each other. Statistics files, as stats writes them: OUT is a file with the \
statistics of all images.

First everything is looked at: all parts must be there once, no image may be in two of them, every file a manifest names \
must be there. Only then is anything written.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
Examples:
  jpegdct merge part-* -o train-dct
  jpegdct merge stats-0.json stats-1.json -o stats.json

{EXIT_CODES}")
)]
pub struct MergeArgs {
    /// Folders with finished runs, or statistics files
    #[arg(required = true, value_name = "DIR|FILE")]
    pub parts: Vec<PathBuf>,

    /// Folder or file to write
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
}
