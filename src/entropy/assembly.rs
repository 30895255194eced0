//! Whole MCUs of sequential Huffman scans, in assembly for x86-64-v3.
//!
//! What enters and leaves: as in [`super::fast`], whose loop is the safe twin of this one. A compiler puts the arithmetic of a
//! value before the shift that the next look-up waits for; here the shift comes first, and all else happens in its shadow.
//!
//! Only blocks that begin well before the end of what the window holds are decoded here. Codes longer than a look-up, and
//! blocks whose last coefficient is the first of its pair, are left to Rust code between two runs of the assembly. Anything
//! else that is odd ends the decoding before the MCU it is in.

use std::arch::asm;

use super::bits::{Bounds, Cursor, WindowBytes};
use super::fast::{BlockTables, SLACK, look_up_long};
use super::pairs::{END_OF_BLOCK, Pair, WINDOW_BITS};
use crate::scans::Block;

/// The most blocks of an MCU: T.81 has 10.
const MOST_BLOCKS: usize = 16;

/// A block takes less than this many bytes of the window: 64 look-ups of at most 25 bits.
const BLOCK_BYTES: usize = 216;

/// One block of an MCU.
#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    dc: *const u16,
    pairs: *const Pair,
    prediction: *mut i32,
    /// The place after it; after the last comes the first.
    next: *const Place,
    /// Where decoding stood before the last block of this place: byte and bits left.
    start: *const u8,
    count: u64,
}

/// What the assembly reads now and then.
#[repr(C)]
struct Context {
    /// The place of the next block.
    place: *const Place,
    /// Blocks begin up to this byte of the window.
    last_start: *const u8,
    /// Where the blocks to be decoded end.
    stop: *const i16,
}

/// Why the assembly stopped.
mod reason {
    /// A code longer than a look-up.
    pub const LONG: u64 = 0;
    /// The last coefficient was not the last of its pair, or went too far.
    pub const END: u64 = 1;
    /// A block could not begin, or there is no other.
    pub const BOUNDARY: u64 = 2;
    /// A DC coefficient beyond 16 bits.
    pub const OVERFLOW: u64 = 3;
}

/// What `index` tells the assembly when it is entered: in the middle of a block, or before one.
const INSIDE: u64 = 0;
const OUTSIDE: u64 = u64::MAX;

/// Tops up to at least 56 bits, of which `count` below 64 counts. In three pieces, since a look-up puts its own work between.
macro_rules! refill {
    () => {
        concat!(refill!(load), refill!(fill), refill!(advance))
    };
    (load) => {
        "mov {a}, [{next}]\nbswap {a}\n"
    };
    (fill) => {
        "shrx {a}, {a}, {count}\nmov {b:e}, {count:e}\nor {bits}, {a}\nnot {b:e}\n"
    };
    (advance) => {
        "or {count:e}, 56\nshr {b:e}, 3\nand {b:e}, 7\nadd {next}, {b}\n"
    };
}

/// The index of the next look-up.
macro_rules! look_ahead {
    ($index:literal) => {
        concat!("mov {", $index, "}, {bits}\nshr {", $index, "}, {SHIFT}\n")
    };
}

/// The signed number at the top of `value` (T.81 F.2.2.1, EXTEND), which has 63 - `b` bits.
macro_rules! extend {
    () => {
        concat!(
            "mov {a}, {value}\nsar {a}, 63\nshr {value}, 1\nnot {a}\nshrx {value}, {value}, {b}\n",
            "shr {a}, 1\nshrx {a}, {a}, {b}\nsub {value:e}, {a:e}\n"
        )
    };
}

/// A field of the entry at `index`, zero-extended.
macro_rules! field {
    ($to:literal, $size:literal, $index:literal, $offset:literal) => {
        concat!("movzx {", $to, ":e}, ", $size, " ptr [{pairs} + {", $index, "} * 8 + ", $offset, "]\n")
    };
}

