//! Inputs and targets that fail: each is named with its reason, the rest goes on, nothing half-done stays.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use std::path::Path;

use place::{Place, damaged, jpeg, pairs, png, pnm};
use predicates::prelude::*;
use serde_json::Value;

#[test]
fn every_kind_of_failure_is_named_and_the_rest_goes_on() {
    let place = Place::new(&[
        ("a-damaged.jpg", damaged()),
        ("b-empty.jpg", vec![]),
        ("c-text.jpg", b"this is no image".to_vec()),
        ("d-png.jpg", png()),
        ("e-header.jpg", jpeg(1)[..20].to_vec()),
        ("f-good.jpg", jpeg(2)),
    ]);
    let assert = place.run(&["extract", "in", "missing.jpg", "nothing/*.jpg", "-o", "out"]).code(1).stdout("");
    let statuses = place.statuses();
    assert_eq!(
        pairs(&statuses),
        [
            ("in/a-damaged.jpg", "damaged"),
            ("in/b-empty.jpg", "not_jpeg"),
            ("in/c-text.jpg", "not_jpeg"),
            ("in/d-png.jpg", "ok"),
            ("in/e-header.jpg", "refused"),
            ("in/f-good.jpg", "ok"),
            ("missing.jpg", "unreadable"),
            ("nothing/*.jpg", "unreadable"),
        ]
    );
    let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    for entry in place.manifest() {
        let path = entry["path"].as_str().unwrap();
        let failed = entry["status"] != "ok";
        assert_eq!(entry["error"].is_object(), failed, "{path}");
        assert_eq!(entry["outputs"].as_array().unwrap().is_empty(), failed, "{path}");
        let named = stderr.lines().filter(|line| line.starts_with(&format!("jpegdct: {path}: "))).count();
        assert_eq!(named, usize::from(failed), "{path} on stderr");
    }
    let manifest = place.manifest();
    assert_eq!(manifest[3]["reencoded"], "quality 100, 4:4:4");
    assert_eq!(manifest[3]["source"]["format"], "png");
    assert!(manifest[0]["error"]["offset"].is_u64() && !manifest[0]["warnings"].as_array().unwrap().is_empty());
    let damaged = &manifest[0]["source"];
    assert_eq!((&damaged["width"], &damaged["height"], &damaged["color"]), (&36.into(), &28.into(), &"ycbcr".into()));
    assert_eq!((&damaged["components"].as_array().unwrap().len(), &damaged["scans"]), (&3, &Value::Null));
    assert_eq!(manifest[4]["source"]["width"], Value::Null, "its frame header was not reached");
    let counts = &place.dataset()["counts"];
    assert_eq!((&counts["inputs"], &counts["ok"], &counts["not_jpeg"]), (&8.into(), &2.into(), &2.into()));
    let images = ["dataset.json", "in/d-png.npy", "in/f-good.npy", "manifest.jsonl"];
    assert_eq!(place.names("out"), images, "nothing half-done, nothing hidden");
}

