//! INPUT arguments to a list of images, in an order that depends on names alone.
//!
//! What enters: files, folders, archives, lists, glob patterns and `-`. What leaves: a [`Listing`] with one [`Input`] for
//! each image, and one for everything that should have been an image and is not there or cannot be read: nothing is
//! lost without an entry.
//!
//! - `-` is one image on standard input.
//! - `@FILE` is a list, `@-` a list on standard input: a line is a path, or a JSON object with `path` and perhaps
//!   `label`. A file named `*.jsonl` is such a list too. Paths are relative to where the command runs.
//! - `*.tar`, `*.tar.gz` and `*.tgz` are archives, and count as folders: images in them are taken in the order of the
//!   archive. Files that share a name up to its first dot are one sample (WebDataset): `.cls` is the label of its images,
//!   `.json` is carried over.
//! - A file named explicitly is always taken, whatever its name (a pipe too).
//! - A folder is walked in the order of names, folders included; symbolic links are followed, a link back to a folder
//!   above it is not entered again. Taken are regular files with the extension of an image format (`jpg jpeg jpe jfif
//!   png webp tif tiff bmp gif pnm ppm pgm pbm`, in any case) and files without an extension whose content starts like
//!   an image. Where no image lies in a folder INPUT itself, the folders in it are classes (ImageFolder).
//! - `s3://`, `gs://` and `az://` URLs are objects, archives, lists, or folders if no object has that very name; patterns
//!   work too. Taken of a folder are objects with the extension of an image format. `http://` and `https://` URLs are
//!   single objects: there is no way to ask what else there is.
//! - What does not exist and holds `*`, `?` or `[` is a glob pattern; each match counts as if it were named itself.
//!
//! An input also has a *place*, which names its output. The place is the path without `.` and `..`, relative to
//! a folder: to the folder (or archive) itself if that is the only INPUT; else, for relative paths, the path as it is
//! given; for URLs, the host or bucket and what follows; and for absolute paths, relative to the deepest folder all
//! absolute INPUTs have in common.
//!
//! A label is a whole number, or the name of a class; classes are numbered in the order of their names.

mod archive;
mod lists;
mod packed;
pub(super) mod remote;
mod store;
mod walk;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::objects::{Meta, is_url};
use crate::spec::fingerprint::fnv1a;

pub use archive::{Archive, Member, Span};
pub use store::Inputs;

use store::Filling;

/// One image to work on.
#[derive(Debug, Clone)]
pub struct Input {
    /// As reached from the argument; `-` for standard input. In an archive: the archive's path and the name in it.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What is known of its class.
    pub label: Label,
    /// What else a list says of it: the record, a JSON object.
    pub record: Option<Box<str>>,
    /// How many leading names of the path the place leaves out.
    strip: u32,
    /// In a folder that was walked: how many names that folder's path has.
    root: Option<u32>,
}

/// What an input is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A file, by its path.
    File,
    /// A file in an archive.
    Member(Member),
    /// An object in a store; the path is its URL.
    Object(Meta),
    /// Standard input.
    Stdin,
    /// Something that could not even be listed: a missing file, a folder that cannot be read or holds no image, a
    /// pattern without matches.
    Lost(Reason),
}

/// Why an input could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of error.
    pub kind: io::ErrorKind,
    message: Box<str>,
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Reason { kind: error.kind(), message: error.to_string().into() }
    }
}

impl From<&Reason> for io::Error {
    fn from(reason: &Reason) -> Self {
        io::Error::new(reason.kind, reason.to_string())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The class of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Label {
    /// Not known.
    #[default]
    None,
    /// A number, as it was found.
    Number(i64),
    /// A place in [`Listing::classes`].
    Class(u32),
}

impl Label {
    /// The label as a number.
    pub fn number(self) -> Option<i64> {
        match self {
            Label::None => None,
            Label::Number(number) => Some(number),
            Label::Class(place) => Some(place.into()),
        }
    }

    /// The name of the class, among those of the listing.
    pub fn class(self, classes: &[String]) -> Option<&str> {
        match self {
            Label::Class(place) => classes.get(place as usize).map(String::as_str),
            _ => None,
        }
    }
}

/// All inputs of a run.
#[derive(Debug, Default)]
pub struct Listing {
    /// In order.
    pub inputs: Inputs,
    /// Names of classes, sorted; empty if labels are numbers or there are none.
    pub classes: Vec<String>,
    /// A store that could not be asked what it holds, and why: the inputs may not be all.
    pub incomplete: Option<Reason>,
}

impl Listing {
    /// The listing, if it is known to be of all inputs.
    ///
    /// # Errors
    /// Why it is not.
    pub fn complete(self) -> io::Result<Listing> {
        match &self.incomplete {
            Some(reason) => Err(reason.into()),
            None => Ok(self),
        }
    }

    /// Fingerprint of the paths of all inputs, in order: 16 hex digits.
    pub fn hash(&self) -> String {
        let mut text = Vec::new();
        let mut hash = fnv1a(&text);
        self.inputs.for_each_path(|path| {
            // A running fingerprint: that of the one before and the next path.
            text.clear();
            text.extend(hash.to_le_bytes());
            text.extend(path.as_os_str().as_encoded_bytes());
            hash = fnv1a(&text);
        });
        format!("{hash:016x}")
    }
}

impl Input {
    /// As many names are left out as all absolute arguments share, which is known when all are listed.
    const ABSOLUTE: u32 = u32::MAX;

    /// A file by its path, whose place is the path.
    pub fn file(path: impl Into<PathBuf>) -> Input {
        Input::new(path.into(), Kind::File, 0)
    }

    fn new(path: PathBuf, kind: Kind, strip: u32) -> Input {
        Input { path, kind, label: Label::None, record: None, strip, root: None }
    }

    fn lost(path: impl Into<PathBuf>, error: io::Error, strip: u32) -> Input {
        Input::new(path.into(), Kind::Lost(error.into()), strip)
    }

    /// The path as text with forward slashes. Bytes that are no UTF-8 are replaced.
    pub fn display(&self) -> String {
        let text = self.path.to_string_lossy();
        if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
    }

    /// The place that names its output: relative, forward slashes, no `..`. Two inputs may have one place; see
    /// [`Names`](crate::sinks::Names).
    pub fn place(&self) -> String {
        if matches!(self.kind, Kind::Stdin) {
            return "stdin".into();
        }
        let names: Vec<_> = names(&self.path).collect();
        // The file's own name always stays.
        let from = (self.strip as usize).min(names.len().saturating_sub(1));
        names[from..].iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/")
    }
}

/// The plain names in a path: no root, drive, `.` or `..`.
fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// One path to list: an argument, or a line of a list.
struct Named<'a> {
    path: &'a Path,
    label: Label,
    record: Option<&'a str>,
    /// Whether it is the only argument, and no list names it.
    alone: bool,
}

/// What is found while listing: inputs, and class names numbered as they come.
#[derive(Default)]
struct Found {
    inputs: Filling,
    classes: HashMap<String, u32>,
    /// The deepest folder that all absolute paths so far lie in.
    common: Option<Vec<OsString>>,
    incomplete: Option<Reason>,
}

impl Found {
    /// The label a text stands for: a whole number or the name of a class.
    fn label(&mut self, text: &str) -> Label {
        match text.trim() {
            "" => Label::None,
            text => text.parse().map_or_else(|_| self.class(text), Label::Number),
        }
    }

