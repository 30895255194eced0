//! Pieces put one behind the other.
//!
//! What enters: pieces, in order. What leaves: tiles, and how far the scan is certain. What lies between two pieces is decoded
//! here, and all that a piece is of no use for.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::cut::{Cut, Mark, Piece, decode_sound};
use crate::entropy::{BitReader, Window};
use crate::error::{Error, Result};
use crate::markers::Marker;
use crate::scans::coders::{Coder, Sequential};
use crate::scans::restart::Segments;
use crate::scans::stream::Tiles;
use crate::scans::tile::{Block, TileConsumer};

/// MCUs decoded at a time by who comes from the piece before.
const STEP: usize = 64;

/// How far the scan is certain.
pub(super) struct Front<'r, 'a, 'f, C> {
    pub cut: &'r Cut<'a>,
    pub tiles: &'r mut Tiles<'f>,
    /// Begins with the MCUs of the current tile that are decoded.
    pub blocks: &'r mut [Block],
    pub consumer: &'r mut C,
    /// MCUs decoded.
    pub done: usize,
    /// MCUs up to which it may go.
    pub end: usize,
    /// Behind the last MCU.
    pub at: Mark,
    pub outcome: Result<()>,
}

/// Why decoding here does not go on.
pub(super) enum Halt {
    /// What comes next is not sound, or all was reached.
    Here,
    /// The consumer wants no more.
    Refused(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Refused(error)
    }
}

/// Decodes on from where the scan is certain.
struct Exact<'a> {
    segments: Segments<'a, BitReader<'a>>,
    coder: Sequential,
}

impl Exact<'_> {
    fn mark(&self) -> Mark {
        Mark { mcu: 0, place: self.segments.standing(), predictions: self.coder.predictions }
    }

    fn position(&self) -> u64 {
        self.segments.standing().position
    }

    fn pass_marker(&mut self, marker: Marker) -> Result<(), Halt> {
        if !self.segments.pass_marker(marker) {
            return Err(Halt::Here);
        }
        self.coder.restart();
        Ok(())
    }
}

impl<'a, C: TileConsumer> Front<'_, 'a, '_, C> {
    fn exact<'w>(&self, data: &'w [u8], window: &'w mut Window) -> Exact<'w> {
        let Mark { place, predictions, .. } = self.at;
        let mut coder = self.cut.coder.clone();
        coder.predictions = predictions;
        let bits = BitReader::new(data, (place.position / 8) as usize, window);
        let mut segments = Segments::new(data, bits, self.cut.interval);
        segments.go_to(place);
        Exact { segments, coder }
    }

    /// Decodes up to the end of a piece.
    pub fn go_on(&mut self, stop: usize, window: &mut Window) -> Result<(), Halt> {
        let exact = &mut self.exact(self.cut.data, window);
        self.decode_to(stop, exact)
    }

