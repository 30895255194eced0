//! Channel sets: which frequencies of Y, Cb and Cr become channels, and in what order.
//!
//! A frequency is its row-major index `c = 8 * v + u` (u horizontal, v vertical, 0..=63). A tensor's channels are the
//! Y frequencies in the order listed, then Cb's, then Cr's.
//!
//! Text forms: a number (DCTNet's set of that many channels: 6, 24, 32, 48, 64, 192), `zigzag:Y,CB,CR` (the first n
//! of each in zigzag order), an explicit list `y:0-3,8-11;cb:0,1;cr:0,1` (a missing component has no channels), or
//! `@FILE` (a text file that holds one of these forms).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{RecipeError, dctnet};
use crate::spec::zigzag::{ROW_MAJOR, ZIGZAG};

/// The wanted frequencies of each of Y, Cb, Cr, row-major indices 0..=63, none twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelSet {
    components: [Vec<u8>; 3],
}

impl ChannelSet {
    /// A set from row-major indices.
    ///
    /// # Errors
    /// An index above 63, an index listed twice, or no index at all.
    pub fn new(y: Vec<u8>, cb: Vec<u8>, cr: Vec<u8>) -> Result<ChannelSet, RecipeError> {
        let components = [y, cb, cr];
        for list in &components {
            let mut seen = 0u64;
            for &c in list {
                if c > 63 || seen >> c & 1 == 1 {
                    return Err(RecipeError::Channel(c.into()));
                }
                seen |= 1 << c;
            }
        }
        if components.iter().all(Vec::is_empty) {
            return Err(RecipeError::NoChannels);
        }
        Ok(ChannelSet { components })
    }

    /// DCTNet's set of `count` channels: 6, 24, 32, 48, 64 or 192.
    pub fn dctnet(count: usize) -> Option<ChannelSet> {
        if count == 192 {
            let all = || (0..64).collect::<Vec<u8>>();
            return ChannelSet::new(all(), all(), all()).ok();
        }
        let set = dctnet::constants().channel_sets.get(&count.to_string())?;
        ChannelSet::new(set.y.clone(), set.cb.clone(), set.cr.clone()).ok()
    }

    /// The first `counts` frequencies of each component in zigzag order, each 0..=64.
    ///
    /// # Errors
    /// A count above 64, or all zero.
    pub fn zigzag(counts: [usize; 3]) -> Result<ChannelSet, RecipeError> {
        if let Some(&n) = counts.iter().find(|&&n| n > 64) {
            return Err(RecipeError::Channel(n as u64));
        }
        let [y, cb, cr] = counts.map(|n| ROW_MAJOR[..n].to_vec());
        ChannelSet::new(y, cb, cr)
    }

    /// Row-major indices of component 0 (Y), 1 (Cb) or 2 (Cr), in channel order.
    pub fn component(&self, component: usize) -> &[u8] {
        &self.components[component]
    }

    /// Number of channels, 1..=192.
    pub fn len(&self) -> usize {
        self.components.iter().map(Vec::len).sum()
    }

    /// Never: a set has a channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All channels in tensor order as indices into 192: c for Y, 64 + c for Cb, 128 + c for Cr.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        (0..3).flat_map(|component| self.components[component].iter().map(move |&c| 64 * component + usize::from(c)))
    }

    /// The highest zigzag position wanted of a component, `None` if none is.
    pub fn highest_zigzag(&self, component: usize) -> Option<u8> {
        self.components[component].iter().map(|&c| ZIGZAG[usize::from(c)]).max()
    }
}

impl FromStr for ChannelSet {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<ChannelSet, RecipeError> {
        let text = text.trim();
        let bad = || RecipeError::ChannelText(text.chars().take(80).collect());
        if let Some(path) = text.strip_prefix('@') {
            let content = std::fs::read_to_string(path)
                .map_err(|error| RecipeError::File { path: path.into(), reason: error.to_string() })?;
            // A file may not point on: no chains, no loops.
            return if content.trim().starts_with('@') { Err(bad()) } else { content.parse() };
        }
        if let Ok(count) = text.parse::<usize>() {
            return ChannelSet::dctnet(count).ok_or_else(bad);
        }
        if let Some(counts) = text.strip_prefix("zigzag:") {
            let counts: Vec<usize> =
                counts.split(',').map(|n| n.trim().parse().map_err(|_| bad())).collect::<Result<_, _>>()?;
            return ChannelSet::zigzag(counts.try_into().map_err(|_| bad())?);
        }
        let mut components: [Vec<u8>; 3] = Default::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, list) = part.split_once(':').ok_or_else(bad)?;
            let component = ["y", "cb", "cr"].iter().position(|&n| n == name.trim()).ok_or_else(bad)?;
            if !components[component].is_empty() {
                return Err(bad());
            }
            for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
                let (first, last) = item.split_once('-').unwrap_or((item, item));
                let number = |text: &str| text.trim().parse::<u8>().map_err(|_| bad());
                components[component].extend(number(first)?..=number(last)?);
            }
        }
        let [y, cb, cr] = components;
        ChannelSet::new(y, cb, cr)
    }
}

/// The explicit form, ranges joined.
impl fmt::Display for ChannelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, list) in ["y", "cb", "cr"].iter().zip(&self.components).filter(|(_, list)| !list.is_empty()) {
            write!(f, "{separator}{name}:")?;
            separator = ";";
            for (i, run) in list.chunk_by(|a, b| a.checked_add(1) == Some(*b)).enumerate() {
                let comma = if i > 0 { "," } else { "" };
                match run {
                    [only] => write!(f, "{comma}{only}")?,
                    [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                    [] => {}
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for ChannelSet {
    type Error = RecipeError;

    fn try_from(text: String) -> Result<ChannelSet, RecipeError> {
        text.parse()
    }
}

impl From<ChannelSet> for String {
    fn from(set: ChannelSet) -> String {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_form() {
        let set: ChannelSet = "24".parse().unwrap();
        assert_eq!(set.len(), 24);
        assert_eq!(set.to_string(), "y:0-3,8-11,16-19,24-27;cb:0-1,8-9;cr:0-1,8-9");
        assert_eq!(set.to_string().parse::<ChannelSet>().unwrap(), set);
        assert_eq!("zigzag:4,1,0".parse::<ChannelSet>().unwrap().to_string(), "y:0-1,8,16;cb:0");
        assert_eq!("192".parse::<ChannelSet>().unwrap().indices().collect::<Vec<_>>(), (0..192).collect::<Vec<_>>());
        assert_eq!(set.highest_zigzag(0), Some(24), "c = 27 stands at zigzag position 24");
        assert_eq!(set.highest_zigzag(1), Some(4));
        assert_eq!("y:3,1".parse::<ChannelSet>().unwrap().component(0), [3, 1], "order is kept");
    }

    #[test]
    fn every_count_has_that_many() {
        for count in [6, 24, 32, 48, 64, 192] {
            assert_eq!(ChannelSet::dctnet(count).unwrap().len(), count);
        }
        assert!(ChannelSet::dctnet(25).is_none());
    }

    #[test]
    fn bad_text_is_refused() {
        for text in ["", "25", "y:64", "y:1,1", "x:1", "zigzag:1,2", "zigzag:65,0,0", "y:0;y:1", "zigzag:0,0,0", "y:-1"]
        {
            assert!(text.parse::<ChannelSet>().is_err(), "{text}");
        }
    }
}
