//! DQT, DHT and DRI segments (T.81 B.2.4), and the tables in force.

use crate::error::{Error, Malformed, Result};
use crate::spec::marker;
use crate::spec::quant::QuantTable;
use crate::spec::typical_tables;

/// A Huffman table as a DHT segment gives it; whether its codes are possible is checked when a scan uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HuffmanSpec {
    /// Number of codes of each length 1..=16.
    pub counts: [u8; 16],
    /// Symbols in order of increasing code length, at most 256.
    pub values: Vec<u8>,
    /// Byte offset of the table in the file.
    pub offset: usize,
}

/// The tables in force at some place of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub quant: [Option<QuantTable>; 4],
    pub dc: [Option<HuffmanSpec>; 4],
    pub ac: [Option<HuffmanSpec>; 4],
}

impl Tables {
    /// DQT: any number of tables, each Pq (4 bits, 0 = 8-bit steps, 1 = 16-bit), Tq (4 bits, 0..=3), 64 steps in zigzag
    /// order.
    pub fn parse_dqt(&mut self, payload: &[u8], at: usize) -> Result<()> {
        let length_error = || wrong_length(marker::DQT, payload, at);
        let mut rest = payload;
        while let Some((&pq_tq, after)) = rest.split_first() {
            let offset = at + payload.len() - rest.len();
            let (precision, index) = (pq_tq >> 4, pq_tq & 15);
            if precision > 1 {
                return Err(Error::malformed(offset, Malformed::QuantPrecision(precision)));
            }
            if index > 3 {
                return Err(Error::malformed(offset, Malformed::TableIndex(index)));
            }
            let (steps, after) = after.split_at_checked(64 << precision).ok_or_else(length_error)?;
            let step = |k: usize| match precision {
                0 => u16::from(steps[k]),
                _ => u16::from_be_bytes([steps[2 * k], steps[2 * k + 1]]),
            };
            self.quant[usize::from(index)] = Some(QuantTable(std::array::from_fn(step)));
            rest = after;
        }
        Ok(())
    }

    /// DHT: any number of tables, each Tc (4 bits, 0 = DC, 1 = AC), Th (4 bits, 0..=3), 16 counts, that many symbols.
    pub fn parse_dht(&mut self, payload: &[u8], at: usize) -> Result<()> {
        let length_error = || wrong_length(marker::DHT, payload, at);
        let mut rest = payload;
        while !rest.is_empty() {
            let offset = at + payload.len() - rest.len();
            let (head, after) = rest.split_first_chunk::<17>().ok_or_else(length_error)?;
            let (class, index) = (head[0] >> 4, head[0] & 15);
            if class > 1 || index > 3 {
                return Err(Error::malformed(offset, Malformed::TableIndex(head[0])));
            }
            let mut counts = [0; 16];
            counts.copy_from_slice(&head[1..]);
            let total: usize = counts.iter().map(|&n| usize::from(n)).sum();
            if total > 256 {
                return Err(Error::malformed(offset, Malformed::HuffmanLengths));
            }
            let (values, after) = after.split_at_checked(total).ok_or_else(length_error)?;
            let destinations = if class == 0 { &mut self.dc } else { &mut self.ac };
            destinations[usize::from(index)] = Some(HuffmanSpec { counts, values: values.to_vec(), offset });
            rest = after;
        }
        Ok(())
    }
}

impl Tables {
    /// Defines the typical tables (T.81 K.3) at those of destinations 0 and 1 that have none. Whether there were any.
    pub fn fill_typical(&mut self) -> bool {
        let mut filled = false;
        for (destinations, typical) in [
            (&mut self.dc, [typical_tables::DC_LUMINANCE, typical_tables::DC_CHROMINANCE]),
            (&mut self.ac, [typical_tables::AC_LUMINANCE, typical_tables::AC_CHROMINANCE]),
        ] {
            for (destination, (counts, values)) in destinations.iter_mut().zip(typical) {
                if destination.is_none() {
                    *destination = Some(HuffmanSpec { counts, values: values.to_vec(), offset: 0 });
                    filled = true;
                }
            }
        }
        filled
    }
}

/// DRI: Ri (16 bits), MCUs between restart markers, 0 for none.
pub(super) fn parse_dri(payload: &[u8], at: usize) -> Result<u16> {
    match *payload {
        [high, low] => Ok(u16::from_be_bytes([high, low])),
        _ => Err(wrong_length(marker::DRI, payload, at)),
    }
}

/// The error for a segment whose content starts at `at` and does not fill, or overruns, its length field.
pub(super) fn wrong_length(marker: u8, payload: &[u8], at: usize) -> Error {
    Error::malformed(at - 4, Malformed::SegmentLength { marker, length: (payload.len() + 2) as u16 })
}
