//! Tensors to files, one file of code per output format.
//!
//! What enters: the tensors of one image after another, in input order, each with its [`Name`]. What leaves: files
//! below one folder, and for each image what was written where. Nothing is decoded here, and no image is skipped.
//!
//! A sink works in two steps so that many threads can feed it and its output still does not depend on their number:
//! [`Stage`] does the heavy part of one image on the thread that made the tensors, in any order; [`Sink::write`] takes
//! the staged images one by one in input order. A file appears whole under its final name or not at all: it is written
//! under a hidden name (`.jpegdct-*.tmp`) in the same folder and renamed. A crash of the machine, as against one of
//! the program, may still lose what the operating system had not yet put on the disk.

mod file;
mod names;
mod npy;
mod safetensors;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::tensor::{Tensor, Values};

pub use names::{Name, Names};
pub use npy::NpySink;
pub use safetensors::{SafetensorsSink, ShardSize};

/// One image on its way out.
#[derive(Debug)]
pub struct Item {
    /// The image's number in input order.
    pub ticket: usize,
    /// Its names in the output.
    pub name: Name,
    /// Its tensors.
    pub tensors: Vec<Tensor>,
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
}

impl Staged {
    /// Bytes of tensor data held in memory.
    pub fn memory(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| if let Body::Values(values) = &part.body { values.bytes().len() } else { 0 } as u64)
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

/// The part of writing that many threads do at once.
pub trait Stage: Send + Sync {
    /// Does the heavy part for one image.
    ///
    /// # Errors
    /// Those of writing files. Nothing of the image is left behind then.
    fn stage(&self, item: Item) -> io::Result<Staged>;
}

/// The part of writing that one thread does, in input order.
pub trait Sink: Send {
    /// The format's name as in `--format`.
    fn format(&self) -> &'static str;

    /// The part that many threads share. By default tensors stay in memory as they are.
    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(InMemory)
    }

    /// Takes the next image. Every image is settled sooner or later, at the latest by [`Sink::finish`].
    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>);

    /// Writes what is still held back.
    fn finish(&mut self, settle: &mut Settle<'_>);
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
        Ok(Staged { ticket: item.ticket, name: item.name, parts: item.tensors.into_iter().map(part).collect() })
    }
}

/// The output folder joined with a relative name of forward slashes.
fn below(folder: &std::path::Path, relative: &str) -> PathBuf {
    relative.split('/').fold(folder.to_path_buf(), |path, name| path.join(name))
}
