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

impl MapKey {
    /// Bytes that making the map takes at most, the map itself included, by the lengths and taps of its steps.
    pub fn bytes(&self) -> u64 {
        let (taps, pace) = match self.chroma {
            Chroma::None => (1, 1.0),
            Chroma::Replicate => (1, self.ratio.pace()),
            Chroma::Triangle => (2, self.ratio.pace()),
            Chroma::ZeroPad => (8 * u64::from(self.ratio.den()), self.ratio.pace()),
        };
        let mut band = Band { samples: self.samples_in as u64, len: self.samples_out as u64, taps, pace };
        let mut bytes = band.bytes();
        for &step in &self.steps {
            let (len, taps) = geometry::extent(band.len, step);
            let next = Band { samples: band.len, len, taps, pace: band.len as f64 / len.max(1) as f64 };
            // A window keeps samples and takes none together.
            let pace = if taps > 1 { next.pace } else { 1.0 };
            let reach = band.taps as f64 + (taps - 1) as f64 * band.pace;
            band = Band { samples: band.samples, len, taps: reach.ceil() as u64 + 1, pace: band.pace * pace };
            bytes = bytes.saturating_add(next.bytes()).saturating_add(band.bytes());
        }
        let mixes = |step: &AxisStep| !matches!(step, AxisStep::Flip | AxisStep::Window { .. });
        // Where nothing but an upsampling mixes samples, blocks repeat with its period.
        let blocks = if self.steps.iter().any(mixes) { u64::MAX } else { 16 };
        bytes.saturating_add(band.map_bytes(blocks, self.kept as u64))
    }
}

/// The size of an axis map.
struct Band {
    /// Samples read.
    samples: u64,
    /// Samples made.
    len: u64,
    /// The most samples that one is made of.
    taps: u64,
    /// Samples read from one that is made to the next.
    pace: f64,
}

impl Band {
    /// Bytes of the map on samples.
    fn bytes(&self) -> u64 {
        self.len.saturating_mul(AxisMap::row_bytes(self.taps.min(self.samples)))
    }

    /// Bytes of the map on coefficients, of whose blocks this many differ.
    fn map_bytes(&self, different: u64, kept: u64) -> u64 {
        let blocks = self.len.div_ceil(8);
        // Ten rows, where a smoothing is part of it.
        let reach = (self.taps as f64 + 9.0 * self.pace).ceil() as u64;
        let read = (reach.div_ceil(8) + 1).min(self.samples.div_ceil(8));
        CoefficientMap::<f32>::bytes_at_most(self.samples.div_ceil(8), blocks, blocks.min(different), read, kept)
    }
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
    /// To the frame's size. With [`Chroma::None`] the component keeps its own.
    ///
    /// `Stored` reads the whole stored grid as if it were the image and fills whole blocks; `Replicate` reads the true
    /// samples, makes the frame's pixels and repeats the last. `kept` output frequencies are needed.
    pub fn native(self, chroma: Chroma, edge: Edge, kept: usize) -> Wanted {
        let ratio = match chroma {
            Chroma::None => Ratio::ONE,
            _ => Ratio::new(self.factor_max, self.factor),
        };
        let native = ratio == Ratio::ONE;
        let (samples, edge) = (self.samples as usize, of_recipe(edge));
        if native && edge.samples(samples).is_multiple_of(8) {
            return Wanted::AsItIs { blocks: samples.div_ceil(8) };
        }
        let samples_out = edge.samples(if native { samples } else { self.frame as usize });
        // One key for all modes where nothing is upsampled.
        let chroma = if native { Chroma::None } else { chroma };
        let (samples_in, steps) = (edge.samples(samples), AxisSteps::new());
        let key = MapKey { samples_in, samples_out, ratio, chroma, steps, kept: round_kept(kept) };
        if native { Wanted::Padded(key) } else { Wanted::Mapped(key) }
    }

    /// To the frame's size and through these steps. Only true samples are read; a last block that is not full
    /// repeats the last sample made.
    pub fn through(self, chroma: Chroma, steps: &[AxisStep], kept: usize) -> Wanted {
        let ratio = Ratio::new(self.factor_max, self.factor);
        let chroma = if ratio == Ratio::ONE { Chroma::None } else { chroma };
        let (samples_in, samples_out) = (self.samples as usize, self.frame as usize);
        let steps = steps.into();
        Wanted::Mapped(MapKey { samples_in, samples_out, ratio, chroma, steps, kept: round_kept(kept) })
    }
}

