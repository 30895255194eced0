//! `jpegdct bench`: its rows, its ratios, its chart, and what it leaves out.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use place::{Place, damaged, jpeg, png};
use predicates::prelude::*;
use serde_json::Value;

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
    let together = report["scaling"]["together"].as_array().unwrap();
    let ids: Vec<&str> = together.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tiles", "coefficients", "native-24-f32"]);
    for row in together {
        let of = |field: &str| row[field].as_f64().unwrap();
        assert!(near(&row["speedup"], of("ns_per_pixel_1") / of("ns_per_pixel_n")), "{row}");
    }
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
