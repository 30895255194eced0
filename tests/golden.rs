//! Tensors against those of DCTNet's released pipeline, which goes through 8-bit pixels (`fixtures/golden`).
//!
//! The pipeline rounds and clips, so that nothing linear meets it exactly: the same steps in float64 reach the manifest's
//! `exact_snr`. To differ from that figure, upwards too, is to take other steps. What is lost is the pipeline's own: the
//! more an image clips (a coarsely quantised or a very bright one), the lower the figure.

#![cfg(feature = "corpus")] // for npyz

mod support;

use jpegdct::recipe::Normalize;
use jpegdct::{DecodeOptions, Extractor, Recipe};

/// How far the SNR may be from the manifest's, in dB: its last digit, and f32.
const TOLERANCE: f64 = 0.02;

/// Shape and values of an int16 `.npy`.
fn read_golden(bytes: &[u8]) -> (Vec<usize>, Vec<i16>) {
    let file = npyz::NpyFile::new(bytes).expect("a golden tensor is a .npy");
    assert_eq!(file.order(), npyz::Order::C);
    let shape = file.shape().iter().map(|&length| length as usize).collect();
    (shape, file.into_vec().expect("a golden tensor is int16"))
}

/// The sum of the squares.
fn energy(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum()
}

/// What a photograph reaches that hardly clips, in dB: one of each sampling must.
const GOOD: [(&str, f64); 2] = [("photos/rocket.jpg", 44.0), ("photos/rocket-420.jpg", 44.0)];

#[test]
fn dctnet_as_near_as_exact_arithmetic() {
    let listed = support::golden();
    assert!(listed.len() >= 5, "only {} golden tensors", listed.len());
    let mut reached = Vec::new();
    for support::Golden { path, fixture, recipe, exact_snr } in &listed {
        let mut recipe = Recipe::preset(recipe).expect("its recipe is a preset");
        recipe.normalize = Normalize::None;
        let extractor = Extractor::new(recipe, DecodeOptions::default()).expect("the preset is valid");
        let extraction = extractor.extract_bytes(&support::read(fixture)).expect("the fixture is sound");
        let ours = extraction.tensors[0].view_f32().expect("the preset gives f32");
        let (shape, golden) = read_golden(&support::read(path));
        assert_eq!(ours.shape(), shape, "{path}");

        let golden: Vec<f64> = golden.into_iter().map(f64::from).collect();
        let differences: Vec<f64> = ours.iter().zip(&golden).map(|(&our, &their)| f64::from(our) - their).collect();
        let plane = shape[1] * shape[2];
        let rms = differences.chunks(plane).map(|channel| (energy(channel.iter().copied()) / plane as f64).sqrt());
        let rms: Vec<String> = rms.map(|value| format!("{value:.2}")).collect();
        let snr = 10.0 * (energy(golden.iter().copied()) / energy(differences.iter().copied())).log10();
        println!("{path}: {snr:.2} dB, exact {exact_snr:.2}; rms {}", rms.join(" "));
        assert!((snr - exact_snr).abs() <= TOLERANCE, "{path}: {snr:.3} dB, exact arithmetic {exact_snr:.2}");
        reached.push((fixture.as_str(), snr));
    }
    for (fixture, least) in GOOD {
        assert!(reached.iter().any(|&(name, snr)| name == fixture && snr >= least), "{fixture} below {least}");
    }
}
