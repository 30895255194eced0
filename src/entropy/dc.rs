//! MCUs of DC scans of progressive images, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], tables, and planes of DC coefficients. What leaves: those coefficients. Nothing is
//! reported from here: before the first MCU that has anything wrong with it decoding stops, and
//! [`super::progressive`] decodes it again, to the letter.

use super::bits::{Bounds, Cursor, WindowBytes, extend};
use super::pairs::WINDOW_BITS;
use super::{BitReader, HuffmanTable};
use crate::cpu::{Cpu, Kernel, Simd};

/// A block of each MCU of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Place of its component in the scan, below 4.
    pub in_scan: u8,
    /// Index of its coefficient in the first MCU.
    pub start: usize,
    /// From one MCU to the next.
    pub step: usize,
}

/// Decodes up to `mcus` MCUs of a first DC scan; returns how many. `slots` has the blocks of an MCU.
#[allow(clippy::too_many_arguments)] // one call
pub(crate) fn decode_mcus(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    tables: [&HuffmanTable; 4],
    al: u8,
    predictions: &mut [i32; 4],
    slots: &[Slot],
    mcus: usize,
    dc: &mut [i16],
) -> usize {
    let [Some(a), Some(b), Some(c), Some(d)] = tables.map(|table| table.categories.as_deref()) else { return 0 };
    let tables = [a, b, c, d];
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    cpu.run(First { cursor, window, bounds, tables, al, predictions, slots, mcus, dc })
}

/// The arguments of [`decode_mcus`].
struct First<'a> {
    cursor: &'a mut Cursor,
    window: &'a WindowBytes,
    bounds: Bounds,
    tables: [&'a [u16; 1 << WINDOW_BITS]; 4],
    al: u8,
    predictions: &'a mut [i32; 4],
    slots: &'a [Slot],
    mcus: usize,
    dc: &'a mut [i16],
}

impl Kernel for First<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        let First { cursor, window, bounds, tables, al, predictions, slots, mcus, dc } = self;
        let mut at = *cursor;
        for mcu in 0..mcus {
            if at.next > bounds.last_start {
                *cursor = at;
                return mcu;
            }
            let (start, mut next_predictions) = (at, *predictions);
            // Where all is sound: the magnitudes together, and the fewest bits of a code and its value.
            let (mut magnitudes, mut fewest, mut sound) = (0, u32::MAX, true);
            for slot in slots {
                let place = usize::from(slot.in_scan & 3);
                at.refill(window);
                let entry = tables[place][(at.bits >> (64 - WINDOW_BITS)) as usize];
                let (total, size) = (u32::from(entry as u8), u32::from(entry >> 8));
                let difference = extend(at.bits << (total.wrapping_sub(size) & 63), 63 - (size & 15));
                at.skip(total & 63);
                let prediction = next_predictions[place].wrapping_add(difference);
                next_predictions[place] = prediction;
                magnitudes |= prediction ^ (prediction >> 31);
                fewest = fewest.min(total);
                match dc.get_mut(slot.start + mcu * slot.step) {
                    Some(stored) => *stored = (prediction << (al & 15)) as i16,
                    None => sound = false,
                }
            }
            sound &= fewest > 0 && magnitudes >> (15 - (al & 15)) == 0;
            if !sound || bounds.are_exceeded(at) {
                *cursor = start;
                return mcu;
            }
            *predictions = next_predictions;
        }
        *cursor = at;
        mcus
    }
}

/// Reads the bit of each block of up to `mcus` MCUs of a DC refinement scan; returns of how many. `slots` has the blocks of
/// an MCU.
pub(crate) fn refine_mcus(reader: &mut BitReader<'_>, al: u8, slots: &[Slot], mcus: usize, dc: &mut [i16]) -> usize {
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    let mut at = *cursor;
    for mcu in 0..mcus {
        let start = at;
        // An MCU has at most 10 blocks.
        at.refill(window);
        let mut bits = at.bits;
        at.skip(slots.len() as u32 & 63);
        if start.next > bounds.last_start || bounds.are_exceeded(at) {
            *cursor = start;
            return mcu;
        }
        for slot in slots {
            if let Some(value) = dc.get_mut(slot.start + mcu * slot.step) {
                *value |= ((bits >> 63) as i16) << (al & 15);
            }
            bits <<= 1;
        }
    }
    *cursor = at;
    mcus
}
