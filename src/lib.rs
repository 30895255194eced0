//! From JPEG files to frequency-domain tensors.

pub mod coefficients;
#[cfg(feature = "corpus")]
pub mod corpus;
mod entropy;
pub mod error;
pub mod extractor;
pub mod limits;
pub mod markers;
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
pub use tensor::{Dtype, Tensor, Values};
