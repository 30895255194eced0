use std::path::Path;

use super::*;

fn tree(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"\xff\xd8\xff\xe0").unwrap();
    }
    folder
}

fn places(arguments: &[PathBuf]) -> Vec<String> {
    list(arguments).inputs.iter().map(|input| input.place()).collect()
}

fn inputs(arguments: &[PathBuf]) -> Vec<Input> {
    list(arguments).inputs.iter().collect()
}

#[test]
fn a_folder_is_sorted_and_filtered() {
    let tree = tree(&["b/2.JPG", "b/10.jpeg", "a.jpg", "notes.txt", "c", "b.png", "x.npy"]);
    std::fs::write(tree.path().join("README"), b"text").unwrap();
    assert_eq!(places(&[tree.path().into()]), ["a.jpg", "b/10.jpeg", "b/2.JPG", "b.png", "c"]);
}

#[test]
fn inputs_come_out_as_they_went_in() {
    let paths = ["a.jpg", "x/b.jpg", "./x/c.jpg", "../up.jpg", "/", "..", "x/..", "x/y/d.jpg", "/etc/e.jpg", "x/b.jpg"];
    let inputs: Inputs = paths.iter().map(|path| Input::file(*path)).collect();
    assert_eq!(inputs.iter().map(|input| input.path).collect::<Vec<_>>(), paths.map(PathBuf::from));
    assert_eq!(inputs.range(8..99).map(|input| input.display()).collect::<Vec<_>>(), ["/etc/e.jpg", "x/b.jpg"]);
    let mut hash = Vec::new();
    inputs.for_each_path(|path| hash.push(path.to_path_buf()));
    assert_eq!(hash, paths.map(PathBuf::from));
    assert!(inputs.get(10).is_none() && Inputs::default().is_empty());
}

#[test]
fn explicit_files_are_always_taken() {
    let tree = tree(&["notes.txt", "sub/a.jpg"]);
    let arguments = [tree.path().join("notes.txt"), tree.path().join("sub/a.jpg")];
    assert_eq!(places(&arguments), ["notes.txt", "sub/a.jpg"]);
    assert_eq!(places(&arguments[1..]), ["a.jpg"]);
}

#[test]
fn several_folders_stay_apart() {
    let tree = tree(&["train/a.jpg", "val/a.jpg"]);
    assert_eq!(places(&[tree.path().join("train"), tree.path().join("val")]), ["train/a.jpg", "val/a.jpg"]);
}

#[test]
fn patterns_match_or_say_so() {
    let tree = tree(&["x/b.jpg", "x/a.jpg", "x/c.png", "x/[1].jpg"]);
    assert_eq!(places(&[tree.path().join("x/?.jpg")]), ["a.jpg", "b.jpg"]);
    assert_eq!(places(&[tree.path().join("*")]), ["x/[1].jpg", "x/a.jpg", "x/b.jpg", "x/c.png"]);
    assert_eq!(places(&[tree.path().join("x/[1].jpg")]), ["[1].jpg"], "a file of that very name wins");
    let lost = inputs(&[tree.path().join("*.gif")]);
    assert!(matches!(&lost[..], [Input { kind: Kind::Lost(reason), .. }] if reason.kind == io::ErrorKind::NotFound));
}

#[test]
fn what_is_missing_has_an_entry() {
    let tree = tree(&["a.jpg"]);
    let inputs = inputs(&[tree.path().join("a.jpg"), tree.path().join("gone.jpg")]);
    assert!(matches!(inputs[0].kind, Kind::File));
    assert!(matches!(&inputs[1].kind, Kind::Lost(reason) if reason.kind == io::ErrorKind::NotFound));
}

#[test]
fn relative_paths_are_places_and_never_climb() {
    let place = |path: &str| Input::file(path).place();
    assert_eq!(place("a/b/img.jpg"), "a/b/img.jpg");
    assert_eq!(place("../../x/./img.jpg"), "x/img.jpg");
    assert_eq!(place("/etc/img.jpg"), "etc/img.jpg");
}

#[cfg(unix)]
#[test]
fn loops_end_and_broken_links_are_named() {
    let tree = tree(&["a/x.jpg"]);
    std::os::unix::fs::symlink(tree.path(), tree.path().join("a/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", tree.path().join("a/z.jpg")).unwrap();
    let inputs = inputs(&[tree.path().into()]);
    let found: Vec<_> = inputs.iter().map(|input| (input.place(), matches!(input.kind, Kind::Lost(_)))).collect();
    assert_eq!(found, [("a/x.jpg".to_string(), false), ("a/z.jpg".to_string(), true)]);
}

/// Writes a tar of the files given; gzipped if its name says so.
fn archive(path: &Path, files: &[(&str, &[u8])]) {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    if path.extension().is_some_and(|extension| extension == "tar") {
        std::fs::write(path, tar).unwrap();
        return;
    }
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &tar).unwrap();
    encoder.finish().unwrap();
}

