//! What a file holds, as data.
//!
//! What enters: the bytes of a file. What leaves: an [`Inspection`], a line of `inspect --json`. Nothing is refused here:
//! why a file gave nothing is part of what is said of it.

use serde::Serialize;

use crate::coefficients::{Coefficients, Plane};
use crate::error::{Error, Warning};
use crate::scans::{DecodeOptions, Scratch};

/// What a file holds. Names and order of fields are stable; what is not known of a file that was refused is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The file, empty if it has no path.
    pub path: String,
    /// `ok`, `damaged`, `refused` or `not_jpeg`.
    pub status: &'static str,
    /// Why it was refused, or the first damage.
    pub error: Option<String>,
    /// What was odd, with byte offsets.
    pub warnings: Vec<String>,
    /// `baseline`, `extended`, `progressive`, `arithmetic` or `arithmetic_progressive`.
    pub process: Option<&'static str>,
    /// Bits a sample.
    pub precision: Option<u8>,
    /// Columns of pixels as stored.
    pub width: Option<u32>,
    /// Lines of pixels as stored.
    pub height: Option<u32>,
    /// Colour model.
    pub color: Option<&'static str>,
    /// MCUs between restart markers in the first scan, 0 without.
    pub restart_interval: Option<u16>,
    /// EXIF orientation, 1..=8.
    pub orientation: Option<u8>,
    /// Scans decoded.
    pub scans: Option<u32>,
    /// Components in frame order.
    pub components: Vec<ComponentInspection>,
}

/// One component of an [`Inspection`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ComponentInspection {
    /// Identifier.
    pub id: u8,
    /// Horizontal sampling factor.
    pub h: u8,
    /// Vertical sampling factor.
    pub v: u8,
    /// Blocks of the true size.
    pub blocks_wide: u32,
    /// Block rows of the true size.
    pub blocks_high: u32,
    /// Row-major, `null` if the file defines none.
    pub quant_table: Option<Vec<u16>>,
    /// [`Plane::digest`], 16 hex digits.
    pub digest: String,
}

impl Inspection {
    /// Decodes a file as far as it goes, which is why [`DecodeOptions::damage`] should be
    /// [`Damage::Keep`](crate::Damage::Keep): else a damaged file counts as refused.
    pub fn of(bytes: &[u8], options: &DecodeOptions, scratch: &mut Scratch) -> Inspection {
        match Coefficients::decode_with(bytes, options, scratch) {
            Ok(coefficients) => Inspection::of_coefficients(&coefficients),
            Err(error) => Inspection::refused(&error),
        }
    }

    /// A file that gave nothing.
    pub fn refused(error: &Error) -> Inspection {
        let status = if matches!(error, Error::NotJpeg(_)) { "not_jpeg" } else { "refused" };
        Inspection { status, error: Some(error.to_string()), ..Inspection::default() }
    }

    /// A file at which the program failed.
    pub fn failed(message: &str) -> Inspection {
        let error = Some(format!("a fault of the program: {message}"));
        Inspection { status: "refused", error, ..Inspection::default() }
    }

    fn of_coefficients(coefficients: &Coefficients) -> Inspection {
        let info = &coefficients.info;
        let damage = coefficients.warnings.iter().find(|warning| warning.is_damage());
        Inspection {
            path: String::new(),
            status: if damage.is_some() { "damaged" } else { "ok" },
            error: damage.map(Warning::to_string),
            warnings: coefficients.warnings.iter().map(Warning::to_string).collect(),
            process: Some(info.frame.process.name()),
            precision: Some(info.frame.precision),
            width: Some(info.frame.width),
            height: Some(info.frame.height),
            color: Some(info.color.name()),
            restart_interval: Some(info.restart_interval),
            orientation: Some(info.orientation),
            scans: Some(coefficients.scans),
            components: coefficients.planes.iter().map(ComponentInspection::of).collect(),
        }
    }
}

impl ComponentInspection {
    fn of(plane: &Plane) -> ComponentInspection {
        let c = &plane.component;
        ComponentInspection {
            id: c.id,
            h: c.h,
            v: c.v,
            blocks_wide: c.blocks_wide,
            blocks_high: c.blocks_high,
            quant_table: plane.quant_table.map(|table| table.row_major().to_vec()),
            digest: format!("{:016x}", plane.digest()),
        }
    }
}
