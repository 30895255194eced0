//! Many images at once, on threads that end with the call.
//!
//! The calling thread takes part, and looks for signals between two images: an interrupt ends the batch. Images are handed
//! out in order, so when one fails all before it have been tried, and the first failure is the same for any number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use half::f16;
use jpegdct::corpus::{Buffers, Passage};
use jpegdct::error::Mismatch;
use jpegdct::recipe::Kind;
use jpegdct::{Dtype, Error, Tensor, TensorMut, Values, ValuesMut};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
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
    Shape([usize; 3]),
}

/// The failures of a batch, by place.
#[derive(Default)]
struct Failures {
    found: Mutex<BTreeMap<usize, Failure>>,
    stop: AtomicBool,
}

/// Images of one shape that make it likely of the others: rows for all cost more than they save where they are not used.
const TELLING: usize = 4;

/// The tensors of images that have no row, by place.
type Made = BTreeMap<usize, Vec<Tensor>>;

/// An element type of tensors.
trait Value: Element + Copy + Default {
    fn of(values: &Values) -> Option<&[Self]>;
    fn within(memory: &mut [Self]) -> ValuesMut<'_>;
}

impl Value for f32 {
    fn of(values: &Values) -> Option<&[f32]> {
        if let Values::F32(values) = values { Some(values) } else { None }
    }

    fn within(memory: &mut [f32]) -> ValuesMut<'_> {
        ValuesMut::F32(memory)
    }
}

impl Value for f16 {
    fn of(values: &Values) -> Option<&[f16]> {
        if let Values::F16(values) = values { Some(values) } else { None }
    }

    fn within(memory: &mut [f16]) -> ValuesMut<'_> {
        ValuesMut::F16(memory)
    }
}

impl Value for i16 {
    fn of(values: &Values) -> Option<&[i16]> {
        if let Values::I16(values) = values { Some(values) } else { None }
    }

