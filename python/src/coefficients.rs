//! `jpegdct.read`: the quantised coefficients of a file.

use jpegdct::coefficients::{dequantise, digest};
use jpegdct::{Error, Scratch};
use numpy::{PyArray4, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::array;
use crate::errors;
use crate::options;
use crate::source::Source;

/// Something odd that decoding survived.
///
/// Attributes: ``offset`` (byte offset in the file), ``message``, ``is_damage`` (whether coefficients may be lost or wrong).
#[pyclass(frozen, get_all, module = "jpegdct")]
pub struct Warning {
    offset: u64,
    message: String,
    is_damage: bool,
}

impl From<&jpegdct::Warning> for Warning {
    fn from(warning: &jpegdct::Warning) -> Warning {
        Warning { offset: warning.offset, message: warning.kind.to_string(), is_damage: warning.is_damage() }
    }
}

#[pymethods]
impl Warning {
    fn __str__(&self) -> String {
        format!("byte {}: {}", self.offset, self.message)
    }

    fn __repr__(&self) -> String {
        format!("<Warning {}{}>", self.__str__(), if self.is_damage { " (damage)" } else { "" })
    }
}

/// A tuple of warnings.
pub fn warnings<'a>(py: Python<'_>, found: impl IntoIterator<Item = &'a jpegdct::Warning>) -> PyResult<Py<PyTuple>> {
    let list = found.into_iter().map(|warning| Py::new(py, Warning::from(warning))).collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, list)?.unbind())
}

/// The quantised coefficients of one component.
///
/// Attributes: ``values`` (int16 array of shape (block rows, block columns, 8, 8): vertical, then horizontal frequency),
/// ``quant_table`` (uint16 array (8, 8), or None if the file defines none), ``name`` (``y``, ``cb``, ...), ``id``, sampling
/// factors ``h`` and ``v``, ``width`` and ``height`` in samples, ``blocks_wide`` and ``blocks_high``.
#[pyclass(frozen, get_all, module = "jpegdct")]
pub struct Plane {
    name: String,
    id: u8,
    h: u8,
    v: u8,
    width: u32,
    height: u32,
    blocks_wide: u32,
    blocks_high: u32,
    values: Py<PyAny>,
    quant_table: Option<Py<PyAny>>,
}

impl Plane {
    fn new(py: Python<'_>, name: String, plane: jpegdct::Plane) -> PyResult<Plane> {
        let c = &plane.component;
        let shape = [c.blocks_high as usize, c.blocks_wide as usize, 8, 8];
        let table = plane.quant_table.map(|table| array(py, &[8, 8], table.row_major().to_vec())).transpose()?;
        Ok(Plane {
            name,
            id: c.id,
            h: c.h,
            v: c.v,
            width: c.width,
            height: c.height,
            blocks_wide: c.blocks_wide,
            blocks_high: c.blocks_high,
            values: array(py, &shape, plane.values)?.unbind(),
            quant_table: table.map(Bound::unbind),
        })
    }

    /// Gives `work` the values as they are now, with the interpreter released.
    fn with_values<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&[i16]) -> R + Send) -> PyResult<R> {
        let array = self.values.bind(py).cast::<PyArray4<i16>>()?.try_readonly()?;
        let values = array.as_slice().map_err(|_| PyValueError::new_err("values is no longer contiguous"))?;
        Ok(py.detach(|| work(values)))
    }
}

#[pymethods]
impl Plane {
    /// Coefficients times quantisation steps: int32 array of shape (block rows, block columns, 8, 8), units of an orthonormal
    /// DCT of (sample - 128). ValueError if the file defines no table.
    fn dequantised<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(table) = &self.quant_table else {
            return Err(PyValueError::new_err(format!("component {} has no quantisation table", self.name)));
        };
        let steps: Vec<u16> = table.bind(py).call_method0("ravel")?.call_method0("tolist")?.extract()?;
        let steps: [u16; 64] =
            steps.try_into().map_err(|_| PyValueError::new_err("quant_table no longer has 64 steps"))?;
        let values = self.with_values(py, |values| dequantise(values, &steps))?;
        array(py, &[self.blocks_high as usize, self.blocks_wide as usize, 8, 8], values)
    }

    /// Fingerprint of the quantised coefficients, 16 hex digits: the same after any lossless transcode. FNV-1a 64 over the
    /// values as little-endian int16.
    #[getter]
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.with_values(py, |values| format!("{:016x}", digest(values)))
    }

    fn __repr__(&self) -> String {
        format!(
            "<Plane {} (id {}): {} x {} blocks, sampling {}x{}>",
            self.name, self.id, self.blocks_wide, self.blocks_high, self.h, self.v
        )
    }
}

