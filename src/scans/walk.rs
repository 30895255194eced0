//! One scan of a progressive Huffman image, some MCUs of it at a time.
//!
//! What enters: a scan with its coder, and the rows that the next MCUs lie in: planes of DC coefficients, padded to whole MCUs,
//! or reversed blocks of the component (coefficient k at place 63 - k, as [`crate::entropy::band`] wants them), each with its
//! history, a bit for every AC coefficient that is not 0. What leaves: the same with what these MCUs bring.

use smallvec::SmallVec;

use super::coders::Coder;
use super::layout::McuLayout;
use super::passes::{BandCoder, DcCoder, Progressive};
use super::restart::{Next, Segments};
use super::tile::Block;
use crate::cpu::shuffle::Order;
use crate::entropy::dc::Slot;
use crate::entropy::{BitReader, Flaws};
use crate::error::Result;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// Where the DC coefficients of a component lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DcPlane {
    /// The first one.
    pub start: usize,
    /// How many are in a row.
    pub wide: usize,
    /// Block row that the first one is in.
    pub first_row: usize,
}

/// A scan on its way.
pub(super) struct Walk<'a> {
    segments: Segments<'a, BitReader<'a>>,
    coder: Progressive,
    layout: McuLayout,
    /// Per component of the scan: its number in the frame.
    components: SmallVec<[usize; 4]>,
    /// MCU rows of the scan in one of the frame: a scan of one component has MCUs of one block, whatever its factors.
    rows: u32,
    /// The next MCU.
    next: usize,
    /// Blocks visited so far, those of runs without data left out.
    pub visited: u64,
}

impl<'a> Walk<'a> {
    /// Before the first MCU.
    pub fn new(
        frame: &Frame,
        scan: &ScanHeader,
        segments: Segments<'a, BitReader<'a>>,
        coder: Progressive,
    ) -> Walk<'a> {
        let components: SmallVec<[usize; 4]> = scan.components.iter().map(|chosen| chosen.component).collect();
        let rows = match components[..] {
            [only] => frame.components[only].v.into(),
            _ => 1,
        };
        Walk { segments, coder, layout: McuLayout::new(frame, scan), components, rows, next: 0, visited: 0 }
    }

    /// MCUs of the scan that are in the first rows of MCUs of the frame.
    pub fn mcus_in(&self, mcu_rows: u32) -> usize {
        mcu_rows.saturating_mul(self.rows).min(self.layout.mcus_high) as usize * self.layout.mcus_wide as usize
    }

    /// MCUs of the scan.
    pub fn total(&self) -> usize {
        self.mcus_in(u32::MAX)
    }

    /// Number of the next MCU.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Goes on to MCU number `until` of a DC scan. `planes` has one entry for each component of the frame.
    pub fn go_on_dc(&mut self, until: usize, planes: &[DcPlane], dc: &mut [i16], log: &mut Log) -> Result<()> {
        let Walk { segments, coder, layout, components, next, visited, .. } = self;
        let way = (next, until, visited);
        match coder {
            Progressive::DcFirst(coder) => decode_dc(segments, coder, layout, components, way, planes, dc, log),
            Progressive::DcRefine(coder) => decode_dc(segments, coder, layout, components, way, planes, dc, log),
            Progressive::AcFirst(_) | Progressive::AcRefine(_) => Ok(()),
        }
    }

    /// Goes on to MCU number `until` of an AC scan: to the end of `blocks`, with their `history`, which begin with the next
    /// one. `is_sound` says whether all that the blocks have so far is as T.81 has it, and is made to say so.
    pub fn go_on_ac(
        &mut self,
        until: usize,
        blocks: &mut [Block],
        history: &mut [u64],
        is_sound: &mut bool,
        log: &mut Log,
    ) -> Result<()> {
        let Walk { segments, coder, next, visited, .. } = self;
        let way = (next, until, visited);
        match coder {
            Progressive::AcFirst(coder) => decode_ac(segments, coder, way, blocks, history, is_sound, log),
            Progressive::AcRefine(coder) => decode_ac(segments, coder, way, blocks, history, is_sound, log),
            Progressive::DcFirst(_) | Progressive::DcRefine(_) => Ok(()),
        }
    }

    /// Ends the scan: left-over bytes are damage. Returns the offset at which the markers go on.
    pub fn finish(&self, log: &mut Log) -> Result<usize> {
        self.segments.finish(log)
    }
}

/// The next MCU, the one to stop at, and the blocks visited so far.
type Way<'w> = (&'w mut usize, usize, &'w mut u64);

