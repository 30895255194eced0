//! The symbols of one block of a first AC scan.

use super::table::{BandTable, Meaning, NO_ENTRY};
use crate::entropy::bits::{Cursor, WindowBytes, extend};
use crate::entropy::pairs::WINDOW_BITS;
use crate::entropy::{End, HuffmanTable};
use crate::scans::Block;

/// What is the same for all blocks.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub window: &'a WindowBytes,
    pub table: &'a HuffmanTable,
    pub entries: &'a BandTable,
    /// The place of the band's last coefficient.
    pub low: i32,
    /// How many coefficients the band has.
    pub width: u32,
    pub al: u8,
}

/// Where decoding stands in a block: a value, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub at: Cursor,
    /// The place of the last coefficient; at first one above those of the band.
    pub place: i32,
}

/// Decodes a block, with at least 56 bits loaded before and after.
#[inline(always)]
pub(super) fn decode_block(mut state: State, scan: &Scan<'_>, block: &mut Block) -> (State, End) {
    let &Scan { window, entries, low, .. } = scan;
    loop {
        let index = (state.at.bits >> (64 - WINDOW_BITS)) as usize;
        let to = |distance: i8| state.place + i32::from(distance / 2);
        let (first, last) = (to(entries.first[index]), to(entries.last[index]));
        if to(entries.check[index]) <= low {
            if entries.check[index] == NO_ENTRY {
                match decode_symbol(&mut state, scan, block) {
                    None => continue,
                    Some(end) => return (state, end),
                }
            }
            // The first symbol leads to the band's last coefficient, and the second is the next block's; or beyond.
            if first < low {
                return (state, End::Unsound);
            }
            block[first as usize & 63] = entries.first_value[index] << (scan.al & 15);
            state.at.skip(entries.first_total[index].into());
            state.at.refill(window);
            return (state, End::Sound(0));
        }
        if last < low {
            return (state, End::Unsound);
        }
        let (total, size) = (u32::from(entries.total[index]), u32::from(entries.size[index]));
        let value = extend(state.at.bits << (total.wrapping_sub(size) & 63), 63 - size);
        block[first as usize & 63] = entries.first_value[index] << (scan.al & 15);
        block[last as usize & 63] = (value << (scan.al & 15)) as i16;
        state.at.skip(total & 63);
        state.at.refill(window);
        if last == low || entries.end[index] > 0 {
            return (state, End::Sound(0));
        }
        state.place = last;
    }
}

/// Decodes one symbol, whatever it is, with at least 56 bits loaded before and after. `None` if others follow in this block.
#[cold]
#[inline(never)]
pub(super) fn decode_symbol(state: &mut State, scan: &Scan<'_>, block: &mut Block) -> Option<End> {
    let Some((length, symbol)) = scan.table.find(state.at.bits) else { return Some(End::Unsound) };
    state.at.skip(length);
    let mut end = None;
    match Meaning::of(symbol) {
        Meaning::Zeros => state.place -= 16,
        Meaning::End(size) => {
            let size = u32::from(size);
            end = Some(End::Sound((1 << size) - 1 + (state.at.bits >> 1 >> (63 - size)) as u32));
            state.at.skip(size);
        }
        Meaning::Value(passed, size) => {
            let value = extend(state.at.bits, 63 - u32::from(size));
            state.at.skip(size.into());
            state.place -= i32::from(passed);
            if state.place >= scan.low {
                block[state.place as usize & 63] = (value << (scan.al & 15)) as i16;
            }
        }
    }
    state.at.refill(scan.window);
    end.or(match state.place - scan.low {
        1.. => None,
        0 => Some(End::Sound(0)),
        _ => Some(End::Unsound),
    })
}
