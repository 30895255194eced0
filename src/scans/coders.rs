//! The Huffman coder of each kind of scan, with its tables and its state between blocks.

use std::sync::Arc;

use crate::cpu::Cpu;
use crate::entropy::progressive;
use crate::entropy::sequential::decode_block;
use crate::entropy::{Band, BitReader, BlockTables, Flaws, HuffmanTable, SymbolKind, decode_mcus};
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

    /// How many of the next blocks, at most `limit`, are certain to stay as they are; they are passed over.
    fn skip_unchanged(&mut self, _limit: u32) -> u32 {
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

/// The parameters that a progressive scan may have (T.81 G.1.1.1).
pub(super) fn check_progressive(scan: &ScanHeader) -> Result<()> {
    let &ScanHeader { ss, se, ah, al, .. } = scan;
    let sound = if ss == 0 { se == 0 } else { ss <= se && se < 64 && scan.components.len() == 1 };
    if !sound || (ah != 0 && ah != al + 1) || al > 13 {
        return Err(Error::malformed(scan.offset, Malformed::ScanParameters { ss, se, ah, al }));
    }
    Ok(())
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
    fn load(&mut self, tables: &Tables, kind: SymbolKind, index: u8, scan: &ScanHeader) -> Result<Arc<HuffmanTable>> {
        let (class, destinations) = if kind == SymbolKind::Dc { (0, &tables.dc) } else { (1, &tables.ac) };
        let missing = || Error::malformed(scan.offset, Malformed::MissingHuffmanTable { class, index });
        let spec = destinations.get(usize::from(index)).and_then(Option::as_ref).ok_or_else(missing)?;
        self.get(spec, kind)
    }
}

/// Coder of a sequential Huffman scan.
pub(super) struct Sequential {
    tables: Vec<(Arc<HuffmanTable>, Arc<HuffmanTable>)>,
    predictions: [i32; 4],
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
        let mut pairs = Vec::with_capacity(scan.components.len());
        for chosen in &scan.components {
            pairs.push((
                cache.load(tables, SymbolKind::Dc, chosen.dc_index, scan)?,
                cache.load(tables, SymbolKind::Ac, chosen.ac_index, scan)?,
            ));
        }
        Ok(Sequential { tables: pairs, predictions: [0; 4] })
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

/// Coder of a first DC scan.
pub(super) struct DcFirst {
    tables: Vec<Arc<HuffmanTable>>,
    predictions: [i32; 4],
    al: u8,
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

impl<'a> Coder<BitReader<'a>> for AcFirst {
    #[inline]
    fn decode(&mut self, bits: &mut BitReader<'a>, _: usize, block: &mut Block, flaws: &mut Flaws) {
        progressive::decode_ac_first(bits, &self.table, self.band, &mut self.eob_run, block, flaws);
    }

    fn restart(&mut self) {
        self.eob_run = 0;
    }

    #[inline]
    fn skip_unchanged(&mut self, limit: u32) -> u32 {
        let skipped = self.eob_run.min(limit);
        self.eob_run -= skipped;
        skipped
    }
}

/// Coder of an AC refinement scan.
pub(super) struct AcRefine {
    table: Arc<HuffmanTable>,
    band: Band,
    eob_run: u32,
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
        let table = cache.load(tables, SymbolKind::AcBand, scan.components[0].ac_index, scan)?;
        let band = Band { ss: ss.into(), se: se.into(), al };
        Ok(if ah == 0 {
            Progressive::AcFirst(AcFirst { table, band, eob_run: 0 })
        } else {
            Progressive::AcRefine(AcRefine { table, band, eob_run: 0 })
        })
    }
}
