//! Which scans of a multi-scan image are decoded, from what is wanted and the headers of its scans.
//!
//! What enters: the highest coefficient wanted of each component, and the file's scan headers, which a walk over its markers
//! finds. What leaves: a yes or no for each scan, and where the file need not be read further. What is wanted comes out as
//! if all scans were decoded.
//!
//! Scans are gone through from the last to the first. One is needed if it begins at or below the highest coefficient
//! wanted; but where coefficients are in the data of a refinement scan depends on all that its band has so far, so of
//! the scans before it all up to its last coefficient are wanted. (To leave out what begins above the highest
//! coefficient wanted is not enough: a later refinement may hold both kinds.)
//!
//! The walk ends with the scan that brings the last bit of the last coefficient wanted. T.81 has no scan that
//! starts a finished coefficient anew (G.1.1.1.1), and if a file does, it is not seen. A walk that meets what T.81
//! does not have before goes on to the end of the file. Damage in what is left out is not seen either.

use super::precision::Precision;
use super::tile::Demand;
use crate::markers::{Log, Parser, ScanHeader};
use crate::spec::frame::Frame;

/// What is decoded of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needed {
    /// What becomes of the scans; `None` if all are decoded.
    scans: Option<Vec<Decision>>,
    /// Nothing behind the last one that is decoded is read.
    ends_early: bool,
    /// Per component: whether AC coefficients are decoded.
    pub ac: Vec<bool>,
    /// Per component: whether it is wanted at all.
    pub wanted: Vec<bool>,
}

/// Whether the first bytes of a file are all that is wanted of it.
#[cfg(feature = "corpus")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// They are: the last scan that is wanted ends within them.
    Enough,
    /// More of them may be.
    More,
    /// No part of the file will do.
    Whole,
}

/// What becomes of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decision {
    /// Offset of its header.
    offset: usize,
    /// Where its data begins.
    data: usize,
    is_needed: bool,
    /// Where its data ends, if it is not needed.
    end: usize,
}

impl Needed {
    /// Decides. `first` is the first scan of the file that `parser` stands in, and at most `limit` are looked at.
    pub fn of(parser: &Parser<'_>, frame: &Frame, first: &ScanHeader, demand: &Demand, limit: u64) -> Needed {
        let wanted: Vec<bool> = demand.highest.iter().map(Option::is_some).collect();
        if demand.highest.iter().all(|&highest| highest == Some(63)) && !demand.first_passes {
            return Needed { scans: None, ends_early: false, ac: vec![true; wanted.len()], wanted };
        }
        let mut precision = Precision::new(frame.components.len());
        let (mut is_sound, mut is_complete) = (true, false);
        let (mut scans, mut ends) = (Vec::new(), Vec::new());
        let mut next = Some(first.clone());
        while let Some(mut scan) = next.take().filter(|_| (scans.len() as u64) < limit) {
            if !frame.process.is_progressive() {
                // Whatever its header says, it holds the whole spectrum.
                (scan.ss, scan.se, scan.ah, scan.al) = (0, 63, 0, 0);
            }
            is_sound &= precision.follow_scan(&scan, frame.process.is_progressive());
            is_complete = is_sound && wanted.contains(&true) && precision.is_complete(demand);
            if !is_complete {
                let (end, found) = parser.scan_behind(scan.data);
                ends.push(end);
                next = found;
            }
            scans.push(scan);
        }
        let is_needed = backwards(&scans, demand);
        let mut ac = vec![!frame.process.is_progressive(); frame.components.len()];
        for scan in scans.iter().zip(&is_needed).filter(|(scan, needed)| **needed && scan.se > 0).map(|(scan, _)| scan)
        {
            scan.components.iter().for_each(|chosen| ac[chosen.component] = true);
        }
        // The last scan has no end if the walk ended there, and then it is needed.
        let ends = ends.into_iter().chain([parser.data.len()]);
        let decisions = scans.iter().zip(is_needed).zip(ends);
        let decisions =
            decisions.map(|((scan, is_needed), end)| Decision { offset: scan.offset, data: scan.data, is_needed, end });
        Needed { scans: Some(decisions.collect()), ends_early: is_complete, ac, wanted }
    }

