//! `jpegdct extract`: images to tensors.

use std::io::ErrorKind;

use crate::corpus::{self, Convert, Job, OnError};
use crate::reencode::{ReencodeOptions, Reencoder};
use crate::sinks::{NpySink, SafetensorsSink, ShardSize, Sink, StackSink, WebdatasetSink};
use crate::{Damage, Extractor, Limits, Recipe};

use super::args::{ChangeArgs, DamagedArg, ExtractArgs, LogArg, OnErrorArg, OutputFormat, ReencodeArgs};
use super::failure::{Failure, SOME_FAILED, SUCCESS};
use super::progress::Progress;

/// Runs the command.
pub fn run(args: &ExtractArgs) -> Result<u8, Failure> {
    let damage = match args.run.damaged {
        DamagedArg::Refuse => Damage::Refuse,
        DamagedArg::Keep => Damage::Keep,
    };
    let recipe = recipe(&args.recipe.recipe, &args.recipe.changes)?;
    let extractor = Extractor::new(recipe, args.limits.decode_options(damage)).map_err(Failure::usage)?;
    let reencoder = reencoder(&args.reencode, args.limits.limits());
    let shard = shard(args)?;
    let mut sink = sink(args, extractor.recipe(), shard.unwrap_or_default())?;

    let listing = corpus::list(&args.input.inputs);
    let progress = Progress::new(args.run.log == LogArg::Json);
    let job = Job {
        extractor: &extractor,
        convert: reencoder.as_ref().map(|reencoder| reencoder as &dyn Convert),
        folder: &args.output,
        threads: args.input.threads(),
        on_error: match args.run.on_error {
            OnErrorArg::Skip => OnError::Skip,
            OnErrorArg::Stop => OnError::Stop,
        },
        resume: args.run.resume,
        part: args.run.shard_of,
        shard,
        limits: args.limits.limits(),
        observer: &progress,
    };
    let report = corpus::extract(&listing, &job, &mut *sink).map_err(|error| {
        progress.clear();
        let out = args.output.display();
        // A record that was begun is worth going on with.
        let begun = args.output.join(crate::corpus::UNFINISHED).exists() && error.kind() != ErrorKind::InvalidInput;
        let advice = if begun { "; what is on record stands, --resume goes on from there" } else { "" };
        anyhow::anyhow!("cannot write {out}: {error}{advice}")
    })?;
    progress.finish(&report, &args.output);
    let all_good = report.complete && report.counts.failures() == 0 && report.counts.inputs > 0;
    Ok(if all_good { SUCCESS } else { SOME_FAILED })
}

/// The recipe the flags describe.
pub fn recipe(name_or_path: &str, changes: &ChangeArgs) -> Result<Recipe, Failure> {
    let mut recipe = Recipe::load(name_or_path).map_err(Failure::usage)?;
    for (field, value) in changes.changes() {
        recipe
            .set(field, value)
            .map_err(|error| Failure::usage(anyhow::Error::new(error).context(format!("--{field}"))))?;
    }
    recipe.validate().map_err(Failure::usage)?;
    Ok(recipe)
}

/// What makes JPEGs of other images, unless that is off.
pub fn reencoder(args: &ReencodeArgs, limits: Limits) -> Option<Reencoder> {
    let options = ReencodeOptions { quality: args.reencode_quality, sampling: args.reencode_sampling, limits };
    (!args.no_reencode).then_some(Reencoder(options))
}

/// The size of shards, for formats that have them.
fn shard(args: &ExtractArgs) -> Result<Option<ShardSize>, Failure> {
    let (images, bytes) = (args.run.shard_images, args.run.shard_bytes);
    if matches!(args.run.format, OutputFormat::Safetensors | OutputFormat::Webdataset | OutputFormat::Parquet) {
        let default = ShardSize::default();
        let images = images.map_or(default.images, |images| images as usize);
        return Ok(Some(ShardSize { images, bytes: bytes.unwrap_or(default.bytes) }));
    }
    if images.is_some() || bytes.is_some() {
        return Err(Failure::usage(anyhow::anyhow!("--format {} has no shards", args.run.format.name())));
    }
    Ok(None)
}

fn sink(args: &ExtractArgs, recipe: &Recipe, size: ShardSize) -> Result<Box<dyn Sink>, Failure> {
    let out = &args.output;
    Ok(match args.run.format {
        OutputFormat::Npy => Box::new(NpySink::new(out)),
        OutputFormat::Stack | OutputFormat::Parquet if !StackSink::takes(recipe) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "--format {} needs a recipe whose tensors all have one size, such as dctnet-24",
                args.run.format.name()
            )));
        }
        OutputFormat::Stack => Box::new(StackSink::new(out)),
        OutputFormat::Safetensors => Box::new(SafetensorsSink::new(out, recipe, size)),
        #[cfg(feature = "parquet")]
        OutputFormat::Parquet => Box::new(crate::sinks::ParquetSink::new(out, recipe, size)),
        #[cfg(not(feature = "parquet"))]
        OutputFormat::Parquet => {
            return Err(Failure::usage(anyhow::anyhow!("this jpegdct was built without the feature parquet")));
        }
        OutputFormat::Webdataset => Box::new(WebdatasetSink::new(out, size)),
    })
}
