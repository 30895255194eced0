//! Folders, patterns and single files.
//!
//! What enters: one path and how many names of it the place leaves out. What leaves: inputs, appended.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use walkdir::WalkDir;

use super::archive::{is_archive, list_archive};
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
pub(super) fn list_one(argument: &Path, strip: usize, found: &mut Found) {
    if argument == Path::new("-") {
        found.inputs.push(Input::new(argument.into(), Kind::Stdin, 0));
        return;
    }
    match std::fs::metadata(argument) {
        Ok(metadata) if metadata.is_dir() => walk(argument, strip, &mut found.inputs),
        Ok(_) if is_archive(argument) => list_archive(argument, strip, found),
        Ok(_) => found.inputs.push(Input::new(argument.into(), Kind::File, strip)),
        Err(_) if is_pattern(argument.as_os_str()) => list_pattern(argument, strip, found),
        Err(error) => found.inputs.push(Input::lost(argument, error, strip)),
    }
}

fn list_pattern(argument: &Path, strip: usize, found: &mut Found) {
    let lost = |path: &Path, error: io::Error| Input::lost(path, error, strip);
    let before = found.inputs.len();
    let matches = argument.to_str().ok_or("the pattern is no UTF-8".to_string());
    match matches.and_then(|pattern| glob::glob(pattern).map_err(|error| error.to_string())) {
        Err(reason) => found.inputs.push(lost(argument, io::Error::new(io::ErrorKind::InvalidInput, reason))),
        Ok(paths) => {
            for path in paths {
                match path {
                    Ok(path) if path.is_dir() => walk(&path, strip, &mut found.inputs),
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

fn walk(folder: &Path, strip: usize, inputs: &mut Vec<Input>) {
    let before = inputs.len();
    let root = Some(u32::try_from(names(folder).count()).unwrap_or(u32::MAX));
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                if is_wanted(entry.path()) {
                    inputs.push(Input { root, ..Input::new(entry.into_path(), Kind::File, strip) });
                }
            }
            Ok(_) => {}
            // What a loop leads to is on the list already.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_path_buf();
                let error = error.into_io_error().unwrap_or_else(|| io::Error::other("the folder cannot be walked"));
                inputs.push(Input::lost(path, error, strip));
            }
        }
    }
    if inputs.len() == before {
        let error = io::Error::new(io::ErrorKind::NotFound, "no images in this folder");
        inputs.push(Input::lost(folder, error, strip));
    }
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
