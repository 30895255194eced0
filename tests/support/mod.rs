//! What several tests share: the independent decoder and the fixtures.

#![allow(dead_code)] // each test file uses a part

pub mod libjpeg;

use std::path::{Path, PathBuf};

/// One entry of `fixtures/manifest.toml`.
#[derive(Debug, serde::Deserialize)]
pub struct Fixture {
    pub path: String,
    pub sha256: String,
    pub licence: String,
    pub origin: String,
    pub why: String,
    pub status: String,
    #[serde(default)]
    pub digests: Vec<String>,
    /// Of a golden tensor: the fixture it was made from.
    pub golden_of: Option<String>,
    /// Of a golden tensor: the recipe it is compared with.
    pub recipe: Option<String>,
    /// Of a golden tensor: the SNR in dB that exact arithmetic reaches.
    pub exact_snr: Option<f64>,
}

#[derive(serde::Deserialize)]
struct Manifest {
    fixture: Vec<Fixture>,
}

/// The folder of the fixtures.
pub fn fixtures_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// All fixtures, with their bytes.
pub fn fixtures() -> Vec<(Fixture, Vec<u8>)> {
    let text = std::fs::read_to_string(fixtures_dir().join("manifest.toml")).expect("the manifest can be read");
    let manifest: Manifest = toml::from_str(&text).expect("the manifest is TOML");
    let load = |fixture: Fixture| {
        let bytes = std::fs::read(fixtures_dir().join(&fixture.path)).expect("every fixture of the manifest is there");
        (fixture, bytes)
    };
    manifest.fixture.into_iter().map(load).collect()
}
