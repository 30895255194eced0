//! One block of an arithmetic-coded scan: sequential (T.81 F.2.4), and the four kinds of progressive scan (G.2).
//!
//! Where the decisions say what cannot be (a run past the band, a magnitude past 15 bits), the rest of the segment has no
//! meaning either: the reader gives it up and all its further blocks stay as they are. libjpeg does the same.

use super::{AcStatistics, ArithmeticReader, DcPrediction, DcStatistics};
use crate::entropy::{Band, Flaws};
use crate::scans::Block;

/// The DC coefficient of a sequential or first DC scan, shifted left by `al` (0..=13).
#[inline]
pub(crate) fn decode_dc_first(
    reader: &mut ArithmeticReader<'_>,
    statistics: &mut DcStatistics,
    al: u8,
    prediction: &mut DcPrediction,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    if reader.is_broken {
        return;
    }
    match statistics.decode_difference(reader, prediction) {
        Some(()) => block[0] = flaws.store(prediction.value.wrapping_shl(al.into())),
        None => {
            flaws.bad_code = true;
            reader.give_up();
        }
    }
}

/// DC refinement: one bit a block, of probability one half.
#[inline]
pub(crate) fn decode_dc_refine(reader: &mut ArithmeticReader<'_>, al: u8, block: &mut Block) {
    block[0] |= i16::from(reader.decode_even()) << al;
}

/// The AC coefficients of a sequential or first AC scan (figure F.20). There are no runs of blocks in arithmetic coding.
#[inline]
pub(crate) fn decode_ac_first(
    reader: &mut ArithmeticReader<'_>,
    statistics: &mut AcStatistics,
    band: Band,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    if reader.is_broken {
        return;
    }
    let mut k = band.ss;
    while k <= band.se && !statistics.decode_end(reader, k) {
        while !statistics.decode_is_new(reader, k) {
            k += 1;
            if k > band.se {
                flaws.run_past_end = true;
                return reader.give_up();
            }
        }
        match statistics.decode_value(reader, k) {
            Some(value) => block[k] = flaws.store(value << band.al),
            None => {
                flaws.bad_code = true;
                return reader.give_up();
            }
        }
        k += 1;
    }
}

/// AC refinement (G.1.3.3): a correction bit for each coefficient with history, and new coefficients of magnitude 1.
#[inline]
pub(crate) fn decode_ac_refine(
    reader: &mut ArithmeticReader<'_>,
    statistics: &mut AcStatistics,
    band: Band,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    if reader.is_broken {
        return;
    }
    let bit = 1i16 << band.al;
    // EOBx: no end can come before the last coefficient with history, so it is not asked for.
    let last = (band.ss..=band.se).rev().find(|&k| block[k] != 0).unwrap_or(0);
    let mut k = band.ss;
    while k <= band.se && (k <= last || !statistics.decode_end(reader, k)) {
        loop {
            let value = &mut block[k];
            if *value != 0 {
                if statistics.decode_correction(reader, k) {
                    *value = value.wrapping_add(if *value < 0 { -bit } else { bit });
                }
                break;
            }
            if statistics.decode_is_new(reader, k) {
                *value = if reader.decode_even() { -bit } else { bit };
                break;
            }
            k += 1;
            if k > band.se {
                flaws.run_past_end = true;
                return reader.give_up();
            }
        }
        k += 1;
    }
}
