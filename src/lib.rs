//! From JPEG files to frequency-domain tensors: exact DCT coefficients, never a pixel.
//!
//! ```text
//! bytes -> markers -> scans (entropy) -> tiles of quantised blocks -> dequantise -> axis maps -> select -> normalise -> tensor -> sink
//!                                             |                                                        ^
//!                                             +--> Coefficients (whole planes: inspection, digests)    |
//! reencode: an image that is no JPEG -> JPEG bytes -> the same route       verify: the pixel path, for comparison only
//! ```
//!
//! A JPEG file already holds what a frequency-domain network takes. This crate decodes the entropy-coded stream to
//! quantised coefficients and stops; every spatial step (chroma upsampling and the like) is a linear map on the
//! coefficients ([`spectral::axis`]), exact to the pixel path.
//!
//! A tensor by a recipe, from the bytes of a file:
//!
//! ```
//! use jpegdct::{DecodeOptions, ExtractScratch, Extractor, Recipe};
//!
//! let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/photos/coffee-420.jpg"))?;
//! let recipe = Recipe::preset("native-24").expect("a preset");
//! let extractor = Extractor::new(recipe, DecodeOptions::default())?;
//! let extraction = extractor.extract(&bytes, "coffee-420.jpg", &mut ExtractScratch::default())?;
//! let tensor = extraction.tensors[0].view_f32().expect("native-24 is f32");
//! assert_eq!(tensor.shape(), [24, 50, 75]); // channels, block rows, block columns of 600 x 400 pixels
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The quantised coefficients themselves:
//!
//! ```
//! let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/photos/coffee-420.jpg"))?;
//! let image = jpegdct::Coefficients::decode(&bytes)?;
//! let luma = image.planes[0].view(); // (block rows, block columns, 8, 8), i16
//! let step = image.planes[0].quant_table.expect("the file has one").0[0];
//! // A dequantised DC coefficient is 8 * (block mean - 128).
//! let mean = f64::from(luma[[0, 0, 0, 0]]) * f64::from(step) / 8.0 + 128.0;
//! assert!((0.0..=255.0).contains(&mean));
//! # Ok::<(), jpegdct::Error>(())
//! ```

// Under `bench` the call of libjpeg is the one exception, named where it is.
#![cfg_attr(all(feature = "safe", not(feature = "bench")), forbid(unsafe_code))]
#![cfg_attr(all(feature = "safe", feature = "bench"), deny(unsafe_code))]

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod coefficients;
#[cfg(feature = "corpus")]
pub mod corpus;
pub mod cpu;
mod entropy;
pub mod error;
pub mod extractor;
#[cfg(all(feature = "corpus", feature = "reencode", feature = "verify"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod limits;
pub mod markers;
#[cfg(feature = "corpus")]
pub mod objects;
#[cfg(feature = "picture")]
pub mod picture;
pub mod recipe;
#[cfg(feature = "reencode")]
pub mod reencode;
pub mod scans;
#[cfg(feature = "corpus")]
pub mod sinks;
pub mod spec;
pub mod spectral;
pub mod tensor;
#[cfg(feature = "verify")]
pub mod verify;

pub use coefficients::{Coefficients, Plane};
pub use error::{Error, Result, Warning, WarningKind};
pub use extractor::{ExtractScratch, Extraction, Extractor};
pub use limits::Limits;
pub use recipe::{Recipe, RecipeError};
pub use scans::{Damage, DecodeOptions, Scratch};
pub use tensor::{Dtype, Tensor, TensorMut, Values, ValuesMut};
