//! 8-bit samples to the bytes of a baseline JPEG, by MozJPEG with libjpeg's own settings.
//!
//! What enters: a [`Picture`]. What leaves: JPEG bytes. Trellis quantisation and progressive scans are off: they would
//! change coefficients, or time, for the sake of file size, and the file is thrown away at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mozjpeg::{ColorSpace, Compress, Marker};

use super::{Picture, ReencodeOptions, failed, panic_text};
use crate::error::{Reencode, Result};

/// The longest side libjpeg accepts (JPEG_MAX_DIMENSION), a little below the 65535 of T.81.
const LONGEST_SIDE: u32 = 65500;

pub(super) fn encode(picture: &Picture, options: &ReencodeOptions) -> Result<Vec<u8>> {
    let &Picture { width, height, .. } = picture;
    if width == 0 || height == 0 || width > LONGEST_SIDE || height > LONGEST_SIDE {
        return Err(failed(Reencode::Size(width, height)));
    }
    // libjpeg reports errors by unwinding; mozjpeg's documentation asks for this.
    match catch_unwind(AssertUnwindSafe(|| compress(picture, options))) {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(failed(Reencode::Encode(error.to_string()))),
        Err(panic) => Err(failed(Reencode::Encode(panic_text(&*panic)))),
    }
}

fn compress(picture: &Picture, options: &ReencodeOptions) -> std::io::Result<Vec<u8>> {
    let color = if picture.samples == 1 { ColorSpace::JCS_GRAYSCALE } else { ColorSpace::JCS_RGB };
    let mut encoder = Compress::new(color);
    encoder.set_fastest_defaults();
    encoder.set_optimize_coding(false);
    encoder.set_size(picture.width as usize, picture.height as usize);
    encoder.set_quality(f32::from(options.quality.clamp(1, 100)));
    if picture.samples == 3 {
        let chroma = options.sampling.pixels();
        encoder.set_chroma_sampling_pixel_sizes(chroma, chroma);
    }
    let mut started = encoder.start_compress(Vec::new())?;
    if picture.orientation != 1 {
        started.write_marker(Marker::APP(1), &exif(picture.orientation));
    }
    started.write_scanlines(&picture.data)?;
    started.finish()
}

/// An EXIF block with one entry: tag 0x0112 (orientation), type 3 (SHORT), count 1.
fn exif(orientation: u8) -> [u8; 32] {
    let mut block = *b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    block[25] = orientation;
    block
}
