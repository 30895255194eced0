//! Bodies of the fuzz targets: what must hold for any bytes.
//!
//! What enters: bytes that nobody vouches for. What leaves: nothing, or a panic that names what does not hold. `fuzz/` has a
//! target for each body; an ordinary test runs them over every fixture and every saved finding. Limits are low, so that a
//! run is short: what they bound is the matter of other tests.

use crate::coefficients::Coefficients;
use crate::error::{Error, Result};
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::limits::Limits;
use crate::markers::ColorModel;
use crate::recipe::Recipe;
use crate::reencode::{ReencodeOptions, cmyk_to_jpeg, is_supported, to_jpeg};
use crate::scans::{Damage, DecodeOptions, Scratch};
use crate::verify::{DEFAULT_TOLERANCE, Verifier, VerifyError, VerifyScratch};

/// A body.
pub type Body = fn(&[u8]);

/// All bodies by name.
pub const BODIES: [(&str, Body); 5] =
    [("decode", decode), ("inspect", inspect), ("extract", extract), ("recipe", recipe), ("reencode", reencode)];

fn options(damage: Damage, pixels: u64) -> DecodeOptions {
    let mut limits = Limits::default();
    (limits.pixels, limits.memory, limits.scans) = (pixels, 64 << 20, 100);
    let mut options = DecodeOptions::default();
    (options.damage, options.limits) = (damage, limits);
    options
}

fn digests(image: &Coefficients) -> Vec<u64> {
    image.planes.iter().map(|plane| plane.digest()).collect()
}

/// Whatever damage is, refusing and keeping agree on it; planes have the size that the frame says; buffers that were used
/// before change nothing.
pub fn decode(bytes: &[u8]) {
    let mut scratch = Scratch::default();
    let kept = Coefficients::decode_with(bytes, &options(Damage::Keep, 1 << 20), &mut scratch);
    let strict = Coefficients::decode_with(bytes, &options(Damage::Refuse, 1 << 20), &mut scratch);
    match (&kept, &strict) {
        (Ok(kept), Ok(strict)) => {
            assert!(!kept.is_damaged(), "damage that is not refused: {:?}", kept.warnings);
            assert_eq!(kept, strict);
        }
        (Ok(kept), Err(error)) => {
            assert!(kept.is_damaged() && matches!(error, Error::Damaged(_)), "kept {:?}: {error}", kept.warnings);
        }
        (Err(Error::Limit { .. }), Err(Error::Limit { .. } | Error::Damaged(_))) => {}
        (Err(a), Err(b)) => assert!(a.kind() == b.kind() || matches!(b, Error::Damaged(_)), "{a}; {b}"),
        (Err(error), Ok(_)) => panic!("kept fails where strict does not: {error}"),
    }
    if let Ok(kept) = &kept {
        for (plane, component) in kept.planes.iter().zip(&kept.info.frame.components) {
            assert_eq!(plane.values.len() as u64, 64 * component.block_count());
        }
    }
}

/// Every message can be written, and digests do not depend on what was decoded before.
pub fn inspect(bytes: &[u8]) {
    let options = options(Damage::Keep, 1 << 20);
    let mut scratch = Scratch::default();
    let first = Coefficients::decode_with(bytes, &options, &mut scratch);
    let again = Coefficients::decode_with(bytes, &options, &mut scratch);
    match (first, again) {
        (Ok(first), Ok(again)) => {
            assert!(first.warnings.iter().all(|warning| !warning.to_string().is_empty()));
            assert_eq!(
                (digests(&first), &first.warnings, first.scans),
                (digests(&again), &again.warnings, again.scans)
            );
        }
        (Err(first), Err(again)) => {
            assert_eq!((first.to_string(), first.offset()), (again.to_string(), again.offset()))
        }
        (first, _) => panic!("the second time is another: {:?}", first.map(|image| image.scans)),
    }
}

