//! The parts of a run, made on several machines, into what one run would have made.
//!
//! What enters: folders with finished runs. What leaves: one folder with all their files (hard links where the file system
//! allows, else copies; shards are numbered on, stacks and arrays are written behind each other), one manifest and one
//! `dataset.json`. Nothing is written before all parts have been looked at: none may be missing or there twice, no
//! image may be in two of them, and every file a manifest names must be there.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::journal::{DATASET, Journal, MANIFEST};
use super::manifest::{Counts, Dataset, Entry, Part, Settings};
use crate::sinks::{NpySink, Sink, StackSink};
use crate::spec::fingerprint::fnv1a;

/// Why folders cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// No finished run is there, or one that stopped at a failure.
    #[error("{0}: no finished run")]
    Unfinished(PathBuf),
    /// Runs that do not belong together.
    #[error("{0}: made differently from {1}: {2}")]
    Settings(PathBuf, PathBuf, String),
    /// A part that is not among them.
    #[error("part {}/{} is missing", .0.index, .0.of)]
    MissingPart(Part),
    /// A part that is there twice.
    #[error("part {}/{} is there twice: {} and {}", .0.index, .0.of, .1.display(), .2.display())]
    DoublePart(Part, PathBuf, PathBuf),
    /// A manifest that does not have as many lines as its run had inputs, or one that cannot be read.
    #[error("{0}: line {1} of the manifest is missing or cannot be read")]
    Manifest(PathBuf, u64),
    /// An image that is in two parts, or twice in one.
    #[error("{0} is in {1} and in {2}")]
    DoubleKey(String, PathBuf, PathBuf),
    /// A file of two runs that must have one name.
    #[error("two images would have the file {0}")]
    DoubleFile(String),
    /// A file that a manifest names and that is not there.
    #[error("{0} is named in a manifest and missing")]
    MissingFile(PathBuf),
    /// A file that a manifest names and that does not lie in its folder.
    #[error("{0}: its manifest names {1}, which is not in it")]
    ForeignFile(PathBuf, String),
    /// The result cannot be one of the parts.
    #[error("{0} is one of the folders to merge")]
    Target(PathBuf),
    /// The disk.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

type Result<T, E = MergeError> = std::result::Result<T, E>;

/// One run.
struct Run {
    folder: PathBuf,
    dataset: Dataset,
}

/// Merges finished runs into `out`.
///
/// # Errors
/// What does not fit, before anything is written; then what the disk refuses.
pub fn merge(folders: &[PathBuf], out: &Path) -> Result<Counts> {
    let runs = open(folders, out)?;
    let Some(first) = runs.first() else { return Ok(Counts::default()) };
    let names = check(&runs)?;

    let mut settings = first.dataset.settings.clone();
    if settings.part.take().is_none() && runs.len() > 1 {
        settings.inputs = runs.iter().map(|run| run.dataset.settings.inputs).sum();
        let hashes: String = runs.iter().map(|run| run.dataset.settings.inputs_hash.as_str()).collect();
        settings.inputs_hash = format!("{:016x}", fnv1a(hashes.as_bytes()));
    }
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |error| MergeError::Io(path, error)
    };
    let mut dataset = Dataset { settings, complete: true, counts: Counts::default() };
    let mut journal = Journal::create(out, &dataset).map_err(at(out))?;
    let mut joined = Joined::new(&dataset.settings, out).map_err(at(out))?;
    for (run, names) in runs.iter().zip(&names) {
        let offset = joined.append(run).map_err(at(&run.folder))?;
        if offset.is_none() {
            for (name, target) in names {
                link(&below(&run.folder, name), &below(out, target)).map_err(at(&below(out, target)))?;
            }
        }
        for_each_entry(run, |mut entry| {
            for output in &mut entry.outputs {
                if let Some(offset) = offset {
                    let row = output.entry.as_ref().and_then(|row| row.parse::<u64>().ok()).unwrap_or(0);
                    output.entry = Some((row + offset).to_string());
                    output.path = joined.file_of(row + offset).unwrap_or(std::mem::take(&mut output.path));
                } else if let Some(target) = names.get(&output.path) {
                    output.path.clone_from(target);
                }
            }
            dataset.counts.add(&entry);
            journal.push(&entry).map_err(at(out))?;
            if journal.is_due() { journal.commit(joined.sink()).map_err(at(out)) } else { Ok(()) }
        })?;
    }
    joined.sink().finish(&mut |_, _| ()).map_err(at(out))?;
    // The links are synced with the folder's file system, as the files of a run are.
    NpySink::synced(out).map_err(at(out))?;
    journal.commit(joined.sink()).map_err(at(out))?;
    journal.finish(&dataset).map_err(at(out))?;
    Ok(dataset.counts)
}

