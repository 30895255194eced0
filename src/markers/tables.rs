//! DQT, DHT, DAC and DRI segments (T.81 B.2.4), and the tables in force.

use smallvec::SmallVec;

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
    pub values: SmallVec<[u8; 256]>,
    /// Byte offset of the table in the file.
    pub offset: usize,
}

/// Conditioning of DC differences in arithmetic coding: the bounds of the small ones (T.81 F.1.4.4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DcBounds {
    /// L, 0..=`upper`.
    pub lower: u8,
    /// U, 0..=15.
    pub upper: u8,
}

/// The tables in force at some place of a file.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub quant: [Option<QuantTable>; 4],
    pub dc: [Option<HuffmanSpec>; 4],
    pub ac: [Option<HuffmanSpec>; 4],
    pub dc_bounds: [DcBounds; 4],
    /// Kx, 1..=63: the last coefficient that arithmetic coding counts as low.
    pub ac_low: [u8; 4],
}

impl Default for Tables {
    /// As at the start of an image: no tables, and the conditioning of T.81 B.2.4.3: L = 0, U = 1, Kx = 5.
    fn default() -> Self {
        let dc_bounds = [DcBounds { lower: 0, upper: 1 }; 4];
        Tables { quant: [None; 4], dc: Default::default(), ac: Default::default(), dc_bounds, ac_low: [5; 4] }
    }
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
            destinations[usize::from(index)] = Some(HuffmanSpec { counts, values: values.into(), offset });
            rest = after;
        }
        Ok(())
    }

    /// DAC: any number of pairs Tc (4 bits, 0 = DC, 1 = AC), Tb (4 bits, 0..=3), and Cs (8 bits): for DC U (4 bits) and
    /// L (4 bits, 0..=U), for AC Kx (1..=63).
    pub fn parse_dac(&mut self, payload: &[u8], at: usize) -> Result<()> {
        let (pairs, odd) = payload.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(wrong_length(marker::DAC, payload, at));
        }
        for (pair, &[index, value]) in pairs.iter().enumerate() {
            let malformed = |kind| Err(Error::malformed(at + 2 * pair, kind));
            let (class, destination) = (index >> 4, usize::from(index & 15));
            let (upper, lower) = (value >> 4, value & 15);
            match class {
                0 | 1 if destination > 3 => return malformed(Malformed::TableIndex(index)),
                0 if lower <= upper => self.dc_bounds[destination] = DcBounds { lower, upper },
                1 if (1..=63).contains(&value) => self.ac_low[destination] = value,
                0 | 1 => return malformed(Malformed::Conditioning { index, value }),
                _ => return malformed(Malformed::TableIndex(index)),
            }
        }
        Ok(())
    }

    /// Defines the typical tables (T.81 K.3) at those of destinations 0 and 1 that have none. Whether there were any.
    pub fn fill_typical(&mut self) -> bool {
        let mut filled = false;
        for (destinations, typical) in [
            (&mut self.dc, [typical_tables::DC_LUMINANCE, typical_tables::DC_CHROMINANCE]),
            (&mut self.ac, [typical_tables::AC_LUMINANCE, typical_tables::AC_CHROMINANCE]),
        ] {
            for (destination, (counts, values)) in destinations.iter_mut().zip(typical) {
                if destination.is_none() {
                    *destination = Some(HuffmanSpec { counts, values: values.into(), offset: 0 });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(payload: &[u8]) -> Malformed {
        match Tables::default().parse_dac(payload, 24) {
            Err(Error::Malformed { kind, .. }) => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn conditioning() {
        let mut tables = Tables::default();
        tables.parse_dac(&[], 24).unwrap();
        assert_eq!((tables.dc_bounds, tables.ac_low), ([DcBounds { lower: 0, upper: 1 }; 4], [5; 4]));
        tables.parse_dac(&[0x03, 0xf2, 0x12, 63, 0x10, 1, 0x00, 0x00], 24).unwrap();
        assert_eq!(tables.dc_bounds[3], DcBounds { lower: 2, upper: 15 });
        assert_eq!(tables.dc_bounds[0], DcBounds { lower: 0, upper: 0 });
        assert_eq!(tables.ac_low, [1, 5, 63, 5]);
    }

    #[test]
    fn conditioning_out_of_range() {
        assert_eq!(kind(&[0x01, 0x12]), Malformed::Conditioning { index: 1, value: 0x12 });
        assert_eq!(kind(&[0x00, 0x10, 0x13, 0]), Malformed::Conditioning { index: 0x13, value: 0 });
        assert_eq!(kind(&[0x10, 64]), Malformed::Conditioning { index: 0x10, value: 64 });
        for index in [0x04, 0x14, 0x20, 0xff] {
            assert_eq!(kind(&[index, 0x10]), Malformed::TableIndex(index));
        }
        assert_eq!(kind(&[0, 0x10, 1]), Malformed::SegmentLength { marker: marker::DAC, length: 5 });
    }
}
