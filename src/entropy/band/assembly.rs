//! The symbols of blocks of a first AC scan, in assembly for x86-64-v3.
//!
//! What enters and leaves: as in [`super::symbols`], whose loop is the safe twin of this one, for one block after another.
//! The way from one look-up to the next is a load and two shifts, and all else happens in its shadow. A symbol that ends a
//! block leads to the next one without a branch, since nobody can foresee where that is.
//!
//! Symbols without an entry are left to Rust code between two runs of the assembly. Bits beyond the end of the segment are
//! noticed afterwards.

use std::arch::asm;
use std::mem::offset_of;

use super::symbols::{Scan, State, decode_symbol};
use super::table::{BandTable, NO_ENTRY};
use crate::entropy::End;
use crate::entropy::bits::{Bounds, Cursor};
use crate::entropy::pairs::WINDOW_BITS;
use crate::scans::Block;

/// A block takes at most this many bytes of the window: 63 symbols of at most 16 + 15 bits.
const BLOCK_BYTES: usize = (63usize * 31).div_ceil(8);

/// What the assembly reads now and then.
#[repr(C)]
struct Context {
    /// Where the last coefficient of a block would be that is none.
    end: *const u8,
    /// From the last coefficient of a block to one before the first of the next block.
    to_next: u64,
}

/// Why the assembly stopped.
mod reason {
    /// There is no other block.
    pub const DONE: u64 = 0;
    /// A symbol without an entry.
    pub const SYMBOL: u64 = 1;
    /// A block that is not sound.
    pub const UNSOUND: u64 = 2;
}