#[test]
fn without_reencoding_a_png_is_not_jpeg() {
    let place = Place::new(&[("a.jpg", png()), ("b.png", png())]);
    place.run(&["extract", "in", "-o", "out", "--no-reencode"]).code(1);
    assert_eq!(pairs(&place.statuses()), [("in/a.jpg", "not_jpeg"), ("in/b.png", "not_jpeg")]);
    place.run(&["extract", "in", "-o", "out", "--reencode-quality", "80", "--reencode-sampling", "4:2:0"]).code(0);
    assert_eq!(place.manifest()[1]["reencoded"], "quality 80, 4:2:0");
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

#[test]
fn cmyk_is_reencoded_or_refused() {
    let mut cut = fixture("encoders/imagemagick-cmyk.jpg");
    cut.truncate(cut.len() / 2);
    let place = Place::new(&[
        ("a.jpg", fixture("encoders/pillow-cmyk.jpg")),
        ("b.jpg", fixture("encoders/imagemagick-cmyk-progressive.jpg")),
        ("c.jpg", fixture("color/ycck-420.jpg")),
        ("d.jpg", fixture("color/cmyk-no-marker.jpg")),
        ("e-cut.jpg", cut),
    ]);
    place.run(&["extract", "in", "-o", "out"]).code(1);
    let statuses = place.statuses();
    let ok = [("in/a.jpg", "ok"), ("in/b.jpg", "ok"), ("in/c.jpg", "ok"), ("in/d.jpg", "ok")];
    assert_eq!(pairs(&statuses)[..4], ok);
    assert_eq!(pairs(&statuses)[4], ("in/e-cut.jpg", "damaged"), "no pixel decoder paints over it");
    let manifest = place.manifest();
    assert_eq!(manifest[0]["reencoded"], "cmyk to RGB, quality 100, 4:4:4");
    assert_eq!(manifest[2]["reencoded"], "ycck to RGB, quality 100, 4:4:4");
    assert_eq!(manifest[0]["source"]["format"], "jpeg");
    assert_eq!(place.dataset()["recipe"]["cmyk"], "reencode");

    place.run(&["extract", "in", "-o", "kept", "--damaged", "keep"]).code(0);
    for flags in [&["--cmyk", "refuse"][..], &["--no-reencode"]] {
        let arguments = [&["extract", "in", "-o", "refused"], flags].concat();
        let refused = predicate::str::contains("in/a.jpg: refused: ").and(predicate::str::contains("cmyk"));
        place.run(&arguments).code(1).stderr(refused);
    }
    place.run(&["extract", "in/a.jpg", "-o", "planes", "--recipe", "quantised"]).code(0);
    assert_eq!(place.manifest_of("planes")[0]["outputs"].as_array().unwrap().len(), 5, "four planes and their tables");
    assert_eq!(place.manifest_of("planes")[0]["reencoded"], Value::Null);
}

/// With little address space an image that needs more ends with an error that names it, and the others are done.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_is_an_error_and_not_a_crash() {
    let large = |process: u8| {
        // 8000 x 8000, one component: 128 MB of coefficients, of a million blocks of one code or two, a zero bit each.
        let one_code = [&[1u8][..], &[0; 15]].concat();
        let tables = [&[0xff, 0xc4, 0, 38, 0][..], &one_code, &[0, 0x10], &one_code, &[0]].concat();
        let quant = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
        let frame = [0xff, process, 0, 11, 8, 31, 64, 31, 64, 1, 1, 0x11, 0];
        let (last, bytes) = if process == 0xc2 { (0, 125_000) } else { (63, 250_000) };
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, last, 0];
        [&[0xff, 0xd8][..], &quant, &tables, &frame, &scan, &vec![0; bytes], &[0xff, 0xd9]].concat()
    };
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b-huge.jpg", large(0xc2)), ("c-huge.jpg", large(0xc0))]);
    let binary = assert_cmd::cargo::cargo_bin("jpegdct");
    let run = |kilobytes: u32, arguments: &str| {
        let script = format!("ulimit -v {kilobytes}; exec {} {arguments}", binary.display());
        std::process::Command::new("sh").args(["-c", &script]).current_dir(place.path()).output().unwrap()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    let enough = run(2_000_000, "extract in -o enough --threads 1 --channels y:0");
    assert_eq!(enough.status.code(), Some(0), "{}", text(&enough.stderr));
    let extract = run(120_000, "extract in -o out --threads 1 --recipe native-64");
    assert_eq!(extract.status.code(), Some(1), "{:?} {}", extract.status, text(&extract.stderr));
    assert_eq!(
        pairs(&place.statuses()),
        [("in/a.jpg", "ok"), ("in/b-huge.jpg", "failed"), ("in/c-huge.jpg", "failed")]
    );
    assert_eq!(place.manifest()[1]["error"]["kind"], "out_of_memory");
    let inspect = run(120_000, "inspect --threads 1 in");
    assert_eq!(inspect.status.code(), Some(1), "{:?} {}", inspect.status, text(&inspect.stderr));
    assert!(text(&inspect.stdout).contains("out of memory"), "{}", text(&inspect.stdout));
}

