//! The symbols of one block of an AC refinement scan.

use std::mem::offset_of;

use super::table::{ALONE, END_OF_BAND, Meaning, StepTable};
use crate::cpu::masks::Row;
use crate::entropy::bits::{Cursor, WindowBytes};
use crate::entropy::pairs::WINDOW_BITS;
use crate::entropy::{End, HuffmanTable};

/// A block: what is known before its symbols are decoded, and what they say. Its coefficients without history are counted
/// in the order of the scan, from 1 on, and a symbol leads to one of them.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Plan {
    /// How many coefficients with history are behind each one without.
    pub row: Row,
    /// Where the bits of the block begin, counted from address 0. Of assembly alone.
    pub start: u64,
    /// Correction bits, the last one lowest.
    pub corrections: u64,
    /// Of the coefficients up to the one that a symbol led to, which is the lowest, those that are new.
    pub new: u64,
    /// Those of them that are positive.
    pub positive: u64,
    /// Which one that is. Assembly leaves its address in `row`, of which the low 6 bits are the same.
    pub reached: u64,
    /// Symbols follow on a coefficient up to this one: the last one, or the one before it if the band ends with that.
    pub limit: u64,
    /// The same as an address in `row`. Of assembly alone.
    pub limit_in_row: *const u8,
    /// Those with history, in a mask that has the last coefficient of the band lowest.
    pub old: u64,
    /// How many have none.
    pub zeros: u64,
}

// What assembly and the low bits of an address rely on.
const _: () = assert!(offset_of!(Plan, row) == 0 && align_of::<Plan>() == 64);

impl Plan {
    /// No block.
    pub const NONE: Plan = Plan {
        row: Row::EMPTY,
        start: 0,
        corrections: 0,
        new: 0,
        positive: 0,
        reached: 0,
        limit: 0,
        limit_in_row: std::ptr::null(),
        old: 0,
        zeros: 0,
    };

    /// Goes on by `passed` coefficients; those that are new and positive as [`StepTable::pattern`] has them.
    #[inline(always)]
    pub fn pass(&mut self, passed: u64, [new, positive]: [u16; 2]) {
        self.new = self.new << (passed & 63) | u64::from(new);
        self.positive = self.positive << (passed & 63) | u64::from(positive);
        self.reached += passed;
    }

    /// How many coefficients with history are left when `passed` more without are passed.
    #[inline(always)]
    fn behind(&self, passed: u8) -> u32 {
        let place = self.reached as usize + usize::from(passed);
        self.row.0.get(place).map_or(0, |&behind| behind.into())
    }

    /// Forgets what symbols said.
    #[inline(always)]
    pub fn clear(&mut self) {
        (self.corrections, self.new, self.positive, self.reached) = (0, 0, 0, 0);
    }
}

/// Where decoding stands in a block: a value, so that it stays in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub at: Cursor,
    /// Coefficients with history that are still to come.
    pub left: u32,
}

/// Bits that a look-up may take, so that the index of the next one is there without more being loaded.
pub(super) const MOST_BITS: u32 = 56 - WINDOW_BITS;

/// Takes the correction bits of so many coefficients, with at least 56 bits loaded before and after.
#[inline(always)]
pub(super) fn take(state: &mut State, count: u32, window: &WindowBytes, plan: &mut Plan) {
    let mut left = count;
    while left > 0 {
        let some = left.min(56);
        plan.corrections = plan.corrections << (some & 63) | state.at.bits >> 1 >> ((63 - some) & 63);
        state.at.skip(some);
        state.at.refill(window);
        left -= some;
    }
    state.left = state.left.wrapping_sub(count);
}

