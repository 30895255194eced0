//! Tensors to files, one file of code per output format.
//!
//! What enters: the tensors of one image after another, in input order, each with its [`Name`]. What leaves: files
//! below one folder, and for each image what was written where. Nothing is decoded here, and no image is skipped.
//!
//! A sink works in two steps so that many threads can feed it and its output still does not depend on their number:
//! [`Stage`] does the heavy part of one image on the thread that made the tensors, in any order; [`Sink::write`] takes
//! the staged images one by one in input order. A file appears whole under its final name or not at all: it is written
//! in a hidden folder of the output (`.jpegdct.tmp`) and renamed.
//!
//! What was settled is on the disk for good only after [`Sink::sync`], which whoever keeps a record calls before it is
//! written down. An interrupted run is taken up by [`Sink::resume`]: from there on the output is what it would have been.

mod background;
mod file;
mod names;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "cloud")]
mod remote;
mod safetensors;
mod shards;
mod stack;
mod webdataset;
#[cfg(feature = "zarr")]
mod zarr;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::tensor::{Tensor, Values};

pub(crate) use background::Background;
pub use file::{TEMPORARY, is_exhausted, sync_folder};
pub use names::{Name, Names};
pub use npy::NpySink;
#[cfg(feature = "parquet")]
pub use parquet::ParquetSink;
#[cfg(feature = "cloud")]
pub use remote::RemoteSink;
pub use safetensors::SafetensorsSink;
pub use shards::ShardSize;
pub use stack::StackSink;
pub use webdataset::WebdatasetSink;
#[cfg(feature = "zarr")]
pub use zarr::ZarrSink;

/// One image on its way out.
#[derive(Debug)]
pub struct Item {
    /// The image's number in input order.
    pub ticket: usize,
    /// Its names in the output.
    pub name: Name,
    /// Its tensors.
    pub tensors: Vec<Tensor>,
    /// What is known of it.
    pub about: About,
}

/// What is known of an image besides its tensors, for formats that have a place for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// The input as it was reached.
    pub path: String,
    /// Its label.
    pub label: Option<i64>,
    /// The name of its class.
    pub class: Option<String>,
    /// What its source said of it.
    pub json: Option<serde_json::Value>,
    /// Columns and lines of pixels, as stored.
    pub size: (u32, u32),
}

/// An image whose heavy part is done.
#[derive(Debug)]
pub struct Staged {
    /// The image's number in input order.
    pub ticket: usize,
    /// Its names in the output.
    pub name: Name,
    /// One part a tensor.
    pub parts: Vec<Part>,
    /// What is known of it.
    pub about: About,
}

impl Staged {
    /// Bytes of tensor data held in memory.
    pub fn memory(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| match &part.body {
                Body::Values(values) => values.bytes().len() as u64,
                #[cfg(feature = "zarr")]
                Body::Encoded(bytes) => bytes.len() as u64,
                Body::File(_) => 0,
            })
            .sum()
    }
}

/// One staged tensor.
#[derive(Debug)]
pub struct Part {
    /// The tensor's name, empty if it is the only one.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Element type: `f32`, `f16`, `i16`, `u16`.
    pub dtype: &'static str,
    /// The data.
    pub body: Body,
}

/// Where a staged tensor's data is.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Values(Values),
    /// In memory, as the format stores it.
    #[cfg(feature = "zarr")]
    Encoded(Vec<u8>),
    /// In a finished file under a hidden name that only waits for its final one. Dropped, it is deleted.
    File(tempfile::TempPath),
}

/// Where one tensor was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The tensor's name, empty if it is the only one.
    pub name: String,
    /// The file, relative to the output folder, with forward slashes.
    pub path: String,
    /// The tensor's name inside the file, for files that hold several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<String>,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Element type: `f32`, `f16`, `i16`, `u16`.
    pub dtype: String,
}

/// Told once for every image, by its ticket: where its tensors are, safely under their final names, or why they are
/// not. A sink that gathers images in shards tells it when the shard is finished, in input order all the same.
pub type Settle<'a> = dyn FnMut(usize, Result<Vec<Output>, &io::Error>) + 'a;

