//! The record of a run on the disk: written so that a run killed at any moment can be taken up.
//!
//! What enters: entries in input order. What leaves: `manifest.jsonl` and `dataset.json`. While a run goes on the
//! manifest has the hidden name `.manifest.jsonl.part` and `.jpegdct.json` holds the settings; a folder without
//! `manifest.jsonl` holds an unfinished run. Of the record the disk holds a beginning, at most the last line is cut. What
//! a line tells of is on the disk before the line is: [`Journal::commit`] syncs the sink first.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::manifest::{Counts, Dataset, Entry};
use crate::sinks::{Background, Done, Sink, TEMPORARY, sync_folder};

pub(super) const MANIFEST: &str = "manifest.jsonl";
pub(super) const DATASET: &str = "dataset.json";
/// The manifest of a run that is not finished.
pub const UNFINISHED: &str = ".manifest.jsonl.part";
/// The settings of a run that is not finished: `dataset.json` with nothing counted.
pub(super) const SETTINGS: &str = ".jpegdct.json";

/// Entries are written down after a pause of this many times what that takes, within bounds.
const PAUSE: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Bytes of lines that are written down without a pause, and that wait at most for the commit before.
const ENOUGH: usize = 1 << 20;
const MOST: usize = 8 << 20;

/// A second place for the record, for outputs that are not where the journal is.
pub trait Mirror: std::fmt::Debug {
    /// A run begins or goes on: the record is as it is in `folder`.
    ///
    /// # Errors
    /// Those of the place.
    fn begin(&mut self, folder: &Path) -> io::Result<()>;

    /// Lines that begin at byte `at` of the manifest.
    ///
    /// # Errors
    /// Those of the place.
    fn append(&mut self, at: u64, lines: &[u8]) -> io::Result<()>;

    /// The run is finished: both files are in `folder` under their names.
    ///
    /// # Errors
    /// Those of the place.
    fn finish(&mut self, folder: &Path) -> io::Result<()>;
}

/// The record of one run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    /// Bytes written down.
    end: u64,
    mirror: Option<Box<dyn Mirror>>,
    lines: Vec<u8>,
    /// A commit under way: how long it took.
    committing: Option<Background<Duration>>,
    last: Instant,
    pause: Duration,
}

/// What there is to do in a folder.
#[derive(Debug)]
pub enum Opened {
    /// The run is to begin, or to go on after the entries counted.
    Going(Journal, Counts),
    /// All is done.
    Finished(Counts),
}

impl Journal {
    /// Begins a run in `folder`, which is made if it is missing. The record of an earlier run is removed: it would
    /// describe outputs that are being replaced.
    ///
    /// # Errors
    /// A folder that cannot be made or written, or in which another run is under way.
    pub fn create(folder: &Path, dataset: &Dataset) -> io::Result<Journal> {
        std::fs::create_dir_all(folder)?;
        let file = open_locked(folder)?;
        file.set_len(0)?;
        remove_if_there(std::fs::remove_dir_all(folder.join(TEMPORARY)))?;
        // In this order: whatever a kill leaves of it is never taken for a record of outputs that are there.
        for name in [SETTINGS, MANIFEST, DATASET] {
            remove_if_there(std::fs::remove_file(folder.join(name)))?;
        }
        write_whole(folder, SETTINGS, dataset)?;
        sync_folder(folder)?;
        Ok(Journal::new(folder, file, 0))
    }

