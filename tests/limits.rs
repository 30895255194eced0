//! What a file may cost: files that ask for too much are refused by the limit that holds, soon.

mod support;

use jpegdct::error::Malformed;
use jpegdct::limits::LimitKind;
use jpegdct::{Coefficients, Damage, DecodeOptions, Error, Extractor, Limits, Recipe, Scratch};

fn decode(bytes: &[u8], change: impl FnOnce(&mut Limits)) -> Result<Coefficients, Error> {
    let mut options = DecodeOptions::default();
    options.damage = Damage::Keep;
    change(&mut options.limits);
    Coefficients::decode_with(bytes, &options, &mut Scratch::default())
}

/// The limit that was exceeded.
fn exceeded(result: Result<Coefficients, Error>) -> LimitKind {
    match result {
        Err(Error::Limit { kind, found, limit }) => {
            assert!(found > limit);
            kind
        }
        other => panic!("{:?}", other.map(|image| image.warnings)),
    }
}

/// The file with another size in its frame header.
fn resized(name: &str, side: u16) -> Vec<u8> {
    let mut bytes = support::read(name);
    let frame = bytes.windows(2).position(|pair| pair[0] == 0xff && matches!(pair[1], 0xc0..=0xc2 | 0xc9 | 0xca));
    let at = frame.expect("a frame header") + 5;
    bytes[at..at + 2].copy_from_slice(&side.to_be_bytes());
    bytes[at + 2..at + 4].copy_from_slice(&side.to_be_bytes());
    bytes
}

#[test]
fn a_header_alone_costs_nothing() {
    for name in
        ["baseline/420-36x28.jpg", "progressive/420.jpg", "arithmetic/420.jpg", "arithmetic/420-progressive.jpg"]
    {
        assert_eq!(exceeded(decode(&resized(name, 65500), |_| {})), LimitKind::Pixels, "{name}");
        // Within the limits, but a few hundred bytes do not hold a million blocks.
        let large = resized(name, 16000);
        assert_eq!(exceeded(decode(&large, |_| {})), LimitKind::Memory, "{name}");
        for recipe in ["native-24", "dctnet-24", "planes"] {
            let extractor = Extractor::new(Recipe::preset(recipe).unwrap(), DecodeOptions::default()).unwrap();
            let result = extractor.extract_bytes(&large);
            assert!(matches!(result, Err(Error::Limit { kind: LimitKind::Memory, .. })), "{name}");
        }
    }
}

#[test]
fn scans_without_data_are_not_worth_a_pass_each() {
    for name in ["refused/empty-scans.jpg", "refused/empty-scans-arithmetic.jpg"] {
        let bytes = support::read(name);
        assert_eq!(exceeded(decode(&bytes, |limits| limits.passes = 2)), LimitKind::Passes, "{name}");
        assert_eq!(exceeded(decode(&bytes, |limits| limits.scans = 20)), LimitKind::Scans, "{name}");
        assert_eq!(exceeded(decode(&bytes, |_| {})), LimitKind::Passes, "{name}");
    }
}

#[test]
#[ignore = "seconds: all 883 passes over 16 megapixels"]
fn a_higher_limit_pays_for_all_passes() {
    let image = decode(&support::read("refused/empty-scans.jpg"), |limits| limits.passes = 1000).unwrap();
    assert_eq!((image.scans, image.warnings), (883, vec![]), "the file is sound");
    assert!(image.planes[0].values.iter().all(|&value| value == 0));
    // The arithmetic decoder makes something of zeros that are not there.
    let image = decode(&support::read("refused/empty-scans-arithmetic.jpg"), |limits| limits.passes = 1000).unwrap();
    assert_eq!(image.scans, 883);
}

/// Scripts with a scan for every coefficient, and bit by bit, are far below the default.
#[test]
fn scans_with_data_are_worth_their_pass() {
    for name in ["progressive/one-scan-per-coefficient.jpg", "progressive/bit-planes.jpg", "arithmetic/all-zero.jpg"] {
        decode(&support::read(name), |limits| limits.passes = 1).unwrap();
    }
}

