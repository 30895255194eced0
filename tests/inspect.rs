//! `jpegdct inspect`: what files hold, as text and as JSON.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use std::process::Stdio;

use place::{Place, damaged, jpeg, png};
use predicates::prelude::*;
use serde_json::Value;

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
