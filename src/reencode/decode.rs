//! Bytes of another format to 8-bit grey or RGB samples, by the `image` crate.
//!
//! What enters: bytes and limits. What leaves: a [`Picture`]. The format comes from the content, never from a name.

use std::io::Cursor;

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use super::{Picture, failed};
use crate::error::{Reencode, Result};
use crate::limits::{LimitKind, Limits};
use crate::markers::sniff::Format;

/// The decoder for a format, if one is built in.
pub(super) fn decoder_of(format: Format) -> Option<ImageFormat> {
    match format {
        Format::Png => Some(ImageFormat::Png),
        Format::WebP => Some(ImageFormat::WebP),
        Format::Tiff => Some(ImageFormat::Tiff),
        Format::Bmp => Some(ImageFormat::Bmp),
        Format::Gif => Some(ImageFormat::Gif),
        Format::Pnm => Some(ImageFormat::Pnm),
        _ => None,
    }
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture> {
    let format = Format::of(bytes);
    let decoder = decoder_of(format).ok_or_else(|| failed(Reencode::Format(format)))?;
    let refused = |error: image::ImageError| failed(Reencode::Decode { format, reason: error.to_string() });

    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.memory);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), decoder);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(refused)?;

    // The header is read, nothing of the picture's size is allocated yet.
    let (width, height) = decoder.dimensions();
    limits.check(LimitKind::Pixels, u64::from(width) * u64::from(height))?;
    limits.check(LimitKind::Memory, decoder.total_bytes())?;
    let grey = matches!(decoder.color_type(), ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16);
    // A broken EXIF block is no reason to lose the picture.
    let orientation = decoder.orientation().map_or(1, |orientation| orientation.to_exif());
    let image = DynamicImage::from_decoder(decoder).map_err(refused)?;

    let (samples, data) = if grey { (1, image.into_luma8().into_raw()) } else { (3, image.into_rgb8().into_raw()) };
    Ok(Picture { width, height, samples, data, orientation })
}