/// Place, label, JSON and bytes.
type Read = (String, Option<i64>, Option<serde_json::Value>, Vec<u8>);

/// Every input, read as a run reads it.
fn read_all(arguments: &[PathBuf]) -> Vec<Read> {
    let limits = crate::Limits::default();
    let listing = list(arguments);
    crate::corpus::feed(listing.inputs.iter(), &limits)
        .map(|mut fed| {
            let json = crate::corpus::source::read_json(&fed, &limits).unwrap();
            let mut bytes = Vec::new();
            crate::corpus::read(&mut fed, &limits, &mut bytes).unwrap();
            (fed.input.place(), fed.input.label.number(), json, bytes)
        })
        .collect()
}

#[test]
fn archives_are_folders_and_their_samples_carry_labels_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/c.jpg", "d".repeat(150));
    let files: &[(&str, &[u8])] = &[
        ("a/x.cls", b"7\n"),
        ("a/x.json", b"{\"n\": 1}"),
        ("a/x.jpg", b"one"),
        ("a/x.seg.png", b"two"),
        ("readme.txt", b"text"),
        ("b.jpg", b"three"),
        ("b.json", b"{\"n\": 2}"),
        (&long, b"four"),
    ];
    for name in ["s.tar", "s.tar.gz", "s.tgz"] {
        let path = folder.path().join(name);
        archive(&path, files);
        let json = |n: i64| Some(serde_json::json!({ "n": n }));
        let wanted = [
            ("a/x.jpg".to_string(), Some(7), json(1), b"one".to_vec()),
            ("a/x.seg.png".to_string(), Some(7), json(1), b"two".to_vec()),
            ("b.jpg".to_string(), None, json(2), b"three".to_vec()),
            (long.clone(), None, None, b"four".to_vec()),
        ];
        assert_eq!(read_all(std::slice::from_ref(&path)), wanted, "{name}");
        let other = folder.path().join("z.jpg");
        let listing = list(&[path, other]);
        assert_eq!(
            listing.inputs.get(0).unwrap().place(),
            format!("{name}/a/x.jpg"),
            "of several inputs each keeps its name"
        );
    }
}

#[test]
fn a_broken_archive_gives_what_it_has_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tar");
    archive(&path, &[("a.jpg", &[1; 600]), ("b.jpg", &[2; 600]), ("c.jpg", &[3; 600])]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2 * (512 + 1024) + 10] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let found = inputs(std::slice::from_ref(&path));
    assert_eq!(found.len(), 3);
    assert!(matches!(&found[2].kind, Kind::Lost(reason) if reason.to_string().contains("cannot be read further")));
    // Cut inside a file that is no image: what came behind it is lost, compressed or not.
    archive(&path, &[("a.jpg", &[1; 600]), ("a.json", &[2; 600]), ("b.jpg", &[3; 600])]);
    let bytes = std::fs::read(&path).unwrap();
    for cut in [2 * 1536 - 600, 2 * 1536 - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let found = inputs(std::slice::from_ref(&path));
        assert_eq!(found.len(), 2);
        assert!(matches!(&found[1].kind, Kind::Lost(reason) if reason.kind == io::ErrorKind::UnexpectedEof));
    }
    for content in [&b""[..], b"no archive at all, and long enough to be one block of it"] {
        std::fs::write(&path, content).unwrap();
        assert!(matches!(&inputs(std::slice::from_ref(&path))[..], [Input { kind: Kind::Lost(_), .. }]));
    }
}

/// A tar of one regular file behind a header that claims a name of so many bytes.
fn long_name(bytes: usize) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(bytes as u64);
    header.set_cksum();
    builder.append(&header, io::Read::take(io::repeat(b'n'), bytes as u64)).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    builder.append_data(&mut header, "a.jpg", &b"x"[..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn names_in_archives_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tar");
    // Members may be longer than headers may be.
    archive(&path, &[("a.jpg", &vec![1; 3 << 20]), ("b.txt", &vec![2; 3 << 20]), ("c.jpg", &[3; 600])]);
    assert_eq!(places(std::slice::from_ref(&path)), ["a.jpg", "c.jpg"]);
    let packed = |tar: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, tar).unwrap();
        encoder.finish().unwrap()
    };
    let tar = long_name(3 << 20);
    for content in [packed(&tar), tar] {
        std::fs::write(&path, content).unwrap();
        let inputs = inputs(std::slice::from_ref(&path));
        assert!(
            matches!(&inputs[..], [Input { kind: Kind::Lost(error), .. }] if error.to_string().contains("too long"))
        );
    }
}

