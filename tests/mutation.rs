//! Seeded mutants of the fixtures and of sound files of odd structure: cut, flipped, overwritten, with segments moved. None may
//! panic, what we call clean must be what libjpeg reads, and what is recovered of damage must be what libjpeg recovers, with two
//! exceptions.
//!
//! `JPEGDCT_MUTANTS=100000 cargo test --release --test mutation -- --nocapture` runs more of them and counts outcomes.

#![cfg(feature = "bench")]

mod support;

use std::collections::BTreeMap;

use jpegdct::{Coefficients, Damage, DecodeOptions, Error, ExtractScratch, Extractor, Recipe, Scratch};
use support::libjpeg::{self, Outcome};

/// A small generator, so that a seed names a mutant on every machine (Numerical Recipes' 64-bit step, upper half).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

/// One mutant of a file.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        if out.len() < 4 {
            break;
        }
        let at = random.below(out.len());
        match random.below(7) {
            0 => out.truncate(at),
            1 => out[at] ^= 1 << random.below(8),
            2 => out[at] = random.below(256) as u8,
            3 => out[at] = 0xff,
            4 => {
                // A marker's second byte.
                let markers: Vec<usize> = (1..out.len()).filter(|&i| out[i - 1] == 0xff && out[i] >= 0xc0).collect();
                if !markers.is_empty() {
                    let chosen = markers[random.below(markers.len())];
                    out[chosen] = 0xc0 + random.below(64) as u8;
                }
            }
            5 => {
                // A piece of the file again, or another place's piece.
                let from = random.below(out.len());
                let piece = out[from..(from + random.below(40)).min(out.len())].to_vec();
                out.splice(at..at, piece);
            }
            _ => {
                let end = (at + random.below(20)).min(out.len());
                out.drain(at..end);
            }
        }
    }
    out
}

#[test]
fn mutants_are_refused_or_recovered_as_libjpeg_does() {
    let count: usize = std::env::var("JPEGDCT_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(6000);
    let mut options = DecodeOptions::default();
    options.damage = Damage::Keep;
    options.limits.pixels = 1 << 20;
    options.limits.memory = 64 << 20;
    let mut together = options;
    together.threads = 3;
    let seeds: Vec<_> = support::fixtures().into_iter().filter(|(_, bytes)| bytes.len() < 8000).collect();
    let extractor = Extractor::new(Recipe::preset("native-24").unwrap(), options).unwrap();
    let (mut scratch, mut tensors) = (Scratch::default(), ExtractScratch::default());
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 0..count {
        let mut random = Random(seed as u64);
        // Every third of a sound file of odd structure.
        let (name, bytes) = if seed % 3 == 2 {
            ("odd structure", jpegdct::fuzzing::make(&support::seeded(seed as u64)).jpeg)
        } else {
            let (fixture, bytes) = &seeds[random.below(seeds.len())];
            (&*fixture.path, bytes.clone())
        };
        let mutant = mutate(&bytes, &mut random);
        let ours = Coefficients::decode_with(&mutant, &options, &mut scratch);
        let _ = extractor.extract(&mutant, "mutant", &mut tensors);
        let strict = Coefficients::decode(&mutant);
        // Several threads make the same of it.
        let several = Coefficients::decode_with(&mutant, &together, &mut scratch);
        let told = |outcome: &jpegdct::Result<Coefficients>| {
            outcome.as_ref().map_err(|e| (e.to_string(), e.offset())).cloned()
        };
        assert!(told(&ours) == told(&several), "seed {seed} of {name}: {:?}", several.map(|image| image.warnings));
        let kind = match &ours {
            Ok(image) if image.is_damaged() => "damaged",
            Ok(_) => "ok",
            Err(Error::Limit { .. }) => {
                // libjpeg has no such limits.
                *tally.entry("limit".into()).or_default() += 1;
                continue;
            }
            Err(_) => "refused",
        };
        assert_eq!(strict.is_ok(), kind == "ok", "seed {seed} of {name}: {:?}", strict.err());
        let digests = |image: &Coefficients| image.planes.iter().map(|plane| plane.digest()).collect::<Vec<_>>();
        let theirs = libjpeg::read(&mutant);
        let (outcome, agree) = match (&ours, &theirs) {
            (Ok(image), Outcome::Read { warnings, digests: theirs }) => {
                let equal = digests(image) == *theirs;
                let agree = equal || kind == "damaged" && recovers_otherwise(image, &mutant);
                (format!("read, warnings {}, equal {equal}", *warnings > 0), agree)
            }
            (Ok(image), Outcome::Refused(reason)) => {
                let outcome = format!("refused: {}", reason.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
                (outcome, kind == "damaged" || tolerated(image, reason))
            }
            (Err(_), Outcome::Read { warnings, .. }) => (format!("read, warnings {}", *warnings > 0), true),
            (Err(_), Outcome::Refused(_)) => ("refused".into(), true),
        };
        if !agree {
            wrong.push(format!("seed {seed} of {name}: {kind}, libjpeg {outcome}"));
        }
        *tally.entry(format!("{kind}; libjpeg {outcome}")).or_default() += 1;
    }
    for (outcome, count) in &tally {
        println!("{count:7} {outcome}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where libjpeg makes something else of damage than we do: behind a segment that breaks T.81, which is where we stop; and
/// where a fill byte stands in entropy-coded data, at which its fast decoder begins the MCU again and leaves in the block
/// what it has put there.
fn recovers_otherwise(image: &Coefficients, bytes: &[u8]) -> bool {
    image.warnings.iter().any(|warning| matches!(warning.kind, jpegdct::WarningKind::Malformed(_)))
        || bytes.windows(2).any(|pair| pair == [0xff, 0xff])
}

/// What we read and libjpeg refuses by its own choice, not T.81's.
fn tolerated(image: &Coefficients, reason: &str) -> bool {
    use jpegdct::WarningKind::{LeadingBytes, NoQuantTable};
    let warned = image.warnings.iter().any(|w| matches!(w.kind, LeadingBytes(_) | NoQuantTable(_)));
    warned
        || image.info.frame.precision == 12
        // A height that a DNL segment gives.
        || reason.starts_with("Empty JPEG image")
        // Components of a scan in another order than the frame's.
        || reason.starts_with("Invalid component ID")
}