    /// Takes up the run in `folder`; where there is none, begins one. `stands` is asked of each entry on record, in order,
    /// whether its input is still what it was; the record ends at the first of which it is not.
    ///
    /// # Errors
    /// As [`Journal::create`]; [`io::ErrorKind::InvalidInput`] if the run there has other settings.
    pub fn resume(
        folder: &Path,
        dataset: &Dataset,
        sink: &mut dyn Sink,
        stands: &mut dyn FnMut(&Entry) -> bool,
    ) -> io::Result<Opened> {
        let unfinished = read_dataset(&folder.join(SETTINGS))?;
        let finished = read_dataset(&folder.join(DATASET))?;
        let Some(found) = unfinished.as_ref().or(finished.as_ref()) else {
            return Ok(Opened::Going(Journal::create(folder, dataset)?, Counts::default()));
        };
        if let Some(difference) = dataset.settings.difference(&found.settings) {
            let message = format!("the run cannot be resumed, its settings or inputs differ: {difference}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (manifest, hidden) = (folder.join(MANIFEST), folder.join(UNFINISHED));
        let stopped = manifest.exists();
        let complete = finished.filter(|finished| stopped && finished.complete);
        let record = match stopped {
            true => Record::read(&File::open(&manifest)?, complete.is_none(), stands)?,
            false => Record::default(),
        };
        if let Some(finished) = complete
            && record.end == manifest.metadata()?.len()
        {
            remove_if_there(std::fs::remove_file(folder.join(SETTINGS)))?;
            return Ok(Opened::Finished(finished.counts));
        }
        if stopped {
            // It stopped at a failure, which is tried again, or an input has changed.
            write_whole(folder, SETTINGS, dataset)?;
            std::fs::rename(&manifest, &hidden)?;
        }
        let mut file = open_locked(folder)?;
        remove_if_there(std::fs::remove_dir_all(folder.join(TEMPORARY)))?;
        let record = if stopped { record } else { Record::read(&file, false, stands)? };
        let (end, counts) = record.kept(sink)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        remove_if_there(std::fs::remove_file(folder.join(DATASET)))?;
        sync_folder(folder)?;
        Ok(Opened::Going(Journal::new(folder, file, end), counts))
    }

    fn new(folder: &Path, file: File, end: u64) -> Journal {
        let (lines, last, pause) = (Vec::new(), Instant::now(), Duration::ZERO);
        Journal { folder: folder.into(), file, end, mirror: None, lines, committing: None, last, pause }
    }

    /// Keeps the record in a second place too.
    ///
    /// # Errors
    /// Those of the place.
    pub fn mirror(&mut self, mut mirror: Box<dyn Mirror>) -> io::Result<()> {
        mirror.begin(&self.folder)?;
        self.mirror = Some(mirror);
        Ok(())
    }

    /// Takes the next entry. It is written down by the next [`Journal::commit`].
    ///
    /// # Errors
    /// None but a fault of the program.
    pub fn push(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.lines, entry)?;
        self.lines.push(b'\n');
        Ok(())
    }

    /// Whether it is time for a commit: after a pause, or when enough lines wait for one, so that they do not fill the memory.
    pub fn is_due(&self) -> bool {
        let busy = self.committing.as_ref().is_some_and(|commit| !commit.is_finished());
        let waiting = self.lines.len();
        waiting >= MOST || waiting > 0 && !busy && (waiting >= ENOUGH || self.last.elapsed() >= self.pause)
    }

    /// Puts on the disk what the sink has settled, then the entries that tell of it. That is done on a thread of its own,
    /// so that a slow disk does not keep the others waiting; the next commit, or [`Journal::finish`], waits for it.
    ///
    /// # Errors
    /// Those of the disk, of this commit or the one before.
    pub fn commit(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.wait()?;
        let begun = Instant::now();
        let sync = sink.sync()?;
        let lines = std::mem::take(&mut self.lines);
        let at = self.end;
        self.end += lines.len() as u64;
        let mut file = self.file.try_clone()?;
        if let Some(mirror) = &mut self.mirror {
            // The store has the outputs, and has to have the lines.
            file.write_all(&lines)?;
            if !lines.is_empty() {
                mirror.append(at, &lines)?;
            }
            self.pause_after(begun.elapsed());
            return Ok(());
        }
        let write = move || {
            sync()?;
            file.write_all(&lines)?;
            file.sync_data()?;
            Ok(begun.elapsed())
        };
        self.committing = Some(Background::start("jpegdct-journal", write)?);
        Ok(())
    }

    /// Waits for the commit under way.
    fn wait(&mut self) -> io::Result<()> {
        let Some(commit) = self.committing.take() else { return Ok(()) };
        let took = commit.wait()?;
        self.pause_after(took);
        Ok(())
    }

    fn pause_after(&mut self, took: Duration) {
        self.last = Instant::now();
        self.pause = (took * PAUSE).clamp(SHORTEST, LONGEST);
    }

    /// Gives both files their names. All entries are committed.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self, dataset: &Dataset) -> io::Result<()> {
        self.wait()?;
        let folder = &self.folder.clone();
        write_whole(folder, DATASET, dataset)?;
        std::fs::rename(folder.join(UNFINISHED), folder.join(MANIFEST))?;
        sync_folder(folder)?;
        if let Some(mirror) = &mut self.mirror {
            mirror.finish(folder)?;
        }
        remove_if_there(std::fs::remove_file(folder.join(SETTINGS)))?;
        remove_if_there(std::fs::remove_dir(folder.join(TEMPORARY)))
    }
}

/// What a manifest tells of, up to where it stands.
#[derive(Default)]
struct Record {
    /// Where it ends, and what it counts.
    end: u64,
    counts: Counts,
    /// The same before the last file of several images.
    before_last_file: (u64, Counts),
    done: Done,
}

impl Record {
    /// Reads a manifest up to the first entry that does not stand. `stopped`: a failure at its end does not.
    fn read(file: &File, stopped: bool, stands: &mut dyn FnMut(&Entry) -> bool) -> io::Result<Record> {
        let mut reader = BufReader::new(file);
        reader.seek(SeekFrom::Start(0))?;
        let mut record = Record::default();
        let mut last_file = String::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)? as u64;
            // A line that is cut or unreadable was never finished; nothing after it counts.
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { break };
            if stopped && entry.is_failure() && reader.fill_buf()?.is_empty() || !stands(&entry) {
                break;
            }
            if let Some(output) = entry.outputs.first() {
                if output.path != last_file {
                    record.done.files += 1;
                    record.done.in_last_file = 0;
                    last_file.clone_from(&output.path);
                    record.before_last_file = (record.end, record.counts);
                }
                record.done.images += 1;
                record.done.in_last_file += 1;
            }
            record.counts.add(&entry);
            record.end += read;
        }
        Ok(record)
    }

    /// Where the part ends that the sink can go on from, and what it counts.
    fn kept(&self, sink: &mut dyn Sink) -> io::Result<(u64, Counts)> {
        let Record { done, .. } = self;
        let images = sink.resume(done)?;
        if images == done.images {
            Ok((self.end, self.counts))
        } else if images + done.in_last_file == done.images {
            Ok(self.before_last_file)
        } else {
            Err(io::Error::other(format!("{images} images of {} stand, which is no whole file", done.images)))
        }
    }
}

