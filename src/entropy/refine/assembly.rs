//! The symbols of blocks of an AC refinement scan, in assembly for x86-64-v3.
//!
//! What enters and leaves: as in [`super::symbols`], whose loop is the safe twin of this one, for one block after another.
//! The way from one look-up to the next is two loads, a comparison and two shifts, and all else happens in its shadow. A
//! symbol that ends a block leads to the next one without a branch, since nobody can foresee where that is.
//!
//! Symbols without an entry are left to Rust code between two runs of the assembly, and so are blocks that end with their last
//! coefficient. Bits beyond the end of the segment are noticed afterwards.

use std::arch::asm;
use std::mem::offset_of;

use super::symbols::{MOST_BITS, Plan, State, decode_symbol, end_block};
use super::table::{END_OF_BAND, FURTHEST, StepTable};
use crate::entropy::bits::{Bounds, Cursor, WindowBytes};
use crate::entropy::pairs::WINDOW_BITS;
use crate::entropy::{End, HuffmanTable};

/// A block takes less than this many bytes of the window, with one look-up of the next: no look-up here takes more than 46
/// bits. (All of its at most 63 symbols of 17 bits, an end of 30 and 63 correction bits are 148 bytes.)
const BLOCK_BYTES: usize = (64 * MOST_BITS as usize).div_ceil(8);

