//! `jpegdct extract`: images to tensors.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::corpus::{self, Convert, Job, OnError};
use crate::objects;
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
    let target = Target::of(args)?;
    let sink = sink(args, &target.folder, extractor.recipe(), shard.unwrap_or_default())?;
    let (mut sink, mirror) = target.sink(sink, args.run.resume).map_err(|error| broke_off(args, &target, &error))?;

    let listing = corpus::list(&args.input.inputs);
    let progress = Progress::new(args.run.log == LogArg::Json);
    let job = Job {
        extractor: &extractor,
        convert: reencoder.as_ref().map(|reencoder| reencoder as &dyn Convert),
        folder: &target.folder,
        threads: args.input.threads(),
        on_error: match args.run.on_error {
            OnErrorArg::Skip => OnError::Skip,
            OnErrorArg::Stop => OnError::Stop,
        },
        resume: args.run.resume,
        part: args.run.shard_of,
        shard,
        zstd: args.run.zstd,
        limits: args.limits.limits(),
        observer: &progress,
    };
    let report = corpus::extract(&listing, &job, &mut *sink, mirror).map_err(|error| {
        progress.clear();
        broke_off(args, &target, &error)
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
    use OutputFormat::{Parquet, Safetensors, Webdataset, Zarr};
    if matches!(args.run.format, Safetensors | Webdataset | Parquet | Zarr) {
        let default = ShardSize::default();
        let images = images.map_or(default.images, |images| images as usize);
        return Ok(Some(ShardSize { images, bytes: bytes.unwrap_or(default.bytes) }));
    }
    if images.is_some() || bytes.is_some() {
        return Err(Failure::usage(anyhow::anyhow!("--format {} has no shards", args.run.format.name())));
    }
    Ok(None)
}

/// Where a run writes: OUT, or on its way to a store.
struct Target {
    folder: PathBuf,
    /// It is there as long as this is.
    #[cfg(feature = "cloud")]
    store: Option<(tempfile::TempDir, crate::objects::Client)>,
}

/// A sink, and where the record is kept besides.
type Outputs = (Box<dyn Sink>, Option<Box<dyn corpus::Mirror>>);

impl Target {
    #[cfg(feature = "cloud")]
    fn of(args: &ExtractArgs) -> Result<Target, Failure> {
        if !objects::is_url(&args.output) {
            return Ok(Target { folder: args.output.clone(), store: None });
        }
        let client = objects::Client::of(&args.output).map_err(Failure::usage)?;
        if args.run.format == OutputFormat::Stack || !client.can_list() {
            return Err(Failure::usage(anyhow::anyhow!(
                "a stack is no output for a store, and a web server is none: use s3://, gs:// or az:// and another format"
            )));
        }
        let staging = tempfile::Builder::new().prefix("jpegdct-").tempdir()?;
        Ok(Target { folder: staging.path().into(), store: Some((staging, client)) })
    }

    #[cfg(not(feature = "cloud"))]
    fn of(args: &ExtractArgs) -> Result<Target, Failure> {
        match objects::is_url(&args.output) {
            true => Err(Failure::usage(objects::not_built())),
            false => Ok(Target { folder: args.output.clone() }),
        }
    }

    #[cfg(feature = "cloud")]
    fn sink(&self, sink: Box<dyn Sink>, resume: bool) -> io::Result<Outputs> {
        let Some((_, client)) = &self.store else { return Ok((sink, None)) };
        let record = corpus::RemoteRecord::new(client.clone());
        if resume {
            record.fetch(&self.folder)?;
        }
        let sink = crate::sinks::RemoteSink::new(sink, &self.folder, client.clone());
        Ok((Box::new(sink), Some(Box::new(record))))
    }

    #[cfg(not(feature = "cloud"))]
    fn sink(&self, sink: Box<dyn Sink>, _resume: bool) -> io::Result<Outputs> {
        Ok((sink, None))
    }
}

/// Says why a run ended early, and whether it can be taken up.
fn broke_off(args: &ExtractArgs, target: &Target, error: &io::Error) -> anyhow::Error {
    let out = args.output.display();
    // A record that was begun is worth going on with.
    let begun = target.folder.join(corpus::UNFINISHED).exists() && error.kind() != ErrorKind::InvalidInput;
    let advice = if begun { "; what is on record stands, --resume goes on from there" } else { "" };
    match error.kind() {
        ErrorKind::NotConnected => anyhow::anyhow!("a store cannot be reached: {error}{advice}"),
        _ => anyhow::anyhow!("cannot write {out}: {error}{advice}"),
    }
}

fn sink(args: &ExtractArgs, out: &Path, recipe: &Recipe, size: ShardSize) -> Result<Box<dyn Sink>, Failure> {
    let zstd = args.run.zstd;
    if zstd.is_some() && !matches!(args.run.format, OutputFormat::Parquet | OutputFormat::Zarr) {
        let name = args.run.format.name();
        return Err(Failure::usage(anyhow::anyhow!("--format {name} is not compressed; parquet and zarr can be")));
    }
    Ok(match args.run.format {
        OutputFormat::Npy => Box::new(NpySink::new(out)),
        OutputFormat::Stack | OutputFormat::Parquet | OutputFormat::Zarr if !StackSink::takes(recipe) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "--format {} needs a recipe whose tensors all have one size, such as dctnet-24",
                args.run.format.name()
            )));
        }
        OutputFormat::Stack => Box::new(StackSink::new(out)),
        OutputFormat::Safetensors => Box::new(SafetensorsSink::new(out, recipe, size)),
        #[cfg(feature = "parquet")]
        OutputFormat::Parquet => Box::new(crate::sinks::ParquetSink::new(out, recipe, size, zstd)?),
        #[cfg(not(feature = "parquet"))]
        OutputFormat::Parquet => {
            return Err(Failure::usage(anyhow::anyhow!("this jpegdct was built without the feature parquet")));
        }
        #[cfg(feature = "zarr")]
        OutputFormat::Zarr => Box::new(crate::sinks::ZarrSink::new(out, recipe, size, zstd)),
        #[cfg(not(feature = "zarr"))]
        OutputFormat::Zarr => {
            return Err(Failure::usage(anyhow::anyhow!("this jpegdct was built without the feature zarr")));
        }
        OutputFormat::Webdataset => Box::new(WebdatasetSink::new(out, size)),
    })
}
