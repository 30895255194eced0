//! An argument to where the bytes of an image are.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use jpegdct::Limits;
use jpegdct::corpus::{self, Input};
use jpegdct::limits::LimitKind;
use pyo3::exceptions::{PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

/// Bytes that are asked of a file at a time: of most photographs all.
const PART: u64 = 16 << 20;

/// An image, as it was given.
pub enum Source<'py> {
    /// Its bytes. Those of other buffers, which may change at any time, are copied.
    Bytes(Bound<'py, PyBytes>),
    /// A file.
    Path(PathBuf),
}

/// An image, for a thread without the interpreter.
#[derive(Clone, Copy)]
pub enum Feed<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// A file.
    Path(&'a Path),
}

impl<'py> Source<'py> {
    /// Takes a path (`str` or `os.PathLike`), `bytes`, a buffer, or a binary file, of which no more than `limit` bytes and
    /// one are read.
    pub fn of(argument: &Bound<'py, PyAny>, limit: u64) -> PyResult<Source<'py>> {
        if let Ok(bytes) = argument.cast::<PyBytes>() {
            return Ok(Source::Bytes(bytes.clone()));
        }
        if argument.is_instance_of::<PyString>() || argument.hasattr("__fspath__")? {
            return Ok(Source::Path(argument.extract()?));
        }
        if let Ok(view) = PyMemoryView::from(argument) {
            return Ok(Source::Bytes(view.call_method0("tobytes")?.cast_into()?));
        }
        if argument.hasattr("read")? {
            return read_to_end(argument, limit).map(Source::Bytes);
        }
        let found = argument.get_type().name()?;
        Err(PyTypeError::new_err(format!("an image is a path, bytes, a buffer or a binary file, not {found}")))
    }

    /// For another thread.
    pub fn feed(&self) -> Feed<'_> {
        match self {
            Source::Bytes(bytes) => Feed::Bytes(bytes.as_bytes()),
            Source::Path(path) => Feed::Path(path),
        }
    }
}

/// Reads a file to its end, or to one byte beyond the limit.
fn read_to_end<'py>(file: &Bound<'py, PyAny>, limit: u64) -> PyResult<Bound<'py, PyBytes>> {
    let mut parts: Vec<Bound<'py, PyBytes>> = Vec::new();
    let mut left = limit.saturating_add(1);
    // A raw file may give less than is asked for; nothing is its end.
    while left > 0 {
        let read = file.call_method1("read", (left.min(PART),))?;
        let text = |_| PyTypeError::new_err("a file must be open in binary mode: its read() gave no bytes");
        let part: Bound<'py, PyBytes> = read.cast_into().map_err(text)?;
        if part.as_bytes().is_empty() {
            break;
        }
        left = left.saturating_sub(part.as_bytes().len() as u64);
        parts.push(part);
    }
    match &parts[..] {
        [whole] => Ok(whole.clone()),
        _ => Ok(PyBytes::new(file.py(), b"").call_method1("join", (parts,))?.cast_into()?),
    }
}

impl<'a> Feed<'a> {
    /// The bytes.
    ///
    /// # Errors
    /// Those of reading, and more bytes than the limit.
    pub fn read(self, limits: &Limits) -> jpegdct::Result<Cow<'a, [u8]>> {
        match self {
            Feed::Bytes(bytes) => {
                limits.check(LimitKind::FileBytes, bytes.len() as u64)?;
                Ok(Cow::Borrowed(bytes))
            }
            Feed::Path(path) => {
                let mut bytes = Vec::new();
                for mut fed in corpus::feed([Input::file(path)], limits) {
                    corpus::read(&mut fed, limits, &mut bytes)?;
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// The file's path.
    pub fn path(self) -> Option<Cow<'a, str>> {
        match self {
            Feed::Bytes(_) => None,
            Feed::Path(path) => Some(path.to_string_lossy()),
        }
    }
}

/// One path, or several: what the commands take as INPUT.
pub fn paths(argument: &Bound<'_, PyAny>) -> PyResult<Vec<PathBuf>> {
    match argument.extract::<PathBuf>() {
        Ok(path) => Ok(vec![path]),
        Err(error) if error.is_instance_of::<PyUnicodeError>(argument.py()) => Err(error),
        Err(_) => argument.extract(),
    }
}
