//! All scans of a progressive image, found before one is decoded.
//!
//! What enters: a file that stands at its first scan. What leaves: the scans that are needed, with the tables in force at each
//! and where its data ends, and the file at its end; or nothing, if anything is unusual.

use crate::entropy::{BitReader, Window};
use crate::limits::{LimitKind, Limits};
use crate::markers::{ImageInfo, Log, Parser, ScanHeader, end_of_scan};
use crate::scans::coders::TableCache;
use crate::scans::decode::{check_mcu, latch_quant_tables};
use crate::scans::needed::Needed;
use crate::scans::passes::{Progressive, check_progressive};
use crate::scans::precision::Precision;
use crate::scans::restart::Segments;
use crate::scans::walk::Walk;
use crate::spec::frame::Frame;
use crate::spec::marker::SOF0;

/// More scans than this are decoded one after another: each has a window of 16 kB, and is begun anew in each band.
const MOST: usize = 64;

/// A scan that is needed.
pub(super) struct Planned {
    pub header: ScanHeader,
    coder: Progressive,
    interval: u16,
    /// Where its data ends.
    pub end: usize,
}

impl Planned {
    /// At its first MCU.
    pub fn begin<'a>(self, data: &'a [u8], frame: &Frame, window: &'a mut Window) -> Walk<'a> {
        let bits = BitReader::new(data, self.header.data, window);
        Walk::new(frame, &self.header, Segments::new(data, bits, self.interval), self.coder)
    }
}

/// Finds the scans up to the one behind which nothing is needed, and makes ready what is known then. `None` if any of the
/// headers is not as T.81 has it, or if limits might be exceeded: they are met again, one by one, by who decodes one scan after another.
pub(super) fn plan(
    parser: &mut Parser<'_>,
    info: &mut ImageInfo,
    first: ScanHeader,
    needed: &Needed,
    cache: &mut TableCache,
    limits: &Limits,
) -> Option<Vec<Planned>> {
    let mut precision = Precision::new(info.frame.components.len());
    let (mut planned, mut found, mut visits) = (Vec::with_capacity(10), 0, 0);
    let damage = parser.log.damage();
    let mut next = Some(first);
    while let Some(scan) = next {
        limits.check(LimitKind::Scans, found + 1).ok()?;
        check_mcu(&info.frame, &scan).ok()?;
        check_progressive(&scan).ok()?;
        latch_quant_tables(parser, info, &scan).ok()?;
        for chosen in &scan.components {
            if !precision.follow(chosen.component, &scan, &mut Log::new(true)).ok()? {
                return None;
            }
        }
        let ends_all = needed.ends_with(&scan);
        match needed.end_if_not(&scan) {
            Some(end) => parser.position = end,
            None => {
                let end = end_of_scan(parser.data, scan.data);
                // No restart marker is looked for beyond this one, whatever the data is.
                if end.code < SOF0 || planned.len() == MOST {
                    return None;
                }
                let coder = Progressive::new(&scan, &parser.tables, cache).ok()?;
                parser.position = end.offset;
                visits += visits_of(&info.frame, &scan);
                let interval = parser.restart_interval;
                planned.push(Planned { header: scan, coder, interval, end: end.offset });
            }
        }
        found += 1;
        next = if ends_all { None } else { parser.next_scan().ok()? };
        let has_all = ends_all || next.is_some() || (0..info.frame.components.len()).all(|c| precision.has_scan(c));
        if !has_all || parser.log.damage() > damage {
            return None;
        }
    }
    limits.check_visits(visits, info.frame.block_count(), parser.data.len() as u64).ok()?;
    Some(planned)
}

/// The most blocks that a scan can visit.
fn visits_of(frame: &Frame, scan: &ScanHeader) -> u64 {
    let padded = |c: usize| {
        let component = &frame.components[c];
        u64::from(component.padded_blocks_wide) * u64::from(component.padded_blocks_high)
    };
    scan.components.iter().map(|chosen| padded(chosen.component)).sum()
}
