//! What is recognised and not read is named; what a file holds besides its first image is said.

mod support;

use jpegdct::error::{Malformed, Unsupported};
use jpegdct::markers::sniff::Format;
use jpegdct::{Coefficients, Error, WarningKind};

fn refusal(path: &str) -> Error {
    Coefficients::decode(&support::read(path)).expect_err(path)
}

#[test]
fn relatives_of_jpeg_are_refused_by_name() {
    use Unsupported::{Hierarchical, JpegLs, Lossless};
    for (name, expected, word) in [
        ("lossless", Lossless(3), "lossless JPEG"),
        ("lossless-arithmetic", Lossless(11), "lossless JPEG"),
        ("differential-lossless", Lossless(7), "lossless JPEG"),
        ("differential-sequential", Hierarchical(0xc5), "hierarchical JPEG"),
        ("differential-progressive", Hierarchical(0xc6), "hierarchical JPEG"),
        ("differential-arithmetic", Hierarchical(0xcd), "hierarchical JPEG"),
        ("hierarchical", Hierarchical(0xde), "hierarchical JPEG"),
        ("expand", Hierarchical(0xdf), "hierarchical JPEG"),
        ("jpeg-ls", JpegLs, "JPEG-LS"),
    ] {
        let error = refusal(&format!("refused/{name}.jpg"));
        assert!(matches!(&error, Error::Unsupported { kind, .. } if *kind == expected), "{name}: {error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn other_formats_are_named() {
    for (name, expected, word) in [
        ("jpeg2000", Format::Jpeg2000, "JPEG 2000"),
        ("jpeg2000-codestream", Format::Jpeg2000, "JPEG 2000"),
        ("jpegxl", Format::JpegXl, "JPEG XL"),
        ("jpegxl-codestream", Format::JpegXl, "JPEG XL"),
        ("jpegxr", Format::JpegXr, "JPEG XR"),
        ("avif", Format::Avif, "AVIF"),
        ("png", Format::Png, "PNG"),
        ("empty", Format::Empty, "empty"),
        ("html", Format::Unknown, "unknown"),
    ] {
        let error = refusal(&format!("not_jpeg/{name}.jpg"));
        assert!(matches!(error, Error::NotJpeg(format) if format == expected), "{name}: {error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_second_start_of_image_is_malformed() {
    for name in ["soi-twice", "soi-in-header"] {
        let error = refusal(&format!("refused/{name}.jpg"));
        assert!(matches!(error, Error::Malformed { kind: Malformed::SecondSoi, .. }), "{name}: {error}");
    }
}

/// The first of several images is read, and is what it is alone; the rest is no damage.
#[test]
fn further_images_are_said() {
    let decode = |name: &str| Coefficients::decode(&support::read(&format!("segments/{name}.jpg"))).expect(name);
    let digests = |image: &Coefficients| image.planes.iter().map(|plane| plane.digest()).collect::<Vec<_>>();
    let (several, alone, unmarked) = (decode("mpo"), decode("mpo-alone"), decode("two-images"));
    assert_eq!(several.warnings.iter().map(|w| w.kind).collect::<Vec<_>>(), [WarningKind::FurtherImages(2)]);
    assert!(several.warnings[0].to_string().contains("2 further images"));
    assert!(alone.warnings.is_empty());
    assert!(matches!(unmarked.warnings[0].kind, WarningKind::TrailingBytes(_)));
    assert_eq!(digests(&several), digests(&alone));
    assert_eq!(digests(&several), digests(&unmarked));
}
