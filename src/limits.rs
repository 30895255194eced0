//! How much one image may cost. A file that asks for more is refused with [`Error::Limit`]
//! before anything is allocated for it.

use std::fmt;

use bytemuck::Zeroable;

use crate::error::{Error, Result};

/// Upper bounds for one image. The defaults suit corpora of photographs.
///
/// Besides these, an image whose coefficients take more than 64 MiB is refused ([`LimitKind::Memory`]) if its file is too
/// short to have them: 8 blocks a byte with Huffman coding, whose shortest code is a bit, and 512 with arithmetic coding,
/// which has no such bound but in whose photographs a byte never stands for so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Luma pixels, width times height, of the file's image and of every image on the way to the tensor. A resize has one
    /// between its axes: the rows that are read, as wide as the result. Default 2^28 (268 megapixels).
    pub pixels: u64,
    /// Bytes of coefficients a multi-scan image has, which it may be collected in, of [`Coefficients`](crate::Coefficients),
    /// or of the tensor asked for and its axis maps. Default 2 GiB.
    pub memory: u64,
    /// Scans of one image. Default 1000.
    pub scans: u64,
    /// Passes over all blocks that the scans of a multi-scan image may make without data to show for it: its scans may
    /// visit this many times its blocks, and 512 blocks for each byte of the file. Runs of blocks that a first AC scan
    /// passes over in one step do not count. Default 32.
    pub passes: u64,
    /// Marker segments of one file. Default 10000.
    pub segments: u64,
    /// Bytes of one input file. Default 1 GiB.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { pixels: 1 << 28, memory: 2 << 30, scans: 1000, passes: 32, segments: 10_000, file_bytes: 1 << 30 }
    }
}

/// Which limit was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::pixels`].
    Pixels,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::scans`].
    Scans,
    /// [`Limits::passes`]; found and limit are counted in blocks.
    Passes,
    /// [`Limits::segments`].
    Segments,
    /// [`Limits::file_bytes`].
    FileBytes,
}

impl LimitKind {
    /// The field of [`Limits`]: `pixels`, `memory`, `scans`, `passes`, `segments` or `file_bytes`.
    pub fn name(self) -> &'static str {
        match self {
            LimitKind::Pixels => "pixels",
            LimitKind::Memory => "memory",
            LimitKind::Scans => "scans",
            LimitKind::Passes => "passes",
            LimitKind::Segments => "segments",
            LimitKind::FileBytes => "file_bytes",
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LimitKind::Pixels => "the number of pixels",
            LimitKind::Memory => "the memory in bytes",
            LimitKind::Scans => "the number of scans",
            LimitKind::Passes => "the number of blocks visited by scans almost without data",
            LimitKind::Segments => "the number of marker segments",
            LimitKind::FileBytes => "the file size in bytes",
        })
    }
}

/// Blocks that the scans of a multi-scan image may visit for each byte of the file, passes apart.
const VISITS_A_BYTE: u64 = 512;

impl Limits {
    /// `Ok` if `found` is within the limit of this kind; passes are checked by [`Limits::check_visits`].
    pub fn check(&self, kind: LimitKind, found: u64) -> Result<()> {
        let limit = match kind {
            LimitKind::Pixels => self.pixels,
            LimitKind::Memory => self.memory,
            LimitKind::Scans => self.scans,
            LimitKind::Passes => self.passes,
            LimitKind::Segments => self.segments,
            LimitKind::FileBytes => self.file_bytes,
        };
        if found > limit { Err(Error::Limit { kind, found, limit }) } else { Ok(()) }
    }

    /// `Ok` if the scans of an image of so many blocks, in a file of so many bytes, may have visited `found` blocks.
    pub fn check_visits(&self, found: u64, blocks: u64, bytes: u64) -> Result<()> {
        let limit = blocks.saturating_mul(self.passes).saturating_add(bytes.saturating_mul(VISITS_A_BYTE));
        if found > limit { Err(Error::Limit { kind: LimitKind::Passes, found, limit }) } else { Ok(()) }
    }
}

/// A vector of zeros, in fresh pages where it is large.
///
/// # Errors
/// [`Error::OutOfMemory`] where the system refuses: what a file asks for within the limits may still be too much.
pub(crate) fn zeroed<T: Zeroable>(len: usize) -> Result<Vec<T>> {
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    bytemuck::try_zeroed_vec(len).map_err(|()| Error::OutOfMemory(bytes))
}

/// `len` zeros in `used`: in its memory if that is enough, and else in fresh pages, where what nobody touches costs nothing.
///
/// # Errors
/// As [`zeroed`].
pub(crate) fn zero<T: Zeroable + Copy>(used: &mut Vec<T>, len: usize) -> Result<()> {
    used.clear();
    if used.capacity() < len {
        // First what there was is given back.
        *used = Vec::new();
        *used = zeroed(len)?;
    } else {
        used.resize(len, T::zeroed());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_its_own() {
        let limits = Limits { pixels: 1, memory: 2, scans: 3, passes: 4, segments: 5, file_bytes: 6 };
        for (kind, limit) in [
            (LimitKind::Pixels, 1),
            (LimitKind::Memory, 2),
            (LimitKind::Scans, 3),
            (LimitKind::Passes, 4),
            (LimitKind::Segments, 5),
            (LimitKind::FileBytes, 6),
        ] {
            assert!(limits.check(kind, limit).is_ok());
            let error = limits.check(kind, limit + 1).unwrap_err();
            assert!(
                matches!(error, Error::Limit { kind: k, found, limit: l } if (k, found, l) == (kind, limit + 1, limit))
            );
        }
        assert!(limits.check_visits(4 * 100 + 10 * 512, 100, 10).is_ok());
        assert!(limits.check_visits(4 * 100 + 10 * 512 + 1, 100, 10).is_err());
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        assert_eq!(zeroed::<[i16; 64]>(3).unwrap(), [[0; 64]; 3]);
        assert!(matches!(zeroed::<u64>(1 << 50), Err(Error::OutOfMemory(bytes)) if bytes == 8 << 50));
        assert!(matches!(zeroed::<u64>(usize::MAX), Err(Error::OutOfMemory(u64::MAX))));
    }
}
