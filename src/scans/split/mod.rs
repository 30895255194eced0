//! One sequential Huffman scan on several threads.
//!
//! What enters: a scan that has just begun. What leaves: its first tiles, and the place in the scan up to which they go: all of
//! a sound scan but a rest, which, like everything that is not sound, is left to [`super::stream`]. What leaves here is what
//! it would have decoded, bit for bit.
//!
//! The bytes are cut into pieces. Where there are restart markers, a piece begins at the first one in it. Elsewhere it begins
//! anywhere, as if an MCU did: Huffman codes fall into step by themselves, mostly within a few MCUs, and the piece remembers
//! where its first MCUs began and what was predicted there. Whoever comes from the piece before goes on until an MCU begins
//! at one of these places. From there on the piece is what it would decode, but for the DC coefficients, which are off by
//! the difference of the predictions. If there is no such place it goes on by itself: a piece is then of no use, and
//! one thread does what it would have done alone.

mod cut;
mod front;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::coders::Sequential;
use super::crew::{Crew, lock};
use super::restart::Segments;
use super::stream::Tiles;
use super::tile::{Block, TileConsumer};
use crate::entropy::{BitReader, SLACK};
use crate::error::Result;
use crate::limits::Limits;
use cut::{Cut, Mark, Piece};
use front::{Front, Halt};

/// Pieces of one image after another, one a thread.
#[derive(Debug, Default)]
pub(super) struct SplitMemory {
    pieces: Vec<Piece>,
}

/// Decodes MCUs from the start of a scan on with `threads` threads, and hands on tiles. Returns how many MCUs it were; those
/// that no tile had yet stand at the front of `blocks`, and `segments` and `coder` are behind the last one. As far as this
/// goes there was nothing wrong.
#[allow(clippy::too_many_arguments)] // one call
pub(super) fn stream_split<'a>(
    data: &'a [u8],
    tiles: &mut Tiles<'_>,
    segments: &mut Segments<'a, BitReader<'a>>,
    coder: &mut Sequential,
    (threads, limits): (usize, &Limits),
    (crew, memory): (&mut Crew, &mut SplitMemory),
    blocks: &mut Vec<Block>,
    consumer: &mut impl TileConsumer,
) -> Result<usize> {
    let Some(cut) = Cut::new(data, tiles, segments, coder, threads, limits) else { return Ok(0) };
    let used = cut.front + SLACK;
    if blocks.len() < used {
        blocks.resize(used, [0; 64]);
    }
    let front = Front {
        cut: &cut,
        end: tiles.mcus_before_last_wanted(),
        tiles,
        blocks: &mut blocks[..used],
        consumer,
        done: 0,
        at: Mark { mcu: 0, place: cut.begin, predictions: coder.predictions },
        outcome: Ok(()),
    };
    let turns = Turns {
        begun: AtomicUsize::new(0),
        next: AtomicUsize::new(0),
        front: Mutex::new(front),
        passed: Condvar::new(),
    };
    let pieces = Mutex::new(std::mem::take(&mut memory.pieces));
    crew.run(threads, || {
        let mut piece = lock(&pieces).pop().unwrap_or_default();
        turns.work(&cut, &mut piece);
        lock(&pieces).push(piece);
    });
    memory.pieces = pieces.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Front { done, at, outcome, .. } = turns.front.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome?;
    if done > 0 {
        let mut place = at.place;
        if cut.interval == 0 {
            (place.left, place.expected) = (cut.begin.left.saturating_sub(done as u32), cut.begin.expected);
        }
        segments.go_to(place);
        coder.predictions = at.predictions;
    }
    Ok(done)
}

/// Whose turn it is to say where a piece goes. Pieces are begun in order and placed in order, each by the thread that made it,
/// in whose cache it is. Whoever waits for a turn waits for a thread that is at work.
struct Turns<F> {
    /// Number of the first piece that nobody has begun.
    begun: AtomicUsize,
    /// Number of the piece whose turn it is; beyond all of them when nothing can be placed any more.
    next: AtomicUsize,
    front: Mutex<F>,
    passed: Condvar,
}

/// Looks at whose turn it is before a thread goes to sleep, which would cost about as much as they: some 50 microseconds.
const LOOKS: usize = 4000;

/// What [`Turns::next`] is when it is nobody's turn any more.
const OVER: usize = usize::MAX;

impl<F> Turns<F> {
    /// Waits for the turn of a piece. `None` if nothing can be placed any more.
    fn wait(&self, number: usize) -> Option<MutexGuard<'_, F>> {
        for _ in 0..LOOKS {
            if self.next.load(Ordering::Acquire) >= number {
                break;
            }
            std::hint::spin_loop();
        }
        let mut front = lock(&self.front);
        while self.next.load(Ordering::Acquire) < number {
            front = self.passed.wait(front).unwrap_or_else(PoisonError::into_inner);
        }
        (self.next.load(Ordering::Acquire) == number).then_some(front)
    }

    fn pass_to(&self, number: usize, front: MutexGuard<'_, F>) {
        self.next.store(number, Ordering::Release);
        drop(front);
        self.passed.notify_all();
    }
}

/// Says that nothing can be placed any more if a thread panics, so that nobody waits for it.
struct Alarm<'t, F>(&'t Turns<F>);

impl<F> Drop for Alarm<'_, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.pass_to(OVER, lock(&self.0.front));
        }
    }
}

impl<C: TileConsumer> Turns<Front<'_, '_, '_, C>> {
    /// What each thread does.
    fn work(&self, cut: &Cut<'_>, piece: &mut Piece) {
        let _alarm = Alarm(self);
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            if number >= cut.count {
                return;
            }
            // If it is its turn already there is nothing to guess.
            let is_next = self.next.load(Ordering::Acquire) >= number;
            if !is_next {
                cut.decode(number, piece);
            }
            let Some(mut front) = self.wait(number) else { return };
            let (next, placed) = if is_next {
                front.go_on_while_next(number, &self.begun, &mut piece.window)
            } else {
                let taken = front.take_over(piece);
                let placed = match taken {
                    Ok(false) => front.go_on(cut.start_of(number + 1), &mut piece.window),
                    other => other.map(drop),
                };
                (number + 1, placed)
            };
            match placed {
                Ok(()) => self.pass_to(next, front),
                Err(halt) => {
                    if let Halt::Refused(error) = halt {
                        front.outcome = Err(error);
                    }
                    return self.pass_to(OVER, front);
                }
            }
        }
    }
}
