//! What every entropy decoder has in common: it reads one entropy-coded segment after another.
//!
//! What enters: the bytes of the file and the offset at which a segment starts. What leaves: where the segment ends. Which
//! marker must come next, and what is done if it does not, is the business of [`crate::scans`].

use crate::markers::Marker;

/// Reads the entropy-coded segments of a scan, one at a time.
pub(crate) trait SegmentReader {
    /// Whether a segment may end before its last MCU does. Then zeros follow, and nothing is wrong.
    const MAY_END_EARLY: bool;

    /// Starts a new segment at offset `start`.
    fn restart(&mut self, start: usize);

    /// To be called before each MCU.
    fn prepare(&mut self);

    /// Whether nothing more can be decoded from this segment.
    fn is_exhausted(&self) -> bool;

    /// Offset in the data of the next byte.
    fn offset(&self) -> usize;

    /// Where the segment ends. The marker's code is 0 at the end of the data.
    fn find_end(&self) -> Marker;

    /// Bytes of the segment, as they stand in the file, that were not read, up to its marker at `end`.
    fn unread_bytes(&self, end: usize) -> u32;
}

/// What a byte 0xff in entropy-coded data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// A data byte 0xff: a zero byte was stuffed behind it (T.81 B.1.1.5). The data goes on at this offset.
    Data(usize),
    /// The segment ends here, at a marker or, with code 0, at the end of the data.
    End(Marker),
}

impl Escape {
    /// Looks at the 0xff at offset `at`, or at the end of the data. Fill bytes 0xff may precede a stuffed zero as well as a
    /// marker.
    pub fn parse(data: &[u8], at: usize) -> Escape {
        match data.get(at..).and_then(|rest| rest.iter().position(|&byte| byte != 0xff)) {
            Some(fill) if data[at + fill] == 0 => Escape::Data(at + fill + 1),
            Some(fill) => Escape::End(Marker { code: data[at + fill], offset: at + fill - 1 }),
            None => Escape::End(Marker { code: 0, offset: data.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_zeros_markers_and_the_end() {
        assert_eq!(Escape::parse(&[1, 0xff, 0, 2], 1), Escape::Data(3));
        assert_eq!(Escape::parse(&[0xff, 0xff, 0], 0), Escape::Data(3));
        assert_eq!(Escape::parse(&[0xff, 0xff, 0xd0], 0), Escape::End(Marker { code: 0xd0, offset: 1 }));
        for data in [&[7, 0xff, 0xff][..], &[7]] {
            assert_eq!(Escape::parse(data, 1), Escape::End(Marker { code: 0, offset: data.len() }));
        }
    }
}
