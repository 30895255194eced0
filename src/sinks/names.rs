//! What an image is called in the output.
//!
//! What enters: the place of each input in its tree (`a/b/img.jpg`), in input order. What leaves: a [`Name`] no other
//! image of the run has. The file system is not asked; whether a name is free depends on the inputs before it alone.

use std::collections::{HashMap, HashSet};

use super::TEMPORARY;
use crate::spec::fingerprint::fnv1a;

/// The two names of an image in the output. Both are relative, with forward slashes and never with `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The image's place in its tree, extension included: `a/b/img.jpg`. Names entries in files that hold many images.
    pub key: String,
    /// The same without the extension: `a/b/img`. Names files; differs from other stems by more than case.
    pub stem: String,
}

/// Hands out names.
#[derive(Debug, Default)]
pub struct Names {
    keys: Used,
    stems: Used,
}

/// Names that are taken. Hashes instead of names: 9 to 20 bytes an image. Should two hashes ever meet, a name is longer
/// than it need be.
#[derive(Debug, Default)]
struct Used {
    hashes: HashSet<u64>,
    /// Of those taken more than once: how often.
    counts: HashMap<u64, u32>,
}

impl Names {
    /// The name of the next image.
    ///
    /// `place` is cleaned: empty, `.` and `..` components go, and the name of the hidden folder of unfinished files. If an
    /// earlier image has the key already (an input given twice), `~2`, `~3` ... is appended. If an earlier image has the
    /// stem (`img.jpg` before `img.png`, or before `IMG.jpg`, which is one file on some systems), the whole key is the stem,
    /// with `~2` ... if need be.
    pub fn next(&mut self, place: &str) -> Name {
        let parts: Vec<&str> = place.split('/').filter(|part| !matches!(*part, "" | "." | ".." | TEMPORARY)).collect();
        let place = if parts.is_empty() { "input".to_string() } else { parts.join("/") };
        let key = self.keys.take(&place, |text| fnv1a(text.as_bytes()));

        let file = key.rfind('/').map_or(0, |slash| slash + 1);
        // A dot at the start of a file name begins no extension.
        let stem = key[file..].rfind('.').filter(|&dot| dot > 0).map_or(key.as_str(), |dot| &key[..file + dot]);
        let fold = |text: &str| fnv1a(text.to_lowercase().as_bytes());
        let stem = if self.stems.hashes.contains(&fold(stem)) { key.as_str() } else { stem };
        let stem = self.stems.take(stem, fold);
        Name { key, stem }
    }
}

impl Used {
    /// The first free of `text`, `text~2`, `text~3` ..., which is taken.
    fn take(&mut self, text: &str, hash: impl Fn(&str) -> u64) -> String {
        let first = hash(text);
        if self.hashes.insert(first) {
            return text.to_string();
        }
        let count = self.counts.entry(first).or_insert(1);
        loop {
            *count += 1;
            let candidate = format!("{text}~{count}");
            if self.hashes.insert(hash(&candidate)) {
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(places: &[&str]) -> Vec<(String, String)> {
        let mut names = Names::default();
        places.iter().map(|place| names.next(place)).map(|name| (name.key, name.stem)).collect()
    }

    fn stems(places: &[&str]) -> Vec<String> {
        all(places).into_iter().map(|(_, stem)| stem).collect()
    }

    #[test]
    fn the_later_of_two_gets_its_full_name() {
        assert_eq!(stems(&["a/img.jpg", "a/img.png", "b/img.png"]), ["a/img", "a/img.png", "b/img"]);
        assert_eq!(stems(&["img.jpg", "img.png", "img.png.jpg"]), ["img", "img.png", "img.png.jpg"]);
        assert_eq!(stems(&["img.png.jpg", "img.jpg", "img.png"]), ["img.png", "img", "img.png~2"]);
        assert_eq!(stems(&["IMG.jpg", "img.jpg", "img.JPG"]), ["IMG", "img.jpg", "img.JPG~2"]);
    }

    #[test]
    fn an_input_given_twice_keeps_both() {
        let named = all(&["x.jpg", "x.jpg", "x.jpg", "x.jpg~2"]);
        let keys: Vec<&str> = named.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["x.jpg", "x.jpg~2", "x.jpg~3", "x.jpg~2~2"]);
        let unique: std::collections::HashSet<_> = named.iter().map(|(_, stem)| stem).collect();
        assert_eq!(unique.len(), 4);
    }

    #[test]
    fn names_never_climb() {
        let places = ["../../x.jpg", "/etc/y.jpg", "a/../z.jpg", "..", "", "./w", ".jpegdct.tmp/v.jpg"];
        assert_eq!(stems(&places), ["x", "etc/y", "a/z", "input", "input~2", "w", "v"]);
    }

    #[test]
    fn dots() {
        assert_eq!(stems(&[".hidden", "a.b/noext", "a.b/c.d.jpg", "..."]), [".hidden", "a.b/noext", "a.b/c.d", ".."]);
    }
}
