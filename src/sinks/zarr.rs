//! All tensors in one Zarr array, `tensors.zarr`: version 3, shape (N, C, H, W), sharded.
//!
//! For recipes whose tensors have one size. A shard, `tensors.zarr/c/0/0/0/0` and so on, is a run of rows, and a row is a
//! chunk, so that one image is read without its neighbours. Row n is the image whose manifest entry says so. The
//! attribute `jpegdct` holds `recipe`, `recipe_hash` and `jpegdct_version`. The array has its metadata when the run is
//! finished, for only then is N known.
//!
//! Shards are written as images come, by the sharding codec's own specification: the chunks one behind the other, then
//! an index of the offset and length of each as 64-bit numbers, then its CRC-32C. So an image is all that is held in memory,
//! and compression, if it is asked for, is done by the threads that made the tensors.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tempfile::NamedTempFile;
use zarrs::array::codec::{
    BytesToBytesCodecTraits, CodecError, CodecOptions, Crc32cCodec, ShardingCodecBuilder, ZstdCodec,
};
use zarrs::array::{ArrayBuilder, ChunkShape, DataType};

use super::file::{create_hidden, little_endian, rename, sync_folder};
use super::shards::{Images, ShardSize, Shards};
use super::{Besides, Body, Done, InMemory, Item, LeftOver, Part, Settle, Sink, Stage, Staged};
use crate::recipe::Recipe;

/// The array's folder.
const ARRAY: &str = "tensors.zarr";
/// Its metadata.
const FINISHED: &str = "tensors.zarr/zarr.json";
/// What its shards are called before their numbers.
const SHARDS: &str = "tensors.zarr/c/";
/// The same for the run while it goes on: what a row is, with no rows.
const HIDDEN: &str = ".tensors.zarr.json";
/// Offset and length of a chunk that is not there.
const NO_CHUNK: [u64; 2] = [u64::MAX; 2];

/// Writes one array.
#[derive(Debug)]
pub struct ZarrSink {
    shards: Shards,
    size: ShardSize,
    zstd: Option<i32>,
    attributes: serde_json::Map<String, serde_json::Value>,
    rows: Option<Rows>,
    open: Option<Shard>,
    /// Rows of the shards that are finished, and of the one that is open.
    count: u64,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq)]
struct Rows {
    shape: Vec<usize>,
    dtype: &'static str,
    in_shard: u64,
}

/// The shard that is being filled.
#[derive(Debug)]
struct Shard {
    file: NamedTempFile,
    writer: BufWriter<File>,
    index: Vec<[u64; 2]>,
    at: u64,
    images: Images,
}

/// Compresses, if that is asked for.
struct ChunkStage {
    zstd: Option<i32>,
}

impl Stage for ChunkStage {
    fn stage(&self, item: Item) -> io::Result<Staged> {
        let mut staged = InMemory.stage(item)?;
        if let Some(level) = self.zstd {
            let codec = ZstdCodec::new(level, false);
            for part in &mut staged.parts {
                let bytes = little_endian(part.values()?);
                let packed = codec.encode(bytes, &CodecOptions::default()).map_err(broken)?.into_owned();
                part.body = Body::Encoded(packed);
            }
        }
        Ok(staged)
    }
}

impl Rows {
    fn data_type(&self) -> io::Result<DataType> {
        match self.dtype {
            "f32" => Ok(DataType::Float32),
            "f16" => Ok(DataType::Float16),
            "i16" => Ok(DataType::Int16),
            other => Err(invalid(format!("an array takes f32, f16 or i16, not {other}"))),
        }
    }

    /// One row after the shape of `tail`.
    fn lengths(&self, first: u64) -> Vec<u64> {
        std::iter::once(first).chain(self.shape.iter().map(|&length| length as u64)).collect()
    }

    /// Of a metadata document that [`ZarrSink::metadata`] wrote.
    fn parse(text: &[u8]) -> Option<Rows> {
        let value: serde_json::Value = serde_json::from_slice(text).ok()?;
        let grid = value.pointer("/chunk_grid/configuration/chunk_shape")?.as_array()?;
        let mut lengths = grid.iter().map(serde_json::Value::as_u64);
        let in_shard = lengths.next()??;
        let shape = lengths.map(|length| usize::try_from(length?).ok()).collect::<Option<_>>()?;
        let dtype = match value.get("data_type")?.as_str()? {
            "float32" => "f32",
            "float16" => "f16",
            "int16" => "i16",
            _ => return None,
        };
        Some(Rows { shape, dtype, in_shard })
    }
}

