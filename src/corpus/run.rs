//! The main job: inputs through an [`Extractor`] into a [`Sink`], with a manifest.
//!
//! What enters: a list of inputs and a [`Job`]. What leaves: what the sink writes, the manifest, and a [`Report`].
//! The manifest tells of an image as written only when its file has its final name.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::manifest::{Counts, Dataset, Entry, ErrorReport, Manifest, Status, format_name};
use super::ordered::{Panicked, Window, run_ordered};
use super::source::read;
use super::walk::Input;
use crate::coefficients::Coefficients;
use crate::error::{Error, Mismatch, Result};
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::limits::Limits;
use crate::markers::ColorModel;
use crate::markers::sniff::Format;
use crate::recipe::Cmyk;
use crate::scans::{DecodeOptions, Scratch};
use crate::sinks::{Item, Name, Names, Output, Sink, Stage, Staged};

/// What happens to the rest when an input fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It goes on.
    #[default]
    Skip,
    /// It is left undone.
    Stop,
}

/// Makes a JPEG of an image that is none, or of one that a recipe of channels cannot take.
pub trait Convert: Sync {
    /// The bytes of a JPEG.
    ///
    /// # Errors
    /// [`Error::Reencode`] or [`Error::Limit`].
    fn to_jpeg(&self, bytes: &[u8], format: Format) -> Result<Vec<u8>>;

    /// The bytes of a JPEG in YCbCr of one in CMYK or YCCK that is not damaged, or whose damage is accepted.
    ///
    /// # Errors
    /// As [`Convert::to_jpeg`].
    fn cmyk_to_jpeg(&self, bytes: &[u8], orientation: u8) -> Result<Vec<u8>>;

    /// Whether a format can be converted at all.
    fn takes(&self, format: Format) -> bool;

    /// How it converts, for the manifest.
    fn describe(&self) -> String;
}

/// Is told how a run goes, on the thread that called it.
pub trait Observer: Sync {
    /// The run begins.
    fn begin(&self, inputs: usize);
    /// One more input, of so many bytes, is done with.
    fn arrived(&self, bytes: u64);
    /// An entry goes into the manifest. A sink that fills shards lets entries wait for their shard.
    fn entry(&self, entry: &Entry);
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn begin(&self, _inputs: usize) {}
    fn arrived(&self, _bytes: u64) {}
    fn entry(&self, _entry: &Entry) {}
}

/// All that an extraction needs besides inputs and sink.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Makes the tensors.
    pub extractor: &'a Extractor,
    /// Makes JPEGs of other images; without it they count as [`Status::NotJpeg`].
    pub convert: Option<&'a dyn Convert>,
    /// Where the manifest goes: the sink's folder.
    pub folder: &'a Path,
    /// Threads that decode, 1 or more.
    pub threads: usize,
    /// What a failure does.
    pub on_error: OnError,
    /// Bounds of input files ([`Limits::file_bytes`]); those of images are the extractor's and the converter's.
    pub limits: Limits,
    /// Who looks.
    pub observer: &'a dyn Observer,
}

/// How an extraction went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// How many inputs became what.
    pub counts: Counts,
    /// Whether every input was attempted.
    pub complete: bool,
}

/// One input on its way to a thread.
struct Numbered<'a> {
    ticket: usize,
    input: &'a Input,
    name: Name,
}

/// One input on its way back.
struct Done {
    entry: Entry,
    staged: Option<Staged>,
    bytes: u64,
}

/// Buffers of one thread.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    scratch: ExtractScratch,
}

