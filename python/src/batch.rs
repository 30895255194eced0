//! Many images at once, on threads that end with the call.
//!
//! The calling thread takes part, and looks for signals between two images: an interrupt ends the batch. Images are handed
//! out in order, so when one fails all before it have been tried, and the first failure is the same for any number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use half::f16;
use jpegdct::corpus::{Buffers, Passage};
use jpegdct::recipe::Kind;
use jpegdct::{Dtype, Error, Tensor, Values};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrays;
use crate::errors;
use crate::process::Process;
use crate::signals::Signals;
use crate::source::Feed;

/// A batch that is ready to run.
pub struct Batch<'a> {
    pub process: &'a Process,
    pub feeds: Vec<Feed<'a>>,
    pub keys: Option<&'a [String]>,
    /// 1 or more.
    pub threads: usize,
    /// Whether a failure ends the batch.
    pub raises: bool,
}

/// Why an image has no row.
enum Failure {
    Image(Error),
    /// The tensor has this shape, a row another.
    Shape(Vec<usize>),
}

/// The failures of a batch, by place.
#[derive(Default)]
struct Failures {
    found: Mutex<BTreeMap<usize, Failure>>,
    stop: AtomicBool,
}

/// An element type of tensors.
trait Value: Element + Copy {
    fn of(values: &Values) -> Option<&[Self]>;
}

impl Value for f32 {
    fn of(values: &Values) -> Option<&[f32]> {
        if let Values::F32(values) = values { Some(values) } else { None }
    }
}

impl Value for f16 {
    fn of(values: &Values) -> Option<&[f16]> {
        if let Values::F16(values) = values { Some(values) } else { None }
    }
}

impl Value for i16 {
    fn of(values: &Values) -> Option<&[i16]> {
        if let Values::I16(values) = values { Some(values) } else { None }
    }
}

