//! Keyword arguments that several functions take.

use jpegdct::reencode::{ReencodeOptions, Reencoder};
use jpegdct::{Damage, DecodeOptions, Limits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Limits by the names of their fields, defaults where nothing is said.
pub fn limits(changes: Option<&Bound<'_, PyDict>>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in changes.into_iter().flatten() {
        let name: String = name.extract()?;
        let field = match name.as_str() {
            "pixels" => &mut limits.pixels,
            "memory" => &mut limits.memory,
            "scans" => &mut limits.scans,
            "passes" => &mut limits.passes,
            "segments" => &mut limits.segments,
            "file_bytes" => &mut limits.file_bytes,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "no limit is named {name:?}; there are pixels, memory, scans, passes, segments and file_bytes"
                )));
            }
        };
        *field = value.extract()?;
    }
    Ok(limits)
}

/// Limits as [`limits`] takes them.
pub fn limits_dict<'py>(py: Python<'py>, limits: &Limits) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in [
        ("pixels", limits.pixels),
        ("memory", limits.memory),
        ("scans", limits.scans),
        ("passes", limits.passes),
        ("segments", limits.segments),
        ("file_bytes", limits.file_bytes),
    ] {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

/// What becomes of damaged images: `refuse` or `keep`.
pub fn decode(damaged: &str, limits: Limits) -> PyResult<DecodeOptions> {
    match damaged {
        "refuse" => Ok(decode_options(limits, Damage::Refuse)),
        "keep" => Ok(decode_options(limits, Damage::Keep)),
        _ => Err(PyValueError::new_err(format!("damaged is 'refuse' or 'keep', not {damaged:?}"))),
    }
}

/// Options of the decoder.
pub fn decode_options(limits: Limits, damage: Damage) -> DecodeOptions {
    let mut options = DecodeOptions::default();
    (options.limits, options.damage) = (limits, damage);
    options
}

/// What makes JPEGs of other images, as the command does unless told otherwise.
pub fn reencoder(limits: Limits) -> Reencoder {
    let mut options = ReencodeOptions::default();
    options.limits = limits;
    Reencoder(options)
}

/// Whether a failure is an exception.
pub fn raises(on_error: &str) -> PyResult<bool> {
    match on_error {
        "raise" => Ok(true),
        "none" => Ok(false),
        _ => Err(PyValueError::new_err(format!("on_error is 'raise' or 'none', not {on_error:?}"))),
    }
}
