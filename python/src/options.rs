//! Keyword arguments that several functions take.

use jpegdct::reencode::{ReencodeOptions, Reencoder};
use jpegdct::{Damage, DecodeOptions, Limits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyMapping};

/// Limits by the names of their fields.
fn by_name(limits: &mut Limits) -> [(&'static str, &mut u64); 6] {
    [
        ("pixels", &mut limits.pixels),
        ("memory", &mut limits.memory),
        ("scans", &mut limits.scans),
        ("passes", &mut limits.passes),
        ("segments", &mut limits.segments),
        ("file_bytes", &mut limits.file_bytes),
    ]
}

/// Limits of a mapping, defaults where it says nothing.
pub fn limits(changes: Option<&Bound<'_, PyMapping>>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    let Some(changes) = changes else { return Ok(limits) };
    for item in changes.items()? {
        let (name, value): (String, u64) = item.extract()?;
        let mut fields = by_name(&mut limits);
        let names = fields.each_ref().map(|(name, _)| *name).join(", ");
        let field = fields.iter_mut().find(|(field, _)| *field == name);
        let unknown = || PyValueError::new_err(format!("no limit is named {name:?}; there are {names}"));
        *field.ok_or_else(unknown)?.1 = value;
    }
    Ok(limits)
}

/// Limits as [`limits`] takes them.
pub fn limits_dict<'py>(py: Python<'py>, limits: &Limits) -> PyResult<Bound<'py, PyDict>> {
    by_name(&mut limits.clone()).map(|(name, value)| (name, *value)).into_py_dict(py)
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
