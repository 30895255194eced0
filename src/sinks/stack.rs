//! All tensors in one array: `stack.npy` of shape (N, C, H, W), which NumPy maps into memory, and `stack.jsonl`.
//!
//! For recipes whose tensors have one size. Line n of `stack.jsonl` says which image row n is: `row`, `key`, `path`,
//! and `label` and `class` where they are known. Both files have hidden names until the run is finished; N is written
//! into the header then.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::{little_endian, sync_folder};
use super::npy::npy_dtype;
use super::{Done, Part, Settle, Sink, Staged, Sync};
use crate::recipe::Recipe;

/// Length of the header: enough for any number of rows, a multiple of 64 as NumPy wants it.
const HEADER: usize = 256;

const ARRAY: &str = "stack.npy";
const INDEX: &str = "stack.jsonl";

/// Writes one array.
#[derive(Debug)]
pub struct StackSink {
    folder: PathBuf,
    open: Option<Stack>,
}

/// The array that is being written.
#[derive(Debug)]
struct Stack {
    array: BufWriter<File>,
    index: BufWriter<File>,
    shape: Vec<usize>,
    dtype: &'static str,
    rows: u64,
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    row: u64,
    key: Cow<'a, str>,
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    label: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    class: Option<Cow<'a, str>>,
}

impl StackSink {
    /// A sink that writes into `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> StackSink {
        StackSink { folder: folder.into(), open: None }
    }

    /// Whether a recipe's tensors all have one size.
    pub fn takes(recipe: &Recipe) -> bool {
        recipe.fixed_shape().is_some()
    }

    fn hidden(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".{name}.part"))
    }

    /// Appends the rows of the finished stack in another folder. Gives the number of rows before them.
    ///
    /// # Errors
    /// Those of reading and writing; a stack of another shape.
    pub fn append_stack(&mut self, folder: &Path) -> io::Result<u64> {
        let mut array = match File::open(folder.join(ARRAY)) {
            // A run without an image has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            array => array?,
        };
        let mut header = [0; HEADER];
        array.read_exact(&mut header)?;
        let (shape, dtype) = parse_header(&header).ok_or_else(|| lost("the header of a part cannot be read"))?;
        let stack = match &mut self.open {
            Some(stack) => stack,
            None => {
                let stack = self.create(shape.clone(), dtype)?;
                self.open.insert(stack)
            }
        };
        if (&stack.shape, stack.dtype) != (&shape, dtype) {
            return Err(lost("parts have different shapes"));
        }
        let before = stack.rows;
        let copied = io::copy(&mut array, &mut stack.array)?;
        for line in BufReader::new(File::open(folder.join(INDEX))?).lines() {
            let line = line?;
            let row = Row { row: stack.rows, ..serde_json::from_str(&line)? };
            stack.append_index(&row)?;
        }
        let rows = stack.rows - before;
        if copied == rows * stack.row_bytes()? {
            Ok(before)
        } else {
            Err(lost("a part and its index differ in length"))
        }
    }

    fn create(&self, shape: Vec<usize>, dtype: &'static str) -> io::Result<Stack> {
        std::fs::create_dir_all(&self.folder)?;
        let file = |name| File::create(self.hidden(name)).map(|file| BufWriter::with_capacity(1 << 18, file));
        let mut stack = Stack { array: file(ARRAY)?, index: file(INDEX)?, shape, dtype, rows: 0 };
        stack.array.write_all(&stack.header()?)?;
        Ok(stack)
    }

    /// Opens what an interrupted run left, and takes away what comes after `rows` rows.
    fn reopen(&self, rows: u64) -> io::Result<Stack> {
        let open = |name: &str| {
            let hidden = self.hidden(name);
            if !hidden.exists() && self.folder.join(name).exists() {
                // It was interrupted when all was written but the last lines of its record.
                std::fs::rename(self.folder.join(name), &hidden)?;
            }
            OpenOptions::new().read(true).write(true).open(hidden)
        };
        let (mut array, mut index) = (open(ARRAY)?, open(INDEX)?);
        let mut header = vec![0; HEADER];
        array.read_exact(&mut header)?;
        let (shape, dtype) = parse_header(&header).ok_or_else(|| lost("its header cannot be read"))?;
        let stack = Stack {
            array: BufWriter::new(array.try_clone()?),
            index: BufWriter::new(index.try_clone()?),
            shape,
            dtype,
            rows,
        };
        let end = HEADER as u64 + rows.saturating_mul(stack.row_bytes()?);
        if array.metadata()?.len() < end {
            return Err(lost("it is shorter than its record says"));
        }
        array.set_len(end)?;
        array.seek(SeekFrom::Start(end))?;
        let end = line_end(&mut index, rows)?.ok_or_else(|| lost("its index is shorter than its record says"))?;
        index.set_len(end)?;
        index.seek(SeekFrom::Start(end))?;
        Ok(stack)
    }
}

