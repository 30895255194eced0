//! Many files: list them, run them on all processors, report on each.
//!
//! What enters: the INPUT arguments of a command. What leaves: one result a file, in input order, whatever the number
//! of threads; for extraction, what a [`Sink`](crate::sinks::Sink) writes and a manifest with one line an input. This
//! is the only room with threads. Nothing is decoded here, nothing is printed, and no failure is dropped.

mod fetch;
mod inputs;
mod inspection;
mod journal;
mod make;
mod manifest;
mod merge;
mod ordered;
#[cfg(feature = "cloud")]
mod remote;
mod run;
mod source;
mod statistics;

#[cfg(all(feature = "reencode", feature = "verify"))]
pub(crate) use inputs::read_lines;
pub use inputs::{Archive, Input, Inputs, Kind, Label, Listing, Member, Reason, Span, list, part_of};
pub use inspection::{ComponentInspection, Inspection};
pub use journal::{Journal, Mirror, Opened, UNFINISHED};
pub use make::{Buffers, Convert, Maker, Passage};
pub use manifest::{ComponentReport, Counts, Dataset, Entry, ErrorReport, Part, Settings, SourceReport, Status};
pub use merge::{MergeError, merge};
#[cfg(feature = "bench")]
pub(crate) use ordered::text_of;
pub use ordered::{Panicked, Window, run_ordered, threads_or_all};
#[cfg(feature = "cloud")]
pub use remote::RemoteRecord;
pub use run::{Job, NoObserver, Observer, OnError, Report, extract};
pub use source::{Fed, feed, read};
pub use statistics::{
    Channel, Definition, Gathered, HISTOGRAM_EDGES, ImageMoments, Proposal, Ranked, Statistics, gather, rank,
    recipe_for,
};
