//! Which axis map a component needs, and the cache of those already built.
//!
//! What enters: the size of a component and of the frame along one axis, the chroma mode, the edge or the steps of the
//! recipe's geometry. What leaves: an [`Axis`]. The mathematics of the maps is in [`super::axis`]; applying them is in [`super::apply`].

use std::ops::Range;
use std::sync::Arc;

use super::axis::{self, AxisMap, CoefficientMap, Doubling, MapCache, Ratio};
use super::geometry::{self, AxisStep, AxisSteps};
use crate::recipe::{Chroma, Edge};

/// What becomes of the blocks along one axis of a component.
#[derive(Debug, Clone)]
pub(crate) enum Axis {
    /// Output block i is input block `offset + i` as it is.
    Moved { offset: usize, blocks: usize },
    /// Output blocks are mixed from input blocks.
    Mapped(Arc<CoefficientMap>),
    /// As `Mapped`, but only the last block changes, and by itself: every other is as it is.
    Padded(Arc<CoefficientMap>),
    /// As `Mapped`, but every input block becomes two, all in the same way; output blocks from `regular` on do not.
    Doubled { map: Arc<CoefficientMap>, doubling: &'static Doubling, regular: usize },
}

impl Axis {
    /// All blocks as they are.
    pub fn identity(blocks: usize) -> Axis {
        Axis::Moved { offset: 0, blocks }
    }

    /// Blocks made.
    pub fn blocks_out(&self) -> usize {
        match self {
            Axis::Moved { blocks, .. } => *blocks,
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => map.blocks_out(),
        }
    }

    /// Hull of the input blocks read.
    pub fn inputs(&self) -> Range<usize> {
        match self {
            Axis::Moved { offset, blocks } => *offset..offset + blocks,
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => map.input_range(0..map.blocks_out()),
        }
    }

    /// The map of the last block, where only that is mapped.
    pub fn last_block(&self) -> Option<&CoefficientMap> {
        match self {
            Axis::Padded(map) => Some(map),
            _ => None,
        }
    }

    /// The frequencies an input block must have so that frequency `wanted` of the output is right.
    pub fn input_frequencies(&self, wanted: usize) -> Range<usize> {
        match self {
            Axis::Moved { .. } => wanted..wanted + 1,
            _ => 0..8,
        }
    }
}

/// All a map depends on, so that equal keys mean equal maps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MapKey {
    samples_in: usize,
    samples_out: usize,
    ratio: Ratio,
    chroma: Chroma,
    steps: AxisSteps,
    kept: usize,
}

/// Coefficient maps built so far.
pub(crate) type Maps = MapCache<MapKey>;

/// One axis of one component at native size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NativeAxis {
    /// True samples of the component, ceil(size * factor / largest factor).
    pub samples: u32,
    /// Pixels of the frame.
    pub frame: u32,
    /// Sampling factor of the component, 1..=4.
    pub factor: u8,
    /// Largest sampling factor of the frame, 1..=4.
    pub factor_max: u8,
}

impl NativeAxis {
    /// The map to the frame's size. With [`Chroma::None`] the component keeps its own.
    ///
    /// `Stored` reads the whole stored grid as if it were the image and fills whole blocks; `Replicate` reads the true
    /// samples, makes the frame's pixels and repeats the last. `kept` output frequencies are needed.
    pub fn map(self, chroma: Chroma, edge: Edge, kept: usize, maps: &Maps) -> Axis {
        let ratio = match chroma {
            Chroma::None => Ratio::ONE,
            _ => Ratio::new(self.factor_max, self.factor),
        };
        let native = ratio == Ratio::ONE;
        let (samples, edge) = (self.samples as usize, of_recipe(edge));
        if native && edge.samples(samples).is_multiple_of(8) {
            return Axis::identity(samples.div_ceil(8));
        }
        let samples_out = edge.samples(if native { samples } else { self.frame as usize });
        // One key for all modes where nothing is upsampled.
        let chroma = if native { Chroma::None } else { chroma };
        let (samples_in, steps) = (edge.samples(samples), AxisSteps::new());
        let key = MapKey { samples_in, samples_out, ratio, chroma, steps, kept: round_kept(kept) };
        let map = maps.get_or_build(&key, || build(&key));
        match Doubling::of(chroma) {
            _ if native => Axis::Padded(map),
            Some(doubling) if ratio == Ratio::new(2, 1) => {
                Axis::Doubled { map, doubling, regular: Doubling::regular(samples_in, samples_out) }
            }
            _ => Axis::Mapped(map),
        }
    }