/// Extracts every input, writes the manifest.
///
/// # Errors
/// A folder or a manifest that cannot be written, threads that cannot be started. Failures of single inputs are no
/// error here: they are in the manifest and counted in the report.
pub fn extract(inputs: &[Input], job: &Job<'_>, sink: &mut dyn Sink) -> io::Result<Report> {
    let manifest = Manifest::create(job.folder)?;
    let recipe_hash = job.extractor.recipe().hash();
    let stage = sink.stage();
    let mut ledger = Ledger::new(manifest, job);
    job.observer.begin(inputs.len());

    // What is under way, in order: a job that panics takes its input along, the manifest needs it all the same.
    let under_way = RefCell::new(VecDeque::new());
    let mut names = Names::default();
    let numbered = inputs.iter().enumerate().map(|(ticket, input)| {
        let name = names.next(&input.place());
        under_way.borrow_mut().push_back((input, name.key.clone()));
        Numbered { ticket, input, name }
    });

    run_ordered(
        job.threads,
        Window::for_threads(job.threads),
        numbered,
        Buffers::default,
        |buffers, numbered| one(job, &*stage, &recipe_hash, buffers, numbered),
        |done: &Done| done.staged.as_ref().map_or(0, Staged::memory),
        |result| {
            let Some((input, key)) = under_way.borrow_mut().pop_front() else { return ControlFlow::Break(()) };
            let done = result.unwrap_or_else(|Panicked(message)| {
                let mut entry = Entry::new(input.display(), key, recipe_hash.clone());
                entry.fail(Status::Failed, ErrorReport { kind: "panic".into(), message, offset: None });
                Done { entry, staged: None, bytes: 0 }
            });
            job.observer.arrived(done.bytes);
            let staged = ledger.expect(done.entry, done.staged);
            if let Some(staged) = staged {
                sink.write(staged, &mut |ticket, result| ledger.settle(ticket, result));
            }
            ledger.advance()
        },
    )?;
    sink.finish(&mut |ticket, result| ledger.settle(ticket, result));
    let _ = ledger.advance();
    ledger.finish(inputs.len(), sink.format())
}

/// Everything that is done for one input on a thread of the pool.
fn one(job: &Job<'_>, stage: &dyn Stage, recipe_hash: &str, buffers: &mut Buffers, numbered: Numbered<'_>) -> Done {
    let Numbered { ticket, input, name } = numbered;
    let mut entry = Entry::new(input.display(), name.key.clone(), recipe_hash.into());
    let mut bytes = 0;
    let staged = match tensors_of(job, &mut entry, &mut bytes, buffers, input, &name) {
        Ok(extraction) => {
            entry.source.describe(&extraction.summary);
            entry.warn(&extraction.summary.warnings);
            entry.saturated = extraction.saturated;
            match stage.stage(Item { ticket, name, tensors: extraction.tensors }) {
                Ok(staged) => Some(staged),
                Err(error) => {
                    entry.fail(Status::Failed, write_report(&error));
                    None
                }
            }
        }
        Err(error) => {
            if let Error::Damaged(warning) = &error {
                entry.warn(&[*warning]);
            }
            entry.fail(Status::of(&error), (&error).into());
            None
        }
    };
    Done { entry, staged, bytes }
}

/// Reads an input and extracts its tensors, by way of a JPEG if it is none.
fn tensors_of(
    job: &Job<'_>,
    entry: &mut Entry,
    size: &mut u64,
    buffers: &mut Buffers,
    input: &Input,
    name: &Name,
) -> Result<Extraction> {
    read(input, &job.limits, &mut buffers.bytes)?;
    let bytes = &buffers.bytes[..];
    *size = bytes.len() as u64;
    entry.source.bytes = Some(*size);
    let result = job.extractor.extract(bytes, &name.key, &mut buffers.scratch);
    let Err(Error::NotJpeg(format)) = result else {
        entry.source.format = Some("jpeg".into());
        let is_cmyk = matches!(result, Err(Error::Mismatch(Mismatch::ColorModel(ColorModel::Cmyk | ColorModel::Ycck))));
        return match job.convert {
            Some(convert) if is_cmyk && job.extractor.recipe().cmyk == Cmyk::Reencode => {
                let jpeg = from_cmyk(convert, bytes, job.extractor.options(), entry)?;
                job.extractor.extract(&jpeg, &name.key, &mut buffers.scratch)
            }
            _ => result,
        };
    };
    entry.source.format = format_name(format);
    match job.convert {
        Some(convert) if convert.takes(format) => {
            let jpeg = convert.to_jpeg(bytes, format)?;
            entry.reencoded = Some(convert.describe());
            job.extractor.extract(&jpeg, &name.key, &mut buffers.scratch)
        }
        _ => result,
    }
}

