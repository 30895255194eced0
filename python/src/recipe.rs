//! `jpegdct.Recipe`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyMapping, PyString, PyTuple};
use serde::Serialize;
use serde_json::Value;

use crate::errors;

/// Fields that are set from text, as the command's flags set them.
const TEXTS: [&str; 8] = ["channels", "chroma", "edge", "cmyk", "dtype", "layout", "normalize", "orient"];

/// The whole description of a tensor.
///
/// ``Recipe(base=None, **fields)``: ``base`` is a preset's name, the path of a .toml or .json file, a mapping of fields, another
/// recipe, or None for the defaults. Fields are those of a recipe file: ``channels``, ``chroma``, ``edge``, ``cmyk``,
/// ``dtype``, ``layout``, ``normalize`` (``"none"``, ``"dctnet"``, a file, or a mapping with ``mean`` and ``std`` such as
/// ``stats`` gives), ``orient``, ``kind``, ``name``, and the mappings ``geometry`` and ``photometric``.
///
/// Recipes do not change; they compare, hash and pickle. Raises RecipeError (a ValueError) for what cannot be.
#[pyclass(frozen, eq, module = "jpegdct")]
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    pub inner: jpegdct::Recipe,
}

/// A recipe from whatever stands for one.
pub fn of(argument: &Bound<'_, PyAny>) -> PyResult<jpegdct::Recipe> {
    let py = argument.py();
    if let Ok(recipe) = argument.cast::<Recipe>() {
        return Ok(recipe.get().inner.clone());
    }
    let made = if let Ok(mapping) = argument.cast::<PyMapping>() {
        jpegdct::Recipe::from_json(&json(&py.get_type::<PyDict>().call1((mapping,))?)?)
    } else if argument.is_instance_of::<PyString>() || argument.hasattr("__fspath__")? {
        let path = py.import("os")?.call_method1("fspath", (argument,))?;
        jpegdct::Recipe::load(&path.extract::<String>()?)
    } else {
        let found = argument.get_type().name()?;
        return Err(PyTypeError::new_err(format!("a recipe is a Recipe, a name, a path or a mapping, not {found}")));
    };
    made.map_err(|error| errors::from_recipe_error(py, &error))
}

/// A recipe with some fields changed.
fn with(base: jpegdct::Recipe, fields: Option<&Bound<'_, PyDict>>) -> PyResult<jpegdct::Recipe> {
    let Some(fields) = fields else { return Ok(base) };
    let py = fields.py();
    let refused = |error| errors::from_recipe_error(py, &error);
    let mut recipe = base;
    let mut others = Vec::new();
    for (name, value) in fields {
        let name: String = name.extract()?;
        let is_text =
            value.is_instance_of::<PyString>() || value.is_instance_of::<PyInt>() || value.hasattr("__fspath__")?;
        if TEXTS.contains(&name.as_str()) && is_text {
            let text = match value.extract::<bool>() {
                Ok(on) => on.to_string(),
                Err(_) => value.str()?.to_string(),
            };
            recipe.set(&name, &text).map_err(refused)?;
        } else {
            others.push((name, value));
        }
    }
    if !others.is_empty() {
        // Fields of every other type are those of a recipe file.
        let mut whole: Value = parse(&recipe.to_json())?;
        for (name, value) in others {
            let value: Value = parse(&json(&value)?)?;
            let value = match value {
                Value::Object(map) if name == "normalize" && map.contains_key("mean") => {
                    serde_json::json!({ "statistics": { "mean": map["mean"], "std": map.get("std") } })
                }
                Value::Null if name == "normalize" => "none".into(),
                value => value,
            };
            whole[name] = value;
        }
        recipe = jpegdct::Recipe::from_json(&whole.to_string()).map_err(refused)?;
    }
    recipe.validate().map_err(refused)?;
    Ok(recipe)
}

fn parse(text: &str) -> PyResult<Value> {
    serde_json::from_str(text).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// JSON of Python data.
fn json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    value.py().import("json")?.call_method1("dumps", (value,))?.extract()
}

