//! From tiles of quantised blocks to a tensor, as pure mathematics: no I/O, no file formats.
//!
//! What enters: quantised blocks, their tables and a description of the wanted tensor. What leaves: numbers. Nothing
//! here ever holds a sample: whatever moves in space does so as a linear map on DCT coefficients ([`axis`]).

mod apply;
pub mod axis;
pub(crate) mod builder;
mod colour;
pub mod dct;
mod geometry;
mod maps;
mod plan;
mod planes;
#[cfg(test)]
mod tests;