#[test]
fn every_limit_can_be_set() {
    let bytes = support::read("progressive/420.jpg");
    let count = bytes.len() as u64;
    assert_eq!(exceeded(decode(&bytes, |limits| limits.pixels = 36 * 28 - 1)), LimitKind::Pixels);
    assert_eq!(exceeded(decode(&bytes, |limits| limits.memory = 20 * 128)), LimitKind::Memory);
    assert_eq!(exceeded(decode(&bytes, |limits| limits.scans = 9)), LimitKind::Scans);
    assert_eq!(exceeded(decode(&bytes, |limits| limits.segments = 3)), LimitKind::Segments);
    assert_eq!(exceeded(decode(&bytes, |limits| limits.file_bytes = count - 1)), LimitKind::FileBytes);
}

/// The pixels and the memory that an image of this size asks for by a recipe.
fn asked(recipe: &str, bytes: &[u8], change: impl FnOnce(&mut Limits)) -> Option<(LimitKind, u64)> {
    let mut options = DecodeOptions::default();
    change(&mut options.limits);
    let extractor = Extractor::new(Recipe::from_toml(recipe).unwrap(), options).unwrap();
    match extractor.extract_bytes(bytes) {
        Ok(_) => None,
        Err(Error::Limit { kind, found, limit }) if found > limit => Some((kind, found)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn maps_count_as_memory() {
    let bytes = support::read("photos/coffee-420.jpg");
    let recipe = "channels = 'y:0'\n[geometry]\nresize = { size = [8, 16384], filter = 'lanczos3', antialias = true }";
    // The tensor is 8 kB, a map of 16384 samples is not.
    let (kind, found) = asked(recipe, &bytes, |limits| limits.memory = 200_000).expect("the maps are counted");
    assert!(kind == LimitKind::Memory && found > 1_000_000, "{kind:?} {found}");
    assert_eq!(asked(recipe, &bytes, |limits| limits.memory = 20_000_000), None);
    // Those of every axis: what is enough for one is not for both.
    let both = recipe.replace("[8, 16384]", "[16384, 16384]").replace("y:0", "cb:0");
    let room = found + 4 * 2048 * 2048;
    assert!(
        matches!(asked(&both, &bytes, |limits| limits.memory = room), Some((LimitKind::Memory, more)) if more > room)
    );
    // A tensor of the native size has maps for its chroma, small ones.
    assert_eq!(asked("channels = '24'", &bytes, |limits| limits.memory = 24 * 4 * 50 * 75 + 100_000), None);
}

#[test]
fn the_image_between_two_axes_counts_as_pixels() {
    let bytes = support::read("photos/coffee-420.jpg");
    let recipe = "[geometry]\nresize.size = [8, 1000]";
    // 600 x 400, 1000 columns of 400 rows on the way.
    assert_eq!(asked(recipe, &bytes, |limits| limits.pixels = 400_000), None);
    let more = asked(recipe, &bytes, |limits| limits.pixels = 399_999);
    assert_eq!(more, Some((LimitKind::Pixels, 400_000)));
    let turned = recipe.replace("resize", "rotate = 90\nresize").replace("[8, 1000]", "[1000, 8]");
    assert_eq!(asked(&turned, &bytes, |limits| limits.pixels = 399_999), more);
    // Of a window, only its rows: 40 of them here.
    let window = "[geometry.random_resized_crop]\nsize = [8, 1000]\nscale = [0.1, 0.1]\nratio = [15.0, 15.0]";
    assert_eq!(asked(window, &bytes, |limits| limits.pixels = 240_000), None);
}

#[test]
fn segments_are_counted_before_and_after_scans() {
    let bytes = support::read("baseline/420-36x28.jpg");
    let comments = [0xff, 0xfe, 0, 2].repeat(10_001);
    let many = [&bytes[..2], &comments, &bytes[2..]].concat();
    assert_eq!(exceeded(decode(&many, |_| {})), LimitKind::Segments);
    decode(&many, |limits| limits.segments = 20_000).unwrap();
    let end = bytes.len() - 2;
    let many = [&bytes[..end], &comments, &bytes[end..]].concat();
    assert_eq!(exceeded(decode(&many, |_| {})), LimitKind::Segments);
    let cut = &bytes[..bytes.len() / 4];
    assert!(matches!(decode(cut, |_| {}), Err(Error::Malformed { kind: Malformed::HeaderTruncated, .. })));
}
