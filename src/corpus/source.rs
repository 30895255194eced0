//! The bytes of one input.
//!
//! What enters: an [`Input`]. What leaves: its bytes, in a buffer that one file after another uses. Files are read, not
//! mapped: a mapped file that shrinks or whose disk fails kills the process, a read one gives an error, and beside
//! entropy decoding the copy costs next to nothing.

use std::fs::File;
use std::io::{self, Read};

use super::walk::{Input, Kind};
use crate::error::{Error, Result};
use crate::limits::{LimitKind, Limits};

/// Beyond this a buffer is given back after use, in bytes.
const KEEP: usize = 64 << 20;

/// Reads an input into `buffer`, replacing what it holds.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, or was already lost when inputs were listed; [`Error::Limit`] with
/// [`LimitKind::FileBytes`] before more than the limit is read.
pub fn read(input: &Input, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
    match &input.kind {
        Kind::Lost(error) => Err(Error::Io(io::Error::new(error.kind(), error.to_string()))),
        Kind::Stdin => read_stream(io::stdin().lock(), limits, buffer),
        Kind::File => {
            let file = File::open(&input.path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(Error::Io(io::ErrorKind::IsADirectory.into()));
            }
            // A pipe has length 0 here and is bounded as it is read.
            limits.check(LimitKind::FileBytes, metadata.len())?;
            let expected = usize::try_from(metadata.len()).unwrap_or(0);
            buffer.try_reserve_exact(expected).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
            read_stream(file, limits, buffer)
        }
    }
}

/// Reads to the end, or to one byte beyond the limit, which is enough to know.
fn read_stream(stream: impl Read, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    stream.take(limits.file_bytes.saturating_add(1)).read_to_end(buffer)?;
    limits.check(LimitKind::FileBytes, buffer.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_for_files_and_for_streams() {
        let limits = Limits { file_bytes: 4, ..Default::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        let mut buffer = vec![9];
        let error = read(&Input::file(&path), &limits, &mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        let error = read_stream(io::repeat(1), &limits, &mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        std::fs::write(&path, b"1234").unwrap();
        read(&Input::file(&path), &limits, &mut buffer).unwrap();
        assert_eq!(buffer, b"1234");
    }
}
