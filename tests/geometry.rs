//! Spatial steps against the same steps on samples: every fixture, every filter, every turn; what a recipe leaves unread.

#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};

use jpegdct::error::{Malformed, Mismatch};
use jpegdct::reencode::{ReencodeOptions, to_jpeg};
use jpegdct::verify::{DEFAULT_TOLERANCE, ImageReport, Verifier, VerifyError, VerifyScratch};
use jpegdct::{Coefficients, DecodeOptions, Error, ExtractScratch, Extractor, Recipe, Values};
use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    fixture: Vec<Fixture>,
}

/// What the manifest says of a file, as far as it matters here.
#[derive(Deserialize)]
struct Fixture {
    path: String,
    status: String,
    #[serde(default)]
    components: Vec<[u8; 3]>,
    #[serde(default)]
    quant_digests: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every fixture that decodes without damage and whose path satisfies a condition.
fn sound(wanted: impl Fn(&str) -> bool) -> Vec<(Fixture, Vec<u8>)> {
    let text = std::fs::read_to_string(folder().join("manifest.toml")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    let sound = manifest.fixture.into_iter().filter(|fixture| fixture.status == "ok" && wanted(&fixture.path));
    sound.map(|fixture| (std::fs::read(folder().join(&fixture.path)).unwrap(), fixture)).map(|(b, f)| (f, b)).collect()
}

/// A recipe from its geometry, with further lines before it.
fn recipe(fields: &str, geometry: &str) -> Recipe {
    Recipe::from_toml(&format!("{fields}\n[geometry]\n{geometry}")).unwrap()
}

fn verify(bytes: &[u8], recipe: Recipe, key: &str) -> ImageReport {
    let verifier = Verifier::new(recipe.clone(), DecodeOptions::default()).unwrap();
    let report = verifier.verify(bytes, key, &mut VerifyScratch::default()).unwrap();
    assert!(report.excess() <= DEFAULT_TOLERANCE, "{}: {recipe:?}", report.excess());
    report
}

/// Verifies fixtures; gives back how many were compared.
fn sweep(fixtures: &[(Fixture, Vec<u8>)], recipe: &Recipe) -> usize {
    let verifier = Verifier::new(recipe.clone(), DecodeOptions::default()).unwrap();
    let mut scratch = VerifyScratch::default();
    let mut compared = 0;
    for (fixture, bytes) in fixtures {
        match verifier.verify(bytes, &fixture.path, &mut scratch) {
            Ok(report) => {
                let excess = report.excess();
                assert!(excess <= DEFAULT_TOLERANCE, "{}: {excess}: {recipe:?}", fixture.path);
                compared += 1;
            }
            // CMYK, and two components, are not linear in YCbCr.
            Err(VerifyError::Decode(Error::Mismatch(Mismatch::ColorModel(_))))
                if !matches!(fixture.components.len(), 1 | 3) => {}
            Err(VerifyError::Decode(Error::Malformed { kind: Malformed::MissingQuantTable(_), .. }))
                if fixture.quant_digests.is_empty() => {}
            Err(error) => panic!("{}: {error}: {recipe:?}", fixture.path),
        }
    }
    compared
}

/// Smooth colour with fine detail, as a JPEG of a sampling.
fn jpeg(width: u32, height: u32, sampling: &str) -> Vec<u8> {
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f64::from(x), f64::from(y));
            let wave = |a: f64, b: f64, c: f64| (128.0 + 90.0 * (a * x + b * y + c).sin()) as u8;
            bytes.extend([wave(0.11, 0.07, 0.0), wave(0.05, 0.6, 1.0), wave(0.9, -0.1, 2.0)]);
        }
    }
    let mut options = ReencodeOptions::default();
    options.sampling = sampling.parse().unwrap();
    to_jpeg(&bytes, &options).unwrap()
}

/// The file with an EXIF block that states an orientation.
fn oriented(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
    let length = (2 + 6 + tiff.len()) as u16;
    let segment = [&[0xff, 0xe1][..], &length.to_be_bytes(), b"Exif\0\0", &tiff].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

const FILTERS: [&str; 5] = ["nearest", "bilinear", "area", "bicubic", "lanczos3"];

/// Sampling ratios, single pixels, grey, RGB, EXIF and 12-bit files.
fn varied() -> Vec<(Fixture, Vec<u8>)> {
    sound(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let sampling = path.starts_with("sampling/") && (name.contains("33x17") || name.contains("1x1"));
        sampling || path.starts_with("color/") || path.starts_with("twelve_bit/")
    })
}

