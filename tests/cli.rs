//! The command as a user meets it: arguments, exit codes, files, and what is said about failures.
//!
//! Images are made here; what is in a tensor is the matter of other tests.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use place::{Place, damaged, jpeg, png, pnm};
use predicates::prelude::*;
use serde_json::Value;

fn pairs(statuses: &[(String, String)]) -> Vec<(&str, &str)> {
    statuses.iter().map(|(path, status)| (path.as_str(), status.as_str())).collect()
}

#[test]
fn wrong_arguments_end_with_2_and_touch_nothing() {
    let place = Place::new(&[("a.jpg", jpeg(1))]);
    std::fs::write(place.path().join("bad.toml"), "colour = 1").unwrap();
    let wrong: &[&[&str]] = &[
        &[],
        &["extrakt"],
        &["extract", "in"],
        &["extract", "-o", "out"],
        &["extract", "in", "-o", "out", "--frobnicate"],
        &["extract", "in", "-o", "out", "--threads", "0"],
        &["extract", "in", "-o", "out", "--dtype", "f64"],
        &["extract", "in", "-o", "out", "--format", "csv"],
        &["extract", "in", "-o", "out", "--recipe", "nonesuch"],
        &["extract", "in", "-o", "out", "--recipe", "missing.toml"],
        &["extract", "in", "-o", "out", "--recipe", "bad.toml"],
        &["extract", "in", "-o", "out", "--channels", "25"],
        &["extract", "in", "-o", "out", "--layout", "blocks"],
        &["extract", "in", "-o", "out", "--normalize", "missing.json"],
        &["extract", "in", "-o", "out", "--shard-images", "5"],
        &["extract", "in", "-o", "out", "--format", "stack"],
        &["extract", "in", "-o", "out", "--shard-of", "2/2"],
        &["extract", "in", "-o", "out", "--reencode-quality", "101"],
        &["extract", "in", "-o", "out", "--no-reencode", "--reencode-quality", "90"],
        &["extract", "in", "-o", "out", "--max-pixels", "many"],
        &["inspect"],
        &["inspect", "in", "--max-memory", "0"],
        &["bench"],
        &["bench", "in", "--repeat", "0"],
        &["bench", "in", "--sample", "0"],
        &["bench", "in", "--threads", "0"],
        &["bench", "in", "--format", "npy"],
    ];
    for arguments in wrong {
        let assert = place.run(arguments).code(2).stdout("");
        assert!(!assert.get_output().stderr.is_empty(), "{arguments:?}");
    }
    assert!(!place.path().join("out").exists());
}

#[test]
fn help_has_examples_and_exit_codes() {
    let place = Place::new(&[]);
    for command in ["extract", "inspect", "bench", "stats", "merge"] {
        let help = predicate::str::contains("Examples:").and(predicate::str::contains("Exit codes:"));
        place.run(&[command, "--help"]).success().stdout(help);
    }
    place.run(&["--version"]).success().stdout(predicate::str::starts_with("jpegdct "));
}

#[test]
fn a_tree_is_mirrored() {
    let place =
        Place::new(&[("a.jpg", jpeg(1)), ("b/c.jpeg", jpeg(2)), ("b/d/e.JPG", jpeg(3)), ("notes.txt", vec![b'x'])]);
    place.run(&["extract", "in", "-o", "out"]).code(0).stdout("").stderr(predicate::str::contains("3 ok"));
    assert_eq!(place.names("out"), ["a.npy", "b/c.npy", "b/d/e.npy", "dataset.json", "manifest.jsonl"]);
    let manifest = place.manifest();
    let entry = &manifest[1];
    assert_eq!(entry["path"], "in/b/c.jpeg");
    assert_eq!(entry["key"], "b/c.jpeg");
    assert_eq!(entry["outputs"][0]["path"], "b/c.npy");
    assert_eq!(entry["source"]["width"], 36);
    assert_eq!(entry["source"]["bytes"], jpeg(2).len());
    assert_eq!(entry["reencoded"], Value::Null);
    let dataset = place.dataset();
    assert_eq!(dataset["recipe"]["name"], "native-24");
    assert_eq!(dataset["recipe_hash"], entry["recipe"]);
    assert_eq!((&dataset["complete"], &dataset["counts"]["ok"]), (&Value::Bool(true), &Value::from(3)));

    let npy = &place.files("out")["b/c.npy"];
    let npy = npyz::NpyFile::new(&npy[..]).unwrap();
    let shape: Vec<u64> = serde_json::from_value(entry["outputs"][0]["shape"].clone()).unwrap();
    assert_eq!(npy.shape(), shape);
    assert_eq!(shape, [24, 4, 5], "24 channels of 28 x 36 pixels in blocks");
}

