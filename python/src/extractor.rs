//! `jpegdct.Extractor`: images to arrays.

use jpegdct::corpus::Passage;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyType};

use crate::arrays;
use crate::batch::Batch;
use crate::errors;
use crate::options;
use crate::process::Process;
use crate::recipe::{self, Recipe};
use crate::results;
use crate::source::Source;

/// Makes tensors of images by one recipe.
///
/// ``Extractor(recipe="native-24", damaged="refuse", reencode=True, limits=None)``: ``recipe`` is a Recipe, or what its
/// constructor takes. ``damaged="keep"`` keeps what a damaged file still holds. ``reencode=False`` refuses what is no JPEG, and
/// CMYK. ``limits`` as in ``read``.
///
/// ``extractor(source, *, key=None, on_error="raise")`` gives the tensor of one image: an array of the recipe's type and layout,
/// (C, H, W) in blocks unless told otherwise; for the kinds ``planes`` and ``quantised`` a dict of arrays by component.
/// ``source`` is a path, bytes, a buffer or a binary file. ``key`` names the image where the recipe has random steps: equal
/// bytes, recipe and key give equal tensors; a path is its own key unless one is given. ``on_error="none"`` gives None
/// for an image that fails.
///
/// Any number of threads may share one; it pickles, and is safe after a fork.
#[pyclass(frozen, module = "jpegdct")]
pub struct Extractor {
    process: Process,
}

impl Extractor {
    fn process(&self, py: Python<'_>) -> PyResult<&Process> {
        self.process.current().map_err(|error| errors::from_recipe_error(py, &error))
    }

    fn extraction(&self, source: &Bound<'_, PyAny>, key: Option<&str>) -> PyResult<(jpegdct::Extraction, Passage)> {
        let py = source.py();
        let process = self.process(py)?;
        let source = Source::of(source, process.extractor().options().limits.file_bytes)?;
        let feed = source.feed();
        let work = || {
            let (mut buffers, mut passage) = (process.take(), Passage::default());
            let made = process.extract(feed, key, &mut buffers, &mut passage, None);
            process.give(buffers);
            made.map(|extraction| (extraction, passage))
        };
        py.detach(work).map_err(|error| errors::from_error(py, &error, feed.path().as_deref()))
    }
}

#[pymethods]
impl Extractor {
    #[new]
    #[pyo3(signature = (recipe = None, damaged = "refuse", reencode = true, limits = None))]
    fn new(
        py: Python<'_>,
        recipe: Option<&Bound<'_, PyAny>>,
        damaged: &str,
        reencode: bool,
        limits: Option<&Bound<'_, PyMapping>>,
    ) -> PyResult<Extractor> {
        let recipe = match recipe {
            Some(recipe) => recipe::of(recipe)?,
            None => jpegdct::Recipe::preset("native-24").unwrap_or_default(),
        };
        let limits = options::limits(limits)?;
        let reencoder = reencode.then(|| options::reencoder(limits));
        let process = Process::new(recipe, options::decode(damaged, limits)?, reencoder);
        let process = process.map_err(|error| errors::from_recipe_error(py, &error))?;
        Ok(Extractor { process })
    }

    #[pyo3(signature = (source, *, key = None, on_error = "raise"))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        key: Option<&str>,
        on_error: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let raises = options::raises(on_error)?;
        match self.extraction(source, key) {
            Ok((extraction, _)) => arrays::tensors(py, extraction.tensors).map(Some),
            Err(error) if raises || !errors::is_of_an_image(py, &error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// As calling it, with what was found on the way: an Extraction.
    #[pyo3(signature = (source, *, key = None))]
    fn extract<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (extraction, passage) = self.extraction(source, key)?;
        results::extraction(py, extraction, passage)
    }

    /// The tensors of many images, on ``threads`` threads (default: as many as the machine runs at once).
    ///
    /// ``sources``: a sequence of what a call takes; ``keys``: as many strings. An array (N, C, H, W), one row an image, if all
    /// tensors have one shape; else a list of N arrays. With ``out``, a C-contiguous array (N, C, H, W) of the recipe's
    /// type, the tensors are made there and ``out`` is returned. Kinds of several tensors give a list of dicts.
    ///
    /// ``on_error="raise"`` raises for the first image that fails; the exception's ``index`` says which, and ``out`` may be
    /// written in part. ``on_error="none"`` always gives a list of N: arrays (views of rows), and None for images that fail;
    /// the rows of ``out`` for these become zero.
    #[pyo3(signature = (sources, *, keys = None, threads = None, out = None, on_error = "raise"))]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        keys: Option<Vec<String>>,
        threads: Option<usize>,
        out: Option<&Bound<'py, PyAny>>,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let process = self.process(py)?;
        let limit = process.extractor().options().limits.file_bytes;
        let sources = sources.try_iter()?.map(|source| Source::of(&source?, limit)).collect::<PyResult<Vec<_>>>()?;
        if let Some(keys) = keys.as_ref().filter(|keys| keys.len() != sources.len()) {
            return Err(PyValueError::new_err(format!("{} keys for {} images", keys.len(), sources.len())));
        }
        if threads == Some(0) {
            return Err(PyValueError::new_err("threads is 1 or more"));
        }
        let batch = Batch {
            process,
            feeds: sources.iter().map(Source::feed).collect(),
            keys: keys.as_deref(),
            threads: jpegdct::corpus::threads_or_all(threads).min(sources.len()).max(1),
            raises: options::raises(on_error)?,
        };
        batch.run(py, out)
    }

    /// The recipe.
    #[getter]
    fn recipe(&self) -> Recipe {
        Recipe { inner: self.process.extractor().recipe().clone() }
    }

    /// ``refuse`` or ``keep``.
    #[getter]
    fn damaged(&self) -> &'static str {
        match self.process.extractor().options().damage {
            jpegdct::Damage::Refuse => "refuse",
            jpegdct::Damage::Keep => "keep",
        }
    }

    /// Whether what is no JPEG is re-encoded as one.
    #[getter]
    fn reencode(&self) -> bool {
        self.process.reencoder().is_some()
    }

    /// What one image may cost, by name.
    #[getter]
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        options::limits_dict(py, &self.process.extractor().options().limits)
    }

    #[allow(clippy::type_complexity)]
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, (Recipe, &'static str, bool, Bound<'py, PyDict>))> {
        let this = slf.get();
        Ok((slf.get_type(), (this.recipe(), this.damaged(), this.reencode(), this.limits(slf.py())?)))
    }

    fn __repr__(&self) -> String {
        format!("<Extractor of {}>", self.recipe().__repr__())
    }
}
