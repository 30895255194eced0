//! Every fixture through this crate and through libjpeg: coefficients, block for block, and what is clean.
//!
//! `JPEGDCT_FILES=FOLDER cargo test --test differential -- --nocapture` does the same with any folder of files.

#![cfg(feature = "bench")]

mod support;

use std::path::{Path, PathBuf};

use jpegdct::{Coefficients, Damage, DecodeOptions, Error, Scratch};
use support::libjpeg::{self, Outcome};

/// What we make of a file, in the terms of the manifest.
fn ours(bytes: &[u8]) -> (&'static str, Vec<u64>, String) {
    let mut options = DecodeOptions::default();
    options.damage = Damage::Keep;
    match Coefficients::decode_with(bytes, &options, &mut Scratch::default()) {
        Ok(image) => {
            let status = if image.is_damaged() { "damaged" } else { "ok" };
            let warnings: Vec<String> = image.warnings.iter().map(ToString::to_string).collect();
            (status, image.planes.iter().map(|plane| plane.digest()).collect(), warnings.join("; "))
        }
        Err(Error::NotJpeg(format)) => ("not_jpeg", vec![], format.to_string()),
        Err(error) => ("refused", vec![], error.to_string()),
    }
}

#[test]
fn fixtures_have_their_status_and_truth() {
    let mut wrong = Vec::new();
    for (fixture, bytes) in support::fixtures() {
        let (status, digests, message) = ours(&bytes);
        let digests: Vec<String> = digests.iter().map(|digest| format!("{digest:016x}")).collect();
        if status != fixture.status || (!fixture.digests.is_empty() && digests != fixture.digests) {
            wrong.push(format!("{}: {status} ({message}), expected {}: {}", fixture.path, fixture.status, fixture.why));
        }
    }
    assert!(wrong.is_empty(), "{} fixtures:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn strict_and_keeping_agree_on_what_is_clean() {
    for (fixture, bytes) in support::fixtures() {
        let strict = Coefficients::decode(&bytes);
        let (status, digests, message) = ours(&bytes);
        match strict {
            Ok(image) => {
                assert_eq!(status, "ok", "{}", fixture.path);
                assert_eq!(image.planes.iter().map(|plane| plane.digest()).collect::<Vec<_>>(), digests);
            }
            // Whoever goes on after the damage may meet a limit.
            Err(Error::Damaged(_)) => {
                assert!(status == "damaged" || message.starts_with("limit exceeded"), "{}", fixture.path);
            }
            Err(_) => assert!(["refused", "not_jpeg"].contains(&status), "{}", fixture.path),
        }
    }
}

#[test]
fn fixtures_equal_libjpeg_block_for_block() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (fixture, bytes) in support::fixtures() {
        let (status, digests, message) = ours(&bytes);
        if message.starts_with("limit exceeded") {
            continue; // libjpeg would allocate gigabytes
        }
        if let Outcome::Read { warnings, digests: theirs } = libjpeg::read(&bytes) {
            compared += 1;
            // Where libjpeg reads a file without a word, so do we, and where both recover, they recover the same.
            if digests != theirs && status != "refused" || (warnings == 0 && status != "ok" && fixture.status == "ok") {
                wrong.push(format!("{}: {status} ({message}), libjpeg gives {warnings} warnings", fixture.path));
            }
        }
    }
    assert!(compared > 100, "only {compared} files compared");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// All that is told of a file by so many threads.
fn told(bytes: &[u8], threads: usize, damage: Damage, scratch: &mut Scratch) -> Result<Coefficients, String> {
    let mut options = DecodeOptions::default();
    (options.threads, options.damage) = (threads, damage);
    Coefficients::decode_with(bytes, &options, scratch).map_err(|error| format!("{error}, {:?}", error.offset()))
}

/// Any number of threads makes the same of a file, damage and all.
#[test]
fn threads_change_nothing() {
    let mut scratches: [Scratch; 4] = Default::default();
    let odd = (0..support::count("JPEGDCT_STRUCTURES", 1500)).map(|seed| {
        let made = jpegdct::fuzzing::make(&support::seeded(seed));
        (format!("odd structure {seed}"), made.jpeg)
    });
    let fixtures = support::fixtures().into_iter().map(|(fixture, bytes)| (fixture.path, bytes));
    for (name, bytes) in fixtures.chain(odd) {
        for damage in [Damage::Keep, Damage::Refuse] {
            let one = told(&bytes, 1, damage, &mut scratches[0]);
            for (threads, scratch) in [2, 3, 8].into_iter().zip(&mut scratches[1..]) {
                let several = told(&bytes, threads, damage, scratch);
                assert!(one == several, "{name}, {threads} threads: {:?}", several.map(|image| image.warnings));
            }
        }
    }
}

/// Sound files of odd structure: what is in them, what we read and what libjpeg reads is one. `JPEGDCT_STRUCTURES=100000`
/// makes more of them.
#[test]
fn sound_files_of_odd_structure_equal_libjpeg() {
    let (mut equal, mut refused) = (0, 0);
    for seed in 0..support::count("JPEGDCT_STRUCTURES", 1500) {
        let made = jpegdct::fuzzing::make(&support::seeded(seed));
        let (status, digests, message) = ours(&made.jpeg);
        assert_eq!(status, "ok", "seed {seed}: {message}");
        match libjpeg::read(&made.jpeg) {
            Outcome::Read { warnings, digests: theirs } => {
                assert_eq!((warnings, digests), (0, theirs), "seed {seed}");
                equal += 1;
            }
            // By its own choice: no DNL segment, no 12 bits.
            Outcome::Refused(reason) => {
                assert!(made.is_deferred || made.frame.precision == 12, "seed {seed}: {reason}");
                refused += 1;
            }
        }
    }
    assert!(equal > 2 * refused, "{equal} files equal, {refused} refused by libjpeg");
}

/// A table of disagreements over a folder of files, for use by hand.
#[test]
fn a_folder_of_files() {
    let Some(folder) = std::env::var_os("JPEGDCT_FILES") else { return };
    let (mut files, mut clean, mut differ) = (Vec::new(), 0, 0);
    collect(Path::new(&folder), &mut files);
    for path in &files {
        let bytes = std::fs::read(path).expect("the file can be read");
        let (status, digests, message) = ours(&bytes);
        if message.starts_with("limit exceeded") {
            println!("{}\t{status}\t{message}\tnot given to libjpeg", path.display());
            continue;
        }
        let theirs = libjpeg::read(&bytes);
        let agree = match &theirs {
            Outcome::Read { warnings: 0, digests: theirs } => status == "ok" && digests == *theirs,
            Outcome::Read { digests: theirs, .. } => status == "damaged" && digests == *theirs,
            Outcome::Refused(_) => matches!(status, "refused" | "not_jpeg"),
        };
        clean += usize::from(agree && status == "ok");
        if !agree {
            differ += 1;
            let theirs = match theirs {
                Outcome::Read { warnings, digests: theirs } => {
                    format!("read, {warnings} warnings, {}", if digests == theirs { "equal" } else { "DIFFERENT" })
                }
                Outcome::Refused(code) => format!("refused, {code}"),
            };
            println!("{}\t{status}\t{message}\tlibjpeg: {theirs}", path.display());
        }
    }
    println!("{} files, {clean} clean and equal, {differ} disagreements", files.len());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
    files.sort();
}
