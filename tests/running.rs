//! Runs that are interrupted, split, or meet a bad place to write: what is claimed is there, and what is there is whole.

#![cfg(feature = "cli")]

#[path = "support/place.rs"]
mod place;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use place::{Place, damaged, jpeg, png};
use predicates::prelude::*;
use serde_json::Value;

/// A folder of `count` images in three folders: photographs under many names, and a few files that fail.
fn corpus(count: usize) -> Place {
    let place = Place::new(&[]);
    let photos: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/photos"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .filter(|path| path.metadata().unwrap().len() < 100_000)
        .collect();
    for number in 0..count {
        let path = place.path().join(format!("in/{}/{number:04}.jpg", number % 3));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match number % 23 {
            7 => std::fs::write(path, damaged()).unwrap(),
            11 => std::fs::write(path, b"no image").unwrap(),
            _ => drop(std::fs::copy(&photos[number % photos.len()], path).unwrap()),
        }
    }
    place
}

/// The files of a folder that a reader would see.
fn visible(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.into_iter().filter(|(name, _)| !name.starts_with('.')).collect()
}

/// What the record of an unfinished run claims is there, byte for byte.
fn check_claims(place: &Place, out: &str, whole: &BTreeMap<String, Vec<u8>>) -> usize {
    let Ok(text) = std::fs::read_to_string(place.path().join(out).join(".manifest.jsonl.part")) else { return 0 };
    let lines: Vec<&str> = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
    let manifest = std::str::from_utf8(&whole["manifest.jsonl"]).unwrap();
    for (line, wanted) in lines.iter().zip(manifest.lines()) {
        assert_eq!(line.trim_end(), wanted, "a line that an uninterrupted run would not have written");
        let entry: Value = serde_json::from_str(line).unwrap();
        for output in entry["outputs"].as_array().unwrap() {
            let name = output["path"].as_str().unwrap();
            if name != "stack.npy" {
                let found = std::fs::read(place.path().join(out).join(name)).unwrap();
                assert!(found == whole[name], "{name} is claimed and not whole");
            }
        }
    }
    lines.len()
}

#[test]
fn a_run_killed_at_any_moment_is_taken_up_exactly() {
    let place = corpus(150);
    let mut formats: Vec<&[&str]> = vec![
        &["--format", "npy"],
        &["--format", "webdataset", "--shard-images", "7"],
        &["--format", "safetensors", "--shard-bytes", "1M"],
        &["--format", "stack", "--recipe", "dctnet-24"],
    ];
    if cfg!(feature = "zarr") {
        formats.push(&["--format", "zarr", "--recipe", "dctnet-24", "--shard-images", "7", "--zstd"]);
    }
    let mut kills = 0;
    for (round, format) in formats.iter().enumerate() {
        let begun = std::time::Instant::now();
        place.run(&[&["extract", "in", "-o", "whole", "--threads", "1"], *format].concat()).code(1);
        let took = begun.elapsed();
        let whole = place.files("whole");
        let arguments = [&["extract", "in", "-o", "out", "--threads", "2", "--resume"], *format].concat();
        let mut recorded = 0;
        for attempt in 0..12 {
            let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("jpegdct"))
                .current_dir(place.path())
                .args(&arguments)
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Any moment of a run, no two alike: multiples of the golden ratio, less their whole part.
            let share = (0.618_034 * (1 + attempt + 12 * round) as f64).fract();
            std::thread::sleep(took.mul_f64(0.8 * share));
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if ended.is_some() {
                // What the kills before it left was little to do. From the start again.
                assert_eq!(status.code(), Some(1));
                assert!(place.files("out") == whole, "{format:?}: other bytes than without interruption");
                std::fs::remove_dir_all(place.path().join("out")).unwrap();
                continue;
            }
            kills += 1;
            let now = check_claims(&place, "out", &whole);
            recorded = recorded.max(now);
        }
        assert!(recorded > 0, "{format:?}: never anything on record: nothing was tested");
        place.run(&arguments).code(1);
        let resumed = place.files("out");
        assert_eq!(resumed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>(), "{format:?}");
        assert!(resumed == whole, "{format:?}: other bytes than without interruption");
        for out in ["whole", "out"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
    eprintln!("{kills} kills");
    assert!(kills >= 20, "only {kills} kills hit a run");
}

#[test]
fn a_finished_run_is_not_begun_again() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", b"text".to_vec())]);
    place.run(&["extract", "in", "-o", "out"]).code(1);
    let before = place.files("out");
    std::fs::remove_file(place.path().join("out/a.npy")).unwrap();
    place
        .run(&["extract", "in", "-o", "out", "--resume"])
        .code(1)
        .stderr(predicate::str::contains("1 ok, 1 not JPEG; 2 of them by an earlier run"));
    assert_eq!(place.names("out"), ["dataset.json", "manifest.jsonl"], "it is done, and nothing is looked at");
    place.run(&["extract", "in", "-o", "out"]).code(1);
    assert!(before == place.files("out"));
}

