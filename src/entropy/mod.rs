//! Bits to blocks: the entropy coders of T.81 annexes F and G.
//!
//! What enters: entropy-coded bytes, with their stuffing. What leaves: quantised coefficients of one block at a time, in
//! zigzag order. MCU order, restart markers and where a block lies are the business of [`crate::scans`].

/// Assembly: the bits from `bit` on, which counts from address 0, at least 57 of them.
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
macro_rules! load_bits {
    () => {
        "mov rcx, {bit}\nshr rcx, 3\nmovbe {bits}, [rcx]\nmov ecx, {bit:e}\nand ecx, 7\nshlx {bits}, {bits}, rcx\n"
    };
}

pub(crate) mod arithmetic;
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
mod assembly;
pub(crate) mod band;
mod bits;
pub(crate) mod dc;
mod fast;
mod huffman;
mod pairs;
pub(crate) mod progressive;
pub(crate) mod refine;
mod segment;
pub(crate) mod sequential;
#[cfg(test)]
mod twins;

pub(crate) use bits::{BitReader, Window};
pub(crate) use fast::{BlockTables, SLACK, decode_mcus};
pub(crate) use huffman::{HuffmanTable, SymbolKind};
pub(crate) use segment::SegmentReader;

/// Parameters of an AC scan: the band and the bit position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band {
    /// First coefficient, 1..=63.
    pub ss: usize,
    /// Last coefficient, `ss..=63`.
    pub se: usize,
    /// Bit position, 0..=13.
    pub al: u8,
}

impl Band {
    /// Whether it is one of AC coefficients (T.81 G.1.1.1.1).
    fn is_sound(self) -> bool {
        (1..=63).contains(&self.ss) && (self.ss..=63).contains(&self.se)
    }

    /// Coefficient k of a reversed block is at 63 - k: the place of the last coefficient.
    fn low(self) -> usize {
        63 - self.se.min(63)
    }

    /// How many coefficients there are.
    fn width(self) -> u32 {
        (self.se + 1 - self.ss) as u32
    }
}

/// How a block of an AC scan ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// So many blocks behind it have no further coefficients either.
    Sound(u32),
    /// It has something wrong with it.
    Unsound,
}

/// What a call of a band's decoder did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Blocks that are done.
    pub blocks: usize,
    /// Those of them that were looked at: the others were passed over, many at a time.
    pub visited: usize,
}

/// What went wrong in the blocks decoded since the flags were last cleared. Decoding goes on: as libjpeg does, a bad
/// code counts as symbol 0 and a run past the end stops at coefficient 63.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flaws {
    /// Bits that are no code.
    pub bad_code: bool,
    /// A zero run past the end of the band.
    pub run_past_end: bool,
    /// Coefficients that do not fit 16 bits.
    pub overflow: bool,
}

impl Flaws {
    /// Whether there are any.
    pub fn any(self) -> bool {
        self.bad_code || self.run_past_end || self.overflow
    }

    /// A coefficient as i16, modulo 2^16 and flagged where it does not fit. No sound file has such: a coefficient of 12-bit
    /// samples has at most 15 bits and a sign (T.81 tables F.1 and F.2), and what a decoder makes of more is left open.
    /// libjpeg takes it modulo 2^16 in every kind of scan. It comes of bad codes, and of cut segments, where the arithmetic
    /// decoder makes something of zeros.
    #[inline]
    pub fn store(&mut self, value: i32) -> i16 {
        self.overflow |= i16::try_from(value).is_err();
        value as i16
    }
}