/// One or two coefficients: by `index`, with `other` the index of the look-up after; with `refill` the bits are topped up for
/// that one.
macro_rules! look_up {
    ($index:literal, $other:literal, $end:literal) => {
        look_up!($index, $other, $end, [""] [""] [""])
    };
    ($index:literal, $other:literal, $end:literal, refill) => {
        look_up!($index, $other, $end, [refill!(load)] [refill!(fill)] [refill!(advance)])
    };
    ($index:literal, $other:literal, $end:literal, [$($load:tt)*] [$($fill:tt)*] [$($advance:tt)*]) => {
        concat!(
            field!("total", "byte", $index, 0),
            field!("to", "byte", $index, 3),
            $($load)*,
            "mov {value}, {bits}\nshlx {bits}, {bits}, {total}\nsub {count:e}, {total:e}\n",
            $($fill)*,
            look_ahead!($other),
            "lea {to}, [{position} + {to} * 2]\n",
            $($advance)*,
            "test {total:e}, {total:e}\njz 9f\n",
            field!("a", "byte", $index, 4),
            field!("b", "word", $index, 6),
            "mov [{position} + {a} * 2], {b:x}\nmov {position}, {to}\n",
            field!("a", "byte", $index, 1),
            field!("b", "byte", $index, 2),
            "shlx {value}, {value}, {a}\n",
            extend!(),
            "mov [{to}], {value:x}\ncmp {to}, {last}\njae ",
            $end
        )
    };
}

