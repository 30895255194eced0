//! `jpegdct.read`: the quantised coefficients of a file; and what `jpegdct.results.Plane` has computed of its values.

use jpegdct::{Error, Scratch, coefficients};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::array;
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
    limits: Option<&Bound<'py, PyDict>>,
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

/// FNV-1a 64 over an int16 array as little-endian bytes, 16 hex digits.
#[pyfunction]
pub fn digest(py: Python<'_>, values: &Bound<'_, PyArrayDyn<i16>>) -> PyResult<String> {
    with_values(py, values, |values| format!("{:016x}", coefficients::digest(values)))
}

/// Values, an int16 array (..., 8, 8), times steps, a uint16 array (8, 8): int32 array of the shape of the values.
#[pyfunction]
pub fn dequantise<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyArrayDyn<i16>>,
    steps: &Bound<'py, PyArrayDyn<u16>>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = values.shape();
    if !shape.ends_with(&[8, 8]) || steps.shape() != [8, 8] {
        let steps = steps.shape();
        return Err(PyValueError::new_err(format!(
            "values are (..., 8, 8) and steps (8, 8), not {shape:?} and {steps:?}"
        )));
    }
    let steps: Vec<u16> = steps.call_method0("ravel")?.cast::<PyArray1<u16>>()?.to_vec()?;
    let steps: [u16; 64] = steps.try_into().map_err(|_| PyValueError::new_err("steps are 64"))?;
    let made = with_values(py, values, |values| coefficients::dequantise(values, &steps))?;
    array(py, shape, made)
}

/// Gives `work` the values as they are now, with the interpreter released.
fn with_values<R: Send>(
    py: Python<'_>,
    values: &Bound<'_, PyArrayDyn<i16>>,
    work: impl FnOnce(&[i16]) -> R + Send,
) -> PyResult<R> {
    let values = values.try_readonly()?;
    let values = values.as_slice().map_err(|_| PyValueError::new_err("values are not contiguous"))?;
    Ok(py.detach(|| work(values)))
}
