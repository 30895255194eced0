//! The Huffman coder of each kind of progressive scan, with its tables and its state between blocks.
//!
//! Each has two ways to decode: many blocks at a time where all is sound, and one block to the letter.

use std::sync::Arc;

use super::coders::{Coder, TableCache};
use super::tile::Block;
use crate::cpu::Cpu;
use crate::entropy::dc::{self, Slot};
use crate::entropy::{Band, BitReader, Flaws, HuffmanTable, Run, SymbolKind, band, progressive, refine};
use crate::error::{Error, Malformed, Result};
use crate::markers::{ScanHeader, Tables};

/// The parameters that a progressive scan may have (T.81 G.1.1.1).
pub(super) fn check_progressive(scan: &ScanHeader) -> Result<()> {
    let &ScanHeader { ss, se, ah, al, .. } = scan;
    let sound = if ss == 0 { se == 0 } else { ss <= se && se < 64 && scan.components.len() == 1 };
    if !sound || (ah != 0 && ah != al + 1) || al > 13 {
        return Err(Error::malformed(scan.offset, Malformed::ScanParameters { ss, se, ah, al }));
    }
    Ok(())
}

/// Coder of a DC scan.
pub(super) trait DcCoder<'a>: Coder<BitReader<'a>> {
    /// Decodes up to `mcus` MCUs, as many as are sound; returns how many.
    fn decode_slots(&mut self, bits: &mut BitReader<'a>, slots: &[Slot], mcus: usize, dc: &mut [i16]) -> usize;
}

/// Coder of an AC scan.
pub(super) trait BandCoder<'a>: Coder<BitReader<'a>> {
    /// Decodes reversed blocks with their histories, as many as are sound.
    fn decode_blocks(&mut self, bits: &mut BitReader<'a>, blocks: &mut [Block], history: &mut [u64]) -> Run;

    /// How many of the next blocks, at most `limit`, are certain to stay as they are; they are passed over.
    fn skip_unchanged(&mut self, _limit: u32) -> u32 {
        0
    }
}

/// Coder of a first DC scan.
pub(super) struct DcFirst {
    tables: Vec<Arc<HuffmanTable>>,
    predictions: [i32; 4],
    al: u8,
}

impl<'a> DcCoder<'a> for DcFirst {
    fn decode_slots(&mut self, bits: &mut BitReader<'a>, slots: &[Slot], mcus: usize, dc: &mut [i16]) -> usize {
        let Some(last) = self.tables.last() else { return 0 };
        let tables = std::array::from_fn(|i| &**self.tables.get(i).unwrap_or(last));
        dc::decode_mcus(Cpu::detect(), bits, tables, self.al, &mut self.predictions, slots, mcus, dc)
    }
}

impl<'a> Coder<BitReader<'a>> for DcFirst {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, in_scan: usize, block: &mut Block, flaws: &mut Flaws) {
        let prediction = &mut self.predictions[in_scan];
        progressive::decode_dc_first(bits, &self.tables[in_scan], self.al, prediction, block, flaws);
    }

    fn restart(&mut self) {
        self.predictions = [0; 4];
    }
}

/// Coder of a DC refinement scan.
pub(super) struct DcRefine {
    al: u8,
}

impl<'a> DcCoder<'a> for DcRefine {
    fn decode_slots(&mut self, bits: &mut BitReader<'a>, slots: &[Slot], mcus: usize, dc: &mut [i16]) -> usize {
        dc::refine_mcus(Cpu::detect(), bits, self.al, slots, mcus, dc)
    }
}

impl<'a> Coder<BitReader<'a>> for DcRefine {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, _: usize, block: &mut Block, _: &mut Flaws) {
        progressive::decode_dc_refine(bits, self.al, block);
    }

    fn restart(&mut self) {}
}

/// Coder of a first AC scan.
pub(super) struct AcFirst {
    table: Arc<HuffmanTable>,
    band: Band,
    eob_run: u32,
}

impl<'a> BandCoder<'a> for AcFirst {
    fn decode_blocks(&mut self, bits: &mut BitReader<'a>, blocks: &mut [Block], history: &mut [u64]) -> Run {
        band::decode_blocks(Cpu::detect(), bits, &self.table, self.band, &mut self.eob_run, blocks, history)
    }

    fn skip_unchanged(&mut self, limit: u32) -> u32 {
        let skipped = self.eob_run.min(limit);
        self.eob_run -= skipped;
        skipped
    }
}

impl<'a> Coder<BitReader<'a>> for AcFirst {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, _: usize, block: &mut Block, flaws: &mut Flaws) {
        progressive::decode_ac_first(bits, &self.table, self.band, &mut self.eob_run, block, flaws);
    }

    fn restart(&mut self) {
        self.eob_run = 0;
    }
}

/// Coder of an AC refinement scan.
pub(super) struct AcRefine {
    table: Arc<HuffmanTable>,
    band: Band,
    eob_run: u32,
}

impl<'a> BandCoder<'a> for AcRefine {
    fn decode_blocks(&mut self, bits: &mut BitReader<'a>, blocks: &mut [Block], history: &mut [u64]) -> Run {
        refine::refine_blocks(Cpu::detect(), bits, &self.table, self.band, &mut self.eob_run, blocks, history)
    }
}

impl<'a> Coder<BitReader<'a>> for AcRefine {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, _: usize, block: &mut Block, flaws: &mut Flaws) {
        progressive::decode_ac_refine(bits, &self.table, self.band, &mut self.eob_run, block, flaws);
    }

    fn restart(&mut self) {
        self.eob_run = 0;
    }
}

/// The coder of a progressive scan.
pub(super) enum Progressive {
    DcFirst(DcFirst),
    DcRefine(DcRefine),
    AcFirst(AcFirst),
    AcRefine(AcRefine),
}

impl Progressive {
    /// Checks the scan's parameters and loads its tables.
    pub fn new(scan: &ScanHeader, tables: &Tables, cache: &mut TableCache) -> Result<Progressive> {
        check_progressive(scan)?;
        let &ScanHeader { ss, se, ah, al, .. } = scan;
        if ss == 0 && ah > 0 {
            return Ok(Progressive::DcRefine(DcRefine { al }));
        }
        if ss == 0 {
            let mut loaded = Vec::with_capacity(scan.components.len());
            for chosen in &scan.components {
                loaded.push(cache.load(tables, SymbolKind::Dc, chosen.dc_index, scan)?);
            }
            return Ok(Progressive::DcFirst(DcFirst { tables: loaded, predictions: [0; 4], al }));
        }
        let kind = if ah == 0 { SymbolKind::AcFirst } else { SymbolKind::AcRefine };
        let table = cache.load(tables, kind, scan.components[0].ac_index, scan)?;
        let band = Band { ss: ss.into(), se: se.into(), al };
        Ok(if ah == 0 {
            Progressive::AcFirst(AcFirst { table, band, eob_run: 0 })
        } else {
            Progressive::AcRefine(AcRefine { table, band, eob_run: 0 })
        })
    }
}
