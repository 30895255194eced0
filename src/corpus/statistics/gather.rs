//! Statistics of a list of inputs, on many threads.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Definition, ImageMoments, Statistics};
use crate::corpus::inputs::{Listing, part_of};
use crate::corpus::make::{Buffers, Maker};
use crate::corpus::manifest::{Entry, ErrorReport, Part, Status};
use crate::corpus::ordered::{Panicked, Window, run_ordered, threads_for_one};
use crate::corpus::run::Observer;
use crate::corpus::source::{Fed, feed_until};
use crate::error::Error;
use crate::objects::is_disconnected;

/// What became of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// The statistics of those that are images.
    pub statistics: Statistics,
    /// Inputs attempted.
    pub inputs: u64,
}

/// One input on its way back.
struct Done {
    entry: Entry,
    moments: Option<ImageMoments>,
    bytes: u64,
    took: Duration,
    /// A store that is gone: so would all others fail.
    broken: Option<io::Error>,
}

/// Gathers the statistics of `part` of the inputs, or of all, or of those before the observer stopped it. The extractor's
/// recipe is of kind `channels`, without normalisation, in f32 and (C, H, W); inputs of which it makes anything else count
/// as failed.
///
/// # Errors
/// Threads that cannot be started, a store that cannot be reached. Failures of single inputs are told to the observer and counted.
pub fn gather(
    listing: &Listing,
    maker: &Maker<'_>,
    definition: Definition,
    part: Option<Part>,
    threads: usize,
    observer: &dyn Observer,
) -> io::Result<Gathered> {
    if let Some(reason) = &listing.incomplete {
        return Err(reason.into());
    }
    let all = listing.inputs.len();
    let range = part.map_or(0..all, |part| part_of(all, part.index, part.of));
    let recipe = maker.extractor.recipe();
    let mut statistics = Statistics::new(recipe, definition, all as u64, listing.hash());
    statistics.parts.extend(part);
    let hash = statistics.recipe_hash.clone();
    observer.begin(range.len(), 0);
    let mut gone = None;
    let mut arrivals = listing.inputs.range(range.clone());
    run_ordered(
        threads,
        Window::for_threads(threads),
        feed_until(listing.inputs.range(range.clone()), &maker.limits, Some(Arc::new(maker.extractor.prefix_looker())))
            .enumerate(),
        Buffers::default,
        |buffers, (number, mut fed)| {
            let several = threads_for_one(threads, range.len() - number);
            let begun = Instant::now();
            let key = fed.input.place();
            let mut entry = Entry::new(fed.input.display(), key.clone(), hash.clone());
            let (mut bytes, mut broken) = (0, None);
            let made = maker.make(&mut fed, &key, several, buffers, &mut entry, &mut bytes);
            let moments = match made {
                Ok(extraction) => {
                    let moments = extraction.tensors.first().and_then(ImageMoments::of);
                    if moments.is_none() {
                        let message = "the recipe makes no (channels, rows, columns) in f32 of it".to_string();
                        entry.fail(Status::Failed, ErrorReport { kind: "mismatch".into(), message, offset: None });
                    }
                    moments
                }
                Err(Error::Io(error)) if is_disconnected(&error) => {
                    broken = Some(io::Error::new(error.kind(), format!("{}: {error}", entry.path)));
                    None
                }
                Err(error) => {
                    entry.fail(Status::of(&error), (&error).into());
                    None
                }
            };
            Done { entry, moments, bytes, took: begun.elapsed(), broken }
        },
        (|(_, fed): &(usize, Fed)| fed.held(), |_| 0),
        |result| {
            let path = arrivals.next().map(|input| input.display()).unwrap_or_default();
            let done = result.unwrap_or_else(|Panicked(message)| {
                let mut entry = Entry::new(path.clone(), path, hash.clone());
                entry.fail(Status::Failed, ErrorReport { kind: "panic".into(), message, offset: None });
                Done { entry, moments: None, bytes: 0, took: Duration::ZERO, broken: None }
            });
            if let Some(error) = done.broken {
                gone = Some(error);
                return ControlFlow::Break(());
            }
            observer.arrived(&done.entry.path, done.bytes, done.took);
            observer.entry(&done.entry);
            match &done.moments {
                Some(moments) => statistics.add(moments),
                None => statistics.failed += 1,
            }
            if observer.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?;
    if let Some(error) = gone {
        return Err(error);
    }
    statistics.finish();
    Ok(Gathered { statistics, inputs: range.len() as u64 })
}