#[test]
fn several_tensors_are_several_files() {
    let place = Place::new(&[("a.jpg", jpeg(1))]);
    place.run(&["extract", "in", "-o", "out", "--recipe", "planes"]).code(0);
    assert_eq!(place.names("out"), ["a.cb.npy", "a.cr.npy", "a.y.npy", "dataset.json", "manifest.jsonl"]);
    let names: Vec<Value> =
        place.manifest()[0]["outputs"].as_array().unwrap().iter().map(|output| output["name"].clone()).collect();
    assert_eq!(names, ["y", "cb", "cr"]);
}

#[test]
fn an_empty_folder_is_a_failure_with_a_manifest() {
    let place = Place::new(&[]);
    place.run(&["extract", "in", "-o", "out"]).code(1).stderr(predicate::str::contains("in: unreadable: no images"));
    let manifest = place.manifest();
    assert_eq!((manifest.len(), &manifest[0]["path"], &manifest[0]["status"]), (1, &"in".into(), &"unreadable".into()));
    place.run(&["inspect", "in"]).code(1).stdout(predicate::str::contains("no images in this folder"));
}

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
fn images_that_share_a_name_keep_their_own_file() {
    let place = Place::new(&[("x.jpg", jpeg(1)), ("x.png", png()), ("y/x.jpg", jpeg(2))]);
    place.run(&["extract", "in", "-o", "out"]).code(0);
    assert_eq!(place.names("out"), ["dataset.json", "manifest.jsonl", "x.npy", "x.png.npy", "y/x.npy"]);
    place.run(&["extract", "in/x.jpg", "in/x.jpg", "-o", "twice"]).code(0);
    assert_eq!(place.names("twice"), ["dataset.json", "in/x.jpg~2.npy", "in/x.npy", "manifest.jsonl"]);
}

#[test]
fn nothing_is_written_outside_the_output_folder() {
    let place = Place::new(&[("x.jpg", jpeg(1)), ("sub/y.jpg", jpeg(2))]);
    let before = place.names("in");
    let absolute = place.path().join("in/x.jpg");
    let absolute = absolute.to_str().unwrap();
    Command::cargo_bin("jpegdct")
        .unwrap()
        .current_dir(place.path().join("in/sub"))
        .args(["extract", "../x.jpg", "./y.jpg", "../../in/sub/y.jpg", absolute, "-o", "../../out"])
        .assert()
        .code(0);
    assert_eq!(place.names("in"), before);
    assert_eq!(place.names(""), {
        let mut all: Vec<String> = before.iter().map(|name| format!("in/{name}")).collect();
        let written = ["dataset.json", "in/sub/y.npy", "manifest.jsonl", "x.jpg~2.npy", "x.npy", "y.npy"];
        all.extend(written.map(|name| format!("out/{name}")));
        all
    });
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
fn output_does_not_depend_on_threads_or_on_an_earlier_run() {
    let names: Vec<String> = (0..40).map(|n| format!("{}/{n}.jpg", n % 3)).collect();
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), if n % 13 == 5 { damaged() } else { jpeg(n as u8) }))
        .collect();
    let place = Place::new(&files);
    let formats = [
        (&["--format", "npy"][..], 37),
        (&["--format", "safetensors", "--shard-images", "7"], 6),
        (&["--format", "webdataset", "--shard-images", "7"], 6),
        (&["--format", "stack", "--recipe", "dctnet-6"], 2),
    ];
    for (format, count) in formats {
        let run = |out: &str, threads: &str| {
            place.run(&[&["extract", "in", "-o", out, "--threads", threads], format].concat()).code(1);
            place.files(out)
        };
        let one = run("one", "1");
        assert_eq!(one.len(), 2 + count);
        assert!(one == run("two", "2"), "{format:?}: two threads");
        assert!(one == run("many", "9"), "{format:?}: nine threads");
        assert!(one == run("one", "2"), "{format:?}: over the earlier run");
        for out in ["one", "two", "many"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
}

#[test]
fn shards_hold_what_the_manifest_says() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c/d.jpg", jpeg(3))]);
    place.run(&["extract", "in", "-o", "out", "--format", "safetensors", "--shard-images", "2"]).code(0);
    let files = place.files("out");
    for entry in place.manifest() {
        let output = &entry["outputs"][0];
        assert_eq!(output["entry"], entry["key"]);
        let shard = safetensors::SafeTensors::deserialize(&files[output["path"].as_str().unwrap()]).unwrap();
        let tensor = shard.tensor(output["entry"].as_str().unwrap()).unwrap();
        assert_eq!(serde_json::to_value(tensor.shape()).unwrap(), output["shape"]);
    }
    assert!(files.contains_key("shard-000001.safetensors") && !files.contains_key("shard-000002.safetensors"));
}

