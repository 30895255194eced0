//! Huffman tables (T.81 annex C, F.2.2.3).

use smallvec::SmallVec;

use super::band::BandTable;
use super::pairs::{self, Pair, PairTable, WINDOW_BITS};
use super::refine::StepTable;
use super::{BitReader, Flaws};
use crate::error::{Error, Malformed, Result};
use crate::markers::HuffmanSpec;

/// Codes up to this length are decoded by one look-up.
const LOOKUP_BITS: u32 = WINDOW_BITS;

/// What a table's symbols mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    /// Categories of DC differences, 0..=15.
    Dc,
    /// Run and size of AC coefficients in a sequential scan.
    Ac,
    /// Run and size, or a run of ends of bands, in a first AC scan.
    AcFirst,
    /// Run and sign, or a run of ends of bands, in an AC refinement scan.
    AcRefine,
}

/// A Huffman table ready for decoding.
#[derive(Debug, Clone)]
pub(crate) struct HuffmanTable {
    /// By the next 10 bits: code length (8 bits), symbol (8 bits); 0 for longer codes.
    pub(super) lookup: [u16; 1 << LOOKUP_BITS],
    /// Two symbols at a time, for [`SymbolKind::Ac`] alone.
    pub(super) pairs: Option<Box<PairTable>>,
    /// The same for [`SymbolKind::AcFirst`] alone.
    pub(super) band: Option<Box<BandTable>>,
    /// The same for [`SymbolKind::AcRefine`] alone.
    pub(super) steps: Option<Box<StepTable>>,
    /// Bits of a category's code and value (low byte) and the category (high byte), 0 for longer codes; for
    /// [`SymbolKind::Dc`] alone.
    pub(super) categories: Option<Box<[u16; 1 << LOOKUP_BITS]>>,
    /// Per length: the first 16-bit value, left-justified, that is above all codes of that length.
    limit: [u32; 17],
    /// Per length: what to add to a code for its place in `values`.
    offset: [i32; 17],
    values: [u8; 256],
}

impl HuffmanTable {
    /// Builds the table of a DHT segment.
    ///
    /// # Errors
    /// Code lengths that need more codes than there are, or the code of all ones, which must stay free (T.81 C.2); a DC
    /// table with a category above 15.
    pub fn new(spec: &HuffmanSpec, kind: SymbolKind) -> Result<HuffmanTable> {
        let mut table = HuffmanTable {
            lookup: [0; 1 << LOOKUP_BITS],
            pairs: None,
            band: None,
            steps: None,
            categories: None,
            limit: [0; 17],
            offset: [0; 17],
            values: [0; 256],
        };
        table.values[..spec.values.len()].copy_from_slice(&spec.values);
        if let Some(&category) = spec.values.iter().find(|&&value| kind == SymbolKind::Dc && value > 15) {
            return Err(Error::malformed(spec.offset, Malformed::HuffmanCategory(category)));
        }
        let (mut code, mut place) = (0u32, 0usize);
        for length in 1..=16u32 {
            let count = u32::from(spec.counts[length as usize - 1]);
            table.offset[length as usize] = place as i32 - code as i32;
            if code + count >= 1 << length && count > 0 {
                return Err(Error::malformed(spec.offset, Malformed::HuffmanLengths));
            }
            for _ in 0..count {
                if length <= LOOKUP_BITS {
                    let first = (code << (LOOKUP_BITS - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(table.values[place]);
                    table.lookup[first..first + (1 << (LOOKUP_BITS - length))].fill(entry);
                }
                code += 1;
                place += 1;
            }
            table.limit[length as usize] = code << (16 - length);
            code <<= 1;
        }
        let lookup = &table.lookup;
        let codes = &short_codes(spec);
        match kind {
            SymbolKind::Dc => {
                let category = |entry: u16| ((entry & 15) << 8) | ((entry >> 8) + (entry & 15));
                table.categories = Some(Box::new(lookup.map(category)));
            }
            SymbolKind::Ac => {
                let pairs = table.pairs.insert(Box::new([Pair::default(); 1 << WINDOW_BITS]));
                pairs::fill(pairs, lookup);
            }
            SymbolKind::AcFirst => table.band = Some(BandTable::new(codes)),
            SymbolKind::AcRefine => table.steps = Some(StepTable::new(codes)),
        }
        Ok(table)
    }

    /// Reads one symbol. Bits that are no code: 17 bits are read and the symbol is 0, as in libjpeg.
    #[inline]
    pub fn read_symbol(&self, bits: &mut BitReader<'_>, flaws: &mut Flaws) -> u8 {
        let next = bits.peek16();
        let entry = self.lookup[(next >> (16 - LOOKUP_BITS)) as usize];
        if entry != 0 {
            bits.skip(u32::from(entry >> 8));
            return entry as u8;
        }
        self.read_long_symbol(next, bits, flaws)
    }

    #[cold]
    fn read_long_symbol(&self, next: u32, bits: &mut BitReader<'_>, flaws: &mut Flaws) -> u8 {
        if let Some((length, symbol)) = self.find_long(next) {
            bits.skip(length);
            return symbol;
        }
        flaws.bad_code = true;
        bits.skip(17);
        0
    }

    /// The largest size of a value (low 4 bits of a symbol).
    pub(super) fn largest_size(&self) -> u8 {
        self.values.iter().map(|value| value & 15).max().unwrap_or(0)
    }

    /// Length and symbol of the code that the 64 bits `bits` begin with.
    pub(super) fn find(&self, bits: u64) -> Option<(u32, u8)> {
        match self.lookup[(bits >> (64 - LOOKUP_BITS)) as usize] {
            0 => self.find_long((bits >> 48) as u32),
            entry => Some((u32::from(entry >> 8), entry as u8)),
        }
    }

    /// Length and symbol of the code longer than a look-up that the 16 bits `next` begin with.
    pub(super) fn find_long(&self, next: u32) -> Option<(u32, u8)> {
        let length = (LOOKUP_BITS + 1..=16).find(|&length| next < self.limit[length as usize])?;
        let place = (next >> (16 - length)) as i32 + self.offset[length as usize];
        Some((length, self.values[place as usize & 255]))
    }
}

/// A code that one look-up decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    /// Its bits, 1..=10.
    pub length: u8,
    pub symbol: u8,
}

impl Code {
    /// How many values of the next bits begin with it. Those of one code follow on those of the one before.
    pub fn windows(self) -> usize {
        1 << LOOKUP_BITS >> self.length
    }
}

/// The codes of a table that are not too long, in order.
fn short_codes(spec: &HuffmanSpec) -> SmallVec<[Code; 256]> {
    let lengths = (1..=LOOKUP_BITS as u8).zip(spec.counts);
    let lengths = lengths.flat_map(|(length, count)| std::iter::repeat_n(length, count.into()));
    lengths.zip(&spec.values).map(|(length, &symbol)| Code { length, symbol }).collect()
}

/// Codes of any length with any symbol, as many as there is place for: other ones for each seed below 64.
#[cfg(test)]
pub(super) fn any_codes(seed: usize) -> Vec<Code> {
    let code = |i: usize| Code { length: 1 + ((i * 7 + seed) % 10) as u8, symbol: (i * 37 + seed * 5) as u8 };
    let mut left = 1 << LOOKUP_BITS;
    let fits = |code: &Code| {
        let fits = code.windows() <= left;
        left -= if fits { code.windows() } else { 0 };
        fits
    };
    let mut codes: Vec<Code> = (0..256).map(code).filter(fits).collect();
    codes.sort_by_key(|code| code.length);
    codes
}

#[cfg(test)]
mod tests {
    use super::super::Window;
    use super::*;

