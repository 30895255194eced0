//! Shards of many images: `shard-000000.safetensors` and so on.
//!
//! A tensor is named by the image's key (`a/b/img.jpg`), with `.y`, `.cb` ... behind it where the recipe has several.
//! The header's metadata holds the recipe as JSON (`recipe`), its fingerprint (`recipe_hash`) and `jpegdct_version`.
//! The same images give the same bytes: tensors lie in input order and the header's keys are sorted.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use ::safetensors::Dtype;
use ::safetensors::tensor::TensorInfo;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::file::{create_hidden, little_endian};
use super::shards::{ShardSize, Shards};
use super::{Done, InMemory, Item, LeftOver, Output, Part, Settle, Sink, Stage, Staged};
use crate::recipe::Recipe;

/// Writes shards in the safetensors format.
#[derive(Debug)]
pub struct SafetensorsSink {
    shards: Shards,
    metadata: BTreeMap<&'static str, String>,
    images: Vec<Staged>,
    bytes: u64,
}

/// Keeps tensors in memory and refuses an image that no header can name, so that its shard need not suffer.
struct ShardStage;

impl Stage for ShardStage {
    fn stage(&self, item: Item) -> io::Result<Staged> {
        let staged = InMemory.stage(item)?;
        match staged.parts.iter().map(|part| entry(&staged, part)).find(|entry| entry == RESERVED) {
            Some(entry) => Err(unnameable(&entry)),
            None => Ok(staged),
        }
    }
}

/// The one key of the header that is no tensor.
const RESERVED: &str = "__metadata__";

fn unnameable(entry: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{entry:?} cannot name a tensor in this file"))
}

/// The header of a file, as the format defines it.
#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__")]
    metadata: &'a BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

impl SafetensorsSink {
    /// A sink that writes shards into `folder`.
    pub fn new(folder: impl Into<PathBuf>, recipe: &Recipe, size: ShardSize) -> SafetensorsSink {
        let metadata = BTreeMap::from([
            ("jpegdct_version", env!("CARGO_PKG_VERSION").to_string()),
            ("recipe", recipe.to_json()),
            ("recipe_hash", recipe.hash()),
        ]);
        SafetensorsSink { shards: Shards::new(folder, "safetensors", size), metadata, images: Vec::new(), bytes: 0 }
    }

    fn flush(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        if self.images.is_empty() {
            return Ok(());
        }
        let name = self.shards.name();
        let file = self.write_shard()?;
        self.bytes = 0;
        let images = self.images.drain(..).map(|image| (image.ticket, outputs(&image, &name))).collect();
        self.shards.close(file, images, settle)
    }

    fn write_shard(&mut self) -> io::Result<NamedTempFile> {
        let mut tensors = BTreeMap::new();
        let mut offset = 0;
        // Wide elements first, else in input order, so that every tensor is aligned to its element.
        let mut parts: Vec<(String, &Part)> =
            self.images.iter().flat_map(|image| image.parts.iter().map(|part| (entry(image, part), part))).collect();
        parts.sort_by_key(|(_, part)| part.dtype != "f32");
        for (entry, part) in &parts {
            let len = part.values()?.bytes().len();
            let info = TensorInfo {
                dtype: dtype(part.dtype)?,
                shape: part.shape.clone(),
                data_offsets: (offset, offset + len),
            };
            offset += len;
            if tensors.insert(entry.clone(), info).is_some() {
                return Err(unnameable(entry));
            }
        }
        let mut header = serde_json::to_vec(&Header { metadata: &self.metadata, tensors })?;
        header.resize(header.len().next_multiple_of(8), b' ');

        let file = create_hidden(self.shards.folder())?;
        let mut writer = BufWriter::with_capacity(1 << 18, file.as_file());
        writer.write_all(&(header.len() as u64).to_le_bytes())?;
        writer.write_all(&header)?;
        for (_, part) in &parts {
            writer.write_all(&little_endian(part.values()?))?;
        }
        writer.flush()?;
        drop(writer);
        Ok(file)
    }
}

impl Sink for SafetensorsSink {
    fn format(&self) -> &'static str {
        "safetensors"
    }

    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(ShardStage)
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        Ok(self.shards.resume(done))
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.shards.settle_ready(settle)?;
        let bytes = staged.memory();
        if self.shards.is_full(self.images.len(), self.bytes, bytes) {
            self.flush(settle)?;
        }
        self.bytes += bytes;
        self.images.push(staged);
        if self.shards.is_full(self.images.len(), self.bytes, 0) { self.flush(settle) } else { Ok(()) }
    }

    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.flush(settle)?;
        self.shards.finish(settle)
    }

    fn left_over(&self) -> Option<LeftOver<'_>> {
        Some(Box::new(|path| self.shards.is_behind(path)))
    }
}