#[test]
fn standard_input_is_one_image() {
    let place = Place::new(&[]);
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("jpegdct").unwrap();
        command.current_dir(place.path()).args(arguments).write_stdin(jpeg(1)).assert().code(0)
    };
    run(&["extract", "-", "-o", "out"]);
    assert_eq!(place.names("out"), ["dataset.json", "manifest.jsonl", "stdin.npy"]);
    assert_eq!(place.manifest()[0]["path"], "-");
    run(&["inspect", "-"]).stdout(predicate::str::starts_with("-: ok\n"));
}

#[test]
fn patterns_are_expanded() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.png", png())]);
    place.run(&["extract", "in/*.jpg", "-o", "out"]).code(0);
    assert_eq!(place.names("out"), ["dataset.json", "in/a.npy", "in/b.npy", "manifest.jsonl"]);
}

#[test]
fn json_log_is_one_object_a_line() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", b"text".to_vec())]);
    let assert = place.run(&["extract", "in", "-o", "out", "--log", "json"]).code(1).stdout("");
    let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let lines: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&Value> = lines.iter().map(|line| &line["event"]).collect();
    assert_eq!(events, ["start", "failure", "done"]);
    assert_eq!((&lines[1]["path"], &lines[1]["status"]), (&"in/b.jpg".into(), &"not_jpeg".into()));
    assert_eq!(lines[2]["counts"]["ok"], 1);
}

#[test]
fn limits_reach_files_images_and_pictures() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.ppm", pnm(1))]);
    for limit in ["--max-file-bytes", "--max-pixels"] {
        place.run(&["extract", "in", "-o", "out", limit, "100"]).code(1);
        assert_eq!(pairs(&place.statuses()), [("in/a.jpg", "refused"), ("in/b.ppm", "refused")], "{limit}");
        assert!(place.manifest().iter().all(|entry| entry["error"]["kind"] == "limit"));
    }
}