impl Batch<'_> {
    /// Runs it.
    pub fn run<'py>(&self, py: Python<'py>, out: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match self.process.extractor().recipe().dtype {
            Dtype::F32 => self.run_as::<f32>(py, out),
            Dtype::F16 => self.run_as::<f16>(py, out),
            Dtype::I16 => self.run_as::<i16>(py, out),
        }
    }

    fn run_as<'py, T: Value>(&self, py: Python<'py>, out: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let recipe = self.process.extractor().recipe();
        let array = match out {
            Some(_) if recipe.kind != Kind::Channels => {
                return Err(PyValueError::new_err("out is for recipes of one tensor an image"));
            }
            Some(out) => Some(self.check_out::<T>(out)?),
            None => recipe.fixed_shape().map(|row| arrays::rows::<T>(py, self.feeds.len(), &row)).transpose()?,
        };
        match array {
            Some(array) => {
                let failures = self.fill(py, &array)?;
                self.rows(py, array.as_any(), failures)
            }
            None => self.collect::<T>(py),
        }
    }

    fn check_out<'py, T: Value>(&self, out: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
        let array = out.cast::<PyArrayDyn<T>>().map_err(|_| {
            let dtype = self.process.extractor().recipe().dtype.name();
            PyTypeError::new_err(format!("out must be an array of the recipe's type, {dtype}"))
        })?;
        if array.ndim() == 0 || array.shape()[0] != self.feeds.len() || !array.is_c_contiguous() {
            let (shape, n) = (array.shape(), self.feeds.len());
            return Err(PyValueError::new_err(format!(
                "out must be C-contiguous with one row an image: its shape is {shape:?}, there are {n} images"
            )));
        }
        Ok(array.clone())
    }

    fn extract(&self, place: usize, buffers: &mut Buffers) -> jpegdct::Result<jpegdct::Extraction> {
        let key = self.keys.map(|keys| keys[place].as_str());
        self.process.extract(self.feeds[place], key, buffers, &mut Passage::default())
    }

    /// Writes every image's tensor to its row.
    fn fill<T: Value>(&self, py: Python<'_>, array: &Bound<'_, PyArrayDyn<T>>) -> PyResult<Failures> {
        let failures = Failures::default();
        let row_shape = array.shape()[1..].to_vec();
        let row_len = row_shape.iter().product::<usize>().max(1);
        let mut borrowed = array.try_readwrite().map_err(|e| PyValueError::new_err(format!("out: {e}")))?;
        let values = borrowed.as_slice_mut().map_err(|e| PyValueError::new_err(format!("out: {e}")))?;
        let work = |buffers: &mut Buffers, (place, row): (usize, &mut [T])| match self.extract(place, buffers) {
            Ok(extraction) => {
                match arrays::only(&extraction).filter(|tensor| tensor.shape == row_shape) {
                    Some(tensor) => {
                        if let Some(values) = T::of(&tensor.values) {
                            row.copy_from_slice(values);
                        }
                    }
                    None => {
                        let shape = extraction.tensors.first().map(|tensor| tensor.shape.clone());
                        self.fails(&failures, place, Failure::Shape(shape.unwrap_or_default()));
                    }
                }
                buffers.recycle(extraction);
            }
            Err(error) => self.fails(&failures, place, Failure::Image(error)),
        };
        self.parallel(py, values.chunks_exact_mut(row_len).enumerate().take(self.feeds.len()), work, &failures)?;
        Ok(failures)
    }

    /// Every image's own tensors; one array if they have one shape.
    fn collect<'py, T: Value>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let failures = Failures::default();
        let made: Mutex<BTreeMap<usize, Vec<Tensor>>> = Mutex::default();
        let work = |buffers: &mut Buffers, place: usize| match self.extract(place, buffers) {
            Ok(extraction) => {
                made.lock().unwrap_or_else(PoisonError::into_inner).insert(place, extraction.tensors);
            }
            Err(error) => self.fails(&failures, place, Failure::Image(error)),
        };
        self.parallel(py, 0..self.feeds.len(), work, &failures)?;
        self.raise(py, &failures)?;
        let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_stack = self.raises
            && self.process.extractor().recipe().kind == Kind::Channels
            && made.values().next().is_some_and(|first| made.values().all(|other| other[0].shape == first[0].shape));
        if is_stack && let Some(first) = made.values().next() {
            let array = arrays::rows::<T>(py, made.len(), &first[0].shape)?;
            {
                let mut borrowed = array.readwrite();
                let rows = borrowed.as_slice_mut().map_err(|e| PyValueError::new_err(e.to_string()))?;
                let row_len = first[0].values.len().max(1);
                let jobs = made.into_values().zip(rows.chunks_exact_mut(row_len));
                let copy = |_: &mut Buffers, (tensors, row): (Vec<Tensor>, &mut [T])| {
                    if let Some(values) = tensors.first().and_then(|tensor| T::of(&tensor.values)) {
                        row.copy_from_slice(values);
                    }
                };
                self.parallel(py, jobs, copy, &failures)?;
            }
            return Ok(array.into_any());
        }
        let list = PyList::empty(py);
        for place in 0..self.feeds.len() {
            match made.remove(&place) {
                Some(tensors) => list.append(arrays::tensors(py, tensors)?)?,
                None => list.append(py.None())?,
            }
        }
        Ok(list.into_any())
    }

    /// Does all jobs; `work` must not fail but by a panic.
    fn parallel<J: Send>(
        &self,
        py: Python<'_>,
        jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(&mut Buffers, J) + Sync,
        failures: &Failures,
    ) -> PyResult<()> {
        let (jobs, signals) = (Mutex::new(jobs), Signals::new());
        let stop = &failures.stop;
        let one = |is_caller: bool| {
            let mut buffers = self.process.take();
            while !stop.load(Ordering::Relaxed) {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(job) = job else { break };
                work(&mut buffers, job);
                if is_caller && signals.is_raised() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            self.process.give(buffers);
        };
        py.detach(|| {
            std::thread::scope(|scope| {
                for number in 1..self.threads {
                    let thread = std::thread::Builder::new().name(format!("jpegdct-{number}"));
                    // Fewer threads do the same work.
                    if thread.spawn_scoped(scope, || one(false)).is_err() {
                        break;
                    }
                }
                one(true);
            });
        });
        signals.result()
    }

    fn fails(&self, failures: &Failures, place: usize, failure: Failure) {
        failures.found.lock().unwrap_or_else(PoisonError::into_inner).insert(place, failure);
        if self.raises {
            failures.stop.store(true, Ordering::Relaxed);
        }
    }

    /// The array, or with `on_error="none"` a list of its rows.
    fn rows<'py>(&self, py: Python<'py>, array: &Bound<'py, PyAny>, failures: Failures) -> PyResult<Bound<'py, PyAny>> {
        self.raise(py, &failures)?;
        if self.raises {
            return Ok(array.clone());
        }
        let found = failures.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let list = PyList::empty(py);
        for place in 0..self.feeds.len() {
            match found.get(&place) {
                None => list.append(array.get_item(place)?)?,
                // A row that does not fit is a mistake of the caller, not of an image.
                Some(failure @ Failure::Shape(_)) => return Err(self.error(py, place, failure)),
                Some(Failure::Image(_)) => list.append(py.None())?,
            }
        }
        Ok(list.into_any())
    }

    /// The first failure, if failures are raised.
    fn raise(&self, py: Python<'_>, failures: &Failures) -> PyResult<()> {
        let found = failures.found.lock().unwrap_or_else(PoisonError::into_inner);
        match found.first_key_value() {
            Some((&place, failure)) if self.raises => Err(self.error(py, place, failure)),
            _ => Ok(()),
        }
    }

    fn error(&self, py: Python<'_>, place: usize, failure: &Failure) -> PyErr {
        let error = match failure {
            Failure::Image(error) => errors::from_error(py, error, self.feeds[place].path().as_deref()),
            Failure::Shape(shape) => {
                PyValueError::new_err(format!("the tensor of image {place} has shape {shape:?}, a row of out another"))
            }
        };
        // An exception whose class takes no attributes goes without.
        let _ = error.value(py).setattr("index", place);
        error
    }
}
