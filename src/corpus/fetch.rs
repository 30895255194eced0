//! Bytes of objects, asked for before they are wanted.
//!
//! What enters: inputs in order. What leaves: the same, those that are objects in a store, or lie in one, with their bytes
//! on the way. A store answers after tens of milliseconds: enough requests are under way at once to keep the threads busy,
//! and no more than a bound of bytes.

use std::collections::VecDeque;
use std::io;

use super::inputs::{Input, Kind};
use crate::objects::{Pending, is_url};

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
}

impl<I: Iterator<Item = Input>> Fetch<I> {
    pub(super) fn new(inputs: I, largest: u64) -> Fetch<I> {
        Fetch { inputs, queue: VecDeque::new(), bytes: 0, largest }
    }
}

impl<I: Iterator<Item = Input>> Iterator for Fetch<I> {
    type Item = (Input, Option<io::Result<Pending>>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.queue.len() < INPUTS && (self.queue.is_empty() || self.bytes < BYTES) {
            let Some(input) = self.inputs.next() else { break };
            let size = size(&input).filter(|size| *size <= self.largest);
            let pending = size.map(|_| start(&input));
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

#[cfg(feature = "cloud")]
fn start(input: &Input) -> io::Result<Pending> {
    use crate::objects::Client;
    match &input.kind {
        Kind::Member(member) => {
            let range = member.span.offset..member.span.offset + member.span.len;
            Client::of(&member.archive.path)?.start(Some(range))
        }
        _ => Client::of(&input.path)?.start(None),
    }
}

#[cfg(not(feature = "cloud"))]
fn start(_input: &Input) -> io::Result<Pending> {
    Err(crate::objects::not_built())
}
