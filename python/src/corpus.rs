//! `inspect`, `stats` and `verify`: what the commands of these names say, as data.

use std::ops::ControlFlow;

use jpegdct::corpus::{self, Convert, Definition, Inspection, Maker};
use jpegdct::verify::{DEFAULT_TOLERANCE, ImageLine, Summary, SummaryLine, Verifier, verify_all};
use jpegdct::{Damage, Extractor, Scratch};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyMapping;
use serde::Serialize;
use serde_json::Value;

use crate::errors;
use crate::options;
use crate::recipe;
use crate::signals::Signals;
use crate::source::{Source, paths};

/// Data as Python's own.
fn python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// What a file holds: a dict with the fields of ``jpegdct inspect --json`` (path, status, error, warnings, process, precision,
/// width, height, color, restart_interval, orientation, scans, components).
///
/// A file that cannot be read raises OSError; one that is refused does not raise, its status and error say so.
#[pyfunction]
#[pyo3(signature = (source, *, limits = None))]
pub fn inspect<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    limits: Option<&Bound<'py, PyMapping>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = options::decode_options(options::limits(limits)?, Damage::Keep);
    let source = Source::of(source, options.limits.file_bytes)?;
    let feed = source.feed();
    let inspected = py.detach(|| match feed.read(&options.limits) {
        Ok(bytes) => Ok(Inspection::of(&bytes, &options, &mut Scratch::default())),
        Err(error @ jpegdct::Error::Io(_)) => Err(error),
        Err(error) => Ok(Inspection::refused(&error)),
    });
    let mut inspection = inspected.map_err(|error| errors::from_error(py, &error, feed.path().as_deref()))?;
    inspection.path = feed.path().unwrap_or_default().into_owned();
    python(py, &inspection)
}

/// The statistics of channels over many images: a dict with the fields of the file that ``jpegdct stats`` writes, among them
/// ``mean`` and ``std`` (a value a channel, in units of dequantised coefficients), ``images``, ``failed``, ``per_channel``.
/// ``Recipe(normalize=...)`` takes it.
///
/// ``inputs``: a path, or a list of them: files, folders, glob patterns, tar archives, ``@LIST``. ``definition``: ``"pooled"`` or
/// ``"dctnet"``. With ``budget``, ``ranking`` proposes the best so many channels. Images that fail are counted.
#[pyfunction]
#[pyo3(signature = (inputs, recipe = None, *, definition = "pooled", budget = None, threads = None, reencode = true, limits = None))]
#[allow(clippy::too_many_arguments)] // keywords
pub fn stats<'py>(
    py: Python<'py>,
    inputs: &Bound<'py, PyAny>,
    recipe: Option<&Bound<'py, PyAny>>,
    definition: &str,
    budget: Option<usize>,
    threads: Option<usize>,
    reencode: bool,
    limits: Option<&Bound<'py, PyMapping>>,
) -> PyResult<Bound<'py, PyAny>> {
    let definition = match definition {
        "pooled" => Definition::Pooled,
        "dctnet" => Definition::Dctnet,
        _ => return Err(PyValueError::new_err(format!("definition is 'pooled' or 'dctnet', not {definition:?}"))),
    };
    let refused = |error| errors::from_recipe_error(py, &error);
    let recipe = recipe_or(recipe, "native-192")?;
    let limits = options::limits(limits)?;
    let extractor = corpus::recipe_for(recipe)
        .and_then(|recipe| Extractor::new(recipe, options::decode_options(limits, Damage::Refuse)))
        .map_err(refused)?;
    let reencoder = reencode.then(|| options::reencoder(limits));
    let (inputs, signals) = (paths(inputs)?, Signals::new());
    let gathered = py.detach(|| {
        let convert = reencoder.as_ref().map(|reencoder| reencoder as &dyn Convert);
        let maker = Maker { extractor: &extractor, convert, limits };
        let threads = corpus::threads_or_all(threads);
        let listing = corpus::list(&inputs).complete()?;
        corpus::gather(&listing, &maker, definition, None, threads, &signals)
    });
    signals.result()?;
    let statistics = gathered.map_err(|error| PyOSError::new_err(error.to_string()))?.statistics;
    let found = python(py, &statistics)?;
    if let Some(proposal) = budget.and_then(|budget| corpus::rank(&statistics, budget)) {
        found.set_item("ranking", python(py, &proposal)?)?;
    }
    Ok(found)
}

/// Compares tensors with the pixel path, as ``jpegdct verify`` does: a dict with ``passed``, ``tolerance``, ``differing``,
/// ``failed``, ``summary`` and ``images`` (a dict an image: path, status, error, excess, report).
///
/// ``inputs`` as for ``stats``. ``tolerance`` is the largest difference from an exact reference that passes, in units of
/// dequantised coefficients (default 2e-3).
#[pyfunction]
#[pyo3(signature = (inputs, recipe = None, *, tolerance = None, threads = None, limits = None))]
pub fn verify<'py>(
    py: Python<'py>,
    inputs: &Bound<'py, PyAny>,
    recipe: Option<&Bound<'py, PyAny>>,
    tolerance: Option<f64>,
    threads: Option<usize>,
    limits: Option<&Bound<'py, PyMapping>>,
) -> PyResult<Bound<'py, PyAny>> {
    let tolerance = tolerance.unwrap_or(DEFAULT_TOLERANCE);
    let recipe = recipe_or(recipe, "native-24")?;
    let name = recipe.name.clone().unwrap_or_default();
    let limits = options::limits(limits)?;
    let verifier = Verifier::new(recipe, options::decode_options(limits, Damage::Refuse))
        .map_err(|error| errors::from_recipe_error(py, &error))?;
    let (inputs, signals) = (paths(inputs)?, Signals::new());
    let (mut summary, mut images) = (Summary::default(), Vec::new());
    let (mut differing, mut failed) = (0, 0);
    let verified = py.detach(|| {
        let deliver = |path: &str, reports: Vec<_>| {
            for report in &reports {
                match report {
                    Ok(report) => {
                        summary.add(report);
                        differing += u64::from(report.excess() > tolerance);
                    }
                    Err(_) => failed += 1,
                }
                images.push(serde_json::to_value(ImageLine::new(&name, path, report, tolerance)));
            }
            if signals.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let threads = corpus::threads_or_all(threads);
        let listing = corpus::list(&inputs).complete()?;
        verify_all(&listing.inputs, &[verifier], &limits, threads, deliver)
    });
    signals.result()?;
    verified.map_err(|error| PyOSError::new_err(error.to_string()))?;
    let images: Vec<Value> =
        images.into_iter().collect::<Result<_, _>>().map_err(|error| PyValueError::new_err(error.to_string()))?;
    let passed = differing == 0 && failed == 0;
    let line = SummaryLine { kind: "summary", recipe: &name, tolerance, passed, differing, failed, summary: &summary };
    let found = python(py, &line)?;
    found.set_item("images", python(py, &images)?)?;
    Ok(found)
}

fn recipe_or(recipe: Option<&Bound<'_, PyAny>>, default: &str) -> PyResult<jpegdct::Recipe> {
    recipe.map_or_else(|| Ok(jpegdct::Recipe::preset(default).unwrap_or_default()), recipe::of)
}