impl Stack {
    /// The header as NumPy format 1.0 has it, for the rows there are, padded to a fixed length.
    fn header(&self) -> io::Result<Vec<u8>> {
        let mut shape = format!("{}, ", self.rows);
        self.shape.iter().for_each(|length| shape.push_str(&format!("{length}, ")));
        let dtype = npy_dtype(self.dtype)?;
        let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend(((HEADER - 10) as u16).to_le_bytes());
        header.extend(text.as_bytes());
        if header.len() >= HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the shape has too many axes"));
        }
        header.resize(HEADER - 1, b' ');
        header.push(b'\n');
        Ok(header)
    }

    fn row_bytes(&self) -> io::Result<u64> {
        let size = if self.dtype == "f32" { 4 } else { 2 };
        let product = self.shape.iter().try_fold(size, |product: u64, &length| product.checked_mul(length as u64));
        product.ok_or_else(|| lost("its rows have an impossible size"))
    }

    fn append(&mut self, staged: &Staged, part: &Part) -> io::Result<()> {
        self.array.write_all(&little_endian(part.values()?))?;
        let about = &staged.about;
        self.append_index(&Row {
            row: self.rows,
            key: staged.name.key.as_str().into(),
            path: about.path.as_str().into(),
            label: about.label,
            class: about.class.as_deref().map(Cow::from),
        })
    }

    fn append_index(&mut self, row: &Row<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.index, row)?;
        self.index.write_all(b"\n")?;
        self.rows += 1;
        Ok(())
    }
}

impl Sink for StackSink {
    fn format(&self) -> &'static str {
        "stack"
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        if done.images > 0 {
            self.open = Some(self.reopen(done.images)?);
        }
        Ok(done.images)
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        let [part] = &staged.parts[..] else {
            settle(staged.ticket, Err(&lost("a stack takes one tensor an image")));
            return Ok(());
        };
        let stack = match &mut self.open {
            Some(stack) => stack,
            None => {
                let stack = self.create(part.shape.clone(), part.dtype)?;
                self.open.insert(stack)
            }
        };
        if (&stack.shape, stack.dtype) != (&part.shape, part.dtype) {
            let found = format!("a tensor of {:?} does not fit a stack of {:?}", part.shape, stack.shape);
            settle(staged.ticket, Err(&io::Error::new(io::ErrorKind::InvalidInput, found)));
            return Ok(());
        }
        let entry = Some(stack.rows.to_string());
        stack.append(&staged, part)?;
        settle(staged.ticket, Ok(vec![part.output(ARRAY, entry)]));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<Sync> {
        let Some(stack) = &mut self.open else { return Ok(Box::new(|| Ok(()))) };
        stack.array.flush()?;
        stack.index.flush()?;
        let files = [stack.array.get_ref().try_clone()?, stack.index.get_ref().try_clone()?];
        Ok(Box::new(move || files.iter().try_for_each(File::sync_data)))
    }

    fn finish(&mut self, _settle: &mut Settle<'_>) -> io::Result<()> {
        let Some(stack) = &mut self.open else { return Ok(()) };
        let header = stack.header()?;
        stack.array.seek(SeekFrom::Start(0))?;
        stack.array.write_all(&header)?;
        self.sync()?()?;
        self.open = None;
        for name in [INDEX, ARRAY] {
            std::fs::rename(self.hidden(name), self.folder.join(name))?;
        }
        sync_folder(&self.folder)
    }
}

fn lost(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the stack cannot be written: {what}"))
}