#[test]
fn a_stop_is_taken_up_at_the_failure() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", b"text".to_vec()), ("c.jpg", jpeg(3)), ("d.jpg", jpeg(4))]);
    for format in [&["--format", "npy"][..], &["--format", "webdataset", "--shard-images", "2"]] {
        std::fs::write(place.path().join("in/b.jpg"), b"text").unwrap();
        let run = |out: &str, flags: &[&str]| place.run(&[&["extract", "in", "-o", out], flags, format].concat());
        run("out", &["--on-error", "stop"]).code(1);
        assert_eq!(place.dataset()["complete"], false);
        run("out", &["--on-error", "stop", "--resume"]).code(1);
        assert_eq!(place.manifest().len(), 2, "it fails again");
        std::fs::write(place.path().join("in/b.jpg"), jpeg(2)).unwrap();
        run("out", &["--on-error", "stop", "--resume"]).code(0);
        run("whole", &[]).code(0);
        assert!(place.files("out") == place.files("whole"), "{format:?}");
        for out in ["whole", "out"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
}

/// What was made of an input that has changed since is made again, and the result is that of a run over what is there now.
#[test]
fn an_input_that_changed_is_read_again() {
    let names: Vec<String> = (0..9).map(|n| format!("{n}.jpg")).collect();
    let files: Vec<_> = names.iter().zip(0..).map(|(name, seed)| (name.as_str(), jpeg(seed))).collect();
    let mut formats: Vec<&[&str]> = vec![
        &["--format", "npy"],
        &["--format", "webdataset", "--shard-images", "2"],
        &["--format", "stack", "--recipe", "dctnet-6"],
    ];
    if cfg!(feature = "zarr") {
        formats.push(&["--format", "zarr", "--recipe", "dctnet-6", "--shard-images", "2"]);
    }
    for format in formats {
        let place = Place::new(&files);
        let run = |out: &str, flags: &[&str]| place.run(&[&["extract", "in", "-o", out], flags, format].concat());
        run("out", &[]).code(0);
        let changed = |name: &str| predicate::str::contains(format!("in/{name} has changed"));
        run("out", &["--resume"]).code(0).stderr(changed("").not());
        // Of a finished run, one of the same size and another time, and one of another size.
        std::fs::write(place.path().join("in/5.jpg"), jpeg(5)).unwrap();
        run("out", &["--resume"]).code(0).stderr(changed("5.jpg"));
        run("whole", &[]).code(0);
        assert!(place.files("out") == place.files("whole"), "{format:?}");
        std::fs::write(place.path().join("in/3.jpg"), jpeg(77)).unwrap();
        run("out", &["--resume"]).code(0).stderr(changed("3.jpg"));
        run("whole", &[]).code(0);
        assert!(place.files("out") == place.files("whole"), "{format:?}");
        // Of a run that stopped.
        std::fs::write(place.path().join("in/7.jpg"), b"text").unwrap();
        run("out", &["--on-error", "stop"]).code(1);
        std::fs::write(place.path().join("in/7.jpg"), jpeg(7)).unwrap();
        std::fs::write(place.path().join("in/1.jpg"), jpeg(78)).unwrap();
        run("out", &["--resume"]).code(0).stderr(changed("1.jpg"));
        run("whole", &[]).code(0);
        assert!(place.files("out") == place.files("whole"), "{format:?}");
    }
}

#[test]
fn an_archive_that_changed_and_a_file_that_came_are_read_again() {
    let place = Place::new(&[("a.jpg", jpeg(1))]);
    let tar = |seed: u8| {
        let mut builder = tar::Builder::new(std::fs::File::create(place.path().join("in/x.tar")).unwrap());
        let bytes = jpeg(seed);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, "b.jpg", &bytes[..]).unwrap();
        builder.finish().unwrap();
    };
    tar(2);
    let run = |out: &str, code| {
        let said = place.run(&["extract", "in/a.jpg", "in/x.tar", "in/late.jpg", "-o", out, "--resume"]).code(code);
        String::from_utf8(said.get_output().stderr.clone()).unwrap()
    };
    run("out", 1);
    tar(3);
    assert!(run("out", 1).contains("in/x.tar/b.jpg has changed"));
    assert!(!run("out", 1).contains("changed"));
    std::fs::write(place.path().join("in/late.jpg"), jpeg(4)).unwrap();
    assert!(run("out", 0).contains("in/late.jpg has changed"));
    run("whole", 0);
    assert!(place.files("out") == place.files("whole"));
}

