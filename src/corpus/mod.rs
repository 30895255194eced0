//! Many files: list them, run them on all processors, report on each.
//!
//! What enters: the INPUT arguments of a command. What leaves: one result a file, in input order, whatever the number
//! of threads; for extraction, what a [`Sink`](crate::sinks::Sink) writes and a manifest with one line an input. This
//! is the only room with threads. Nothing is decoded here, nothing is printed, and no failure is dropped.

mod manifest;
mod ordered;
mod run;
mod source;
mod walk;

pub use manifest::{ComponentReport, Counts, Dataset, Entry, ErrorReport, Manifest, SourceReport, Status};
#[cfg(feature = "bench")]
pub(crate) use ordered::text_of;
pub use ordered::{Panicked, Window, run_ordered, threads_or_all};
pub use run::{Convert, Job, NoObserver, Observer, OnError, Report, extract};
pub use source::read;
pub use walk::{Input, Kind, list};