fn entry(image: &Staged, part: &Part) -> String {
    let key = &image.name.key;
    if part.name.is_empty() { key.clone() } else { format!("{key}.{}", part.name) }
}

fn outputs(image: &Staged, path: &str) -> Vec<Output> {
    image.parts.iter().map(|part| part.output(path, Some(entry(image, part)))).collect()
}

fn dtype(name: &str) -> io::Result<Dtype> {
    match name {
        "f32" => Ok(Dtype::F32),
        "f16" => Ok(Dtype::F16),
        "i16" => Ok(Dtype::I16),
        "u16" => Ok(Dtype::U16),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no safetensors type for {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ::safetensors::SafeTensors;

    use super::*;
    use crate::sinks::{About, Names};
    use crate::tensor::{Tensor, Values};

    fn run(folder: &Path, size: ShardSize, places: &[&str]) -> Vec<(usize, Vec<Output>)> {
        let mut sink = SafetensorsSink::new(folder, &Recipe::default(), size);
        let stage = Sink::stage(&sink);
        let (mut names, mut settled) = (Names::default(), Vec::new());
        let mut settle = |ticket, result: Result<Vec<Output>, &io::Error>| settled.push((ticket, result.unwrap()));
        for (ticket, place) in places.iter().enumerate() {
            let fill = ticket as i16;
            let tensors = vec![
                Tensor { name: "y".into(), shape: vec![2, 2], values: Values::I16(vec![fill; 4]) },
                Tensor { name: "w".into(), shape: vec![3], values: Values::F32(vec![f32::from(fill); 3]) },
            ];
            let item = Item { ticket, name: names.next(place), tensors, about: About::default() };
            sink.write(stage.stage(item).unwrap(), &mut settle).unwrap();
        }
        sink.finish(&mut settle).unwrap();
        settled
    }

    #[test]
    fn shards_read_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let size = ShardSize { images: 2, ..Default::default() };
        let settled = run(folder.path(), size, &["b/x.jpg", "a.jpg", "a.jpg"]);
        assert_eq!(settled.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(settled[2].1[0].path, "shard-000001.safetensors");
        assert_eq!(settled[2].1[0].entry.as_deref(), Some("a.jpg~2.y"));
        let bytes = std::fs::read(folder.path().join("shard-000000.safetensors")).unwrap();
        let shard = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(shard.len(), 4);
        let tensor = shard.tensor("a.jpg.w").unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, &[3][..]));
        assert_eq!(tensor.data(), [1f32.to_le_bytes(); 3].concat());
        assert_eq!(shard.tensor("b/x.jpg.y").unwrap().data(), [0; 8]);
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = metadata.metadata().as_ref().unwrap();
        assert_eq!(metadata["recipe_hash"], Recipe::default().hash());
        assert_eq!(Recipe::from_json(&metadata["recipe"]).unwrap(), Recipe::default());
    }

    #[test]
    fn the_reserved_key_is_refused_alone() {
        let tensor = Tensor { name: String::new(), shape: vec![1], values: Values::I16(vec![1]) };
        let item = Item {
            ticket: 0,
            name: Names::default().next("__metadata__"),
            tensors: vec![tensor],
            about: About::default(),
        };
        assert_eq!(ShardStage.stage(item).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn bytes_close_a_shard_but_never_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let settled = run(folder.path(), ShardSize { images: 10, bytes: 1 }, &["a.jpg", "b.jpg"]);
        let paths: Vec<&str> = settled.iter().map(|(_, outputs)| outputs[0].path.as_str()).collect();
        assert_eq!(paths, ["shard-000000.safetensors", "shard-000001.safetensors"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2 + 1, "and the hidden folder");
    }

    #[test]
    fn the_same_images_give_the_same_bytes() {
        let read = || {
            let folder = tempfile::tempdir().unwrap();
            run(folder.path(), ShardSize::default(), &["a.jpg", "b.jpg", "c/d.jpg"]);
            std::fs::read(folder.path().join("shard-000000.safetensors")).unwrap()
        };
        let first = read();
        assert!((0..4).all(|_| read() == first));
    }
}