/// Whether a format has one array for all images.
fn has_rows(settings: &Settings) -> bool {
    ["stack", "zarr"].contains(&settings.format.as_str())
}

/// The array that rows of all parts go into, for formats that have one.
enum Joined {
    /// Files stay what they are. A stack without rows syncs nothing.
    Files(StackSink),
    Stack(StackSink),
    #[cfg(feature = "zarr")]
    Zarr(Box<crate::sinks::ZarrSink>),
}

impl Joined {
    fn new(settings: &Settings, out: &Path) -> io::Result<Joined> {
        match settings.format.as_str() {
            "stack" => Ok(Joined::Stack(StackSink::new(out))),
            #[cfg(feature = "zarr")]
            "zarr" => {
                let size = settings.shard.unwrap_or_default();
                let array = crate::sinks::ZarrSink::new(out, &settings.recipe, size, settings.zstd);
                Ok(Joined::Zarr(Box::new(array)))
            }
            #[cfg(not(feature = "zarr"))]
            "zarr" => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "this jpegdct was built without the feature zarr"))
            }
            _ => Ok(Joined::Files(StackSink::new(out))),
        }
    }

    /// Takes in the rows of a run, if they are rows: how many were there before.
    fn append(&mut self, run: &Run) -> io::Result<Option<u64>> {
        match self {
            Joined::Files(_) => Ok(None),
            Joined::Stack(stack) => stack.append_stack(&run.folder).map(Some),
            #[cfg(feature = "zarr")]
            Joined::Zarr(array) => {
                let counts = &run.dataset.counts;
                array.append_array(&run.folder, counts.inputs - counts.failures()).map(Some)
            }
        }
    }

    /// The file that a row is in, if it depends on the row.
    fn file_of(&self, _row: u64) -> Option<String> {
        match self {
            #[cfg(feature = "zarr")]
            Joined::Zarr(array) => Some(array.shard_of(_row)),
            _ => None,
        }
    }

    fn sink(&mut self) -> &mut dyn Sink {
        match self {
            Joined::Files(sink) | Joined::Stack(sink) => sink,
            #[cfg(feature = "zarr")]
            Joined::Zarr(array) => &mut **array,
        }
    }
}