    /// Whether these bytes, of an image of several scans, are all that is decoded of it. A scan is known to end by the marker
    /// behind it.
    #[cfg(feature = "corpus")]
    pub fn prefix(&self, parser: &Parser<'_>) -> Prefix {
        let last = self.scans.iter().flatten().rfind(|decision| decision.is_needed);
        match (&self.scans, last) {
            (None, _) => Prefix::Whole,
            (Some(_), Some(last)) if self.ends_early && parser.scan_behind(last.data).0 < parser.data.len() => {
                Prefix::Enough
            }
            _ => Prefix::More,
        }
    }

    /// If a scan is not decoded, where its data ends. One that the walk did not meet, in a damaged file, is decoded as far as
    /// there is memory for it.
    pub fn end_if_not(&self, scan: &ScanHeader) -> Option<usize> {
        let known = self.scans.as_ref()?.iter().find(|decision| decision.offset == scan.offset)?;
        (!known.is_needed).then_some(known.end)
    }

    /// Whether nothing behind a scan is read.
    pub fn ends_with(&self, scan: &ScanHeader) -> bool {
        let last = self.scans.iter().flatten().rfind(|decision| decision.is_needed);
        self.ends_early && last.is_some_and(|last| last.offset == scan.offset)
    }
}

/// Which scans are needed.
fn backwards(scans: &[ScanHeader], demand: &Demand) -> Vec<bool> {
    let mut highest = demand.highest.clone();
    let mut needed: Vec<bool> =
        scans.iter().rev().map(|scan| is_needed(scan, &mut highest, demand.first_passes)).collect();
    needed.reverse();
    needed
}

/// Whether a scan is needed for coefficients up to `highest`, which then is what is needed of the scans before it.
fn is_needed(scan: &ScanHeader, highest: &mut [Option<u8>], first_passes: bool) -> bool {
    if scan.ah > 0 && first_passes {
        return false;
    }
    let mut needed = false;
    for chosen in &scan.components {
        if let Some(highest) = highest[chosen.component].as_mut().filter(|highest| scan.ss <= **highest) {
            needed = true;
            if scan.ah > 0 {
                *highest = scan.se.max(*highest);
            }
        }
    }
    needed
}

impl Precision {
    /// Takes note of a scan; whether it is one that T.81 has.
    fn follow_scan(&mut self, scan: &ScanHeader, is_progressive: bool) -> bool {
        if !is_progressive {
            self.follow_sequential(scan);
            return true;
        }
        let mut quiet = Log::new(false);
        scan.se < 64
            && scan
                .components
                .iter()
                .all(|chosen| self.follow(chosen.component, scan, &mut quiet).is_ok_and(|sound| sound))
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::markers::ScanComponent;

    fn scan(component: usize, ss: u8, se: u8, ah: u8, al: u8) -> ScanHeader {
        let components = vec![ScanComponent { component, dc_index: 0, ac_index: 0 }];
        ScanHeader { offset: 0, data: 0, components: components.into(), ss, se, ah, al }
    }

    fn needed(scans: &[ScanHeader], highest: u8, first_passes: bool) -> Vec<bool> {
        backwards(scans, &Demand { highest: smallvec![Some(highest), None], mcu_rows: 0..1, first_passes })
    }

    #[test]
    fn a_refinement_needs_all_of_its_band() {
        let scans = [
            scan(0, 0, 0, 0, 0),
            scan(0, 1, 5, 0, 1),
            scan(0, 6, 20, 0, 1),
            scan(0, 21, 63, 0, 1),
            scan(1, 1, 63, 0, 0),
            scan(0, 21, 63, 1, 0),
            scan(0, 1, 20, 1, 0),
        ];
        assert_eq!(needed(&scans, 0, false), [true, false, false, false, false, false, false]);
        assert_eq!(needed(&scans, 3, false), [true, true, true, false, false, false, true]);
        assert_eq!(needed(&scans, 21, false), [true, true, true, true, false, true, true]);
        assert_eq!(needed(&scans, 3, true), [true, true, false, false, false, false, false]);
        // The later refinement needs 6..=20 to have been refined before.
        let scans = [scan(0, 1, 63, 0, 2), scan(0, 6, 63, 2, 1), scan(0, 1, 5, 2, 1), scan(0, 1, 63, 1, 0)];
        assert_eq!(needed(&scans, 5, false), [true; 4]);
    }
}