    /// The map to the frame's size and through these steps. Only true samples are read; a last block that is not full
    /// repeats the last sample made.
    pub fn map_steps(self, chroma: Chroma, steps: &[AxisStep], kept: usize, maps: &Maps) -> Axis {
        let ratio = Ratio::new(self.factor_max, self.factor);
        let chroma = if ratio == Ratio::ONE { Chroma::None } else { chroma };
        let (samples_in, samples_out) = (self.samples as usize, self.frame as usize);
        let steps = steps.into();
        let key = MapKey { samples_in, samples_out, ratio, chroma, steps, kept: round_kept(kept) };
        let map = maps.get_or_build(&key, || build(&key));
        match map.shift() {
            Some(offset) => Axis::Moved { offset, blocks: map.blocks_out() },
            None => Axis::Mapped(map),
        }
    }
}

fn build(key: &MapKey) -> CoefficientMap {
    let MapKey { samples_in, samples_out, ratio, chroma, ref steps, kept } = *key;
    let map = match chroma {
        Chroma::Triangle => Some(AxisMap::triangle(samples_in, samples_out, ratio)),
        Chroma::Replicate => Some(AxisMap::replicate(samples_in, samples_out, ratio)),
        Chroma::ZeroPad => Some(AxisMap::zero_pad(samples_in, samples_out, ratio)),
        Chroma::None => None,
    };
    // A last smoothing is part of the conjugation.
    let (steps, side) = match steps.as_slice() {
        [steps @ .., AxisStep::EnlargeAndAverage] => (steps, 0.125),
        steps => (steps, 0.0),
    };
    CoefficientMap::smoothed(&geometry::chain(map, samples_in, steps), side, kept)
}

/// Kernels exist for 1, 2, 3, 4, 6 and 8 kept frequencies.
pub(crate) fn round_kept(kept: usize) -> usize {
    match kept {
        0 => 1,
        5 => 6,
        7.. => 8,
        kept => kept,
    }
}

fn of_recipe(edge: Edge) -> axis::Edge {
    match edge {
        Edge::Stored => axis::Edge::Stored,
        Edge::Replicate => axis::Edge::Replicate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_needs_a_map() {
        let maps = Maps::default();
        let axis = |samples, frame, factor, chroma, edge| {
            NativeAxis { samples, frame, factor, factor_max: 2 }.map(chroma, edge, 3, &maps)
        };
        assert!(matches!(axis(36, 36, 2, Chroma::Triangle, Edge::Stored), Axis::Moved { offset: 0, blocks: 5 }));
        assert!(matches!(axis(32, 32, 2, Chroma::Triangle, Edge::Replicate), Axis::Moved { blocks: 4, .. }));
        assert!(matches!(axis(18, 36, 1, Chroma::None, Edge::Stored), Axis::Moved { blocks: 3, .. }));
        let Axis::Doubled { map, regular: 5, .. } = axis(18, 36, 1, Chroma::Triangle, Edge::Stored) else {
            panic!("a map")
        };
        assert_eq!((map.blocks_in(), map.blocks_out(), map.k()), (3, 5, 3));
        let Axis::Padded(map) = axis(36, 36, 2, Chroma::Triangle, Edge::Replicate) else { panic!("a map") };
        assert_eq!((map.blocks_in(), map.blocks_out()), (5, 5));
        axis(36, 36, 2, Chroma::ZeroPad, Edge::Replicate);
        assert_eq!(maps.len(), 2, "luma's map is the same in every mode");
    }
}
