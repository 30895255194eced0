//! Runs of blocks of a first AC scan, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], a table, and *reversed* blocks: coefficient k is at place 63 - k, and place
//! 63, the DC coefficient's, is nobody's. What leaves: the band's coefficients, and in the history of each block a bit for
//! every one that is not 0. Nothing is reported from here: before the first block that has anything wrong with it decoding
//! stops, and [`super::progressive`] decodes it again, to the letter.

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod assembly;
mod symbols;
mod table;

use std::ops::Range;

use super::bits::{Bounds, Cursor};
use super::{Band, BitReader, End, HuffmanTable, Run};
use crate::cpu::masks::nonzero;
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;
use symbols::{Scan, State, decode_block};
pub(super) use table::BandTable;

/// Decodes blocks one after another, as many as there are or until something is wrong. The band must be zero in all of
/// them. `eob_run` counts the blocks that are passed over first, and then those of the last run that are still to be
/// passed over.
///
/// Nothing is decoded where coefficients might not fit 16 bits, or if `table` is no table of such a scan.
pub(crate) fn decode_blocks(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    blocks: &mut [Block],
    history: &mut [u64],
) -> Run {
    let is_sound = band.is_sound() && table.largest_size() + band.al < 16;
    let Some(entries) = table.band.as_deref().filter(|_| is_sound) else { return Run::default() };
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    let scan = Scan { window, table, entries, low: band.low() as i32, width: band.width(), al: band.al };
    cpu.run(Blocks { cursor, bounds, scan, eob_run, blocks, history, is_exact: false })
}

/// The arguments of [`decode_blocks`].
struct Blocks<'a> {
    cursor: &'a mut Cursor,
    bounds: Bounds,
    scan: Scan<'a>,
    eob_run: &'a mut u32,
    blocks: &'a mut [Block],
    history: &'a mut [u64],
    /// Something was wrong: block by block now.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    is_exact: bool,
}

impl Kernel for Blocks<'_> {
    type Output = Run;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Run {
        let total = self.blocks.len().min(self.history.len());
        let (mut next, mut visited) = (0, 0);
        loop {
            let skipped = (*self.eob_run as usize).min(total - next);
            *self.eob_run -= skipped as u32;
            next += skipped;
            if next == total {
                break;
            }
            let done = self.decode(simd, next..total);
            if done == 0 {
                break;
            }
            for (block, known) in self.blocks[next..].iter().zip(&mut self.history[next..next + done]) {
                *known |= nonzero(simd, block) & !(1 << 63);
            }
            next += done;
            visited += done;
        }
        Run { blocks: next, visited }
    }
}

impl Blocks<'_> {
    /// Decodes blocks of this range from its first one on. Returns how many.
    #[inline(always)]
    fn decode<S: Simd>(&mut self, simd: S, range: Range<usize>) -> usize {
        let Blocks { bounds, scan, .. } = *self;
        let _ = simd;
        #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
        if !self.is_exact && simd.v3().is_some() {
            let blocks = &mut self.blocks[range.clone()];
            // SAFETY: the proof has BMI1, BMI2 and MOVBE; bands are sound.
            if let Some((done, run)) = unsafe { assembly::decode_blocks(self.cursor, bounds, &scan, blocks) } {
                if done > 0 {
                    *self.eob_run = run;
                    return done;
                }
                self.is_exact = true;
            }
        }
        if self.cursor.next > bounds.last_start {
            return 0;
        }
        let block = &mut self.blocks[range.start];
        let mut state = State { at: *self.cursor, place: scan.low + scan.width as i32 };
        state.at.refill(scan.window);
        match decode_block(state, &scan, block) {
            (state, End::Sound(run)) if !bounds.are_exceeded(state.at) => {
                (*self.cursor, *self.eob_run) = (state.at, run);
                1
            }
            _ => {
                block[scan.low as usize..][..scan.width as usize].fill(0);
                0
            }
        }
    }
}
