//! INPUT arguments to a list of files, in an order that depends on names alone.
//!
//! What enters: files, folders, glob patterns and `-`. What leaves: one [`Input`] for each file, and one for everything
//! that should have been a file and is not there or cannot be read: nothing is lost without an entry.
//!
//! - `-` is one image on standard input.
//! - A file named explicitly is always taken, whatever its name (a pipe too).
//! - A folder is walked in the order of names, folders included; symbolic links are followed, a link back to a folder
//!   above it is not entered again. Taken are regular files with the extension of an image format (`jpg jpeg jpe jfif
//!   png webp tif tiff bmp gif pnm ppm pgm pbm`, in any case) and files without an extension whose content starts like
//!   an image.
//! - What does not exist and holds `*`, `?` or `[` is a glob pattern; each match counts as if it were named itself.
//!
//! An input also has a *place*, which names its output. The place is the path without `.` and `..`, relative to
//! a folder: to the folder itself if that is the only INPUT; else, for relative paths, the path as it is given; and for
//! absolute paths, relative to the deepest folder all absolute INPUTs have in common.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::markers::sniff::Format;

const EXTENSIONS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "gif", "pnm", "ppm", "pgm", "pbm"];

/// One file to work on.
#[derive(Debug)]
pub struct Input {
    /// As reached from the argument; `-` for standard input.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// How many leading names of the path the place leaves out.
    strip: usize,
}

/// What an input is.
#[derive(Debug)]
pub enum Kind {
    /// A file, by its path.
    File,
    /// Standard input.
    Stdin,
    /// Something that could not even be listed: a missing file, a folder that cannot be read or holds no image, a
    /// pattern without matches.
    Lost(io::Error),
}

impl Input {
    /// A file by its path, whose place is the path.
    pub fn file(path: impl Into<PathBuf>) -> Input {
        Input { path: path.into(), kind: Kind::File, strip: 0 }
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
        let from = self.strip.min(names.len().saturating_sub(1));
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

/// Lists what the arguments name. The module's first lines say how.
pub fn list(arguments: &[PathBuf]) -> Vec<Input> {
    let absolute = common_folder(arguments);
    let mut inputs = Vec::new();
    for argument in arguments {
        let strip = match arguments {
            [only] if only.is_dir() => names(only).count(),
            _ if argument.has_root() => absolute,
            _ => 0,
        };
        list_one(argument, strip, &mut inputs);
    }
    inputs
}

/// How many names the deepest folder has that all absolute arguments lie in.
fn common_folder(arguments: &[PathBuf]) -> usize {
    let mut folders = arguments.iter().filter(|argument| argument.has_root()).map(|argument| {
        let folder: Vec<&OsStr> = names(argument).collect();
        let plain = folder.iter().take_while(|name| !is_pattern(name)).count();
        // A folder is its own; a file, or a pattern's first wild name, lies in the one above.
        let depth = if plain < folder.len() && !argument.exists() || argument.is_dir() {
            plain
        } else {
            folder.len().saturating_sub(1)
        };
        folder[..depth].to_vec()
    });
    let Some(first) = folders.next() else { return 0 };
    folders
        .fold(first, |common, folder| {
            common.into_iter().zip(folder).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        })
        .len()
}

fn is_pattern(text: &OsStr) -> bool {
    text.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

fn list_one(argument: &Path, strip: usize, inputs: &mut Vec<Input>) {
    if argument == Path::new("-") {
        inputs.push(Input { path: argument.into(), kind: Kind::Stdin, strip: 0 });
        return;
    }
    match std::fs::metadata(argument) {
        Ok(metadata) if metadata.is_dir() => walk(argument, strip, inputs),
        Ok(_) => inputs.push(Input { path: argument.into(), kind: Kind::File, strip }),
        Err(_) if is_pattern(argument.as_os_str()) => list_pattern(argument, strip, inputs),
        Err(error) => inputs.push(Input { path: argument.into(), kind: Kind::Lost(error), strip }),
    }
}

fn list_pattern(argument: &Path, strip: usize, inputs: &mut Vec<Input>) {
    let lost = |path: &Path, error: io::Error| Input { path: path.into(), kind: Kind::Lost(error), strip };
    let before = inputs.len();
    let matches = argument.to_str().ok_or("the pattern is no UTF-8".to_string());
    match matches.and_then(|pattern| glob::glob(pattern).map_err(|error| error.to_string())) {
        Err(reason) => inputs.push(lost(argument, io::Error::new(io::ErrorKind::InvalidInput, reason))),
        Ok(paths) => {
            for path in paths {
                match path {
                    Ok(path) if path.is_dir() => walk(&path, strip, inputs),
                    Ok(path) => inputs.push(Input { path, kind: Kind::File, strip }),
                    Err(error) => {
                        let path = error.path().to_path_buf();
                        inputs.push(lost(&path, error.into()));
                    }
                }
            }
            if inputs.len() == before {
                inputs.push(lost(argument, io::Error::new(io::ErrorKind::NotFound, "no file matches the pattern")));
            }
        }
    }
}

fn walk(folder: &Path, strip: usize, inputs: &mut Vec<Input>) {
    let before = inputs.len();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                if is_wanted(entry.path()) {
                    inputs.push(Input { path: entry.into_path(), kind: Kind::File, strip });
                }
            }
            Ok(_) => {}
            // What a loop leads to is on the list already.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_path_buf();
                let error = error.into_io_error().unwrap_or_else(|| io::Error::other("the folder cannot be walked"));
                inputs.push(Input { path, kind: Kind::Lost(error), strip });
            }
        }
    }
    if inputs.len() == before {
        let error = io::Error::new(io::ErrorKind::NotFound, "no images in this folder");
        inputs.push(Input { path: folder.into(), kind: Kind::Lost(error), strip });
    }
}

