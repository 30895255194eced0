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
//! - What does not exist and holds `*`, `?` or `[` is a glob pattern; each match counts as if it were named itself.
//!
//! An input also has a *place*, which names its output. The place is the path without `.` and `..`, relative to
//! a folder: to the folder (or archive) itself if that is the only INPUT; else, for relative paths, the path as it is
//! given; and for absolute paths, relative to the deepest folder all absolute INPUTs have in common.
//!
//! A label is a whole number, or the name of a class; classes are numbered in the order of their names.

mod archive;
mod lists;
mod walk;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::spec::fingerprint::fnv1a;

pub use archive::{Archive, Member, Span};

/// One image to work on.
#[derive(Debug)]
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
#[derive(Debug)]
pub enum Kind {
    /// A file, by its path.
    File,
    /// A file in an archive.
    Member(Box<Member>),
    /// Standard input.
    Stdin,
    /// Something that could not even be listed: a missing file, a folder that cannot be read or holds no image, a
    /// pattern without matches.
    Lost(io::Error),
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
    pub inputs: Vec<Input>,
    /// Names of classes, sorted; empty if labels are numbers or there are none.
    pub classes: Vec<String>,
}

impl Listing {
    /// Fingerprint of the paths of all inputs, in order: 16 hex digits.
    pub fn hash(&self) -> String {
        let mut text = Vec::new();
        let mut hash = fnv1a(&text);
        for input in &self.inputs {
            // A running fingerprint: that of the one before and the next path.
            text.clear();
            text.extend(hash.to_le_bytes());
            text.extend(input.path.as_os_str().as_encoded_bytes());
            hash = fnv1a(&text);
        }
        format!("{hash:016x}")
    }
}

impl Input {
    /// A file by its path, whose place is the path.
    pub fn file(path: impl Into<PathBuf>) -> Input {
        Input::new(path.into(), Kind::File, 0)
    }

    fn new(path: PathBuf, kind: Kind, strip: usize) -> Input {
        let strip = u32::try_from(strip).unwrap_or(u32::MAX);
        Input { path, kind, label: Label::None, record: None, strip, root: None }
    }

    fn lost(path: impl Into<PathBuf>, error: io::Error, strip: usize) -> Input {
        Input::new(path.into(), Kind::Lost(error), strip)
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

/// What is found while listing: inputs, and class names numbered as they come.
#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    classes: HashMap<String, u32>,
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

    /// Folders as classes, if every image of the folders walked lies in a folder of its own below them.
    fn label_by_folders(&mut self) {
        let class_of = |input: &Input| {
            let root = input.root? as usize;
            let mut below = names(&input.path).skip(root);
            let first = below.next()?;
            below.next().map(|_| first.to_string_lossy().into_owned())
        };
        let walked = |input: &&Input| input.root.is_some() && !matches!(input.kind, Kind::Lost(_));
        if !self.inputs.iter().filter(walked).all(|input| class_of(input).is_some()) {
            return;
        }
        let mut inputs = std::mem::take(&mut self.inputs);
        for input in inputs.iter_mut().filter(|input| input.root.is_some()) {
            if let Some(class) = class_of(input) {
                input.label = self.class(&class);
            }
        }
        self.inputs = inputs;
    }

    /// Numbers the classes in the order of their names.
    fn finish(mut self) -> Listing {
        self.label_by_folders();
        let mut sorted: Vec<(String, u32)> = self.classes.into_iter().collect();
        sorted.sort();
        let mut places = vec![0; sorted.len()];
        for (place, (_, found)) in sorted.iter().enumerate() {
            places[*found as usize] = place as u32;
        }
        for input in &mut self.inputs {
            if let Label::Class(place) = &mut input.label {
                *place = places[*place as usize];
            }
        }
        Listing { inputs: self.inputs, classes: sorted.into_iter().map(|(name, _)| name).collect() }
    }
}

/// Lists what the arguments name. The module's first lines say how.
pub fn list(arguments: &[PathBuf]) -> Listing {
    let mut found = Found::default();
    let arguments = lists::expand(arguments, &mut found);
    let absolute = common_folder(&arguments);
    for argument in arguments {
        let argument = match argument {
            lists::Argument::Lost(input) => {
                found.inputs.push(*input);
                continue;
            }
            lists::Argument::Path(argument) => argument,
        };
        let strip = match argument.alone && is_folder(&argument.path) {
            true => names(&argument.path).count(),
            false if argument.path.has_root() => absolute,
            false => 0,
        };
        let before = found.inputs.len();
        walk::list_one(&argument.path, strip, &mut found);
        if argument.label != Label::None || argument.record.is_some() {
            for input in &mut found.inputs[before..] {
                (input.label, input.record) = (argument.label, argument.record.clone());
            }
        }
    }
    found.finish()
}

/// How many lines of a list are paths, and how many cannot be understood. Nothing that they name is looked at.
#[cfg(all(feature = "reencode", feature = "verify"))]
pub(crate) fn read_lines(list: &Path) -> (usize, usize) {
    let lines = lists::expand(&[list.into()], &mut Found::default());
    let paths = lines.iter().filter(|line| matches!(line, lists::Argument::Path(_))).count();
    (paths, lines.len() - paths)
}

/// Whether a path is a folder, or an archive, which counts as one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || archive::is_archive(path)
}

/// How many names the deepest folder has that all absolute arguments lie in.
fn common_folder(arguments: &[lists::Argument]) -> usize {
    let mut common: Option<Vec<&OsStr>> = None;
    for argument in arguments {
        let lists::Argument::Path(argument) = argument else { continue };
        let path = &argument.path;
        if !path.has_root() {
            continue;
        }
        let folder: Vec<&OsStr> = names(path).collect();
        let plain = folder.iter().take_while(|name| !walk::is_pattern(name)).count();
        // A folder is its own; a file, or a pattern's first wild name, lies in the one above.
        let depth = if plain < folder.len() && !path.exists() || is_folder(path) {
            plain
        } else {
            folder.len().saturating_sub(1)
        };
        let shared = match &common {
            None => depth,
            Some(common) => common.iter().zip(&folder[..depth]).take_while(|(a, b)| a == b).count(),
        };
        common = Some(folder[..shared].to_vec());
    }
    common.map_or(0, |common| common.len())
}

/// The inputs of part `part` of `of`, counted from 0: one after the other, their sizes differ by one at most.
pub fn part_of(inputs: usize, part: u64, of: u64) -> Range<usize> {
    // Below 2^64 x 2^64; the quotient is at most `inputs`.
    let bound = |part: u64| (inputs as u128 * u128::from(part) / u128::from(of.max(1))) as usize;
    bound(part.min(of))..bound((part + 1).min(of))
}

#[cfg(test)]
mod tests;
