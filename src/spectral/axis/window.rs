//! Steps that only choose samples: identity, crop, pad, flip, and the edge of the last partial block.
//!
//! What enters: sizes and offsets. What leaves: maps with at most one tap a row, all of them 1.

use serde::{Deserialize, Serialize};

use super::map::{AxisMap, Rows};

/// What stands beyond the last sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pad {
    /// The nearest sample of the image.
    Edge,
    /// A constant, in level-shifted samples (-128 is black, 0 mid-grey; neutral chroma is 0).
    Constant(f64),
}

/// Which samples the last partial block of an axis is made of.
///
/// A component of n true samples is stored in whole blocks; what the encoder put after sample n is its own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// The stored samples, as they are in the file.
    #[default]
    Stored,
    /// The last true sample, repeated: what is seen after cropping to the true size and padding to whole blocks.
    Replicate,
}

impl Edge {
    /// How many samples of a component of `n` true samples a chain of maps may read: the `n_in` of its first map.
    ///
    /// `Stored` reads the whole stored grid, `8 * ceil(n / 8)` samples, as if it were the image; `Replicate` reads the
    /// `n` true ones, and columns beyond them have no weight.
    pub fn samples(self, n: usize) -> usize {
        match self {
            Edge::Stored => n.next_multiple_of(8),
            Edge::Replicate => n,
        }
    }
}

impl AxisMap {
    /// n samples as they are.
    pub fn identity(n: usize) -> AxisMap {
        AxisMap::window(n, 0, n, Pad::Edge)
    }

    /// A component of `n` true samples in whole blocks: `8 * ceil(n / 8)` outputs.
    ///
    /// With [`Edge::Stored`] this is the identity of the stored grid; with [`Edge::Replicate`] it reads n samples and
    /// repeats the last one.
    pub fn whole_blocks(n: usize, edge: Edge) -> AxisMap {
        AxisMap::window(edge.samples(n), 0, n.next_multiple_of(8), Pad::Edge)
    }

    /// `len` samples from `offset` on. A window that reaches beyond the image repeats its last sample.
    pub fn crop(n_in: usize, offset: usize, len: usize) -> AxisMap {
        AxisMap::window(n_in, offset as i64, len, Pad::Edge)
    }

    /// `before + n_in + after` samples.
    pub fn pad(n_in: usize, before: usize, after: usize, pad: Pad) -> AxisMap {
        AxisMap::window(n_in, -(before as i64), before + n_in + after, pad)
    }

    /// `len` samples from `offset` on, which may lie before, across or beyond the image: crop and pad in one.
    ///
    /// A constant outside the image is a row without taps and with that bias. Padding both axes with one value c needs
    /// no bias at all: pad with `Constant(0.0)`, subtract 8c from every DC coefficient before the maps and add 8c after
    /// them, since `Rv (X - c) Rh^T + c` is the padded image.
    pub fn window(n_in: usize, offset: i64, len: usize, pad: Pad) -> AxisMap {
        let mut rows = Rows::new(n_in, len);
        for o in 0..len {
            let x = offset.saturating_add(o as i64);
            match pad {
                Pad::Constant(value) if x < 0 || x >= n_in as i64 => rows.push_constant(value),
                _ => rows.push_copy(x),
            }
        }
        rows.finish()
    }

    /// n samples, last first.
    pub fn flip(n: usize) -> AxisMap {
        let mut rows = Rows::new(n, n);
        for o in 0..n {
            rows.push_copy((n - 1 - o) as i64);
        }
        rows.finish()
    }
}
