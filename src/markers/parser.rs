//! Walks the markers of a file, from start of image to end of image.

use super::app::{self, AppData, Exif};
use super::frame::{FrameHeader, parse_frame};
use super::log::Log;
use super::scan::{ScanHeader, parse_scan};
use super::sniff::Format;
use super::tables::{Tables, parse_dri, wrong_length};
use crate::error::{Error, Malformed, Result, Warning, WarningKind};
use crate::limits::{LimitKind, Limits};
use crate::spec::marker;

/// How far into a file a start of image is looked for.
const LEADING_BYTES: usize = 1 << 16;

/// The state of a file between its segments.
pub(crate) struct Parser<'a> {
    pub data: &'a [u8],
    /// Offset of the next byte to read.
    pub position: usize,
    pub tables: Tables,
    pub app: AppData,
    pub frame: Option<FrameHeader>,
    pub restart_interval: u16,
    pub log: Log,
    /// The end-of-image marker was reached.
    ended: bool,
    /// A scan header was handed out.
    has_scan: bool,
    /// Segments read so far.
    segments: u64,
    limits: &'a Limits,
}

/// A marker: its second byte and the offset of its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub code: u8,
    pub offset: usize,
}

impl<'a> Parser<'a> {
    /// Finds the start of image.
    ///
    /// # Errors
    /// [`Error::NotJpeg`] if there is none in the first 64 KiB.
    pub fn new(data: &'a [u8], refuse_damage: bool, limits: &'a Limits) -> Result<Parser<'a>> {
        let mut log = Log::new(refuse_damage);
        let start = if data.starts_with(&[0xff, marker::SOI]) {
            0
        } else {
            // A start of image is looked for only where nothing else is recognised, and a marker that may follow it must.
            let format = Format::of(data);
            let head = &data[..data.len().min(LEADING_BYTES)];
            let found = head.windows(4).position(|bytes| {
                matches!(
                    *bytes,
                    [0xff, marker::SOI, 0xff, marker::SOF0..=0xcf | marker::DQT..=marker::APP15 | marker::COM]
                )
            });
            let start = found.filter(|_| format == Format::Unknown).ok_or(Error::NotJpeg(format))?;
            log.add(0, WarningKind::LeadingBytes(start as u32))?;
            start
        };
        Ok(Parser {
            data,
            position: start + 2,
            tables: Tables::default(),
            app: AppData::default(),
            frame: None,
            restart_interval: 0,
            log,
            ended: false,
            has_scan: false,
            segments: 0,
            limits,
        })
    }

    /// Reads segments up to and with the next scan header; `None` at the end of image.
    pub fn next_scan(&mut self) -> Result<Option<ScanHeader>> {
        while !self.ended {
            let Some(marker) = self.next_marker()? else {
                self.ended = true;
                if !self.has_scan {
                    return Err(Error::malformed(self.data.len(), Malformed::HeaderTruncated));
                }
                self.log.add(self.data.len(), WarningKind::PrematureEnd)?;
                break;
            };
            if let Some(scan) = self.parse_segment(marker)? {
                self.has_scan = true;
                return Ok(Some(scan));
            }
        }
        Ok(None)
    }

    /// Finds the next marker; bytes before it that belong to nothing are damage. `None` at the end of the data.
    fn next_marker(&mut self) -> Result<Option<Marker>> {
        let start = self.position;
        let found = find_marker(self.data, start);
        let Some(found) = found else {
            self.position = self.data.len();
            return Ok(None);
        };
        let skipped = extraneous_bytes(self.data, start, found.offset);
        if skipped > 0 {
            self.log.add(start, WarningKind::ExtraneousBytes(skipped, found.code))?;
        }
        self.position = found.offset + 2;
        Ok(Some(found))
    }

    /// Reads one segment. A scan header is handed out, everything else changes the state.
    fn parse_segment(&mut self, found: Marker) -> Result<Option<ScanHeader>> {
        let Marker { code, offset } = found;
        match code {
            marker::EOI => {
                self.ended = true;
                let trailing = self.data.len() - self.position;
                if trailing > 0 {
                    let kind = match self.app.images {
                        Some(images) if images > 1 => WarningKind::FurtherImages(images - 1),
                        _ => WarningKind::TrailingBytes(trailing as u64),
                    };
                    self.log.add(self.position, kind)?;
                }
                return Ok(None);
            }
            // Markers without a segment; restart markers between segments mean nothing.
            marker::TEM | marker::RST0..=marker::RST7 => return Ok(None),
            marker::SOI => return Err(Error::malformed(offset, Malformed::SecondSoi)),
            _ => {}
        }
        if code < marker::SOF0 || (0xf0..0xfe).contains(&code) && code != marker::SOF55 {
            return Err(Error::malformed(offset, Malformed::UnexpectedMarker(code)));
        }
        let (payload, at) = self.segment(found)?;
        match code {
            marker::DQT => self.tables.parse_dqt(payload, at)?,
            marker::DHT => self.tables.parse_dht(payload, at)?,
            marker::DAC => self.tables.parse_dac(payload, at)?,
            marker::DRI => self.restart_interval = parse_dri(payload, at)?,
            marker::SOS => {
                let frame = self.frame.as_ref().ok_or(Error::malformed(offset, Malformed::ScanBeforeFrame))?;
                return parse_scan(payload, at, &frame.components).map(Some);
            }
            // The number of lines, read where the frame header left it open; comments.
            marker::DNL | marker::COM => {}
            marker::APP0..=marker::APP15 => self.parse_app(code, payload, at)?,
            _ => {
                let frame = parse_frame(code, payload, at)?;
                if self.frame.is_some() {
                    return Err(Error::malformed(offset, Malformed::SecondFrame(code)));
                }
                self.frame = Some(frame);
            }
        }
        Ok(None)
    }

    fn parse_app(&mut self, code: u8, payload: &[u8], at: usize) -> Result<()> {
        match code {
            marker::APP0 => self.app.jfif |= app::is_jfif(payload),
            marker::APP1 if self.app.orientation.is_none() => match app::parse_exif(payload) {
                Exif::Orientation(orientation) => self.app.orientation = Some(orientation),
                Exif::Broken => self.log.add(at, WarningKind::Exif)?,
                Exif::Silent => {}
            },
            marker::APP2 => self.app.images = self.app.images.or_else(|| app::mpf_images(payload)),
            marker::APP14 => {
                if let Some(transform) = app::adobe_transform(payload) {
                    self.app.adobe_transform = Some(transform);
                    if transform > 2 {
                        self.log.add(at, WarningKind::AdobeTransform(transform))?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The payload of a segment, and its offset. Length (16 bits): bytes of the segment from the length field on.
    fn segment(&mut self, found: Marker) -> Result<(&'a [u8], usize)> {
        self.segments += 1;
        self.limits.check(LimitKind::Segments, self.segments)?;
        let truncated = Error::malformed(self.data.len(), Malformed::HeaderTruncated);
        let Some(&[high, low]) = self.data.get(self.position..self.position + 2) else { return Err(truncated) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let at = self.position + 2;
        if length < 2 {
            return Err(Error::malformed(
                found.offset,
                Malformed::SegmentLength { marker: found.code, length: length as u16 },
            ));
        }
        let payload = self.data.get(at..at + length - 2).ok_or(truncated)?;
        self.position = at + payload.len();
        Ok((payload, at))
    }

    /// From the markers alone: where the entropy-coded data that starts at `start` ends, at the first marker that is no
    /// restart, and the next scan header, `None` if the image ends first or is not as T.81 has it there.
    pub fn scan_behind(&self, start: usize) -> (usize, Option<ScanHeader>) {
        let end = end_of_scan(self.data, start);
        (end.offset, if end.code == 0 { None } else { self.scan_at(end.offset) })
    }

    /// The first scan header at or behind the segment at `start`.
    fn scan_at(&self, start: usize) -> Option<ScanHeader> {
        let mut at = start;
        loop {
            let found = find_marker(self.data, at)?;
            at = found.offset + 2;
            match found.code {
                marker::TEM | marker::RST0..=marker::RST7 => {}
                marker::SOF0..=0xef | 0xfe if !matches!(found.code, marker::SOI | marker::EOI) => {
                    let &[high, low] = self.data.get(at..at + 2)? else { return None };
                    let end = at + usize::from(u16::from_be_bytes([high, low]));
                    let payload = self.data.get(at + 2..end)?;
                    if found.code == marker::SOS {
                        return parse_scan(payload, at + 2, &self.frame.as_ref()?.components).ok();
                    }
                    at = end;
                }
                _ => return None,
            }
        }
    }

    /// All warnings.
    pub fn into_warnings(self) -> Vec<Warning> {
        self.log.into_warnings(self.position)
    }

    /// Height of a frame whose header says 0: from the DNL segment that must follow the first scan (T.81 B.2.5).
    pub fn deferred_height(&self, scan: &ScanHeader) -> Result<u16> {
        let mut at = scan.data;
        while let Some(found) = find_marker(self.data, at) {
            at = found.offset + 2;
            match found.code {
                marker::RST0..=marker::RST7 => {}
                marker::DNL => match self.data.get(at..at + 4) {
                    Some(&[0, 4, high, low]) if (high, low) != (0, 0) => return Ok(u16::from_be_bytes([high, low])),
                    _ => return Err(wrong_length(marker::DNL, &[], at + 2)),
                },
                _ => break,
            }
        }
        let width = self.frame.as_ref().map_or(0, |frame| frame.width.into());
        Err(Error::malformed(scan.offset, Malformed::EmptyImage { width, height: 0 }))
    }
}

/// The next marker at or after `start`: 0xff, then any fill bytes 0xff, then a byte other than 0x00 and 0xff (T.81
/// B.1.1.2). Its offset is that of the last 0xff.
pub(crate) fn find_marker(data: &[u8], start: usize) -> Option<Marker> {
    let mut at = start;
    loop {
        at += unmarked(data.get(at..)?);
        at += data.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += data[at..].iter().position(|&byte| byte != 0xff)?;
        if data[at] != 0 {
            return Some(Marker { code: data[at], offset: at - 1 });
        }
        at += 1;
    }
}

/// Where the entropy-coded data that begins at `start` ends: at the first marker that is no restart marker, or with code 0
/// at the end of the data.
pub(crate) fn end_of_scan(data: &[u8], start: usize) -> Marker {
    let mut at = start;
    while let Some(found) = find_marker(data, at) {
        if !(marker::RST0..=marker::RST7).contains(&found.code) {
            return found;
        }
        at = found.offset + 2;
    }
    Marker { code: 0, offset: data.len() }
}

/// How many bytes, in whole chunks, have no 0xff in them but such as a zero byte follows.
fn unmarked(data: &[u8]) -> usize {
    const CHUNK: usize = 64;
    let mut run = 0;
    while let Some(chunk) = data[run..].first_chunk::<{ CHUNK + 1 }>() {
        // No early exit: this is a vector comparison.
        if (0..CHUNK).fold(false, |any, i| any | ((chunk[i] == 0xff) & (chunk[i + 1] != 0))) {
            break;
        }
        run += CHUNK;
    }
    run
}

/// Bytes from `start` to the marker at `offset` that are not fill bytes of the marker.
pub(crate) fn extraneous_bytes(data: &[u8], start: usize, offset: usize) -> u32 {
    let between = &data[start..offset];
    (between.len() - between.iter().rev().take_while(|&&byte| byte == 0xff).count()) as u32
}
