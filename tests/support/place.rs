//! A folder for a test of the command, and small images made on the spot.

#![allow(dead_code)] // each test file uses a part

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use jpegdct::reencode::{ReencodeOptions, to_jpeg};
use serde_json::Value;
use tempfile::TempDir;

/// A small colour picture as a PNM file; the seed makes pictures differ.
pub fn pnm(seed: u8) -> Vec<u8> {
    let (width, height) = (36u8, 28u8);
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    for y in 0..height {
        for x in 0..width {
            bytes.extend([x.wrapping_mul(7), y.wrapping_mul(9), x.wrapping_mul(y).wrapping_add(seed)]);
        }
    }
    bytes
}

pub fn jpeg(seed: u8) -> Vec<u8> {
    to_jpeg(&pnm(seed), &ReencodeOptions::default()).unwrap()
}

/// A JPEG whose data ends half-way.
pub fn damaged() -> Vec<u8> {
    let mut bytes = jpeg(9);
    bytes.truncate(bytes.len() * 3 / 4);
    bytes
}

pub fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(20, 10).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A folder for one test: `in` with the files given, `out` for results.
pub struct Place(TempDir);

impl Place {
    pub fn new(files: &[(&str, Vec<u8>)]) -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for (name, bytes) in files {
            let path = folder.path().join("in").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        Place(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command, run in the folder.
    pub fn run(&self, arguments: &[&str]) -> assert_cmd::assert::Assert {
        Command::cargo_bin("jpegdct").unwrap().current_dir(self.path()).args(arguments).assert()
    }

    /// Every file below a folder with its bytes.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path().join(below);
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_string();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    pub fn names(&self, below: &str) -> Vec<String> {
        self.files(below).into_keys().collect()
    }

    pub fn manifest(&self) -> Vec<Value> {
        self.manifest_of("out")
    }

    pub fn manifest_of(&self, out: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join(out).join("manifest.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn dataset(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path().join("out/dataset.json")).unwrap()).unwrap()
    }

    /// Path and status of every manifest line.
    pub fn statuses(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_string();
        self.manifest().iter().map(|entry| (text(&entry["path"]), text(&entry["status"]))).collect()
    }
}

/// Statuses to compare with literals.
pub fn pairs(statuses: &[(String, String)]) -> Vec<(&str, &str)> {
    statuses.iter().map(|(path, status)| (path.as_str(), status.as_str())).collect()
}
