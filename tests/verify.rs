//! Tensors against samples: every sound fixture, every mode; the pixel path on pictures made here; the command.

#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use jpegdct::error::{Malformed, Mismatch, Unsupported};
use jpegdct::reencode::{ChromaSampling, ReencodeOptions, to_jpeg};
use jpegdct::verify::real::Unavailable;
use jpegdct::verify::{DEFAULT_TOLERANCE, ImageReport, Verifier, VerifyError, VerifyScratch};
use jpegdct::{DecodeOptions, Error, Recipe};
use predicates::prelude::*;
use serde::Deserialize;
use serde_json::Value;

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
    process: String,
    #[serde(default)]
    components: Vec<[u8; 3]>,
    #[serde(default)]
    quant_digests: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every fixture that decodes without damage.
fn sound() -> Vec<(Fixture, Vec<u8>)> {
    let text = std::fs::read_to_string(folder().join("manifest.toml")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    let sound = manifest.fixture.into_iter().filter(|fixture| fixture.status == "ok");
    sound.map(|fixture| (std::fs::read(folder().join(&fixture.path)).unwrap(), fixture)).map(|(b, f)| (f, b)).collect()
}

fn recipe(name: &str, fields: &[(&str, &str)]) -> Recipe {
    let mut recipe = Recipe::preset(name).unwrap();
    for (field, value) in fields {
        recipe.set(field, value).unwrap();
    }
    recipe
}

fn verify(bytes: &[u8], recipe: Recipe) -> Result<ImageReport, VerifyError> {
    let verifier = Verifier::new(recipe, DecodeOptions::default()).unwrap();
    verifier.verify(bytes, "", &mut VerifyScratch::default())
}

/// Verifies all sound fixtures; gives back how many were compared.
fn sweep(recipe: &Recipe) -> usize {
    let verifier = Verifier::new(recipe.clone(), DecodeOptions::default()).unwrap();
    let mut scratch = VerifyScratch::default();
    let mut compared = 0;
    for (fixture, bytes) in sound() {
        match verifier.verify(&bytes, &fixture.path, &mut scratch) {
            Ok(report) => {
                let excess = report.excess();
                assert!(excess <= DEFAULT_TOLERANCE, "{}: {excess}: {recipe:?}", fixture.path);
                compared += 1;
            }
            // CMYK, and two components, are not linear in YCbCr.
            Err(VerifyError::Decode(Error::Mismatch(Mismatch::ColorModel(_))))
                if !matches!(fixture.components.len(), 1 | 3) => {}
            Err(VerifyError::Decode(Error::Mismatch(Mismatch::PlaneSize { .. })))
                if recipe.chroma == jpegdct::recipe::Chroma::None => {}
            // Quantised values are all that such a file has; the manifest knows no table of it either.
            Err(VerifyError::Decode(Error::Malformed { kind: Malformed::MissingQuantTable(_), .. }))
                if fixture.quant_digests.is_empty() && recipe.kind != jpegdct::recipe::Kind::Quantised => {}
            // The decoder may be without arithmetic decoding.
            Err(VerifyError::Decode(Error::Unsupported { kind: Unsupported::Arithmetic(_), .. }))
                if fixture.process.starts_with("arithmetic") => {}
            Err(error) => panic!("{}: {error}: {recipe:?}", fixture.path),
        }
    }
    compared
}

#[test]
fn every_fixture_with_24_channels() {
    for chroma in ["triangle", "replicate", "zero-pad"] {
        for edge in ["stored", "replicate"] {
            let compared = sweep(&recipe("native-24", &[("chroma", chroma), ("edge", edge)]));
            assert!(compared > 300, "{compared}");
        }
    }
}

#[test]
fn every_fixture_with_192_channels() {
    for chroma in ["triangle", "replicate", "zero-pad"] {
        for edge in ["stored", "replicate"] {
            let compared = sweep(&recipe("native-192", &[("chroma", chroma), ("edge", edge)]));
            assert!(compared > 300, "{compared}");
        }
    }
}

#[test]
fn every_fixture_in_every_type_and_layout() {
    for fields in [
        &[("dtype", "f16"), ("layout", "hwc")][..],
        &[("dtype", "i16"), ("edge", "replicate")],
        &[("normalize", "dctnet"), ("layout", "hwc")],
        &[("normalize", "dctnet-detection"), ("dtype", "f16")],
        &[("normalize", "dctnet"), ("dtype", "i16")],
        &[("chroma", "none")],
        &[("chroma", "none"), ("edge", "replicate")],
        &[("channels", "cr:63,0;cb:5")],
    ] {
        assert!(sweep(&recipe("native-24", fields)) > 50, "{fields:?}");
    }
    for (name, layout) in [("planes", "blocks"), ("planes", "chw"), ("quantised", "blocks"), ("quantised", "hwc")] {
        assert!(sweep(&recipe(name, &[("layout", layout)])) > 300, "{name} {layout}");
    }
    assert!(sweep(&recipe("planes", &[("dtype", "f16")])) > 300);
}

/// A smooth colour picture, 75 x 53, far from black and white, as PNM.
fn picture() -> Vec<u8> {
    let (width, height) = (75, 53);
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f64::from(x), f64::from(y));
            let wave = |a: f64, b: f64, c: f64| (128.0 + 55.0 * (a * x + b * y + c).sin()) as u8;
            bytes.extend([wave(0.11, 0.07, 0.0), wave(0.05, 0.13, 1.0), wave(0.09, -0.1, 2.0)]);
        }
    }
    bytes
}