/// Opens the runs, in the order of their parts, and checks that they belong together.
fn open(folders: &[PathBuf], out: &Path) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for folder in folders {
        let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if same(folder, out) {
            return Err(MergeError::Target(out.into()));
        }
        let unfinished = || MergeError::Unfinished(folder.clone());
        let text = std::fs::read(folder.join(DATASET)).map_err(|_| unfinished())?;
        let dataset: Dataset = serde_json::from_slice(&text).map_err(|_| unfinished())?;
        if !dataset.complete || !folder.join(MANIFEST).exists() {
            return Err(unfinished());
        }
        runs.push(Run { folder: folder.clone(), dataset });
    }
    let Some(first) = runs.first() else { return Ok(runs) };
    for run in &runs[1..] {
        let (mut ours, mut theirs) = (first.dataset.settings.clone(), run.dataset.settings.clone());
        let of = |part: Option<Part>| part.map(|part| Part { index: 0, of: part.of });
        (ours.part, theirs.part) = (of(ours.part), of(theirs.part));
        if ours.part.is_none() {
            // Runs over inputs of their own.
            (theirs.inputs, theirs.inputs_hash) = (ours.inputs, ours.inputs_hash.clone());
        }
        if let Some(difference) = theirs.difference(&ours) {
            return Err(MergeError::Settings(run.folder.clone(), first.folder.clone(), difference));
        }
    }
    if let Some(Part { of, .. }) = first.dataset.settings.part {
        runs.sort_by_key(|run| run.dataset.settings.part.map(|part| part.index));
        for pair in runs.windows(2) {
            if let (Some(a), Some(b)) = (pair[0].dataset.settings.part, pair[1].dataset.settings.part)
                && a == b
            {
                return Err(MergeError::DoublePart(a, pair[0].folder.clone(), pair[1].folder.clone()));
            }
        }
        for index in 0..of {
            let part = Part { index, of };
            if runs.get(index as usize).and_then(|run| run.dataset.settings.part) != Some(part) {
                return Err(MergeError::MissingPart(part));
            }
        }
    }
    Ok(runs)
}

/// Checks that no image and no file is missing or there twice. Gives, for each run, the files and their new names.
fn check(runs: &[Run]) -> Result<Vec<BTreeMap<String, String>>> {
    // Hashes instead of names: 8 bytes an image.
    let mut keys: HashMap<u64, u32> = HashMap::new();
    let mut targets: HashMap<u64, ()> = HashMap::new();
    let mut all = Vec::new();
    let mut shards = 0;
    for (number, run) in runs.iter().enumerate() {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let has_shards = run.dataset.settings.shard.is_some();
        for_each_entry(run, |entry| {
            if let Some(other) = keys.insert(fnv1a(entry.key.as_bytes()), number as u32) {
                return Err(MergeError::DoubleKey(entry.key, runs[other as usize].folder.clone(), run.folder.clone()));
            }
            for output in entry.outputs {
                if names.contains_key(&output.path) {
                    continue;
                }
                if output.path.split('/').any(|name| matches!(name, "" | "." | "..")) {
                    return Err(MergeError::ForeignFile(run.folder.clone(), output.path));
                }
                let file = below(&run.folder, &output.path);
                if !file.is_file() {
                    return Err(MergeError::MissingFile(file));
                }
                let target = if has_shards && !has_rows(&run.dataset.settings) {
                    let extension = output.path.rsplit('.').next().unwrap_or_default();
                    shards += 1;
                    format!("shard-{:06}.{extension}", shards - 1)
                } else {
                    output.path.clone()
                };
                if !has_rows(&run.dataset.settings) && targets.insert(fnv1a(target.as_bytes()), ()).is_some() {
                    return Err(MergeError::DoubleFile(target));
                }
                names.insert(output.path, target);
            }
            Ok(())
        })?;
        all.push(names);
    }
    Ok(all)
}

/// Reads a manifest line by line; there must be one for each input.
fn for_each_entry(run: &Run, mut each: impl FnMut(Entry) -> Result<()>) -> Result<()> {
    let path = run.folder.join(MANIFEST);
    let file = File::open(&path).map_err(|error| MergeError::Io(path.clone(), error))?;
    let mut lines = 0;
    for line in BufReader::new(file).lines() {
        lines += 1;
        let bad = || MergeError::Manifest(run.folder.clone(), lines);
        each(serde_json::from_str(&line.map_err(|_| bad())?).map_err(|_| bad())?)?;
    }
    if lines == run.dataset.counts.inputs { Ok(()) } else { Err(MergeError::Manifest(run.folder.clone(), lines + 1)) }
}

/// The same file under another name; a copy where file systems differ.
fn link(file: &Path, target: &Path) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::hard_link(file, target).or_else(|_| std::fs::copy(file, target).map(drop))
}

fn below(folder: &Path, relative: &str) -> PathBuf {
    relative.split('/').fold(folder.to_path_buf(), |path, name| path.join(name))
}