/// Decodes blocks, whose bands must be zero, from the first one on. Stops at the first one that is not sound, that might
/// begin near the end of the window, or behind one for which the next ones have no coefficients. Returns how many blocks
/// are decoded, none where something is wrong, and for how many more the last one holds; `None` if it cannot begin here.
///
/// # Safety
/// The processor has BMI1, BMI2 and MOVBE, and the band is inside a block: `scan.low + scan.width <= 63`.
#[inline(always)]
pub(super) unsafe fn decode_blocks(
    cursor: &mut Cursor,
    bounds: Bounds,
    scan: &Scan<'_>,
    blocks: &mut [Block],
) -> Option<(usize, u32)> {
    // Bits kept from before the window are left to who can do without it.
    let start = cursor.bit()?;
    let count = blocks.len().min(Bounds::room(start, BLOCK_BYTES, bounds.readable));
    if count == 0 || cursor.next > bounds.last_start {
        return None;
    }
    let width = 2 * scan.width as usize;
    // As bits, counted from address 0.
    let window = 8 * scan.window.as_ptr().expose_provenance() as u64;
    let mut state = State { at: Cursor::at(scan.window, start), place: scan.low + scan.width as i32 };
    let mut number = 0;
    let (done, run) = loop {
        let base = blocks.as_mut_ptr().cast::<u8>().wrapping_add(2 * scan.low as usize);
        let end = base.wrapping_add(size_of::<Block>() * count).cast_const();
        let context = Context { end, to_next: (size_of::<Block>() + width) as u64 };
        let mut low = base.wrapping_add(size_of::<Block>() * number);
        let mut place = low.wrapping_add(2 * (state.place - scan.low) as usize);
        let mut bit = window + state.at.bit().unwrap_or(start);
        let why: u64;
        // SAFETY: every pointer stays inside what it points to. The window: there is room for the bits of all blocks up to
        // `count`, since each look-up of a block leads at least one coefficient further. The table: an index is 10 bits.
        // The blocks: `place` is above `low` and at most one above the band; the first coefficient is stored above `low`
        // where there are two symbols, at `low` where it is the last of its block, and next to `place` where there is one
        // symbol; the last one at or above `low`; all below `place`. Behind a block comes the next one, or the end. The
        // instructions are those that the caller's processor has; the stack is not used.
        unsafe {
            asm!(
                "mov {index}, {bits}",
                "shr {index}, {SHIFT}",
                "2:",
                "movzx ecx, byte ptr [{entries} + {index}]",
                "movsx {first}, byte ptr [{entries} + {index} + {CHECK}]",
                "movsx {last}, byte ptr [{entries} + {index} + {LAST}]",
                "add {first}, {place}",
                "cmp {first}, {low}",
                "jbe 3f",
                "add {last}, {place}",
                "movsx {first}, byte ptr [{entries} + {index} + {FIRST}]",
                "cmp {last}, {low}",
                "jb 5f",
                "sete {a:l}",
                // The index of the next look-up.
                "shlx {b}, {bits}, rcx",
                "add {first}, {place}",
                "rol {bits}, cl",
                "shr {b}, {SHIFT}",
                "add {bit}, rcx",
                // Two coefficients. A value has the last bits that were read, and is negative if less than half of them.
                "movzx ecx, byte ptr [{entries} + {index} + {SIZE}]",
                "bzhi {value}, {bits}, rcx",
                "movzx ecx, word ptr [{entries} + {index} * 2 + {FIRST_VALUE}]",
                "movsx {bits:e}, word ptr [{entries} + {index} * 2 + {BIAS}]",
                "shlx ecx, ecx, {al:e}",
                "add {bits:e}, {value:e}",
                "cmp {value:x}, word ptr [{entries} + {index} * 2 + {HALF}]",
                "cmovb {value:e}, {bits:e}",
                "mov [{first}], cx",
                "shlx {value:e}, {value:e}, {al:e}",
                "mov [{last}], {value:x}",
                load_bits!(),
                // If the band ends, that was the block.
                "mov {value}, [{context} + {TO_NEXT}]",
                "lea {first}, [{low} + {BLOCK}]",
                "add {value}, {low}",
                "or {a:l}, byte ptr [{entries} + {index} + {END}]",
                "cmovne {last}, {value}",
                "cmovne {low}, {first}",
                "mov {index:e}, {b:e}",
                "mov {place}, {last}",
                "cmp {low}, [{context} + {END_OF_BLOCKS}]",
                "jne 2b",
                "jmp 4f",
                // No entry, or the first symbol fills the band, and the second is the next block's.
                "3:",
                "movsx {first}, byte ptr [{entries} + {index} + {CHECK}]",
                "cmp {first}, {NO_ENTRY}",
                "je 6f",
                "add {first}, {place}",
                "cmp {first}, {low}",
                "jne 5f",
                "movzx {value:e}, word ptr [{entries} + {index} * 2 + {FIRST_VALUE}]",
                "movzx ecx, byte ptr [{entries} + {index} + {FIRST_TOTAL}]",
                "shlx {value:e}, {value:e}, {al:e}",
                "shlx {index}, {bits}, rcx",
                "mov [{first}], {value:x}",
                "shr {index}, {SHIFT}",
                "add {bit}, rcx",
                load_bits!(),
                "mov {place}, [{context} + {TO_NEXT}]",
                "add {place}, {low}",
                "add {low}, {BLOCK}",
                "cmp {low}, [{context} + {END_OF_BLOCKS}]",
                "jne 2b",
                "4:",
                "xor {a:e}, {a:e}",
                "jmp 7f",
                "5:",
                "mov {a:e}, {UNSOUND}",
                "jmp 7f",
                "6:",
                "mov {a:e}, {SYMBOL}",
                "7:",
                bits = inout(reg) state.at.bits => _,
                bit = inout(reg) bit,
                place = inout(reg) place,
                low = inout(reg) low,
                entries = in(reg) &raw const *scan.entries,
                context = in(reg) &raw const context,
                al = in(reg) u64::from(scan.al),
                index = out(reg) _,
                first = out(reg) _,
                last = out(reg) _,
                value = out(reg) _,
                a = out(reg) why,
                b = out(reg) _,
                out("rcx") _,
                SHIFT = const 64 - WINDOW_BITS,
                BLOCK = const size_of::<Block>(),
                TO_NEXT = const offset_of!(Context, to_next),
                END_OF_BLOCKS = const offset_of!(Context, end),
                FIRST_TOTAL = const offset_of!(BandTable, first_total),
                FIRST = const offset_of!(BandTable, first),
                LAST = const offset_of!(BandTable, last),
                CHECK = const offset_of!(BandTable, check),
                END = const offset_of!(BandTable, end),
                SIZE = const offset_of!(BandTable, size),
                HALF = const offset_of!(BandTable, half),
                BIAS = const offset_of!(BandTable, bias),
                FIRST_VALUE = const offset_of!(BandTable, first_value),
                NO_ENTRY = const NO_ENTRY,
                UNSOUND = const reason::UNSOUND,
                SYMBOL = const reason::SYMBOL,
                options(nostack),
            );
        }
        number = (low.addr() - base.addr()) / size_of::<Block>();
        let place = scan.low + (place.addr().wrapping_sub(low.addr()) / 2) as i32;
        state = State { at: Cursor::at(scan.window, bit - window), place };
        let end = match why {
            reason::DONE => break (count, 0),
            reason::SYMBOL => decode_symbol(&mut state, scan, &mut blocks[number]),
            _ => Some(End::Unsound),
        };
        match end {
            None => {}
            Some(End::Sound(0)) if number + 1 < count => {
                number += 1;
                state.place = scan.low + scan.width as i32;
            }
            Some(End::Sound(run)) => break (number + 1, run),
            Some(End::Unsound) => break (0, 0),
        }
    };
    if done == 0 || state.at.bit().is_none_or(|bit| bit > bounds.bits as u64) {
        for block in &mut blocks[..count] {
            block[scan.low as usize..][..scan.width as usize].fill(0);
        }
        return Some((0, 0));
    }
    *cursor = state.at;
    Some((done, run))
}
