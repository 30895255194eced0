//! Names in little memory.
//!
//! What enters: one name after another. What leaves: the same, in that order. Of a name is kept what it does not share with
//! the start of the one before, and every sixteenth is kept whole: names that are sorted, as those of a folder are, take a
//! few bytes each. [`Sorter`] brings them in order without ever holding many of them whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Every so many names one is whole.
const GROUP: usize = 16;

/// How many names a [`Sorter`] holds whole.
const WHOLE: usize = 1 << 15;

/// Names, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// For each: how much it shares with the one before, how much more there is of it, and that.
    text: Vec<u8>,
    /// Where each group begins.
    groups: Vec<u64>,
    len: usize,
    last: Vec<u8>,
}

impl Packed {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, name: &[u8]) {
        let mut shared = self.last.iter().zip(name).take_while(|(a, b)| a == b).count();
        if self.len.is_multiple_of(GROUP) {
            self.groups.push(self.text.len() as u64);
            shared = 0;
        }
        put_number(&mut self.text, shared);
        put_number(&mut self.text, name.len() - shared);
        self.text.extend_from_slice(&name[shared..]);
        self.last.truncate(shared);
        self.last.extend_from_slice(&name[shared..]);
        self.len += 1;
    }

    /// No more will come.
    pub(super) fn finish(&mut self) {
        self.text.shrink_to_fit();
        self.groups.shrink_to_fit();
        self.last = Vec::new();
    }

    /// The names from one on.
    pub(super) fn from(&self, index: usize) -> Cursor {
        let at = self.groups.get(index / GROUP).map_or(self.text.len(), |&at| at as usize);
        let mut cursor = Cursor { at, name: Vec::new() };
        (0..index % GROUP).for_each(|_| _ = cursor.next(self));
        cursor
    }
}

/// A place between two names. It owns nothing of them, so that what holds names can hold a place in them too.
#[derive(Debug)]
pub(super) struct Cursor {
    at: usize,
    name: Vec<u8>,
}

impl Cursor {
    /// The next name of those that the cursor was made for.
    pub(super) fn next(&mut self, of: &Packed) -> Option<&[u8]> {
        let shared = self.number(&of.text)?;
        let more = self.number(&of.text)?;
        let more = of.text.get(self.at..self.at.checked_add(more)?)?;
        self.at += more.len();
        self.name.truncate(shared);
        self.name.extend_from_slice(more);
        Some(&self.name)
    }

    fn number(&mut self, text: &[u8]) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = *text.get(self.at)?;
            self.at += 1;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn put_number(text: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        text.push(number as u8 | 0x80);
        number >>= 7;
    }
    text.push(number as u8);
}

/// Brings names in order.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    text: Vec<u8>,
    names: Vec<Range<usize>>,
    runs: Vec<Packed>,
}

impl Sorter {
    pub(super) fn push(&mut self, name: &[u8]) {
        let from = self.text.len();
        self.text.extend_from_slice(name);
        self.names.push(from..self.text.len());
        if self.names.len() >= WHOLE {
            self.pack();
        }
    }

    fn pack(&mut self) {
        let Sorter { text, names, runs } = self;
        names.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        let mut run = Packed::default();
        names.drain(..).for_each(|name| run.push(&text[name]));
        run.finish();
        runs.push(run);
        text.clear();
    }

    /// All of them, sorted by their bytes.
    pub(super) fn sorted(mut self) -> Sorted {
        self.pack();
        let mut sorted = Sorted { cursors: Vec::new(), runs: self.runs, first: BinaryHeap::new() };
        for run in 0..sorted.runs.len() {
            sorted.cursors.push(sorted.runs[run].from(0));
            sorted.advance(run);
        }
        sorted
    }
}

/// Sorted names, from sorted runs of them.
pub(super) struct Sorted {
    runs: Vec<Packed>,
    cursors: Vec<Cursor>,
    /// The next name of each run.
    first: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
}

impl Sorted {
    fn advance(&mut self, run: usize) {
        if let Some(name) = self.cursors[run].next(&self.runs[run]) {
            self.first.push(Reverse((name.to_vec(), run)));
        }
    }
}

impl Iterator for Sorted {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let Reverse((name, run)) = self.first.pop()?;
        self.advance(run);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &Packed, from: usize) -> Vec<Vec<u8>> {
        let mut cursor = names.from(from);
        std::iter::from_fn(|| cursor.next(names).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn names_come_out_as_they_went_in() {
        let long = "x".repeat(300);
        let names: Vec<Vec<u8>> = (0..100)
            .map(|n| match n % 7 {
                0 => Vec::new(),
                1 => long.clone().into_bytes(),
                2 => format!("{long}{n}").into_bytes(),
                _ => format!("img-{n:06}.jpg").into_bytes(),
            })
            .collect();
        let mut packed = Packed::default();
        names.iter().for_each(|name| packed.push(name));
        packed.finish();
        assert_eq!(packed.len(), 100);
        for from in 0..=100 {
            assert_eq!(all(&packed, from), names[from..], "from {from}");
        }
        assert!(all(&packed, 200).is_empty() && all(&Packed::default(), 0).is_empty());
    }

    /// More than are held whole at once, and none twice as long as it need be.
    #[test]
    fn many_names_are_sorted_and_take_little() {
        let count = 2 * WHOLE + 5;
        let name = |n: usize| format!("photo-{:06}.jpg", n * 7919 % count).into_bytes();
        let mut sorter = Sorter::default();
        (0..count).for_each(|n| sorter.push(&name(n)));
        let mut packed = Packed::default();
        let mut sorted: Vec<Vec<u8>> = (0..count).map(name).collect();
        sorted.sort();
        let mut wanted = sorted.iter();
        for name in sorter.sorted() {
            assert_eq!(Some(&name), wanted.next());
            packed.push(&name);
        }
        assert!(wanted.next().is_none());
        let bytes = packed.text.len() + 8 * packed.groups.len();
        assert!(bytes < 10 * count, "{bytes} bytes for {count} names");
        assert!(Sorter::default().sorted().next().is_none());
    }
}
