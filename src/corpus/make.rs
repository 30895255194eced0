//! One input to tensors, by way of a JPEG if it is none.
//!
//! What enters: an input. What leaves: its tensors, and in an [`Entry`] what it was. What is common to all commands that
//! work on tensors.

use super::inputs::Input;
use super::manifest::{Entry, format_name};
use super::source::{Fed, feed, read};
use crate::coefficients::Coefficients;
use crate::error::{Error, Mismatch, Result};
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::limits::Limits;
use crate::markers::ColorModel;
use crate::markers::sniff::Format;
use crate::recipe::Cmyk;
use crate::scans::{DecodeOptions, Scratch, read_headers};

/// Makes a JPEG of an image that is none, or of one that a recipe of channels cannot take.
pub trait Convert: Sync {
    /// The bytes of a JPEG.
    ///
    /// # Errors
    /// [`Error::Reencode`] or [`Error::Limit`].
    fn to_jpeg(&self, bytes: &[u8], format: Format) -> Result<Vec<u8>>;

    /// The bytes of a JPEG in YCbCr of one in CMYK or YCCK that is not damaged, or whose damage is accepted.
    ///
    /// # Errors
    /// As [`Convert::to_jpeg`].
    fn cmyk_to_jpeg(&self, bytes: &[u8], orientation: u8) -> Result<Vec<u8>>;

    /// Whether a format can be converted at all.
    fn takes(&self, format: Format) -> bool;

    /// How it converts, for the manifest.
    fn describe(&self) -> String;
}

/// What makes tensors of inputs.
#[derive(Clone, Copy)]
pub struct Maker<'a> {
    /// Makes the tensors.
    pub extractor: &'a Extractor,
    /// Makes JPEGs of other images; without it they are refused.
    pub convert: Option<&'a dyn Convert>,
    /// Bounds of input files ([`Limits::file_bytes`]); those of images are the extractor's and the converter's.
    pub limits: Limits,
}

/// Buffers of one thread.
#[derive(Default)]
pub struct Buffers {
    bytes: Vec<u8>,
    scratch: ExtractScratch,
}

impl Maker<'_> {
    /// Reads one input and extracts its tensors.
    ///
    /// # Errors
    /// Those of reading, converting and extracting.
    pub fn extract(&self, input: &Input) -> Result<Extraction> {
        let mut entry = Entry::new(input.display(), input.place(), String::new());
        let key = entry.key.clone();
        let mut fed = feed([input.clone()], &self.limits);
        let Some(mut fed) = fed.next() else { return Err(Error::Io(std::io::ErrorKind::NotFound.into())) };
        self.make(&mut fed, &key, &mut Buffers::default(), &mut entry, &mut 0)
    }

    /// Reads an input and extracts its tensors. `size` becomes the number of bytes read.
    ///
    /// # Errors
    /// Those of reading, converting and extracting.
    pub(super) fn make(
        &self,
        fed: &mut Fed,
        key: &str,
        buffers: &mut Buffers,
        entry: &mut Entry,
        size: &mut u64,
    ) -> Result<Extraction> {
        let result = self.make_described(fed, key, buffers, entry, size);
        // A JPEG that is refused has its facts all the same, as far as its headers say them.
        if result.is_err()
            && entry.source.format.as_deref() == Some("jpeg")
            && let Ok(info) = read_headers(&buffers.bytes, &self.extractor.options().limits)
        {
            entry.source.describe_headers(&info);
        }
        result
    }

    fn make_described(
        &self,
        fed: &mut Fed,
        key: &str,
        buffers: &mut Buffers,
        entry: &mut Entry,
        size: &mut u64,
    ) -> Result<Extraction> {
        let read = read(fed, &self.limits, &mut buffers.bytes);
        entry.source.modified = fed.modified;
        read?;
        let bytes = &buffers.bytes[..];
        *size = bytes.len() as u64;
        entry.source.bytes = Some(*size);
        let result = self.extractor.extract(bytes, key, &mut buffers.scratch);
        let Err(Error::NotJpeg(format)) = result else {
            entry.source.format = Some("jpeg".into());
            let is_cmyk =
                matches!(result, Err(Error::Mismatch(Mismatch::ColorModel(ColorModel::Cmyk | ColorModel::Ycck))));
            return match self.convert {
                Some(convert) if is_cmyk && self.extractor.recipe().cmyk == Cmyk::Reencode => {
                    let jpeg = from_cmyk(convert, bytes, self.extractor.options(), entry)?;
                    self.extractor.extract(&jpeg, key, &mut buffers.scratch)
                }
                _ => result,
            };
        };
        entry.source.format = format_name(format);
        match self.convert {
            Some(convert) if convert.takes(format) => {
                let jpeg = convert.to_jpeg(bytes, format)?;
                entry.reencoded = Some(convert.describe());
                self.extractor.extract(&jpeg, key, &mut buffers.scratch)
            }
            _ => result,
        }
    }
}

/// A JPEG in YCbCr of one in CMYK. Its coefficients are decoded first: a pixel decoder paints over damage.
fn from_cmyk(convert: &dyn Convert, bytes: &[u8], options: &DecodeOptions, entry: &mut Entry) -> Result<Vec<u8>> {
    let read = Coefficients::decode_with(bytes, options, &mut Scratch::default())?;
    entry.warn(&read.warnings);
    let jpeg = convert.cmyk_to_jpeg(bytes, read.info.orientation)?;
    entry.reencoded = Some(format!("{} to RGB, {}", read.info.color, convert.describe()));
    Ok(jpeg)
}
