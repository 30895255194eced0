//! Images in tar archives, compressed by gzip or not.
//!
//! What enters: the path of an archive. What leaves: an input for each image in it, with label and JSON of its sample.
//! Images are not read here: an input knows where in the archive its bytes lie.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

use super::remote::{self, ReadSeek};
use super::{Found, Input, Kind, Label};
use crate::corpus::source::modified;
use crate::objects::{is_disconnected, is_url};

/// The largest label file that is read, in bytes.
const LABEL_BYTES: u64 = 4096;

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
    if archive.gzip {
        let mut tar = tar::Archive::new(archive.stream()?);
        list_entries(tar.entries()?, &archive, strip, found)
    } else {
        let mut tar = tar::Archive::new(file);
        list_entries(tar.entries_with_seek()?, &archive, strip, found)
    }
}

fn list_entries<R: Read>(
    entries: tar::Entries<'_, R>,
    archive: &Arc<Archive>,
    strip: u32,
    found: &mut Found,
) -> io::Result<()> {
    let mut sample = Sample { base: Vec::new(), images: 0..0, label: Label::None, json: None };
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                finish(&sample, found);
                return Err(error);
            }
        };
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
                let mut text = String::new();
                (&mut entry).take(LABEL_BYTES).read_to_string(&mut text)?;
                sample.label = found.label(&text);
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
