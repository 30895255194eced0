//! Runs of blocks of a first AC scan, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], a table, and *reversed* blocks: coefficient k is at place 63 - k, and place 63,
//! the DC coefficient's, is nobody's, so that what belongs nowhere is stored there. What leaves: the band's coefficients,
//! and in the history of each block a bit for every one that is not 0. Nothing is reported from here: before the first
//! block that has anything wrong with it decoding stops, and [`super::progressive`] decodes it again, to the letter.

use super::bits::{Bounds, Cursor, WindowBytes, extend};
use super::pairs::{END_OF_BLOCK, PairTable, WINDOW_BITS, meaning_in_band};
use super::{Band, BitReader, HuffmanTable, Run};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;

/// The place of what belongs nowhere.
const NOWHERE: usize = 63;

/// Decodes blocks one after another, as many as there are or until something is wrong. The band must be zero in all of
/// them. `eob_run` counts the blocks that are passed over first, and then those of the last run that are still to be
/// passed over.
///
/// Nothing is decoded where coefficients might not fit 16 bits, or if `table` is no table of such a scan.
pub(crate) fn decode_blocks(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    blocks: &mut [Block],
    history: &mut [u64],
) -> Run {
    let Some(pairs) = table.pairs.as_deref().filter(|_| table.largest_size() + band.al < 16) else {
        return Run::default();
    };
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    cpu.run(Blocks { cursor, window, bounds, table, pairs, band, eob_run, blocks, history })
}

/// The arguments of [`decode_blocks`].
struct Blocks<'a> {
    cursor: &'a mut Cursor,
    window: &'a WindowBytes,
    bounds: Bounds,
    table: &'a HuffmanTable,
    pairs: &'a PairTable,
    band: Band,
    eob_run: &'a mut u32,
    blocks: &'a mut [Block],
    history: &'a mut [u64],
}

impl Kernel for Blocks<'_> {
    type Output = Run;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Run {
        let Blocks { cursor, window, bounds, table, pairs, band, eob_run, blocks, history } = self;
        let scan = &Scan { window, table, pairs, low: band.low() as i32, al: band.al };
        let total = blocks.len().min(history.len());
        let mut at = *cursor;
        let (mut next, mut visited) = (0, 0);
        let mut run = *eob_run as usize;
        loop {
            let skipped = run.min(total - next);
            next += skipped;
            run -= skipped;
            if next >= total || at.next > bounds.last_start {
                break;
            }
            let (block, known) = (&mut blocks[next], &mut history[next]);
            let mut state = State { at, place: scan.low + band.width() as i32, mask: 0 };
            let ended = decode_block(&mut state, scan, block);
            let Some(ended) = ended.filter(|_| !bounds.are_exceeded(state.at)) else {
                block[band.low()..][..band.width() as usize].fill(0);
                break;
            };
            at = state.at;
            *known |= state.mask & !(1 << NOWHERE);
            run = ended;
            next += 1;
            visited += 1;
        }
        *cursor = at;
        *eob_run = run as u32;
        Run { blocks: next, visited }
    }
}

/// What is the same for all blocks.
struct Scan<'a> {
    window: &'a WindowBytes,
    table: &'a HuffmanTable,
    pairs: &'a PairTable,
    /// The place of the band's last coefficient.
    low: i32,
    al: u8,
}

/// Where decoding stands in a block: a value, so that it stays in registers.
#[derive(Clone, Copy)]
struct State {
    at: Cursor,
    /// The place of the last coefficient; below `low` behind the end of the band.
    place: i32,
    /// The places that were stored to.
    mask: u64,
}

impl State {
    /// Stores a coefficient.
    #[inline(always)]
    fn store(&mut self, block: &mut Block, scan: &Scan<'_>, place: i32, value: i32) {
        let place = if place >= scan.low { place as usize } else { NOWHERE } & 63;
        block[place] = (value << (scan.al & 15)) as i16;
        self.mask |= 1 << place;
    }
}

/// How many blocks behind this one are passed over; `None` if the block is not sound.
#[inline(always)]
fn decode_block(state: &mut State, scan: &Scan<'_>, block: &mut Block) -> Option<usize> {
    loop {
        state.at.refill(scan.window);
        if let Some(ended) = look_up(state, scan, block) {
            return ended;
        }
        if let Some(ended) = look_up(state, scan, block) {
            return ended;
        }
    }
}

/// Decodes one or two coefficients. At the end of the block: what [`decode_block`] gives.
#[inline(always)]
fn look_up(state: &mut State, scan: &Scan<'_>, block: &mut Block) -> Option<Option<usize>> {
    const END: i32 = END_OF_BLOCK as i32;
    let bits = state.at.bits;
    let pair = &scan.pairs[(bits >> (64 - WINDOW_BITS)) as usize];
    if pair.total == 0 {
        let (next, ended) = look_up_single(*state, scan, block);
        *state = next;
        return ended;
    }
    let (first, last) = (state.place - i32::from(pair.first_advance), state.place - i32::from(pair.advance));
    let value = bits << (pair.before & 63);
    state.store(block, scan, first, pair.first_value.into());
    state.store(block, scan, last, extend(value, pair.shift.into()));
    state.place = last;
    if last > scan.low {
        state.at.skip(pair.total.into());
        return None;
    }
    // Without branches, since how a block ends cannot be foreseen. What was decoded before the end of the band was inside it,
    // and did not fill it.
    let is_first_last = first == scan.low;
    let is_end = (1 - END..=-(END / 2)).contains(&(last - scan.low)) & !is_first_last;
    let is_sound = is_first_last | (last == scan.low) | is_end;
    let unread = pair.total.wrapping_sub(pair.first_total) & u8::from(is_first_last).wrapping_neg();
    state.at.skip(u32::from(pair.total.wrapping_sub(unread) & 63));
    let more = (1_usize << ((63 - pair.shift) & 15)) + (value >> 1 >> (pair.shift & 63)) as usize - 1;
    let run = more & usize::from(is_end).wrapping_neg();
    Some(if is_sound { Some(run) } else { None })
}

/// A coefficient whose code is longer than the window, or a run of 16 zeros.
#[cold]
#[inline(never)]
fn look_up_single(mut state: State, scan: &Scan<'_>, block: &mut Block) -> (State, Option<Option<usize>>) {
    state.at.refill(scan.window);
    let Some((length, symbol)) = scan.table.find(state.at.bits) else { return (state, Some(None)) };
    state.at.skip(length);
    match meaning_in_band(symbol) {
        None => state.place -= 16,
        Some((END_OF_BLOCK, size)) => {
            let more = state.at.bits >> 1 >> (63 - size);
            state.at.skip(size.into());
            return (state, Some(Some((1 << size) + more as usize - 1)));
        }
        Some((advance, size)) => {
            let value = extend(state.at.bits, 63 - u32::from(size));
            state.at.skip(size.into());
            state.place -= i32::from(advance);
            state.store(block, scan, state.place, value);
        }
    }
    state.at.refill(scan.window);
    let ended = match state.place - scan.low {
        1.. => None,
        0 => Some(Some(0)),
        _ => Some(None),
    };
    (state, ended)
}
