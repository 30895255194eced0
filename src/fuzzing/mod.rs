//! Bodies of the fuzz targets: what must hold for any bytes.
//!
//! What enters: bytes that nobody vouches for. What leaves: nothing, or a panic that names what does not hold. `fuzz/` has a
//! target for each body; an ordinary test runs them over every fixture and every saved finding. Limits are low, so that a
//! run is short: what they bound is the matter of other tests.

mod encode;
mod structure;

use std::ops::Range;

use crate::coefficients::Coefficients;
use crate::corpus;
use crate::error::{Error, Result};
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::limits::Limits;
use crate::markers::{ColorModel, ImageInfo};
use crate::recipe::Recipe;
use crate::reencode::{ReencodeOptions, cmyk_to_jpeg, is_supported, to_jpeg};
use crate::scans::{Block, Damage, DecodeOptions, Demand, Scratch, Tile, TileConsumer, decode_tiles};
use crate::spec::zigzag::to_row_major;
use crate::verify::{DEFAULT_TOLERANCE, Verifier, VerifyError, VerifyScratch};

pub use structure::{Made, make};

/// A body.
pub type Body = fn(&[u8]);

/// All bodies by name.
pub const BODIES: [(&str, Body); 8] = [
    ("decode", decode),
    ("inspect", inspect),
    ("extract", extract),
    ("recipe", recipe),
    ("reencode", reencode),
    ("structure", structure),
    ("archive", archive),
    ("list", list),
];

/// Threads on one file.
const THREADS: usize = 3;

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
/// before change nothing, and neither do several threads.
pub fn decode(bytes: &[u8]) {
    let mut scratch = Scratch::default();
    let kept = Coefficients::decode_with(bytes, &options(Damage::Keep, 1 << 20), &mut scratch);
    let strict = Coefficients::decode_with(bytes, &options(Damage::Refuse, 1 << 20), &mut scratch);
    for (damage, one) in [(Damage::Keep, &kept), (Damage::Refuse, &strict)] {
        let options = DecodeOptions { threads: THREADS, ..options(damage, 1 << 20) };
        let several = Coefficients::decode_with(bytes, &options, &mut scratch);
        match (one, &several) {
            (Ok(one), Ok(several)) => assert_eq!(one, several, "several threads make something else"),
            (Err(one), Err(several)) => {
                assert_eq!((one.to_string(), one.offset()), (several.to_string(), several.offset()));
            }
            (one, several) => panic!("one thread and several: {:?}, {:?}", one.is_ok(), several.is_ok()),
        }
    }
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

/// A sound file is decoded to what is in it, whole or some of its rows, and its tensors are what samples say.
pub fn structure(bytes: &[u8]) {
    let Made { jpeg, frame, planes, steps, .. } = make(bytes);
    decode(&jpeg);
    // A script may have more scans than the limit of files from anywhere.
    let mut all_scans = options(Damage::Refuse, 1 << 20);
    all_scans.limits.scans = u64::MAX;
    match Coefficients::decode_with(&jpeg, &all_scans, &mut Scratch::default()) {
        Ok(image) => {
            assert_eq!(image.info.frame, frame);
            for (plane, (blocks, steps)) in image.planes.iter().zip(planes.iter().zip(&steps)) {
                assert!(plane.values.chunks_exact(64).eq(blocks.iter().map(to_row_major)), "{:?}", plane.component);
                assert_eq!(plane.quant_table.map(|table| table.0), Some(*steps));
            }
        }
        Err(error) => panic!("{error}"),
    }
    let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
    let from = sum % frame.mcus_high;
    let wanted = from..frame.mcus_high.min(from + 1 + sum % 3);
    let decode = |threads| {
        let options = DecodeOptions { threads, ..all_scans };
        let mut rows = Rows { wanted: wanted.clone(), planes: &planes, next: vec![0; planes.len()] };
        (decode_tiles(&jpeg, &options, &mut Scratch::default(), &mut rows), rows)
    };
    let ((one, _), (several, rows)) = (decode(1), decode(THREADS));
    match several {
        Ok(several) => {
            assert_eq!(one.ok(), Some(several));
            for (component, &next) in frame.components.iter().zip(&rows.next) {
                let end = (rows.wanted.end * u32::from(component.v)).min(component.blocks_high);
                assert!(next >= end, "rows end at {next}, wanted to {end}");
            }
        }
        Err(error) => panic!("{error}"),
    }
    extract(&jpeg);
}

/// Holds the rows that it asked for to what they should be.
struct Rows<'a> {
    wanted: Range<u32>,
    planes: &'a [Vec<Block>],
    /// Per component: the row behind the last one seen.
    next: Vec<u32>,
}

impl TileConsumer for Rows<'_> {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        Ok(Demand { mcu_rows: self.wanted.clone(), ..Demand::all(info) })
    }

    fn begin(&mut self, info: &ImageInfo) -> Result<()> {
        let first = |component: &crate::spec::frame::Component| self.wanted.start * u32::from(component.v);
        self.next = info.frame.components.iter().map(first).collect();
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        for (c, (plane, next)) in self.planes.iter().zip(&mut self.next).enumerate() {
            let rows = tile.rows(c);
            assert!(rows.is_empty() || rows.start <= *next, "rows from {rows:?} on, {next} was next");
            for y in rows {
                let row = tile.row(c, y);
                let blocks = &plane[y as usize * row.len()..][..row.len()];
                assert!(row.iter().eq(blocks), "row {y} of component {c}");
                *next = (*next).max(y + 1);
            }
        }
        Ok(())
    }
}

/// An archive is listed and read in the same way compressed and not; what cannot be read of it has an entry.
pub fn archive(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).ok()?;
        let listing = corpus::list(&[path]);
        assert!(!listing.inputs.is_empty());
        let limits = options(Damage::Refuse, 1).limits;
        let mut found = Vec::new();
        for mut fed in corpus::feed(listing.inputs.iter(), &limits) {
            let mut bytes = Vec::new();
            let is_read = corpus::read(&mut fed, &limits, &mut bytes).is_ok();
            let input = fed.input;
            assert!(!input.place().split('/').any(|name| matches!(name, "" | "." | "..")), "{}", input.place());
            let class = input.label.class(&listing.classes);
            assert_eq!(class.is_some(), matches!(input.label, corpus::Label::Class(_)));
            found.push((is_read.then_some(bytes), input.label, class.map(str::to_string)));
        }
        Some(found)
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = std::io::Write::write_all(&mut packed, bytes).and_then(|()| packed.finish());
    // What is compressed already is no archive inside another compression.
    if let (false, Ok(packed)) = (bytes.starts_with(&[0x1f, 0x8b]), packed) {
        assert_eq!(read("a.tar", bytes), read("a.tar.gz", &packed));
    }
    read("b.tar", bytes);
}

/// A line of a list is a path or a lost input.
pub fn list(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("list.jsonl");
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let (paths, lost) = corpus::read_lines(&path);
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    assert_eq!(paths + lost, lines.max(1), "{paths} paths, {lost} lost");
}
