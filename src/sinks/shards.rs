//! What formats of shards have in common: their names, when they are full, how they come to the disk, and how they are
//! taken up again.
//!
//! A finished shard is put on the disk by a thread of its own while the next one is filled; its images are settled when
//! it is there and has its name.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::background::Background;
use super::file::{rename, sync_folder};
use super::{Done, Output, Settle, below};

/// When a shard is full: whichever comes first. A shard holds one image at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSize {
    /// Images. Default 1000.
    pub images: usize,
    /// Bytes of tensor data. Default 256 MiB. A safetensors shard is gathered in memory.
    pub bytes: u64,
}

impl Default for ShardSize {
    fn default() -> Self {
        ShardSize { images: 1000, bytes: 256 << 20 }
    }
}

/// The shards of one run: `shard-000000.EXTENSION` and so on, or numbers between other names.
#[derive(Debug)]
pub(super) struct Shards {
    folder: PathBuf,
    prefix: String,
    digits: usize,
    suffix: String,
    size: ShardSize,
    next: u64,
    closing: Option<Closing>,
}

/// A finished shard on its way to the disk.
#[derive(Debug)]
struct Closing {
    work: Background<()>,
    images: Images,
}

/// The images of a shard, and where they are in it.
pub(super) type Images = Vec<(usize, Vec<Output>)>;

impl Shards {
    pub(super) fn new(folder: impl Into<PathBuf>, extension: &str, size: ShardSize) -> Shards {
        Shards::named(folder, "shard-".into(), 6, format!(".{extension}"), size)
    }

    pub(super) fn named(
        folder: impl Into<PathBuf>,
        prefix: String,
        digits: usize,
        suffix: String,
        size: ShardSize,
    ) -> Shards {
        Shards { folder: folder.into(), prefix, digits, suffix, size, next: 0, closing: None }
    }

    #[cfg(feature = "zarr")]
    pub(super) fn set_suffix(&mut self, suffix: &str) {
        self.suffix = suffix.into();
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the shard that is being filled.
    pub(super) fn name(&self) -> String {
        self.name_of(self.next)
    }

    /// The name of a shard by its number.
    pub(super) fn name_of(&self, number: u64) -> String {
        format!("{}{number:0digits$}{}", self.prefix, self.suffix, digits = self.digits)
    }

    /// Whether a shard of so many images and bytes takes no further image of `more` bytes.
    pub(super) fn is_full(&self, images: usize, bytes: u64, more: u64) -> bool {
        images > 0 && (images >= self.size.images || bytes.saturating_add(more) > self.size.bytes)
    }

    /// Gives a finished shard its name: it is on the disk before that. Its images are settled then, at the latest by
    /// [`Shards::finish`]; those of the shard before are settled now.
    pub(super) fn close(&mut self, file: NamedTempFile, images: Images, settle: &mut Settle<'_>) -> io::Result<()> {
        self.wait(settle)?;
        let (path, folder) = (below(&self.folder, &self.name()), self.folder.clone());
        let put = move || {
            file.as_file().sync_all()?;
            rename(file.into_temp_path(), &path)?;
            let mut folders = path.ancestors().skip(1).take_while(|above| above.starts_with(&folder));
            folders.try_for_each(sync_folder)
        };
        self.closing = Some(Closing { work: Background::start("jpegdct-sync", put)?, images });
        self.next += 1;
        Ok(())
    }

    /// Settles the images of the shard that was closed last, if it is on the disk by now.
    pub(super) fn settle_ready(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        let ready = self.closing.as_ref().is_some_and(|closing| closing.work.is_finished());
        if ready { self.wait(settle) } else { Ok(()) }
    }

    fn wait(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        let Some(Closing { work, images }) = self.closing.take() else { return Ok(()) };
        work.wait()?;
        images.into_iter().for_each(|(ticket, outputs)| settle(ticket, Ok(outputs)));
        Ok(())
    }

    /// The last shard of an interrupted run may have been recorded in part: it is made again.
    pub(super) fn resume(&mut self, done: &Done) -> u64 {
        self.next = done.files.saturating_sub(1);
        done.images.saturating_sub(done.in_last_file)
    }

    /// Settles what is left, and removes shards of an earlier run that had more of them: whoever reads all files of the
    /// folder would read both.
    pub(super) fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.wait(settle)?;
        for number in self.next.. {
            let path = below(&self.folder, &self.name_of(number));
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                result => result?,
            }
            // Folders of its own go with it; one that holds more stays.
            let folders = path.ancestors().skip(1).take_while(|folder| **folder != self.folder);
            folders.map(std::fs::remove_dir).take_while(io::Result::is_ok).for_each(drop);
        }
        Ok(())
    }

    /// Whether a path is that of a shard behind the last.
    pub(super) fn is_behind(&self, path: &str) -> bool {
        let number = path.strip_prefix(&self.prefix).and_then(|path| path.strip_suffix(&self.suffix));
        number.is_some_and(|text| {
            text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|number: u64| number >= self.next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_behind_the_last_are_known_by_their_names() {
        let mut shards = Shards::new("out", "tar", ShardSize::default());
        shards.resume(&Done { images: 3000, files: 4, in_last_file: 0 });
        let behind =
            |shards: &Shards, paths: &[&str]| paths.iter().map(|path| shards.is_behind(path)).collect::<Vec<_>>();
        let paths =
            ["shard-000002.tar", "shard-000003.tar", "shard-1000000.tar", "shard-000003.npy", "shard-.tar", "a.tar"];
        assert_eq!(behind(&shards, &paths), [false, true, true, false, false, false]);
        let shards = Shards::named("out", "x/c/".into(), 1, "/0/0".into(), ShardSize::default());
        assert_eq!(
            behind(&shards, &["x/c/0/0/0", "x/c/12/0/0", "x/c/+1/0/0", "x/zarr.json"]),
            [true, true, false, false]
        );
    }
}