impl ZarrSink {
    /// A sink that writes an array into `folder`. A shard has as many rows as `size` allows; all have the same number.
    /// `zstd` is the level of compression, if there is to be any.
    pub fn new(folder: impl Into<PathBuf>, recipe: &Recipe, size: ShardSize, zstd: Option<i32>) -> ZarrSink {
        let own = json!({
            "jpegdct_version": env!("CARGO_PKG_VERSION"), "recipe": recipe, "recipe_hash": recipe.hash(),
        });
        let attributes = serde_json::Map::from_iter([("jpegdct".to_string(), own)]);
        let shards = Shards::named(folder, SHARDS.into(), 1, String::new(), size);
        ZarrSink { shards, size, zstd, attributes, rows: None, open: None, count: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.shards.folder().join(name)
    }

    /// The array's metadata for so many rows.
    fn metadata(&self, rows: &Rows, count: u64) -> io::Result<String> {
        let chunk: ChunkShape = rows.lengths(1).try_into().map_err(|_| invalid("the tensor has no elements".into()))?;
        let mut sharding = ShardingCodecBuilder::new(chunk);
        if let Some(level) = self.zstd {
            sharding.bytes_to_bytes_codecs(vec![Arc::new(ZstdCodec::new(level, false))]);
        }
        let fill = match rows.dtype {
            "i16" => zarrs::array::FillValue::from(0i16),
            "f16" => zarrs::array::FillValue::from(half::f16::ZERO),
            _ => zarrs::array::FillValue::from(0f32),
        };
        let mut builder = ArrayBuilder::new(rows.lengths(count), rows.lengths(rows.in_shard), rows.data_type()?, fill);
        builder.array_to_bytes_codec(Arc::new(sharding.build())).attributes(self.attributes.clone());
        Ok(builder.build_metadata().map_err(broken)?.to_string_pretty() + "\n")
    }

    /// The first row says what rows are.
    fn begin(&mut self, shape: Vec<usize>, dtype: &'static str, in_shard: Option<u64>) -> io::Result<&Rows> {
        let elements = shape.iter().product::<usize>() as u64;
        let bytes = elements.saturating_mul(if dtype == "f32" { 4 } else { 2 }).max(1);
        let fit = (self.size.bytes / bytes).clamp(1, self.size.images.max(1) as u64);
        let rows = Rows { shape, dtype, in_shard: in_shard.unwrap_or(fit) };
        let text = self.metadata(&rows, 0)?;
        // An earlier run's array would have its metadata and this one's rows.
        remove_if_there(&self.path(FINISHED))?;
        self.put(&text, HIDDEN)?;
        self.shards.set_suffix(&"/0".repeat(rows.shape.len()));
        Ok(self.rows.insert(rows))
    }

    /// Writes a small file, whole or not at all.
    fn put(&self, text: &str, name: &str) -> io::Result<()> {
        let mut file = create_hidden(self.shards.folder())?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        rename(file.into_temp_path(), &self.path(name))?;
        sync_folder(self.shards.folder())
    }

    fn row(&mut self, chunk: &[u8]) -> io::Result<()> {
        let shard = match &mut self.open {
            Some(shard) => shard,
            None => {
                let file = create_hidden(self.shards.folder())?;
                let writer = BufWriter::with_capacity(1 << 16, file.reopen()?);
                self.open.insert(Shard { file, writer, index: Vec::new(), at: 0, images: Vec::new() })
            }
        };
        shard.writer.write_all(chunk)?;
        shard.index.push([shard.at, chunk.len() as u64]);
        shard.at += chunk.len() as u64;
        self.count += 1;
        Ok(())
    }

    fn is_full(&self) -> bool {
        let rows = self.rows.as_ref().map_or(0, |rows| rows.in_shard);
        self.open.as_ref().is_some_and(|shard| shard.index.len() as u64 >= rows)
    }

    fn close(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        let (Some(mut shard), Some(rows)) = (self.open.take(), &self.rows) else { return Ok(()) };
        shard.index.resize(usize::try_from(rows.in_shard).unwrap_or(usize::MAX), NO_CHUNK);
        let index: Vec<u8> = shard.index.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let index = Crc32cCodec::new().encode(Cow::Owned(index), &CodecOptions::default()).map_err(broken)?;
        shard.writer.write_all(&index)?;
        shard.writer.flush()?;
        self.shards.close(shard.file, shard.images, settle)
    }

    /// Appends the rows of the finished array in another folder. Gives the number of rows before them.
    ///
    /// # Errors
    /// Those of reading and writing; an array of another shape.
    pub fn append_array(&mut self, folder: &Path, images: u64) -> io::Result<u64> {
        let before = self.count;
        if images == 0 {
            return Ok(before);
        }
        let text = std::fs::read(folder.join(FINISHED))?;
        let rows = Rows::parse(&text).ok_or_else(|| invalid("the metadata of a part cannot be read".into()))?;
        if self.rows.is_none() {
            self.begin(rows.shape.clone(), rows.dtype, Some(rows.in_shard))?;
        }
        if self.rows.as_ref() != Some(&rows) {
            return Err(invalid("parts have different shapes".into()));
        }
        let suffix = "/0".repeat(rows.shape.len());
        let mut chunk = Vec::new();
        for shard in 0..images.div_ceil(rows.in_shard) {
            let mut file = File::open(folder.join(format!("{SHARDS}{shard}{suffix}")))?;
            for [offset, length] in read_index(&mut file, rows.in_shard)? {
                if [offset, length] == NO_CHUNK {
                    continue;
                }
                file.seek(SeekFrom::Start(offset))?;
                chunk.clear();
                if (&mut file).take(length).read_to_end(&mut chunk)? as u64 != length {
                    return Err(invalid("a shard of a part is cut".into()));
                }
                self.row(&chunk)?;
                if self.is_full() {
                    self.close(&mut |_, _| ())?;
                }
            }
        }
        if self.count - before == images {
            Ok(before)
        } else {
            Err(invalid("a part has other rows than its manifest says".into()))
        }
    }

    /// The shard that holds a row, relative to the output folder.
    pub fn shard_of(&self, row: u64) -> String {
        let number = self.rows.as_ref().map_or(0, |rows| row / rows.in_shard);
        self.shards.name_of(number)
    }
}

/// The index at the end of a shard.
fn read_index(file: &mut File, in_shard: u64) -> io::Result<Vec<[u64; 2]>> {
    let length = i64::try_from(in_shard * 16 + 4).map_err(|_| invalid("a shard is too large".into()))?;
    file.seek(SeekFrom::End(-length))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let checked = Crc32cCodec::new().encode(Cow::Borrowed(&bytes[..bytes.len() - 4]), &CodecOptions::default());
    if checked.map_err(broken)?.as_ref() != bytes {
        return Err(invalid("the index of a shard is damaged".into()));
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    Ok(bytes[..bytes.len() - 4].chunks_exact(16).map(|pair| [number(&pair[..8]), number(&pair[8..])]).collect())
}

impl Sink for ZarrSink {
    fn format(&self) -> &'static str {
        "zarr"
    }

    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(ChunkStage { zstd: self.zstd })
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        let images = self.shards.resume(done);
        self.count = images;
        if images > 0 {
            let found = std::fs::read(self.path(HIDDEN));
            // A finished array that is taken up again: an input has changed.
            let text = found.or_else(|_| std::fs::read(self.path(FINISHED)))?;
            let rows = Rows::parse(&text).ok_or_else(|| invalid("its metadata cannot be read".into()))?;
            self.begin(rows.shape, rows.dtype, Some(rows.in_shard))?;
        }
        Ok(images)
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.shards.settle_ready(settle)?;
        let [part] = &staged.parts[..] else {
            settle(staged.ticket, Err(&invalid("an array takes one tensor an image".into())));
            return Ok(());
        };
        let rows = match &self.rows {
            Some(rows) => rows,
            None => self.begin(part.shape.clone(), part.dtype, None)?,
        };
        if (&rows.shape, rows.dtype) != (&part.shape, part.dtype) {
            let found = format!("a tensor of {:?} does not fit an array of {:?}", part.shape, rows.shape);
            settle(staged.ticket, Err(&invalid(found)));
            return Ok(());
        }
        let output = part.output(&self.shards.name(), Some(self.count.to_string()));
        self.row(&chunk(part)?)?;
        if let Some(shard) = &mut self.open {
            shard.images.push((staged.ticket, vec![output]));
        }
        if self.is_full() { self.close(settle) } else { Ok(()) }
    }

    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.close(settle)?;
        self.shards.finish(settle)?;
        let Some(rows) = &self.rows else {
            // No image at all: what an earlier run left says otherwise.
            remove_if_there(&self.path(HIDDEN))?;
            return remove_if_there(&self.path(FINISHED));
        };
        self.put(&self.metadata(rows, self.count)?, FINISHED)?;
        sync_folder(&self.path(ARRAY))?;
        std::fs::remove_file(self.path(HIDDEN))
    }

    fn besides(&self) -> Besides {
        Besides { unfinished: Some(HIDDEN), last: Some(FINISHED) }
    }

    fn left_over(&self) -> Option<LeftOver<'_>> {
        // Without a row this run has no shards at all.
        Some(Box::new(|path| self.rows.is_none() && path.starts_with(SHARDS) || self.shards.is_behind(path)))
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The bytes of a row.
fn chunk(part: &Part) -> io::Result<Cow<'_, [u8]>> {
    match &part.body {
        Body::Encoded(bytes) => Ok(Cow::Borrowed(bytes)),
        _ => Ok(little_endian(part.values()?)),
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the array cannot be written: {what}"))
}

