//! Object stores behind blocking calls: `s3://`, `gs://`, `az://`, `http://` and `https://`.
//!
//! What enters: URLs. What leaves: bytes, listings, and objects written. Who asks waits, but what is asked for ahead
//! (`Client::start`, `Uploads`) is under way meanwhile. Nothing is known here of images, tensors or records.
//!
//! Credentials and endpoints come from the environment, by the names that the stores' own tools use (`AWS_ACCESS_KEY_ID`,
//! `AWS_ENDPOINT_URL`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME` ...). A request that fails is repeated with
//! growing pauses, eight times unless `JPEGDCT_RETRIES` says otherwise. What fails then is an [`io::Error`]: of kind
//! `NotFound` or `PermissionDenied` if the store says so, else of kind `NotConnected` (see [`is_disconnected`]).

#[cfg(feature = "cloud")]
mod reader;
#[cfg(feature = "cloud")]
mod store;
#[cfg(feature = "cloud")]
mod upload;

use std::io;
use std::path::Path;

#[cfg(feature = "cloud")]
pub use reader::ObjectReader;
#[cfg(feature = "cloud")]
pub use store::{Client, Enough, Pending, RETRIES};
#[cfg(feature = "cloud")]
pub use upload::Uploads;

/// What a store knows of an object besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Its size in bytes.
    pub size: u64,
    /// When it last changed, in microseconds since 1970.
    pub modified: i64,
}

/// Bytes that are on their way: there are none in this build.
#[cfg(not(feature = "cloud"))]
#[derive(Debug)]
pub enum Pending {}

#[cfg(not(feature = "cloud"))]
impl Pending {
    /// Waits for them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn wait(&self) -> io::Result<Vec<u8>> {
        match *self {}
    }
}

/// Whether a path is a URL of an object store.
pub fn is_url(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    ["s3://", "gs://", "az://", "http://", "https://"].iter().any(|scheme| bytes.starts_with(scheme.as_bytes()))
}

/// Whether an error means that a store cannot be reached, or does not answer as it should, rather than something of the
/// one object asked for.
pub fn is_disconnected(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotConnected
}

/// What is said of a URL where object stores are not built in.
pub fn not_built() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this jpegdct was built without the feature cloud")
}