/// A JPEG in YCbCr of one in CMYK. Its coefficients are decoded first: a pixel decoder paints over damage.
fn from_cmyk(convert: &dyn Convert, bytes: &[u8], options: &DecodeOptions, entry: &mut Entry) -> Result<Vec<u8>> {
    let read = Coefficients::decode_with(bytes, options, &mut Scratch::default())?;
    entry.warn(&read.warnings);
    let jpeg = convert.cmyk_to_jpeg(bytes, read.info.orientation)?;
    entry.reencoded = Some(format!("{} to RGB, {}", read.info.color, convert.describe()));
    Ok(jpeg)
}

fn write_report(error: &io::Error) -> ErrorReport {
    ErrorReport { kind: "write".into(), message: format!("the output cannot be written: {error}"), offset: None }
}

/// Entries between the threads and the manifest: each waits for its turn and for the sink.
struct Ledger<'a> {
    manifest: Manifest,
    job: &'a Job<'a>,
    /// Ticket of the first waiting entry.
    first: usize,
    /// An entry, and whether nothing is awaited for it any more.
    waiting: VecDeque<(Entry, bool)>,
    counts: Counts,
    stopped: bool,
    broken: Option<io::Error>,
}

impl<'a> Ledger<'a> {
    fn new(manifest: Manifest, job: &'a Job<'a>) -> Self {
        let (waiting, counts) = (VecDeque::new(), Counts::default());
        Ledger { manifest, job, first: 0, waiting, counts, stopped: false, broken: None }
    }

    /// The next entry in input order; gives back what the sink is to write for it.
    fn expect(&mut self, entry: Entry, staged: Option<Staged>) -> Option<Staged> {
        self.stopped |= self.job.on_error == OnError::Stop && entry.is_failure();
        self.waiting.push_back((entry, staged.is_none()));
        staged
    }

    /// The sink is done with an image.
    fn settle(&mut self, ticket: usize, result: Result<Vec<Output>, &io::Error>) {
        let Some((entry, settled)) = ticket.checked_sub(self.first).and_then(|n| self.waiting.get_mut(n)) else {
            return;
        };
        match result {
            Ok(outputs) => entry.outputs = outputs,
            Err(error) => {
                entry.fail(Status::Failed, write_report(error));
                self.stopped |= self.job.on_error == OnError::Stop;
            }
        }
        *settled = true;
    }

    /// Writes the entries whose turn it is. Breaks if the run must stop.
    fn advance(&mut self) -> ControlFlow<()> {
        while self.waiting.front().is_some_and(|(_, settled)| *settled) {
            let Some((entry, _)) = self.waiting.pop_front() else { break };
            self.first += 1;
            self.counts.add(&entry);
            self.job.observer.entry(&entry);
            if let Err(error) = self.manifest.write(&entry) {
                // Without a manifest nothing can be vouched for.
                self.broken.get_or_insert(error);
                return ControlFlow::Break(());
            }
        }
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn finish(self, inputs: usize, format: &str) -> io::Result<Report> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let complete = self.counts.inputs == inputs as u64;
        let recipe = self.job.extractor.recipe();
        self.manifest.finish(&Dataset {
            jpegdct_version: env!("CARGO_PKG_VERSION").into(),
            format: format.into(),
            recipe: recipe.clone(),
            recipe_hash: recipe.hash(),
            complete,
            counts: self.counts,
        })?;
        Ok(Report { counts: self.counts, complete })
    }
}