#[test]
fn damaged_images_are_kept_on_request() {
    let place = Place::new(&[("a.jpg", damaged()), ("b.jpg", jpeg(1))]);
    let said = predicate::str::contains("in/a.jpg: damaged, kept");
    place.run(&["extract", "in", "-o", "out", "--damaged", "keep"]).code(0).stderr(said);
    let manifest = place.manifest();
    assert_eq!(manifest[0]["status"], "damaged");
    assert_eq!(manifest[0]["error"], Value::Null);
    assert_eq!(manifest[0]["outputs"][0]["path"], "a.npy");
    assert!(!manifest[0]["warnings"].as_array().unwrap().is_empty());
    assert_eq!(place.dataset()["counts"]["damaged_kept"], 1);
}

#[test]
fn a_target_that_cannot_be_written_is_said_once() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))]);
    std::fs::write(place.path().join("file"), b"kept").unwrap();
    for out in ["file", "file/below"] {
        let said = predicate::str::contains("cannot write").count(1).and(predicate::str::contains(out));
        place.run(&["extract", "in", "-o", out]).code(1).stderr(said);
    }
    assert_eq!(std::fs::read(place.path().join("file")).unwrap(), b"kept");
}

#[cfg(unix)]
#[test]
fn a_read_only_target_is_said_once() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(&[("a.jpg", jpeg(1))]);
    let out = place.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::set_permissions(&out, PermissionsExt::from_mode(0o555)).unwrap();
    // The superuser may write anywhere: there is nothing to test then.
    if std::fs::write(out.join("probe"), b"").is_ok() {
        return;
    }
    place.run(&["extract", "in", "-o", "out"]).code(1).stderr(predicate::str::contains("cannot write").count(1));
    std::fs::set_permissions(&out, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn one_output_that_cannot_be_written_fails_alone() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))]);
    std::fs::create_dir_all(place.path().join("out/a.npy")).unwrap();
    std::fs::write(place.path().join("out/a.npy/in-the-way"), b"").unwrap();
    place.run(&["extract", "in", "-o", "out"]).code(1);
    assert_eq!(pairs(&place.statuses()), [("in/a.jpg", "failed"), ("in/b.jpg", "ok")]);
    assert_eq!(place.manifest()[0]["error"]["kind"], "write");
    assert_eq!(place.names("out"), ["a.npy/in-the-way", "b.npy", "dataset.json", "manifest.jsonl"]);
}

#[test]
fn stop_leaves_the_rest_undone() {
    let mut files = vec![("c.jpg", b"text".to_vec())];
    let names = ["a.jpg", "b.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg", "h.jpg", "i.jpg"];
    files.extend(names.iter().zip(1..).map(|(name, seed)| (*name, jpeg(seed))));
    let place = Place::new(&files);
    for (format, done) in [("npy", &["a.npy", "b.npy"][..]), ("safetensors", &["shard-000000.safetensors"][..])] {
        for threads in ["1", "4"] {
            let _ = std::fs::remove_dir_all(place.path().join("out"));
            let arguments =
                ["extract", "in", "-o", "out", "--on-error", "stop", "--threads", threads, "--format", format];
            place.run(&arguments).code(1).stderr(predicate::str::contains("6 not attempted"));
            assert_eq!(pairs(&place.statuses()), [("in/a.jpg", "ok"), ("in/b.jpg", "ok"), ("in/c.jpg", "not_jpeg")]);
            assert_eq!(place.dataset()["complete"], false);
            let mut written = place.names("out");
            written.retain(|name| !["dataset.json", "manifest.jsonl"].contains(&name.as_str()));
            assert_eq!(written, done);
        }
    }
}

#[test]
fn limits_reach_files_images_and_pictures() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.ppm", pnm(1))]);
    for limit in ["--max-file-bytes", "--max-pixels"] {
        place.run(&["extract", "in", "-o", "out", limit, "100"]).code(1);
        assert_eq!(pairs(&place.statuses()), [("in/a.jpg", "refused"), ("in/b.ppm", "refused")], "{limit}");
        let manifest = place.manifest();
        assert!(manifest.iter().all(|entry| entry["error"]["kind"] == "limit"));
        let width = if limit == "--max-pixels" { 36.into() } else { Value::Null };
        assert_eq!(manifest[0]["source"]["width"], width, "{limit}: what the header says, where the file was read");
    }
}
