//! The extractor: a recipe made ready, applied to one image after another.
//!
//! What enters: the bytes of a JPEG file. What leaves: its tensors and what decoding found. No files are walked here; an
//! [`Extractor`] is shared by as many threads as the caller has, each with its own [`ExtractScratch`]. One image is decoded by
//! one thread, unless [`DecodeOptions::threads`] says otherwise.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::LimitKind;
use crate::recipe::{Recipe, RecipeError};
use crate::scans::{DecodeOptions, Scratch, Summary, decode_tiles};
#[cfg(feature = "corpus")]
use crate::scans::{Prefix, look_at_prefix};
use crate::spectral::builder::{Builder, BuilderScratch, Spectral};
use crate::tensor::{Tensor, TensorMut};

/// A recipe and decode options, ready for any number of images.
#[derive(Debug)]
pub struct Extractor {
    spectral: Arc<Spectral>,
    options: DecodeOptions,
}

/// Buffers that one image after another uses. One a thread.
#[derive(Debug, Default)]
pub struct ExtractScratch {
    decode: Scratch,
    build: BuilderScratch,
    bytes: Vec<u8>,
}

impl ExtractScratch {
    /// Takes back what an image gave, once it is no longer needed: the next tensors use its memory. Without this each
    /// tensor is allocated and, being large, often made of fresh pages, which costs more than filling it.
    pub fn recycle(&mut self, extraction: Extraction) {
        self.recycle_tensors(extraction.tensors);
    }

    /// The same with the tensors alone.
    pub fn recycle_tensors(&mut self, tensors: Vec<Tensor>) {
        self.build.recycle(tensors);
    }
}

/// What one image gave.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Extraction {
    /// One nameless tensor (kind `channels`), or one a component by name; kind `quantised` adds `quant_tables`, u16 of
    /// shape (components, 8, 8). None after [`Extractor::extract_into`].
    pub tensors: Vec<Tensor>,
    /// Headers, scans, warnings.
    pub summary: Summary,
    /// Values that did not fit the element type and were stored as its nearest end: beyond i16, or what would be
    /// infinite in f16, those of a cutout too. Always 0 for f32.
    pub saturated: u64,
}

impl Extractor {
    /// Makes a recipe ready.
    ///
    /// # Errors
    /// A recipe that is not valid, see [`Recipe::validate`].
    pub fn new(recipe: Recipe, options: DecodeOptions) -> Result<Extractor, RecipeError> {
        Ok(Extractor { spectral: Arc::new(Spectral::new(recipe)?), options })
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        self.spectral.recipe()
    }

    /// The decode options.
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// Extracts one image. `key` names it among others: equal bytes, recipe and key give equal tensors, whatever was
    /// extracted before and on whichever thread.
    ///
    /// # Errors
    /// What [`decode_tiles`] refuses; [`Error::Mismatch`](crate::Error::Mismatch) where the recipe does not fit the image;
    /// [`Error::Limit`](crate::Error::Limit) for tensors above [`Limits::memory`](crate::Limits::memory);
    /// [`Error::Malformed`](crate::Error::Malformed) where coefficients cannot be dequantised for want of a table.
    pub fn extract(&self, bytes: &[u8], key: &str, scratch: &mut ExtractScratch) -> Result<Extraction> {
        self.extract_with(self.options.threads, bytes, key, scratch, None)
    }

    /// Extracts one image into memory of the caller's, such as a row of a batch: every value there is written. After an
    /// error it may hold values of this image, or still what it held.
    ///
    /// # Errors
    /// As [`Extractor::extract`]; [`Error::Mismatch`](crate::Error::Mismatch) where the tensor has another type, shape or
    /// length than the memory, or the recipe makes several: then nothing was written.
    pub fn extract_into(
        &self,
        bytes: &[u8],
        key: &str,
        scratch: &mut ExtractScratch,
        memory: TensorMut<'_>,
    ) -> Result<Extraction> {
        self.extract_with(self.options.threads, bytes, key, scratch, Some(memory))
    }