fn is_wanted(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"\xff\xd8\xff\xe0").unwrap();
        }
        folder
    }

    fn places(arguments: &[PathBuf]) -> Vec<String> {
        list(arguments).iter().map(Input::place).collect()
    }

    #[test]
    fn a_folder_is_sorted_and_filtered() {
        let tree = tree(&["b/2.JPG", "b/10.jpeg", "a.jpg", "notes.txt", "c", "b.png", "x.npy"]);
        std::fs::write(tree.path().join("README"), b"text").unwrap();
        assert_eq!(places(&[tree.path().into()]), ["a.jpg", "b/10.jpeg", "b/2.JPG", "b.png", "c"]);
    }

    #[test]
    fn explicit_files_are_always_taken() {
        let tree = tree(&["notes.txt", "sub/a.jpg"]);
        let arguments = [tree.path().join("notes.txt"), tree.path().join("sub/a.jpg")];
        assert_eq!(places(&arguments), ["notes.txt", "sub/a.jpg"]);
        assert_eq!(places(&arguments[1..]), ["a.jpg"]);
    }

    #[test]
    fn several_folders_stay_apart() {
        let tree = tree(&["train/a.jpg", "val/a.jpg"]);
        assert_eq!(places(&[tree.path().join("train"), tree.path().join("val")]), ["train/a.jpg", "val/a.jpg"]);
    }

    #[test]
    fn patterns_match_or_say_so() {
        let tree = tree(&["x/b.jpg", "x/a.jpg", "x/c.png", "x/[1].jpg"]);
        assert_eq!(places(&[tree.path().join("x/?.jpg")]), ["a.jpg", "b.jpg"]);
        assert_eq!(places(&[tree.path().join("*")]), ["x/[1].jpg", "x/a.jpg", "x/b.jpg", "x/c.png"]);
        assert_eq!(places(&[tree.path().join("x/[1].jpg")]), ["[1].jpg"], "a file of that very name wins");
        let lost = list(&[tree.path().join("*.gif")]);
        assert!(
            matches!(&lost[..], [Input { kind: Kind::Lost(error), .. }] if error.kind() == io::ErrorKind::NotFound)
        );
    }

    #[test]
    fn what_is_missing_has_an_entry() {
        let tree = tree(&["a.jpg"]);
        let inputs = list(&[tree.path().join("a.jpg"), tree.path().join("gone.jpg")]);
        assert!(matches!(inputs[0].kind, Kind::File));
        assert!(matches!(&inputs[1].kind, Kind::Lost(error) if error.kind() == io::ErrorKind::NotFound));
    }

    #[test]
    fn relative_paths_are_places_and_never_climb() {
        let place = |path: &str| Input::file(path).place();
        assert_eq!(place("a/b/img.jpg"), "a/b/img.jpg");
        assert_eq!(place("../../x/./img.jpg"), "x/img.jpg");
        assert_eq!(place("/etc/img.jpg"), "etc/img.jpg");
    }

    #[cfg(unix)]
    #[test]
    fn loops_end_and_broken_links_are_named() {
        let tree = tree(&["a/x.jpg"]);
        std::os::unix::fs::symlink(tree.path(), tree.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink("nowhere", tree.path().join("a/z.jpg")).unwrap();
        let inputs = list(&[tree.path().into()]);
        let found: Vec<_> = inputs.iter().map(|input| (input.place(), matches!(input.kind, Kind::Lost(_)))).collect();
        assert_eq!(found, [("a/x.jpg".to_string(), false), ("a/z.jpg".to_string(), true)]);
    }
}
