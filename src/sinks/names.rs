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
    /// If all places are known: hashes of the keys and stems that more than one image has, sorted.
    shared: Option<Vec<u64>>,
}

/// Names that are taken. Hashes instead of names: 9 to 20 bytes an image. Should two hashes ever meet, a name is longer
/// than it need be.
#[derive(Debug, Default)]
struct Used {
    hashes: HashSet<u64>,
    /// Of those taken more than once: how often.
    counts: HashMap<u64, u32>,
}

/// How many hashes [`Names::of`] holds at once, about.
const HASHES: usize = 1 << 19;

impl Names {
    /// Names for images whose places are all known: the same as without that, but only names are remembered that another
    /// image may want too. `places` gives `count` places, each time it is asked.
    pub fn of<I: IntoIterator<Item = String>>(count: usize, places: impl Fn() -> I) -> Names {
        let shared = shared(count, places, HASHES);
        Names { shared: Some(shared), ..Names::default() }
    }

    /// The name of the next image.
    ///
    /// `place` is cleaned: empty, `.` and `..` components go, and the name of the hidden folder of unfinished files. If an
    /// earlier image has the key already (an input given twice), `~2`, `~3` ... is appended. If an earlier image has the
    /// stem (`img.jpg` before `img.png`, or before `IMG.jpg`, which is one file on some systems), the whole key is the stem,
    /// with `~2` ... if need be.
    pub fn next(&mut self, place: &str) -> Name {
        let place = clean(place);
        let key = self.keys.take(&place, self.is_wanted(&place), |text| fnv1a(text.as_bytes()));
        let stem = stem_of(&key);
        let stem = if self.stems.hashes.contains(&fold(stem)) { key.as_str() } else { stem };
        let stem = self.stems.take(stem, self.is_wanted(stem), fold);
        Name { key, stem }
    }

    /// Whether another image may want this name: as its key or stem, or with a number appended.
    fn is_wanted(&self, text: &str) -> bool {
        let Some(shared) = &self.shared else { return true };
        let number = text.rsplit_once('~').map_or("", |(_, number)| number);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            || shared.binary_search(&fold(text)).is_ok()
    }
}

fn clean(place: &str) -> String {
    let parts: Vec<&str> = place.split('/').filter(|part| !matches!(*part, "" | "." | ".." | TEMPORARY)).collect();
    if parts.is_empty() { "input".to_string() } else { parts.join("/") }
}

/// A key without its extension. A dot at the start of a file name begins none.
fn stem_of(key: &str) -> &str {
    let file = key.rfind('/').map_or(0, |slash| slash + 1);
    key[file..].rfind('.').filter(|&dot| dot > 0).map_or(key, |dot| &key[..file + dot])
}

/// The hash of a name, the same for names that differ by case alone.
fn fold(text: &str) -> u64 {
    fnv1a(text.to_lowercase().as_bytes())
}

/// Hashes of the keys and stems that more than one image has. About `at_once` hashes are in memory: of more, one share after
/// another is looked at.
fn shared<I: IntoIterator<Item = String>>(count: usize, places: impl Fn() -> I, at_once: usize) -> Vec<u64> {
    let shares = (2 * count).div_ceil(at_once).max(1) as u64;
    let (mut shared, mut hashes) = (Vec::new(), Vec::new());
    for share in 0..shares {
        hashes.clear();
        for place in places() {
            let key = clean(&place);
            let (stem, key) = (fold(stem_of(&key)), fold(&key));
            let once = std::iter::once(stem).chain((key != stem).then_some(key));
            hashes.extend(once.filter(|hash| hash % shares == share));
        }
        hashes.sort_unstable();
        shared.extend(hashes.chunk_by(|a, b| a == b).filter(|equal| equal.len() > 1).map(|equal| equal[0]));
    }
    shared.sort_unstable();
    shared.shrink_to_fit();
    shared
}

impl Used {
    /// The first free of `text`, `text~2`, `text~3` ..., which is taken. One that nobody else wants is free, and needs no
    /// place in memory.
    fn take(&mut self, text: &str, is_wanted: bool, hash: impl Fn(&str) -> u64) -> String {
        let first = hash(text);
        if !is_wanted || self.hashes.insert(first) {
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

    /// To know all places beforehand changes no name, and what is remembered is what clashes.
    #[test]
    fn places_that_are_known_get_the_same_names() {
        let words =
            ["a", "A", "b", "a.jpg", "A.JPG", "a.png", "b.jpg", "a.jpg~2", "a~2", "a~2.jpg", "b~3", "x/a", "x/a.b"];
        let endings = ["", ".jpg", ".png", "~2", "~3", ".jpg~2", "/", "."];
        let mut state = 1u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % n
        };
        for _ in 0..500 {
            let count = 1 + below(40);
            let places: Vec<String> =
                (0..count).map(|_| format!("{}{}", words[below(words.len())], endings[below(endings.len())])).collect();
            let shared = shared(count, || places.clone(), 8);
            let mut known = Names { shared: Some(shared), ..Names::default() };
            let mut unknown = Names::default();
            for place in &places {
                assert_eq!(known.next(place), unknown.next(place), "of {places:?}");
            }
        }
        let places = || (0..10_000).map(|n| format!("img-{n}.jpg")).chain(["img-7.png".to_string()]);
        let mut names = Names::of(10_001, places);
        let last = places().map(|place| names.next(&place)).last().unwrap();
        assert_eq!((last.stem.as_str(), names.stems.hashes.len(), names.keys.hashes.len()), ("img-7.png", 1, 0));
    }
}
