//! Bytes of objects, asked for before they are wanted.
//!
//! What enters: inputs in order. What leaves: the same, those that are objects in a store, or lie in one, with their bytes
//! on the way. A store answers after tens of milliseconds: enough requests are under way at once to keep the threads busy,
//! and no more than a bound of bytes.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::inputs::{Input, Kind};
use crate::objects::{Pending, is_url};
use crate::scans::Prefix;

/// Tells of the first bytes of a file whether they are enough.
pub(super) type Look = Arc<dyn Fn(&[u8]) -> Prefix + Send + Sync>;

/// The first bytes of a file that are looked at.
const FIRST_BYTES: usize = 64 << 10;

/// Looks at the first bytes of a file on their way, each time that there are twice as many.
pub(super) struct Looks<L> {
    look: L,
    /// From so many bytes on they are looked at again.
    pub next: usize,
}

impl<L: Fn(&[u8]) -> Prefix> Looks<L> {
    pub(super) fn new(look: L) -> Looks<L> {
        Looks { look, next: FIRST_BYTES }
    }

    /// Whether these are enough.
    pub(super) fn are_enough(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() < self.next {
            return false;
        }
        let prefix = (self.look)(bytes);
        self.next = if prefix == Prefix::Whole { usize::MAX } else { bytes.len().saturating_mul(2) };
        prefix == Prefix::Enough
    }
}

/// Inputs looked at ahead, and the bytes asked for together.
const INPUTS: usize = 64;
const BYTES: u64 = 128 << 20;

/// Inputs whose bytes are asked for ahead.
pub(super) struct Fetch<I> {
    inputs: I,
    queue: VecDeque<(Input, Option<io::Result<Pending>>, u64)>,
    bytes: u64,
    /// Larger objects are not asked for: they will be refused.
    largest: u64,
    look: Option<Look>,
}

impl<I: Iterator<Item = Input>> Fetch<I> {
    pub(super) fn new(inputs: I, largest: u64, look: Option<Look>) -> Fetch<I> {
        Fetch { inputs, queue: VecDeque::new(), bytes: 0, largest, look }
    }
}

impl<I: Iterator<Item = Input>> Iterator for Fetch<I> {
    type Item = (Input, Option<io::Result<Pending>>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.queue.len() < INPUTS && (self.queue.is_empty() || self.bytes < BYTES) {
            let Some(input) = self.inputs.next() else { break };
            let size = size(&input).filter(|size| *size <= self.largest);
            let pending = size.map(|_| start(&input, self.look.clone()));
            self.bytes += size.unwrap_or(0);
            self.queue.push_back((input, pending, size.unwrap_or(0)));
        }
        let (input, pending, size) = self.queue.pop_front()?;
        self.bytes -= size;
        Some((input, pending))
    }
}

/// How many bytes there are to ask a store for.
fn size(input: &Input) -> Option<u64> {
    match &input.kind {
        Kind::Object(meta) => Some(meta.size),
        Kind::Member(member) if !member.archive.gzip && is_url(&member.archive.path) => Some(member.span.len),
        _ => None,
    }
}

/// Asks for an object's bytes. With `look`, no more of them than are enough.
#[cfg(feature = "cloud")]
pub(super) fn start(input: &Input, look: Option<Look>) -> io::Result<Pending> {
    use crate::objects::{Client, Enough};
    let enough = look.map(|look| -> Enough {
        let mut looks = Looks::new(move |bytes: &[u8]| look(bytes));
        Box::new(move |bytes| looks.are_enough(bytes))
    });
    match &input.kind {
        Kind::Member(member) => {
            let range = member.span.offset..member.span.offset + member.span.len;
            Client::of(&member.archive.path)?.start_until(Some(range), enough)
        }
        _ => Client::of(&input.path)?.start_until(None, enough),
    }
}

#[cfg(not(feature = "cloud"))]
pub(super) fn start(_input: &Input, _look: Option<Look>) -> io::Result<Pending> {
    Err(crate::objects::not_built())
}
