//! The binary arithmetic decoder of T.81 annex D, and the coefficients it decodes (F.2.4, G.2).
//!
//! What enters: the bytes of an entropy-coded segment. What leaves: decisions, one at a time, each decoded with the
//! statistics bin of its context; [`blocks`] makes coefficients of them. Who keeps the statistics areas, and for how long,
//! is the business of [`crate::scans`].

pub(crate) mod blocks;
mod states;
mod statistics;

pub(crate) use statistics::{AcStatistics, DcPrediction, DcStatistics};

use super::segment::{Escape, SegmentReader};
use crate::markers::{Marker, extraneous_bytes, find_marker};
use states::{ONE_HALF, STATES};

/// A statistics bin: the number of a state of the probability estimation, 0 at the start.
type Bin = u8;

/// Decodes the decisions of one entropy-coded segment (T.81 D.2).
///
/// The flow charts shift the interval and the code one bit at a time, and hold the bits of the code that are ahead of the
/// interval in a register of their own. Here they stay below the code's 16 bits in one register, and a shift by any number
/// of places only moves the cut.
#[derive(Debug)]
pub(crate) struct ArithmeticReader<'a> {
    data: &'a [u8],
    /// Offset in `data` of the next byte to read.
    next: usize,
    /// Where the segment ends, once that is reached.
    end: Option<Marker>,
    /// Size of the interval, 1..=0x10000. Below 0x8000, doublings are due before the next decision.
    interval: u32,
    /// The code relative to the interval's base, with `ahead` bits more behind it: less than `interval << ahead`.
    code: u32,
    /// How many bits of `code` are ahead of the interval: 0..=7.
    ahead: u32,
    /// The decisions had no meaning: what follows in this segment has none either.
    is_broken: bool,
}

impl<'a> ArithmeticReader<'a> {
    /// Starts at offset `start` of `data`.
    pub fn new(data: &'a [u8], start: usize) -> ArithmeticReader<'a> {
        let (interval, code, ahead) = (0, 0, 0);
        let mut reader = ArithmeticReader { data, next: start, end: None, interval, code, ahead, is_broken: false };
        reader.restart(start);
        reader
    }

    /// Decodes one decision and adapts its bin (figures D.16 to D.19).
    #[inline]
    pub fn decode(&mut self, bin: &mut Bin) -> bool {
        self.renormalise();
        let state = STATES[usize::from(*bin)];
        let more_probable = *bin & 1 != 0;
        let less = u32::from(state.qe);
        // The lower part of the interval belongs to the more probable symbol, unless the upper part is the larger one.
        let more = self.interval - less;
        let split = more << self.ahead;
        let is_lower = self.code < split;
        if is_lower {
            self.interval = more;
            if more >= 0x8000 {
                return more_probable;
            }
        } else {
            self.code -= split;
            self.interval = less;
        }
        let is_less_probable = is_lower == (more < less);
        *bin = if is_less_probable { state.after_lps } else { state.after_mps };
        more_probable ^ is_less_probable
    }

    /// Decodes a decision of probability one half, without statistics.
    #[inline]
    pub fn decode_even(&mut self) -> bool {
        let mut bin = ONE_HALF;
        self.decode(&mut bin)
    }

    /// Doubles the interval until it is 0x8000 at least (figure D.22). The flow charts do so behind a decision, here it is
    /// done before the next: no more bytes are read than the decisions so far need, and left-over ones are noticed.
    #[inline]
    fn renormalise(&mut self) {
        if self.interval >= 0x8000 {
            return;
        }
        // 1..=15 places: the interval is never empty.
        let shift = self.interval.leading_zeros() - 16;
        while self.ahead < shift {
            self.code = self.code << 8 | self.read_byte();
            self.ahead += 8;
        }
        self.interval <<= shift;
        self.ahead -= shift;
    }

    /// The next byte (figure D.20); zeros behind the end, as the standard says.
    #[inline]
    fn read_byte(&mut self) -> u32 {
        match self.data.get(self.next) {
            Some(&byte) if byte != 0xff => {
                self.next += 1;
                byte.into()
            }
            _ => self.read_escape(),
        }
    }

    #[cold]
    fn read_escape(&mut self) -> u32 {
        if self.end.is_some() {
            return 0;
        }
        match Escape::parse(self.data, self.next) {
            Escape::Data(next) => {
                self.next = next;
                0xff
            }
            Escape::End(marker) => {
                self.end = Some(marker);
                0
            }
        }
    }

    /// Gives the rest of the segment up, which stays undecoded.
    #[cold]
    fn give_up(&mut self) {
        self.is_broken = true;
    }
}

impl SegmentReader for ArithmeticReader<'_> {
    /// The encoder leaves out zero bytes at the end (T.81 D.1.8), so reaching the marker early is no damage.
    const MAY_END_EARLY: bool = true;

    fn restart(&mut self, start: usize) {
        (self.next, self.end, self.is_broken) = (start, None, false);
        // Figure D.23.
        self.code = self.read_byte() << 8;
        self.code |= self.read_byte();
        (self.interval, self.ahead) = (0x10000, 0);
    }

    fn prepare(&mut self) {}

    #[inline]
    fn is_exhausted(&self) -> bool {
        self.is_broken
    }

    fn offset(&self) -> usize {
        self.next
    }

    fn find_end(&self) -> Marker {
        let end = self.end.or_else(|| find_marker(self.data, self.next));
        end.unwrap_or(Marker { code: 0, offset: self.data.len() })
    }

    fn unread_bytes(&self, end: usize) -> u32 {
        if self.next >= end { 0 } else { extraneous_bytes(self.data, self.next, end) }
    }
}

#[cfg(test)]
mod tests;
