//! The loops over coefficients, one file per step.
//!
//! | step | file | from | to |
//! |---|---|---|---|
//! | dequantise | `convert` | blocks, zigzag, i16 | columns `[block][u][v]` of two block rows, f32 |
//! | horizontal map | `horizontal` | columns | rows `[v][k][block]` of the output width |
//! | vertical map | `vertical` | rows of two input block rows | accumulators of the open output rows |
//! | store | `target` | finished rows | the tensor, scaled, shifted, rounded |
//! | twice the size | `double` | blocks | finished rows, of chroma upsampled by two |
//! | all in one | `direct` | blocks | the tensor, where there is no map |
//! | the same at the border | `edge` | last blocks | the tensor, where only these are mapped |
//!
//! A component's state between its block rows is a row that waits for the one below and a ring of accumulators, as long
//! as two input block rows have output rows: memory grows with the width of an image, never with its height. Each loop is
//! a [`Kernel`](crate::cpu::Kernel), safe code written in 16 lanes. Which order sums are made in depends on the maps alone,
//! so output does not depend on how the image was cut into tiles; it does depend, within the rounding of a sum, on whether
//! the processor multiplies and adds in one instruction.

/// Runs a kernel for the number of frequencies that are kept, as [`maps`](super::maps) rounds it.
macro_rules! for_kept {
    ($kept:expr, $self:ident.$method:ident::<$s:ident>($($argument:expr),*)) => {
        match $kept {
            1 => $self.$method::<$s, 1>($($argument),*),
            2 => $self.$method::<$s, 2>($($argument),*),
            3 => $self.$method::<$s, 3>($($argument),*),
            4 => $self.$method::<$s, 4>($($argument),*),
            6 => $self.$method::<$s, 6>($($argument),*),
            _ => $self.$method::<$s, 8>($($argument),*),
        }
    };
}

mod component;
mod convert;
mod direct;
mod double;
mod edge;
mod horizontal;
mod target;
#[cfg(test)]
mod timing;
mod vertical;

pub(crate) use component::{Component, Outlet, Workspace};
pub(crate) use horizontal::RowShape;
pub(crate) use target::{Spare, Strides, Target, WriteLines};