#[test]
fn other_settings_or_inputs_do_not_resume() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", b"text".to_vec()), ("c.jpg", jpeg(3))]);
    place.run(&["extract", "in", "-o", "out", "--on-error", "stop"]).code(1);
    for flags in [&["--dtype", "f16"][..], &["--damaged", "keep"], &["--no-reencode"], &["--format", "safetensors"]] {
        let arguments = [&["extract", "in", "-o", "out", "--resume"], flags].concat();
        place.run(&arguments).code(1).stderr(predicate::str::contains("cannot be resumed"));
    }
    std::fs::write(place.path().join("in/d.jpg"), jpeg(4)).unwrap();
    let said = predicate::str::contains("inputs is 4, was 3");
    place.run(&["extract", "in", "-o", "out", "--resume"]).code(1).stderr(said);
}

/// A file of a few kB is the largest that may be written: what a full disk does to a run, without a disk to fill.
#[cfg(unix)]
#[test]
fn a_full_disk_is_one_line_and_can_be_resumed() {
    let place = corpus(40);
    let formats = ["npy", "webdataset", "safetensors", "stack", "zarr"];
    for format in formats.into_iter().filter(|format| cfg!(feature = "zarr") || *format != "zarr") {
        let flags = ["--format", format, "--recipe", "dctnet-24"];
        let limit = if format == "npy" { 100 } else { 3000 };
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
        let assert = Command::new("sh")
            .current_dir(place.path())
            .args(["-c", &script])
            .arg(assert_cmd::cargo::cargo_bin("jpegdct"))
            .args(["extract", "in", "-o", "out"])
            .args(flags)
            .assert()
            .code(1);
        let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        let errors = said.lines().filter(|line| line.contains("cannot write out")).count();
        assert_eq!(errors, 1, "{format}: {said}");
        assert!(said.contains("--resume"), "{format}: {said}");
        assert!(!place.path().join("out/manifest.jsonl").exists());
        assert!(visible(place.files("out")).is_empty(), "{format}: nothing half-written is visible");
        place.run(&[&["extract", "in", "-o", "out", "--resume"], &flags[..]].concat()).code(1);
        place.run(&[&["extract", "in", "-o", "whole"], &flags[..]].concat()).code(1);
        assert!(place.files("out") == place.files("whole"), "{format}");
        for out in ["whole", "out"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
}

/// A file system of its own in memory, which only the superuser can have.
#[cfg(target_os = "linux")]
struct Tmpfs(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Tmpfs {
    fn new(folder: &Path, size: &str) -> Option<Tmpfs> {
        std::fs::create_dir(folder).unwrap();
        let found = Tmpfs::mount(folder, &format!("size={size}")).then(|| Tmpfs(folder.into()));
        if found.is_none() {
            eprintln!("skipped: only the superuser mounts a file system");
        }
        found
    }

    fn mount(folder: &Path, options: &str) -> bool {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success())
    }

    fn remount(&self, options: &str) {
        assert!(Tmpfs::mount(&self.0, &format!("remount,{options}")));
    }
}

#[cfg(target_os = "linux")]
impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_or_read_only_is_one_line_and_can_be_resumed() {
    let place = corpus(30);
    let Some(disk) = Tmpfs::new(&place.path().join("disk"), "1m") else { return };
    for format in ["npy", "webdataset", "safetensors", "stack"] {
        let out = format!("disk/{format}");
        let flags = ["--format", format, "--recipe", "dctnet-24"];
        let run = |out: &str, more: &[&str]| place.run(&[&["extract", "in", "-o", out], &flags[..], more].concat());
        disk.remount("size=1m");
        let one_line = |words: &str| {
            let words = words.to_string();
            predicate::function(move |said: &str| {
                said.lines().filter(|line| line.contains("cannot write disk")).count() == 1 && said.contains(&words)
            })
        };
        run(&out, &[]).code(1).stderr(one_line("No space left on device").and(one_line("--resume goes on")));
        assert!(!place.path().join(&out).join("manifest.jsonl").exists(), "{format}");
        disk.remount("size=100m,ro");
        run(&out, &["--resume"]).code(1).stderr(one_line("Read-only file system"));
        run("disk/other", &[]).code(1).stderr(one_line("Read-only file system"));
        disk.remount("size=100m,rw");
        run(&out, &["--resume"]).code(1);
        run("whole", &[]).code(1);
        assert!(place.files(&out) == place.files("whole"), "{format}");
        for out in [out.as_str(), "whole"] {
            std::fs::remove_dir_all(place.path().join(out)).unwrap();
        }
    }
}

#[test]
fn parts_are_the_whole() {
    let place = corpus(31);
    std::fs::write(place.path().join("in/0/0000.png"), png()).unwrap();
    place.run(&["extract", "in", "-o", "whole"]).code(1);
    let whole = place.files("whole");
    let mut files = BTreeMap::new();
    let mut lines = String::new();
    for part in 0..4 {
        let out = format!("part-{part}");
        let code = predicate::in_iter([0, 1]);
        place.run(&["extract", "in", "-o", &out, "--shard-of", &format!("{part}/4")]).code(code);
        let mut these = place.files(&out);
        these.remove("dataset.json");
        lines.push_str(&String::from_utf8(these.remove("manifest.jsonl").unwrap()).unwrap());
        for (name, bytes) in these {
            assert!(files.insert(name, bytes).is_none(), "a file of two parts");
        }
    }
    assert_eq!(lines.as_bytes(), whole["manifest.jsonl"]);
    files.insert("manifest.jsonl".into(), lines.into_bytes());
    files.insert("dataset.json".into(), whole["dataset.json"].clone());
    assert!(files == whole);
}

#[cfg(unix)]
#[test]
fn unreadable_folders_and_links_that_lead_nowhere_have_a_line() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new(&[("a/x.jpg", jpeg(1)), ("locked/y.jpg", jpeg(2))]);
    symlink("..", place.path().join("in/a/up")).unwrap();
    symlink("gone.jpg", place.path().join("in/a/z.jpg")).unwrap();
    let locked = place.path().join("in/locked");
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    let is_root = std::fs::read_dir(&locked).is_ok();
    let assert = place.run(&["extract", "in", "-o", "out"]).code(1);
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o755)).unwrap();
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("jpegdct: in/a/z.jpg: unreadable: "), "{said}");
    assert_eq!(said.contains("jpegdct: in/locked: unreadable: "), !is_root, "{said}");
    assert_eq!(place.statuses().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_file_that_goes_or_shrinks_after_it_was_listed_fails_alone() {
    let place = Place::new(&[("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.jpg", jpeg(3))]);
    let fifo = place.path().join("in/wait");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // The first input blocks until all is listed; then the others change.
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin("jpegdct"))
        .current_dir(place.path())
        .args(["extract", "in/wait", "in", "-o", "out", "--threads", "1"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    std::fs::remove_file(place.path().join("in/b.jpg")).unwrap();
    std::fs::write(place.path().join("in/c.jpg"), &jpeg(3)[..700]).unwrap();
    std::io::Write::write_all(&mut writer, &jpeg(4)).unwrap();
    drop(writer);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found: Vec<String> = place.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(found[..3], ["ok", "ok", "unreadable"]);
    assert!(["damaged", "refused"].contains(&found[3].as_str()), "{found:?}");
}
