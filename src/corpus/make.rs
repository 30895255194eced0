//! One input to tensors, by way of a JPEG if it is none.
//!
//! What enters: an input. What leaves: its tensors, and in a [`Passage`] how it came to them. What is common to all that
//! work on tensors, the commands and the Python package.

use super::inputs::Input;
use super::manifest::{Entry, format_name};
use super::source::{Fed, feed, read, read_until};
use crate::coefficients::Coefficients;
use crate::error::{Error, Mismatch, Result, Warning};
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::limits::{LimitKind, Limits};
use crate::markers::ColorModel;
use crate::markers::sniff::Format;
use crate::recipe::Cmyk;
use crate::scans::{DecodeOptions, Scratch, read_headers};
use crate::spec::frame::Process;
use crate::tensor::TensorMut;

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

/// Files from this size on gain by several threads: half of 241 kB took as long as all of it, and of 444 kB less.
const SHARED_BYTES: usize = 400_000;

/// Progressive files do from this size on: those of 71 to 91 kB were 1.6 times as fast with two.
const SHARED_PROGRESSIVE: usize = 64 << 10;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Buffers {
    bytes: Vec<u8>,
    scratch: ExtractScratch,
}

impl Buffers {
    /// Takes back what an image gave, see [`ExtractScratch::recycle`].
    pub fn recycle(&mut self, extraction: Extraction) {
        self.scratch.recycle(extraction);
    }
}

/// What became of the bytes of an input on their way to the extractor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passage {
    /// `jpeg`, `png` ...: the format of the content, if it is known.
    pub format: Option<String>,
    /// How they were re-encoded, `None` for a JPEG that is not in CMYK.
    pub reencoded: Option<String>,
    /// What was odd in a JPEG that was re-encoded; of any other the extraction knows it.
    pub warnings: Vec<Warning>,
}