#[test]
fn every_filter_on_every_sampling_and_colour() {
    let fixtures = varied();
    for filter in FILTERS {
        for antialias in [true, false] {
            for size in ["[23, 50]", "[9, 14]", "[1, 1]"] {
                let geometry = format!("resize = {{ size = {size}, filter = '{filter}', antialias = {antialias} }}");
                assert!(sweep(&fixtures, &recipe("", &geometry)) > 30);
            }
        }
    }
}

/// The whole product: five filters by both rules, the sampling ratios of the fixtures and of an encoder's files of odd
/// sizes, eight orientations. Small files, so that it costs seconds; the large ones have tests of their own.
#[test]
fn every_filter_sampling_odd_size_and_orientation() {
    let ratios = sound(|path| {
        let odd = path.ends_with("-33x17.jpg") || path.ends_with("-1x1.jpg");
        path.starts_with("sampling/") && odd && !path.contains("/two-") && !path.contains("/four-")
    });
    let mut files: Vec<Vec<u8>> = ratios.into_iter().map(|(_, bytes)| bytes).collect();
    assert!(files.len() > 20);
    for sampling in ["4:4:4", "4:2:2", "4:2:0"] {
        for (width, height) in [(1, 1), (1, 23), (19, 1), (7, 9), (15, 17), (23, 8), (8, 31)] {
            files.push(jpeg(width, height, sampling));
        }
    }
    let mut scratch = VerifyScratch::default();
    for (filter, antialias) in FILTERS.iter().flat_map(|filter| [(filter, true), (filter, false)]) {
        let resize = format!("resize = {{ size = [13, 21], filter = '{filter}', antialias = {antialias} }}");
        let recipe = recipe("channels = 'y:0,1,9,63;cb:0,8,54;cr:0,1'", &format!("orient = true\n{resize}"));
        let verifier = Verifier::new(recipe, DecodeOptions::default()).unwrap();
        for (number, bytes) in files.iter().enumerate() {
            for orientation in 1..=8 {
                let report = verifier.verify(&oriented(bytes, orientation), "", &mut scratch).unwrap();
                let excess = report.excess();
                assert!(excess <= DEFAULT_TOLERANCE, "{excess}: file {number}, {orientation}, {resize}");
                assert_eq!(report.tensors[0].shape, [9, 2, 3], "the size is of the upright image");
            }
        }
    }
}

#[test]
fn every_chroma_mode_and_all_frequencies() {
    let fixtures = varied();
    for chroma in ["triangle", "replicate", "zero-pad"] {
        for geometry in ["resize.short = 40", "crop = { x = 3, y = 5, w = 12, h = 9 }", "orient = true\nrotate = 90"] {
            assert!(sweep(&fixtures, &recipe(&format!("channels = '192'\nchroma = '{chroma}'"), geometry)) > 30);
        }
    }
}

#[test]
fn every_small_fixture_through_chains_of_steps() {
    let fixtures = sound(|path| !path.starts_with("photos/"));
    for geometry in [
        "orient = true",
        "hflip = true\nvflip = true",
        "rotate = 270\ncrop.center = 16",
        "crop = { x = 8, y = 8, w = 8, h = 8 }",
        "resize.short = 56\ncrop.center = 50\nhflip = true",
        "resize = { size = [40, 60], fit = 'contain' }\npad = { size = [40, 60], value = 114, align = 'center' }",
        "resize = { size = [20, 31], fit = 'cover', filter = 'bicubic' }\ncrop.center = [20, 31]",
        "resize = { long = 50, short = 30, antialias = false }\npad = { multiple = 32, mode = 'edge' }",
        "orient = true\nresize = { short = 32, antialias = false }\ncrop.center = 24\nupscale = { luma = 1, chroma = 2, average = 2 }",
        "upscale = { luma = 2, chroma = 4, average = 2 }",
        "upscale = { luma = 1, chroma = 3, average = 3 }\npad = { size = 40 }",
        "random_resized_crop = { size = [24, 40] }\nflip = 0.5\nseed = 3",
    ] {
        assert!(sweep(&fixtures, &recipe("", geometry)) > 300, "{geometry}");
    }
}

#[test]
fn layouts_and_types_after_a_turn() {
    let fixtures = sound(|path| path.starts_with("exif/") || path.starts_with("sampling/420"));
    for fields in
        ["layout = 'hwc'", "dtype = 'f16'", "dtype = 'i16'\nlayout = 'hwc'", "normalize = 'dctnet'\nedge = 'replicate'"]
    {
        for geometry in ["orient = true", "rotate = 90", "orient = true\nresize.short = 30"] {
            assert!(sweep(&fixtures, &recipe(fields, geometry)) > 20);
        }
    }
}

