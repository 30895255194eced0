//! Whole MCUs of sequential Huffman scans, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], the tables, and zeroed or used blocks. What leaves: decoded blocks and the new
//! place in the window. Nothing is reported from here: at the first MCU that has anything wrong with it decoding stops
//! before that MCU, and [`super::sequential`] decodes it again, to the letter.

use super::bits::{Bounds, Cursor, WindowBytes};
use super::pairs::{END_OF_BLOCK, WINDOW_BITS};
use super::{BitReader, HuffmanTable};
use crate::scans::Block;

/// Blocks behind the last one that decoding may overwrite.
pub(crate) const SLACK: usize = 3;

/// The tables of one component in a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockTables<'t> {
    pub dc: &'t HuffmanTable,
    pub ac: &'t HuffmanTable,
}

/// Decodes MCUs into `blocks`, one after another, as many as `blocks` has place for or until something is wrong. Returns how many.
///
/// `order` holds the place in `tables` and `predictions` of each block of an MCU; `blocks` ends with [`SLACK`] blocks that are
/// not decoded.
pub(crate) fn decode_mcus(
    reader: &mut BitReader<'_>,
    tables: &[BlockTables<'_>],
    predictions: &mut [i32; 4],
    order: &[u8],
    blocks: &mut [Block],
) -> usize {
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("avx2") {
        // SAFETY: the features that the function needs were just found.
        return unsafe { decode_mcus_v3(cursor, window, bounds, tables, predictions, order, blocks) };
    }
    run(cursor, window, bounds, tables, predictions, order, blocks)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,movbe,popcnt")]
fn decode_mcus_v3(
    cursor: &mut Cursor,
    window: &WindowBytes,
    bounds: Bounds,
    tables: &[BlockTables<'_>],
    predictions: &mut [i32; 4],
    order: &[u8],
    blocks: &mut [Block],
) -> usize {
    run(cursor, window, bounds, tables, predictions, order, blocks)
}

#[inline(always)]
fn run(
    cursor: &mut Cursor,
    window: &WindowBytes,
    bounds: Bounds,
    tables: &[BlockTables<'_>],
    predictions: &mut [i32; 4],
    order: &[u8],
    blocks: &mut [Block],
) -> usize {
    let mcus = blocks.len().saturating_sub(SLACK) / order.len();
    for mcu in 0..mcus {
        if cursor.next > bounds.last_start {
            return mcu;
        }
        let (mut at, mut next_predictions, mut sound) = (*cursor, *predictions, true);
        for (i, &place) in order.iter().enumerate() {
            let place = usize::from(place & 3);
            let first = mcu * order.len() + i;
            let Some(block) = blocks.get_mut(first..first + 1 + SLACK) else { return mcu };
            let Some(block) = block.as_flattened_mut().first_chunk_mut::<256>() else { return mcu };
            let prediction = &mut next_predictions[place];
            let Some(tables) = tables.get(place) else { return mcu };
            let decoded = decode_block(at, window, *tables, prediction, block);
            at = decoded.0;
            sound &= decoded.1;
        }
        if !sound || 8 * at.next - at.count as usize > bounds.bits {
            return mcu;
        }
        *cursor = at;
        *predictions = next_predictions;
    }
    mcus
}

/// Decodes one block: where decoding goes on, and whether the block is sound.
#[inline(always)]
fn decode_block(
    mut at: Cursor,
    window: &WindowBytes,
    tables: BlockTables<'_>,
    prediction: &mut i32,
    block: &mut [i16; 256],
) -> (Cursor, bool) {
    block[..64].fill(0);
    at.refill(window);
    let entry = tables.dc.lookup[(at.bits >> (64 - WINDOW_BITS)) as usize];
    let (length, size) = (u32::from(entry >> 8), u32::from(entry & 15));
    *prediction = prediction.wrapping_add(extend(at.bits << (length & 63), 63 - size));
    block[0] = *prediction as i16;
    let sound = entry != 0 && i32::from(block[0]) == *prediction;
    at.skip(length + size);
    // DC codes take at most 10 + 15 of 56 bits: one AC look-up is still covered.
    let mut k = 0;
    loop {
        match look_up(&mut at, window, tables.ac, &mut k, block) {
            Step::More => {}
            Step::Ended(end) => return (at, sound && end),
        }
        at.refill(window);
        match look_up(&mut at, window, tables.ac, &mut k, block) {
            Step::More => {}
            Step::Ended(end) => return (at, sound && end),
        }
    }
}

/// What a look-up led to.
enum Step {
    More,
    /// The block is complete, soundly or not.
    Ended(bool),
}

/// Decodes one or two coefficients. `k` is the place of the last one.
#[inline(always)]
fn look_up(at: &mut Cursor, window: &WindowBytes, ac: &HuffmanTable, k: &mut usize, block: &mut [i16; 256]) -> Step {
    let pair = &ac.pairs[(at.bits >> (64 - WINDOW_BITS)) as usize];
    if pair.total == 0 {
        let Some((cursor, advance, value)) = look_up_long(*at, window, ac) else { return Step::Ended(false) };
        *at = cursor;
        *k += advance;
        block[*k & 255] = value;
        return if *k < 63 { Step::More } else { Step::Ended(*k == 63 || *k >= usize::from(END_OF_BLOCK)) };
    }
    let first = *k + usize::from(pair.first_advance);
    *k += usize::from(pair.advance);
    block[first & 255] = pair.first_value;
    block[*k & 255] = extend(at.bits << (pair.before & 63), pair.shift.into()) as i16;
    if *k < 63 {
        at.skip(pair.total.into());
        return Step::More;
    }
    let is_first_last = first == 63;
    at.skip(u32::from(if is_first_last { pair.first_total } else { pair.total }));
    let end = usize::from(END_OF_BLOCK);
    Step::Ended(is_first_last || *k == 63 || (end..end + 63).contains(k))
}

/// A coefficient whose code is longer than the window: where decoding goes on, how far it leads and what it is.
#[cold]
#[inline(never)]
fn look_up_long(mut at: Cursor, window: &WindowBytes, ac: &HuffmanTable) -> Option<(Cursor, usize, i16)> {
    at.refill(window);
    let (length, symbol) = ac.find_long((at.bits >> 48) as u32)?;
    at.skip(length);
    let (run, size) = (symbol >> 4, u32::from(symbol & 15));
    let value = extend(at.bits, 63 - size);
    at.skip(size);
    let advance = match (run, size) {
        (15, 0) => 16,
        (_, 0) => usize::from(END_OF_BLOCK),
        _ => usize::from(run) + 1,
    };
    at.refill(window);
    Some((at, advance, value as i16))
}

/// The first `63 - shift` bits of `bits` as a signed value (T.81 F.2.2.1, EXTEND).
#[inline(always)]
fn extend(bits: u64, shift: u32) -> i32 {
    // All ones where a leading 0 means negative.
    let negative = !((bits as i64) >> 63);
    let magnitude = ((bits ^ negative as u64) >> 1 >> (shift & 63)) as i32;
    (magnitude ^ negative as i32) - negative as i32
}
