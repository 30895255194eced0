//! What decodes the blocks of a scan, the Huffman tables for it, and the coder of sequential scans with its state between
//! blocks.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::cpu::Cpu;
use crate::entropy::sequential::decode_block;
use crate::entropy::{BitReader, BlockTables, Flaws, HuffmanTable, SymbolKind, decode_mcus};
use crate::error::{Error, Malformed, Result, WarningKind};
use crate::markers::{HuffmanSpec, Log, ScanComponent, ScanHeader, Tables};

use super::tile::Block;

/// Decodes the blocks of one scan, one after another, from what `R` reads.
pub(super) trait Coder<R> {
    /// Decodes the next block of the scan's component `in_scan`.
    fn decode(&mut self, reader: &mut R, in_scan: usize, block: &mut Block, flaws: &mut Flaws);

    /// Forgets predictions, runs and statistics, as after a restart marker.
    fn restart(&mut self);

    /// Decodes whole MCUs, as many as `blocks` has place for or until something is not as it should be; returns how many.
    /// `order` holds the place in the scan of each block of an MCU. Behind the last MCU, `blocks` has [`SLACK`] more
    /// blocks, and what they hold is lost.
    fn decode_mcus(&mut self, _reader: &mut R, _order: &[u8], _blocks: &mut [Block]) -> usize {
        0
    }
}

/// A sequential scan holds the whole spectrum in full precision (T.81 table B.3).
pub(super) fn check_sequential(scan: &ScanHeader, log: &mut Log) -> Result<()> {
    match (scan.ss, scan.se, scan.ah, scan.al) {
        (0, 63, 0, 0) => Ok(()),
        _ => log.add(scan.offset, WarningKind::SequentialParameters),
    }
}

/// Huffman tables of a scan, built once per definition.
#[derive(Debug, Default)]
pub(super) struct TableCache {
    built: Vec<(HuffmanSpec, SymbolKind, Arc<HuffmanTable>)>,
}

impl TableCache {
    const KEPT: usize = 16;

    fn get(&mut self, spec: &HuffmanSpec, kind: SymbolKind) -> Result<Arc<HuffmanTable>> {
        let known = |(other, known, _): &&(HuffmanSpec, SymbolKind, _)| {
            *known == kind && other.counts == spec.counts && other.values == spec.values
        };
        if let Some((.., table)) = self.built.iter().find(known) {
            return Ok(table.clone());
        }
        let table = Arc::new(HuffmanTable::new(spec, kind)?);
        if self.built.len() == Self::KEPT {
            self.built.remove(0);
        }
        self.built.push((spec.clone(), kind, table.clone()));
        Ok(table)
    }

    /// The table at a destination, or the error that names it.
    pub fn load(
        &mut self,
        tables: &Tables,
        kind: SymbolKind,
        index: u8,
        scan: &ScanHeader,
    ) -> Result<Arc<HuffmanTable>> {
        let (class, destinations) = if kind == SymbolKind::Dc { (0, &tables.dc) } else { (1, &tables.ac) };
        let missing = || Error::malformed(scan.offset, Malformed::MissingHuffmanTable { class, index });
        let spec = destinations.get(usize::from(index)).and_then(Option::as_ref).ok_or_else(missing)?;
        self.get(spec, kind)
    }
}

/// Coder of a sequential Huffman scan.
#[derive(Clone)]
pub(super) struct Sequential {
    tables: SmallVec<[(Arc<HuffmanTable>, Arc<HuffmanTable>); 4]>,
    /// By place in the scan: the DC coefficient of the last block.
    pub predictions: [i32; 4],
}

impl Sequential {
    /// Tables that were never defined are the typical ones, as motion JPEG has it.
    pub fn new(scan: &ScanHeader, tables: &mut Tables, cache: &mut TableCache, log: &mut Log) -> Result<Sequential> {
        check_sequential(scan, log)?;
        let undefined = |chosen: &ScanComponent| {
            let is_none = |tables: &[Option<HuffmanSpec>; 4], index: u8| tables.get(usize::from(index)) == Some(&None);
            is_none(&tables.dc, chosen.dc_index) || is_none(&tables.ac, chosen.ac_index)
        };
        if scan.components.iter().any(undefined) && tables.fill_typical() {
            log.add(scan.offset, WarningKind::DefaultHuffmanTables)?;
        }
        let mut pairs = SmallVec::new();
        for chosen in &scan.components {
            pairs.push((
                cache.load(tables, SymbolKind::Dc, chosen.dc_index, scan)?,
                cache.load(tables, SymbolKind::Ac, chosen.ac_index, scan)?,
            ));
        }
        Ok(Sequential { tables: pairs, predictions: [0; 4] })
    }

    /// Whether whole MCUs can be decoded: not so with tables that no 8-bit image needs.
    #[cfg(feature = "threads")]
    pub fn decodes_mcus(&self) -> bool {
        self.tables.iter().all(|(dc, ac)| BlockTables::new(dc, ac).is_some())
    }

    /// Whether components have tables of their own. Where all have the same, bits do not tell which block of an MCU comes
    /// next.
    #[cfg(feature = "threads")]
    pub fn tells_components(&self) -> bool {
        let [(dc, ac), others @ ..] = &self.tables[..] else { return false };
        others.is_empty() || others.iter().any(|(d, a)| !Arc::ptr_eq(d, dc) || !Arc::ptr_eq(a, ac))
    }
}

impl<'a> Coder<BitReader<'a>> for Sequential {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, in_scan: usize, block: &mut Block, flaws: &mut Flaws) {
        let (dc, ac) = &self.tables[in_scan];
        decode_block(bits, dc, ac, &mut self.predictions[in_scan], block, flaws);
    }

    fn decode_mcus(&mut self, bits: &mut BitReader<'a>, order: &[u8], blocks: &mut [Block]) -> usize {
        let table = |i: usize| {
            let (dc, ac) = &self.tables[i.min(self.tables.len() - 1)];
            BlockTables::new(dc, ac)
        };
        let [Some(a), Some(b), Some(c), Some(d)] = std::array::from_fn(table) else { return 0 };
        let tables = [a, b, c, d];
        decode_mcus(Cpu::detect(), bits, &tables, &mut self.predictions, order, blocks)
    }

    fn restart(&mut self) {
        self.predictions = [0; 4];
    }
}
