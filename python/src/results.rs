//! What was decoded, to the classes of `jpegdct.results`: made in Python, they copy and pickle.

use jpegdct::corpus::Passage;
use jpegdct::markers::ImageInfo;
use jpegdct::{Extraction, Warning};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::{array, tensors};

/// An instance of a class, by its fields.
fn instance<'py>(class: &str, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    fields.py().import("jpegdct.results")?.getattr(class)?.call((), Some(fields))
}

/// A `Coefficients`. Its arrays own the memory of the planes.
pub fn coefficients(py: Python<'_>, decoded: jpegdct::Coefficients) -> PyResult<Bound<'_, PyAny>> {
    let fields = image(py, &decoded.info, decoded.warnings.iter())?;
    fields.set_item("restart_interval", decoded.info.restart_interval)?;
    fields.set_item("scans", decoded.scans)?;
    let color = decoded.info.color;
    let planes = decoded.planes.into_iter().enumerate().map(|(c, found)| plane(py, color.component_name(c), found));
    fields.set_item("planes", PyTuple::new(py, planes.collect::<PyResult<Vec<_>>>()?)?)?;
    instance("Coefficients", &fields)
}

fn plane(py: Python<'_>, name: String, plane: jpegdct::Plane) -> PyResult<Bound<'_, PyAny>> {
    let c = &plane.component;
    let shape = [c.blocks_high as usize, c.blocks_wide as usize, 8, 8];
    let table = plane.quant_table.map(|table| array(py, &[8, 8], table.row_major().to_vec())).transpose()?;
    let fields = PyDict::new(py);
    fields.set_item("name", name)?;
    fields.set_item("id", c.id)?;
    fields.set_item("h", c.h)?;
    fields.set_item("v", c.v)?;
    fields.set_item("width", c.width)?;
    fields.set_item("height", c.height)?;
    fields.set_item("values", array(py, &shape, plane.values)?)?;
    fields.set_item("quant_table", table)?;
    instance("Plane", &fields)
}

/// An `Extraction`. Its arrays own the memory of the tensors.
pub fn extraction(py: Python<'_>, made: Extraction, passage: Passage) -> PyResult<Bound<'_, PyAny>> {
    let summary = &made.summary;
    let fields = image(py, &summary.info, passage.warnings.iter().chain(&summary.warnings))?;
    fields.set_item("tensor", tensors(py, made.tensors)?)?;
    fields.set_item("saturated", made.saturated)?;
    fields.set_item("format", passage.format)?;
    fields.set_item("reencoded", passage.reencoded)?;
    instance("Extraction", &fields)
}

/// The fields that both have.
fn image<'py, 'a>(
    py: Python<'py>,
    info: &ImageInfo,
    warnings: impl Iterator<Item = &'a Warning>,
) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("width", info.frame.width)?;
    fields.set_item("height", info.frame.height)?;
    fields.set_item("precision", info.frame.precision)?;
    fields.set_item("process", info.frame.process.name())?;
    fields.set_item("color", info.color.name())?;
    fields.set_item("orientation", info.orientation)?;
    let warnings = warnings.map(|found| warning(py, found)).collect::<PyResult<Vec<_>>>()?;
    fields.set_item("warnings", PyTuple::new(py, warnings)?)?;
    Ok(fields)
}

fn warning<'py>(py: Python<'py>, warning: &Warning) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("offset", warning.offset)?;
    fields.set_item("message", warning.kind.to_string())?;
    fields.set_item("is_damage", warning.is_damage())?;
    instance("Warning", &fields)
}
