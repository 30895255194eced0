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
    list(arguments).inputs.iter().map(Input::place).collect()
}

#[test]
fn a_folder_is_sorted_and_filtered() {
    let tree = tree(&["b/2.JPG", "b/10.jpeg", "a.jpg", "notes.txt", "c", "b.png", "x.npy"]);
    std::fs::write(tree.path().join("README"), b"text").unwrap();
    assert_eq!(places(&[tree.path().into()]), ["a.jpg", "b/10.jpeg", "b/2.JPG", "b.png", "c"]);
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
    let lost = list(&[tree.path().join("*.gif")]).inputs;
    assert!(matches!(&lost[..], [Input { kind: Kind::Lost(error), .. }] if error.kind() == io::ErrorKind::NotFound));
}

#[test]
fn what_is_missing_has_an_entry() {
    let tree = tree(&["a.jpg"]);
    let inputs = list(&[tree.path().join("a.jpg"), tree.path().join("gone.jpg")]).inputs;
    assert!(matches!(inputs[0].kind, Kind::File));
    assert!(matches!(&inputs[1].kind, Kind::Lost(error) if error.kind() == io::ErrorKind::NotFound));
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
    let inputs = list(&[tree.path().into()]).inputs;
    let found: Vec<_> = inputs.iter().map(|input| (input.place(), matches!(input.kind, Kind::Lost(_)))).collect();
    assert_eq!(found, [("a/x.jpg".to_string(), false), ("a/z.jpg".to_string(), true)]);
}