/// Decodes symbols up to the end of the band, or to the symbol that ends it, with at least 56 bits loaded before and after.
#[inline(always)]
pub(super) fn decode_symbols(
    mut state: State,
    window: &WindowBytes,
    table: &HuffmanTable,
    steps: &StepTable,
    plan: &mut Plan,
) -> (State, End) {
    loop {
        let index = (state.at.bits >> (64 - WINDOW_BITS)) as usize;
        let (first, both) = (steps.first[index], steps.both[index]);
        let behind_first = plan.behind(first);
        let (index, passed, total, behind) = if behind_first == state.left {
            (index, both, steps.total[index], plan.behind(both))
        } else {
            (ALONE, first, steps.first_total[index], behind_first)
        };
        let corrections = state.left.wrapping_sub(behind);
        let taken = u32::from(total).wrapping_add(corrections);
        if taken > MOST_BITS {
            match decode_symbol(&mut state, window, table, plan) {
                None => continue,
                Some(end) => return (state, end),
            }
        }
        let bits = state.at.bits.rotate_left(taken);
        plan.corrections = plan.corrections << (corrections & 63) | bits & !(u64::MAX << (corrections & 63));
        // Before the correction bits stands the last symbol's sign.
        let more = bits >> (corrections & 63);
        state.at.skip(taken);
        state.at.refill(window);
        state.left = behind;
        if plan.reached + u64::from(passed) > plan.limit {
            let end = end_block(&mut state, window, steps, plan, index, passed.into(), more);
            return (state, end);
        }
        plan.pass(passed.into(), steps.pattern[index]);
        plan.positive |= more & 1;
    }
}

/// Ends a block with the symbols of the entry at `index`, which lead `passed` coefficients further, beyond where symbols
/// follow; the lowest bit of `more` is the last one's sign.
#[inline(always)]
pub(super) fn end_block(
    state: &mut State,
    window: &WindowBytes,
    steps: &StepTable,
    plan: &mut Plan,
    index: usize,
    passed: u64,
    more: u64,
) -> End {
    let last = if plan.limit < plan.zeros { plan.zeros } else { u64::MAX };
    if plan.reached + passed == last {
        plan.pass(passed, steps.pattern[index]);
        plan.positive |= more & 1;
        return End::Sound(0);
    }
    let Some(&first) = steps.first.get(index) else { return End::Unsound };
    let (first, pattern) = (u64::from(first), steps.pattern[index]);
    if plan.reached + first == last {
        // The second symbol is the next block's.
        plan.pass(first, [1, (pattern[1] > 0).into()]);
        let unread = steps.total[index].wrapping_sub(steps.first_total[index]);
        let Some(at) = state.at.back(window, unread.into()) else { return End::Unsound };
        state.at = at;
        state.at.refill(window);
        return End::Sound(0);
    }
    if plan.reached + first > plan.zeros || passed < END_OF_BAND.into() {
        return End::Unsound;
    }
    plan.pass(first, pattern);
    End::Sound(0)
}

/// Decodes one symbol, whatever its code and however many its correction bits are, with at least 56 bits loaded before and
/// after. `None` if others follow in this block.
#[cold]
#[inline(never)]
pub(super) fn decode_symbol(
    state: &mut State,
    window: &WindowBytes,
    table: &HuffmanTable,
    plan: &mut Plan,
) -> Option<End> {
    let Some((length, symbol)) = table.find(state.at.bits) else { return Some(End::Unsound) };
    state.at.skip(length);
    let (passed, pattern) = match Meaning::of(symbol) {
        Meaning::Nothing => return Some(End::Unsound),
        Meaning::End(size) => {
            let size = u32::from(size);
            let run = (1 << size) - 1 + (state.at.bits >> 1 >> (63 - size)) as u32;
            state.at.skip(size);
            state.at.refill(window);
            take(state, state.left, window, plan);
            return Some(End::Sound(run));
        }
        Meaning::New(passed) => {
            let sign = (state.at.bits >> 63) as u16;
            state.at.skip(1);
            (passed, [1, sign])
        }
        Meaning::Zeros => (16, [0, 0]),
    };
    plan.pass(passed.into(), pattern);
    // A run of 16 zeros that finds one less is no flaw to the exact coder, but it is not decoded here.
    if plan.reached > plan.zeros {
        return Some(End::Unsound);
    }
    let behind = plan.behind(0);
    state.at.refill(window);
    take(state, state.left - behind, window, plan);
    (plan.reached > plan.limit).then_some(End::Sound(0))
}
