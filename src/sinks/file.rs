//! Files that appear whole or not at all, and values as little-endian bytes.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::tensor::Values;

/// The folder, below the output, of files that are not finished. It is there only during a run.
pub const TEMPORARY: &str = ".jpegdct.tmp";

/// Opens a file in the hidden folder of the output folder `out`; both are made if they are missing.
pub(super) fn create_hidden(out: &Path) -> io::Result<NamedTempFile> {
    let folder = out.join(TEMPORARY);
    let mut builder = tempfile::Builder::new();
    builder.prefix("").suffix(".tmp");
    // Temporary files are private by default; results are to be as readable as any other new file (less the umask).
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    match builder.tempfile_in(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(&folder)?;
            builder.tempfile_in(&folder)
        }
        result => result,
    }
}

/// Gives a finished hidden file its final name, replacing a file that has it. The folder is made if it is missing.
pub(super) fn rename(file: TempPath, path: &Path) -> io::Result<()> {
    match file.persist(path) {
        Err(error) if error.error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            error.path.persist(path).map_err(|error| error.error)
        }
        result => result.map_err(|error| error.error),
    }
}

/// Puts on the disk which names a folder holds. Not every system can; what the files hold is synced apart from this.
///
/// # Errors
/// Those of the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether an error of writing one file would be that of every other: a disk that is full, read-only or failing.
pub fn is_exhausted(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    const EIO: i32 = 5;
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | FileTooLarge)
        || cfg!(unix) && error.raw_os_error() == Some(EIO)
}

/// Files that were written and may not be on the disk yet.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    count: u64,
    /// Where all of a file system cannot be synced at once: each.
    paths: Vec<PathBuf>,
}

impl Unsynced {
    /// One more.
    pub(super) fn push(&mut self, path: PathBuf) {
        self.count += 1;
        if !cfg!(target_os = "linux") {
            self.paths.push(path);
        }
    }

    /// Puts all of them on the disk. `folder` is one on their file system.
    pub(super) fn sync(&mut self, folder: &Path) -> io::Result<()> {
        if std::mem::take(&mut self.count) == 0 {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(File::open(folder)?)?;
        let mut folders: Vec<&Path> = Vec::new();
        for path in &self.paths {
            File::open(path)?.sync_all()?;
            folders.extend(path.parent());
        }
        folders.push(folder);
        folders.sort();
        folders.dedup();
        folders.into_iter().try_for_each(sync_folder)?;
        self.paths.clear();
        Ok(())
    }
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
