//! The rows of an image that its scans decode together.

use std::sync::Mutex;

use smallvec::SmallVec;

use crate::error::Result;
use crate::limits::zero;
use crate::scans::needed::Needed;
use crate::scans::tile::Block;
use crate::scans::walk::DcPlane;
use crate::spec::frame::Frame;

/// Coefficients of a band: what stays in the cache beside tables and windows.
const BAND_BYTES: u64 = 1 << 17;

/// Bands at once for several threads: one that is ahead of the others finds something to do in all of them.
const BANDS: u64 = 8;

/// Bytes of all bands together, where two are not more.
const ALL_BYTES: u64 = 4 << 20;

/// MCU rows of a band where checks are on, so that small files have several.
const CHECKED_ROWS: u32 = 2;

/// What all bands have in common.
pub(super) struct Shape {
    /// MCU rows of the frame in a band, the last one perhaps excepted.
    pub mcu_rows: u32,
    /// How many bands there are.
    pub count: u32,
    /// How many several threads have at once.
    pub at_once: u32,
    /// Per component.
    parts: SmallVec<[PartShape; 4]>,
    /// DC coefficients of a band.
    dc: usize,
}

#[derive(Debug, Clone, Copy)]
struct PartShape {
    is_wanted: bool,
    /// Blocks with AC coefficients.
    blocks: usize,
    /// Where its DC coefficients are in the first band.
    dc: DcPlane,
    /// Block rows of a band.
    rows: u32,
}

impl Shape {
    pub fn new(frame: &Frame, needed: &Needed) -> Shape {
        let row = |c: &crate::spec::frame::Component| u64::from(c.padded_blocks_wide) * u64::from(c.v);
        let row_bytes = frame.components.iter().map(row).sum::<u64>() * size_of::<Block>() as u64;
        let mcu_rows = match BAND_BYTES.checked_div(row_bytes) {
            _ if cfg!(debug_assertions) => CHECKED_ROWS,
            rows => rows.unwrap_or(1).clamp(1, u64::from(frame.mcus_high.max(1))) as u32,
        };
        let (mut parts, mut dc) = (SmallVec::new(), 0);
        for (component, (&ac, &is_wanted)) in frame.components.iter().zip(needed.ac.iter().zip(&needed.wanted)) {
            let rows = mcu_rows * u32::from(component.v);
            let plane = DcPlane { start: dc, wide: component.padded_blocks_wide as usize, first_row: 0 };
            let blocks = if ac { rows as usize * component.blocks_wide as usize } else { 0 };
            parts.push(PartShape { is_wanted, blocks, dc: plane, rows });
            dc += rows as usize * plane.wide;
        }
        let count = frame.mcus_high.div_ceil(mcu_rows);
        let at_once = ALL_BYTES / (row_bytes * u64::from(mcu_rows)).max(1);
        let at_once = count.min(at_once.clamp(2, BANDS) as u32);
        Shape { mcu_rows, count, at_once, parts, dc }
    }

    /// Where the DC coefficients of a band are.
    pub fn dc_planes(&self, band: u32) -> SmallVec<[DcPlane; 4]> {
        self.parts.iter().map(|part| DcPlane { first_row: (band * part.rows) as usize, ..part.dc }).collect()
    }

    /// Whether anybody wants a component.
    pub fn is_wanted(&self, component: usize) -> bool {
        self.parts[component].is_wanted
    }

    /// Whether a component has AC coefficients.
    pub fn has_ac(&self, component: usize) -> bool {
        self.parts[component].blocks > 0
    }
}

/// The AC coefficients of one component in a band: reversed blocks of its true grid, with their histories.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub blocks: Vec<Block>,
    pub history: Vec<u64>,
}

/// Memory of a band. Each lock is taken by one scan at a time: the others are not there yet, or have gone on.
#[derive(Debug, Default)]
pub(super) struct Band {
    pub dc: Mutex<Vec<i16>>,
    pub parts: Vec<Mutex<Part>>,
}

impl Band {
    /// Makes room, with zeros.
    pub fn make_ready(&mut self, shape: &Shape) -> Result<()> {
        self.dc.clear_poison();
        if let Ok(dc) = self.dc.get_mut() {
            zero(dc, shape.dc)?;
        }
        self.parts.resize_with(self.parts.len().max(shape.parts.len()), Mutex::default);
        for (part, shape) in self.parts.iter_mut().zip(&shape.parts) {
            part.clear_poison();
            if let Ok(Part { blocks, history }) = part.get_mut() {
                zero(blocks, shape.blocks)?;
                zero(history, shape.blocks)?;
            }
        }
        Ok(())
    }
}
