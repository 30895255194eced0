//! Scan headers (T.81 B.2.3).

use smallvec::SmallVec;

use super::tables::wrong_length;
use crate::error::{Error, Malformed, Result};
use crate::spec::frame::Sampling;
use crate::spec::marker;

/// One component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanComponent {
    /// Its place in the frame.
    pub component: usize,
    /// DC Huffman table destination, 0..=15 as the file says; checked on use.
    pub dc_index: u8,
    /// AC Huffman table destination.
    pub ac_index: u8,
}

/// A scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanHeader {
    /// Byte offset of the marker.
    pub offset: usize,
    /// Byte offset of the entropy-coded data.
    pub data: usize,
    /// 1..=4 components in scan order, none twice.
    pub components: SmallVec<[ScanComponent; 4]>,
    /// Start of spectral selection.
    pub ss: u8,
    /// End of spectral selection.
    pub se: u8,
    /// Successive approximation bit position high.
    pub ah: u8,
    /// Successive approximation bit position low.
    pub al: u8,
}

/// SOS: Ns (8 bits), per component Cs (8), Td (4), Ta (4), then Ss (8), Se (8), Ah (4), Al (4).
pub(super) fn parse_scan(payload: &[u8], at: usize, frame: &[Sampling]) -> Result<ScanHeader> {
    let length_error = || wrong_length(marker::SOS, payload, at);
    let (&count, rest) = payload.split_first().ok_or_else(length_error)?;
    if !(1..=4).contains(&count) {
        return Err(Error::malformed(at, Malformed::ScanComponentCount(count)));
    }
    let (specs, parameters) = rest.split_at_checked(2 * usize::from(count)).ok_or_else(length_error)?;
    let &[ss, se, ah_al] = parameters else { return Err(length_error()) };
    let mut components: SmallVec<[ScanComponent; 4]> = SmallVec::new();
    for spec in specs.chunks_exact(2) {
        // The first frame component of that identifier that this scan does not have yet: identifiers may repeat.
        let free = |c: &usize| components.iter().all(|chosen| chosen.component != *c);
        let component = (0..frame.len())
            .filter(free)
            .find(|&c| frame[c].id == spec[0])
            .ok_or_else(|| Error::malformed(at, Malformed::ScanComponent(spec[0])))?;
        components.push(ScanComponent { component, dc_index: spec[1] >> 4, ac_index: spec[1] & 15 });
    }
    Ok(ScanHeader { offset: at - 4, data: at + payload.len(), components, ss, se, ah: ah_al >> 4, al: ah_al & 15 })
}
