//! Parquet shards: `shard-000000.parquet` and so on.
//!
//! For recipes whose tensors have one size. A row is an image: `key`, `path`, `label`, `class`, and `tensor`, a list of
//! fixed length that Arrow knows as `arrow.fixed_shape_tensor` with the shape of the recipe's tensor. The file's metadata
//! holds `recipe`, `recipe_hash` and `jpegdct_version`. Rows are written as images come, in groups of some 16 MiB.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;
use arrow_array::{
    ArrayRef, FixedSizeListArray, Float16Array, Float32Array, Int16Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use serde_json::json;
use tempfile::NamedTempFile;

use super::file::create_hidden;
use super::shards::{Images, ShardSize, Shards};
use super::{Body, Done, LeftOver, Part, Settle, Sink, Staged};
use crate::recipe::Recipe;
use crate::tensor::Values;

/// Bytes of rows that are gathered before they are written as a group.
const GROUP: usize = 16 << 20;

/// Writes Parquet shards.
#[derive(Debug)]
pub struct ParquetSink {
    shards: Shards,
    metadata: [(&'static str, String); 3],
    compression: Compression,
    open: Option<Shard>,
}

/// The shard that is being filled.
#[derive(Debug)]
struct Shard {
    file: NamedTempFile,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    element: Arc<Field>,
    shape: Vec<usize>,
    dtype: &'static str,
    bytes: u64,
    images: Images,
}

impl ParquetSink {
    /// A sink that writes shards into `folder`, compressed with Zstandard at level `zstd` if there is one.
    ///
    /// # Errors
    /// A level that Zstandard does not have.
    pub fn new(
        folder: impl Into<PathBuf>,
        recipe: &Recipe,
        size: ShardSize,
        zstd: Option<i32>,
    ) -> io::Result<ParquetSink> {
        let compression = match zstd {
            Some(level) => Compression::ZSTD(ZstdLevel::try_new(level).map_err(broken)?),
            None => Compression::UNCOMPRESSED,
        };
        let metadata = [
            ("jpegdct_version", env!("CARGO_PKG_VERSION").to_string()),
            ("recipe", recipe.to_json()),
            ("recipe_hash", recipe.hash()),
        ];
        Ok(ParquetSink { shards: Shards::new(folder, "parquet", size), metadata, compression, open: None })
    }

    fn create(&self, part: &Part) -> io::Result<Shard> {
        let kind = match part.dtype {
            "f32" => DataType::Float32,
            "f16" => DataType::Float16,
            "i16" => DataType::Int16,
            other => return Err(invalid(format!("Parquet has no type for {other}"))),
        };
        // Elements that may be null, though none is: Arrow's C++ knows the extension of no other list.
        let element = Arc::new(Field::new_list_field(kind, true));
        let length = part.shape.iter().product::<usize>();
        let length = i32::try_from(length).map_err(|_| invalid("the tensor is too large for a list".into()))?;
        let extension = HashMap::from([
            ("ARROW:extension:name".to_string(), "arrow.fixed_shape_tensor".to_string()),
            ("ARROW:extension:metadata".to_string(), json!({ "shape": part.shape }).to_string()),
        ]);
        let list = DataType::FixedSizeList(element.clone(), length);
        let tensor = Field::new("tensor", list, false).with_metadata(extension);
        let schema = Arc::new(Schema::new(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("path", DataType::Utf8, false),
            Field::new("label", DataType::Int64, true),
            Field::new("class", DataType::Utf8, true),
            tensor,
        ]));
        let metadata = self.metadata.iter().map(|(key, value)| KeyValue::new((*key).to_string(), value.clone()));
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(metadata.collect()))
            .set_compression(self.compression)
            // Hardly any two coefficients are equal: a dictionary of them is as large as they are.
            .set_column_dictionary_enabled(
                ColumnPath::new(["tensor", "list", "item"].map(String::from).to_vec()),
                false,
            )
            .build();
        let file = create_hidden(self.shards.folder())?;
        let writer = ArrowWriter::try_new(file.reopen()?, schema.clone(), Some(properties)).map_err(broken)?;
        let (shape, dtype) = (part.shape.clone(), part.dtype);
        Ok(Shard { file, writer, schema, element, shape, dtype, bytes: 0, images: Vec::new() })
    }

    fn close(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        let Some(shard) = self.open.take() else { return Ok(()) };
        shard.writer.close().map_err(broken)?;
        self.shards.close(shard.file, shard.images, settle)
    }
}

impl Shard {
    fn append(&mut self, staged: Staged, name: &str) -> io::Result<()> {
        let memory = staged.memory();
        let (ticket, about, key) = (staged.ticket, staged.about, staged.name.key);
        let row = Some(self.images.len().to_string());
        let mut outputs = Vec::with_capacity(1);
        for part in staged.parts {
            outputs.push(part.output(name, row.clone()));
            let values: ArrayRef = match part.body {
                Body::Values(Values::F32(values)) => Arc::new(Float32Array::from(values)),
                Body::Values(Values::F16(values)) => Arc::new(Float16Array::from(values)),
                Body::Values(Values::I16(values)) => Arc::new(Int16Array::from(values)),
                _ => return Err(invalid("a column takes f32, f16 or i16 in memory".into())),
            };
            let length =
                i32::try_from(values.len()).map_err(|_| invalid("the tensor is too large for a list".into()))?;
            let tensor = FixedSizeListArray::try_new(self.element.clone(), length, values, None).map_err(unfit)?;
            let columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from(vec![key.as_str()])),
                Arc::new(StringArray::from(vec![about.path.as_str()])),
                Arc::new(Int64Array::from(vec![about.label])),
                Arc::new(StringArray::from(vec![about.class.as_deref()])),
                Arc::new(tensor),
            ];
            let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(unfit)?;
            self.writer.write(&batch).map_err(broken)?;
        }
        if self.writer.in_progress_size() > GROUP {
            self.writer.flush().map_err(broken)?;
        }
        self.bytes += memory;
        self.images.push((ticket, outputs));
        Ok(())
    }
}

