//! Data flows one way: a room imports only rooms above it, and wings are imported by the faces alone.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom.
const ROOMS: [&str; 16] = [
    "error",
    "limits",
    "cpu",
    "spec",
    "markers",
    "entropy",
    "scans",
    "coefficients",
    "tensor",
    "recipe",
    "spectral",
    "extractor",
    "objects",
    "sinks",
    "corpus",
    "lib",
];

/// Rooms beside the route, for the faces alone.
const WINGS: [&str; 4] = ["bench", "picture", "reencode", "verify"];

/// What may import everything: the command, the list of rooms, the bodies of the fuzz targets.
const FACES: [&str; 4] = ["bin", "cli", "lib", "fuzzing"];

/// Pairs that look upwards, each with its reason.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("error", "limits"),  // an error names the limit that was exceeded
    ("error", "markers"), // and the format or colour model that was found
    ("markers", "spec"),  // facts
    ("entropy", "scans"), // a block is what a scan's tile is made of
    ("limits", "error"),  // a limit that is exceeded is an error
];

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The room of a file below `src`.
fn room_of(path: &Path) -> String {
    let first = path.iter().next().unwrap().to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

/// Rooms that a file's code names as `crate::ROOM`, comments left out.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for part in line.split("crate::").skip(1) {
            let names = match part.strip_prefix('{') {
                Some(group) => group.split(',').map(|name| name.split("::").next().unwrap().to_string()).collect(),
                None => vec![part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_string()],
            };
            found.extend(names.into_iter().map(|name| name.trim_matches(|c| "{}; ".contains(c)).to_string()));
        }
    }
    found
}

#[test]
fn rooms_import_only_rooms_above_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let place = |room: &str| ROOMS.iter().position(|&name| name == room);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in files {
        let below = path.strip_prefix(&source).unwrap();
        let room = room_of(below);
        if FACES.contains(&room.as_str()) {
            continue;
        }
        let is_wing = WINGS.contains(&room.as_str());
        assert!(is_wing || place(&room).is_some(), "{} is in no room", below.display());
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let wing = WINGS.contains(&import.as_str());
            let Some(target) = place(&import).or(wing.then_some(usize::MAX)) else { continue };
            seen += 1;
            let own = import == room;
            let allowed = own
                || (!wing && (is_wing || place(&room) > Some(target)))
                || EXCEPTIONS.contains(&(room.as_str(), import.as_str()));
            if !allowed {
                wrong.push(format!("{} imports {import}", below.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were found: the test is blind");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_in_every_form() {
    assert_eq!(
        imports("use crate::error::Error;\nlet x = crate::spec::zigzag::ZIGZAG; // crate::x"),
        ["error", "spec", "x"]
    );
    assert_eq!(imports("use crate::{scans::Tile, tensor};"), ["scans", "tensor"]);
    assert_eq!(imports("//! crate::corpus"), [""; 0]);
}

/// What code that makes samples would name: an inverse DCT, or another crate's decoder.
const SAMPLE_MAKERS: [&str; 6] = ["idct", "inverse(", "inverse_dct", "jpeg_decoder", "decompress", "zune"];

/// The names of sample makers in a file's code; comments, and tests at its end, left out.
fn sample_makers(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_lowercase);
    lines.filter(|line| SAMPLE_MAKERS.iter().any(|name| line.contains(name))).collect()
}

/// Samples are made in the wings alone: outside them no code names an inverse DCT or a pixel decoder.
#[test]
fn no_samples_outside_the_wings() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut inside = 0;
    for path in files {
        let below = path.strip_prefix(&source).unwrap();
        let is_test = below.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        let found = sample_makers(&fs::read_to_string(&path).unwrap());
        let room = room_of(below);
        if WINGS.contains(&room.as_str()) {
            inside += usize::from(room == "verify" && found.iter().any(|line| line.contains("inverse(")));
        } else if !is_test {
            assert!(found.is_empty(), "{}: {found:?}", below.display());
        }
    }
    assert!(inside > 0, "verify's own inverse DCT was not found: the test is blind");
}

#[test]
fn sample_makers_are_found_in_every_form() {
    let found = |text| sample_makers(text).len();
    assert_eq!(found("let samples = dct::inverse(&block);"), 1);
    assert_eq!(found("use jpeg_decoder::Decoder;\n    fn fast_IDCT8(x: [f32; 8]) {}"), 2);
    assert_eq!(found("mozjpeg::Decompress::new_mem(bytes)"), 1);
    assert_eq!(found("// the idct of jpeg_decoder\nfn dct() {}\n#[cfg(test)]\nmod tests { fn idct() {} }"), 0);
}
