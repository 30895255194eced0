//! MCUs of a first DC scan, in assembly for x86-64-v3.
//!
//! What enters and leaves: as in [`super::First`], whose loop is the safe twin of this one. The way from one look-up to the
//! next is a load and two shifts, and all else happens in its shadow. Only MCUs that begin well before the end of what the
//! window holds are decoded here, and of these as many as have nothing odd.

use std::arch::asm;
use std::mem::offset_of;

use super::{Categories, Slot};
use crate::entropy::bits::{Bounds, Cursor, WindowBytes};
use crate::entropy::pairs::WINDOW_BITS;

/// The most blocks of an MCU: T.81 has 10.
const MOST_BLOCKS: usize = 16;

/// A block takes less than this many bytes of the window: at most 10 + 15 bits.
const BLOCK_BYTES: usize = 4;

/// One block of an MCU.
#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    categories: *const u16,
    prediction: *mut i32,
    /// Its next coefficient, and how many bytes are from there to the one after.
    to: *mut i16,
    step: usize,
    /// Where the bits of the last one began.
    start: u64,
    /// The place after it; after the last comes the first.
    next: *const Place,
}

/// By the number of bits of a value: the least that is positive, and what is added to one that is less (T.81 F.2.2.1, EXTEND).
static EXTEND: [[i32; 2]; 16] = {
    let (mut table, mut size) = ([[0; 2]; 16], 0);
    while size < 16 {
        table[size] = [1 << size >> 1, 1 - (1 << size)];
        size += 1;
    }
    table
};

/// Decodes whole MCUs, up to `mcus`, and returns how many; coefficients of the next one may be overwritten.
///
/// # Safety
/// The processor has BMI1, BMI2 and MOVBE.
#[allow(clippy::too_many_arguments)] // one call
pub(super) unsafe fn decode_mcus(
    cursor: &mut Cursor,
    window: &WindowBytes,
    bounds: Bounds,
    tables: [&Categories; 4],
    al: u8,
    predictions: &mut [i32; 4],
    slots: &[Slot],
    mcus: usize,
    dc: &mut [i16],
) -> usize {
    // Bits kept from before the window are left to who can do without it.
    let Some(start) = cursor.bit() else { return 0 };
    let size = slots.len();
    let mcus = mcus.min(Bounds::room(start, BLOCK_BYTES * size.max(1), bounds.filled));
    let is_inside = |slot: &Slot| {
        slot.step
            .checked_mul(mcus.wrapping_sub(1))
            .is_some_and(|last| last.checked_add(slot.start).is_some_and(|last| last < dc.len()))
    };
    // Predictions that damage left out of range are for who keeps them.
    let is_in_range = |&sum: &i32| i32::from((sum << (al & 15)) as i16) >> (al & 15) == sum;
    let is_sound = predictions.iter().all(is_in_range) && slots.iter().all(is_inside);
    if mcus == 0 || size == 0 || size > MOST_BLOCKS || !is_sound {
        return 0;
    }
    let mut sums = *predictions;
    let sums = sums.as_mut_ptr();
    let base = dc.as_mut_ptr();
    let place = |block: usize| {
        let slot = slots[block % size];
        let in_scan = usize::from(slot.in_scan & 3);
        Place {
            categories: tables[in_scan].as_ptr(),
            prediction: sums.wrapping_add(in_scan),
            to: base.wrapping_add(slot.start),
            step: slot.step * size_of::<i16>(),
            start,
            next: std::ptr::null(),
        }
    };
    let mut places: [Place; MOST_BLOCKS] = std::array::from_fn(place);
    let ring = (&raw mut places).cast::<Place>();
    for i in 0..MOST_BLOCKS {
        let next = ring.wrapping_add((i + 1) % size);
        // SAFETY: it is one of `places`, which are used by this pointer from here on.
        unsafe { (*ring.wrapping_add(i)).next = next };
    }
    let first_byte = 8 * window.as_ptr().expose_provenance() as u64;
    let mut bit = first_byte + start;
    let mut left = mcus * size;
    // SAFETY: every pointer stays inside what it points to. The window: there is room for the bits of all blocks and what a
    // load looks ahead. The tables: an index is 10 bits, a size 4. The places are a ring, each with a coefficient inside
    // `dc` for each of `mcus` MCUs; more are not decoded, as `left` counts them. The instructions are those that the
    // caller's processor has; the stack is not used.
    unsafe {
        asm!(
            "mov {index}, {bits}",
            "shr {index}, {SHIFT}",
            "2:",
            "mov {a}, [{place} + {CATEGORIES}]",
            "movzx ecx, byte ptr [{a} + {index} * 2]",
            "movzx {a:e}, byte ptr [{a} + {index} * 2 + 1]",
            "mov [{place} + {START}], {bit}",
            "test ecx, ecx",
            "jz 3f",
            // The index of the next look-up.
            "shlx {index}, {bits}, rcx",
            "add {bit}, rcx",
            "rol {bits}, cl",
            "shr {index}, {SHIFT}",
            // The difference, and what it is added to.
            "bzhi {value}, {bits}, {a}",
            "mov {bits:e}, [{extend} + {a} * 8 + 4]",
            "add {bits:e}, {value:e}",
            "cmp {value:e}, [{extend} + {a} * 8]",
            "cmovl {value:e}, {bits:e}",
            "mov {a}, [{place} + {PREDICTION}]",
            "add {value:e}, [{a}]",
            "mov [{a}], {value:e}",
            "shlx {value:e}, {value:e}, {al:e}",
            "mov {a}, [{place} + {TO}]",
            "movsx ecx, {value:x}",
            "mov [{a}], {value:x}",
            "add {a}, [{place} + {STEP}]",
            "cmp ecx, {value:e}",
            "jne 3f",
            "mov [{place} + {TO}], {a}",
            // The bits behind it.
            load_bits!(),
            "mov {place}, [{place} + {NEXT}]",
            "dec {left}",
            "jnz 2b",
            "3:",
            bits = inout(reg) Cursor::at(window, start).bits => _,
            bit = inout(reg) bit,
            place = inout(reg) ring.cast_const() => _,
            left = inout(reg) left,
            extend = in(reg) EXTEND.as_ptr(),
            al = in(reg) u64::from(al & 15),
            index = out(reg) _,
            value = out(reg) _,
            a = out(reg) _,
            out("rcx") _,
            SHIFT = const 64 - WINDOW_BITS,
            CATEGORIES = const offset_of!(Place, categories),
            PREDICTION = const offset_of!(Place, prediction),
            TO = const offset_of!(Place, to),
            STEP = const offset_of!(Place, step),
            START = const offset_of!(Place, start),
            NEXT = const offset_of!(Place, next),
            options(nostack),
        );
    }
    let whole = (mcus * size - left) / size;
    if whole == 0 {
        return 0;
    }
    // Where the next MCU begins: here, or where the one began that is not whole.
    // SAFETY: as above.
    let behind = if left == 0 { bit } else { unsafe { (*ring).start } };
    *cursor = Cursor::at(window, behind - first_byte);
    for slot in slots {
        predictions[usize::from(slot.in_scan & 3)] = i32::from(dc[slot.start + (whole - 1) * slot.step]) >> (al & 15);
    }
    whole
}
