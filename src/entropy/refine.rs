//! Blocks of an AC refinement scan, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], a table, and reversed blocks as in [`super::band`] with their histories. What
//! leaves: the same with one more bit. A symbol only says how many coefficients without history it passes; how many with
//! history lie between follows from the history alone, and their correction bits are taken all at once. Bits and signs are
//! gathered in masks, which change a block in one step when all of it is known to be sound. Nothing is reported from
//! here: before the first block that has anything wrong with it decoding stops, and [`super::progressive`] decodes
//! it again, to the letter.

use super::bits::{Bounds, Cursor, WindowBytes};
use super::pairs::WINDOW_BITS;
use super::{Band, BitReader, HuffmanTable, Run};
use crate::cpu::masks::{deposit, next_bit, refine};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;

/// What the next bits mean, in one word: a new coefficient, or something else.
///
/// | bits | what | new coefficient | else |
/// |---|---|---|---|
/// | 0..8 | bits of the code | 1..=10 | 1..=10, 0 for longer codes and for bits that are no code of such a scan |
/// | 8..16 | kind | 0 | [`END`], [`ZEROS`] or [`LONG`] |
/// | 24..32 | how far it leads | coefficients without history, the new one included | at an end, the number of further bits |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step(u32);

/// The band ends here for a run of blocks.
const END: u32 = 1;
/// 16 coefficients without history stay zero.
const ZEROS: u32 = 2;
/// A code longer than the window, or no code.
const LONG: u32 = 3;

/// The table of one AC Huffman table.
pub(super) type StepTable = [Step; 1 << WINDOW_BITS];

impl Step {
    /// From the look-up of single codes: code length (8 bits) and symbol (8 bits), 0 for none.
    pub fn of(entry: u16) -> Step {
        let (length, run, size) = (u32::from(entry >> 8), u32::from(entry >> 4 & 15), entry & 15);
        match (run, size) {
            (_, 1) => Step(length | (run + 1) << 24),
            (15, 0) => Step(length | ZEROS << 8 | 16 << 24),
            (_, 0) if length > 0 => Step(length | END << 8 | run << 24),
            _ => Step(LONG << 8),
        }
    }

    #[inline(always)]
    fn kind(self) -> u32 {
        self.0 >> 8 & 255
    }

    #[inline(always)]
    fn length(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    fn passed(self) -> u32 {
        self.0 >> 24
    }
}

/// Decodes blocks one after another, as many as there are or until something is wrong. All that the band's coefficients
/// have so far must be above bit `band.al`, and `history` must have a bit for each that is not 0. `eob_run` counts the
/// blocks, the first included, that have no new coefficients, and then those of the last run that are still to come.
pub(crate) fn refine_blocks(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    blocks: &mut [Block],
    history: &mut [u64],
) -> Run {
    let Some(steps) = table.steps.as_deref() else { return Run::default() };
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    let refined = cpu.run(Blocks { cursor, window, bounds, table, steps, band, eob_run, blocks, history });
    Run { blocks: refined, visited: refined }
}

/// The arguments of [`refine_blocks`].
struct Blocks<'a> {
    cursor: &'a mut Cursor,
    window: &'a WindowBytes,
    bounds: Bounds,
    table: &'a HuffmanTable,
    steps: &'a StepTable,
    band: Band,
    eob_run: &'a mut u32,
    blocks: &'a mut [Block],
    history: &'a mut [u64],
}

impl Kernel for Blocks<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let Blocks { cursor, window, bounds, table, steps, band, eob_run, blocks, history } = self;
        let (low, width, step) = (band.low(), u64::MAX >> (64 - band.width()), 1i16 << (band.al & 15));
        let total = blocks.len().min(history.len());
        let (mut at, mut run, mut next) = (*cursor, *eob_run, 0);
        while next < total {
            let (block, known) = (&mut blocks[next], &mut history[next]);
            // Masks of the band: its last coefficient is bit 0.
            let old = *known >> low & width;
            if run > 0 && old == 0 {
                run -= 1;
                next += 1;
                continue;
            }
            if at.next > bounds.last_start {
                break;
            }
            let zeros = width & !old;
            let (left, to_pass) = (old.count_ones(), zeros.count_ones());
            let mut state = State { at, left, zeros: to_pass, ..State::default() };
            state.at.refill(window);
            if run > 0 {
                state.run = run;
            } else if !decode_symbols(simd, &mut state, window, table, steps, zeros) {
                break;
            }
            state.take_corrections(state.left, window);
            if bounds.are_exceeded(state.at) {
                break;
            }
            at = state.at;
            run = state.run.saturating_sub(1);
            let larger = deposit(simd, state.corrections, old);
            refine(simd, block, larger << low, state.new << low, state.positive << low, step);
            *known |= state.new << low;
            next += 1;
        }
        *cursor = at;
        *eob_run = run;
        next
    }
}

