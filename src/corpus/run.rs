//! The main job: inputs through an [`Extractor`] into a [`Sink`], with a manifest.
//!
//! What enters: a list of inputs and a [`Job`]. What leaves: what the sink writes, the manifest, and a [`Report`].
//! The manifest tells of an image as written only when its file has its final name.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::inputs::{Listing, part_of};
use super::journal::{Journal, Mirror, Opened};
use super::make::{Buffers, Convert, Maker};
use super::manifest::{Counts, Dataset, Entry, ErrorReport, Part, Settings, Status};
use super::ordered::{Panicked, Window, run_ordered, threads_for_one};
use super::source::{Fed, feed_until, is_unchanged, read_json};
use crate::error::{Error, Result};
use crate::extractor::Extractor;
use crate::limits::Limits;
use crate::objects::is_disconnected;
use crate::scans::Damage;
use crate::sinks::{About, Item, Name, Names, Output, ShardSize, Sink, Stage, Staged, is_exhausted};

/// What happens to the rest when an input fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It goes on.
    #[default]
    Skip,
    /// It is left undone.
    Stop,
}

/// Is told how a run goes, on the thread that called it.
pub trait Observer: Sync {
    /// The run begins, with so many inputs, of which `done` were done with by an earlier one.
    fn begin(&self, inputs: usize, done: usize);
    /// A run is taken up, and this input has changed since: what was made of it and of those after it is made again.
    fn changed(&self, _path: &str) {}
    /// One more input is done with: its path, its size in bytes, and how long that took.
    fn arrived(&self, path: &str, bytes: u64, took: Duration);
    /// An entry goes into the manifest. A sink that fills shards lets entries wait for their shard.
    fn entry(&self, entry: &Entry);
    /// Asked after each input when statistics are gathered: whether the rest is to be left undone.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn begin(&self, _inputs: usize, _done: usize) {}
    fn arrived(&self, _path: &str, _bytes: u64, _took: Duration) {}
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
    /// Threads that decode, 1 or more: each an input of its own, and, when fewer inputs than threads are left, large ones
    /// together.
    pub threads: usize,
    /// What a failure does.
    pub on_error: OnError,
    /// Whether an interrupted run is taken up.
    pub resume: bool,
    /// Which part of the inputs, if not all.
    pub part: Option<Part>,
    /// The sink's size of shards, if it has any.
    pub shard: Option<ShardSize>,
    /// The sink's level of compression, if it compresses.
    pub zstd: Option<i32>,
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
struct Numbered {
    ticket: usize,
    fed: Fed,
    name: Name,
    /// How many threads may work on it.
    threads: usize,
}

/// One input on its way back.
struct Done {
    entry: Entry,
    staged: Option<Staged>,
    bytes: u64,
    took: Duration,
    /// Nothing more can be written, or read.
    broken: Option<io::Error>,
}

impl<'a> Job<'a> {
    fn maker(&self) -> Maker<'a> {
        Maker { extractor: self.extractor, convert: self.convert, limits: self.limits }
    }

    /// All that decides what is written.
    fn settings(&self, listing: &Listing, format: &str) -> Settings {
        let recipe = self.extractor.recipe();
        Settings {
            jpegdct_version: env!("CARGO_PKG_VERSION").into(),
            format: format.into(),
            shard: self.shard,
            zstd: self.zstd,
            recipe_hash: recipe.hash(),
            recipe: recipe.clone(),
            damaged: match self.extractor.options().damage {
                Damage::Refuse => "refuse".into(),
                Damage::Keep => "keep".into(),
            },
            reencode: self.convert.map(Convert::describe),
            inputs: listing.inputs.len() as u64,
            inputs_hash: listing.hash(),
            part: self.part,
            classes: listing.classes.clone(),
        }
    }
}