/// Tells of a file, by its path relative to the output folder, whether an earlier run left it over.
pub type LeftOver<'a> = Box<dyn Fn(&str) -> bool + 'a>;

/// Work that puts something on the disk.
pub type Sync = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// How far an interrupted run had come, by its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Images that have outputs.
    pub images: u64,
    /// Files that hold them.
    pub files: u64,
    /// Images in the last of these files.
    pub in_last_file: u64,
}

/// The part of writing that many threads do at once.
pub trait Stage: Send + std::marker::Sync {
    /// Does the heavy part for one image.
    ///
    /// # Errors
    /// Those of writing files. Nothing of the image is left behind then.
    fn stage(&self, item: Item) -> io::Result<Staged>;
}

/// The part of writing that one thread does, in input order.
///
/// An error of these functions means that nothing more can be written: images that were not settled have no output.
pub trait Sink: Send {
    /// The format's name as in `--format`.
    fn format(&self) -> &'static str;

    /// The part that many threads share. By default tensors stay in memory as they are.
    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(InMemory)
    }

    /// Takes up an interrupted run, before the first image is written. Gives the number of images that stand; those
    /// after them must be written again.
    ///
    /// # Errors
    /// What the run left is not as its record says.
    fn resume(&mut self, done: &Done) -> io::Result<u64>;

    /// Takes the next image. Every image is settled sooner or later, at the latest by [`Sink::finish`].
    ///
    /// # Errors
    /// A disk that is full, or gone.
    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()>;

    /// Gives what puts on the disk all that was settled, to be done on any thread. By default that is there already: shards
    /// are on the disk before they are settled.
    ///
    /// # Errors
    /// Those of the disk.
    fn sync(&mut self) -> io::Result<Sync> {
        Ok(Box::new(|| Ok(())))
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// As [`Sink::write`].
    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()>;

    /// The files that hold no image. By default there are none.
    fn besides(&self) -> Besides {
        Besides::default()
    }

    /// Asked after [`Sink::finish`]: what tells whether a file in the output can only be of an earlier run that had more
    /// files, so that whoever reads all of them would read it too. `None` where no file can be.
    fn left_over(&self) -> Option<LeftOver<'_>> {
        None
    }
}

/// Files that no image's [`Output`] names, relative to the output folder. Whoever keeps the output in another place than
/// where the sink writes keeps them there too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Besides {
    /// What an interrupted run is taken up from: there before the first image is settled, and no more when all are written.
    pub unfinished: Option<&'static str>,
    /// What is written after all images, and makes the output whole. Where there is nothing unfinished, a run is taken up
    /// from this.
    pub last: Option<&'static str>,
}

/// The stage of sinks that need tensors in memory.
struct InMemory;

impl Stage for InMemory {
    fn stage(&self, item: Item) -> io::Result<Staged> {
        let part = |tensor: Tensor| Part {
            name: tensor.name,
            shape: tensor.shape,
            dtype: tensor.values.dtype_name(),
            body: Body::Values(tensor.values),
        };
        let parts = item.tensors.into_iter().map(part).collect();
        Ok(Staged { ticket: item.ticket, name: item.name, parts, about: item.about })
    }
}

impl Part {
    /// The values of a tensor that [`InMemory`] staged.
    fn values(&self) -> io::Result<&Values> {
        match &self.body {
            Body::Values(values) => Ok(values),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "the format takes tensors in memory")),
        }
    }

    /// The record of where it was written.
    fn output(&self, path: &str, entry: Option<String>) -> Output {
        let (name, shape) = (self.name.clone(), self.shape.clone());
        Output { name, path: path.into(), entry, shape, dtype: self.dtype.into() }
    }
}

/// The output folder joined with a relative name of forward slashes.
fn below(folder: &std::path::Path, relative: &str) -> PathBuf {
    relative.split('/').fold(folder.to_path_buf(), |path, name| path.join(name))
}
