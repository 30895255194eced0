//! Restart intervals: from the end of one entropy-coded segment to the start of the next (T.81 E.2.4, F.2.1.3).
//!
//! A missing, repeated or misplaced restart marker is met as libjpeg meets it, so that both recover the same blocks.

use crate::entropy::{Flaws, SegmentReader};
use crate::error::{Result, WarningKind};
use crate::markers::{Log, Marker, find_marker};
use crate::spec::marker::{RST0, RST7, SOF0};

/// Follows the segments of one scan, which `R` reads.
pub(super) struct Segments<'a, R> {
    pub reader: R,
    /// What went wrong since the last look.
    pub flaws: Flaws,
    data: &'a [u8],
    /// MCUs between restart markers, 0 for none.
    interval: u32,
    /// MCUs until the next restart marker.
    left: u32,
    /// Number of the restart marker that comes next, 0..=7.
    expected: u8,
    /// The current segment ran out or was given up: its remaining MCUs are zero.
    exhausted: bool,
    /// The scan is over: nothing more can be decoded, whatever markers there are.
    over: bool,
    /// A marker that is still to be dealt with; the segment before it is empty.
    unread: Option<Marker>,
}

/// What stands before the next MCU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Its bits follow.
    Decode,
    /// Nothing: it is lost and stays zero.
    Lost,
    /// Nothing, and nothing will follow in this scan.
    Over,
}

impl<'a, R: SegmentReader> Segments<'a, R> {
    pub fn new(data: &'a [u8], reader: R, interval: u16) -> Self {
        Segments {
            reader,
            flaws: Flaws::default(),
            data,
            interval: interval.into(),
            left: interval.into(),
            expected: 0,
            exhausted: false,
            over: false,
            unread: None,
        }
    }

    /// Deals with what stands before the next MCU, and makes its bits ready. At a restart marker `forget` is called:
    /// predictions and runs start anew.
    #[inline]
    pub fn before_mcu(&mut self, log: &mut Log, forget: impl FnOnce()) -> Result<Next> {
        if self.over {
            return Ok(Next::Over);
        }
        if self.interval > 0 {
            if self.left == 0 {
                self.restart(log)?;
                forget();
            }
            self.left -= 1;
        }
        if self.exhausted {
            return Ok(Next::Lost);
        }
        self.reader.prepare();
        Ok(Next::Decode)
    }

    /// Looks at the MCU just decoded.
    #[inline]
    pub fn after_mcu(&mut self, log: &mut Log) -> Result<()> {
        if self.flaws.any() || self.reader.is_exhausted() { self.report(log) } else { Ok(()) }
    }

    #[cold]
    fn report(&mut self, log: &mut Log) -> Result<()> {
        let offset = self.reader.offset();
        let flaws = std::mem::take(&mut self.flaws);
        for (flaw, kind) in [
            (flaws.bad_code, WarningKind::BadCode),
            (flaws.run_past_end, WarningKind::RunPastEnd),
            (flaws.overflow, WarningKind::Overflow),
        ] {
            if flaw {
                log.add(offset, kind)?;
            }
        }
        if self.reader.is_exhausted() {
            self.exhausted = true;
            if R::MAY_END_EARLY {
                // Given up, not run out. At the next restart, with or without its marker, decoding starts anew.
                self.over = self.interval == 0;
                return Ok(());
            }
            let end = self.unread.unwrap_or_else(|| self.reader.find_end());
            self.over = self.interval == 0 || ends_scan(end.code);
            let kind = if end.code == 0 { WarningKind::PrematureEnd } else { WarningKind::PrematureMarker(end.code) };
            log.add(end.offset, kind)?;
        }
        Ok(())
    }

    /// Ends a segment and starts the next one.
    fn restart(&mut self, log: &mut Log) -> Result<()> {
        let found = match self.unread {
            Some(marker) => Some(marker),
            None => self.end_segment(log)?,
        };
        self.left = self.interval;
        let expected = self.expected;
        self.expected = (expected + 1) & 7;
        let start = match found {
            Some(marker) if marker.code == RST0 + expected => Some(marker.offset + 2),
            Some(marker) => self.resynchronise(marker, expected, log)?,
            None => None,
        };
        match start {
            Some(start) => {
                self.unread = None;
                self.exhausted = false;
                self.reader.restart(start);
            }
            // The marker stays: the segment before it is empty.
            None => {
                self.reader.restart(self.unread.map_or(self.data.len(), |marker| marker.offset));
                if R::MAY_END_EARLY {
                    // An empty segment is one of zeros.
                    self.exhausted = false;
                    return Ok(());
                }
                self.over = self.exhausted && self.unread.is_none_or(|marker| ends_scan(marker.code));
            }
        }
        Ok(())
    }

