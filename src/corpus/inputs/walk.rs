//! Folders, patterns and single files.
//!
//! What enters: one path and how many names of it the place leaves out. What leaves: inputs, appended.

use std::ffi::OsStr;
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::{is_archive, list_archive};
use super::packed::Sorter;
use super::store::{bytes_of, os_str};
use super::{Found, Input, Kind, names};
use crate::markers::sniff::Format;

const EXTENSIONS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "gif", "pnm", "ppm", "pgm", "pbm"];

/// Whether the name has the extension of an image format.
pub(super) fn has_image_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

pub(super) fn is_pattern(text: &OsStr) -> bool {
    text.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// Lists what one path names.
pub(super) fn list_one(argument: &Path, strip: u32, found: &mut Found) {
    if argument == Path::new("-") {
        found.inputs.push(Input::new(argument.into(), Kind::Stdin, 0));
        return;
    }
    match std::fs::metadata(argument) {
        Ok(metadata) if metadata.is_dir() => walk(argument, strip, found),
        Ok(_) if is_archive(argument) => list_archive(argument, strip, found),
        Ok(_) => found.inputs.push(Input::new(argument.into(), Kind::File, strip)),
        Err(_) if is_pattern(argument.as_os_str()) => list_pattern(argument, strip, found),
        Err(error) => found.inputs.push(Input::lost(argument, error, strip)),
    }
}

fn list_pattern(argument: &Path, strip: u32, found: &mut Found) {
    let lost = |path: &Path, error: io::Error| Input::lost(path, error, strip);
    let before = found.inputs.len();
    let matches = argument.to_str().ok_or("the pattern is no UTF-8".to_string());
    match matches.and_then(|pattern| glob::glob(pattern).map_err(|error| error.to_string())) {
        Err(reason) => found.inputs.push(lost(argument, io::Error::new(io::ErrorKind::InvalidInput, reason))),
        Ok(paths) => {
            for path in paths {
                match path {
                    Ok(path) if path.is_dir() => walk(&path, strip, found),
                    Ok(path) if is_archive(&path) => list_archive(&path, strip, found),
                    Ok(path) => found.inputs.push(Input::new(path, Kind::File, strip)),
                    Err(error) => {
                        let path = error.path().to_path_buf();
                        found.inputs.push(lost(&path, error.into()));
                    }
                }
            }
            if found.inputs.len() == before {
                found
                    .inputs
                    .push(lost(argument, io::Error::new(io::ErrorKind::NotFound, "no file matches the pattern")));
            }
        }
    }
}

/// Where a walk is.
struct Walk {
    strip: u32,
    /// How many names the folder it began in has.
    root: Option<u32>,
    /// The folder it is in and those above it, where it began first.
    above: Vec<PathBuf>,
}

fn walk(folder: &Path, strip: u32, found: &mut Found) {
    let before = found.inputs.len();
    let root = Some(u32::try_from(names(folder).count()).unwrap_or(u32::MAX));
    walk_into(folder.into(), &mut Walk { strip, root, above: Vec::new() }, found);
    if found.inputs.len() == before {
        let error = io::Error::new(io::ErrorKind::NotFound, "no images in this folder");
        found.inputs.push(Input::lost(folder, error, strip));
    }
}

/// What a name in a folder is of; written behind the name, and a zero between them, so that names sort as without it.
const FILE: u8 = b'f';
const FOLDER: u8 = b'd';
const LINK: u8 = b'l';
const OTHER: u8 = b'o';

fn letter(kind: FileType) -> u8 {
    if kind.is_symlink() {
        LINK
    } else if kind.is_dir() {
        FOLDER
    } else if kind.is_file() {
        FILE
    } else {
        OTHER
    }
}

/// Lists a folder and the folders in it. A folder may hold a million files, so few names are held whole.
fn walk_into(folder: PathBuf, walk: &mut Walk, found: &mut Found) {
    let mut entries = Sorter::default();
    let mut lost = |path: PathBuf, error: io::Error| found.inputs.push(Input::lost(path, error, walk.strip));
    match std::fs::read_dir(&folder) {
        Err(error) => lost(folder.clone(), error),
        Ok(listed) => {
            let mut text = Vec::new();
            for entry in listed {
                match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                    Ok((name, kind)) => {
                        text.clear();
                        text.extend_from_slice(&bytes_of(&name));
                        text.extend([0, letter(kind)]);
                        entries.push(&text);
                    }
                    Err(error) => lost(folder.clone(), error),
                }
            }
        }
    }
    walk.above.push(folder.clone());
    for entry in entries.sorted() {
        let Some((name, &[_, kind])) = entry.split_last_chunk() else { continue };
        let path = folder.join(os_str(name));
        let kind = match (kind == LINK).then(|| std::fs::metadata(&path)) {
            None => kind,
            Some(Ok(metadata)) if metadata.is_dir() && is_above(&path, &walk.above) => continue,
            Some(Ok(metadata)) => letter(metadata.file_type()),
            Some(Err(error)) => {
                found.inputs.push(Input::lost(path, error, walk.strip));
                continue;
            }
        };
        match kind {
            FILE if is_wanted(&path) => {
                found.inputs.push(Input { root: walk.root, ..Input::new(path, Kind::File, walk.strip) });
            }
            FOLDER => walk_into(path, walk, found),
            _ => {}
        }
    }
    walk.above.pop();
}

/// Whether a link leads to one of the folders above it: what is there is on the list already.
fn is_above(link: &Path, above: &[PathBuf]) -> bool {
    let Ok(target) = link.canonicalize() else { return false };
    above.iter().any(|folder| folder.canonicalize().is_ok_and(|folder| folder == target))
}

fn is_wanted(path: &Path) -> bool {
    match path.extension() {
        Some(_) => has_image_extension(path),
        None => {
            let mut start = [0; 32];
            match File::open(path).and_then(|mut file| file.read(&mut start)) {
                Ok(read) => {
                    let start = &start[..read];
                    start.starts_with(&[0xff, 0xd8, 0xff])
                        || !matches!(Format::of(start), Format::Empty | Format::Unknown)
                }
                // It may be an image: let the attempt to read it say so in the manifest.
                Err(_) => true,
            }
        }
    }
}