#[test]
fn every_orientation_is_the_turn_it_states() {
    let stored = jpeg(37, 23, "4:2:0");
    let values = |bytes: &[u8], geometry: &str| {
        let extractor = Extractor::new(recipe("", geometry), DecodeOptions::default()).unwrap();
        extractor.extract_bytes(bytes).unwrap().tensors.remove(0)
    };
    let turns = ["", "hflip = true", "rotate = 180", "vflip = true", "", "rotate = 90", "", "rotate = 270"];
    for (orientation, turn) in (1..).zip(turns) {
        let bytes = oriented(&stored, orientation);
        for geometry in ["orient = true", "orient = true\nresize.short = 16\ncrop.center = 9"] {
            verify(&bytes, recipe("", geometry), "");
        }
        let upright = values(&bytes, "orient = true");
        let (wide, high) = if orientation > 4 { (3, 5) } else { (5, 3) };
        assert_eq!(upright.shape, [24, high, wide]);
        if !turn.is_empty() {
            assert_eq!(upright, values(&stored, turn), "{orientation}");
        }
        assert_eq!(values(&bytes, "hflip = true"), values(&stored, "hflip = true"), "off unless asked for");
    }
}

#[test]
fn large_photographs() {
    let bytes = jpeg(1200, 900, "4:2:0");
    for geometry in [
        "resize = { short = 512, antialias = false }\ncrop.center = 448\nupscale = { luma = 1, chroma = 2, average = 2 }",
        "resize = { size = [224, 224], filter = 'lanczos3' }",
        "resize = { short = 1000, filter = 'bicubic' }\nvflip = true",
        "rotate = 90\ncrop = { x = 401, y = 133, w = 333, h = 777 }",
    ] {
        // The decoder's own rounding, and nothing else, is between the pixels' tensor and this one.
        let real = verify(&bytes, recipe("", geometry), "").real.unwrap();
        assert_eq!(real.blocks, real.blocks_compared);
        let rms = real.all.unwrap().rms;
        assert!(rms < 0.6, "{rms}: {geometry}");
    }
    verify(&jpeg(1201, 899, "4:4:4"), recipe("", "orient = true\nresize.short = 256\ncrop.center = 224"), "");
}

#[test]
fn chance_is_of_seed_and_key() {
    let bytes = jpeg(120, 90, "4:2:0");
    let geometry = "random_resized_crop = { size = 64 }\nflip = 0.5\nseed = 5";
    let extractor = Extractor::new(recipe("", geometry), DecodeOptions::default()).unwrap();
    let mut scratch = ExtractScratch::default();
    let mut extract = |key: &str| extractor.extract(&bytes, key, &mut scratch).unwrap().tensors.remove(0).values;
    let (a, b) = (extract("a"), extract("b"));
    assert_ne!(a, b);
    assert_eq!(extract("a"), a, "whatever came before");
    let again = Extractor::new(recipe("", geometry), DecodeOptions::default()).unwrap();
    assert_eq!(again.extract(&bytes, "a", &mut ExtractScratch::default()).unwrap().tensors[0].values, a);
    let other = Extractor::new(recipe("", &geometry.replace("= 5", "= 6")), DecodeOptions::default()).unwrap();
    assert_ne!(other.extract(&bytes, "a", &mut ExtractScratch::default()).unwrap().tensors[0].values, a);
    for key in ["a", "b", "c", "d", "e", "f"] {
        verify(&bytes, recipe("", geometry), key);
    }
}

/// Damage below the last row that a crop needs does not matter: nobody decodes it.
#[test]
fn rows_below_the_last_needed_one_are_not_decoded() {
    let whole = jpeg(400, 400, "4:2:0");
    let cut = &whole[..whole.len() / 2];
    let extract = |bytes: &[u8], geometry: &str| {
        let extractor = Extractor::new(recipe("", geometry), DecodeOptions::default()).unwrap();
        extractor.extract_bytes(bytes).map(|extraction| extraction.tensors)
    };
    let top = "crop = { x = 11, y = 0, w = 300, h = 100 }";
    assert_eq!(extract(cut, top).unwrap(), extract(&whole, top).unwrap());
    assert!(matches!(extract(cut, "crop = { x = 11, y = 200, w = 300, h = 200 }"), Err(Error::Damaged(_))));
}

