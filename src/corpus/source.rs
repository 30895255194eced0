//! The bytes of one input.
//!
//! What enters: an [`Input`]. What leaves: its bytes, in a buffer that one file after another uses. Files are read, not
//! mapped: a mapped file that shrinks or whose disk fails kills the process, a read one gives an error, and mapping
//! gains nothing for photographs: 1.03 times the CPU time for files of 110 kB, 0.99 to 1.00 for slices of a mapped tar.
//!
//! Objects in stores are asked for ahead of their turn, see [`Fetch`]. A compressed archive can only be read from its
//! start, so its files are read by [`feed`], on the thread that hands out the jobs; everything else is read where it is
//! decoded.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::SystemTime;

use super::fetch::{Fetch, Look, Looks, start};
use super::inputs::remote::{self, ReadSeek};
use super::inputs::{Archive, Input, Kind, Span};
use super::manifest::Entry;
use crate::error::{Error, Result};
use crate::limits::{LimitKind, Limits};
use crate::objects::{Pending, is_url};
use crate::scans::Prefix;

/// Beyond this a buffer is given back after use, in bytes.
const KEEP: usize = 64 << 20;

/// The largest JSON of a sample that is carried over, in bytes.
const JSON_BYTES: u64 = 1 << 20;

/// An input, with its bytes if they cannot be read at any time.
#[derive(Debug)]
pub struct Fed {
    /// The input.
    pub input: Input,
    /// When it last changed, in microseconds since 1970: what [`read`] found. Of a file in an archive, the archive.
    pub modified: Option<i64>,
    /// Its size in bytes: what [`read`] found, however much of it was read.
    pub size: Option<u64>,
    fetched: Fetched,
}

/// What was done for an input before its turn.
#[derive(Debug)]
struct Fetched {
    /// Of a compressed archive: its bytes.
    ahead: Option<Result<Ahead>>,
    /// Of an object: its bytes on their way.
    pending: Option<io::Result<Pending>>,
}

impl Fed {
    /// Bytes held, or on their way, before its turn.
    pub fn held(&self) -> u64 {
        let ahead = match &self.fetched.ahead {
            Some(Ok(Ahead { bytes, json })) => {
                bytes.len() + json.as_ref().map_or(0, |json| json.as_ref().map_or(0, Vec::len))
            }
            _ => 0,
        };
        let pending = match &self.input.kind {
            Kind::Object(meta) if self.fetched.pending.is_some() => meta.size,
            Kind::Member(member) if self.fetched.pending.is_some() => member.span.len,
            _ => 0,
        };
        ahead as u64 + pending
    }
}

#[derive(Debug)]
struct Ahead {
    bytes: Vec<u8>,
    json: Option<Result<Vec<u8>>>,
}

/// Hands out inputs in order.
pub fn feed<I: IntoIterator<Item = Input>>(inputs: I, limits: &Limits) -> impl Iterator<Item = Fed> + use<I> {
    feed_until(inputs, limits, None)
}