/// Recipes by the sum of an input's bytes, so that one input always has the same.
const RECIPES: [&str; 8] = [
    "",
    "edge = 'replicate'\nlayout = 'hwc'\ndtype = 'f16'",
    "chroma = 'zero-pad'\nchannels = '192'",
    "kind = 'planes'\nlayout = 'blocks'",
    "kind = 'quantised'\nlayout = 'blocks'\ndtype = 'i16'",
    "chroma = 'replicate'\nnormalize = 'dctnet'\n[geometry]\norient = true\nresize.size = [21, 40]\ncrop.center = 24",
    "[geometry]\nrotate = 90\nrandom_resized_crop = { size = 32 }\nflip = 0.5\n[photometric]\ncutout = { blocks = 2 }",
    "[geometry]\nresize = { short = 30, antialias = false, filter = 'bicubic' }\nupscale = { luma = 1, chroma = 2, average = 2 }",
];

/// A tensor has the size it states; of a sound file it is what samples say.
pub fn extract(bytes: &[u8]) {
    let sum: usize = bytes.iter().map(|&byte| usize::from(byte)).sum();
    let Ok(recipe) = Recipe::from_toml(RECIPES[sum % RECIPES.len()]) else { panic!("the recipes here are valid") };
    if let Some(extraction) = tensors(recipe.clone(), bytes, options(Damage::Keep, 1 << 16)) {
        let count = extraction.tensors.len();
        assert!((1..=256).contains(&count), "{count} tensors");
    }
    let Ok(verifier) = Verifier::new(recipe, options(Damage::Refuse, 1 << 14)) else { return };
    match verifier.verify(bytes, "key", &mut VerifyScratch::default()) {
        Ok(report) => assert!(report.excess() <= DEFAULT_TOLERANCE, "{}", report.excess()),
        Err(VerifyError::Decode(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

/// The tensors of an image, if it has any.
fn tensors(recipe: Recipe, bytes: &[u8], options: DecodeOptions) -> Option<Extraction> {
    let extractor = Extractor::new(recipe, options).ok()?;
    let extraction = extractor.extract(bytes, "key", &mut ExtractScratch::default()).ok()?;
    for tensor in &extraction.tensors {
        assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len(), "{:?}", tensor.shape);
    }
    Some(extraction)
}

/// A text is no recipe, or one that survives being written, and whose tensors have the size they state.
pub fn recipe(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = text.parse::<crate::recipe::ChannelSet>();
    let Ok(recipe) = Recipe::from_toml(text).or_else(|_| Recipe::from_json(text)) else { return };
    match Recipe::from_json(&recipe.to_json()) {
        Ok(again) => assert_eq!((again.hash(), again.to_json()), (recipe.hash(), recipe.to_json())),
        Err(error) => panic!("{error}: {}", recipe.to_json()),
    }
    let picture = [&b"P6 13 9 255\n"[..], &[77; 13 * 9 * 3]].concat();
    match to_jpeg(&picture, &ReencodeOptions::default()) {
        Ok(jpeg) => tensors(recipe, &jpeg, options(Damage::Refuse, 1 << 16)),
        Err(error) => panic!("{error}"),
    };
}

/// What is re-encoded is a sound JPEG.
pub fn reencode(bytes: &[u8]) {
    let mut made = ReencodeOptions::default();
    (made.limits.pixels, made.limits.memory) = (1 << 16, 16 << 20);
    let check = |jpeg: Result<Vec<u8>>| match jpeg.map(|jpeg| Coefficients::decode(&jpeg)) {
        Ok(Ok(image)) => assert!(image.warnings.is_empty(), "{:?}", image.warnings),
        Ok(Err(error)) => panic!("{error}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    };
    match Coefficients::decode_with(bytes, &options(Damage::Keep, 1 << 16), &mut Scratch::default()) {
        Ok(image) if matches!(image.info.color, ColorModel::Cmyk | ColorModel::Ycck) => {
            check(cmyk_to_jpeg(bytes, image.info.orientation, &made));
        }
        Err(Error::NotJpeg(format)) if is_supported(format) => check(to_jpeg(bytes, &made)),
        _ => {}
    }
}