/// An image of one component has MCUs of one block, whatever sampling factors its header states (T.81 A.2.2).
#[test]
fn factors_of_a_lone_component_change_nothing() {
    let samples: Vec<u8> = (0..90 * 210u32).map(|i| (i * i / 97 % 251) as u8).collect();
    let sound = to_jpeg(&[&b"P5 90 210 255\n"[..], &samples].concat(), &ReencodeOptions::default()).unwrap();
    let frame = sound.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    assert_eq!(sound[frame + 9..frame + 12], [1, 1, 0x11], "one component");
    let geometries =
        ["", "orient = true", "crop = { x = 3, y = 85, w = 60, h = 90 }", "rotate = 90\nresize.short = 50"];
    for factors in [0x12, 0x21, 0x22, 0x23, 0x34, 0x44] {
        let mut stated = sound.clone();
        stated[frame + 11] = factors;
        let digest = |bytes: &[u8]| Coefficients::decode(bytes).unwrap().planes[0].digest();
        assert_eq!(digest(&stated), digest(&sound), "{factors:x}");
        for geometry in geometries {
            let extractor = Extractor::new(recipe("", geometry), DecodeOptions::default()).unwrap();
            let extract = |bytes: &[u8]| extractor.extract_bytes(bytes).unwrap().tensors;
            assert_eq!(extract(&stated), extract(&sound), "{factors:x}, {geometry}");
        }
    }
}

#[test]
fn padding_is_black_or_grey() {
    let bytes = jpeg(8, 8, "4:4:4");
    for (value, dc) in [(0u8, -1024.0), (128, 0.0), (255, 1016.0)] {
        let recipe = recipe("channels = 'y:0,1;cb:0'", &format!("pad = {{ size = [16, 16], value = {value} }}"));
        let tensor = Extractor::new(recipe, DecodeOptions::default()).unwrap().extract_bytes(&bytes).unwrap();
        let Values::F32(values) = &tensor.tensors[0].values else { panic!("f32") };
        for (channel, expected) in [dc, 0.0, 0.0].into_iter().enumerate() {
            for block in 1..4 {
                assert!((values[4 * channel + block] - expected).abs() < 1e-3, "{values:?}");
            }
        }
    }
}

#[test]
fn dctnet_on_samplings_and_colours() {
    let fixtures = sound(|path| {
        let sampling = path.starts_with("sampling/4") && path.ends_with("33x17.jpg");
        sampling || path.starts_with("color/grey") || path.starts_with("color/rgb") || path == "baseline/ac-bounds.jpg"
    });
    assert!(sweep(&fixtures, &Recipe::preset("dctnet-24").unwrap()) >= 8);
}

#[test]
fn dctnet_presets_on_photographs() {
    let (wide, tall) = (jpeg(500, 375, "4:2:0"), jpeg(333, 501, "4:4:4"));
    for (name, bytes, shape) in [
        ("dctnet-24", &wide, [24, 56, 56]),
        ("dctnet-192", &tall, [192, 56, 56]),
        ("dctnet-mobilenet-32", &tall, [32, 112, 112]),
        // 1066.67 x 800, padded to 1088 x 800.
        ("dctnet-detection-24", &wide, [24, 200, 272]),
    ] {
        let report = verify(bytes, Recipe::preset(name).unwrap(), "");
        assert_eq!(report.tensors[0].shape, shape);
    }
}

#[test]
fn brightness_and_colour_on_every_sampling() {
    let fixtures = varied();
    for photometric in [
        "brightness = [0.5, 1.5]\ncontrast = [0.5, 1.5]\nsaturation = [0.0, 2.0]\nseed = 3",
        "grayscale = 0.5\nbrightness = [1.3, 1.3]",
    ] {
        for rest in ["", "normalize = 'dctnet'\n[geometry]\norient = true\nresize.short = 20\npad.size = 32"] {
            let recipe = Recipe::from_toml(&format!("{rest}\n[photometric]\n{photometric}")).unwrap();
            assert!(sweep(&fixtures, &recipe) > 30);
        }
    }
    // Twice as bright: black stays black, and what was 64 is 128.
    let dc = |photometric: &str| {
        let recipe = Recipe::from_toml(&format!("channels = 'y:0'\n[photometric]\n{photometric}")).unwrap();
        let extractor = Extractor::new(recipe, DecodeOptions::default()).unwrap();
        let tensor = extractor.extract_bytes(&jpeg(8, 8, "4:4:4")).unwrap().tensors.remove(0);
        let Values::F32(values) = tensor.values else { panic!("f32") };
        f64::from(values[0])
    };
    let mean = |dc: f64| dc / 8.0 + 128.0;
    assert!((mean(dc("brightness = [2, 2]")) - 2.0 * mean(dc(""))).abs() < 1e-3);
}

