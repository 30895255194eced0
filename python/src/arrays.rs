//! Tensors to NumPy arrays, without a copy: the array owns the memory that the tensor had.

use half::f16;
use jpegdct::{Tensor, Values};
use numpy::ndarray::{ArrayD, IxDyn};
use numpy::{Element, PyArrayDyn};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Values in an array of that shape.
pub fn array<'py, T: Element>(py: Python<'py>, shape: &[usize], values: Vec<T>) -> PyResult<Bound<'py, PyAny>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    Ok(PyArrayDyn::from_owned_array(py, array).into_any())
}

/// An array of `n` rows of zeros. One that is too large is a `MemoryError`.
pub fn rows<'py, T: Element>(py: Python<'py>, n: usize, row: &[usize]) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let shape = PyTuple::new(py, [&[n], row].concat())?;
    Ok(py.import("numpy")?.call_method1("zeros", (shape, T::get_dtype(py)))?.cast_into()?)
}

/// A tensor as an array.
pub fn tensor(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    let shape = &tensor.shape;
    match tensor.values {
        Values::F32(values) => array(py, shape, values),
        Values::F16(values) => array::<f16>(py, shape, values),
        Values::I16(values) => array(py, shape, values),
        Values::U16(values) => array(py, shape, values),
    }
}

/// The tensors of an image: one array, or a dictionary of them by name where the recipe makes several.
pub fn tensors(py: Python<'_>, extraction: Vec<Tensor>) -> PyResult<Bound<'_, PyAny>> {
    let mut all = extraction;
    if all.len() == 1 && all[0].name.is_empty() {
        return tensor(py, all.remove(0));
    }
    let dict = PyDict::new(py);
    for one in all {
        dict.set_item(one.name.clone(), tensor(py, one)?)?;
    }
    Ok(dict.into_any())
}