impl Maker<'_> {
    /// Reads one input and extracts its tensors, into `memory` if there is some
    /// ([`Extractor::extract_into`]). `key` names it among others; without one its place does, as in a run.
    ///
    /// # Errors
    /// Those of reading, converting and extracting.
    pub fn extract(
        &self,
        input: &Input,
        key: Option<&str>,
        buffers: &mut Buffers,
        passage: &mut Passage,
        memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        let mut fed = feed([input.clone()], &self.limits);
        let Some(mut fed) = fed.next() else { return Err(Error::Io(std::io::ErrorKind::NotFound.into())) };
        let key = key.map_or_else(|| input.place(), str::to_string);
        let threads = self.extractor.options().threads;
        self.read_and_extract(&mut fed, &key, &|_| threads, buffers, passage, memory)
    }

    /// Reads as much of an input as is wanted of it, and extracts its tensors, with as many threads as its bytes deserve.
    fn read_and_extract(
        &self,
        fed: &mut Fed,
        key: &str,
        threads: &dyn Fn(&[u8]) -> usize,
        Buffers { bytes, scratch }: &mut Buffers,
        passage: &mut Passage,
        mut memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        let look = |bytes: &[u8]| self.extractor.look_at_prefix(bytes, key);
        if !read_until(fed, &self.limits, bytes, &look)? {
            let memory = memory.as_mut().map(TensorMut::reborrow);
            let made = self.tensors_of(bytes, key, threads(bytes), scratch, passage, memory);
            if made.is_ok() {
                return made;
            }
            // Limits depend on the size of the file.
            *passage = Passage::default();
            read(fed, &self.limits, bytes)?;
        }
        self.tensors_of(bytes, key, threads(bytes), scratch, passage, memory)
    }

    /// Extracts the tensors of an image whose bytes are there, into `memory` if there is some.
    ///
    /// # Errors
    /// Those of converting and extracting.
    pub fn extract_bytes(
        &self,
        bytes: &[u8],
        key: &str,
        buffers: &mut Buffers,
        passage: &mut Passage,
        memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        self.limits.check(LimitKind::FileBytes, bytes.len() as u64)?;
        self.tensors_of(bytes, key, self.extractor.options().threads, &mut buffers.scratch, passage, memory)
    }

    fn tensors_of(
        &self,
        bytes: &[u8],
        key: &str,
        threads: usize,
        scratch: &mut ExtractScratch,
        passage: &mut Passage,
        mut memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        let result =
            self.extractor.extract_with(threads, bytes, key, scratch, memory.as_mut().map(TensorMut::reborrow));
        // Of a JPEG made here.
        let mut of_jpeg = |jpeg: &[u8]| {
            self.extractor.extract_with(self.extractor.options().threads, jpeg, key, scratch, memory.take())
        };
        let Err(Error::NotJpeg(format)) = result else {
            passage.format = Some("jpeg".into());
            let is_cmyk =
                matches!(result, Err(Error::Mismatch(Mismatch::ColorModel(ColorModel::Cmyk | ColorModel::Ycck))));
            return match self.convert {
                Some(convert) if is_cmyk && self.extractor.recipe().cmyk == Cmyk::Reencode => {
                    let jpeg = from_cmyk(convert, bytes, self.extractor.options(), passage)?;
                    of_jpeg(&jpeg)
                }
                _ => result,
            };
        };
        passage.format = format_name(format);
        match self.convert {
            Some(convert) if convert.takes(format) => {
                let jpeg = convert.to_jpeg(bytes, format)?;
                passage.reencoded = Some(convert.describe());
                of_jpeg(&jpeg)
            }
            _ => result,
        }
    }

    /// Whether a file gains by several threads.
    fn is_shared(&self, bytes: &[u8]) -> bool {
        let is_progressive = || {
            read_headers(bytes, &self.extractor.options().limits)
                .is_ok_and(|info| info.frame.process == Process::Progressive)
        };
        bytes.len() >= SHARED_BYTES || bytes.len() >= SHARED_PROGRESSIVE && is_progressive()
    }

    /// Reads an input and extracts its tensors, with so many threads if it is large. `size` becomes the number of bytes read.
    ///
    /// # Errors
    /// Those of reading, converting and extracting.
    pub(super) fn make(
        &self,
        fed: &mut Fed,
        key: &str,
        threads: usize,
        buffers: &mut Buffers,
        entry: &mut Entry,
        size: &mut u64,
    ) -> Result<Extraction> {
        let mut passage = Passage::default();
        let threads = |bytes: &[u8]| if threads > 1 && self.is_shared(bytes) { threads } else { 1 };
        let result = self.read_and_extract(fed, key, &threads, buffers, &mut passage, None);
        entry.source.modified = fed.modified;
        *size = fed.size.map_or(0, |_| buffers.bytes.len() as u64);
        entry.source.bytes = fed.size;
        entry.source.format = passage.format;
        entry.reencoded = passage.reencoded;
        entry.warn(&passage.warnings);
        // A JPEG that is refused has its facts all the same, as far as its headers say them.
        if result.is_err()
            && entry.source.format.as_deref() == Some("jpeg")
            && let Ok(info) = read_headers(&buffers.bytes, &self.extractor.options().limits)
        {
            entry.source.describe_headers(&info);
        }
        result
    }
}

/// A JPEG in YCbCr of one in CMYK. Its coefficients are decoded first: a pixel decoder paints over damage.
fn from_cmyk(convert: &dyn Convert, bytes: &[u8], options: &DecodeOptions, passage: &mut Passage) -> Result<Vec<u8>> {
    let read = Coefficients::decode_with(bytes, options, &mut Scratch::default())?;
    passage.warnings = read.warnings;
    let jpeg = convert.cmyk_to_jpeg(bytes, read.info.orientation)?;
    passage.reencoded = Some(format!("{} to RGB, {}", read.info.color, convert.describe()));
    Ok(jpeg)
}
