//! Tar shards as WebDataset reads them: `shard-000000.tar` and so on.
//!
//! A sample is two or three files that share a name: `a/b/img.npy` with the tensor (`a/b/img.y.npy`, `a/b/img.cb.npy`
//! ... where the recipe has several), `a/b/img.json` with what is known of the image, and `a/b/img.cls` with its label if
//! it has one. The JSON is that of the image's source, with one field more, `jpegdct`: `path`, `key`, `width`, `height`,
//! `class`. WebDataset ends a sample's name at the first dot, so a dot in it is written `%2E`, and `%` then `%25`.
//!
//! Shards are written as images come: an image's tensors are all that is held in memory. Times and owners are zero, so
//! the same images give the same bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::file::{create_hidden, little_endian};
use super::npy::npy_header;
use super::shards::{Images, ShardSize, Shards};
use super::{Done, InMemory, Item, LeftOver, Settle, Sink, Stage, Staged};

/// Writes tar shards.
#[derive(Debug)]
pub struct WebdatasetSink {
    shards: Shards,
    open: Option<Shard>,
}

/// The shard that is being filled.
#[derive(Debug)]
struct Shard {
    file: NamedTempFile,
    writer: BufWriter<File>,
    bytes: u64,
    images: Images,
}

/// Keeps tensors in memory and makes the sample's name.
struct SampleStage;

impl Stage for SampleStage {
    fn stage(&self, item: Item) -> io::Result<Staged> {
        let mut staged = InMemory.stage(item)?;
        staged.name.stem = sample_name(&staged.name.stem);
        Ok(staged)
    }
}

impl WebdatasetSink {
    /// A sink that writes shards into `folder`.
    pub fn new(folder: impl Into<PathBuf>, size: ShardSize) -> WebdatasetSink {
        WebdatasetSink { shards: Shards::new(folder, "tar", size), open: None }
    }

    fn close(&mut self, settle: &mut Settle<'_>) -> io::Result<()> {
        let Some(mut shard) = self.open.take() else { return Ok(()) };
        // Two empty blocks end an archive.
        shard.writer.write_all(&[0; 1024])?;
        shard.writer.flush()?;
        self.shards.close(shard.file, shard.images, settle)
    }
}

impl Shard {
    fn create(shards: &Shards) -> io::Result<Shard> {
        let file = create_hidden(shards.folder())?;
        let writer = BufWriter::with_capacity(1 << 16, file.reopen()?);
        Ok(Shard { file, writer, bytes: 0, images: Vec::new() })
    }

    fn append(&mut self, staged: &Staged, shard: &str) -> io::Result<()> {
        let stem = &staged.name.stem;
        let mut outputs = Vec::with_capacity(staged.parts.len());
        for part in &staged.parts {
            let name = if part.name.is_empty() { format!("{stem}.npy") } else { format!("{stem}.{}.npy", part.name) };
            append(&mut self.writer, &name, &[&npy_header(&part.shape, part.dtype)?, &little_endian(part.values()?)])?;
            outputs.push(part.output(shard, Some(name)));
        }
        append(&mut self.writer, &format!("{stem}.json"), &[about(staged).to_string().as_bytes()])?;
        if let Some(label) = staged.about.label {
            append(&mut self.writer, &format!("{stem}.cls"), &[label.to_string().as_bytes()])?;
        }
        self.bytes += staged.memory();
        self.images.push((staged.ticket, outputs));
        Ok(())
    }
}

impl Sink for WebdatasetSink {
    fn format(&self) -> &'static str {
        "webdataset"
    }

    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(SampleStage)
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        Ok(self.shards.resume(done))
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        self.shards.settle_ready(settle)?;
        let full = |shards: &Shards, shard: &Shard, more| shards.is_full(shard.images.len(), shard.bytes, more);
        if self.open.as_ref().is_some_and(|shard| full(&self.shards, shard, staged.memory())) {
            self.close(settle)?;
        }
        let name = self.shards.name();
        let shard = match &mut self.open {
            Some(shard) => shard,
            None => self.open.insert(Shard::create(&self.shards)?),
        };
        shard.append(&staged, &name)?;
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

/// A stem without dots in its last name, differing from that of every other stem.
fn sample_name(stem: &str) -> String {
    let file = stem.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = stem.split_at(file);
    if name.contains('.') || name.contains("%2") {
        format!("{folder}{}", name.replace('%', "%25").replace('.', "%2E"))
    } else {
        stem.to_string()
    }
}

