//! What several tests share: the independent decoder and the fixtures.

#![allow(dead_code)] // each test file uses a part

#[cfg(feature = "bench")]
#[allow(unused_imports)] // golden tensors need no other decoder
pub use jpegdct::bench::libjpeg;

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
}

/// One golden tensor of the manifest.
#[derive(Debug, serde::Deserialize)]
pub struct Golden {
    pub path: String,
    /// The fixture it was made from.
    pub fixture: String,
    /// The recipe it is compared with.
    pub recipe: String,
    /// The SNR in dB that exact arithmetic reaches against it.
    pub exact_snr: f64,
}

#[derive(serde::Deserialize)]
struct Manifest {
    fixture: Vec<Fixture>,
    golden: Vec<Golden>,
}

/// The folder of the fixtures.
pub fn fixtures_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn manifest() -> Manifest {
    let text = std::fs::read_to_string(fixtures_dir().join("manifest.toml")).expect("the manifest can be read");
    toml::from_str(&text).expect("the manifest is TOML")
}

/// The bytes of a file of the manifest.
pub fn read(path: &str) -> Vec<u8> {
    std::fs::read(fixtures_dir().join(path)).expect("every file of the manifest is there")
}

/// All fixtures, with their bytes.
pub fn fixtures() -> Vec<(Fixture, Vec<u8>)> {
    let load = |fixture: Fixture| (read(&fixture.path), fixture);
    manifest().fixture.into_iter().map(load).map(|(bytes, fixture)| (fixture, bytes)).collect()
}

/// All golden tensors.
pub fn golden() -> Vec<Golden> {
    manifest().golden
}

/// A number that an environment variable may raise.
pub fn count(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

/// Bytes that a number stands for on every machine.
pub fn seeded(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..64).map(|_| byte()).collect()
}