fn broken(error: impl Into<Broken>) -> io::Error {
    invalid(error.into().0)
}

/// What a codec or the metadata's builder says.
struct Broken(String);

impl From<CodecError> for Broken {
    fn from(error: CodecError) -> Self {
        Broken(error.to_string())
    }
}

impl From<zarrs::array::ArrayCreateError> for Broken {
    fn from(error: zarrs::array::ArrayCreateError) -> Self {
        Broken(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use zarrs::array::Array;
    use zarrs::filesystem::FilesystemStore;

    use super::*;
    use crate::sinks::{About, Names, Output};
    use crate::tensor::{Tensor, Values};

    fn sink(folder: &Path, zstd: Option<i32>) -> ZarrSink {
        let size = ShardSize { images: 3, ..Default::default() };
        ZarrSink::new(folder, &Recipe::preset("dctnet-24").unwrap(), size, zstd)
    }

    fn write(sink: &mut ZarrSink, numbers: std::ops::Range<usize>) -> Vec<Output> {
        let (stage, mut settled) = (Sink::stage(sink), Vec::new());
        for number in numbers.clone() {
            let values = Values::F32((0..12).map(|k| (number * 100 + k) as f32).collect());
            let tensors = vec![Tensor { name: String::new(), shape: vec![3, 2, 2], values }];
            let name = Names::default().next(&format!("{number}.jpg"));
            let staged = stage.stage(Item { ticket: number, name, tensors, about: About::default() }).unwrap();
            sink.write(staged, &mut |_, result| settled.extend(result.unwrap())).unwrap();
        }
        sink.finish(&mut |_, result| settled.extend(result.unwrap())).unwrap();
        assert_eq!(settled.len(), numbers.len());
        settled
    }

    fn check(folder: &Path, count: u64) {
        let store = Arc::new(FilesystemStore::new(folder.join(ARRAY)).unwrap());
        let array = Array::open(store, "/").unwrap();
        assert_eq!(array.shape(), [count, 3, 2, 2]);
        let values = array.retrieve_array_subset_elements::<f32>(&array.subset_all()).unwrap();
        let wanted: Vec<f32> = (0..count).flat_map(|n| (0..12).map(move |k| (n * 100 + k) as f32)).collect();
        assert_eq!(values, wanted);
    }

    #[test]
    fn rows_read_back() {
        for zstd in [None, Some(3)] {
            let folder = tempfile::tempdir().unwrap();
            let outputs = write(&mut sink(folder.path(), zstd), 0..7);
            assert_eq!((outputs[4].path.as_str(), outputs[4].entry.as_deref()), ("tensors.zarr/c/1/0/0/0", Some("4")));
            check(folder.path(), 7);
            write(&mut sink(folder.path(), zstd), 0..2);
            check(folder.path(), 2);
            assert!(!folder.path().join("tensors.zarr/c/2").exists(), "what a longer run left is gone");
        }
    }

    #[test]
    fn a_run_is_taken_up_at_a_whole_shard() {
        let folder = tempfile::tempdir().unwrap();
        write(&mut sink(folder.path(), None), 0..7);
        let mut again = sink(folder.path(), None);
        let stands = again.resume(&Done { images: 5, files: 2, in_last_file: 2 }).unwrap();
        assert_eq!(stands, 3);
        write(&mut again, 3..8);
        check(folder.path(), 8);
    }

    #[test]
    fn parts_are_joined() {
        let out = tempfile::tempdir().unwrap();
        let mut whole = sink(out.path(), Some(1));
        for (from, to, offset) in [(0, 4, 0), (4, 5, 4), (5, 9, 5)] {
            let part = tempfile::tempdir().unwrap();
            write(&mut sink(part.path(), Some(1)), from..to);
            assert_eq!(whole.append_array(part.path(), (to - from) as u64).unwrap(), offset);
        }
        whole.finish(&mut |_, _| ()).unwrap();
        check(out.path(), 9);
        assert_eq!(whole.shard_of(7), "tensors.zarr/c/2/0/0/0");
    }
}
