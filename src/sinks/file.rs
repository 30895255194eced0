//! Files that appear whole or not at all, and values as little-endian bytes.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use crate::tensor::Values;

/// Opens a hidden temporary file in `folder`, which is made if it is missing.
pub(super) fn create_hidden(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".jpegdct-").suffix(".tmp");
    // Temporary files are private by default; results are to be as readable as any other new file (less the umask).
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    match builder.tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            builder.tempfile_in(folder)
        }
        result => result,
    }
}

/// Gives a finished hidden file its final name, replacing a file that has it.
pub(super) fn rename(file: TempPath, path: &Path) -> io::Result<()> {
    file.persist(path).map_err(|error| error.error)
}

/// The values as little-endian bytes, which is what every format here stores.
pub(super) fn little_endian(values: &Values) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(values.bytes());
    }
    Cow::Owned(match values {
        Values::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::I16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::U16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
    })
}
