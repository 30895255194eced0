//! The bodies of the fuzz targets over every fixture and every saved finding.

#![cfg(feature = "cli")]

mod support;

use std::path::PathBuf;

use jpegdct::fuzzing::BODIES;

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(support::fixtures_dir().join(folder)).sort_by_file_name().into_iter();
    entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect()
}

#[test]
fn what_must_hold_holds_for_every_fixture_and_finding() {
    let files = files("");
    assert!(files.len() > 500, "only {} files", files.len());
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        for (name, body) in BODIES {
            let run = std::panic::catch_unwind(|| body(&bytes));
            assert!(run.is_ok(), "{name} does not hold for {}", path.display());
        }
    }
}

/// Recipes are texts: these are the seeds that no fixture is.
#[test]
fn what_must_hold_holds_for_recipes() {
    for text in [
        "channels = 'y:0-3;cb:0'\n[geometry]\nresize.short = 16\ncrop.center = 8",
        "{\"kind\":\"planes\",\"layout\":\"blocks\"}",
        "normalize = { statistics = { mean = [0.0, 1.0], std = [1e-300, 1e300] } }\nchannels = 'y:0,1'",
        "[geometry]\nresize.size = [65536, 65536]",
        "[photometric]\nbrightness = [0, 1000]\nfrequency_enhancement = [1000, 1000]\ncutout = { blocks = 65536 }",
    ] {
        jpegdct::fuzzing::recipe(text.as_bytes());
    }
}

/// `JPEGDCT_STRUCTURES=100000` makes more of them.
#[test]
fn sound_files_of_odd_structure_are_decoded_to_what_is_in_them() {
    for seed in 0..support::count("JPEGDCT_STRUCTURES", 1500) {
        let run = std::panic::catch_unwind(|| jpegdct::fuzzing::structure(&support::seeded(seed)));
        assert!(run.is_ok(), "structure does not hold for seed {seed}");
    }
}
