//! The Python module `jpegdct._jpegdct`: arguments to calls of the library, results to NumPy arrays.
//!
//! Nothing is computed here. All work is done with the interpreter released, no thread outlives a call, and no lock is
//! held that a fork could leave behind (see [`process`]). Errors become the classes of `jpegdct.errors`.

mod arrays;
mod batch;
mod coefficients;
mod corpus;
mod errors;
mod extractor;
mod options;
mod process;
mod recipe;
mod results;
mod signals;
mod source;

use std::ffi::OsString;

use pyo3::prelude::*;

/// The command: its arguments, the first of them its name, to its exit code.
#[pyfunction]
fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| jpegdct::cli::run(arguments))
}

#[pymodule(gil_used = false)]
fn _jpegdct(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<recipe::Recipe>()?;
    module.add_class::<extractor::Extractor>()?;
    module.add_function(wrap_pyfunction!(coefficients::read, module)?)?;
    module.add_function(wrap_pyfunction!(coefficients::digest, module)?)?;
    module.add_function(wrap_pyfunction!(corpus::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(corpus::stats, module)?)?;
    module.add_function(wrap_pyfunction!(corpus::verify, module)?)?;
    module.add_function(wrap_pyfunction!(command, module)?)?;
    Ok(())
}
