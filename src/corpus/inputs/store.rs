//! Many inputs in little memory.
//!
//! What enters: one [`Input`] after another. What leaves: the same, made anew when it is asked for. A corpus has a
//! million inputs in a few folders: a file costs what its name does not share with the one before and a few bytes more,
//! everything it shares with its neighbours is kept once, and what only some inputs have is kept apart.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::packed::{Cursor, Packed};
use super::{Archive, Input, Kind, Label, Member, Reason, Span, names};
use crate::objects::Meta;

/// Inputs, in order.
#[derive(Debug, Default)]
pub struct Inputs {
    /// File names.
    names: Packed,
    folders: Vec<Folder>,
    /// The folder of each.
    places: Runs<u32>,
    /// What a list or a sample says of each.
    labels: Runs<Label>,
    /// The record of each, as a part of `text`; most have none.
    records: Runs<Range<usize>>,
    text: String,
    /// What is no plain file, by number.
    others: Vec<(usize, Other)>,
}

/// A value for each input, kept where it differs from that of the input before.
#[derive(Debug)]
struct Runs<T>(Vec<(usize, T)>);

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Runs(Vec::new())
    }
}

impl<T: PartialEq> Runs<T> {
    /// The value from an input on. What was said of those after it is forgotten.
    fn put(&mut self, from: usize, value: T) {
        while self.0.last().is_some_and(|(first, _)| *first >= from) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|(_, last)| *last != value) {
            self.0.push((from, value));
        }
    }

    fn get(&self, index: usize) -> Option<&T> {
        let run = self.0.partition_point(|(first, _)| *first <= index).checked_sub(1)?;
        self.0.get(run).map(|(_, value)| value)
    }
}

/// What the files of a folder have in common.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    strip: u32,
    root: Option<u32>,
    archive: Option<Arc<Archive>>,
    label: Label,
}

/// What is no plain file.
#[derive(Debug)]
enum Other {
    Stdin,
    Lost(Reason),
    Member { span: Span, json: Option<Span> },
    Object(Meta),
}

impl Inputs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<Input> {
        self.named(index, self.names.from(index).next(&self.names)?)
    }

    /// The input with this number, which has this name.
    fn named(&self, index: usize, name: &[u8]) -> Option<Input> {
        let folder = self.folder_of(index)?;
        let path = folder.path.join(os_str(name));
        let other = self.others.binary_search_by_key(&index, |(other, _)| *other).ok();
        let kind = match other.and_then(|place| self.others.get(place)).map(|(_, other)| other) {
            None => Kind::File,
            Some(Other::Stdin) => Kind::Stdin,
            Some(Other::Lost(reason)) => Kind::Lost(reason.clone()),
            Some(&Other::Member { span, json }) => {
                Kind::Member(Member { archive: folder.archive.clone()?, span, json })
            }
            Some(Other::Object(meta)) => Kind::Object(*meta),
        };
        let label = self.labels.get(index).copied().filter(|label| *label != Label::None).unwrap_or(folder.label);
        let record = self.records.get(index).filter(|record| !record.is_empty());
        let record = record.and_then(|record| self.text.get(record.clone())).map(Into::into);
        Some(Input { path, kind, label, record, strip: folder.strip, root: folder.root })
    }

    fn folder_of(&self, index: usize) -> Option<&Folder> {
        self.folders.get(*self.places.get(index)? as usize)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Input> + '_ {
        self.range(0..self.len())
    }

    /// Some of them; those of the range that are there.
    pub fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Input> + '_ {
        let end = range.end.min(self.len());
        let start = range.start.min(end);
        let mut cursor = self.names.from(start);
        let none = || Input::file("");
        (start..end).map(move |index| self.after(&mut cursor, index).unwrap_or_else(none))
    }

    fn after(&self, cursor: &mut Cursor, index: usize) -> Option<Input> {
        self.named(index, cursor.next(&self.names)?)
    }

    /// The path of each, in a buffer that is used again.
    pub(super) fn for_each_path(&self, mut each: impl FnMut(&Path)) {
        let mut path = PathBuf::new();
        let mut cursor = self.names.from(0);
        for index in 0..self.len() {
            let (Some(folder), Some(name)) = (self.folder_of(index), cursor.next(&self.names)) else { return };
            path.as_mut_os_string().clear();
            path.push(&folder.path);
            path.push(os_str(name));
            each(&path);
        }
    }
}

impl FromIterator<Input> for Inputs {
    fn from_iter<I: IntoIterator<Item = Input>>(inputs: I) -> Inputs {
        let mut filling = Filling::default();
        inputs.into_iter().for_each(|input| filling.push(input));
        filling.inputs
    }
}

/// Inputs that are being gathered.
#[derive(Default)]
pub(super) struct Filling {
    inputs: Inputs,
    /// Where a folder is among them.
    known: HashMap<(PathBuf, u32, Option<u32>, usize), u32>,
}

impl Filling {
    pub(super) fn len(&self) -> usize {
        self.inputs.len()
    }

