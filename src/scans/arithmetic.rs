//! The arithmetic coder of every kind of scan, with its statistics areas and its state between blocks.

use super::coders::{Coder, check_sequential};
use super::passes::check_progressive;
use super::tile::Block;
use crate::entropy::arithmetic::{AcStatistics, ArithmeticReader, DcPrediction, DcStatistics, blocks};
use crate::entropy::{Band, Flaws};
use crate::error::{Error, Malformed, Result};
use crate::markers::{Log, ScanHeader, Tables};

/// What a scan holds of each block.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

/// Coder of an arithmetic-coded scan.
pub(super) struct Arithmetic {
    kind: Kind,
    /// The AC coefficients, and the bit position of AC and DC.
    band: Band,
    /// Per component of the scan: its DC and its AC area. Components may share them.
    areas: Vec<(usize, usize)>,
    predictions: [DcPrediction; 4],
    dc: [DcStatistics; 4],
    ac: [AcStatistics; 4],
}

impl Arithmetic {
    /// Checks the scan's parameters and takes over the conditioning in force.
    pub fn new(scan: &ScanHeader, is_progressive: bool, tables: &Tables, log: &mut Log) -> Result<Arithmetic> {
        let kind = if is_progressive {
            check_progressive(scan)?;
            match (scan.ss, scan.ah) {
                (0, 0) => Kind::DcFirst,
                (0, _) => Kind::DcRefine,
                (_, 0) => Kind::AcFirst,
                _ => Kind::AcRefine,
            }
        } else {
            check_sequential(scan, log)?;
            Kind::Sequential
        };
        let band = match kind {
            Kind::Sequential => Band { ss: 1, se: 63, al: 0 },
            _ => Band { ss: scan.ss.into(), se: scan.se.into(), al: scan.al },
        };
        let mut areas = Vec::with_capacity(scan.components.len());
        for chosen in &scan.components {
            // An index that the scan does not use may be anything.
            let dc = if matches!(kind, Kind::Sequential | Kind::DcFirst) { chosen.dc_index } else { 0 };
            let ac =
                if matches!(kind, Kind::Sequential | Kind::AcFirst | Kind::AcRefine) { chosen.ac_index } else { 0 };
            if let Some(&index) = [dc, ac].iter().find(|&&index| index > 3) {
                return Err(Error::malformed(scan.offset, Malformed::TableIndex(index)));
            }
            areas.push((dc.into(), ac.into()));
        }
        Ok(Arithmetic {
            kind,
            band,
            areas,
            predictions: Default::default(),
            dc: tables.dc_bounds.map(DcStatistics::new),
            ac: tables.ac_low.map(AcStatistics::new),
        })
    }
}

impl<'a> Coder<ArithmeticReader<'a>> for Arithmetic {
    fn decode(&mut self, reader: &mut ArithmeticReader<'a>, in_scan: usize, block: &mut Block, flaws: &mut Flaws) {
        let (dc, ac) = self.areas[in_scan];
        let (dc, ac, band) = (&mut self.dc[dc], &mut self.ac[ac], self.band);
        let prediction = &mut self.predictions[in_scan];
        match self.kind {
            Kind::Sequential => {
                blocks::decode_dc_first(reader, dc, 0, prediction, block, flaws);
                blocks::decode_ac_first(reader, ac, band, block, flaws);
            }
            Kind::DcFirst => blocks::decode_dc_first(reader, dc, band.al, prediction, block, flaws),
            Kind::DcRefine => blocks::decode_dc_refine(reader, band.al, block),
            Kind::AcFirst => blocks::decode_ac_first(reader, ac, band, block, flaws),
            Kind::AcRefine => blocks::decode_ac_refine(reader, ac, band, block, flaws),
        }
    }

    fn restart(&mut self) {
        self.predictions = Default::default();
        self.dc.iter_mut().for_each(DcStatistics::reset);
        self.ac.iter_mut().for_each(AcStatistics::reset);
    }
}
