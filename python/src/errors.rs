//! Errors of the library to exceptions. The classes are those of `jpegdct.errors`: made in Python, they pickle.

use std::io;

use jpegdct::{Error, RecipeError};
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception of an error; `path` is the file it is about.
pub fn from_error(py: Python<'_>, error: &Error, path: Option<&str>) -> PyErr {
    let class = match error {
        Error::Io(error) => return from_io(py, error, path),
        Error::OutOfMemory(_) => return PyMemoryError::new_err(error.to_string()),
        Error::Malformed { .. } => "MalformedError",
        Error::Unsupported { .. } => "UnsupportedError",
        Error::Limit { .. } => "LimitError",
        Error::NotJpeg(_) => "NotJpegError",
        Error::Damaged(_) => "DamagedError",
        Error::Mismatch(_) => "MismatchError",
        Error::Reencode(_) => "ReencodeError",
        _ => "JpegError",
    };
    let make = || -> PyResult<PyErr> {
        let attributes = PyDict::new(py);
        attributes.set_item("kind", error.kind())?;
        attributes.set_item("offset", error.offset())?;
        attributes.set_item("path", path)?;
        match error {
            Error::Limit { kind, found, limit } => {
                attributes.set_item("which", kind.name())?;
                attributes.set_item("found", found)?;
                attributes.set_item("limit", limit)?;
            }
            Error::NotJpeg(format) => attributes.set_item("format", format.to_string())?,
            _ => {}
        }
        instance(py, class, error.to_string(), path, Some(&attributes))
    };
    make().unwrap_or_else(|failed| failed)
}

/// The exception of a recipe that is refused.
pub fn from_recipe_error(py: Python<'_>, error: &RecipeError) -> PyErr {
    instance(py, "RecipeError", error.to_string(), None, None).unwrap_or_else(|failed| failed)
}

fn instance(
    py: Python<'_>,
    class: &str,
    message: String,
    path: Option<&str>,
    attributes: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    let message = path.map_or(message.clone(), |path| format!("{path}: {message}"));
    let class = py.import("jpegdct.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), attributes)?))
}

/// `OSError` picks its own subclass, such as `FileNotFoundError`, by the number.
fn from_io(py: Python<'_>, error: &io::Error, path: Option<&str>) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        let message = path.map_or(error.to_string(), |path| format!("{path}: {error}"));
        return io::Error::new(error.kind(), message).into();
    };
    let make = || -> PyResult<PyErr> {
        let text = py.import("os")?.call_method1("strerror", (number,))?;
        Ok(PyErr::from_value(py.get_type::<PyOSError>().call1((number, text, path))?))
    };
    make().unwrap_or_else(|failed| failed)
}

/// Whether an exception is about an image, and not about the call: a `JpegError`, an `OSError` or a `MemoryError`.
pub fn is_of_an_image(py: Python<'_>, error: &PyErr) -> bool {
    let is_jpeg = py.import("jpegdct.errors").and_then(|module| module.getattr("JpegError"));
    error.is_instance_of::<PyOSError>(py)
        || error.is_instance_of::<PyMemoryError>(py)
        || is_jpeg.is_ok_and(|class| error.is_instance(py, &class))
}
