//! One `.npy` file a tensor, in folders like those of the inputs.
//!
//! `a/b/img.jpg` gives `a/b/img.npy`, or `a/b/img.y.npy`, `a/b/img.cb.npy` ... where the recipe has several tensors.
//! NumPy format 1.0, little-endian, C order.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use npyz::WriterBuilder;

use super::file::{Unsynced, create_hidden, is_exhausted, little_endian, rename};
use super::{Body, Done, Item, Output, Part, Settle, Sink, Stage, Staged, Sync, below};
use crate::tensor::Values;

/// Writes `.npy` files below a folder.
#[derive(Debug)]
pub struct NpySink {
    folder: PathBuf,
    unsynced: Unsynced,
}

impl NpySink {
    /// A sink that writes below `folder`; folders are made as they are needed.
    pub fn new(folder: impl Into<PathBuf>) -> NpySink {
        NpySink { folder: folder.into(), unsynced: Unsynced::default() }
    }

    /// Puts on the disk what others wrote below `folder`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn synced(folder: &std::path::Path) -> io::Result<()> {
        let mut unsynced = Unsynced::default();
        unsynced.push(folder.into());
        unsynced.sync(folder)
    }

    fn write_all(&mut self, staged: Staged) -> io::Result<Vec<Output>> {
        let mut outputs = Vec::with_capacity(staged.parts.len());
        for part in staged.parts {
            let name = file_name(&staged.name.stem, &part.name);
            let path = below(&self.folder, &name);
            let output = part.output(&name, None);
            match part.body {
                Body::File(file) => rename(file, &path)?,
                Body::Values(values) => {
                    let mut file = create_hidden(&self.folder)?;
                    write_npy(&part.shape, &values, file.as_file_mut())?;
                    rename(file.into_temp_path(), &path)?;
                }
                #[cfg(feature = "zarr")]
                Body::Encoded(_) => return Err(io::ErrorKind::InvalidInput.into()),
            }
            self.unsynced.push(path);
            outputs.push(output);
        }
        Ok(outputs)
    }
}

/// Writes an image's files under hidden names.
struct NpyStage {
    folder: PathBuf,
}

impl Stage for NpyStage {
    fn stage(&self, item: Item) -> io::Result<Staged> {
        let parts = item.tensors.into_iter().map(|tensor| {
            let mut file = create_hidden(&self.folder)?;
            write_npy(&tensor.shape, &tensor.values, file.as_file_mut())?;
            // Only the path is kept: open files are few, waiting images may be many.
            let body = Body::File(file.into_temp_path());
            Ok(Part { dtype: tensor.values.dtype_name(), name: tensor.name, shape: tensor.shape, body })
        });
        let parts = parts.collect::<io::Result<_>>()?;
        Ok(Staged { ticket: item.ticket, parts, name: item.name, about: item.about })
    }
}

impl Sink for NpySink {
    fn format(&self) -> &'static str {
        "npy"
    }

    fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(NpyStage { folder: self.folder.clone() })
    }

    fn resume(&mut self, done: &Done) -> io::Result<u64> {
        Ok(done.images)
    }

    fn write(&mut self, staged: Staged, settle: &mut Settle<'_>) -> io::Result<()> {
        let ticket = staged.ticket;
        match self.write_all(staged) {
            Ok(outputs) => settle(ticket, Ok(outputs)),
            Err(error) if is_exhausted(&error) => return Err(error),
            Err(error) => settle(ticket, Err(&error)),
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<Sync> {
        let (mut unsynced, folder) = (std::mem::take(&mut self.unsynced), self.folder.clone());
        Ok(Box::new(move || unsynced.sync(&folder)))
    }

    fn finish(&mut self, _settle: &mut Settle<'_>) -> io::Result<()> {
        Ok(())
    }
}

fn file_name(stem: &str, tensor: &str) -> String {
    if tensor.is_empty() { format!("{stem}.npy") } else { format!("{stem}.{tensor}.npy") }
}

/// The header of a `.npy` file.
pub(super) fn npy_header(shape: &[usize], dtype: &str) -> io::Result<Vec<u8>> {
    let dtype = npyz::DType::Plain(npy_dtype(dtype)?.parse().map_err(|_| io::ErrorKind::InvalidInput)?);
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let options = npyz::WriteOptions::new_header_only().dtype(dtype).shape(&shape);
    options.writer(Vec::with_capacity(128)).write_header_only()
}

/// NumPy's name of an element type.
pub(super) fn npy_dtype(dtype: &str) -> io::Result<&'static str> {
    match dtype {
        "f32" => Ok("<f4"),
        "f16" => Ok("<f2"),
        "i16" => Ok("<i2"),
        "u16" => Ok("<u2"),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("NumPy has no type {dtype}"))),
    }
}

