//! Images in tar archives, compressed by gzip or not.
//!
//! What enters: the path of an archive. What leaves: an input for each image in it, with label and JSON of its sample.
//! Images are not read here: an input knows where in the archive its bytes lie.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

use super::remote::{self, ReadSeek};
use super::{Found, Input, Kind, Label};
use crate::corpus::source::modified;
use crate::objects::{is_disconnected, is_url};

/// The largest label file that is read, in bytes.
const LABEL_BYTES: u64 = 4096;

/// The most bytes between two members: their headers with long names and extended attributes, which are held in memory.
const HEADER_BYTES: u64 = 1 << 20;

/// An archive.
#[derive(Debug)]
pub struct Archive {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is compressed, so that it can only be read from the start.
    pub gzip: bool,
    /// When it last changed, in microseconds since 1970.
    pub modified: Option<i64>,
}

/// Bytes in an archive, counted in what it holds when decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Span {
    pub offset: u64,
    pub len: u64,
}

/// A file in an archive.
#[derive(Debug, Clone)]
pub struct Member {
    /// The archive.
    pub archive: Arc<Archive>,
    /// Its bytes.
    pub span: Span,
    /// The JSON of its sample.
    pub json: Option<Span>,
}

impl Archive {
    /// The archive's bytes, decompressed, from the start.
    pub(in crate::corpus) fn stream(&self) -> io::Result<Box<dyn Read>> {
        let (file, _) = open(&self.path)?;
        Ok(if self.gzip {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 17, file)))
        } else {
            Box::new(file)
        })
    }
}

/// Opens an archive, wherever it is. Gives the time of its last change too.
fn open(path: &Path) -> io::Result<(Box<dyn ReadSeek>, Option<i64>)> {
    if is_url(path) {
        let (object, meta) = remote::open(path)?;
        return Ok((object, Some(meta.modified)));
    }
    let file = File::open(path)?;
    let modified = modified(&file.metadata()?);
    Ok((Box::new(file), modified))
}

/// Whether a path is that of a file whose name says that it is an archive.
pub(super) fn is_archive(path: &Path) -> bool {
    has_archive_name(path) && path.is_file()
}

/// Whether a name says that it is an archive's.
pub(super) fn has_archive_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending) && name.len() > ending.len())
}

/// A WebDataset sample while its files come by.
struct Sample {
    base: Vec<u8>,
    /// Its images: where they are in the list.
    images: std::ops::Range<usize>,
    label: Label,
    json: Option<Span>,
}

/// Lists the images of an archive. What cannot be read of it is one lost input.
pub(super) fn list_archive(path: &Path, strip: u32, found: &mut Found) {
    let before = found.inputs.len();
    if let Err(error) = list_members(path, strip, found) {
        if is_disconnected(&error) {
            // There may be more of it.
            found.incomplete.get_or_insert(error.into());
            return;
        }
        let error = io::Error::new(error.kind(), format!("the archive cannot be read further: {error}"));
        found.inputs.push(Input::lost(path, error, strip));
    } else if found.inputs.len() == before {
        let error = io::Error::new(io::ErrorKind::NotFound, "no images in this archive");
        found.inputs.push(Input::lost(path, error, strip));
    }
}

fn list_members(path: &Path, strip: u32, found: &mut Found) -> io::Result<()> {
    let mut start = [0; 2];
    let (mut file, modified) = open(path)?;
    let read = file.read(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let archive = Arc::new(Archive { path: path.into(), gzip: start[..read] == [0x1f, 0x8b], modified });
    let bounds = Rc::<Bounds>::default();
    if archive.gzip {
        let mut tar = tar::Archive::new(Bounded { stream: archive.stream()?, bounds: bounds.clone() });
        list_entries(tar.entries()?, &bounds, &archive, strip, found)
    } else {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut tar = tar::Archive::new(Bounded { stream: file, bounds: bounds.clone() });
        list_entries(tar.entries_with_seek()?, &bounds, &archive, strip, found)?;
        // A file may be passed over whose end is not there: what came behind it is lost.
        if bounds.at.get() > length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// How far an archive was read, and how far it may be.
#[derive(Default)]
struct Bounds {
    at: Cell<u64>,
    end: Cell<u64>,
}

/// An archive while its members are listed. A header may claim a name of any length, and a few compressed bytes may be a
/// gigabyte of it.
struct Bounded<R> {
    stream: R,
    bounds: Rc<Bounds>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Bounds { at, end } = &*self.bounds;
        let left = end.get().saturating_sub(at.get());
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the header of a file in it is too long"));
        }
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.stream.read(&mut buffer[..most])?;
        at.set(at.get() + read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.stream.seek(to)?;
        self.bounds.at.set(at);
        Ok(at)
    }
}

fn list_entries<R: Read>(
    entries: tar::Entries<'_, R>,
    bounds: &Bounds,
    archive: &Arc<Archive>,
    strip: u32,
    found: &mut Found,
) -> io::Result<()> {
    let mut sample = Sample { base: Vec::new(), images: 0..0, label: Label::None, json: None };
    bounds.end.set(HEADER_BYTES);
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                finish(&sample, found);
                return Err(error);
            }
        };
        // Its own bytes, and the header of the next one. What a sparse file holds is less than its size.
        let is_sparse = entry.header().entry_type() == EntryType::GNUSparse;
        let stored = if is_sparse { entry.header().entry_size()? } else { entry.size() };
        bounds.end.set(bounds.at.get().saturating_add(stored).saturating_add(HEADER_BYTES));
        if !matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous) {
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let span = Span { offset: entry.raw_file_position(), len: entry.size() };
        let (base, extension) = split(&name);
        if sample.base != base {
            finish(&sample, found);
            let at = found.inputs.len();
            sample = Sample { base: base.into(), images: at..at, label: Label::None, json: None };
        }
        let name = PathBuf::from(String::from_utf8_lossy(&name).into_owned());
        match extension {
            b"cls" => {
                let mut text = Vec::new();
                (&mut entry).take(LABEL_BYTES).read_to_end(&mut text)?;
                // As with the names of folders: bytes that are no UTF-8 are replaced.
                sample.label = found.label(&String::from_utf8_lossy(&text));
            }
            b"json" => sample.json = Some(span),
            _ if super::walk::has_image_extension(&name) => {
                let member = Member { archive: archive.clone(), span, json: None };
                // An absolute name in an archive is below it all the same.
                let below = super::names(&name).fold(archive.path.clone(), |path, name| path.join(name));
                found.inputs.push(Input::new(below, Kind::Member(member), strip));
                sample.images.end += 1;
            }
            _ => {}
        }
    }
    finish(&sample, found);
    Ok(())
}

/// A sample is over: its images get its label and JSON.
fn finish(sample: &Sample, found: &mut Found) {
    found.inputs.describe(sample.images.clone(), sample.label, sample.json);
}

/// What WebDataset takes for the sample's key and for the file's extension: the name is split at the first dot after
/// the last slash.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let file = name.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    match name[file..].iter().position(|&byte| byte == b'.') {
        Some(dot) => (&name[..file + dot], &name[file + dot + 1..]),
        None => (name, b""),
    }
}
