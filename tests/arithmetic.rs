//! Arithmetic-coded files, cut and damaged: what is recovered is what libjpeg recovers.

#![cfg(feature = "bench")]

mod support;

use jpegdct::{Coefficients, Damage, DecodeOptions, Error, Scratch, WarningKind};
use support::libjpeg::{self, Outcome};

/// The arithmetic-coded fixtures of 8 bits with a good header.
fn files() -> Vec<(String, Vec<u8>)> {
    let is_arithmetic = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == [0xff, 0xc9] || pair == [0xff, 0xca]);
    let files: Vec<_> = support::fixtures()
        .into_iter()
        .filter(|(fixture, bytes)| {
            let folder = fixture.path.split('/').next();
            is_arithmetic(bytes) && matches!(folder, Some("arithmetic" | "encoders"))
        })
        .map(|(fixture, bytes)| (fixture.path, bytes))
        .collect();
    assert!(files.len() >= 25, "only {} files", files.len());
    files
}

fn recover(bytes: &[u8]) -> Result<Coefficients, Error> {
    let mut options = DecodeOptions::default();
    options.damage = Damage::Keep;
    Coefficients::decode_with(bytes, &options, &mut Scratch::default())
}

fn digests(image: &Coefficients) -> Vec<u64> {
    image.planes.iter().map(|plane| plane.digest()).collect()
}

/// Offset of the first scan's data.
fn first_scan(bytes: &[u8]) -> usize {
    let sos = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).expect("the file has a scan");
    sos + 2 + usize::from(u16::from_be_bytes([bytes[sos + 2], bytes[sos + 3]]))
}

#[test]
fn a_cut_file_is_recovered_as_libjpeg_recovers_it() {
    let mut compared = 0;
    for (path, bytes) in files() {
        let start = first_scan(&bytes);
        // Every cut of the first and the last bytes, and some between.
        let step = ((bytes.len() - start) / 40).max(1);
        let end = bytes.len();
        for cut in (start..end).filter(|cut| (cut - start).is_multiple_of(step) || cut - start < 4 || end - cut <= 12) {
            let cut_bytes = &bytes[..cut];
            let ours = recover(cut_bytes).unwrap_or_else(|error| panic!("{path} cut at {cut}: {error}"));
            assert!(ours.is_damaged(), "{path} cut at {cut}");
            assert!(matches!(Coefficients::decode(cut_bytes), Err(Error::Damaged(_))), "{path} cut at {cut}");
            if let Outcome::Read { digests: theirs, .. } = libjpeg::read(cut_bytes) {
                assert_eq!(digests(&ours), theirs, "{path} cut at {cut}: {:?}", ours.warnings);
                compared += 1;
            }
        }
    }
    assert!(compared > 800, "only {compared} compared");
}

/// Flips a bit, takes bytes out, or puts a restart marker in, somewhere behind the first scan's header.
fn damage(bytes: &[u8], mut random: impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let start = first_scan(bytes);
    let at = start + random(bytes.len() - start);
    match random(4) {
        0 => drop(out.drain(at..bytes.len().min(at + random(20)))),
        1 => drop(out.splice(at..at, [0xff, 0xd0 + random(8) as u8])),
        _ => out[at] ^= 1 << random(8),
    }
    out
}

#[test]
fn damage_is_met_as_libjpeg_meets_it() {
    let mut state = 0x2545_f491u32;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 4) as usize % below
    };
    let (mut same, mut unread) = (0, 0);
    for (path, bytes) in files() {
        for round in 0..80 {
            let damaged = damage(&bytes, &mut random);
            let Outcome::Read { digests: theirs, warnings } = libjpeg::read(&damaged) else { continue };
            let Ok(ours) = recover(&damaged) else { continue };
            let hint = format!("{path} round {round}: {warnings} warnings of libjpeg, ours {:?}", ours.warnings);
            assert!(warnings == 0 || ours.is_damaged(), "{hint}");
            if ours.warnings.iter().any(|warning| matches!(warning.kind, WarningKind::Malformed(_))) {
                // Damage in a header behind the first scan: we are stricter, and keep what was there before.
                unread += 1;
            } else {
                assert_eq!(digests(&ours), theirs, "{hint}");
                same += 1;
            }
        }
    }
    assert!(same > 1500 && unread < 100, "{same} the same, {unread} with a header refused");
}