/// Decodes blocks of `plans` from number `next` on, all but the last one, which is none. Stops at the first one that is not
/// sound, that begins near the end of the window, or behind one for which the next ones have no new coefficients. Returns the
/// number of the first that is not decoded, and for how many that one holds; `None` if it cannot begin here.
///
/// # Safety
/// The processor has BMI1, BMI2 and MOVBE.
#[inline(always)]
pub(super) unsafe fn decode_blocks(
    cursor: &mut Cursor,
    window: &WindowBytes,
    bounds: Bounds,
    (table, steps): (&HuffmanTable, &StepTable),
    plans: &mut [Plan],
    next: usize,
) -> Option<(usize, u32)> {
    // Bits kept from before the window are left to who can do without it.
    let start = cursor.bit()?;
    let last = (plans.len() - 1).min(next + Bounds::room(start, BLOCK_BYTES, bounds.readable));
    if next >= last || cursor.next > bounds.last_start {
        return None;
    }
    // As bits, counted from address 0.
    let first_bit = 8 * window.as_ptr().expose_provenance() as u64;
    // No place in the row of the last one is one that symbols may lead to.
    let kept = std::mem::replace(&mut plans[last].limit_in_row, std::ptr::null());
    plans[next].start = first_bit + start;
    let mut at = next;
    let mut state = State { at: Cursor::at(window, start), left: plans[next].row.0[0].into() };
    let (done, run) = loop {
        let reached = plans[at].reached as usize;
        let base = plans.as_mut_ptr();
        let mut plan = base.wrapping_add(at);
        let mut place = plan.cast::<u8>().cast_const().wrapping_add(reached);
        let mut bit = first_bit + state.at.bit().unwrap_or(start);
        let (index, passed, corrections, more, is_end, left): (u64, u64, u64, u64, u64, u64);
        // SAFETY: every pointer stays inside what it points to. The window: there is room for the bits of all blocks from
        // `next` to `last`, since each look-up of a block leads at least 1 further, none beyond 63 is followed by another
        // one, and all of a block's bits and one look-up more are fewer than `BLOCK_BYTES`. The table: an index is 10 bits,
        // or `ALONE`. The plans: a block that ends is followed by another one, and of the last one no look-up leads on; a
        // row has 176 bytes, of which at most 63 + 112 is asked for (`StepTable`). The instructions are those that the
        // caller's processor has; the stack is not used.
        unsafe {
            asm!(
                "mov {index}, {bits}",
                "shr {index}, {SHIFT}",
                // Symbols. Whether one of them counts or two is seen by how many coefficients with history are behind the
                // first.
                "2:",
                "movzx {first:e}, byte ptr [{steps} + {index} + {FIRST}]",
                "movzx {passed:e}, byte ptr [{steps} + {index} + {BOTH}]",
                "movzx {a:e}, byte ptr [{place} + {first}]",
                "movzx {b:e}, byte ptr [{place} + {passed}]",
                "movzx {more:e}, byte ptr [{steps} + {index} + {FIRST_TOTAL}]",
                "movzx ecx, byte ptr [{steps} + {index} + {TOTAL}]",
                "add {more:e}, {left:e}",
                "add ecx, {left:e}",
                "sub {more:e}, {a:e}",
                "sub ecx, {b:e}",
                "cmp {a:e}, {left:e}",
                "cmovne ecx, {more:e}",
                "cmovne {passed:e}, {first:e}",
                "cmovne {index:e}, [{steps} + {ALONE}]",
                "cmp ecx, {MOST_BITS}",
                "ja 5f",
                // The index of the next look-up.
                "shlx {b}, {bits}, rcx",
                "mov {more}, {bits}",
                "mov {a:e}, {left:e}",
                "shr {b}, {SHIFT}",
                // Correction bits.
                "add {bit}, rcx",
                "rol {more}, cl",
                "movzx ecx, byte ptr [{place} + {passed}]",
                "sub {a:e}, ecx",
                "mov rcx, [{plan} + {CORRECTIONS}]",
                "bzhi {bits}, {more}, {a}",
                "shlx rcx, rcx, {a}",
                "or rcx, {bits}",
                "mov [{plan} + {CORRECTIONS}], rcx",
                // The bits behind these, loaded anew.
                load_bits!(),
                // New coefficients, up to the last one.
                "mov {first:e}, {passed:e}",
                "and {first:e}, {FURTHEST}",
                "lea rcx, [{place} + {first}]",
                "cmp rcx, [{plan} + {LIMIT}]",
                "ja 3f",
                "mov [{plan} + {REACHED}], rcx",
                "mov {place}, rcx",
                "mov {left}, [{plan} + {NEW}]",
                "movzx ecx, word ptr [{steps} + {index} * 4 + {PATTERN}]",
                "shlx {left}, {left}, {first}",
                "or {left}, rcx",
                "mov [{plan} + {NEW}], {left}",
                // If the band ends, that was the block, and there is no sign.
                "lea rcx, [{plan} + {SIZE}]",
                "mov [rcx + {START}], {bit}",
                "cmp {passed:e}, {FURTHEST}",
                "mov {passed}, {plan}",
                "cmova {more}, [{steps} + {ZERO}]",
                "cmova {place}, rcx",
                "cmova {passed}, rcx",
                // The sign comes in by the carry.
                "mov {left}, [{plan} + {POSITIVE}]",
                "movzx ecx, word ptr [{steps} + {index} * 4 + {PATTERN} + 2]",
                "shlx {left}, {left}, {first}",
                "bt {more}, {a}",
                "adc {left}, rcx",
                "mov [{plan} + {POSITIVE}], {left}",
                "mov {plan}, {passed}",
                "movzx {left:e}, byte ptr [{place}]",
                "mov {index:e}, {b:e}",
                "jmp 2b",
                "3:",
                "mov {b:e}, 1",
                "jmp 6f",
                "5:",
                "xor {b:e}, {b:e}",
                "6:",
                bits = inout(reg) state.at.bits => _,
                bit = inout(reg) bit,
                place = inout(reg) place,
                left = inout(reg) u64::from(state.left) => left,
                steps = in(reg) &raw const *steps,
                plan = inout(reg) plan,
                index = out(reg) index,
                first = out(reg) _,
                passed = out(reg) passed,
                a = out(reg) corrections,
                b = out(reg) is_end,
                more = out(reg) more,
                out("rcx") _,
                SHIFT = const 64 - WINDOW_BITS,
                MOST_BITS = const MOST_BITS,
                FURTHEST = const FURTHEST,
                SIZE = const size_of::<Plan>(),
                START = const offset_of!(Plan, start),
                LIMIT = const offset_of!(Plan, limit_in_row),
                CORRECTIONS = const offset_of!(Plan, corrections),
                NEW = const offset_of!(Plan, new),
                POSITIVE = const offset_of!(Plan, positive),
                REACHED = const offset_of!(Plan, reached),
                FIRST = const offset_of!(StepTable, first),
                BOTH = const offset_of!(StepTable, both),
                FIRST_TOTAL = const offset_of!(StepTable, first_total),
                TOTAL = const offset_of!(StepTable, total),
                PATTERN = const offset_of!(StepTable, pattern),
                ALONE = const offset_of!(StepTable, alone),
                ZERO = const offset_of!(StepTable, zero),
                options(nostack),
            );
        }
        at = (plan.addr() - base.addr()) / size_of::<Plan>();
        let reached = place.addr() - plan.addr();
        let here = &mut plans[at];
        let start_of = |plan: &Plan| Cursor::at(window, plan.start - first_bit);
        if at == last {
            state.at = start_of(here);
            break (at, 0);
        }
        here.reached = reached as u64;
        state = State { at: Cursor::at(window, bit - first_bit), left: left as u32 };
        let end = if is_end == 0 {
            decode_symbol(&mut state, window, table, here)
        } else {
            let more = more >> (corrections & 63);
            Some(end_block(&mut state, window, steps, here, index as usize, passed, more))
        };
        match end {
            None => {}
            Some(End::Unsound) => {
                state.at = start_of(here);
                here.clear();
                break (at, 0);
            }
            Some(End::Sound(0)) => {
                at += 1;
                let behind = &mut plans[at];
                (behind.start, behind.reached) = (first_bit + state.at.bit().unwrap_or(start), 0);
                state.left = behind.row.0[0].into();
            }
            Some(End::Sound(run)) => break (at + 1, run),
        }
    };
    plans[last].limit_in_row = kept;
    plans[last].clear();
    if done == next || state.at.bit().is_none_or(|bit| bit > bounds.bits as u64) {
        plans[next..].iter_mut().for_each(Plan::clear);
        return Some((next, 0));
    }
    *cursor = state.at;
    Some((done, run))
}

const _: () = assert!(END_OF_BAND > FURTHEST && END_OF_BAND.is_multiple_of(FURTHEST + 1));
