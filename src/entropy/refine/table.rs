//! What the next bits of an AC refinement scan mean: one symbol, or two.

use crate::entropy::huffman::Code;
use crate::entropy::pairs::WINDOW_BITS;

/// By the next bits. Each field has a table of its own, since a look-up waits for `first` and `both` alone, and bytes one
/// behind the other are found fastest.
///
/// An entry has one symbol, or two where both codes and the first one's sign are in the next bits. The first one is a new
/// coefficient then, and the second one counts if no correction bits lie between. Where there is one symbol, the first is
/// none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct StepTable {
    /// How many coefficients without history the first symbol passes, its own included: 0..=16.
    pub first: [u8; ENTRIES],
    /// The same for all symbols of the entry: 1..=31, or [`END_OF_BAND`] more than the first if the last one ends the band;
    /// 0 if there is no entry.
    pub both: [u8; ENTRIES],
    /// Bits of the first symbol, 0 for none.
    pub first_total: [u8; ENTRIES],
    /// Bits of all symbols, but for correction bits: at most 11. [`NO_ENTRY`] for what an entry does not have: long
    /// codes, runs of 16 zeros, ends of several bands, and what is no symbol of such a scan.
    pub total: [u8; ENTRIES],
    /// Of the coefficients that are passed, by how far they are from the last one: those that are new, and those that are
    /// positive but for one that the last symbol says. [`ALONE`] is what there is to say where the first of two symbols
    /// counts alone.
    pub pattern: [[u16; 2]; ENTRIES + 1],
    /// For assembly.
    pub alone: u32,
    pub zero: u64,
}

/// Entries of a table.
const ENTRIES: usize = 1 << WINDOW_BITS;

/// See [`StepTable::pattern`].
pub(super) const ALONE: usize = ENTRIES;

/// The end of the band is this far ahead: beyond where two symbols can lead. A multiple of 32, the one above [`FURTHEST`].
pub(super) const END_OF_BAND: u8 = 96;

/// How far the symbols of an entry lead, if they are none that ends the band.
#[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
pub(super) const FURTHEST: u8 = 31;

/// More bits than any entry has.
pub(super) const NO_ENTRY: u8 = 128;

/// What a symbol of a refinement scan means (T.81 G.1.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A new coefficient: how many without history are passed, its own included.
    New(u8),
    /// The band ends: how many bits say for how many blocks.
    End(u8),
    /// 16 coefficients without history stay zero.
    Zeros,
    /// None of such a scan.
    Nothing,
}

impl Meaning {
    pub fn of(symbol: u8) -> Meaning {
        match (symbol >> 4, symbol & 15) {
            (run, 1) => Meaning::New(run + 1),
            (15, 0) => Meaning::Zeros,
            (bits, 0) => Meaning::End(bits),
            _ => Meaning::Nothing,
        }
    }
}

/// A second symbol.
#[derive(Debug, Clone, Copy)]
struct Second {
    /// How far it leads; 0 if it is not inside.
    leads: u8,
    /// Its bits, with its sign.
    total: u8,
    /// The patterns for both signs of the first symbol.
    patterns: [[u16; 2]; 2],
}