fn jpeg(sampling: ChromaSampling) -> Vec<u8> {
    let mut options = ReencodeOptions::default();
    options.sampling = sampling;
    options.quality = 90;
    to_jpeg(&picture(), &options).unwrap()
}

#[test]
fn the_pixel_path_differs_by_its_rounding() {
    for sampling in ["4:4:4", "4:2:2", "4:2:0"] {
        let bytes = jpeg(sampling.parse().unwrap());
        for edge in ["stored", "replicate"] {
            let report = verify(&bytes, recipe("native-192", &[("edge", edge)])).unwrap();
            let real = report.real.unwrap();
            assert_eq!(real.clipped, 0.0);
            assert_eq!(real.blocks, 70);
            assert_eq!(real.blocks_compared == 70, edge == "replicate", "partial blocks hold what no pixel path sees");
            // Rounding is an error of variance 1/12 a sample, an RMS of 0.289. The decoder's fixed-point IDCT adds a little;
            // upsampling averages the rounding of chroma, and rounds again.
            let (luma, chroma) = (real.luma.unwrap(), real.chroma.unwrap());
            assert!((0.25..0.40).contains(&luma.rms), "{sampling} {edge} luma {}", luma.rms);
            assert!((0.20..0.50).contains(&chroma.rms), "{sampling} {edge} chroma {}", chroma.rms);
        }
    }
}

#[test]
fn chroma_is_compared_with_what_the_decoder_does() {
    let bytes = jpeg("4:2:0".parse().unwrap());
    for chroma in ["replicate", "zero-pad"] {
        let report = verify(&bytes, recipe("native-24", &[("chroma", chroma)])).unwrap();
        let real = report.real.unwrap();
        assert!(real.luma.is_some() && real.chroma.is_none());
        assert_eq!(real.all, real.luma);
    }
    let report = verify(&bytes, recipe("planes", &[])).unwrap();
    assert_eq!((report.exact.max, report.real_unavailable), (0.0, Some(Unavailable::Kind)));
    assert_eq!(report.tensors.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["y", "cb", "cr"]);
}

fn command() -> Command {
    Command::cargo_bin("jpegdct").unwrap()
}

#[test]
fn the_command_passes_sound_files() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sampling) in [("a.jpg", "4:2:0"), ("b.jpg", "4:4:4")] {
        std::fs::write(folder.path().join(name), jpeg(sampling.parse().unwrap())).unwrap();
    }
    let run = |threads: &str| {
        let mut command = command();
        command.arg("verify").arg(folder.path()).args(["--recipe", "native-24", "--recipe", "planes"]);
        command.args(["--json", "--threads", threads]).assert().success().get_output().stdout.clone()
    };
    let output = run("1");
    assert_eq!(run("3"), output, "the same whatever the number of threads");
    let lines: Vec<Value> =
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4 + 2);
    assert!(lines[..4].iter().all(|line| line["kind"] == "image" && line["status"] == "ok"));
    assert_eq!((&lines[4]["recipe"], &lines[5]["recipe"]), (&"native-24".into(), &"planes".into()));
    assert_eq!((&lines[4]["passed"], &lines[4]["summary"]["images"]), (&true.into(), &2.into()));
    assert!(lines[4]["summary"]["max"].as_f64().unwrap() < 1e-3);
    command().arg("verify").arg(folder.path()).assert().success().stdout(
        predicate::str::contains("native-24: 0 images beyond 2e-3").and(predicate::str::contains("farthest from real")),
    );
}

#[test]
fn the_command_fails_where_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    std::fs::write(&path, jpeg("4:2:0".parse().unwrap())).unwrap();
    // No f32 tensor of upsampled chroma is exact.
    let strict = command().arg("verify").arg(&path).args(["--tolerance", "0", "--json"]).assert().code(1);
    strict.stdout(predicate::str::contains("\"status\":\"differs\"").and(predicate::str::contains("\"passed\":false")));

    std::fs::write(folder.path().join("b.png"), b"\x89PNG\r\n\x1a\n and more").unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(folder.path().join("c.jpg"), &whole[..whole.len() * 3 / 4]).unwrap();
    let mixed = command().arg("verify").arg(folder.path()).assert().code(1);
    mixed.stderr(
        predicate::str::contains("b.png: not_jpeg: ")
            .and(predicate::str::contains("c.jpg: damaged: "))
            .and(predicate::str::contains("a.jpg").not()),
    );
    let missing = command().args(["verify", "no-such-file.jpg"]).assert().code(1);
    missing.stderr(predicate::str::contains("no-such-file.jpg: unreadable: "));
    for usage in [&["--recipe", "no-such"][..], &["--tolerance", "-1"], &["--channels", "y:64"]] {
        command().arg("verify").arg(&path).args(usage).assert().code(2);
    }
}
