//! `jpegdct merge`: parts of runs into one.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::corpus::{self, Statistics};
use anyhow::{Context, anyhow};

use super::args::MergeArgs;
use super::failure::{Failure, SUCCESS};
use super::stats;

/// Runs the command.
pub fn run(args: &MergeArgs) -> Result<u8, Failure> {
    let folders = args.parts.iter().filter(|part| part.is_dir()).count();
    if folders == args.parts.len() {
        let counts =
            corpus::merge(&args.parts, &args.output).map_err(|error| anyhow!(error).context("cannot merge"))?;
        let say = format!(
            "{} images of {} inputs; {}",
            counts.inputs - counts.failures(),
            counts.inputs,
            args.output.display()
        );
        let _ = writeln!(io::stderr(), "jpegdct: {say}");
        return Ok(SUCCESS);
    }
    if folders > 0 {
        return Err(Failure::usage(anyhow!("either folders or statistics files can be merged, not both at once")));
    }
    let mut merged = load(&args.parts[0])?;
    for part in &args.parts[1..] {
        merged.merge(&load(part)?).map_err(|reason| anyhow!("cannot merge {}: {reason}", part.display()))?;
    }
    if let Some(part) = merged.missing_part() {
        return Err(Failure::Run(anyhow!("cannot merge: part {}/{} is missing", part.index, part.of)));
    }
    merged.finish();
    stats::write(&args.output, &merged)?;
    Ok(SUCCESS)
}

fn load(path: &PathBuf) -> Result<Statistics, Failure> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice(&text).with_context(|| format!("{} is no statistics file", path.display()))?)
}