/// Where decoding stands in a block: a value, so that it stays in registers.
#[derive(Clone, Copy, Default)]
struct State {
    at: Cursor,
    /// Coefficients with history that are still to come.
    left: u32,
    /// Those without.
    zeros: u32,
    /// Correction bits so far, the last one lowest.
    corrections: u64,
    /// New coefficients.
    new: u64,
    /// Those of them that are positive.
    positive: u64,
    /// Blocks, this one included, that have no further new coefficients.
    run: u32,
}

impl State {
    /// Takes `count < 64` correction bits, with at least 45 bits loaded.
    #[inline(always)]
    fn take_corrections(&mut self, count: u32, window: &WindowBytes) {
        if count > 45 {
            *self = take_many(*self, count, window);
            return;
        }
        // A rotation and a mask: the shifts of two words that this would be else are slow.
        let taken = self.at.bits.rotate_left(count) & !(u64::MAX << (count & 63));
        self.corrections = self.corrections << (count & 63) | taken;
        self.at.skip(count);
    }
}

/// Takes up to 63 correction bits.
#[cold]
#[inline(never)]
fn take_many(mut state: State, count: u32, window: &WindowBytes) -> State {
    let mut left = count.min(63);
    while left > 0 {
        let some = left.min(32);
        state.at.refill(window);
        state.corrections = state.corrections << some | state.at.bits >> 1 >> (63 - some);
        state.at.skip(some);
        left -= some;
    }
    state.at.refill(window);
    state
}

/// Decodes symbols up to the end of the band, or to the symbol that ends it, with at least 45 bits loaded before and
/// after; whether all is sound. `zeros` are the places of coefficients without history.
#[inline(always)]
fn decode_symbols<S: Simd>(
    simd: S,
    state: &mut State,
    window: &WindowBytes,
    table: &HuffmanTable,
    steps: &StepTable,
    zeros: u64,
) -> bool {
    // The place that the last symbol led to.
    let mut one = 0;
    loop {
        let mut step = steps[(state.at.bits >> (64 - WINDOW_BITS)) as usize];
        let mut stays_zero = false;
        if step.kind() != 0 {
            if step.kind() == LONG {
                let Some((cursor, long)) = find_long(state.at, window, table) else { return false };
                (state.at, step) = (cursor, long);
            }
            if step.kind() == END {
                state.at.skip(step.length());
                let more = step.passed() & 15;
                state.run = (1 << more) + (state.at.bits >> 1 >> (63 - more)) as u32;
                state.at.skip(more);
                state.at.refill(window);
                return true;
            }
            stays_zero = step.kind() == ZEROS;
        }
        state.at.skip(step.length());
        // How many are behind the one that the symbol leads to.
        let behind = state.zeros.wrapping_sub(step.passed());
        if behind >= 64 {
            return false;
        }
        one = next_bit(simd, zeros, behind, one, step.passed());
        let place = one.trailing_zeros();
        if stays_zero {
            state.at.refill(window);
        } else {
            state.new |= one;
            state.positive |= one & ((state.at.bits as i64) >> 63) as u64;
            state.at.skip(1);
        }
        // Behind the place there are as many coefficients as its number says.
        let corrections = (state.left + behind).wrapping_sub(place);
        state.take_corrections(corrections, window);
        (state.zeros, state.left) = (behind, place.wrapping_sub(behind));
        if place == 0 {
            return true;
        }
        state.at.refill(window);
    }
}

/// A symbol whose code is longer than the window, if it is one of such a scan. All of its code but one bit is skipped.
#[cold]
#[inline(never)]
fn find_long(mut at: Cursor, window: &WindowBytes, table: &HuffmanTable) -> Option<(Cursor, Step)> {
    at.refill(window);
    let (length, symbol) = table.find(at.bits)?;
    let step = Step::of((length as u16) << 8 | u16::from(symbol));
    if step.kind() == LONG {
        return None;
    }
    at.skip(length - 1);
    at.refill(window);
    Some((at, Step(step.0 & !255 | 1)))
}