/// Whether there is data for the next MCU. Else it, or all up to the one to stop at, are passed over.
fn is_next_there<'a>(
    segments: &mut Segments<'_, BitReader<'a>>,
    coder: &mut impl Coder<BitReader<'a>>,
    (next, until, visited): Way<'_>,
    log: &mut Log,
) -> Result<bool> {
    match segments.before_mcu(log, || coder.restart())? {
        Next::Decode => return Ok(true),
        Next::Lost => {
            *next += 1;
            *visited += 1;
        }
        Next::Over => *next = until,
    }
    Ok(false)
}

#[allow(clippy::too_many_arguments)] // the fields of a walk
fn decode_dc<'a>(
    segments: &mut Segments<'_, BitReader<'a>>,
    coder: &mut impl DcCoder<'a>,
    layout: &McuLayout,
    components: &[usize],
    (next, until, visited): Way<'_>,
    planes: &[DcPlane],
    dc: &mut [i16],
    log: &mut Log,
) -> Result<()> {
    let wide = layout.mcus_wide as usize;
    let mut slots: SmallVec<[Slot; 10]> = SmallVec::from_elem(Slot::default(), layout.blocks.len());
    while *next < until {
        if !is_next_there(segments, coder, (&mut *next, until, &mut *visited), log)? {
            continue;
        }
        let (mcu_x, mcu_y) = (*next % wide, *next / wide);
        for (slot, place) in slots.iter_mut().zip(&layout.blocks) {
            let plane = &planes[components[place.in_scan]];
            let (h, v) = layout.factors[place.in_scan];
            let (h, v) = (h as usize, v as usize);
            let (x, y) = (mcu_x * h + place.x as usize, mcu_y * v + place.y as usize - plane.first_row);
            *slot = Slot { in_scan: place.in_scan as u8, start: plane.start + y * plane.wide + x, step: h };
        }
        // This MCU and those up to the end of the row or the next restart marker.
        let ahead = (wide - mcu_x).min((segments.mcus_in_segment() as usize).saturating_add(1));
        let mut done = coder.decode_slots(&mut segments.reader, &slots, ahead, dc);
        if done > 0 {
            segments.pass_over(done as u32 - 1);
        } else {
            for slot in &slots {
                let mut block = [0; 64];
                block[0] = dc[slot.start];
                coder.decode(&mut segments.reader, slot.in_scan.into(), &mut block, &mut segments.flaws);
                dc[slot.start] = block[0];
            }
            segments.after_mcu(log)?;
            done = 1;
        }
        *next += done;
        *visited += (done * slots.len()) as u64;
    }
    Ok(())
}

fn decode_ac<'a>(
    segments: &mut Segments<'_, BitReader<'a>>,
    coder: &mut impl BandCoder<'a>,
    (next, until, visited): Way<'_>,
    blocks: &mut [Block],
    history: &mut [u64],
    is_sound: &mut bool,
    log: &mut Log,
) -> Result<()> {
    let first = *next;
    while *next < until {
        if !is_next_there(segments, coder, (&mut *next, until, &mut *visited), log)? {
            continue;
        }
        let at = *next - first;
        // This block and those up to the next restart marker.
        let ahead = (until - *next).min((segments.mcus_in_segment() as usize).saturating_add(1));
        if *is_sound {
            let range = at..at + ahead;
            let run = coder.decode_blocks(&mut segments.reader, &mut blocks[range.clone()], &mut history[range]);
            if run.blocks > 0 {
                segments.pass_over(run.blocks as u32 - 1);
                *next += run.blocks;
                *visited += run.visited as u64;
                continue;
            }
        }
        let mut block = REVERSED.apply(&blocks[at]);
        coder.decode(&mut segments.reader, 0, &mut block, &mut segments.flaws);
        *is_sound &= segments.flaws == Flaws::default();
        blocks[at] = REVERSED.apply(&block);
        history[at] = (1..64).filter(|&k| block[k] != 0).fold(0, |all, k| all | 1 << (63 - k));
        segments.after_mcu(log)?;
        *next += 1;
        *visited += 1;
        // A run of blocks without data costs one step.
        let ahead = segments.mcus_in_segment().min(u32::try_from(until - *next).unwrap_or(u32::MAX));
        let skipped = coder.skip_unchanged(ahead);
        segments.pass_over(skipped);
        *next += skipped as usize;
    }
    Ok(())
}

/// From a reversed block to zigzag order and back.
pub(super) const REVERSED: Order = {
    let (mut order, mut k) = ([0; 64], 0);
    while k < 64 {
        order[k] = 63 - k as u8;
        k += 1;
    }
    Order::new(&order)
};