    pub(super) fn push(&mut self, input: Input) {
        let Input { path, kind, label, record, strip, root } = input;
        let (parent, name) = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => (parent, name),
            _ => (Path::new(""), path.as_os_str()),
        };
        let (other, archive) = match kind {
            Kind::File => (None, None),
            Kind::Stdin => (Some(Other::Stdin), None),
            Kind::Lost(reason) => (Some(Other::Lost(reason)), None),
            Kind::Member(Member { archive, span, json }) => (Some(Other::Member { span, json }), Some(archive)),
            Kind::Object(meta) => (Some(Other::Object(meta)), None),
        };
        let number = self.len();
        let folder = self.folder(parent, strip, root, archive);
        let record = self.record(record.as_deref());
        let inputs = &mut self.inputs;
        inputs.places.put(number, folder);
        inputs.labels.put(number, label);
        inputs.records.put(number, record);
        inputs.others.extend(other.map(|other| (number, other)));
        inputs.names.push(&bytes_of(name));
    }

    /// The number of a folder. That of the last input is looked at first: files of a folder come together.
    fn folder(&mut self, path: &Path, strip: u32, root: Option<u32>, archive: Option<Arc<Archive>>) -> u32 {
        let place = archive.as_ref().map_or(0, |archive| Arc::as_ptr(archive) as usize);
        let of = |folder: &Folder| folder.archive.as_ref().map_or(0, |archive| Arc::as_ptr(archive) as usize);
        let last = self.inputs.places.0.last().map_or(0, |(_, folder)| *folder);
        if self.inputs.folders.get(last as usize).is_some_and(|folder| {
            folder.path.as_os_str() == path.as_os_str()
                && (folder.strip, folder.root, of(folder)) == (strip, root, place)
        }) {
            return last;
        }
        let next = self.inputs.folders.len() as u32;
        let number = *self.known.entry((path.into(), strip, root, place)).or_insert(next);
        if number == next {
            self.inputs.folders.push(Folder { path: path.into(), strip, root, archive, label: Label::None });
        }
        number
    }

    /// A record among the text of all.
    fn record(&mut self, record: Option<&str>) -> Range<usize> {
        let Some(record) = record else { return 0..0 };
        let from = self.inputs.text.len();
        self.inputs.text.push_str(record);
        from..self.inputs.text.len()
    }

    /// The images of a sample, which came last, get its label and JSON.
    pub(super) fn describe(&mut self, images: Range<usize>, sample: Label, described: Option<Span>) {
        if images.is_empty() {
            return;
        }
        self.inputs.labels.put(images.start, sample);
        for (number, other) in self.inputs.others.iter_mut().rev() {
            match other {
                Other::Member { json, .. } if *number >= images.start => *json = described,
                _ => break,
            }
        }
    }

    /// The inputs from one on get the label and the record of the line that names them.
    pub(super) fn annotate(&mut self, from: usize, label: Label, record: Option<&str>) {
        if from == self.len() {
            return;
        }
        if label != Label::None {
            self.inputs.labels.put(from, label);
        }
        if record.is_some() {
            let record = self.record(record);
            self.inputs.records.put(from, record);
        }
    }

    /// Folders as classes, if every image of the folders walked lies in a folder of its own below them.
    pub(super) fn label_by_folders(&mut self, mut class: impl FnMut(&str) -> Label) {
        let class_of = |folder: &Folder| {
            let root = folder.root? as usize;
            names(&folder.path).nth(root).map(|name| name.to_string_lossy().into_owned())
        };
        let walked = |folder: &&mut Folder| folder.root.is_some();
        if !self.inputs.folders.iter_mut().filter(walked).all(|folder| class_of(folder).is_some()) {
            return;
        }
        for folder in self.inputs.folders.iter_mut().filter(walked) {
            if let Some(name) = class_of(folder) {
                folder.label = class(&name);
            }
        }
    }

    /// All that were gathered. `strip` is how many names absolute paths leave out, `places` the final numbers of classes.
    pub(super) fn finish(mut self, strip: u32, places: &[u32]) -> Inputs {
        let labels = self.inputs.labels.0.iter_mut().map(|(_, label)| label);
        let labels = labels.chain(self.inputs.folders.iter_mut().map(|folder| &mut folder.label));
        for label in labels {
            if let Label::Class(place) = label {
                *place = places.get(*place as usize).copied().unwrap_or(*place);
            }
        }
        for folder in self.inputs.folders.iter_mut().filter(|folder| folder.strip == Input::ABSOLUTE) {
            folder.strip = strip;
        }
        let Inputs { names, folders, places, labels, records, text, others } = &mut self.inputs;
        names.finish();
        folders.shrink_to_fit();
        places.0.shrink_to_fit();
        labels.0.shrink_to_fit();
        records.0.shrink_to_fit();
        text.shrink_to_fit();
        others.shrink_to_fit();
        self.inputs
    }
}

#[cfg(unix)]
pub(super) fn bytes_of(name: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).into()
}

#[cfg(unix)]
pub(super) fn os_str(bytes: &[u8]) -> std::borrow::Cow<'_, OsStr> {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into()
}

/// Elsewhere a name that is no Unicode is not found again, and has a line that says so.
#[cfg(not(unix))]
pub(super) fn bytes_of(name: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    match name.to_string_lossy() {
        std::borrow::Cow::Borrowed(text) => text.as_bytes().into(),
        std::borrow::Cow::Owned(text) => text.into_bytes().into(),
    }
}

#[cfg(not(unix))]
pub(super) fn os_str(bytes: &[u8]) -> std::borrow::Cow<'_, OsStr> {
    OsString::from(String::from_utf8_lossy(bytes).into_owned()).into()
}

/// A path of bytes as they stand in a list or an archive.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from(os_str(bytes)))
}
