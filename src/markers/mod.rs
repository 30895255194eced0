//! Bytes to segments: what the markers of a file say.
//!
//! What enters: the bytes of a file. What leaves: the frame, scan headers, tables and application data, each checked
//! once, here. Entropy-coded data is only pointed at, never read.

mod app;
pub mod color;
mod frame;
mod log;
mod parser;
mod scan;
pub mod sniff;
mod tables;

use crate::spec::frame::Frame;
use crate::spec::quant::QuantTable;

pub use color::ColorModel;
pub(crate) use log::Log;
pub(crate) use parser::{Marker, Parser, end_of_scan, extraneous_bytes, find_marker};
pub(crate) use scan::{ScanComponent, ScanHeader};
pub(crate) use tables::{DcBounds, HuffmanSpec, Tables};

/// What the headers of a file say of its image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageInfo {
    /// Geometry and coding process.
    pub frame: Frame,
    /// What the components mean.
    pub color: ColorModel,
    /// EXIF orientation, 1..=8; 1 (as stored) where the file says nothing.
    pub orientation: u8,
    /// MCUs between restart markers in the first scan, 0 without.
    pub restart_interval: u16,
    /// Per component, the quantisation table in force at its first scan; `None` before that scan or if undefined.
    pub quant_tables: Vec<Option<QuantTable>>,
}