/// The word a field has in recipe files.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}

#[pymethods]
impl Recipe {
    #[new]
    #[pyo3(signature = (base = None, **fields))]
    fn new(base: Option<&Bound<'_, PyAny>>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Recipe> {
        let base = base.map(of).transpose()?.unwrap_or_default();
        Ok(Recipe { inner: with(base, fields)? })
    }

    /// A preset by name; see presets().
    #[staticmethod]
    fn preset(py: Python<'_>, name: &str) -> PyResult<Recipe> {
        let unknown = || jpegdct::RecipeError::UnknownPreset {
            name: name.into(),
            presets: jpegdct::Recipe::preset_names().join(", "),
        };
        let found = jpegdct::Recipe::preset(name).ok_or_else(unknown);
        found.map(|inner| Recipe { inner }).map_err(|error| errors::from_recipe_error(py, &error))
    }

    /// The names of all presets.
    #[staticmethod]
    fn presets() -> Vec<String> {
        jpegdct::Recipe::preset_names()
    }

    /// A recipe from the text of a .toml file; missing fields have their defaults.
    #[staticmethod]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Recipe> {
        let made = jpegdct::Recipe::from_toml(text).map(|inner| Recipe { inner });
        made.map_err(|error| errors::from_recipe_error(py, &error))
    }

    /// A recipe from JSON text; missing fields have their defaults.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Recipe> {
        let made = jpegdct::Recipe::from_json(text).map(|inner| Recipe { inner });
        made.map_err(|error| errors::from_recipe_error(py, &error))
    }

    /// This recipe with some fields changed, as the constructor takes them.
    #[pyo3(signature = (**fields))]
    fn replace(&self, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Recipe> {
        Ok(Recipe { inner: with(self.inner.clone(), fields)? })
    }

    /// JSON on one line, fields in fixed order: the form that is stored and hashed.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    /// The fields as a dict.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.inner.to_json(),))
    }

    /// The preset it started from, or any name, or None.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// ``channels`` (one tensor), ``planes`` or ``quantised`` (one a component).
    #[getter]
    fn kind(&self) -> String {
        word(&self.inner.kind)
    }

    /// The wanted frequencies as text, ``y:0-3,8;cb:0;cr:0``, row-major 8 v + u.
    #[getter]
    fn channels(&self) -> String {
        word(&self.inner.channels)
    }

    /// How many channels there are.
    #[getter]
    fn num_channels(&self) -> usize {
        self.inner.channels.len()
    }

    /// Element type: ``f32``, ``f16`` or ``i16``.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.inner.dtype.name()
    }

    /// Order of axes: ``chw``, ``hwc`` or ``blocks``.
    #[getter]
    fn layout(&self) -> String {
        word(&self.inner.layout)
    }

    /// The shape of the tensors, if all images give one, else None.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.inner.fixed_shape().map(|shape| PyTuple::new(py, shape)).transpose()
    }

    /// Whether a tensor depends on the image's key: something is drawn for each image.
    #[getter]
    fn is_random(&self) -> bool {
        self.inner.is_random()
    }

    /// Fingerprint of what the recipe does (its name left out), 16 hex digits.
    #[getter]
    fn hash(&self) -> String {
        self.inner.hash()
    }

    fn __hash__(&self) -> u64 {
        jpegdct::spec::fingerprint::fnv1a(self.inner.to_json().as_bytes())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().inner.to_json(),)))
    }

    pub fn __repr__(&self) -> String {
        let what = match self.inner.kind {
            jpegdct::recipe::Kind::Channels => format!("{} channels", self.inner.channels.len()),
            _ => self.kind(),
        };
        format!(
            "<Recipe {}: {what}, {}, {}, hash {}>",
            self.inner.name.as_deref().unwrap_or("without a name"),
            self.inner.dtype.name(),
            self.layout(),
            self.inner.hash()
        )
    }
}