/// What an axis is to be, before its map is made.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    AsItIs {
        blocks: usize,
    },
    /// [`Axis::Padded`].
    Padded(MapKey),
    /// [`Axis::Mapped`], [`Axis::Doubled`], or where nothing is mixed [`Axis::Moved`].
    Mapped(MapKey),
}

impl Wanted {
    /// What describes the map, if there is one.
    pub fn key(&self) -> Option<&MapKey> {
        match self {
            Wanted::AsItIs { .. } => None,
            Wanted::Padded(key) | Wanted::Mapped(key) => Some(key),
        }
    }

    /// The axis, its map made if it was not there.
    pub fn make(self, maps: &Maps) -> Axis {
        let map = |key: &MapKey| maps.get_or_build(key, || build(key));
        match self {
            Wanted::AsItIs { blocks } => Axis::identity(blocks),
            Wanted::Padded(key) => Axis::Padded(map(&key)),
            Wanted::Mapped(key) => {
                let (map, twice) = (map(&key), key.ratio == Ratio::new(2, 1) && key.steps.is_empty());
                match (Doubling::of(key.chroma).filter(|_| twice), map.shift()) {
                    (Some(doubling), _) => {
                        Axis::Doubled { map, doubling, regular: Doubling::regular(key.samples_in, key.samples_out) }
                    }
                    (None, Some(offset)) => Axis::Moved { offset, blocks: map.blocks_out() },
                    (None, None) => Axis::Mapped(map),
                }
            }
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
    use crate::recipe::geometry::Filter;

    #[test]
    fn only_what_changes_needs_a_map() {
        let maps = Maps::default();
        let axis = |samples, frame, factor, chroma, edge| {
            NativeAxis { samples, frame, factor, factor_max: 2 }.native(chroma, edge, 3).make(&maps)
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

    #[test]
    fn no_map_is_larger_than_its_estimate() {
        let resize = |to| AxisStep::Resize { to, filter: Filter::Lanczos3, antialias: true };
        let plain = |to| AxisStep::Resize { to, filter: Filter::Area, antialias: false };
        let window = |offset, len| AxisStep::Window { offset, len, outside: Some(3) };
        let chains: [&[AxisStep]; 11] = [
            &[],
            &[AxisStep::Flip],
            &[resize(24)],
            &[resize(3000)],
            &[plain(17)],
            &[resize(512), window(32, 448), AxisStep::EnlargeAndAverage],
            &[resize(512), window(-32, 800), AxisStep::Flip, AxisStep::Enlarge(4)],
            &[window(10, 40), resize(9)],
            &[window(-5000, 9000), AxisStep::Average(3)],
            &[plain(100), AxisStep::Enlarge(2), AxisStep::Average(2)],
            &[AxisStep::Enlarge(2), resize(1)],
        ];
        for chroma in [Chroma::Triangle, Chroma::Replicate, Chroma::ZeroPad, Chroma::None] {
            for (samples, factor, factor_max) in [(1, 1, 2), (9, 2, 2), (100, 3, 4), (700, 1, 4), (1999, 1, 2)] {
                let (frame, kept) = (samples * u32::from(factor_max) / u32::from(factor), 1 + samples as usize % 8);
                let axis = NativeAxis { samples, frame, factor, factor_max };
                let wanted = chains.map(|steps| axis.through(chroma, steps, kept));
                let native = [Edge::Stored, Edge::Replicate].map(|edge| axis.native(chroma, edge, kept));
                for wanted in wanted.iter().chain(&native) {
                    let Some(key) = wanted.key() else { continue };
                    // The estimate counts what is there while the map is made, too.
                    let (found, estimate) = (build(key).bytes() as u64, key.bytes());
                    assert!(found <= estimate, "{key:?}: {found} bytes, estimated {estimate}");
                    assert!(estimate < 10_000_000, "{key:?}: {found} bytes, estimated {estimate}");
                }
            }
        }
    }
}