/// What is known of an image.
fn about(staged: &Staged) -> Value {
    let about = &staged.about;
    let mut map = match &about.json {
        Some(Value::Object(map)) => map.clone(),
        Some(other) => Map::from_iter([("json".to_string(), other.clone())]),
        None => Map::new(),
    };
    let (width, height) = about.size;
    let mut own = json!({ "path": about.path, "key": staged.name.key, "width": width, "height": height });
    if let (Some(class), Some(own)) = (&about.class, own.as_object_mut()) {
        own.insert("class".into(), class.as_str().into());
    }
    map.insert("jpegdct".into(), own);
    Value::Object(map)
}

/// Appends one file to an archive.
fn append(writer: &mut impl Write, name: &str, contents: &[&[u8]]) -> io::Result<()> {
    let len: usize = contents.iter().map(|content| content.len()).sum();
    if name.len() > 100 {
        // GNU's way to say a long name: a file of its own before the one it names.
        let mut header = header(tar::EntryType::GNULongName, name.len() as u64 + 1);
        header.set_path("././@LongLink")?;
        header.set_cksum();
        writer.write_all(header.as_bytes())?;
        write_padded(writer, &[name.as_bytes(), &[0]])?;
    }
    let mut header = header(tar::EntryType::Regular, len as u64);
    let field = &mut header.as_old_mut().name;
    let kept = name.len().min(field.len());
    field[..kept].copy_from_slice(&name.as_bytes()[..kept]);
    header.set_cksum();
    writer.write_all(header.as_bytes())?;
    write_padded(writer, contents)
}

fn header(kind: tar::EntryType, len: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(len);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn write_padded(writer: &mut impl Write, contents: &[&[u8]]) -> io::Result<()> {
    contents.iter().try_for_each(|content| writer.write_all(content))?;
    let len: usize = contents.iter().map(|content| content.len()).sum();
    writer.write_all(&[0; 512][..len.next_multiple_of(512) - len])
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::sinks::{About, Names, Output};
    use crate::tensor::{Tensor, Values};

    #[test]
    fn samples_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = WebdatasetSink::new(folder.path(), ShardSize { images: 2, ..Default::default() });
        let stage = Sink::stage(&sink);
        let long = format!("{}/img.jpg", "d".repeat(120));
        let (mut names, mut settled) = (Names::default(), Vec::new());
        let mut settle = |ticket, result: Result<Vec<Output>, &io::Error>| settled.push((ticket, result.unwrap()));
        for (ticket, place) in ["a/x.y.jpg", &long, "b.jpg"].into_iter().enumerate() {
            let tensors =
                vec![Tensor { name: String::new(), shape: vec![2], values: Values::I16(vec![ticket as i16; 2]) }];
            let about = About {
                label: Some(7),
                json: Some(json!({ "text": "a cat" })),
                path: place.into(),
                size: (36, 28),
                class: Some("cat".into()),
            };
            let item = Item { ticket, name: names.next(place), tensors, about };
            sink.write(stage.stage(item).unwrap(), &mut settle).unwrap();
        }
        sink.finish(&mut settle).unwrap();
        assert_eq!(settled.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(settled[0].1[0].entry.as_deref(), Some("a/x%2Ey.npy"));
        assert_eq!(settled[2].1[0].path, "shard-000001.tar");

        let mut tar = tar::Archive::new(File::open(folder.path().join("shard-000000.tar")).unwrap());
        let mut files = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            files.push((String::from_utf8(entry.path_bytes().into_owned()).unwrap(), bytes));
        }
        let stem = long.trim_end_matches(".jpg");
        let wanted = ["a/x%2Ey.npy", "a/x%2Ey.json", "a/x%2Ey.cls"].map(String::from).into_iter();
        let wanted: Vec<String> =
            wanted.chain(["npy", "json", "cls"].map(|ending| format!("{stem}.{ending}"))).collect();
        assert_eq!(files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), wanted);
        let npy = npyz::NpyFile::new(&files[3].1[..]).unwrap();
        assert_eq!(npy.into_vec::<i16>().unwrap(), [1, 1]);
        let about: Value = serde_json::from_slice(&files[1].1).unwrap();
        assert_eq!((&about["text"], &about["jpegdct"]["class"]), (&"a cat".into(), &"cat".into()));
        assert_eq!(files[2].1, b"7");
    }

    #[test]
    fn sample_names_have_no_dot_and_stay_apart() {
        assert_eq!(sample_name("a.b/img"), "a.b/img");
        assert_eq!(sample_name("a.b/i.mg"), "a.b/i%2Emg");
        assert_ne!(sample_name("i%2Emg"), sample_name("i.mg"));
        assert_eq!(sample_name("50%"), "50%");
    }
}