    fn within(memory: &mut [i16]) -> ValuesMut<'_> {
        ValuesMut::I16(memory)
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
                let failures = Failures::default();
                self.fill(py, &array, 0, &failures, None)?;
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
        let (shape, n) = (array.shape(), self.feeds.len());
        if shape.len() != 4 || shape[0] != n || shape[1..].contains(&0) || !array.is_c_contiguous() {
            return Err(PyValueError::new_err(format!(
                "out must be C-contiguous, of four axes, with one row an image: its shape is {shape:?}, there are {n} images"
            )));
        }
        Ok(array.clone())
    }

    fn extract(
        &self,
        place: usize,
        buffers: &mut Buffers,
        memory: Option<TensorMut<'_>>,
    ) -> jpegdct::Result<jpegdct::Extraction> {
        let key = self.keys.map(|keys| keys[place].as_str());
        self.process.extract(self.feeds[place], key, buffers, &mut Passage::default(), memory)
    }

    /// Makes the tensors of an image in memory of their own.
    fn make(&self, place: usize, buffers: &mut Buffers, made: &Mutex<Made>, failures: &Failures) {
        match self.extract(place, buffers, None) {
            Ok(extraction) => {
                made.lock().unwrap_or_else(PoisonError::into_inner).insert(place, extraction.tensors);
            }
            Err(error) => self.fails(failures, place, Failure::Image(error)),
        }
    }

    /// Makes the tensors of the images from number `first` on in their rows. A tensor of another shape, and what follows it,
    /// is one of `others`, or without them a failure. The row of an image that fails becomes zero.
    fn fill<T: Value>(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyArrayDyn<T>>,
        first: usize,
        failures: &Failures,
        others: Option<&Mutex<Made>>,
    ) -> PyResult<()> {
        let &[_, a, b, c] = array.shape() else { return Err(PyValueError::new_err("rows have three axes")) };
        let shape = [a, b, c];
        let mut borrowed = array.try_readwrite().map_err(|e| PyValueError::new_err(format!("out: {e}")))?;
        let values = borrowed.as_slice_mut().map_err(|e| PyValueError::new_err(format!("out: {e}")))?;
        // Where one has another shape more are likely to, and a row that does not fit is found by its headers, in vain.
        let is_ragged = AtomicBool::new(false);
        let work = |buffers: &mut Buffers, (place, row): (usize, &mut [T])| {
            if let (true, Some(made)) = (is_ragged.load(Ordering::Relaxed), others) {
                return self.make(place, buffers, made, failures);
            }
            let memory = TensorMut { shape, values: T::within(row) };
            match (self.extract(place, buffers, Some(memory)), others) {
                (Ok(_), _) => {}
                (Err(Error::Mismatch(Mismatch::Shape { .. })), Some(made)) => {
                    is_ragged.store(true, Ordering::Relaxed);
                    self.make(place, buffers, made, failures);
                }
                (Err(Error::Mismatch(Mismatch::Shape { tensor, .. })), None) => {
                    self.fails(failures, place, Failure::Shape(tensor));
                }
                (Err(error), _) => {
                    row.fill(T::default());
                    self.fails(failures, place, Failure::Image(error));
                }
            }
        };
        let rows = values.chunks_exact_mut(shape.iter().product::<usize>().max(1));
        self.parallel(py, rows.enumerate().skip(first), work, failures)
    }

    /// Every image's own tensors; one array if they have one shape.
    ///
    /// Which it is shows only when all are made. The first images are made apart; if they have one shape, rows of it are
    /// likely to suit the others, which then need no copy.
    fn collect<'py, T: Value>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (failures, made, n) = (Failures::default(), Mutex::<Made>::default(), self.feeds.len());
        let is_stack = self.raises && self.process.extractor().recipe().kind == Kind::Channels;
        let first = if is_stack { self.threads.max(TELLING).min(n) } else { n };
        let own = |buffers: &mut Buffers, place: usize| self.make(place, buffers, &made, &failures);
        self.parallel(py, 0..first, own, &failures)?;
        self.raise(py, &failures)?;
        let stack = || match is_stack {
            true => stack::<T>(py, n, &mut made.lock().unwrap_or_else(PoisonError::into_inner)),
            false => Ok(None),
        };
        let mut array = match stack() {
            // Rows of this shape for all may be too much where the others are smaller.
            Err(error) if error.is_instance_of::<PyMemoryError>(py) => None,
            array => array?,
        };
        match &array {
            Some(array) => self.fill(py, array, first, &failures, Some(&made))?,
            None => self.parallel(py, first..n, own, &failures)?,
        }
        self.raise(py, &failures)?;
        if array.is_none() {
            array = stack()?;
        }
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_empty()
            && let Some(array) = array
        {
            return Ok(array.into_any());
        }
        let list = PyList::empty(py);
        for place in 0..n {
            match (made.remove(&place), &array) {
                (Some(tensors), _) => list.append(arrays::tensors(py, tensors)?)?,
                // Memory of its own, so that one array does not keep that of all.
                (None, Some(array)) => list.append(array.get_item(place)?.call_method0("copy")?)?,
                (None, None) => list.append(py.None())?,
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

/// `n` rows of the one shape that these tensors have, which move there; `None` if they have several, or there are none.
fn stack<'py, T: Value>(py: Python<'py>, n: usize, made: &mut Made) -> PyResult<Option<Bound<'py, PyArrayDyn<T>>>> {
    let mut shapes = made.values().filter_map(|tensors| tensors.first()).map(|tensor| &tensor.shape);
    let Some(shape) = shapes.next() else { return Ok(None) };
    if shapes.any(|other| other != shape) {
        return Ok(None);
    }
    let len = shape.iter().product::<usize>().max(1);
    let array = arrays::rows::<T>(py, n, shape)?;
    {
        let mut borrowed = array.readwrite();
        let values = borrowed.as_slice_mut().map_err(|e| PyValueError::new_err(e.to_string()))?;
        for (place, tensors) in std::mem::take(made) {
            let values = values.chunks_exact_mut(len).nth(place).zip(tensors.first().and_then(|t| T::of(&t.values)));
            if let Some((row, values)) = values {
                row.copy_from_slice(values);
            }
        }
    }
    Ok(Some(array))
}
