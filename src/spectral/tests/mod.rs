//! The tensor builder against plain definitions, on synthetic images.

mod builder;
mod image;
mod planes;
mod reference;