#[test]
fn a_label_that_is_no_text_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tar");
    archive(&path, &[("a.cls", b"\xff7"), ("a.jpg", b"one"), ("b.jpg", b"two")]);
    let listing = list(std::slice::from_ref(&path));
    assert_eq!(listing.inputs.iter().map(|input| input.place()).collect::<Vec<_>>(), ["a.jpg", "b.jpg"]);
    assert_eq!(listing.classes, ["\u{fffd}7"]);
}

#[test]
fn lists_name_paths_and_labels() {
    let tree = tree(&["a.jpg", "sub/b.jpg", "sub/c.jpg"]);
    let at = |name: &str| tree.path().join(name).display().to_string();
    let plain = tree.path().join("list.txt");
    std::fs::write(&plain, format!("{}\r\n\n{}\n{}\n", at("a.jpg"), at("sub"), at("gone.jpg"))).unwrap();
    let argument = |path: &Path| PathBuf::from(format!("@{}", path.display()));
    let listing = list(&[argument(&plain)]);
    assert_eq!(
        listing.inputs.iter().map(|input| input.place()).collect::<Vec<_>>(),
        ["a.jpg", "sub/b.jpg", "sub/c.jpg", "gone.jpg"]
    );
    assert!(matches!(listing.inputs.get(3).unwrap().kind, Kind::Lost(_)));

    let records = tree.path().join("list.jsonl");
    let text = format!(
        "{{\"path\": {:?}, \"label\": \"dog\"}}\n{{\"file_name\": {:?}, \"label\": \"cat\", \"x\": 1}}\nnot\u{0}there\n{{}}\n",
        at("a.jpg"),
        at("sub/b.jpg"),
    );
    std::fs::write(&records, text).unwrap();
    for argument in [records.clone(), argument(&records)] {
        let listing = list(&[argument]);
        assert_eq!(listing.classes, ["cat", "dog"]);
        let labels: Vec<_> = listing.inputs.iter().map(|input| input.label.number()).collect();
        assert_eq!(labels, [Some(1), Some(0), None, None]);
        assert!(listing.inputs.get(1).unwrap().record.as_deref().unwrap().contains("\"x\": 1"));
        assert!(listing.inputs.get(3).unwrap().display().ends_with("list.jsonl:4"));
        assert!(listing.inputs.range(2..9).all(|input| matches!(input.kind, Kind::Lost(_))));
    }
    std::fs::write(&plain, "").unwrap();
    assert!(matches!(&inputs(&[argument(&plain)])[..], [Input { kind: Kind::Lost(_), .. }]));
}

/// A line may name a folder or an archive: all in it get what the line says, and keep what it does not say.
#[test]
fn a_line_is_for_all_that_it_names() {
    let tree = tree(&["sub/b.jpg", "sub/c.jpg", "d.jpg"]);
    let tar = tree.path().join("s.tar");
    archive(&tar, &[("a.cls", b"7"), ("a.jpg", b"one"), ("b.jpg", b"two")]);
    let records = tree.path().join("list.jsonl");
    let line = |name: &str, more: &str| format!("{{\"path\": {:?}{more}}}\n", tree.path().join(name));
    let text = [line("sub", ", \"label\": 3"), line("d.jpg", ""), line("s.tar", ", \"x\": 1")].concat();
    std::fs::write(&records, text).unwrap();
    let inputs = inputs(&[records]);
    let labels: Vec<_> = inputs.iter().map(|input| input.label.number()).collect();
    assert_eq!(labels, [Some(3), Some(3), None, Some(7), None]);
    let has = |input: &Input, text: &str| input.record.as_deref().is_some_and(|record| record.contains(text));
    assert!(has(&inputs[0], "label") && has(&inputs[1], "label") && has(&inputs[2], "d.jpg"));
    assert!(has(&inputs[3], "x") && has(&inputs[4], "x"));
}

#[test]
fn folders_are_classes_if_every_image_lies_in_one() {
    let tree = tree(&["train/dog/1.jpg", "train/cat/2.jpg", "train/cat/deep/3.jpg"]);
    let listing = list(&[tree.path().join("train")]);
    assert_eq!(listing.classes, ["cat", "dog"]);
    let label = |input: Input| input.label.class(&listing.classes).map(str::to_string);
    assert_eq!(listing.inputs.iter().filter_map(label).collect::<Vec<_>>(), ["cat", "cat", "dog"]);
    std::fs::write(tree.path().join("train/root.jpg"), b"\xff\xd8\xff").unwrap();
    assert!(list(&[tree.path().join("train")]).classes.is_empty());
}

#[test]
fn parts_cover_all_inputs_once() {
    for inputs in [0, 1, 7, 100] {
        for of in [1, 3, 8] {
            let parts: Vec<usize> = (0..of).flat_map(|part| part_of(inputs, part, of)).collect();
            assert_eq!(parts, (0..inputs).collect::<Vec<_>>());
        }
    }
    assert_eq!(part_of(usize::MAX, u64::MAX - 1, u64::MAX).end, usize::MAX);
}