impl Sink for ParquetSink {
    fn format(&self) -> &'static str {
        "parquet"
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        Ok(self.shards.resume(done))
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.shards.settle_ready(settle)?;
        let [part] = &staged.parts[..] else {
            settle(staged.ticket, Err(&invalid("a row takes one tensor".into())));
            return Ok(());
        };
        let full = |shards: &Shards, shard: &Shard, more| shards.is_full(shard.images.len(), shard.bytes, more);
        if self.open.as_ref().is_some_and(|shard| full(&self.shards, shard, staged.memory())) {
            self.close(settle)?;
        }
        let name = self.shards.name();
        if self.open.is_none() {
            self.open = Some(self.create(part)?);
        }
        let Some(shard) = &mut self.open else { return Ok(()) };
        if (&shard.shape, shard.dtype) != (&part.shape, part.dtype) {
            let found = format!("a tensor of {:?} does not fit rows of {:?}", part.shape, shard.shape);
            settle(staged.ticket, Err(&invalid(found)));
            return Ok(());
        }
        shard.append(staged, &name)?;
        if full(&self.shards, shard, 0) { self.close(settle) } else { Ok(()) }
    }

    fn finish(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        self.close(settle)?;
        self.shards.finish(settle)
    }

    fn left_over(&self) -> Option<LeftOver<'_>> {
        Some(Box::new(|path| self.shards.is_behind(path)))
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn unfit(error: ArrowError) -> io::Error {
    invalid(error.to_string())
}

/// The disk's own error where there is one: whoever looks at its kind sees that a disk is full.
fn broken(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float16Type, Int64Type};
    use half::f16;

    use super::*;
    use crate::sinks::{About, Item, Names, Output};
    use crate::tensor::Tensor;

    fn run(folder: &std::path::Path, places: &[&str]) -> Vec<Result<Vec<Output>, String>> {
        let mut sink =
            ParquetSink::new(folder, &Recipe::default(), ShardSize { images: 2, ..Default::default() }, Some(3))
                .unwrap();
        let stage = Sink::stage(&sink);
        let (mut names, mut settled) = (Names::default(), Vec::new());
        let mut settle = |_, result: Result<_, &io::Error>| settled.push(result.map_err(|error| error.to_string()));
        for (ticket, place) in places.iter().enumerate() {
            let shape = if *place == "odd.jpg" { vec![1] } else { vec![2, 1, 3] };
            let values = Values::F16(vec![f16::from_f32(ticket as f32); shape.iter().product()]);
            let about = About { path: (*place).into(), label: (ticket > 0).then_some(7), ..About::default() };
            let tensors = vec![Tensor { name: String::new(), shape, values }];
            let item = Item { ticket, name: names.next(place), tensors, about };
            sink.write(stage.stage(item).unwrap(), &mut settle).unwrap();
        }
        sink.finish(&mut settle).unwrap();
        settled
    }

    #[test]
    fn rows_read_back_with_their_extension() {
        let folder = tempfile::tempdir().unwrap();
        let settled = run(folder.path(), &["a.jpg", "odd.jpg", "b.jpg", "c.jpg"]);
        assert_eq!(settled.iter().filter(|result| result.is_err()).count(), 1, "another shape fails alone");
        let file = File::open(folder.path().join("shard-000000.parquet")).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
        assert!(metadata.iter().any(|pair| pair.key == "recipe_hash" && pair.value == Some(Recipe::default().hash())));
        let schema = builder.schema().clone();
        let field = schema.field_with_name("tensor").unwrap();
        assert_eq!(field.metadata()["ARROW:extension:name"], "arrow.fixed_shape_tensor");
        assert_eq!(field.metadata()["ARROW:extension:metadata"], "{\"shape\":[2,1,3]}");
        let tensor = builder.metadata().row_group(0).column(4);
        assert!(tensor.dictionary_page_offset().is_none(), "coefficients need no dictionary");
        let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
        let tensor = batches[0].column_by_name("tensor").unwrap().as_fixed_size_list();
        let row = tensor.value(tensor.len() - 1);
        assert_eq!(row.as_primitive::<Float16Type>().values().to_vec(), [f16::from_f32(2.0); 6]);
        let labels = batches[0].column_by_name("label").unwrap().as_primitive::<Int64Type>();
        assert!(labels.is_null(0) && labels.value(1) == 7);
        assert!(folder.path().join("shard-000001.parquet").exists());
    }

    #[test]
    fn the_same_images_give_the_same_bytes() {
        let read = || {
            let folder = tempfile::tempdir().unwrap();
            run(folder.path(), &["a.jpg", "b.jpg"]);
            std::fs::read(folder.path().join("shard-000000.parquet")).unwrap()
        };
        let first = read();
        assert!((0..4).all(|_| read() == first));
    }
}