/// Extracts every input, writes the manifest; to `mirror` too, if there is one.
///
/// # Errors
/// A folder or a manifest that cannot be written, a disk that is full, threads that cannot be started, a run that
/// cannot be taken up. What the manifest has until then stands, and [`Job::resume`] goes on from there. Failures of
/// single inputs are no error here: they are in the manifest and counted in the report.
pub fn extract(
    listing: &Listing,
    job: &Job<'_>,
    sink: &mut dyn Sink,
    mirror: Option<Box<dyn Mirror>>,
) -> io::Result<Report> {
    // Inputs that are not all would be another run.
    if let Some(reason) = &listing.incomplete {
        return Err(reason.into());
    }
    let mut dataset =
        Dataset { settings: job.settings(listing, sink.format()), complete: false, counts: Counts::default() };
    let range = match job.part {
        Some(Part { index, of }) => part_of(listing.inputs.len(), index, of),
        None => 0..listing.inputs.len(),
    };
    let inputs = range.len();
    let opened = match job.resume {
        true => {
            let mut before = listing.inputs.range(range.clone());
            Journal::resume(job.folder, &dataset, sink, &mut |entry| {
                let same = before.next().is_some_and(|input| is_unchanged(&input, entry));
                if !same {
                    job.observer.changed(&entry.path);
                }
                same
            })?
        }
        false => Opened::Going(Journal::create(job.folder, &dataset)?, Counts::default()),
    };
    let (mut journal, counts) = match opened {
        Opened::Going(journal, counts) => (journal, counts),
        Opened::Finished(counts) => return Ok(Report { counts, complete: true }),
    };
    if let Some(mirror) = mirror {
        journal.mirror(mirror)?;
    }
    let done = usize::try_from(counts.inputs).unwrap_or(usize::MAX).min(inputs);
    job.observer.begin(inputs, done);

    let recipe_hash = dataset.settings.recipe_hash.clone();
    let stage = sink.stage();
    let mut ledger = Ledger::new(journal, counts, job);
    // What is under way, in order: a job that panics takes its input along, the manifest needs it all the same.
    let under_way = RefCell::new(VecDeque::new());
    let mut names = Names::of(range.end, || listing.inputs.range(0..range.end).map(|input| input.place()));
    // Names depend on all inputs before, in other parts too.
    listing.inputs.range(0..range.start + done).for_each(|input| drop(names.next(&input.place())));
    let rest = listing.inputs.range(range.start + done..range.end);
    let numbered = feed_until(rest, &job.limits, Some(Arc::new(job.extractor.prefix_looker()))).enumerate().map(
        |(ticket, fed)| {
            let name = names.next(&fed.input.place());
            under_way.borrow_mut().push_back((fed.input.display(), name.key.clone()));
            Numbered { ticket, fed, name, threads: threads_for_one(job.threads, inputs - done - ticket) }
        },
    );

    run_ordered(
        job.threads,
        Window::for_threads(job.threads),
        numbered,
        Buffers::default,
        |buffers, numbered| one(job, listing, &*stage, &recipe_hash, buffers, numbered),
        (|numbered: &Numbered| numbered.fed.held(), |done: &Done| done.staged.as_ref().map_or(0, Staged::memory)),
        |result| {
            let Some((path, key)) = under_way.borrow_mut().pop_front() else { return ControlFlow::Break(()) };
            let done = result.unwrap_or_else(|Panicked(message)| {
                let mut entry = Entry::new(path, key, recipe_hash.clone());
                entry.fail(Status::Failed, ErrorReport { kind: "panic".into(), message, offset: None });
                Done { entry, staged: None, bytes: 0, took: Duration::ZERO, broken: None }
            });
            if let Some(error) = done.broken {
                return ledger.broken(error);
            }
            job.observer.arrived(&done.entry.path, done.bytes, done.took);
            if let Some(staged) = ledger.expect(done.entry, done.staged)
                && let Err(error) = sink.write(staged, &mut |ticket, result| ledger.settle(ticket, result))
            {
                return ledger.broken(error);
            }
            ledger.advance(sink)
        },
    )?;
    ledger.finish(sink)?;
    dataset.counts = ledger.counts;
    dataset.complete = ledger.counts.inputs == inputs as u64;
    ledger.journal.finish(&dataset)?;
    Ok(Report { counts: dataset.counts, complete: dataset.complete })
}

