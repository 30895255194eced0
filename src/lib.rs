//! From JPEG files to frequency-domain tensors.

pub mod coefficients;
pub mod error;
pub mod extractor;
pub mod limits;
pub mod markers;
pub mod recipe;
pub mod scans;
pub mod spec;
pub mod spectral;
pub mod tensor;

pub use coefficients::{Coefficients, Plane};
pub use error::{Error, Result, Warning, WarningKind};
pub use extractor::{ExtractScratch, Extraction, Extractor};
pub use limits::Limits;
pub use recipe::{Recipe, RecipeError};
pub use scans::{Damage, DecodeOptions, Scratch};
pub use tensor::{Dtype, Tensor, Values};
