//! Arguments that are lists: `@FILE`, `@-` and `*.jsonl`.
//!
//! What enters: the arguments of a command. What leaves: paths with what their line says of them. A line that cannot be
//! understood is an input that is lost, named by list and line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Found, Input, Label};

/// The longest line of a list, in bytes.
const LONGEST: u64 = 1 << 20;

/// One path.
pub(super) struct Named {
    pub path: PathBuf,
    pub label: Label,
    pub record: Option<Box<str>>,
    /// Whether it is the only argument, and no list names it.
    pub alone: bool,
}

/// One argument, or one line of a list.
pub(super) enum Argument {
    Path(Named),
    Lost(Box<Input>),
}

/// What is used of a record.
#[derive(Deserialize)]
struct Record {
    #[serde(alias = "file_name")]
    path: PathBuf,
    #[serde(default)]
    label: Option<RecordLabel>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RecordLabel {
    Number(i64),
    Class(String),
}

/// Replaces lists by their lines.
pub(super) fn expand(arguments: &[PathBuf], found: &mut Found) -> Vec<Argument> {
    let mut expanded = Vec::new();
    for argument in arguments {
        let bytes = argument.as_os_str().as_encoded_bytes();
        let list = match bytes.strip_prefix(b"@") {
            // A file of that very name wins, as with patterns.
            Some(_) if argument.exists() => None,
            Some(rest) => Some(path_of(rest)),
            None => is_records(argument).then(|| argument.clone()),
        };
        match list {
            None => {
                let alone = arguments.len() == 1;
                let path = argument.clone();
                expanded.push(Argument::Path(Named { path, label: Label::None, record: None, alone }));
            }
            Some(path) => read_list(&path, found, &mut expanded),
        }
    }
    expanded
}

fn is_records(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

fn read_list(path: &Path, found: &mut Found, expanded: &mut Vec<Argument>) {
    let lost = |path: PathBuf, error: io::Error| Argument::Lost(Box::new(Input::lost(path, error, 0)));
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        match File::open(path) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) => return expanded.push(lost(path.into(), error)),
        }
    };
    let (before, mut number) = (expanded.len(), 0u64);
    loop {
        let mut line = Vec::new();
        number += 1;
        let place = || PathBuf::from(format!("{}:{number}", path.display()));
        match io::Read::take(&mut reader, LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(read) if read as u64 == LONGEST => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "the line is too long");
                expanded.push(lost(place(), error));
                break;
            }
            Ok(_) => {}
            Err(error) => {
                expanded.push(lost(place(), error));
                break;
            }
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        expanded.push(match parse_line(line, found) {
            Ok(named) => Argument::Path(named),
            Err(error) => lost(place(), error),
        });
    }
    if expanded.len() == before {
        expanded.push(lost(path.into(), io::Error::new(io::ErrorKind::NotFound, "the list is empty")));
    }
}

fn parse_line(line: &[u8], found: &mut Found) -> io::Result<Named> {
    if line[0] == b'{' {
        let invalid = |error: &dyn std::fmt::Display| {
            io::Error::new(io::ErrorKind::InvalidData, format!("not a record with a path: {error}"))
        };
        let record: Record = serde_json::from_slice(line).map_err(|error| invalid(&error))?;
        let label = match record.label {
            None => Label::None,
            Some(RecordLabel::Number(number)) => Label::Number(number),
            Some(RecordLabel::Class(class)) => found.class(&class),
        };
        let text = std::str::from_utf8(line).map_err(|error| invalid(&error))?;
        return Ok(Named { path: record.path, label, record: Some(text.into()), alone: false });
    }
    Ok(Named { path: path_of(line), label: Label::None, record: None, alone: false })
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}