/// Decodes whole MCUs as [`super::fast::decode_mcus`] does, but stops well before the end of the window.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn decode_mcus(
    cursor: &mut Cursor,
    window: &WindowBytes,
    bounds: Bounds,
    tables: &[BlockTables<'_>; 4],
    predictions: &mut [i32; 4],
    order: &[u8],
    blocks: &mut [Block],
) -> usize {
    let size = order.len().max(1);
    let mcus = blocks.len().saturating_sub(SLACK) / size;
    let Some(last_start) = bounds.filled.checked_sub(BLOCK_BYTES) else { return 0 };
    if mcus == 0 || order.len() > MOST_BLOCKS || cursor.next > last_start {
        return 0;
    }
    let of = |block: usize| order.get(block % size).map_or(0, |&of| usize::from(of & 3));
    let mut sums = *predictions;
    let sums = sums.as_mut_ptr();
    let place = |block: usize| {
        let BlockTables { dc, pairs, .. } = tables[of(block)];
        let (dc, pairs, prediction) = (dc.lookup.as_ptr(), pairs.as_ptr(), sums.wrapping_add(of(block)));
        Place { dc, pairs, prediction, next: std::ptr::null(), start: std::ptr::null(), count: 0 }
    };
    let mut places: [Place; MOST_BLOCKS] = std::array::from_fn(place);
    let ring = places.as_mut_ptr();
    places.iter_mut().enumerate().for_each(|(i, place)| place.next = ring.wrapping_add((i + 1) % size));
    let base = blocks.as_mut_ptr().cast::<i16>();
    let first = window.as_ptr();
    let mut context =
        Context { place: ring, last_start: first.wrapping_add(last_start), stop: base.wrapping_add(64 * mcus * size) };
    let mut at = *cursor;
    // Where the last coefficient is, and where the last one of its block would be.
    let (mut position, mut last) = (base, base.wrapping_sub(1));
    let mut pairs = places[0].pairs;
    let mut index = OUTSIDE;
    let is_boundary = loop {
        let why: u64;
        let count: u64;
        let mut next = first.wrapping_add(at.next);
        // SAFETY: every pointer stays inside what it points to. The window: a block begins at or before `last_start`, which is
        // before `filled`; a refill moves on by at most 7 bytes, and a block has at most 63 look-ups with at most 3 refills
        // each, so that the last load ends inside the reserve behind `filled`. Tables: an index is 10 bits. Blocks: one begins
        // before `stop`; look-ups begin at its coefficient 62 or before and lead 1..=144 further (`pairs::fill`), at most
        // to 206 of the 256 places that a block and the slack behind it have. Look-ups end, since each leads further. The
        // instructions are those of this function's features; the stack is not used.
        unsafe {
            asm!(
                "test {index:e}, {index:e}",
                "js 20f",
                refill!(),
                look_ahead!("index"),
                "jmp 24f",
                // A block begins.
                "20:",
                "mov {to}, [{context}]",
                "lea {position}, [{last} + 2]",
                "cmp {position}, [{context} + 16]",
                "je 7f",
                "cmp {next}, [{context} + 8]",
                "ja 7f",
                "mov [{to} + 32], {next}",
                "mov [{to} + 40], {count}",
                refill!(),
                look_ahead!("other"),
                "mov {a}, [{to}]",
                "movzx {total:e}, word ptr [{a} + {other} * 2]",
                "mov {pairs}, [{to} + 8]",
                "mov {a:e}, {total:e}",
                "and {total:e}, 15",
                "mov {b:e}, {total:e}",
                "shr {a:e}, 8",
                "jz 7f",
                "add {total:e}, {a:e}",
                "mov {value}, {bits}",
                "shlx {bits}, {bits}, {total}",
                "sub {count:e}, {total:e}",
                look_ahead!("index"),
                "vpxor {zero}, {zero}, {zero}",
                "vmovdqu [{position}], {zero}",
                "vmovdqu [{position} + 32], {zero}",
                "vmovdqu [{position} + 64], {zero}",
                "vmovdqu [{position} + 96], {zero}",
                "shlx {value}, {value}, {a}",
                "xor {b:e}, 63",
                extend!(),
                "mov {b}, [{to} + 16]",
                "mov {a}, [{to} + 24]",
                "add {value:e}, [{b}]",
                "movsx {total:e}, {value:x}",
                "cmp {total:e}, {value:e}",
                "jne 5f",
                "mov [{context}], {a}",
                "mov [{b}], {value:e}",
                "mov [{position}], {value:x}",
                "add {last}, 128",
                "jmp 24f",
                // Its AC coefficients, four at most in a round.
                "2:",
                look_up!("other", "index", "31f"),
                "24:",
                look_up!("index", "other", "41f", refill),
                "jmp 2b",
                // At or past the last coefficient. Nothing further, or what the end of a block leads to.
                "31:",
                "mov {index:e}, {other:e}",
                "41:",
                "sub {to}, {last}",
                "lea {b}, [{to} - 2]",
                "cmp {b}, 62",
                "jbe 6f",
                "cmp {to}, 256",
                "jb 20b",
                "6:",
                "mov {other:e}, {END}",
                "jmp 8f",
                "5:",
                "mov {other:e}, {OVERFLOW}",
                "jmp 8f",
                "7:",
                "mov {other:e}, {BOUNDARY}",
                "jmp 8f",
                "9:",
                "mov {other:e}, {LONG}",
                "8:",
                bits = inout(reg) at.bits,
                count = inout(reg) u64::from(at.count) => count,
                next = inout(reg) next,
                position = inout(reg) position,
                last = inout(reg) last,
                pairs = inout(reg) pairs,
                index = inout(reg) index,
                other = out(reg) why,
                context = in(reg) &raw mut context,
                total = out(reg) _,
                to = out(reg) _,
                value = out(reg) _,
                a = out(reg) _,
                b = out(reg) _,
                zero = out(ymm_reg) _,
                SHIFT = const 64 - WINDOW_BITS,
                END = const reason::END,
                OVERFLOW = const reason::OVERFLOW,
                BOUNDARY = const reason::BOUNDARY,
                LONG = const reason::LONG,
                options(nostack),
            );
        }
        at = Cursor { bits: at.bits, count: count as u32, next: next.addr() - first.addr() };
        match why {
            reason::BOUNDARY => break true,
            reason::OVERFLOW => break false,
            _ => {}
        }
        // The block it happened in, and how far the look-up led.
        let block = begun(last, base) - 1;
        let k = (position.addr() - base.addr()) / size_of::<i16>() - 64 * block;
        let BlockTables { ac, pairs, .. } = tables[of(block)];
        let goes_on = if why == reason::LONG {
            look_up_long(at, window, ac).and_then(|(next, advance, value)| {
                let k = k + advance;
                if k < 64 {
                    position = base.wrapping_add(64 * block + k);
                    // SAFETY: the place is one of its block.
                    unsafe { position.write(value) };
                }
                at = next;
                index = if k < 63 { INSIDE } else { OUTSIDE };
                (k <= 63 || k >= usize::from(END_OF_BLOCK)).then_some(())
            })
        } else {
            let pair = &pairs[index as usize % pairs.len()];
            let (first, over) = (k + usize::from(pair.first_advance), usize::from(pair.total - pair.first_total));
            index = OUTSIDE;
            // The second of the pair belongs to the next block.
            at.back(window, over).filter(|_| first == 63 + usize::from(pair.advance) && over > 0).map(|back| at = back)
        };
        if goes_on.is_none() {
            // The block is none.
            last = last.wrapping_sub(64);
            break false;
        }
    };
    let whole = begun(last, base) / size;
    if whole == 0 {
        return 0;
    }
    if !is_boundary || !begun(last, base).is_multiple_of(size) {
        // Back to where the MCU began.
        let Place { start, count, .. } = places[0];
        let start = Cursor { bits: 0, count: count as u32, next: start.addr() - first.addr() };
        let Some(start) = start.back(window, 0) else { return 0 };
        at = start;
    }
    *cursor = at;
    for (i, &of) in order.iter().enumerate() {
        predictions[usize::from(of & 3)] = blocks[(whole - 1) * size + i][0].into();
    }
    whole
}

/// How many blocks were begun.
fn begun(last: *const i16, base: *const i16) -> usize {
    (last.addr() + size_of::<i16>() - base.addr()) / size_of::<Block>()
}
