//! Multi-scan images: all scans are decoded into whole planes, which then leave as tiles.

use super::coders::{Coder, Progressive};
use super::layout::McuLayout;
use super::restart::{Next, Segments};
use super::tile::{Block, Placement, Tile, TileConsumer};
use crate::entropy::{BitReader, SegmentReader};
use crate::error::{Result, WarningKind};
use crate::limits::zeroed;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// The planes of an image while its scans come in: true-size grids of blocks in zigzag order, one behind the other.
pub(super) struct Planes<'s> {
    blocks: &'s mut Vec<Block>,
    /// First block of each component; one more entry for the end.
    bases: Vec<usize>,
    /// Per component and coefficient: the lowest bit position decoded so far, -1 before its first scan.
    precision: Vec<[i8; 64]>,
    /// Blocks that scans have visited so far, those of runs without data left out.
    visited: u64,
}

impl<'s> Planes<'s> {
    /// Empty planes. What they cost must have been checked.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(frame: &Frame, blocks: &'s mut Vec<Block>) -> Result<Planes<'s>> {
        let mut bases = vec![0];
        for component in &frame.components {
            bases.push(bases[bases.len() - 1] + component.block_count() as usize);
        }
        let len = bases[bases.len() - 1];
        blocks.clear();
        if blocks.capacity() < len {
            // Fresh pages, which are zero: what no scan touches costs nothing.
            *blocks = Vec::new();
            *blocks = zeroed(len)?;
        } else {
            blocks.resize(len, [0; 64]);
        }
        Ok(Planes { blocks, precision: vec![[-1; 64]; frame.components.len()], bases, visited: 0 })
    }

    /// Blocks that scans have visited so far.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether a scan of the component was decoded.
    pub fn has_scan(&self, component: usize) -> bool {
        self.precision[component].iter().any(|&bit| bit >= 0)
    }

    /// Makes ready for a sequential scan.
    pub fn begin_sequential(&mut self, scan: &ScanHeader) {
        for chosen in &scan.components {
            self.precision[chosen.component] = [0; 64];
        }
    }

    /// Makes ready for a progressive scan, whose parameters must have been checked.
    pub fn begin_progressive(&mut self, scan: &ScanHeader, log: &mut Log) -> Result<()> {
        scan.components.iter().try_for_each(|chosen| self.follow_precision(chosen.component, scan, log))
    }

    /// Decodes a progressive Huffman scan. Returns the offset at which the markers go on.
    pub fn decode_progressive(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        segments: Segments<'_, BitReader<'_>>,
        coder: Progressive,
        log: &mut Log,
    ) -> Result<usize> {
        match coder {
            Progressive::DcFirst(coder) => self.decode_scan(frame, scan, segments, coder, log),
            Progressive::DcRefine(coder) => self.decode_scan(frame, scan, segments, coder, log),
            Progressive::AcFirst(coder) => self.decode_scan(frame, scan, segments, coder, log),
            Progressive::AcRefine(coder) => self.decode_scan(frame, scan, segments, coder, log),
        }
    }

    /// A scan must refine from the bit position that the last one of the same coefficient left (T.81 G.1.1.1.2), and AC
    /// scans follow the first DC scan.
    fn follow_precision(&mut self, component: usize, scan: &ScanHeader, log: &mut Log) -> Result<()> {
        let bits = &mut self.precision[component];
        let mut wrong = (scan.ss > 0 && bits[0] < 0).then_some((0, 0));
        for k in scan.ss..=scan.se {
            let expected = bits[usize::from(k)].max(0) as u8;
            if scan.ah != expected {
                wrong = wrong.or(Some((k, expected)));
            }
            bits[usize::from(k)] = scan.al as i8;
        }
        match wrong {
            Some((k, expected)) => log.add(scan.offset, WarningKind::Progression(k, scan.ah, expected)),
            None => Ok(()),
        }
    }

    /// Decodes a scan. Returns the offset at which the markers go on.
    pub fn decode_scan<R: SegmentReader>(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        mut segments: Segments<'_, R>,
        mut coder: impl Coder<R>,
        log: &mut Log,
    ) -> Result<usize> {
        let layout = McuLayout::new(frame, scan);
        // Blocks of whole MCUs beyond the true grid are decoded here and dropped.
        let mut padding: Block;
        let mut next = 0;
        let total = u64::from(layout.mcus_wide) * u64::from(layout.mcus_high);
        while next < total {
            match segments.before_mcu(log)? {
                Next::Decode => {}
                Next::Restarted => coder.restart(),
                Next::Lost { restarted } => {
                    if restarted {
                        coder.restart();
                    }
                    next += 1;
                    self.visited += 1;
                    continue;
                }
                Next::Over => break,
            }
            let (mcu_x, mcu_y) =
                ((next % u64::from(layout.mcus_wide)) as u32, (next / u64::from(layout.mcus_wide)) as u32);
            for place in &layout.blocks {
                let component = scan.components[place.in_scan].component;
                let (h, v) = layout.factors[place.in_scan];
                let (x, y) = (mcu_x * h + place.x, mcu_y * v + place.y);
                let grid = &frame.components[component];
                let block = if x < grid.blocks_wide && y < grid.blocks_high {
                    &mut self.blocks[self.bases[component] + y as usize * grid.blocks_wide as usize + x as usize]
                } else {
                    padding = [0; 64];
                    &mut padding
                };
                coder.decode(&mut segments.reader, place.in_scan, block, &mut segments.flaws);
            }
            segments.after_mcu(log)?;
            next += 1;
            self.visited += layout.blocks.len() as u64;
            // A run of blocks without data costs one step.
            let ahead = segments.mcus_in_segment().min(u32::try_from(total - next).unwrap_or(u32::MAX));
            let skipped = coder.skip_unchanged(ahead);
            segments.pass_over(skipped);
            next += u64::from(skipped);
        }
        segments.finish(log)
    }

    /// Hands the planes on as tiles of one MCU row each.
    pub fn emit(&self, frame: &Frame, rows: std::ops::Range<u32>, consumer: &mut impl TileConsumer) -> Result<()> {
        for mcu_row in rows {
            let place = |(component, &base): (&crate::spec::frame::Component, &usize)| {
                let v = u32::from(component.v);
                let wide = component.blocks_wide as usize;
                let first_row = (mcu_row * v).min(component.blocks_high);
                let rows = ((mcu_row + 1) * v).min(component.blocks_high) - first_row;
                let base = base + first_row as usize * wide;
                Placement {
                    base,
                    h: 1,
                    v: 1,
                    mcu_stride: 1,
                    mcu_row_stride: wide,
                    row_stride: wide,
                    blocks_wide: wide,
                    first_row,
                    rows,
                }
            };
            let placements: Vec<Placement> = frame.components.iter().zip(&self.bases).map(place).collect();
            consumer.tile(&Tile::new(self.blocks, &placements))?;
        }
        Ok(())
    }
}
