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
use crate::cpu::masks::{deposit, refine, select};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;

/// What one symbol means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C, align(4))]
pub(super) struct Step {
    /// Bits of the code, and of the sign where there is one; 0 for codes longer than the window and for bits that are no
    /// code of such a scan.
    total: u8,
    /// Coefficients without history that are passed, and the one after them.
    passed: u8,
    /// 1 if that one is new, 0 if it stays zero.
    new: u8,
    /// 0, or one more than the number of further bits that say for how many blocks an end of band stands.
    end: u8,
}

/// The table of one AC Huffman table.
pub(super) type StepTable = [Step; 1 << WINDOW_BITS];

impl Step {
    /// From the look-up of single codes: code length (8 bits) and symbol (8 bits), 0 for none.
    pub fn of(entry: u16) -> Step {
        let (length, run, size) = ((entry >> 8) as u8, entry as u8 >> 4, entry as u8 & 15);
        match (run, size) {
            (_, 1) => Step { total: length + 1, passed: run + 1, new: 1, end: 0 },
            (15, 0) => Step { total: length, passed: 16, new: 0, end: 0 },
            (_, 0) if length > 0 => Step { total: length, passed: 0, new: 0, end: run + 1 },
            _ => Step::default(),
        }
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
        let (mask, low, step) = (band.mask(), band.low() as u32, 1i16 << (band.al & 15));
        let total = blocks.len().min(history.len());
        let (mut at, mut run, mut next) = (*cursor, *eob_run, 0);
        while next < total {
            let (block, known) = (&mut blocks[next], &mut history[next]);
            let old = *known & mask;
            if run > 0 && old == 0 {
                run -= 1;
                next += 1;
                continue;
            }
            if at.next > bounds.last_start {
                break;
            }
            let mut state = State {
                at,
                left: old.count_ones(),
                zeros: (mask & !old).count_ones(),
                corrections: 0,
                new: 0,
                positive: 0,
                run,
            };
            state.at.refill(window);
            let is_sound = run > 0 || decode_symbols(simd, &mut state, window, table, steps, mask & !old, low);
            if !is_sound {
                break;
            }
            let rest = state.left;
            state.take_corrections(rest, window);
            if bounds.are_exceeded(state.at) {
                break;
            }
            at = state.at;
            run = state.run.saturating_sub(1);
            let larger = deposit(simd, state.corrections, old);
            refine(simd, block, larger, state.new, state.positive, step);
            *known |= state.new;
            next += 1;
        }
        *cursor = at;
        *eob_run = run;
        next
    }
}

/// Where decoding stands in a block: a value, so that it stays in registers.
#[derive(Clone, Copy)]
struct State {
    at: Cursor,
    /// Coefficients with history that are still to come.
    left: u32,
    /// Coefficients without history that are still to come.
    zeros: u32,
    /// Correction bits so far, the last one lowest.
    corrections: u64,
    /// New coefficients.
    new: u64,
    /// Those of them that are positive, and others.
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
        self.corrections = self.corrections << count | self.at.bits >> 1 >> (63 - count);
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

/// Decodes symbols up to the end of the band, or to the symbol that ends it, with at least 45 bits loaded after it;
/// whether all is sound. `zeros` are the places of coefficients without history.
#[inline(always)]
fn decode_symbols<S: Simd>(
    simd: S,
    state: &mut State,
    window: &WindowBytes,
    table: &HuffmanTable,
    steps: &StepTable,
    zeros: u64,
    low: u32,
) -> bool {
    loop {
        let mut step = steps[(state.at.bits >> (64 - WINDOW_BITS)) as usize];
        if step.total == 0 {
            let Some((cursor, long)) = long_step(state.at, window, table) else { return false };
            (state.at, step) = (cursor, long);
        }
        let sign = state.at.bits >> ((64 - u32::from(step.total)) & 63) & 1;
        state.at.skip(step.total.into());
        if step.end > 0 {
            let more = u32::from(step.end) - 1;
            state.run = (1 << (more & 15)) + (state.at.bits >> 1 >> (63 - (more & 15))) as u32;
            state.at.skip(more);
            state.at.refill(window);
            return true;
        }
        // Behind the one that the symbol leads to.
        let behind = state.zeros.wrapping_sub(step.passed.into());
        if behind >= 64 {
            return false;
        }
        let place = select(simd, zeros, behind);
        let left = place - low - behind;
        state.take_corrections(state.left.wrapping_sub(left) & 63, window);
        state.new |= u64::from(step.new) << (place & 63);
        state.positive |= sign << (place & 63);
        (state.zeros, state.left) = (behind, left);
        if behind + left == 0 {
            return true;
        }
        state.at.refill(window);
    }
}

/// A symbol whose code is longer than the window. Its code is skipped but for one bit, so that the step's single bit is the
/// code's last or the sign.
#[cold]
#[inline(never)]
fn long_step(mut at: Cursor, window: &WindowBytes, table: &HuffmanTable) -> Option<(Cursor, Step)> {
    at.refill(window);
    let (length, symbol) = table.find_long((at.bits >> 48) as u32)?;
    let step = Step::of((length as u16) << 8 | u16::from(symbol));
    if step.total == 0 {
        return None;
    }
    at.skip(length - 1);
    at.refill(window);
    Some((at, Step { total: step.total + 1 - length as u8, ..step }))
}