/// The block operations, for many keys, so that every chance comes up; after turns, in every layout and type.
#[test]
fn block_operations_on_every_sampling() {
    let fixtures = varied();
    for photometric in [
        "frequency_enhancement = [0.2, 3.0]",
        "chroma_drop = 0.8\nsaturation = [0.5, 2.0]",
        "cutout = { blocks = 2, p = 0.8 }\nbrightness = [1.5, 1.5]",
        "frequency_enhancement = [0.0, 0.0]\ncutout = { blocks = 3 }\nchroma_drop = 0.5\nseed = 9",
    ] {
        for rest in [
            "",
            "normalize = 'dctnet'\nlayout = 'hwc'\nedge = 'replicate'",
            "normalize = 'dctnet'\ndtype = 'f16'\n[geometry]\nrotate = 90\nresize.size = [40, 70]",
            "chroma = 'zero-pad'\ndtype = 'i16'\n[geometry]\nrotate = 270\npad.size = 50\nflip = 0.5",
        ] {
            let recipe = Recipe::from_toml(&format!("{rest}\n[photometric]\n{photometric}")).unwrap();
            assert!(sweep(&fixtures, &recipe) > 30);
        }
    }
}

#[test]
fn a_cutout_is_mid_grey_in_the_upright_tensor() {
    let bytes = jpeg(96, 40, "4:2:0");
    let values = |text: &str, key: &str| {
        let recipe = Recipe::from_toml(&format!("normalize = 'dctnet'\n{text}")).unwrap();
        let extractor = Extractor::new(recipe, DecodeOptions::default()).unwrap();
        let tensor = extractor.extract(&bytes, key, &mut ExtractScratch::default()).unwrap().tensors.remove(0);
        let Values::F32(values) = tensor.values else { panic!("f32") };
        (tensor.shape, values)
    };
    let cutout = "[photometric]\ncutout = { blocks = 3 }";
    for geometry in ["", "[geometry]\nrotate = 90\n"] {
        for key in ["a", "b", "c", "d", "e"] {
            let (shape, plain) = values(geometry, key);
            let (_, cut) = values(&format!("{geometry}{cutout}"), key);
            let recipe = Recipe::from_toml(cutout).unwrap();
            let hole = recipe.photometric.hole(key, (shape[1], shape[2])).unwrap();
            let statistics = Recipe::from_toml("normalize = 'dctnet'").unwrap();
            let statistics = statistics.normalize.statistics_for(&statistics.channels).unwrap().unwrap();
            for (place, (&plain, &cut)) in plain.iter().zip(&cut).enumerate() {
                let (channel, row, column) =
                    (place / (shape[1] * shape[2]), place / shape[2] % shape[1], place % shape[2]);
                let (mean, std) = statistics[channel];
                if hole.rows.contains(&row) && hole.columns.contains(&column) {
                    assert_eq!(cut, (-mean / std) as f32);
                } else {
                    assert_eq!(cut, plain);
                }
            }
        }
    }
}

/// The pixel path differs by the decoder's rounding, times the factor; a hole has none.
#[test]
fn block_operations_on_pixels() {
    let bytes = jpeg(400, 300, "4:4:4");
    let rms = |photometric: &str| {
        let recipe = Recipe::from_toml(&format!("channels = '64'\nedge = 'replicate'\n[photometric]\n{photometric}"));
        verify(&bytes, recipe.unwrap(), "key").real.unwrap().luma.unwrap().rms
    };
    let plain = rms("");
    assert!((0.2..0.6).contains(&plain), "{plain}");
    let doubled = rms("frequency_enhancement = [2, 2]");
    assert!((1.8 * plain..2.1 * plain).contains(&doubled), "{plain} {doubled}");
    assert_eq!(rms("cutout = { blocks = 100 }"), 0.0);
}

#[test]
fn the_command_applies_an_orientation_when_asked_to() {
    let command = |orient: &str| {
        let mut command = assert_cmd::Command::cargo_bin("jpegdct").unwrap();
        command.arg("verify").arg(folder().join("exif/6-big.jpg")).args(["--orient", orient]);
        command
    };
    command("on").assert().success();
    command("off").assert().success();
    command("sideways").assert().code(2);
    let mut planes = command("on");
    planes.args(["--recipe", "planes"]).assert().code(2);
}

#[test]
#[ignore = "half a minute"]
fn fifteen_megapixels() {
    let bytes = jpeg(5000, 3000, "4:2:0");
    for geometry in [
        "resize = { short = 512, filter = 'bicubic' }\ncrop.center = 448",
        "rotate = 270",
        "random_resized_crop = { size = 224, filter = 'area', antialias = false }",
    ] {
        verify(&bytes, recipe("", geometry), "");
    }
    verify(&bytes, Recipe::preset("dctnet-24").unwrap(), "");
}
