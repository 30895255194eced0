//! Blocks of an AC refinement scan, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], a table, and reversed blocks as in [`super::band`] with their histories.
//! What leaves: the same with one more bit. A symbol only says how many coefficients without history it passes; how many
//! with history lie between follows from the history alone, and their correction bits are taken all at once. Nothing is
//! reported from here: before the first block that has anything wrong with it decoding stops, and [`super::progressive`]
//! decodes it again, to the letter.
//!
//! Some blocks are decoded together, in three steps. First all that the symbols need of a block's history is made ready, a
//! [`Plan`]. Then symbols are decoded, and bits and signs gathered in masks. At last the masks change the
//! blocks, each in one step. So what one symbol waits for of the one before is short, and all else is done many at a time.

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod assembly;
mod symbols;
mod table;

use super::bits::{Bounds, Cursor, WindowBytes};
use super::{Band, BitReader, End, HuffmanTable, Run};
use crate::cpu::masks::{deposit, deposit_beside, refine, set_below};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;
use symbols::{Plan, State, decode_symbols, take};
pub(super) use table::StepTable;

/// Blocks that are decoded together: their plans stay in the L1 cache, beside the table.
const BATCH: usize = 16;

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
    let Some(steps) = table.steps.as_deref().filter(|_| band.is_sound()) else { return Run::default() };
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    let refined =
        cpu.run(Blocks { cursor, window, bounds, table, steps, band, eob_run, blocks, history, is_exact: false });
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
    /// Something was wrong: block by block now.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    is_exact: bool,
}

impl Kernel for Blocks<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> usize {
        let width = u64::MAX >> (64 - self.band.width());
        let low = self.band.low();
        let total = self.blocks.len().min(self.history.len());
        let mut plans = [Plan::NONE; BATCH + 1];
        let mut next = 0;
        loop {
            while *self.eob_run > 0 && next < total && self.history[next] >> low & width == 0 {
                *self.eob_run -= 1;
                next += 1;
            }
            let count = (total - next).min(BATCH);
            if count == 0 {
                return next;
            }
            for (plan, history) in plans.iter_mut().zip(&self.history[next..next + count]) {
                make_plan(simd, plan, history >> low & width, width);
            }
            let done = self.decode(simd, &mut plans[..=count]);
            let histories = &mut self.history[next..next + done];
            for ((plan, block), history) in plans.iter().zip(&mut self.blocks[next..next + done]).zip(histories) {
                apply(simd, plan, width, self.band, block, history);
            }
            next += done;
            if done < count {
                return next;
            }
        }
    }
}

impl Blocks<'_> {
    /// Decodes what the blocks of `plans` have, all but the last one, which is none. Returns how many are sound.
    #[inline(always)]
    fn decode<S: Simd>(&mut self, simd: S, plans: &mut [Plan]) -> usize {
        let Blocks { window, bounds, table, steps, .. } = *self;
        let _ = simd;
        let mut done = 0;
        while done + 1 < plans.len() {
            #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
            if *self.eob_run == 0 && !self.is_exact && simd.v3().is_some() {
                // SAFETY: the proof has BMI1, BMI2 and MOVBE.
                let run = unsafe { assembly::decode_blocks(self.cursor, window, bounds, (table, steps), plans, done) };
                if let Some((behind, run)) = run {
                    if behind > done {
                        (done, *self.eob_run) = (behind, run);
                        continue;
                    }
                    self.is_exact = true;
                }
            }
            if self.cursor.next > bounds.last_start {
                break;
            }
            let plan = &mut plans[done];
            let mut state = State { at: *self.cursor, left: plan.row.0[0].into() };
            plan.clear();
            let mut end = End::Sound(self.eob_run.saturating_sub(1));
            if *self.eob_run == 0 {
                state.at.refill(window);
                (state, end) = decode_symbols(state, window, table, steps, plan);
            } else if state.left > 0 {
                state.at.refill(window);
                let all = state.left;
                take(&mut state, all, window, plan);
            }
            match end {
                End::Sound(run) if !bounds.are_exceeded(state.at) => (*self.cursor, *self.eob_run) = (state.at, run),
                _ => break,
            }
            done += 1;
        }
        done
    }
}

/// Makes ready what the symbols of a block need of its history, a mask of the band.
#[inline(always)]
fn make_plan<S: Simd>(simd: S, plan: &mut Plan, old: u64, width: u64) {
    set_below(simd, &mut plan.row, old, width);
    plan.old = old;
    plan.zeros = (width & !old).count_ones().into();
    plan.limit = plan.zeros - u64::from(plan.zeros > 0 && old & 1 == 0);
    plan.limit_in_row = plan.row.0.as_ptr().wrapping_add(plan.limit as usize);
    plan.clear();
}

/// Does to a block what its plan says.
#[inline(always)]
fn apply<S: Simd>(simd: S, plan: &Plan, width: u64, band: Band, block: &mut Block, history: &mut u64) {
    let larger = deposit(simd, plan.corrections, plan.old);
    // The lowest bit is to be that of the last coefficient. What was reached may be an address, whose low 6 bits are the
    // number.
    let rest = plan.zeros.wrapping_sub(plan.reached) & 63;
    let masks = [plan.new << rest, plan.positive << rest];
    let [new, positive] = deposit_beside(simd, masks, &plan.row, width & !plan.old);
    let [larger, new, positive] = [larger, new, positive].map(|mask| mask << band.low());
    refine(simd, block, larger, new, positive, 1 << (band.al & 15));
    *history |= new;
}
