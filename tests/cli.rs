//! The command as a user meets it: arguments, inputs, and the files that come of them.
//!
//! Images are made here; what is in a tensor is the matter of other tests.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use assert_cmd::Command;
use place::{Place, damaged, jpeg, png};
use predicates::prelude::*;
use serde_json::Value;

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
        &["extract", "in", "-o", "out", "--format", "zarr"],
        &["extract", "in", "-o", "out", "--zstd"],
        &["extract", "in", "-o", "http://127.0.0.1/out"],
        &["extract", "in", "-o", "out", "--format", "zarr", "--recipe", "dctnet-24", "--zstd=20"],
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
fn output_does_not_depend_on_threads_or_on_an_earlier_run() {
    let names: Vec<String> = (0..40).map(|n| format!("{}/{n}.jpg", n % 3)).collect();
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), if n % 13 == 5 { damaged() } else { jpeg(n as u8) }))
        .collect();
    let place = Place::new(&files);
    let mut formats = vec![
        (&["--format", "npy"][..], 37),
        (&["--format", "safetensors", "--shard-images", "7"], 6),
        (&["--format", "webdataset", "--shard-images", "7"], 6),
        (&["--format", "stack", "--recipe", "dctnet-6"], 2),
    ];
    if cfg!(feature = "zarr") {
        formats.push((&["--format", "zarr", "--recipe", "dctnet-6", "--shard-images", "7", "--zstd=5"], 7));
    }
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

/// Not as its first image.
#[test]
fn an_archive_on_standard_input_is_refused() {
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["a.jpg", "b.jpg"] {
        let mut header = tar::Header::new_ustar();
        let image = jpeg(1);
        header.set_size(image.len() as u64);
        archive.append_data(&mut header, name, &image[..]).unwrap();
    }
    let mut command = Command::cargo_bin("jpegdct").unwrap();
    let run = command.args(["inspect", "-"]).write_stdin(archive.into_inner().unwrap()).assert().code(1);
    run.stdout(predicate::str::contains("not a JPEG: tar archive"));
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