    fn spec(counts: &[(usize, u8)], values: impl IntoIterator<Item = u8>) -> HuffmanSpec {
        let mut all = [0; 16];
        for &(length, count) in counts {
            all[length - 1] = count;
        }
        HuffmanSpec { counts: all, values: values.into_iter().collect(), offset: 7 }
    }

    #[test]
    fn short_and_long_codes() {
        // 0 -> 5, 10 -> 6, then one code of each length up to 16.
        let counts: Vec<_> = (1..=16).map(|length| (length, 1)).collect();
        let table = HuffmanTable::new(&spec(&counts, 5..21), SymbolKind::Ac).unwrap();
        for length in 1..=16u32 {
            let code: u32 = 0xffff & !(1 << (16 - length)) & !((1 << (16 - length)) - 1);
            let mut window = Window::default();
            let bytes = (code as u16).to_be_bytes();
            // 0xff in a code would need stuffing.
            let data: Vec<u8> = bytes.iter().flat_map(|&b| if b == 0xff { vec![b, 0] } else { vec![b] }).collect();
            let mut bits = BitReader::new(&data, 0, &mut window);
            bits.refill();
            let mut flaws = Flaws::default();
            assert_eq!(table.read_symbol(&mut bits, &mut flaws), 4 + length as u8);
            assert!(!flaws.any());
        }
    }

    #[test]
    fn bits_that_are_no_code() {
        let table = HuffmanTable::new(&spec(&[(2, 1)], [9]), SymbolKind::Dc).unwrap();
        let mut window = Window::default();
        let mut bits = BitReader::new(&[0xfe, 0, 0, 0x80], 0, &mut window);
        bits.refill();
        let mut flaws = Flaws::default();
        assert_eq!(table.read_symbol(&mut bits, &mut flaws), 0);
        assert!(flaws.bad_code);
        assert_eq!(bits.read(15), 0x80, "17 bits were skipped");
    }

    #[test]
    fn impossible_tables() {
        let kind = |spec: HuffmanSpec, kind| match HuffmanTable::new(&spec, kind) {
            Err(Error::Malformed { offset: 7, kind }) => Some(kind),
            _ => None,
        };
        assert_eq!(kind(spec(&[(1, 2)], [0, 1]), SymbolKind::Ac), Some(Malformed::HuffmanLengths), "all ones");
        assert_eq!(kind(spec(&[(1, 1), (2, 3)], [0, 1, 2, 3]), SymbolKind::Ac), Some(Malformed::HuffmanLengths));
        assert_eq!(kind(spec(&[(2, 1)], [16]), SymbolKind::Dc), Some(Malformed::HuffmanCategory(16)));
        assert_eq!(kind(spec(&[(2, 1)], [16]), SymbolKind::Ac), None);
    }
}
