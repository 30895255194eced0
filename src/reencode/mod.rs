//! Wing: an image that is not a JPEG, or a JPEG in CMYK, becomes JPEG bytes, which then take the one route all JPEGs take.
//!
//! What enters: the bytes of a PNG, WebP, TIFF, BMP, GIF or PNM file, told apart by content, or of a JPEG of four
//! components. What leaves: the bytes of a baseline JPEG. Nothing is scaled, cropped or turned here, and no tensor is made.
//!
//! What is lost on the way, always the same:
//! - alpha is dropped, not composited, as PIL's `convert('RGB')` does: a transparent pixel keeps its stored colour;
//! - samples of more than 8 bits are rounded to 8;
//! - grey stays one component, palettes become RGB;
//! - of an animation or a multi-page file the first picture is taken;
//! - colour profiles are not applied and not carried over; an EXIF orientation is carried over as a tag.

mod cmyk;
#[cfg(feature = "corpus")]
mod convert;
mod decode;
mod encode;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Reencode, Result};
use crate::limits::Limits;
use crate::markers::sniff::Format;

#[cfg(feature = "corpus")]
pub use convert::Reencoder;

/// Chroma subsampling of the JPEG that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChromaSampling {
    /// 4:4:4, chroma at full size.
    #[default]
    S444,
    /// 4:2:2, chroma at half the width.
    S422,
    /// 4:2:0, chroma at half the width and half the height.
    S420,
}

impl ChromaSampling {
    /// Luma pixels a chroma sample stands for: wide, high.
    fn pixels(self) -> (u8, u8) {
        match self {
            ChromaSampling::S444 => (1, 1),
            ChromaSampling::S422 => (2, 1),
            ChromaSampling::S420 => (2, 2),
        }
    }
}

impl fmt::Display for ChromaSampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ChromaSampling::S444 => "4:4:4",
            ChromaSampling::S422 => "4:2:2",
            ChromaSampling::S420 => "4:2:0",
        })
    }
}

impl FromStr for ChromaSampling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "4:4:4" | "444" => Ok(ChromaSampling::S444),
            "4:2:2" | "422" => Ok(ChromaSampling::S422),
            "4:2:0" | "420" => Ok(ChromaSampling::S420),
            _ => Err(format!("{text:?} is none of 4:4:4, 4:2:2, 4:2:0")),
        }
    }
}

/// How to make the JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReencodeOptions {
    /// Quality of 1..=100 on libjpeg's scale. Default 100: every quantisation step is 1.
    pub quality: u8,
    /// Chroma subsampling. Default 4:4:4: nothing is averaged away.
    pub sampling: ChromaSampling,
    /// Bounds of the picture: [`Limits::pixels`] and, for the decoder's buffers, [`Limits::memory`].
    pub limits: Limits,
}

impl Default for ReencodeOptions {
    fn default() -> Self {
        ReencodeOptions { quality: 100, sampling: ChromaSampling::default(), limits: Limits::default() }
    }
}

/// What a decoder hands to the encoder: 8-bit samples, rows from top to bottom without gaps.
struct Picture {
    width: u32,
    height: u32,
    /// 1 (grey) or 3 (RGB) samples a pixel.
    samples: u8,
    data: Vec<u8>,
    /// EXIF orientation, 1..=8.
    orientation: u8,
}

/// Makes a baseline JPEG of an image in another format.
///
/// # Errors
/// [`Error::Limit`] for a picture beyond the limits, [`Error::Reencode`] where there is no decoder, the decoder refuses
/// the bytes, or no JPEG has the picture's size (65500 a side at most, the encoder's bound).
pub fn to_jpeg(bytes: &[u8], options: &ReencodeOptions) -> Result<Vec<u8>> {
    let picture = decode::decode(bytes, &options.limits)?;
    encode::encode(&picture, options)
}

/// Makes a baseline JPEG in YCbCr of a JPEG in CMYK or YCCK: `R = C * K / 255` of what is stored, and so on, which takes the
/// values as Adobe writes them, 255 for no ink, like Pillow and OpenCV. `orientation` (1..=8) is carried over.
///
/// Damage is not found here: decode the coefficients first.
///
/// # Errors
/// As [`to_jpeg`]; [`Reencode::Cmyk`] where libjpeg refuses the file or it has other than four components.
pub fn cmyk_to_jpeg(bytes: &[u8], orientation: u8, options: &ReencodeOptions) -> Result<Vec<u8>> {
    let picture = cmyk::decode(bytes, orientation, &options.limits)?;
    encode::encode(&picture, options)
}

/// What a caught panic says.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown error").into()
}

fn failed(reason: Reencode) -> Error {
    Error::Reencode(reason)
}

/// Whether [`to_jpeg`] has a decoder for the format.
pub fn is_supported(format: Format) -> bool {
    decode::decoder_of(format).is_some()
}

// The pixels are read back by the independent decoder of the verify wing.
#[cfg(all(test, feature = "verify"))]
mod tests {
    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::*;
    use crate::limits::LimitKind;

    fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// The pixels of a JPEG, by the independent decoder.
    fn pixels(jpeg: &[u8]) -> (u16, u16, Vec<u8>) {
        let mut decoder = jpeg_decoder::Decoder::new(jpeg);
        let data = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        (info.width, info.height, data)
    }

