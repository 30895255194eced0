//! What the next bits of a first AC scan mean: one symbol, or two.

use std::ops::Range;

use crate::entropy::bits::extend;
use crate::entropy::huffman::Code;
use crate::entropy::pairs::WINDOW_BITS;

/// By the next bits. Each field has a table of its own, since a look-up waits for `total` alone, and bytes one behind the
/// other are found fastest.
///
/// An entry has one symbol, or two where both codes and the first one's value are in the next bits. The first one is a
/// coefficient then. Where there is one symbol, the first is none: a zero where there is one. Distances are in bytes, and
/// below 0 as blocks are reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct BandTable {
    /// Bits of all symbols: at most 10 + 15.
    pub total: [u8; ENTRIES],
    /// Bits of the first symbol, 0 for none.
    pub first_total: [u8; ENTRIES],
    /// How far the first symbol leads: -32..=-2.
    pub first: [i8; ENTRIES],
    /// How far all symbols lead: -64..=-2. The end of the band leads to the next coefficient, which is zero.
    pub last: [i8; ENTRIES],
    /// `first` where there are two symbols, 0 where there is one, and [`NO_ENTRY`] for what an entry does not have: long
    /// codes, runs of 16 zeros, ends of several bands.
    pub check: [i8; ENTRIES],
    /// 1 if the last symbol ends the band.
    pub end: [u8; ENTRIES],
    /// Bits of the last coefficient's value, 0..=15.
    pub size: [u8; ENTRIES],
    /// The least of these that is positive, and what is added to one that is less (T.81 F.2.2.1, EXTEND).
    pub half: [u16; ENTRIES],
    pub bias: [i16; ENTRIES],
    /// The first coefficient.
    pub first_value: [i16; ENTRIES],
}

// What assembly relies on.
const _: () = assert!(std::mem::offset_of!(BandTable, total) == 0);

/// Entries of a table.
const ENTRIES: usize = 1 << WINDOW_BITS;

/// Further than any symbol leads.
pub(super) const NO_ENTRY: i8 = i8::MIN;

/// What a symbol of a first AC scan means (T.81 G.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A coefficient: how many are passed, its own included, and the bits of its value.
    Value(u8, u8),
    /// The band ends: how many bits say for how many blocks.
    End(u8),
    /// 16 coefficients stay zero.
    Zeros,
}

impl Meaning {
    pub fn of(symbol: u8) -> Meaning {
        match (symbol >> 4, symbol & 15) {
            (15, 0) => Meaning::Zeros,
            (bits, 0) => Meaning::End(bits),
            (run, size) => Meaning::Value(run + 1, size),
        }
    }
}

/// A symbol that has an entry.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    /// How far it leads.
    leads: i8,
    /// Bits of its value.
    size: u8,
    /// 1 if it ends the band.
    end: u8,
}

impl Symbol {
    fn of(symbol: u8) -> Option<Symbol> {
        match Meaning::of(symbol) {
            Meaning::Value(passed, size) => Some(Symbol { leads: -2 * passed as i8, size, end: 0 }),
            Meaning::End(0) => Some(Symbol { leads: -2, size: 0, end: 1 }),
            Meaning::End(_) | Meaning::Zeros => None,
        }
    }
}

impl BandTable {
    /// From the codes in order.
    pub fn new(codes: &[Code]) -> Box<BandTable> {
        let mut table = Box::new(BandTable {
            total: [0; ENTRIES],
            first_total: [0; ENTRIES],
            first: [-2; ENTRIES],
            last: [-2; ENTRIES],
            check: [NO_ENTRY; ENTRIES],
            end: [0; ENTRIES],
            size: [0; ENTRIES],
            half: [0; ENTRIES],
            bias: [0; ENTRIES],
            first_value: [0; ENTRIES],
        });
        // One symbol.
        let mut at = 0;
        for &code in codes {
            let windows = at..at + code.windows();
            at = windows.end;
            if let Some(symbol) = Symbol::of(code.symbol) {
                table.check[windows.clone()].fill(0);
                table.set_last(windows, 0, 0, code, symbol);
            }
        }
        // Two where they fit: behind each value of the first one, all whose codes are in the bits that are left.
        let mut at = 0;
        for &code in codes {
            let start = at;
            at += code.windows();
            let Some(symbol) = Symbol::of(code.symbol).filter(|symbol| symbol.end == 0) else { continue };
            let total = code.length + symbol.size;
            let Some(left @ 1..) = (WINDOW_BITS as u8).checked_sub(total) else { continue };
            for bits in 0..1 << symbol.size {
                let value = extend((bits as u64) << 1 << (63 - symbol.size), 63 - u32::from(symbol.size));
                let mut next = start + (bits << left);
                // Shorter codes come first.
                for &second in codes.iter().take_while(|second| second.length <= left) {
                    let windows = next..next + (second.windows() >> total);
                    next = windows.end;
                    let Some(meaning) = Symbol::of(second.symbol) else { continue };
                    table.first[windows.clone()].fill(symbol.leads);
                    table.check[windows.clone()].fill(symbol.leads);
                    table.first_total[windows.clone()].fill(total);
                    table.first_value[windows.clone()].fill(value as i16);
                    table.set_last(windows, symbol.leads, total, second, meaning);
                }
            }
        }
        table
    }

    /// Sets the last symbol, behind one that leads as far and has so many bits.
    fn set_last(&mut self, windows: Range<usize>, leads: i8, total: u8, code: Code, symbol: Symbol) {
        self.last[windows.clone()].fill(leads + symbol.leads);
        self.total[windows.clone()].fill(total + code.length + symbol.size);
        self.size[windows.clone()].fill(symbol.size);
        self.end[windows.clone()].fill(symbol.end);
        self.half[windows.clone()].fill(1 << symbol.size >> 1);
        self.bias[windows].fill((1 - (1 << symbol.size)) as i16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::huffman::any_codes;

    /// What code that does not check them relies on.
    #[test]
    fn entries_lead_on_and_not_too_far() {
        for seed in 0..64 {
            let table = BandTable::new(&any_codes(seed));
            for window in 0..ENTRIES {
                let (first, last, check) = (table.first[window], table.last[window], table.check[window]);
                assert!((-32..=-2).contains(&first) && (-64..=-2).contains(&last) && last <= first);
                assert!(check == first && last < first || [0, NO_ENTRY].contains(&check) && first == -2);
                assert!(first % 2 == 0 && last % 2 == 0);
                assert_eq!(check == NO_ENTRY, table.total[window] == 0);
                assert!(table.total[window] <= 25 && table.first_total[window] <= 10 && table.size[window] < 16);
                assert!(table.end[window] == 0 || table.end[window] == 1 && table.size[window] == 0);
            }
        }
    }
}
