//! The adapter between the corpus room, which knows no wing, and this one.

use super::{ReencodeOptions, cmyk_to_jpeg, is_supported, to_jpeg};
use crate::corpus::Convert;
use crate::error::Result;
use crate::markers::sniff::Format;

/// Re-encodes what is no JPEG, and JPEGs in CMYK, for a [`Maker`](crate::corpus::Maker).
#[derive(Debug, Clone, Copy)]
pub struct Reencoder(pub ReencodeOptions);

impl Convert for Reencoder {
    fn to_jpeg(&self, bytes: &[u8], _format: Format) -> Result<Vec<u8>> {
        to_jpeg(bytes, &self.0)
    }

    fn cmyk_to_jpeg(&self, bytes: &[u8], orientation: u8) -> Result<Vec<u8>> {
        cmyk_to_jpeg(bytes, orientation, &self.0)
    }

    fn takes(&self, format: Format) -> bool {
        is_supported(format)
    }

    fn describe(&self) -> String {
        format!("quality {}, {}", self.0.quality, self.0.sampling)
    }
}
