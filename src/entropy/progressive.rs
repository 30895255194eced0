//! One block of a progressive Huffman scan (T.81 annex G).
//!
//! Four kinds of scan, one function each. Blocks keep their state between scans; `al` is the bit position that a scan
//! adds.

use super::{Band, BitReader, Flaws, HuffmanTable};
use crate::scans::Block;

/// First DC scan (T.81 G.1.2.1): as in sequential scans, shifted left by `al` (0..=13).
#[inline]
pub(crate) fn decode_dc_first(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    al: u8,
    prediction: &mut i32,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    bits.refill();
    let category = u32::from(table.read_symbol(bits, flaws));
    *prediction = prediction.wrapping_add(bits.read_extended(category));
    block[0] = flaws.store(prediction.wrapping_shl(al.into()));
}

/// DC refinement (T.81 G.1.2.1): one bit a block.
#[inline]
pub(crate) fn decode_dc_refine(bits: &mut BitReader<'_>, al: u8, block: &mut Block) {
    bits.refill();
    block[0] |= (bits.read(1) as i16) << al;
}

/// First AC scan (T.81 G.1.2.2). `eob_run` counts the blocks, this one included, that have no further coefficients.
#[inline]
pub(crate) fn decode_ac_first(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    if *eob_run > 0 {
        *eob_run -= 1;
        return;
    }
    let mut k = band.ss;
    while k <= band.se {
        bits.refill();
        let symbol = table.read_symbol(bits, flaws);
        let (run, category) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if category > 0 {
            k += run;
            flaws.run_past_end |= k > band.se;
            let value = bits.read_extended(category) << band.al;
            block[k.min(63)] = flaws.store(value);
            k += 1;
        } else if run == 15 {
            k += 16;
            flaws.run_past_end |= k > band.se + 1;
        } else {
            // EOBn: a run of 2^n + (n more bits) blocks, this one included.
            *eob_run = (1 << run) + bits.read(run as u32) - 1;
            break;
        }
    }
}

/// AC refinement (T.81 G.1.2.3): a correction bit for each coefficient with history, and new coefficients of magnitude 1.
#[inline]
pub(crate) fn decode_ac_refine(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    let bit = 1i16 << band.al;
    let mut k = band.ss;
    if *eob_run == 0 {
        while k <= band.se {
            bits.refill();
            let symbol = table.read_symbol(bits, flaws);
            let (mut run, category) = (u32::from(symbol >> 4), symbol & 15);
            let mut value = 0;
            if category > 0 {
                // New coefficients have magnitude 1; libjpeg warns and goes on.
                flaws.bad_code |= category != 1;
                value = if bits.read(1) == 1 { bit } else { -bit };
            } else if run < 15 {
                *eob_run = (1 << run) + bits.read(run);
                break;
            }
            // Over coefficients with history, a correction bit each, and `run` coefficients without.
            while k <= band.se {
                if block[k] != 0 {
                    correct(bits, &mut block[k], bit);
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
            }
            if value != 0 {
                flaws.run_past_end |= k > band.se;
                block[k.min(63)] = value;
            } else {
                flaws.run_past_end |= k > band.se && run > 0;
            }
            k += 1;
        }
    }
    if *eob_run > 0 {
        // Most bands are empty, which is seen at once.
        let rest = block.get_mut(k..=band.se).unwrap_or_default();
        if rest.iter().fold(0, |all, value| all | value) != 0 {
            for value in rest.iter_mut().filter(|value| **value != 0) {
                correct(bits, value, bit);
            }
        }
        *eob_run -= 1;
    }
}

/// Reads one correction bit; a set bit adds to the magnitude, once.
#[inline]
fn correct(bits: &mut BitReader<'_>, value: &mut i16, bit: i16) {
    bits.refill();
    if bits.read(1) == 1 && *value & bit == 0 {
        *value = value.wrapping_add(if *value < 0 { -bit } else { bit });
    }
}