#[test]
fn inspect_tells_what_files_hold() {
    let place = Place::new(&[
        ("a.jpg", jpeg(1)),
        ("b.jpg", damaged()),
        ("c.jpg", png()),
        ("d.jpg", jpeg(1)[..20].to_vec()),
        ("e.jpg", vec![]),
    ]);
    let run = |threads: &str| {
        let assert = place.run(&["inspect", "--json", "--threads", threads, "in", "missing.jpg"]).code(1);
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    let text = run("1");
    assert_eq!(text, run("3"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<(&Value, &Value)> = lines.iter().map(|line| (&line["path"], &line["status"])).collect();
    let wanted = [
        ("in/a.jpg", "ok"),
        ("in/b.jpg", "damaged"),
        ("in/c.jpg", "not_jpeg"),
        ("in/d.jpg", "refused"),
        ("in/e.jpg", "not_jpeg"),
        ("missing.jpg", "refused"),
    ];
    let wanted = wanted.map(|(path, status)| (Value::from(path), Value::from(status)));
    assert_eq!(seen, wanted.iter().map(|(path, status)| (path, status)).collect::<Vec<_>>());

    let fields = [
        "path",
        "status",
        "error",
        "warnings",
        "process",
        "precision",
        "width",
        "height",
        "color",
        "restart_interval",
        "orientation",
        "scans",
        "components",
    ];
    for (line, text) in lines.iter().zip(text.lines()) {
        let object = line.as_object().unwrap();
        assert!(object.len() == fields.len() && fields.iter().all(|field| object.contains_key(*field)), "{text}");
        assert_eq!(line["error"].is_null(), line["status"] == "ok", "{text}");
        let known = line["status"] == "ok" || line["status"] == "damaged";
        assert_eq!(line["process"].is_string() && line["width"].is_u64(), known, "{text}");
    }
    let image = &lines[0];
    assert_eq!((&image["process"], &image["color"]), (&"baseline".into(), &"ycbcr".into()));
    assert_eq!((&image["width"], &image["height"], &image["precision"]), (&36.into(), &28.into(), &8.into()));
    let components = image["components"].as_array().unwrap();
    assert_eq!(components.len(), 3);
    for component in components {
        assert_eq!((&component["blocks_wide"], &component["blocks_high"]), (&5.into(), &4.into()));
        assert_eq!(component["quant_table"], Value::from(vec![1; 64]), "quality 100");
        let digest = component["digest"].as_str().unwrap();
        assert!(digest.len() == 16 && digest.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)));
    }
    place.run(&["inspect", "in/a.jpg"]).code(0).stdout(predicate::str::contains("36 x 28, ycbcr, 8 bit, baseline"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let names: Vec<String> = (0..200).map(|n| format!("{n}.jpg")).collect();
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), jpeg(1))).collect();
    let place = Place::new(&files);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("jpegdct"))
        .current_dir(place.path())
        .args(["inspect", "--json", "in"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// What `bench --json` prints.
fn bench(assert: &assert_cmd::assert::Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn bench_has_all_rows_and_its_ratios_agree() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))]);
    let assert = place.run(&["bench", "in", "--json", "--repeat", "3", "--threads", "2"]).success();
    let report = bench(&assert);
    assert_eq!((&report["images"], &report["repeats"], &report["luma_pixels"]), (&2.into(), &3.into(), &2016.into()));
    let rows = report["rows"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    for id in [
        "libjpeg-coefficients",
        "tiles",
        "tiles-dc",
        "tiles-y-64-c-1",
        "coefficients",
        "native-24-f32",
        "native-24-f16",
        "native-192-f32",
        "native-192-f16",
        "dctnet-24-f32",
        "dctnet-24-f32-alone",
        "dc-f32",
        "y-64-c-1-f32",
        "native-24-f32-first",
        "pixel-path",
        "reencode-path",
        "libjpeg-rgb",
        "jpeg-decoder",
    ] {
        assert!(ids.contains(&id), "{id}");
    }
    let ns = |id: &str| rows[ids.iter().position(|other| *other == id).unwrap()]["ns_per_pixel"].as_f64().unwrap();
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() / expected - 1.0).abs() < 1e-9;
    for row in rows {
        let time = row["ns_per_pixel"].as_f64().unwrap();
        assert!(time > 0.0, "{row}");
        assert!(near(&row["images_per_s"], 1e9 / (1008.0 * time)), "{row}");
        assert!(row["spread"].as_f64().unwrap() >= 0.0, "{row}");
        // Without SIMD libjpeg is no baseline.
        match report["libjpeg_simd"].as_bool().unwrap() {
            true => {
                assert!(near(&row["speed_vs_libjpeg"], ns("libjpeg-coefficients") / time), "{row}");
                assert!(near(&row["speed_vs_pixel_path"], ns("pixel-path") / time), "{row}");
            }
            false => assert!(row["speed_vs_libjpeg"].is_null() && row["speed_vs_pixel_path"].is_null(), "{row}"),
        }
    }
    assert!(report["pixel_path_snr_db"].as_f64().unwrap() > 30.0);
    assert_eq!(report["scaling"]["threads"], 2);
}

#[test]
fn bench_leaves_out_and_names_what_a_row_cannot_read() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", damaged()), ("c.png", png()), ("d.jpg", b"text".to_vec())]);
    let assert = place.run(&["bench", "in", "missing.jpg", "--json", "--repeat", "1", "--threads", "1"]).code(1);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr);
    for path in ["in/b.jpg", "in/c.png", "in/d.jpg", "missing.jpg"] {
        assert!(stderr.contains(path), "{path}: {stderr}");
    }
    let report = bench(&assert);
    assert_eq!((&report["images"], &report["scaling"]), (&1.into(), &Value::Null));
    assert_eq!(report["left_out"].as_array().unwrap().len(), 4);
    assert!(report["rows"].as_array().unwrap().iter().all(|row| row["spread"].is_null()), "one repeat has no spread");
}

#[test]
fn bench_of_an_empty_folder_fails() {
    let place = Place::new(&[]);
    let report = bench(&place.run(&["bench", "in", "--json"]).code(1));
    assert_eq!((&report["images"], report["rows"].as_array().map(Vec::len)), (&0.into(), Some(0)));
    place.run(&["bench", "in"]).code(1).stdout(predicate::str::contains("0 of 1 inputs"));
}

#[test]
fn bench_draws_a_chart_beside_its_table() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.jpg", jpeg(3))]);
    let arguments = ["bench", "in", "--sample", "2", "--repeat", "1", "--threads", "1", "--svg", "chart.svg"];
    let table = predicate::str::contains("2 of 3 inputs").and(predicate::str::contains("pixel path"));
    place.run(&arguments).success().stdout(table);
    assert!(std::fs::read_to_string(place.path().join("chart.svg")).unwrap().starts_with("<svg "));
    place.run(&["bench", "in", "--repeat", "1", "--svg", "no/folder/chart.svg"]).code(1);
}
