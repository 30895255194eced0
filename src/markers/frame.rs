//! Frame headers (T.81 B.2.2).

use smallvec::SmallVec;

use super::tables::wrong_length;
use crate::error::{Error, Malformed, Result, Unsupported};
use crate::spec::frame::{Process, Sampling};
use crate::spec::marker;

/// A frame header as the file gives it. The height may still be zero: a DNL segment then gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Byte offset of the marker.
    pub offset: usize,
    pub process: Process,
    pub precision: u8,
    pub width: u16,
    pub height: u16,
    pub components: SmallVec<[Sampling; 4]>,
}

/// The process of a SOFn marker, or why it has no coefficients for us.
pub(super) fn process(sof: u8, offset: usize) -> Result<Process> {
    let unsupported = |kind| Err(Error::unsupported(offset, kind));
    match sof {
        marker::SOF0 => Ok(Process::Baseline),
        marker::SOF1 => Ok(Process::Extended),
        marker::SOF2 => Ok(Process::Progressive),
        marker::SOF9 => Ok(Process::Arithmetic),
        marker::SOF10 => Ok(Process::ArithmeticProgressive),
        0xc3 | 0xc7 | 0xcb | 0xcf => unsupported(Unsupported::Lossless(sof - marker::SOF0)),
        0xc5 | 0xc6 | 0xcd | 0xce | marker::DHP | marker::EXP => unsupported(Unsupported::Hierarchical(sof)),
        marker::SOF55 => unsupported(Unsupported::JpegLs),
        _ => unsupported(Unsupported::ReservedFrame(sof)),
    }
}

/// SOFn: P (8 bits), Y (16), X (16), Nf (8), then per component C (8), H (4), V (4), Tq (8).
pub(super) fn parse_frame(sof: u8, payload: &[u8], at: usize) -> Result<FrameHeader> {
    let process = process(sof, at - 4)?;
    let (head, specs) = payload.split_first_chunk::<6>().ok_or_else(|| wrong_length(sof, payload, at))?;
    let [precision, y1, y0, x1, x0, count] = *head;
    let (height, width) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([x1, x0]));
    let malformed = |kind| Error::malformed(at, kind);
    // T.81 table B.2: 8 bits for baseline, 8 or 12 for the other DCT processes.
    if precision != 8 && (precision != 12 || process == Process::Baseline) {
        return Err(malformed(Malformed::Precision(precision)));
    }
    if width == 0 {
        return Err(malformed(Malformed::EmptyImage { width: 0, height: height.into() }));
    }
    if count == 0 || (process.is_progressive() && count > 4) {
        return Err(malformed(Malformed::ComponentCount(count)));
    }
    if specs.len() != 3 * usize::from(count) {
        return Err(wrong_length(sof, payload, at));
    }
    let mut components = SmallVec::with_capacity(count.into());
    for spec in specs.chunks_exact(3) {
        let (id, h, v, quant_index) = (spec[0], spec[1] >> 4, spec[1] & 15, spec[2]);
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
            return Err(malformed(Malformed::Sampling { h, v }));
        }
        if quant_index > 3 {
            return Err(malformed(Malformed::TableIndex(quant_index)));
        }
        components.push(Sampling { id, h, v, quant_index });
    }
    Ok(FrameHeader { offset: at - 4, process, precision, width, height, components })
}