/// Opens the unfinished manifest, which one run has at a time.
fn open_locked(folder: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(UNFINISHED))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing there"))
        }
        // A file system without locks is no reason not to write.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A file that appears whole or not at all.
fn write_whole(folder: &Path, name: &str, dataset: &Dataset) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(dataset)?;
    text.push(b'\n');
    let hidden = folder.join(".dataset.json.part");
    let mut file = File::create(&hidden)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(hidden, folder.join(name))
}

fn read_dataset(path: &Path) -> io::Result<Option<Dataset>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => serde_json::from_slice(&bytes?).map(Some).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} cannot be read: {error}", path.display()))
        }),
    }
}

fn remove_if_there(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::manifest::{ErrorReport, Settings, Status};
    use crate::recipe::Recipe;
    use crate::sinks::{NpySink, Output, SafetensorsSink, ShardSize};

    fn dataset() -> Dataset {
        let recipe = Recipe::default();
        let settings = Settings {
            jpegdct_version: "0".into(),
            format: "npy".into(),
            shard: None,
            zstd: None,
            recipe_hash: recipe.hash(),
            recipe,
            damaged: "refuse".into(),
            reencode: None,
            inputs: 3,
            inputs_hash: "0".into(),
            part: None,
            classes: Vec::new(),
        };
        Dataset { settings, complete: true, counts: Counts::default() }
    }

    fn entry(path: &str, file: Option<&str>) -> Entry {
        let mut entry = Entry::new(path.into(), path.into(), "0".into());
        match file {
            Some(file) => {
                let (name, path, shape, dtype) = (String::new(), file.to_string(), vec![1], "f32".to_string());
                entry.outputs.push(Output { name, path, entry: None, shape, dtype });
            }
            None => entry.fail(Status::Refused, ErrorReport { kind: "x".into(), message: "x".into(), offset: None }),
        }
        entry
    }

    #[test]
    fn a_manifest_appears_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("x/out");
        let mut journal = Journal::create(&out, &dataset()).unwrap();
        journal.push(&entry("a", Some("a.npy"))).unwrap();
        journal.commit(&mut NpySink::new(&out)).unwrap();
        assert!(!out.join(MANIFEST).exists());
        journal.finish(&dataset()).unwrap();
        let line = std::fs::read_to_string(out.join(MANIFEST)).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry("a", Some("a.npy")));
        assert_eq!(read_dataset(&out.join(DATASET)).unwrap().unwrap(), dataset());
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 2);
        let again = Journal::resume(&out, &dataset(), &mut NpySink::new(&out), &mut |_| true).unwrap();
        assert!(matches!(again, Opened::Finished(_)));
        Journal::create(&out, &dataset()).unwrap();
        assert!(!out.join(DATASET).exists());
    }

    #[test]
    fn what_is_kept_ends_with_a_whole_line_and_a_whole_shard() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let begin = |tail: &[u8]| {
            let mut journal = Journal::create(out, &dataset()).unwrap();
            let entries = [entry("a", Some("s0")), entry("b", None), entry("c", Some("s1")), entry("d", Some("s1"))];
            entries.iter().for_each(|entry| journal.push(entry).unwrap());
            journal.lines.extend(tail);
            journal.commit(&mut NpySink::new(out)).unwrap();
        };
        for tail in [&b""[..], b"{\"path\":", b"\0\0\0\n{}\n"] {
            begin(tail);
            let Ok(Opened::Going(journal, counts)) =
                Journal::resume(out, &dataset(), &mut NpySink::new(out), &mut |_| true)
            else {
                panic!("it goes on");
            };
            assert_eq!((counts.inputs, counts.ok, counts.refused), (4, 3, 1));
            drop(journal);
            let mut shards = SafetensorsSink::new(out, &Recipe::default(), ShardSize::default());
            let Ok(Opened::Going(journal, counts)) = Journal::resume(out, &dataset(), &mut shards, &mut |_| true)
            else {
                panic!("it goes on");
            };
            assert_eq!((counts.inputs, counts.ok), (2, 1), "the second shard is made again");
            drop(journal);
        }
    }

    #[test]
    fn other_settings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Journal::create(folder.path(), &dataset()).unwrap());
        let mut other = dataset();
        other.settings.inputs = 4;
        let error =
            Journal::resume(folder.path(), &other, &mut NpySink::new(folder.path()), &mut |_| true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("inputs is 4, was 3"), "{error}");
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path(), &dataset()).unwrap();
        assert_eq!(Journal::create(folder.path(), &dataset()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(journal);
        Journal::create(folder.path(), &dataset()).unwrap();
    }
}