/// Everything that is done for one input on a thread of the pool.
fn one(
    job: &Job<'_>,
    listing: &Listing,
    stage: &dyn Stage,
    recipe_hash: &str,
    buffers: &mut Buffers,
    numbered: Numbered,
) -> Done {
    let begun = Instant::now();
    let Numbered { ticket, mut fed, name, threads } = numbered;
    let input = &fed.input;
    let mut entry = Entry::new(input.display(), name.key.clone(), recipe_hash.into());
    entry.label = input.label.number();
    entry.class = input.label.class(&listing.classes).map(str::to_string);
    match read_json(&fed, &job.limits) {
        Ok(json) => entry.json = json,
        Err(reason) => entry.warnings.push(format!("the JSON that goes with it is not carried over: {reason}")),
    }
    let (mut bytes, mut broken) = (0, None);
    let staged = match job.maker().make(&mut fed, &name.key, threads, buffers, &mut entry, &mut bytes) {
        Ok(extraction) => {
            entry.source.describe(&extraction.summary);
            entry.warn(&extraction.summary.warnings);
            entry.saturated = extraction.saturated;
            let frame = &extraction.summary.info.frame;
            let about = About {
                path: entry.path.clone(),
                label: entry.label,
                class: entry.class.clone(),
                json: entry.json.clone(),
                size: (frame.width, frame.height),
            };
            match stage.stage(Item { ticket, name, tensors: extraction.tensors, about }) {
                Ok(staged) => Some(staged),
                Err(error) => {
                    entry.fail(Status::Failed, write_report(&error));
                    broken = is_exhausted(&error).then_some(error);
                    None
                }
            }
        }
        Err(Error::Io(error)) if is_disconnected(&error) => {
            // So would all others fail. None of them is to blame: the run can be taken up.
            broken = Some(io::Error::new(error.kind(), format!("{}: {error}", entry.path)));
            None
        }
        Err(error) => {
            if let Error::Damaged(warning) = &error {
                entry.warn(&[*warning]);
            }
            entry.fail(Status::of(&error), (&error).into());
            None
        }
    };
    Done { entry, staged, bytes, took: begun.elapsed(), broken }
}

fn write_report(error: &io::Error) -> ErrorReport {
    ErrorReport { kind: "write".into(), message: format!("the output cannot be written: {error}"), offset: None }
}

/// Entries between the threads and the manifest: each waits for its turn and for the sink.
struct Ledger<'a> {
    journal: Journal,
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
    fn new(journal: Journal, counts: Counts, job: &'a Job<'a>) -> Self {
        Ledger { journal, job, first: 0, waiting: VecDeque::new(), counts, stopped: false, broken: None }
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

    /// The run cannot go on.
    fn broken(&mut self, error: io::Error) -> ControlFlow<()> {
        self.broken.get_or_insert(error);
        ControlFlow::Break(())
    }

    /// Records the entries whose turn it is. Breaks if the run must stop.
    fn advance(&mut self, sink: &mut dyn Sink) -> ControlFlow<()> {
        while self.waiting.front().is_some_and(|(_, settled)| *settled) {
            let Some((entry, _)) = self.waiting.pop_front() else { break };
            self.first += 1;
            self.counts.add(&entry);
            self.job.observer.entry(&entry);
            if let Err(error) = self.journal.push(&entry) {
                return self.broken(error);
            }
        }
        // Without a manifest nothing can be vouched for.
        if self.journal.is_due()
            && let Err(error) = self.journal.commit(sink)
        {
            return self.broken(error);
        }
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Writes and records what is left.
    fn finish(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        if self.broken.is_none()
            && let Err(error) = sink.finish(&mut |ticket, result| self.settle(ticket, result))
        {
            self.broken = Some(error);
        }
        if self.broken.is_none() {
            let _ = self.advance(sink);
        }
        match self.broken.take() {
            Some(error) => Err(error),
            None => self.journal.commit(sink),
        }
    }
}
