//! Arguments that are lists: `@FILE`, `@-` and `*.jsonl`.
//!
//! What enters: a list. What leaves: inputs, with what the lines say of them. A line that cannot be understood is an input
//! that is lost, named by list and line.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::store::path_of;
use super::{Found, Input, Label, Named, remote};
use crate::objects::{is_disconnected, is_url};

/// The longest line of a list, in bytes.
const LONGEST: u64 = 1 << 20;

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

/// The list that an argument names, if it names one.
pub(super) fn list_of(argument: &Path) -> Option<PathBuf> {
    match argument.as_os_str().as_encoded_bytes().strip_prefix(b"@") {
        // A file of that very name wins, as with patterns.
        Some(_) if argument.exists() => None,
        Some(rest) => Some(path_of(rest)),
        None => is_records(argument).then(|| argument.into()),
    }
}

fn is_records(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

/// Lists what the lines of a list name.
pub(super) fn read_list(path: &Path, found: &mut Found) {
    read_lines(path, found, |line, found| {
        found.add(&Named { path: &line.path, label: line.label, record: line.record, alone: false });
    });
}

/// One line of a list.
pub(super) struct Line<'a> {
    path: Cow<'a, Path>,
    label: Label,
    /// The line, where it is a record.
    record: Option<&'a str>,
}

/// Gives each line to `add`. What cannot be read or understood is a lost input of `found`.
pub(super) fn read_lines(path: &Path, found: &mut Found, mut add: impl FnMut(Line<'_>, &mut Found)) {
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        match open(path) {
            Ok(reader) => reader,
            Err(error) if is_disconnected(&error) => {
                found.incomplete.get_or_insert(error.into());
                return;
            }
            Err(error) => return found.inputs.push(Input::lost(path, error, 0)),
        }
    };
    let (before, mut is_empty, mut number) = (found.inputs.len(), true, 0u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        let place = || PathBuf::from(format!("{}:{number}", path.display()));
        match io::Read::take(&mut reader, LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(read) if read as u64 == LONGEST => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "the line is too long");
                found.inputs.push(Input::lost(place(), error, 0));
                break;
            }
            Ok(_) => {}
            Err(error) => {
                found.inputs.push(Input::lost(place(), error, 0));
                break;
            }
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        is_empty = false;
        match parse_line(line, found) {
            Ok(line) => add(line, found),
            Err(error) => found.inputs.push(Input::lost(place(), error, 0)),
        }
    }
    if is_empty && found.inputs.len() == before {
        let error = io::Error::new(io::ErrorKind::NotFound, "the list is empty");
        found.inputs.push(Input::lost(path, error, 0));
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(if is_url(path) {
        Box::new(BufReader::new(remote::open(path)?.0))
    } else {
        Box::new(BufReader::new(File::open(path)?))
    })
}

fn parse_line<'a>(line: &'a [u8], found: &mut Found) -> io::Result<Line<'a>> {
    if line[0] != b'{' {
        return Ok(Line { path: path_of(line).into(), label: Label::None, record: None });
    }
    let invalid = |error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("not a record with a path: {error}"))
    };
    let record: Record = serde_json::from_slice(line).map_err(|error| invalid(&error))?;
    let text = std::str::from_utf8(line).map_err(|error| invalid(&error))?;
    let label = match record.label {
        None => Label::None,
        Some(RecordLabel::Number(number)) => Label::Number(number),
        Some(RecordLabel::Class(class)) => found.class(&class),
    };
    Ok(Line { path: record.path.into(), label, record: Some(text) })
}