    /// Decodes this piece, and those after it while nobody else has begun them. Returns the number of the one behind.
    pub fn go_on_while_next(
        &mut self,
        mut number: usize,
        begun: &AtomicUsize,
        window: &mut Window,
    ) -> (usize, Result<(), Halt>) {
        let exact = &mut self.exact(self.cut.data, window);
        loop {
            let result = self.decode_to(self.cut.start_of(number + 1), exact);
            number += 1;
            let is_next = result.is_ok()
                && number < self.cut.count
                && begun.compare_exchange(number, number + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            if !is_next {
                return (number, result);
            }
        }
    }

    /// Decodes up to an offset in the data: the first MCU behind it, or the first restart marker.
    fn decode_to(&mut self, stop: usize, exact: &mut Exact<'_>) -> Result<(), Halt> {
        let result = loop {
            if self.done == self.end {
                break Err(Halt::Here);
            }
            let marker = exact.segments.marker_ahead();
            if let Some(marker) = marker {
                if marker.offset >= stop {
                    break Ok(());
                }
                if let Err(halt) = exact.pass_marker(marker) {
                    break Err(halt);
                }
            }
            // Not far beyond the stop.
            let near = if self.cut.interval == 0 {
                let bytes = stop as u64 - exact.position().div_ceil(8).min(stop as u64);
                if bytes == 0 {
                    break Ok(());
                }
                bytes as usize * self.cut.average / (2 * self.cut.bytes)
            } else {
                STEP
            };
            if let Err(halt) = self.step(near.clamp(1, STEP), exact) {
                break Err(halt);
            }
        };
        self.at = exact.mark();
        result
    }

    /// Decodes at least one and at most `most` MCUs.
    fn step(&mut self, most: usize, exact: &mut Exact<'_>) -> Result<(), Halt> {
        let size = self.cut.order.len();
        let held = self.done % self.tiles.mcus();
        let most = most.min(self.tiles.mcus() - held).min(self.end - self.done);
        let blocks = &mut self.blocks[held * size..];
        let done = decode_sound(&mut exact.segments, &mut exact.coder, &self.cut.order, blocks, most);
        if done == 0 {
            return Err(Halt::Here);
        }
        let first = self.done - held;
        self.done += done;
        if self.done - first == self.tiles.mcus().min(self.tiles.total() - first) {
            self.tiles.hand_on(first, &self.blocks[..(self.done - first) * size], self.consumer)?;
        }
        Ok(())
    }

    /// Goes on to where an MCU begins that a piece has too, and takes what the piece has from there. False if there is none.
    pub fn take_over(&mut self, piece: &mut Piece) -> Result<bool, Halt> {
        let (Some(first), Some(last)) = (piece.marks.first(), piece.marks.last()) else { return Ok(false) };
        let (first, last) = (first.place.position, last.place.position);
        if self.at.place.position > last {
            return Ok(false);
        }
        // Behind the last place there is none. With restart markers, the piece begins behind one.
        let (data, begin) = match self.cut.interval {
            0 => (&self.cut.data[..self.cut.data.len().min((last / 8) as usize + 1)], (first / 8) as usize),
            _ => (self.cut.data, (first / 8) as usize - 2),
        };
        let exact = &mut self.exact(data, &mut piece.window);
        let met = self.meet(exact, &piece.marks, begin);
        self.at = exact.mark();
        match met? {
            Some(mark) if piece.mcus > mark.mcu => {
                if self.done + piece.mcus - mark.mcu > self.end {
                    // It goes too far.
                    return Err(Halt::Here);
                }
                self.place(piece, mark)
            }
            _ => Ok(false),
        }
    }

    /// Goes on to a mark, if there is one to go to.
    fn meet(&mut self, exact: &mut Exact<'_>, marks: &[Mark], begin: usize) -> Result<Option<Mark>, Halt> {
        let has_markers = self.cut.interval > 0;
        if exact.position() < 8 * begin as u64 {
            match self.decode_to(begin, exact) {
                // With the data cut off, this may be its end.
                Err(Halt::Here) if !has_markers => return Ok(None),
                other => other?,
            }
        }
        loop {
            if self.done == self.end {
                return Err(Halt::Here);
            }
            if let Some(marker) = exact.segments.marker_ahead() {
                exact.pass_marker(marker)?;
            }
            let here = exact.segments.standing();
            let is_here = |mark: &Mark| mark.place.position == here.position && (!has_markers || mark.place == here);
            if let Some(&mark) = marks.iter().find(|&mark| is_here(mark)) {
                return Ok(Some(mark));
            }
            if has_markers {
                return Ok(None);
            }
            match self.step(1, exact) {
                Err(Halt::Here) => return Ok(None),
                other => other?,
            }
        }
    }

    /// Hands on the MCUs of a piece from a mark on, which is where decoding stands. False if they turn out not to be sound.
    fn place(&mut self, piece: &mut Piece, mark: Mark) -> Result<bool, Halt> {
        let size = self.cut.order.len();
        let mcus = piece.mcus - mark.mcu;
        let offsets: [i32; 4] = std::array::from_fn(|i| self.at.predictions[i].wrapping_sub(mark.predictions[i]));
        let start = self.cut.front + mark.mcu * size;
        if offsets != [0; 4] && !add(&mut piece.blocks[start..start + mcus * size], &self.cut.order, offsets) {
            return Ok(false);
        }
        // The MCUs that wait for a whole tile go before them.
        let held = self.done % self.tiles.mcus();
        let mut number = self.done - held;
        piece.blocks[start - held * size..start].copy_from_slice(&self.blocks[..held * size]);
        let blocks = &piece.blocks[start - held * size..start + mcus * size];
        for tile in blocks.chunks(self.tiles.mcus() * size) {
            let count = tile.len() / size;
            if count == self.tiles.mcus().min(self.tiles.total() - number) {
                self.tiles.hand_on(number, tile, self.consumer)?;
            } else {
                self.blocks[..tile.len()].copy_from_slice(tile);
            }
            number += count;
        }
        self.done += mcus;
        let predictions = std::array::from_fn(|i| piece.end.predictions[i].wrapping_add(offsets[i]));
        self.at = Mark { mcu: 0, place: piece.end.place, predictions };
        Ok(true)
    }
}

/// Adds to the DC coefficients of MCUs, by place of their components in the scan. False if one does not fit.
fn add(blocks: &mut [Block], order: &[u8], offsets: [i32; 4]) -> bool {
    let mut all_fit = true;
    for mcu in blocks.chunks_exact_mut(order.len()) {
        for (block, &in_scan) in mcu.iter_mut().zip(order) {
            let dc = i32::from(block[0]) + offsets[usize::from(in_scan & 3)];
            block[0] = dc as i16;
            all_fit &= i32::from(block[0]) == dc;
        }
    }
    all_fit
}