/// Shape of a row and element type, of a header as [`Stack::header`] writes it.
fn parse_header(header: &[u8]) -> Option<(Vec<usize>, &'static str)> {
    let header = npyz::NpyHeader::from_reader(header).ok()?;
    let shape = header.shape().get(1..)?.iter().map(|&length| usize::try_from(length).ok()).collect::<Option<_>>()?;
    let npyz::DType::Plain(dtype) = header.dtype() else { return None };
    let dtype = dtype.to_string();
    let name = ["f32", "f16", "i16", "u16"].into_iter().find(|name| npy_dtype(name).is_ok_and(|text| text == dtype));
    Some((shape, name?))
}

/// Where line number `lines` ends.
fn line_end(file: &mut File, lines: u64) -> io::Result<Option<u64>> {
    let (mut at, mut seen) = (0u64, 0u64);
    let mut buffer = vec![0; 1 << 16];
    while seen < lines {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        for byte in &buffer[..read] {
            at += 1;
            seen += u64::from(*byte == b'\n');
            if seen == lines {
                break;
            }
        }
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::{About, Item, Names, Output};
    use crate::tensor::{Tensor, Values};

    fn write(sink: &mut StackSink, places: &[&str], from: usize) -> Vec<Result<Vec<Output>, String>> {
        let (mut names, mut settled) = (Names::default(), Vec::new());
        for (ticket, place) in places.iter().enumerate() {
            let name = names.next(place);
            if ticket < from {
                continue;
            }
            let shape = if *place == "odd.jpg" { vec![1, 1, 1] } else { vec![2, 1, 3] };
            let values = Values::F32(vec![ticket as f32; shape.iter().product()]);
            let about = About { path: (*place).into(), ..About::default() };
            let item = Item { ticket, name, tensors: vec![Tensor { name: String::new(), shape, values }], about };
            let staged = Sink::stage(sink).stage(item).unwrap();
            sink.write(staged, &mut |_, result| settled.push(result.map_err(|e| e.to_string()))).unwrap();
        }
        settled
    }

    fn files(folder: &std::path::Path) -> [Vec<u8>; 2] {
        [ARRAY, INDEX].map(|name| std::fs::read(folder.join(name)).unwrap())
    }

    #[test]
    fn rows_read_back_and_another_size_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = StackSink::new(folder.path());
        let settled = write(&mut sink, &["a.jpg", "odd.jpg", "b.jpg"], 0);
        assert!(settled[1].is_err());
        assert_eq!(settled[2].as_ref().unwrap()[0].entry.as_deref(), Some("1"));
        sink.finish(&mut |_, _| ()).unwrap();
        let [array, index] = files(folder.path());
        let npy = npyz::NpyFile::new(&array[..]).unwrap();
        assert_eq!(npy.shape(), [2, 2, 1, 3]);
        assert_eq!(npy.into_vec::<f32>().unwrap(), [[0.0; 6], [2.0; 6]].concat());
        assert!(String::from_utf8(index).unwrap().ends_with("{\"row\":1,\"key\":\"b.jpg\",\"path\":\"b.jpg\"}\n"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn recipes_of_one_size_are_taken() {
        let takes = |name: &str| StackSink::takes(&Recipe::preset(name).unwrap());
        assert!(takes("dctnet-24") && takes("dctnet-mobilenet-32"));
        assert!(!takes("native-24") && !takes("dctnet-detection-24") && !takes("planes"));
    }

    #[test]
    fn an_interrupted_stack_goes_on_where_its_record_ends() {
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let places = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"];
        let mut sink = StackSink::new(whole.path());
        write(&mut sink, &places, 0);
        sink.finish(&mut |_, _| ()).unwrap();
        for (written, recorded) in [(0, 0), (1, 1), (3, 1), (3, 3), (4, 4)] {
            let mut sink = StackSink::new(broken.path());
            write(&mut sink, &places[..written], 0);
            sink.sync().unwrap()().unwrap();
            drop(sink);
            let mut sink = StackSink::new(broken.path());
            let done = Done { images: recorded, files: 1, in_last_file: recorded };
            assert_eq!(sink.resume(&done).unwrap(), recorded);
            write(&mut sink, &places, recorded as usize);
            sink.finish(&mut |_, _| ()).unwrap();
            assert!(files(whole.path()) == files(broken.path()), "{written} written, {recorded} recorded");
        }
        let done = Done { images: 9, files: 1, in_last_file: 9 };
        assert_eq!(StackSink::new(broken.path()).resume(&done).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
