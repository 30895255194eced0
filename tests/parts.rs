//! Statistics, parts joined by merge, and pictures: the commands around extract.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use place::{Place, jpeg, png};
use predicates::prelude::*;
use serde_json::Value;

fn photos(count: u8) -> Place {
    let names: Vec<String> = (0..count).map(|n| format!("{}/{n:02}.jpg", n % 2)).collect();
    let files: Vec<_> = names.iter().zip(0..).map(|(name, seed)| (name.as_str(), jpeg(seed * 9))).collect();
    Place::new(&files)
}

fn json(place: &Place, path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.path().join(path)).unwrap()).unwrap()
}

#[test]
fn merged_parts_are_the_whole() {
    let place = photos(11);
    std::fs::write(place.path().join("in/0/99.jpg"), b"no image").unwrap();
    let mut formats: Vec<&[&str]> = vec![
        &["--format", "npy"],
        &["--format", "stack", "--recipe", "dctnet-24"],
        &["--format", "webdataset", "--shard-images", "1"],
        &["--format", "safetensors", "--shard-images", "1"],
    ];
    if cfg!(feature = "zarr") {
        formats.push(&["--format", "zarr", "--recipe", "dctnet-24", "--shard-images", "2", "--zstd"]);
    }
    for format in formats {
        let run = |out: &str, part: &[&str]| {
            let code = predicate::in_iter([0, 1]);
            place.run(&[&["extract", "in", "-o", out], part, format].concat()).code(code);
        };
        run("whole", &[]);
        for part in ["0", "1", "2"] {
            run(part, &["--shard-of", &format!("{part}/3")]);
        }
        place.run(&["merge", "2", "0", "1", "-o", "merged"]).code(0);
        let (whole, merged) = (place.files("whole"), place.files("merged"));
        assert_eq!(whole.keys().collect::<Vec<_>>(), merged.keys().collect::<Vec<_>>(), "{format:?}");
        assert!(whole == merged, "{format:?}");
        for out in ["whole", "0", "1", "2", "merged"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
}

#[test]
fn what_is_missing_or_double_is_not_merged() {
    let place = photos(6);
    for part in ["0", "1", "2"] {
        place.run(&["extract", "in", "-o", part, "--shard-of", &format!("{part}/3")]).code(0);
    }
    let refused = |parts: &[&str], words: &str| {
        place.run(&[&["merge"], parts, &["-o", "out"]].concat()).code(1).stderr(predicate::str::contains(words));
        assert!(!place.path().join("out").exists(), "nothing is written");
    };
    refused(&["0", "2"], "part 1/3 is missing");
    refused(&["0", "1", "1", "2"], "part 1/3 is there twice");
    place.run(&["merge", "0", "1", "2", "-o", "1"]).code(1).stderr(predicate::str::contains("folders to merge"));
    // A manifest that somebody else wrote does not reach beyond its folder.
    let manifest = place.path().join("2/manifest.jsonl");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(place.path().join("x.npy"), b"not of this run").unwrap();
    for path in ["../x.npy", "./x.npy"] {
        assert!(text.contains("\"1/05.npy\""));
        std::fs::write(&manifest, text.replace("\"1/05.npy\"", &format!("\"{path}\""))).unwrap();
        refused(&["0", "1", "2"], "is not in it");
    }
    std::fs::write(&manifest, text).unwrap();
    place.run(&["extract", "in/0", "-o", "f16", "--dtype", "f16"]).code(0);
    refused(&["0", "f16"], "made differently");
    // Runs over inputs of their own: they may share no image.
    for (out, input) in [("a", "in/0"), ("b", "in/1"), ("c", "in/1")] {
        place.run(&["extract", "in/0/00.jpg", input, "-o", out]).code(0);
    }
    refused(&["a", "b"], "is in a and in b");
    std::fs::remove_file(place.path().join("2/1/05.npy")).unwrap();
    refused(&["0", "1", "2"], "05.npy is named in a manifest and missing");
    let manifest = std::fs::read_to_string(place.path().join("0/manifest.jsonl")).unwrap();
    std::fs::write(place.path().join("0/manifest.jsonl"), manifest.lines().next().unwrap()).unwrap();
    refused(&["0", "1", "2"], "line 2 of the manifest");
    refused(&["in"], "no finished run");
}

#[test]
fn statistics_are_the_same_for_threads_and_nearly_for_parts() {
    let place = photos(9);
    place.run(&["stats", "in", "-o", "one.json", "--threads", "1"]).code(0).stdout("");
    place.run(&["stats", "in", "-o", "many.json", "--threads", "5"]).code(0);
    let files = place.files("");
    assert!(files["one.json"] == files["many.json"]);
    for part in 0..2 {
        let (out, of) = (format!("part-{part}.json"), format!("{part}/2"));
        place.run(&["stats", "in", "-o", &out, "--shard-of", &of]).code(0);
    }
    place
        .run(&["merge", "part-0.json", "-o", "x.json"])
        .code(1)
        .stderr(predicate::str::contains("part 1/2 is missing"));
    place
        .run(&["merge", "part-0.json", "part-0.json", "-o", "x.json"])
        .code(1)
        .stderr(predicate::str::contains("twice"));
    place.run(&["merge", "part-1.json", "part-0.json", "-o", "merged.json"]).code(0);
    let (whole, merged) = (json(&place, "one.json"), json(&place, "merged.json"));
    assert_eq!(whole["images"], 9);
    assert_eq!(merged["images"], 9);
    for field in ["mean", "std"] {
        let values =
            |all: &Value| all[field].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        let (whole, merged) = (values(&whole), values(&merged));
        assert_eq!(whole.len(), 192);
        for (a, b) in whole.iter().zip(&merged) {
            assert!((a - b).abs() <= 1e-9 * a.abs().max(1e-3), "{field}: {a} and {b}");
        }
    }
    place.run(&["extract", "in", "-o", "out", "--normalize", "merged.json"]).code(0);
}

#[test]
fn ranks_and_maps_are_made_on_request() {
    let place = photos(4);
    let said = predicate::str::contains("--channels 'y:");
    place.run(&["stats", "in", "-o", "s.json", "--rank", "--budget", "7", "--plot", "e.png"]).code(0).stdout(said);
    let ranking = &json(&place, "s.json")["ranking"];
    let channels = ranking["channels"].as_str().unwrap();
    place.run(&["extract", "in", "-o", "out", "--channels", channels]).code(0);
    assert_eq!(place.manifest()[0]["outputs"][0]["shape"][0], 7);
    assert_eq!(ranking["order"].as_array().unwrap().len(), 192);
    let picture = image::open(place.path().join("e.png")).unwrap();
    assert!(picture.width() > 800);
    place.run(&["stats", "in", "-o", "s.json", "--budget", "7"]).code(2);
    place.run(&["stats", "in", "-o", "s.json", "--recipe", "planes"]).code(2);
}

#[test]
fn failures_of_stats_are_named_and_counted() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", b"text".to_vec()), ("c.png", png())]);
    let said = predicate::str::contains("in/b.jpg: not_jpeg").and(predicate::str::contains("2 images, 1 failed"));
    place.run(&["stats", "in", "-o", "s.json"]).code(1).stderr(said);
    assert_eq!(json(&place, "s.json")["failed"], 1);
}

#[test]
fn planes_are_drawn_of_images_and_of_tensors() {
    let place = photos(1);
    place.run(&["extract", "in", "-o", "out", "--layout", "hwc", "--dtype", "f16"]).code(0);
    place.run(&["show", "in/0/00.jpg", "-o", "image.png"]).code(0);
    place.run(&["show", "out/0/00.npy", "-o", "tensor.png"]).code(0);
    let open = |name: &str| image::open(place.path().join(name)).unwrap().to_rgb8();
    let (image, tensor) = (open("image.png"), open("tensor.png"));
    assert_eq!(image.dimensions(), tensor.dimensions(), "24 planes either way");
    let differing =
        image.pixels().zip(tensor.pixels()).filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 2));
    assert!(differing.count() * 100 < image.pixels().count(), "half precision hardly shows");
    let reason = predicate::str::contains("missing.jpg").and(predicate::str::contains("No such file").count(1));
    place.run(&["show", "in/missing.jpg", "-o", "x.png"]).code(1).stderr(reason);
    place.run(&["show", "in/0/00.jpg", "-o", "x.png", "--recipe", "planes"]).code(2);
    let large = ["show", "out/0/00.npy", "-o", "x.png", "--scale", "64", "--max-pixels", "1000000"];
    place.run(&large).code(1).stderr(predicate::str::contains("try a smaller --scale"));
    assert!(!place.path().join("x.png").exists());
}

#[test]
fn shards_of_a_longer_run_before_do_not_stay() {
    let place = photos(6);
    for format in ["webdataset", "safetensors"] {
        let run = |size: &str| {
            place.run(&["extract", "in", "-o", "out", "--format", format, "--shard-images", size]).code(0);
            place.names("out").len()
        };
        assert_eq!((run("1"), run("3"), run("6")), (8, 4, 3), "{format}");
        std::fs::remove_dir_all(place.path().join("out")).unwrap();
    }
}
