//! `jpegdct.read`: the quantised coefficients of a file; and their fingerprint, as `jpegdct.results.Plane` asks for it.

use jpegdct::{Error, Scratch, coefficients};
use numpy::{PyArrayDyn, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::errors;
use crate::options;
use crate::results;
use crate::source::Source;

/// Reads the quantised coefficients of a JPEG, a Coefficients: a path, bytes, a buffer or a binary file.
///
/// ``damaged``: ``"refuse"`` raises DamagedError where the data after a good header is damaged, ``"keep"`` keeps what was
/// decoded, zeros elsewhere, with warnings. ``limits`` changes what one image may cost: a mapping of ``pixels``, ``memory``,
/// ``scans``, ``passes``, ``segments``, ``file_bytes``.
///
/// Raises a JpegError, or OSError where a file cannot be read.
#[pyfunction]
#[pyo3(signature = (source, *, damaged = "refuse", limits = None))]
pub fn read<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    damaged: &str,
    limits: Option<&Bound<'py, PyMapping>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = options::decode(damaged, options::limits(limits)?)?;
    let source = Source::of(source, options.limits.file_bytes)?;
    let feed = source.feed();
    let decode = || -> Result<jpegdct::Coefficients, Error> {
        let bytes = feed.read(&options.limits)?;
        jpegdct::Coefficients::decode_with(&bytes, &options, &mut Scratch::default())
    };
    let decoded = py.detach(decode).map_err(|error| errors::from_error(py, &error, feed.path().as_deref()))?;
    results::coefficients(py, decoded)
}

/// FNV-1a 64 over a contiguous int16 array as little-endian bytes, 16 hex digits.
#[pyfunction]
pub fn digest(py: Python<'_>, values: &Bound<'_, PyArrayDyn<i16>>) -> PyResult<String> {
    let values = values.try_readonly()?;
    let values = values.as_slice().map_err(|_| PyValueError::new_err("values are not contiguous"))?;
    Ok(py.detach(|| format!("{:016x}", coefficients::digest(values))))
}