/// The quantised coefficients of one image.
///
/// Attributes: ``planes`` (tuple of Plane, in frame order; also by index and iteration), ``width`` and ``height`` in pixels as
/// stored, ``precision`` (bits a sample), ``process``, ``color``, ``orientation`` (EXIF, 1..8), ``restart_interval``,
/// ``scans``, ``warnings`` (tuple of Warning), ``is_damaged``.
#[pyclass(frozen, get_all, module = "jpegdct")]
pub struct Coefficients {
    width: u32,
    height: u32,
    precision: u8,
    process: &'static str,
    color: &'static str,
    orientation: u8,
    restart_interval: u16,
    scans: u32,
    is_damaged: bool,
    warnings: Py<PyTuple>,
    planes: Py<PyTuple>,
}

impl Coefficients {
    fn new(py: Python<'_>, decoded: jpegdct::Coefficients) -> PyResult<Coefficients> {
        let is_damaged = decoded.is_damaged();
        let info = &decoded.info;
        let planes = decoded.planes.into_iter().enumerate().map(|(index, plane)| {
            let plane = Plane::new(py, info.color.component_name(index), plane)?;
            Py::new(py, plane)
        });
        Ok(Coefficients {
            width: info.frame.width,
            height: info.frame.height,
            precision: info.frame.precision,
            process: info.frame.process.name(),
            color: info.color.name(),
            orientation: info.orientation,
            restart_interval: info.restart_interval,
            scans: decoded.scans,
            is_damaged,
            warnings: warnings(py, &decoded.warnings)?,
            planes: PyTuple::new(py, planes.collect::<PyResult<Vec<_>>>()?)?.unbind(),
        })
    }
}

#[pymethods]
impl Coefficients {
    /// Dequantised coefficients of every plane, see Plane.dequantised.
    fn dequantised<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.planes.bind(py).iter().map(|plane| plane.call_method0("dequantised")).collect()
    }

    /// The digest of every plane, see Plane.digest: a tuple of strings.
    #[getter]
    fn digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let digests = self.planes.bind(py).iter().map(|plane| plane.getattr("digest"));
        PyTuple::new(py, digests.collect::<PyResult<Vec<_>>>()?)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.planes.bind(py).len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.planes.bind(py).as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.planes.bind(py).try_iter()?.into_any())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let planes = self.planes.bind(py).len();
        let damaged = if self.is_damaged { ", damaged" } else { "" };
        format!(
            "<Coefficients {} x {} {}, {planes} planes, {}{damaged}>",
            self.width, self.height, self.color, self.process
        )
    }
}

/// Reads the quantised coefficients of a JPEG: a path, bytes, a buffer or a binary file.
///
/// ``damaged``: ``"refuse"`` raises DamagedError where the data after a good header is damaged, ``"keep"`` keeps what was
/// decoded, zeros elsewhere, with warnings. ``limits`` changes what one image may cost: a mapping of ``pixels``, ``memory``,
/// ``scans``, ``passes``, ``segments``, ``file_bytes``.
///
/// Raises a JpegError, or OSError where a file cannot be read.
#[pyfunction]
#[pyo3(signature = (source, *, damaged = "refuse", limits = None))]
pub fn read(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    damaged: &str,
    limits: Option<&Bound<'_, PyDict>>,
) -> PyResult<Coefficients> {
    let options = options::decode(damaged, options::limits(limits)?)?;
    let source = Source::of(source, options.limits.file_bytes)?;
    let feed = source.feed();
    let decode = || -> Result<jpegdct::Coefficients, Error> {
        let bytes = feed.read(&options.limits)?;
        jpegdct::Coefficients::decode_with(&bytes, &options, &mut Scratch::default())
    };
    let decoded = py.detach(decode).map_err(|error| errors::from_error(py, &error, feed.path().as_deref()))?;
    Coefficients::new(py, decoded)
}
