//! Facts of ITU-T T.81, with no I/O and no state: markers, coefficient order, tables, the geometry of a frame.

pub mod fingerprint;
pub mod frame;
pub mod marker;
pub mod quant;
pub mod typical_tables;
pub mod zigzag;