    /// The marker that ends the current segment, after its left-over bytes; `None` at the end of the data.
    fn end_segment(&self, log: &mut Log) -> Result<Option<Marker>> {
        let end = self.reader.find_end();
        let left_over = self.reader.unread_bytes(end.offset);
        if left_over > 0 && end.code != 0 {
            log.add(self.reader.offset(), WarningKind::ExtraneousBytes(left_over, end.code))?;
        }
        Ok((end.code != 0).then_some(end))
    }

    /// A marker other than the expected one (libjpeg's jpeg_resync_to_restart). Returns where decoding goes on, or `None`
    /// if it must wait at the marker now in `unread`.
    fn resynchronise(&mut self, mut marker: Marker, expected: u8, log: &mut Log) -> Result<Option<usize>> {
        log.add(marker.offset, WarningKind::RestartMarker(marker.code, expected))?;
        loop {
            let ahead = marker.code.wrapping_sub(RST0).wrapping_sub(expected) & 7;
            let skip = match marker.code {
                ..SOF0 => true,
                RST0..=RST7 => match ahead {
                    // One of the next two: this one is missing. Wait.
                    1 | 2 => false,
                    // One of the last two: skip to the next marker.
                    6 | 7 => true,
                    // The expected one, or too far off to tell: take it.
                    _ => return Ok(Some(marker.offset + 2)),
                },
                _ => false,
            };
            if !skip {
                self.unread = Some(marker);
                return Ok(None);
            }
            match find_marker(self.data, marker.offset + 2) {
                Some(next) => marker = next,
                None => {
                    self.unread = Some(Marker { code: 0, offset: self.data.len() });
                    return Ok(None);
                }
            }
        }
    }

    /// MCUs that can be passed over before the next restart marker.
    #[inline]
    pub fn mcus_in_segment(&self) -> u32 {
        if self.interval > 0 { self.left } else { u32::MAX }
    }

    /// Passes over MCUs that have no bits, at most [`Segments::mcus_in_segment`].
    #[inline]
    pub fn pass_over(&mut self, mcus: u32) {
        if self.interval > 0 {
            self.left -= mcus;
        }
    }

    /// Ends the scan: left-over bytes are damage. Returns the offset at which the markers go on.
    pub fn finish(&self, log: &mut Log) -> Result<usize> {
        if let Some(marker) = self.unread {
            return Ok(marker.offset);
        }
        if self.exhausted {
            return Ok(self.reader.find_end().offset);
        }
        let end = self.end_segment(log)?;
        Ok(end.map_or(self.data.len(), |marker| marker.offset))
    }
}

/// A place in a scan that has nothing wrong with it so far, at the start of an MCU or at the end of the last one.
#[cfg(feature = "threads")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    /// That of the reader.
    pub position: u64,
    /// MCUs until the next restart marker.
    pub left: u32,
    /// Number of the restart marker that comes next.
    pub expected: u8,
}

#[cfg(feature = "threads")]
impl Segments<'_, crate::entropy::BitReader<'_>> {
    /// Where decoding stands, between two MCUs of which the one before had nothing wrong with it.
    pub fn standing(&self) -> Standing {
        Standing { position: self.reader.position(), left: self.left, expected: self.expected }
    }

    /// Goes on elsewhere, with nothing wrong.
    pub fn go_to(&mut self, place: Standing) {
        self.flaws = Flaws::default();
        (self.left, self.expected) = (place.left, place.expected);
        (self.exhausted, self.over, self.unread) = (false, false, None);
        self.reader.go_to(place.position);
    }

    /// The marker that comes next, if it is a restart marker's turn.
    pub fn marker_ahead(&self) -> Option<Marker> {
        (self.interval > 0 && self.left == 0).then(|| self.reader.find_end())
    }

    /// Goes past a marker that [`Segments::marker_ahead`] gave, if it is the right one and nothing is left over before it.
    /// Otherwise nothing is done.
    pub fn pass_marker(&mut self, marker: Marker) -> bool {
        if marker.code != RST0 + self.expected || self.reader.unread_bytes(marker.offset) > 0 {
            return false;
        }
        (self.left, self.expected) = (self.interval, (self.expected + 1) & 7);
        self.reader.restart(marker.offset + 2);
        true
    }
}

/// Whether no restart marker is looked for beyond this one: it is sound and something else, or the end of the data (0).
/// Codes below the first frame marker are no sound markers.
fn ends_scan(code: u8) -> bool {
    code == 0 || (code >= SOF0 && !(RST0..=RST7).contains(&code))
}
