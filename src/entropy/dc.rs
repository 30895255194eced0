//! MCUs of DC scans of progressive images, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], tables, and planes of DC coefficients. What leaves: those coefficients.
//! Nothing is reported from here: before the first MCU that has anything wrong with it decoding stops, and
//! [`super::progressive`] decodes it again, to the letter.

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod assembly;

use super::bits::{Bounds, Cursor, WindowBytes, extend};
use super::pairs::WINDOW_BITS;
use super::{BitReader, HuffmanTable};
use crate::cpu::masks::extract;
use crate::cpu::{Cpu, Kernel, Simd};

/// Bits of a category's code and value (low byte) and the category (high byte), by the next bits.
type Categories = [u16; 1 << WINDOW_BITS];

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

/// Decodes up to `mcus` MCUs of a first DC scan; returns how many. `slots` has the blocks of an MCU. The coefficients of
/// the MCU behind the last one may be overwritten.
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
    tables: [&'a Categories; 4],
    al: u8,
    predictions: &'a mut [i32; 4],
    slots: &'a [Slot],
    mcus: usize,
    dc: &'a mut [i16],
}

impl Kernel for First<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let First { cursor, window, bounds, tables, al, predictions, slots, mcus, dc } = self;
        let _ = simd;
        #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
        if simd.v3().is_some() && cursor.next <= bounds.last_start {
            // SAFETY: the proof has BMI1, BMI2 and MOVBE.
            let done =
                unsafe { assembly::decode_mcus(cursor, window, bounds, tables, al, predictions, slots, mcus, dc) };
            if done > 0 {
                return done;
            }
        }
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
pub(crate) fn refine_mcus(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    al: u8,
    slots: &[Slot],
    mcus: usize,
    dc: &mut [i16],
) -> usize {
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    cpu.run(Refine { cursor, window, bounds, al, slots, mcus, dc })
}

/// The arguments of [`refine_mcus`].
struct Refine<'a> {
    cursor: &'a mut Cursor,
    window: &'a WindowBytes,
    bounds: Bounds,
    al: u8,
    slots: &'a [Slot],
    mcus: usize,
    dc: &'a mut [i16],
}

/// MCUs whose bits are read together, if they are not more than those loaded.
const TOGETHER: usize = 16;

impl Kernel for Refine<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let Refine { cursor, window, bounds, al, slots, mcus, dc } = self;
        let size = slots.len().max(1);
        let (mut done, mut together) = (0, TOGETHER.min(56 / size).max(1));
        while done < mcus {
            let mut at = *cursor;
            at.refill(window);
            let bits = at.bits;
            together = together.min(mcus - done);
            at.skip((size * together) as u32 & 63);
            if cursor.next > bounds.last_start || bounds.are_exceeded(at) {
                if together == 1 {
                    return done;
                }
                // The last ones one by one.
                together = 1;
                continue;
            }
            // An MCU has at most 10 blocks, so a bit in so many is one slot's.
            let first_slots = (0..together).fold(0, |all, mcu| all | 1 << 63 >> ((size * mcu) & 63));
            for (number, slot) in slots.iter().enumerate() {
                let found = extract(simd, bits, first_slots >> (number & 63)) << ((TOGETHER - together) & 15);
                let first = slot.start + done * slot.step;
                refine_row(
                    found as u16,
                    (al & 15).into(),
                    slot.step,
                    dc.get_mut(first..).unwrap_or_default(),
                    together,
                );
            }
            *cursor = at;
            done += together;
        }
        done
    }
}

/// Sets bit `al` of `count` numbers, every `step`th, where `found` has one, the first one's highest.
#[inline(always)]
fn refine_row(found: u16, al: u32, step: usize, dc: &mut [i16], count: usize) {
    let bit = |k: usize| i16::from(found & 1 << (TOGETHER - 1 - k) != 0) << al;
    match dc.first_chunk_mut::<TOGETHER>() {
        Some(row) if step == 1 && count == TOGETHER => row.iter_mut().enumerate().for_each(|(k, to)| *to |= bit(k)),
        _ => dc.iter_mut().step_by(step.max(1)).take(count).enumerate().for_each(|(k, to)| *to |= bit(k)),
    }
}
