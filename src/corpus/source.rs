//! The bytes of one input.
//!
//! What enters: an [`Input`]. What leaves: its bytes, in a buffer that one file after another uses. Files are read, not
//! mapped: a mapped file that shrinks or whose disk fails kills the process, a read one gives an error, and beside
//! entropy decoding the copy costs next to nothing.
//!
//! A compressed archive can only be read from its start, so its files are read by [`feed`], on the thread that hands out
//! the jobs; everything else is read where it is decoded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::inputs::{Archive, Input, Kind, Span};
use crate::error::{Error, Result};
use crate::limits::{LimitKind, Limits};

/// Beyond this a buffer is given back after use, in bytes.
const KEEP: usize = 64 << 20;

/// The largest JSON of a sample that is carried over, in bytes.
const JSON_BYTES: u64 = 1 << 20;

/// An input, with its bytes if they cannot be read at any time.
#[derive(Debug)]
pub struct Fed<'a> {
    /// The input.
    pub input: &'a Input,
    ahead: Option<Result<Ahead>>,
}

#[derive(Debug)]
struct Ahead {
    bytes: Vec<u8>,
    json: Option<Result<Vec<u8>>>,
}

/// Hands out inputs in order.
pub fn feed<'a, I: IntoIterator<Item = &'a Input>>(
    inputs: I,
    limits: &Limits,
) -> impl Iterator<Item = Fed<'a>> + use<'a, I> {
    let limits = *limits;
    let mut stream: Option<Stream> = None;
    inputs.into_iter().map(move |input| {
        let ahead = match &input.kind {
            Kind::Member(member) if member.archive.gzip => {
                // Whichever lies first is read first; to go back is to begin again.
                let json_first = member.json.filter(|json| json.offset < member.span.offset);
                let mut read = |span, limits: &Limits| {
                    let read = Stream::of(&mut stream, &member.archive).and_then(|stream| stream.read(span, limits));
                    if let Err(Error::Io(_)) = read {
                        // Where it stands is not known any more.
                        stream = None;
                    }
                    read
                };
                let before = json_first.map(|json| read(json, &json_limits(&limits)));
                let bytes = read(member.span, &limits);
                let after = || member.json.map(|json| read(json, &json_limits(&limits)));
                let json = before.or_else(after);
                Some(bytes.map(|bytes| Ahead { bytes, json }))
            }
            _ => None,
        };
        Fed { input, ahead }
    })
}

fn json_limits(limits: &Limits) -> Limits {
    Limits { file_bytes: JSON_BYTES, ..*limits }
}

/// A compressed archive that is read forwards.
struct Stream {
    archive: Arc<Archive>,
    reader: Box<dyn Read>,
    at: u64,
    last: Option<(Span, Vec<u8>)>,
}

impl Stream {
    fn of<'a>(stream: &'a mut Option<Stream>, archive: &Arc<Archive>) -> Result<&'a mut Stream> {
        if stream.as_ref().is_none_or(|stream| !Arc::ptr_eq(&stream.archive, archive)) {
            *stream = None;
        }
        Ok(match stream {
            Some(stream) => stream,
            None => stream.insert(Stream { archive: archive.clone(), reader: archive.stream()?, at: 0, last: None }),
        })
    }

    fn read(&mut self, span: Span, limits: &Limits) -> Result<Vec<u8>> {
        limits.check(LimitKind::FileBytes, span.len)?;
        if let Some((last, bytes)) = &self.last
            && *last == span
        {
            return Ok(bytes.clone());
        }
        if span.offset < self.at {
            (self.reader, self.at) = (self.archive.stream()?, 0);
        }
        self.at += io::copy(&mut (&mut self.reader).take(span.offset - self.at), &mut io::sink())?;
        let mut bytes = Vec::new();
        self.at += (&mut self.reader).take(span.len).read_to_end(&mut bytes)? as u64;
        if bytes.len() as u64 != span.len {
            return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        if span.len <= JSON_BYTES {
            self.last = Some((span, bytes.clone()));
        }
        Ok(bytes)
    }
}

/// Reads an input into `buffer`, replacing what it holds.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, or was already lost when inputs were listed; [`Error::Limit`] with
/// [`LimitKind::FileBytes`] before more than the limit is read.
pub fn read(fed: &mut Fed<'_>, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
    if let Some(ahead) = &mut fed.ahead {
        match ahead {
            Ok(ahead) => *buffer = std::mem::take(&mut ahead.bytes),
            // It is taken by the first who asks.
            Err(error) => return Err(std::mem::replace(error, Error::Io(io::ErrorKind::UnexpectedEof.into()))),
        }
        return Ok(());
    }
    match &fed.input.kind {
        Kind::Lost(error) => Err(Error::Io(io::Error::new(error.kind(), error.to_string()))),
        Kind::Stdin => read_stream(io::stdin().lock(), limits, buffer),
        Kind::Member(member) => read_span(&member.archive, member.span, limits, buffer),
        Kind::File => {
            let file = File::open(&fed.input.path)?;
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

/// What is known of an input besides its bytes: a list's record, or the JSON of its sample in an archive.
///
/// # Errors
/// Why there is some and it cannot be read, for people.
pub(super) fn read_json(fed: &Fed<'_>, limits: &Limits) -> Result<Option<serde_json::Value>, String> {
    let of = |bytes: &[u8]| serde_json::from_slice(bytes).map(Some).map_err(|error| error.to_string());
    if let Some(record) = &fed.input.record {
        return of(record.as_bytes());
    }
    if let Some(Ok(ahead)) = &fed.ahead {
        return match &ahead.json {
            None => Ok(None),
            Some(Ok(bytes)) => of(bytes),
            Some(Err(error)) => Err(error.to_string()),
        };
    }
    match &fed.input.kind {
        Kind::Member(member) if !member.archive.gzip => {
            let Some(span) = member.json else { return Ok(None) };
            let mut bytes = Vec::new();
            read_span(&member.archive, span, &json_limits(limits), &mut bytes).map_err(|error| error.to_string())?;
            of(&bytes)
        }
        _ => Ok(None),
    }
}

fn read_span(archive: &Archive, span: Span, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    limits.check(LimitKind::FileBytes, span.len)?;
    let mut file = File::open(&archive.path)?;
    file.seek(SeekFrom::Start(span.offset))?;
    let read = file.take(span.len).read_to_end(buffer)?;
    if read as u64 == span.len { Ok(()) } else { Err(Error::Io(io::ErrorKind::UnexpectedEof.into())) }
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
        let inputs = [Input::file(&path)];
        let read = |buffer: &mut Vec<u8>| read(&mut feed(&inputs, &limits).next().unwrap(), &limits, buffer);
        let error = read(&mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        let error = read_stream(io::repeat(1), &limits, &mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        std::fs::write(&path, b"1234").unwrap();
        read(&mut buffer).unwrap();
        assert_eq!(buffer, b"1234");
    }
}