impl StepTable {
    /// From the codes in order.
    pub fn new(codes: &[Code]) -> Box<StepTable> {
        let mut table = Box::new(StepTable {
            first: [0; ENTRIES],
            both: [0; ENTRIES],
            first_total: [NO_ENTRY; ENTRIES],
            total: [NO_ENTRY; ENTRIES],
            pattern: [[1, 0]; ENTRIES + 1],
            alone: ALONE as u32,
            zero: 0,
        });
        // One symbol.
        let mut lengths = [u8::MAX; ENTRIES];
        let mut at = 0;
        for code in codes {
            let windows = at..at + code.windows();
            at = windows.end;
            let (leads, sign, pattern) = match Meaning::of(code.symbol) {
                Meaning::New(passed) => (passed, 1, [1, 0]),
                Meaning::End(0) => (END_OF_BAND, 0, [0, 0]),
                Meaning::End(_) | Meaning::Zeros | Meaning::Nothing => continue,
            };
            lengths[windows.clone()].fill(code.length);
            table.both[windows.clone()].fill(leads);
            table.total[windows.clone()].fill(code.length + sign);
            table.first_total[windows.clone()].fill(0);
            table.pattern[windows].fill(pattern);
        }
        // Two where they fit. What the second one may be depends on nothing but how many bits are left.
        let (leads, totals) = (table.both, table.total);
        let mut seconds: [Vec<Second>; WINDOW_BITS as usize] = [const { Vec::new() }; _];
        let mut at = 0;
        for code in codes {
            let start = at;
            at += code.windows();
            let (Meaning::New(passed), Some(left @ 1..)) =
                (Meaning::of(code.symbol), (WINDOW_BITS as u8).checked_sub(code.length + 1))
            else {
                continue;
            };
            let seconds = &mut seconds[usize::from(left)];
            if seconds.is_empty() {
                let windows = (0..ENTRIES).step_by(1 << (WINDOW_BITS as u8 - left));
                seconds.extend(windows.map(|window| Second::new(left, lengths[window], leads[window], totals[window])));
            }
            for (bits, second) in (0..2 << left).zip(seconds.iter().cycle()).filter(|(_, second)| second.leads > 0) {
                let window = start + bits;
                table.first[window] = passed;
                table.first_total[window] = code.length + 1;
                table.both[window] = passed + second.leads;
                table.total[window] = code.length + 1 + second.total;
                table.pattern[window] = second.patterns[bits >> left];
            }
        }
        table
    }
}

impl Second {
    /// Of a code of this length, if there are so many bits left for it.
    fn new(left: u8, length: u8, leads: u8, total: u8) -> Second {
        // A pattern has 16 bits.
        if length > left || leads == 16 {
            return Second { leads: 0, total: 0, patterns: [[1, 0]; 2] };
        }
        let pattern = |sign: u16| if leads == END_OF_BAND { [1, sign] } else { [1 << leads | 1, sign << leads] };
        Second { leads, total, patterns: [pattern(0), pattern(1)] }
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
            let table = StepTable::new(&any_codes(seed));
            for window in 0..ENTRIES {
                let (first, both) = (table.first[window], table.both[window]);
                let (first_total, total) = (table.first_total[window], table.total[window]);
                if total == NO_ENTRY {
                    assert_eq!((first, both, first_total), (0, 0, NO_ENTRY));
                    continue;
                }
                assert!(first <= 16 && (first < both && both <= FURTHEST || both == END_OF_BAND + first));
                assert!((1..=11).contains(&total) && total > first_total && first_total <= 10);
                assert_eq!(first > 0, first_total > 0);
                assert_eq!(both % (FURTHEST + 1), if both > FURTHEST { first } else { both });
            }
        }
    }

    #[test]
    fn two_symbols_where_both_fit() {
        // 0: a new coefficient at once; 10: the end of the band; 11: one after 2 more, in 2 bits; nothing else.
        let codes = [(1, 0x01), (2, 0x00), (2, 0x21)].map(|(length, symbol)| Code { length, symbol });
        let table = StepTable::new(&codes);
        let entry = |window: usize| {
            let (first, both) = (table.first[window], table.both[window]);
            (first, both, table.first_total[window], table.total[window], table.pattern[window])
        };
        assert_eq!(entry(0b01_1100_0000), (1, 4, 2, 5, [0b1001, 0b1000]), "one, positive, and another");
        assert_eq!(entry(0b00_1000_0000), (1, 97, 2, 4, [1, 0]), "one, negative, and the end");
        assert_eq!(entry(0b01_1000_0000), (1, 97, 2, 4, [1, 1]), "one, positive, and the end");
        assert_eq!(entry(0b10_0100_0000), (0, 96, 0, 2, [0, 0]), "nothing is taken behind the end");
        assert_eq!(table.pattern[ALONE], [1, 0]);
    }
}
