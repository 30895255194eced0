//! A tensor: element type, shape, values.

use half::f16;
use ndarray::{ArrayViewD, IxDyn};
use serde::{Deserialize, Serialize};

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit IEEE 754.
    #[default]
    F32,
    /// 16-bit IEEE 754.
    F16,
    /// 16-bit signed integer, saturating.
    I16,
}

impl Dtype {
    /// Name as in recipes: `f32`, `f16`, `i16`.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::I16 => "i16",
        }
    }
}

/// Values of a tensor, row-major (the last axis varies fastest).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
    I16(Vec<i16>),
    /// Quantisation tables.
    U16(Vec<u16>),
}

impl Values {
    /// The values as bytes, in the machine's order.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Values::F32(v) => bytemuck::cast_slice(v),
            Values::F16(v) => bytemuck::cast_slice(v),
            Values::I16(v) => bytemuck::cast_slice(v),
            Values::U16(v) => bytemuck::cast_slice(v),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::F16(v) => v.len(),
            Values::I16(v) => v.len(),
            Values::U16(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element type: `f32`, `f16`, `i16`, `u16`.
    pub fn dtype_name(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::F16(_) => "f16",
            Values::I16(_) => "i16",
            Values::U16(_) => "u16",
        }
    }
}

/// Memory of the caller's for the values of one tensor.
#[derive(Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ValuesMut<'a> {
    F32(&'a mut [f32]),
    F16(&'a mut [f16]),
    I16(&'a mut [i16]),
}

impl ValuesMut<'_> {
    /// Element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            ValuesMut::F32(_) => Dtype::F32,
            ValuesMut::F16(_) => Dtype::F16,
            ValuesMut::I16(_) => Dtype::I16,
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            ValuesMut::F32(v) => v.len(),
            ValuesMut::F16(v) => v.len(),
            ValuesMut::I16(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same memory for a shorter time.
    pub fn reborrow(&mut self) -> ValuesMut<'_> {
        match self {
            ValuesMut::F32(v) => ValuesMut::F32(v),
            ValuesMut::F16(v) => ValuesMut::F16(v),
            ValuesMut::I16(v) => ValuesMut::I16(v),
        }
    }
}

/// Where an image's tensor is to be written, see [`Extractor::extract_into`](crate::Extractor::extract_into).
#[derive(Debug, PartialEq)]
pub struct TensorMut<'a> {
    /// The shape the tensor must have, its three axes as the recipe's layout orders them.
    pub shape: [usize; 3],
    /// The memory; as many values as the product of the shape, row-major.
    pub values: ValuesMut<'a>,
}

impl TensorMut<'_> {
    /// The same memory for a shorter time.
    pub fn reborrow(&mut self) -> TensorMut<'_> {
        TensorMut { shape: self.shape, values: self.values.reborrow() }
    }
}

/// A named dense array. One image gives one (`""`) or, for the `planes` and `quantised` recipes, several (`y`, `cb`, ...).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Empty for a recipe with one tensor.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values; as many as the product of the shape.
    pub values: Values,
}

impl Tensor {
    /// View of f32 values, `None` for another element type.
    pub fn view_f32(&self) -> Option<ArrayViewD<'_, f32>> {
        match &self.values {
            Values::F32(v) => ArrayViewD::from_shape(IxDyn(&self.shape), v).ok(),
            _ => None,
        }
    }

    /// View of f16 values, `None` for another element type.
    pub fn view_f16(&self) -> Option<ArrayViewD<'_, f16>> {
        match &self.values {
            Values::F16(v) => ArrayViewD::from_shape(IxDyn(&self.shape), v).ok(),
            _ => None,
        }
    }

    /// View of i16 values, `None` for another element type.
    pub fn view_i16(&self) -> Option<ArrayViewD<'_, i16>> {
        match &self.values {
            Values::I16(v) => ArrayViewD::from_shape(IxDyn(&self.shape), v).ok(),
            _ => None,
        }
    }
}