/// Writes one tensor as a `.npy` file.
///
/// # Errors
/// Those of the writer.
pub fn write_npy(shape: &[usize], values: &Values, writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(&npy_header(shape, values.dtype_name())?)?;
    writer.write_all(&little_endian(values))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use half::f16;

    use super::*;
    use crate::sinks::{About, Name, Names};
    use crate::tensor::Tensor;

    fn item(ticket: usize, name: Name, tensors: &[Tensor]) -> Item {
        Item { ticket, name, tensors: tensors.to_vec(), about: About::default() }
    }

    fn run(folder: &Path, place: &str, tensors: &[Tensor]) -> Result<Vec<Output>, String> {
        let mut sink = NpySink::new(folder);
        let staged = Sink::stage(&sink).stage(item(7, Names::default().next(place), tensors)).unwrap();
        let mut settled = Vec::new();
        sink.write(staged, &mut |ticket, result| settled.push((ticket, result.map_err(|e| e.to_string())))).unwrap();
        assert_eq!((settled.len(), settled[0].0), (1, 7));
        settled.pop().unwrap().1
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut files: Vec<String> = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        files
    }

    #[test]
    fn every_element_type_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let values = [
            ("a", Values::F32(vec![1.5, -2.0, 0.0, 3.25, 4.0, 5.0])),
            ("b", Values::F16((0..6).map(|x| f16::from_f32(x as f32 / 4.0)).collect())),
            ("c", Values::I16(vec![-32768, 32767, 0, 1, 2, 3])),
            ("d", Values::U16(vec![65535, 0, 1, 2, 3, 4])),
        ];
        let tensors: Vec<Tensor> =
            values.into_iter().map(|(name, values)| Tensor { name: name.into(), shape: vec![2, 3], values }).collect();
        let outputs = run(folder.path(), "x/img.jpg", &tensors).unwrap();
        assert_eq!(files(folder.path()), ["x/img.a.npy", "x/img.b.npy", "x/img.c.npy", "x/img.d.npy"]);
        for (output, tensor) in outputs.iter().zip(&tensors) {
            let bytes = std::fs::read(folder.path().join(&output.path)).unwrap();
            let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
            assert_eq!(npy.shape(), [2, 3]);
            assert_eq!(npy.order(), npyz::Order::C);
            match &tensor.values {
                Values::F32(v) => assert_eq!(&npy.into_vec::<f32>().unwrap(), v),
                Values::F16(v) => assert_eq!(&npy.into_vec::<f16>().unwrap(), v),
                Values::I16(v) => assert_eq!(&npy.into_vec::<i16>().unwrap(), v),
                Values::U16(v) => assert_eq!(&npy.into_vec::<u16>().unwrap(), v),
            }
        }
    }

    #[test]
    fn what_is_staged_and_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tensor = Tensor { name: String::new(), shape: vec![1], values: Values::I16(vec![1]) };
        let stage = Sink::stage(&NpySink::new(folder.path()));
        let staged = stage.stage(item(0, Names::default().next("a.jpg"), &[tensor])).unwrap();
        let hidden = files(folder.path());
        assert!(hidden.len() == 1 && hidden[0].starts_with('.') && !hidden[0].ends_with(".npy"), "{hidden:?}");
        drop(staged);
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_in_the_way_settles_as_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a.npy")).unwrap();
        std::fs::write(folder.path().join("a.npy/x"), b"x").unwrap();
        let tensor = Tensor { name: String::new(), shape: vec![1], values: Values::I16(vec![1]) };
        run(folder.path(), "a.jpg", &[tensor]).unwrap_err();
        assert_eq!(files(folder.path()), ["a.npy/x"]);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plain"), b"").unwrap();
        let tensor = Tensor { name: String::new(), shape: vec![1], values: Values::I16(vec![1]) };
        run(folder.path(), "a.jpg", &[tensor]).unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a.npy"), mode("plain"));
    }
}
