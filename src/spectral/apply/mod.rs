//! The loops over coefficients, one file per step.
//!
//! | step | file | from | to |
//! |---|---|---|---|
//! | dequantise | `convert` | blocks, zigzag, i16 | columns `[block][u][v]`, f32 |
//! | horizontal map | `horizontal` | columns | rows `[v][k][block]` of the output width |
//! | vertical map | `vertical` | rows of one input block row | accumulators of the open output rows |
//! | store | `target` | finished rows | the tensor, scaled, shifted, rounded |
//! | all in one | `direct` | blocks | the tensor, where there is no map |
//! | the same at the border | `edge` | last blocks | the tensor, where only these are mapped |
//!
//! A component's state between its block rows is a ring of accumulators, as long as one input block row has output rows:
//! memory grows with the width of an image, never with its height. Everything is safe code on fixed-size arrays; which
//! order sums are made in depends on the maps alone, so output does not depend on how the image was cut into tiles.

mod component;
mod convert;
mod direct;
mod edge;
mod horizontal;
mod target;
mod vertical;

pub(crate) use component::{Component, Outlet, Workspace};
pub(crate) use horizontal::RowShape;
pub(crate) use target::{Place, Strides, Target};

/// Values of a row taken together in the vertical step; rows are padded to a multiple of it.
const LANES: usize = 16;