    #[test]
    fn alpha_is_dropped_not_composited() {
        let image = RgbaImage::from_pixel(19, 11, Rgba([200, 200, 200, 0]));
        let (width, height, data) = pixels(&to_jpeg(&png(image), &ReencodeOptions::default()).unwrap());
        assert_eq!((width, height, data.len()), (19, 11, 19 * 11 * 3));
        assert!(data.iter().all(|&x| x.abs_diff(200) <= 1), "{:?}", &data[..9]);
    }

    #[test]
    fn grey_and_sixteen_bits_give_one_component_of_eight() {
        let image = image::ImageBuffer::<image::Luma<u16>, _>::from_pixel(9, 9, image::Luma([0x8080]));
        let (_, _, data) = pixels(&to_jpeg(&png(image), &ReencodeOptions::default()).unwrap());
        assert_eq!(data.len(), 81);
        assert!(data.iter().all(|&x| x.abs_diff(0x80) <= 1));
    }

    #[test]
    fn quality_100_keeps_a_photograph_to_a_level_or_two() {
        let image = image::RgbImage::from_fn(40, 24, |x, y| image::Rgb([(x * 6) as u8, (y * 10) as u8, 90]));
        let wanted = image.as_raw().clone();
        let (_, _, data) = pixels(&to_jpeg(&png(image), &ReencodeOptions::default()).unwrap());
        assert!(data.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 3));
    }

    #[test]
    fn subsampling_reaches_the_frame_header() {
        let image = png(image::RgbImage::new(32, 32));
        for (sampling, factors) in
            [(ChromaSampling::S444, 0x11), (ChromaSampling::S422, 0x21), (ChromaSampling::S420, 0x22)]
        {
            let jpeg = to_jpeg(&image, &ReencodeOptions { sampling, ..Default::default() }).unwrap();
            // SOF0, its length, precision, height, width, count 3, then id and factors of the first component.
            let frame = jpeg.windows(4).position(|w| w == [0xff, 0xc0, 0, 17]).expect("a baseline frame of three");
            assert_eq!(jpeg[frame + 11], factors);
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_typed() {
        let options = ReencodeOptions::default();
        let error = to_jpeg(b"plain text", &options).unwrap_err();
        assert!(matches!(error, Error::Reencode(Reencode::Format(Format::Unknown))));
        let cut = &png(image::RgbImage::new(50, 50))[..40];
        let error = to_jpeg(cut, &options).unwrap_err();
        assert!(matches!(error, Error::Reencode(Reencode::Decode { format: Format::Png, .. })));
    }

    /// The other decoder gives inks with 255 for all of one. Noise through quality 100 comes back to 5 levels.
    #[test]
    fn cmyk_is_inks_times_black() {
        for name in ["color/cmyk-adobe-0", "color/cmyk-no-marker", "color/ycck-adobe-2", "encoders/pillow-cmyk"] {
            let path = format!("{}/fixtures/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let (_, _, inks) = pixels(&bytes);
            let (_, _, found) = pixels(&cmyk_to_jpeg(&bytes, 1, &ReencodeOptions::default()).unwrap());
            assert_eq!(inks.len() / 4, found.len() / 3);
            for (inks, found) in inks.chunks(4).zip(found.chunks(3)) {
                let paper = |i: usize| 255.0 - f64::from(inks[i]);
                for (ink, &found) in found.iter().enumerate() {
                    let expected = paper(ink) * paper(3) / 255.0;
                    assert!((expected - f64::from(found)).abs() < 6.0, "{name}: {inks:?} {found}");
                }
            }
        }
        let rgb = to_jpeg(&png(image::RgbImage::new(20, 20)), &ReencodeOptions::default()).unwrap();
        assert!(matches!(cmyk_to_jpeg(&rgb, 1, &ReencodeOptions::default()), Err(Error::Reencode(Reencode::Cmyk(_)))));
    }

    #[test]
    fn limits_hold_before_decoding() {
        let mut options = ReencodeOptions::default();
        options.limits.pixels = 100;
        let error = to_jpeg(&png(image::RgbImage::new(20, 20)), &options).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::Pixels, found: 400, limit: 100 }));
        options.limits = Limits::default();
        options.limits.memory = 1000;
        let error = to_jpeg(&png(image::RgbImage::new(20, 20)), &options).unwrap_err();
        assert!(matches!(error, Error::Limit { kind: LimitKind::Memory, found: 1200, limit: 1000 }));
    }

    #[test]
    fn a_picture_too_long_for_a_jpeg_is_refused() {
        let image = png(image::GrayImage::new(70000, 1));
        let error = to_jpeg(&image, &ReencodeOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Reencode(Reencode::Size(70000, 1))));
    }

    #[test]
    fn orientation_is_carried_over() {
        let picture = Picture { width: 8, height: 8, samples: 1, data: vec![0; 64], orientation: 6 };
        let jpeg = encode::encode(&picture, &ReencodeOptions::default()).unwrap();
        let at = jpeg.windows(6).position(|w| w == b"Exif\0\0").expect("an EXIF segment") + 6;
        assert_eq!(jpeg[at..at + 4], *b"MM\0*");
        assert_eq!(jpeg[at + 10..at + 20], [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6]);
    }
}