    /// The same with another number of threads, into memory of the tensors' own or of the caller's.
    pub(crate) fn extract_with(
        &self,
        threads: usize,
        bytes: &[u8],
        key: &str,
        scratch: &mut ExtractScratch,
        memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        let options = DecodeOptions { threads, ..self.options };
        let mut builder = Builder::new(&self.spectral, &self.options.limits, key, &mut scratch.build, memory);
        let summary = decode_tiles(bytes, &options, &mut scratch.decode, &mut builder)?;
        let (tensors, saturated) = builder.finish(&summary.info);
        Ok(Extraction { tensors, summary, saturated })
    }

    /// Whether the first bytes of a file are enough: what they give is what the whole file gives.
    #[cfg(feature = "corpus")]
    pub(crate) fn look_at_prefix(&self, bytes: &[u8], key: &str) -> Prefix {
        look(&self.spectral, &self.options, bytes, key)
    }

    /// The same for whoever outlives the extractor. Without the key it is a guess where windows are drawn at random.
    #[cfg(feature = "corpus")]
    pub(crate) fn prefix_looker(&self) -> impl Fn(&[u8]) -> Prefix + Send + Sync + use<> {
        let (spectral, options) = (self.spectral.clone(), self.options);
        move |bytes| look(&spectral, &options, bytes, "")
    }

    /// What makes the tensors of one image of its tiles.
    #[cfg(feature = "bench")]
    pub(crate) fn builder<'a>(&'a self, key: &'a str, scratch: &'a mut ExtractScratch) -> Builder<'a> {
        Builder::new(&self.spectral, &self.options.limits, key, &mut scratch.build, None)
    }

    /// Extracts one image with buffers of its own and an empty key.
    ///
    /// # Errors
    /// As [`Extractor::extract`].
    pub fn extract_bytes(&self, bytes: &[u8]) -> Result<Extraction> {
        self.extract(bytes, "", &mut ExtractScratch::default())
    }

    /// Reads to the end, then extracts. No more than [`Limits::file_bytes`](crate::Limits::file_bytes) is read.
    ///
    /// # Errors
    /// As [`Extractor::extract`], and what the reader fails with.
    pub fn extract_reader(&self, reader: impl Read, key: &str, scratch: &mut ExtractScratch) -> Result<Extraction> {
        let limits = &self.options.limits;
        let mut bytes = std::mem::take(&mut scratch.bytes);
        bytes.clear();
        let read = reader.take(limits.file_bytes.saturating_add(1)).read_to_end(&mut bytes);
        let result = read
            .map_err(Into::into)
            .and_then(|read| limits.check(LimitKind::FileBytes, read as u64))
            .and_then(|()| self.extract(&bytes, key, scratch));
        scratch.bytes = bytes;
        result
    }

    /// Extracts a file; its path is the key.
    ///
    /// # Errors
    /// As [`Extractor::extract_reader`].
    pub fn extract_path(&self, path: impl AsRef<Path>, scratch: &mut ExtractScratch) -> Result<Extraction> {
        let path = path.as_ref();
        self.extract_reader(File::open(path)?, &path.to_string_lossy(), scratch)
    }
}

#[cfg(feature = "corpus")]
fn look(spectral: &Spectral, options: &DecodeOptions, bytes: &[u8], key: &str) -> Prefix {
    let mut scratch = BuilderScratch::default();
    look_at_prefix(bytes, options, &mut Builder::new(spectral, &options.limits, key, &mut scratch, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::limits::Limits;

    #[test]
    fn threads_share_one() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Extractor::new(Recipe::default(), DecodeOptions::default()).unwrap());
    }

    #[test]
    fn a_reader_is_not_read_beyond_the_limit() {
        let limits = Limits { file_bytes: 10, ..Limits::default() };
        let extractor =
            Extractor::new(Recipe::default(), DecodeOptions { limits, ..DecodeOptions::default() }).unwrap();
        let mut scratch = ExtractScratch::default();
        let endless = extractor.extract_reader(std::io::repeat(0xff), "", &mut scratch);
        assert!(matches!(endless, Err(Error::Limit { kind: LimitKind::FileBytes, found: 11, limit: 10 })));
        let text = extractor.extract_reader(&b"no image"[..], "", &mut scratch);
        assert!(matches!(text, Err(Error::NotJpeg(_))));
    }
}
