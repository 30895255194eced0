//! AC codes of sequential scans, two at a time.
//!
//! An AC code is short, and what follows it is the value's few bits: a window of the next bits mostly holds one code with its
//! value and the code after it. An entry says what all of that means, so that one look-up decodes two coefficients, or
//! one and the end of the block.

use super::bits::extend;

/// Bits by which a [`PairTable`] is looked up. More would leave the L1 cache.
pub(super) const WINDOW_BITS: u32 = 10;

/// What the next bits mean: one or two coefficients.
///
/// An entry with one coefficient has it as its last; its first is then stored at the same place and overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C, align(8))]
pub(super) struct Pair {
    /// Bits of everything in the entry, at most 10 + 15; 0 for codes longer than the window and for bits that are no code.
    pub total: u8,
    /// Bits before those of the last value.
    pub before: u8,
    /// 63 less the number of bits of the last value.
    pub shift: u8,
    /// How far the last coefficient is from where decoding stands: the end of the block is [`END_OF_BLOCK`].
    pub advance: u8,
    /// The same for the first coefficient.
    pub first_advance: u8,
    /// Bits up to the end of the first coefficient.
    pub first_total: u8,
    /// The first coefficient.
    pub first_value: i16,
}

/// The end of a block counts as a coefficient of value 0 this far ahead: no run leads there.
pub(super) const END_OF_BLOCK: u8 = 128;

/// The table of one AC Huffman table.
pub(super) type PairTable = [Pair; 1 << WINDOW_BITS];

/// How far a symbol of a sequential scan leads, and how many bits its value has. What is no run of zeros and has no bits
/// ends the block.
pub(super) fn meaning(symbol: u8) -> (u8, u8) {
    match (symbol >> 4, symbol & 15) {
        (15, 0) => (16, 0),
        (_, 0) => (END_OF_BLOCK, 0),
        (run, size) => (run + 1, size),
    }
}

/// Fills `pairs` from the look-up of single codes: by the next bits, code length (8 bits) and symbol (8 bits), 0 for none.
pub(super) fn fill(pairs: &mut PairTable, codes: &[u16; 1 << WINDOW_BITS]) {
    for (window, pair) in pairs.iter_mut().enumerate() {
        let entry = codes[window];
        let length = (entry >> 8) as u8;
        if entry == 0 {
            *pair = Pair::default();
            continue;
        }
        let (advance, size) = meaning(entry as u8);
        let total = length + size;
        *pair = Pair {
            total,
            before: length,
            shift: 63 - size,
            advance,
            first_advance: advance,
            first_total: total,
            first_value: 0,
        };
        if u32::from(total) >= WINDOW_BITS || advance == END_OF_BLOCK {
            continue;
        }
        // The bits behind the first coefficient, and the code that they begin with, if all of it is inside.
        let left = WINDOW_BITS - u32::from(total);
        let next = codes[(window << total) & ((1 << WINDOW_BITS) - 1)];
        if next == 0 || u32::from(next >> 8) > left {
            continue;
        }
        let (next_advance, next_size) = meaning(next as u8);
        let next_length = (next >> 8) as u8;
        pair.first_value =
            extend((window as u64) << (64 - WINDOW_BITS + u32::from(length)), 63 - u32::from(size)) as i16;
        pair.before = total + next_length;
        pair.total = pair.before + next_size;
        pair.shift = 63 - next_size;
        pair.advance = advance + next_advance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What code that does not check them relies on.
    #[test]
    fn entries_lead_on_and_not_too_far() {
        let mut pairs = [Pair::default(); 1 << WINDOW_BITS];
        // Any code length with any symbol, at places where codes of that length do not even stand.
        for shift in 0..64 {
            let entry = |window: usize| (((window * 7 + shift) % 11) << 8) | ((window * 37 + shift * 5) % 256);
            let codes = std::array::from_fn(|window| if entry(window) < 256 { 0 } else { entry(window) as u16 });
            fill(&mut pairs, &codes);
            for pair in &pairs {
                if pair.total == 0 {
                    continue;
                }
                assert!(pair.total <= 25 && pair.before <= 10 && (48..=63).contains(&pair.shift), "{pair:?}");
                assert!((1..=144).contains(&pair.advance) && pair.first_advance <= pair.advance, "{pair:?}");
                assert!(pair.first_total <= pair.total, "{pair:?}");
            }
        }
    }
}