/// The same for [`read_until`]: with `look`, no more of an object is asked for than is enough.
pub(super) fn feed_until<I: IntoIterator<Item = Input>>(
    inputs: I,
    limits: &Limits,
    look: Option<Look>,
) -> impl Iterator<Item = Fed> + use<I> {
    let limits = *limits;
    let mut stream: Option<Stream> = None;
    Fetch::new(inputs.into_iter(), limits.file_bytes, look).map(move |(input, pending)| {
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
        let fetched = Fetched { ahead, pending };
        Fed { input, modified: None, size: None, fetched }
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
pub fn read(fed: &mut Fed, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    read_until(fed, limits, buffer, &|_| Prefix::Whole).map(drop)
}

/// The same, but only its first bytes if `look` says that they are enough. Whether it is whole.
pub(super) fn read_until(
    fed: &mut Fed,
    limits: &Limits,
    buffer: &mut Vec<u8>,
    look: &dyn Fn(&[u8]) -> Prefix,
) -> Result<bool> {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
    if let Kind::Member(member) = &fed.input.kind {
        fed.modified = member.archive.modified;
    }
    if let Some(ahead) = &mut fed.fetched.ahead {
        match ahead {
            Ok(ahead) => *buffer = std::mem::take(&mut ahead.bytes),
            // It is taken by the first who asks.
            Err(error) => return Err(std::mem::replace(error, Error::Io(io::ErrorKind::UnexpectedEof.into()))),
        }
        fed.size = Some(buffer.len() as u64);
        return Ok(true);
    }
    let pending = match fed.fetched.pending.take() {
        None => None,
        Some(pending) => Some(pending?.wait()?),
    };
    let (size, whole) = match &fed.input.kind {
        Kind::Object(meta) => {
            fed.modified = Some(meta.modified);
            limits.check(LimitKind::FileBytes, meta.size)?;
            let whole = read_object(&fed.input, pending, meta.size, buffer, look)?;
            // It was written anew between listing and reading.
            let changed = || Error::Io(io::Error::other("it changed after it was listed"));
            (meta.size, whole.ok_or_else(changed)?)
        }
        Kind::Member(member) if is_url(&member.archive.path) => {
            limits.check(LimitKind::FileBytes, member.span.len)?;
            let whole = read_object(&fed.input, pending, member.span.len, buffer, look)?;
            (member.span.len, whole.ok_or_else(|| Error::Io(io::ErrorKind::UnexpectedEof.into()))?)
        }
        Kind::Lost(reason) => return Err(Error::Io(reason.into())),
        Kind::Stdin => {
            read_stream(io::stdin().lock(), limits, buffer)?;
            (buffer.len() as u64, true)
        }
        Kind::Member(member) => (member.span.len, read_span(&member.archive, member.span, limits, buffer, look)?),
        Kind::File => {
            let file = File::open(&fed.input.path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(Error::Io(io::ErrorKind::IsADirectory.into()));
            }
            // A pipe has length 0 here and is bounded as it is read.
            limits.check(LimitKind::FileBytes, metadata.len())?;
            // What else gives bytes gives them once.
            let look = if metadata.is_file() { look } else { &|_: &[u8]| Prefix::Whole };
            let expected = usize::try_from(metadata.len()).unwrap_or(0);
            buffer.try_reserve_exact(expected).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
            let whole = read_some(&mut (&file).take(limits.file_bytes.saturating_add(1)), buffer, look)?;
            limits.check(LimitKind::FileBytes, buffer.len() as u64)?;
            let after = file.metadata()?;
            fed.modified = modified(&after);
            // What was read of it may be neither what it was nor what it became.
            if metadata.is_file() && (metadata.len(), modified(&metadata)) != (after.len(), fed.modified) {
                return Err(Error::Io(io::Error::other("it changed while it was read")));
            }
            // A pipe has no size but what was read.
            (if whole { buffer.len() as u64 } else { metadata.len() }, whole)
        }
    };
    fed.size = Some(size);
    Ok(whole)
}

/// An object of so many bytes, of which some may have come ahead. Whether it is whole; `None` if it has another size.
fn read_object(
    input: &Input,
    ahead: Option<Vec<u8>>,
    size: u64,
    buffer: &mut Vec<u8>,
    look: &dyn Fn(&[u8]) -> Prefix,
) -> Result<Option<bool>> {
    let short = |bytes: &Vec<u8>| (bytes.len() as u64) < size;
    *buffer = match ahead {
        Some(bytes) if short(&bytes) && look(&bytes) == Prefix::Enough => {
            *buffer = bytes;
            return Ok(Some(false));
        }
        Some(bytes) if !short(&bytes) => bytes,
        // Or that they are enough was a guess, and wrong.
        _ => start(input, None)?.wait()?,
    };
    Ok((buffer.len() as u64 == size).then_some(true))
}

/// Reads to the end, or until there is enough. Whether it is the end.
fn read_some(from: &mut impl Read, buffer: &mut Vec<u8>, look: &dyn Fn(&[u8]) -> Prefix) -> Result<bool> {
    let mut looks = Looks::new(look);
    loop {
        from.take((looks.next - buffer.len()) as u64).read_to_end(buffer)?;
        if buffer.len() < looks.next {
            return Ok(true);
        }
        if looks.are_enough(buffer) {
            return Ok(false);
        }
    }
}

/// When a file last changed, in microseconds since 1970.
pub(super) fn modified(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok()
}

/// Whether an input is still what it was when the entry of it was made, as far as size and time tell. An input that is
/// gone, or that has neither, counts as unchanged: there is nothing to read again.
pub(super) fn is_unchanged(input: &Input, entry: &Entry) -> bool {
    let source = &entry.source;
    let is = |bytes: u64, modified: Option<i64>| {
        source.bytes == Some(bytes) && (source.modified.is_none() || source.modified == modified)
    };
    match &input.kind {
        Kind::Lost(_) | Kind::Stdin => true,
        Kind::Object(meta) => is(meta.size, Some(meta.modified)),
        Kind::Member(member) => is(member.span.len, member.archive.modified),
        Kind::File => match std::fs::metadata(&input.path) {
            // It was not there, or not to be read. If it can be now, that is a change.
            Ok(now) if now.is_file() && source.bytes.is_none() => File::open(&input.path).is_err(),
            Ok(now) if now.is_file() => is(now.len(), modified(&now)),
            _ => true,
        },
    }
}

/// What is known of an input besides its bytes: a list's record, or the JSON of its sample in an archive.
///
/// # Errors
/// Why there is some and it cannot be read, for people.
pub(super) fn read_json(fed: &Fed, limits: &Limits) -> Result<Option<serde_json::Value>, String> {
    let of = |bytes: &[u8]| serde_json::from_slice(bytes).map(Some).map_err(|error| error.to_string());
    if let Some(record) = &fed.input.record {
        return of(record.as_bytes());
    }
    if let Some(Ok(ahead)) = &fed.fetched.ahead {
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
            read_span(&member.archive, span, &json_limits(limits), &mut bytes, &|_| Prefix::Whole)
                .map_err(|error| error.to_string())?;
            of(&bytes)
        }
        _ => Ok(None),
    }
}

fn read_span(
    archive: &Archive,
    span: Span,
    limits: &Limits,
    buffer: &mut Vec<u8>,
    look: &dyn Fn(&[u8]) -> Prefix,
) -> Result<bool> {
    limits.check(LimitKind::FileBytes, span.len)?;
    let mut file: Box<dyn ReadSeek> = match is_url(&archive.path) {
        true => remote::open(&archive.path)?.0,
        false => Box::new(File::open(&archive.path)?),
    };
    file.seek(SeekFrom::Start(span.offset))?;
    let whole = read_some(&mut file.take(span.len), buffer, look)?;
    let cut = whole && buffer.len() as u64 != span.len;
    if cut { Err(Error::Io(io::ErrorKind::UnexpectedEof.into())) } else { Ok(whole) }
}

/// Reads to the end, or to one byte beyond the limit, which is enough to know.
fn read_stream(stream: impl Read, limits: &Limits, buffer: &mut Vec<u8>) -> Result<()> {
    stream.take(limits.file_bytes.saturating_add(1)).read_to_end(buffer)?;
    limits.check(LimitKind::FileBytes, buffer.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::{ExtractScratch, Extractor};
    use crate::recipe::Recipe;
    use crate::scans::DecodeOptions;

    /// A progressive photograph that ends far behind its last scan.
    fn long() -> Vec<u8> {
        let mut bytes = std::fs::read("fixtures/photos/coffee-progressive.jpg").unwrap();
        bytes.resize(1 << 20, 0);
        bytes
    }

    #[test]
    fn no_more_is_read_than_is_enough() {
        let bytes = long();
        let planes = Recipe::preset("planes").unwrap();
        let mut dc = Recipe::default();
        dc.set("channels", "y:0").unwrap();
        let mut coarse = Recipe::default();
        coarse.set("skip-refinement", "on").unwrap();
        for (recipe, enough) in [(dc, true), (coarse, true), (planes, false)] {
            let extractor = Extractor::new(recipe, DecodeOptions::default()).unwrap();
            let mut unread = &bytes[..];
            let mut read = Vec::new();
            let whole = read_some(&mut unread, &mut read, &|bytes| extractor.look_at_prefix(bytes, "")).unwrap();
            assert_eq!((whole, read.len() == bytes.len()), (!enough, !enough));
            let mut scratch = ExtractScratch::default();
            let mut extract = |bytes: &[u8]| extractor.extract(bytes, "", &mut scratch).unwrap();
            assert_eq!(extract(&read), extract(&bytes));
        }
    }

    #[test]
    fn an_object_is_whole_or_enough_or_has_changed() {
        let (input, bytes) = (Input::file("x"), long());
        let read = |ahead: &[u8], size: usize, answer| {
            let mut buffer = Vec::new();
            read_object(&input, Some(ahead.into()), size as u64, &mut buffer, &|_| answer).map(|whole| (whole, buffer))
        };
        let some = &bytes[..70_000];
        assert_eq!(read(some, bytes.len(), Prefix::Enough).unwrap(), (Some(false), some.to_vec()));
        assert_eq!(read(&bytes, bytes.len(), Prefix::Enough).unwrap().0, Some(true));
        assert_eq!(read(&bytes, some.len(), Prefix::Enough).unwrap().0, None);
        // It is asked for again; there is no such object.
        for answer in [Prefix::More, Prefix::Whole] {
            read(some, bytes.len(), answer).unwrap_err();
        }
    }

    #[test]
    fn the_limit_holds_for_files_and_for_streams() {
        let limits = Limits { file_bytes: 4, ..Default::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        let mut buffer = vec![9];
        let read =
            |buffer: &mut Vec<u8>| read(&mut feed([Input::file(&path)], &limits).next().unwrap(), &limits, buffer);
        let error = read(&mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        let error = read_stream(io::repeat(1), &limits, &mut buffer).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::FileBytes, found: 5, limit: 4 }));
        std::fs::write(&path, b"1234").unwrap();
        read(&mut buffer).unwrap();
        assert_eq!(buffer, b"1234");
    }
}