    fn class(&mut self, name: &str) -> Label {
        let next = self.classes.len() as u32;
        Label::Class(match self.classes.get(name) {
            Some(&place) => place,
            None => *self.classes.entry(name.into()).or_insert(next),
        })
    }

    /// Lists what one path names.
    fn add(&mut self, named: &Named<'_>) {
        let path = named.path;
        let before = self.inputs.len();
        if is_url(path) {
            remote::list_url(path, named.alone, self);
            return self.annotate(before, named);
        }
        let strip = match named.alone && is_folder(path) {
            true => u32::try_from(names(path).count()).unwrap_or(0),
            false if path.has_root() => {
                self.share(path);
                Input::ABSOLUTE
            }
            false => 0,
        };
        walk::list_one(path, strip, self);
        self.annotate(before, named);
    }

    fn annotate(&mut self, before: usize, named: &Named<'_>) {
        if named.label != Label::None || named.record.is_some() {
            self.inputs.annotate(before, named.label, named.record);
        }
    }

    /// One more absolute path.
    fn share(&mut self, path: &Path) {
        let folder: Vec<&OsStr> = names(path).collect();
        let plain = folder.iter().take_while(|name| !walk::is_pattern(name)).count();
        // A folder is its own; a file, or a pattern's first wild name, lies in the one above.
        let depth = if plain < folder.len() && !path.exists() || is_folder(path) {
            plain
        } else {
            folder.len().saturating_sub(1)
        };
        match &mut self.common {
            None => self.common = Some(folder[..depth].iter().map(|name| name.to_os_string()).collect()),
            Some(common) => {
                let shared = common.iter().zip(&folder[..depth]).take_while(|(a, b)| a == b).count();
                common.truncate(shared);
            }
        }
    }

    /// Numbers the classes in the order of their names.
    fn finish(self) -> Listing {
        let Found { mut inputs, mut classes, common, incomplete } = self;
        inputs.label_by_folders(|name| {
            let next = classes.len() as u32;
            Label::Class(*classes.entry(name.into()).or_insert(next))
        });
        let mut sorted: Vec<(String, u32)> = classes.into_iter().collect();
        sorted.sort();
        let mut places = vec![0; sorted.len()];
        for (place, (_, found)) in sorted.iter().enumerate() {
            places[*found as usize] = place as u32;
        }
        let strip = common.map_or(0, |common| u32::try_from(common.len()).unwrap_or(0));
        let classes = sorted.into_iter().map(|(name, _)| name).collect();
        Listing { inputs: inputs.finish(strip, &places), classes, incomplete }
    }
}

/// Lists what the arguments name. The module's first lines say how.
pub fn list(arguments: &[PathBuf]) -> Listing {
    let mut found = Found::default();
    for argument in arguments {
        match lists::list_of(argument) {
            Some(list) => lists::read_list(&list, &mut found),
            None => {
                let alone = arguments.len() == 1;
                found.add(&Named { path: argument, label: Label::None, record: None, alone });
            }
        }
    }
    found.finish()
}

/// How many lines of a list are paths, and how many cannot be understood. Nothing that they name is looked at.
#[cfg(all(feature = "reencode", feature = "verify"))]
pub(crate) fn read_lines(list: &Path) -> (usize, usize) {
    let (mut paths, mut found) = (0, Found::default());
    lists::read_lines(list, &mut found, |_, _| paths += 1);
    (paths, found.inputs.len())
}

/// Whether a path is a folder, or an archive, which counts as one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || archive::is_archive(path)
}

/// The inputs of part `part` of `of`, counted from 0: one after the other, their sizes differ by one at most.
pub fn part_of(inputs: usize, part: u64, of: u64) -> Range<usize> {
    // Below 2^64 x 2^64; the quotient is at most `inputs`.
    let bound = |part: u64| (inputs as u128 * u128::from(part) / u128::from(of.max(1))) as usize;
    bound(part.min(of))..bound((part + 1).min(of))
}

#[cfg(test)]
mod tests;
