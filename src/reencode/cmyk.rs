//! A JPEG of four components, CMYK or YCCK, to 8-bit RGB samples, by MozJPEG.
//!
//! What enters: the bytes of a JPEG whose colour model is known. What leaves: a [`Picture`]. Whether the file is damaged is
//! not asked here: libjpeg fills what it cannot read with grey, so the caller decodes the coefficients first.
//!
//! Stored values are taken as Adobe writes them, 255 for no ink, with an Adobe marker or without, as Pillow and OpenCV do:
//! `R = C * K / 255`, G and B of M and Y alike, rounded to the nearest. YCCK becomes CMY by JFIF's transform first, K passes.
//! No colour profile is applied.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mozjpeg::{ColorSpace, Decompress};

use super::{Picture, failed, panic_text};
use crate::error::{Reencode, Result};
use crate::limits::{LimitKind, Limits};

/// Decodes. `orientation` (1..=8) is carried over.
pub(super) fn decode(bytes: &[u8], orientation: u8, limits: &Limits) -> Result<Picture> {
    let refused = |reason: String| failed(Reencode::Cmyk(reason));
    // libjpeg reports errors by unwinding; mozjpeg's documentation asks for this.
    match catch_unwind(AssertUnwindSafe(|| read(bytes, limits))) {
        Ok(Ok(Ok((width, height, data)))) => Ok(Picture { width, height, samples: 3, data, orientation }),
        Ok(Ok(Err(limit))) => Err(limit),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(panic) => Err(refused(panic_text(&*panic))),
    }
}

/// Width, height and RGB samples; the inner error is that of a limit.
fn read(bytes: &[u8], limits: &Limits) -> std::io::Result<Result<(u32, u32, Vec<u8>)>> {
    let decoder = Decompress::new_mem(bytes)?;
    let (width, height) = (decoder.width(), decoder.height());
    let pixels = width as u64 * height as u64;
    // Four samples are decoded, three are kept.
    let checked =
        limits.check(LimitKind::Pixels, pixels).and(limits.check(LimitKind::Memory, pixels.saturating_mul(7)));
    if let Err(limit) = checked {
        return Ok(Err(limit));
    }
    let mut started = decoder.to_colorspace(ColorSpace::JCS_CMYK)?;
    let inks: Vec<[u8; 4]> = started.read_scanlines()?;
    started.finish()?;
    let data = inks.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| times(ink, k))).collect();
    Ok(Ok((width as u32, height as u32, data)))
}

/// `a * b / 255`, rounded; there are no ties, 255 being odd.
fn times(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_rounded() {
        for (a, b) in (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| (a, b))) {
            assert_eq!(f64::from(times(a, b)), (f64::from(a) * f64::from(b) / 255.0).round());
        }
    }

    #[test]
    fn what_libjpeg_refuses_is_an_error() {
        for bytes in [&b""[..], b"\xff\xd8", b"plain text"] {
            let error = decode(bytes, 1, &Limits::default()).err();
            assert!(matches!(error, Some(crate::Error::Reencode(Reencode::Cmyk(_)))));
        }
    }
}
