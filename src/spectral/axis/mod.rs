//! Axis maps: everything spatial, along one axis at a time.
//!
//! What enters: the sizes of a component and the steps wanted (upsampling, resize, crop, pad, flip, smoothing). What
//! leaves: a [`CoefficientMap`], the same steps as a linear map on DCT coefficients. Which steps, and in which order, is
//! not decided here; no coefficient of an image is touched.
//!
//! A component X (blocks of coefficients) under a vertical map V and a horizontal map H is `V X H^T`. Each map is built
//! from [`AxisMap`] constructors, chained by [`AxisMap::then`], and conjugated once. A turn by 90 degrees is a transpose of
//! every block and of the grid, and no map.
//!
//! # Worked example: 36 x 28 pixels in 4:2:0
//!
//! Luma is 36 x 28 samples in 5 x 4 blocks, chroma 18 x 14 samples in 3 x 2 blocks; horizontally the last chroma block
//! holds 2 true samples and 6 that the encoder made up.
//!
//! ```
//! use jpegdct::spectral::axis::{AxisMap, CoefficientMap, Edge, Filter, Ratio};
//!
//! // Native size, edge `stored`: the 24 stored samples become the 40 that luma's blocks hold.
//! let stored = AxisMap::triangle(Edge::Stored.samples(18), 40, Ratio::new(2, 1));
//! // Output sample 3 lies at input (3 + 1/2) / 2 - 1/2 = 1.25.
//! assert_eq!(stored.row(3), (1, &[0.75, 0.25][..]));
//!
//! let map: CoefficientMap = CoefficientMap::new(&stored, 8);
//! assert_eq!((map.blocks_in(), map.blocks_out()), (3, 5));
//! // Output block 1 is made of chroma samples 3..=8: all of block 0's right half and the first sample of block 1.
//! assert_eq!((map.first()[1], map.count()[1]), (0, 2));
//! // Blocks 1 and 3 are upsampled alike, one input block apart, and share their weights.
//! assert_eq!((map.first()[3], map.offset()[3]), (1, map.offset()[1]));
//!
//! // Edge `replicate`: only the 18 true samples are read; luma column 35 is repeated up to column 39.
//! let true_size = AxisMap::triangle(Edge::Replicate.samples(18), 36, Ratio::new(2, 1));
//! assert_eq!(true_size.row(35), (17, &[1.0][..]));
//! let map: CoefficientMap = CoefficientMap::new(&true_size, 8);
//! assert_eq!((map.blocks_in(), map.blocks_out()), (3, 5));
//!
//! // The same chroma resized with luma to 64 columns and cropped to the middle 48, four frequencies of it.
//! let chain = true_size.then(&AxisMap::resize(36, 64, Filter::Bilinear, false)).then(&AxisMap::crop(64, 8, 48));
//! let map: CoefficientMap = CoefficientMap::new(&chain, 4);
//! assert_eq!((map.blocks_out(), map.k()), (6, 4));
//! ```

mod cache;
mod chroma;
mod coefficient_map;
mod doubling;
mod map;
mod resize;
mod smooth;
#[cfg(test)]
mod tests;
mod window;

pub use cache::MapCache;
pub use chroma::Ratio;
pub use coefficient_map::{CoefficientMap, Real};
pub(crate) use doubling::Doubling;
pub use map::AxisMap;
pub use resize::Filter;
pub use window::{Edge, Pad};
