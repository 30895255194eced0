//! Many inputs in little memory.
//!
//! What enters: one [`Input`] after another. What leaves: the same, made anew when it is asked for. A corpus has a
//! million inputs in a few folders: a file costs its name and 16 bytes, everything it shares with its neighbours is kept
//! once, and what only some inputs have is kept apart.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Archive, Input, Kind, Label, Member, Reason, Span, names};
use crate::objects::Meta;

/// Inputs, in order.
#[derive(Debug, Default)]
pub struct Inputs {
    folders: Vec<Folder>,
    /// File names, one behind the other.
    names: Vec<u8>,
    items: Vec<Item>,
    details: Vec<Detail>,
    records: HashMap<usize, Box<str>>,
}

/// One input: where its name begins, its folder, and its detail, counted from 1.
#[derive(Debug, Clone, Copy)]
struct Item {
    name: u64,
    folder: u32,
    detail: u32,
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

/// What most inputs do not have.
#[derive(Debug)]
struct Detail {
    kind: DetailKind,
    label: Label,
}

#[derive(Debug)]
enum DetailKind {
    File,
    Stdin,
    Lost(Reason),
    Member { span: Span, json: Option<Span> },
    Object(Meta),
}

impl Inputs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<Input> {
        let item = self.items.get(index)?;
        let folder = self.folders.get(item.folder as usize)?;
        let end = self.items.get(index + 1).map_or(self.names.len(), |next| next.name as usize);
        let path = folder.path.join(os_str(self.names.get(item.name as usize..end)?));
        let detail = (item.detail as usize).checked_sub(1).and_then(|detail| self.details.get(detail));
        let kind = match detail.map(|detail| &detail.kind) {
            None | Some(DetailKind::File) => Kind::File,
            Some(DetailKind::Stdin) => Kind::Stdin,
            Some(DetailKind::Lost(reason)) => Kind::Lost(reason.clone()),
            Some(&DetailKind::Member { span, json }) => {
                Kind::Member(Member { archive: folder.archive.clone()?, span, json })
            }
            Some(DetailKind::Object(meta)) => Kind::Object(*meta),
        };
        let label = detail.map(|detail| detail.label).filter(|label| *label != Label::None).unwrap_or(folder.label);
        let record = self.records.get(&index).cloned();
        Some(Input { path, kind, label, record, strip: folder.strip, root: folder.root })
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Input> + '_ {
        self.range(0..self.len())
    }

    /// Some of them; those of the range that are there.
    pub fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Input> + '_ {
        let end = range.end.min(self.len());
        let none = || Input::file("");
        (range.start.min(end)..end).map(move |index| self.get(index).unwrap_or_else(none))
    }

    /// The path of each, in a buffer that is used again.
    pub(super) fn for_each_path(&self, mut each: impl FnMut(&Path)) {
        let mut path = PathBuf::new();
        for (index, item) in self.items.iter().enumerate() {
            let end = self.items.get(index + 1).map_or(self.names.len(), |next| next.name as usize);
            path.as_mut_os_string().clear();
            path.push(&self.folders[item.folder as usize].path);
            path.push(os_str(&self.names[item.name as usize..end]));
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
        let (kind, archive) = match kind {
            Kind::File => (DetailKind::File, None),
            Kind::Stdin => (DetailKind::Stdin, None),
            Kind::Lost(reason) => (DetailKind::Lost(reason), None),
            Kind::Member(Member { archive, span, json }) => (DetailKind::Member { span, json }, Some(archive)),
            Kind::Object(meta) => (DetailKind::Object(meta), None),
        };
        let folder = self.folder(parent, strip, root, archive);
        if let Some(record) = record {
            self.inputs.records.insert(self.inputs.items.len(), record);
        }
        let mut detail = 0;
        if label != Label::None || !matches!(kind, DetailKind::File) {
            self.inputs.details.push(Detail { kind, label });
            detail = u32::try_from(self.inputs.details.len()).unwrap_or(0);
        }
        self.inputs.items.push(Item { name: self.inputs.names.len() as u64, folder, detail });
        self.inputs.names.extend_from_slice(&bytes_of(name));
    }

    /// The number of a folder. That of the last input is looked at first: files of a folder come together.
    fn folder(&mut self, path: &Path, strip: u32, root: Option<u32>, archive: Option<Arc<Archive>>) -> u32 {
        let place = archive.as_ref().map_or(0, |archive| Arc::as_ptr(archive) as usize);
        let of = |folder: &Folder| folder.archive.as_ref().map_or(0, |archive| Arc::as_ptr(archive) as usize);
        let last = self.inputs.items.last().map_or(0, |item| item.folder);
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

    /// The images of a sample get its label and JSON.
    pub(super) fn describe(&mut self, images: Range<usize>, sample: Label, described: Option<Span>) {
        for index in images {
            let detail = self.inputs.items[index].detail as usize;
            if let Some(Detail { kind: DetailKind::Member { json, .. }, label }) =
                detail.checked_sub(1).and_then(|detail| self.inputs.details.get_mut(detail))
            {
                (*label, *json) = (sample, described);
            }
        }
    }

    /// Inputs get the label and the record of the line that names them.
    pub(super) fn annotate(&mut self, inputs: Range<usize>, label: Label, record: Option<&str>) {
        for index in inputs {
            if let Some(record) = record {
                self.inputs.records.insert(index, record.into());
            }
            let item = &mut self.inputs.items[index];
            match (item.detail as usize).checked_sub(1).and_then(|detail| self.inputs.details.get_mut(detail)) {
                Some(detail) => detail.label = label,
                None if label != Label::None => {
                    self.inputs.details.push(Detail { kind: DetailKind::File, label });
                    item.detail = u32::try_from(self.inputs.details.len()).unwrap_or(0);
                }
                None => {}
            }
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
        let labels = self.inputs.details.iter_mut().map(|detail| &mut detail.label);
        let labels = labels.chain(self.inputs.folders.iter_mut().map(|folder| &mut folder.label));
        for label in labels {
            if let Label::Class(place) = label {
                *place = places.get(*place as usize).copied().unwrap_or(*place);
            }
        }
        for folder in self.inputs.folders.iter_mut().filter(|folder| folder.strip == Input::ABSOLUTE) {
            folder.strip = strip;
        }
        let Inputs { folders, names, items, details, .. } = &mut self.inputs;
        folders.shrink_to_fit();
        names.shrink_to_fit();
        items.shrink_to_fit();
        details.shrink_to_fit();
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
