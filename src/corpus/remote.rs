//! The record of a run whose output is an object store.
//!
//! An object is written once and whole, so the manifest of a run that goes on is kept in pieces below
//! `.manifest.jsonl.part/`, each named by where it begins; in order, and up to the first gap, they are the record. The
//! finished manifest takes their place. A local folder holds the same as one file, and is made from the store when a run is
//! taken up, on whichever machine.

use std::fs::File;
use std::io;
use std::path::Path;

use super::journal::{DATASET, MANIFEST, Mirror, SETTINGS, UNFINISHED};
use crate::objects::{Client, ObjectReader, Uploads};

/// The record in a store.
#[derive(Debug)]
pub struct RemoteRecord {
    target: Client,
}

impl RemoteRecord {
    /// The record below `target`.
    pub fn new(target: Client) -> RemoteRecord {
        RemoteRecord { target }
    }

    /// Brings the record of an earlier run into `folder`, if there is one.
    ///
    /// # Errors
    /// Those of the store and of the disk.
    pub fn fetch(&self, folder: &Path) -> io::Result<()> {
        for name in [SETTINGS, DATASET, MANIFEST] {
            let object = self.target.below(name);
            match object.meta() {
                Ok(meta) => copy(object, meta.size, &mut File::create(folder.join(name))?)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
        }
        if folder.join(MANIFEST).exists() {
            return Ok(());
        }
        let mut record = None;
        let mut end = 0;
        for (at, piece) in self.pieces()? {
            if at == end {
                let record = match &mut record {
                    Some(record) => record,
                    None => record.insert(File::create(folder.join(UNFINISHED))?),
                };
                let size = piece.meta()?.size;
                end += copy(piece, size, record)?;
            }
        }
        Ok(())
    }

    /// The pieces of an unfinished manifest, by where they begin.
    fn pieces(&self) -> io::Result<Vec<(u64, Client)>> {
        let folder = self.target.below(UNFINISHED);
        let names = folder.list()?.into_iter().filter_map(|(key, _)| key.rsplit('/').next().map(str::to_string));
        Ok(names.filter_map(|name| Some((name.parse().ok()?, folder.below(&name)))).collect())
    }

    fn remove_pieces(&self, from: u64) -> io::Result<()> {
        for (_, piece) in self.pieces()?.into_iter().rev().filter(|(at, _)| *at >= from) {
            piece.remove()?;
        }
        Ok(())
    }
}

/// Names of one length, so that they sort by number.
fn piece_name(at: u64) -> String {
    format!("{UNFINISHED}/{at:020}")
}

/// Writes an object's bytes to a file, block by block.
fn copy(object: Client, size: u64, file: &mut File) -> io::Result<u64> {
    io::copy(&mut ObjectReader::new(object, size), file)
}

impl Mirror for RemoteRecord {
    fn begin(&mut self, folder: &Path) -> io::Result<()> {
        let record = folder.join(UNFINISHED);
        if record.metadata()?.len() == 0 {
            self.remove_pieces(0)?;
        } else {
            // What stands is one piece first, then the others go: at no moment is there less.
            let copy = folder.join(".record");
            std::fs::copy(record, &copy)?;
            let mut uploads = Uploads::new(self.target.clone());
            uploads.add(&piece_name(0), copy)?;
            uploads.finish()?;
            self.remove_pieces(1)?;
        }
        for name in [MANIFEST, DATASET] {
            self.target.below(name).remove()?;
        }
        self.target.below(SETTINGS).write(std::fs::read(folder.join(SETTINGS))?)
    }

    fn append(&mut self, at: u64, lines: &[u8]) -> io::Result<()> {
        self.target.below(&piece_name(at)).write(lines.to_vec())
    }

    fn finish(&mut self, folder: &Path) -> io::Result<()> {
        let mut uploads = Uploads::new(self.target.clone());
        for name in [DATASET, MANIFEST] {
            uploads.add(name, folder.join(name))?;
            uploads.finish()?;
        }
        self.target.below(SETTINGS).remove()?;
        self.remove_pieces(0)
    }
}
