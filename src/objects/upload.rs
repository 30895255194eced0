//! Files to objects, several at a time.

use std::io::{self, Read};
use std::path::PathBuf;

use object_store::{ObjectStoreExt, WriteMultipart};
use tokio::task::JoinSet;

use super::Client;
use super::store::{io_error, runtime};

/// Uploads under way, and the bytes they may hold in memory together.
const AT_ONCE: usize = 32;
const BYTES: u64 = 256 << 20;

/// A file above this is sent in parts of this size; so many of them at once.
const PART: usize = 8 << 20;
const PARTS: usize = 4;

/// Sends files to a store. Who adds one waits only while too many are under way.
#[derive(Debug)]
pub struct Uploads {
    target: Client,
    running: JoinSet<Result<u64, io::Error>>,
    bytes: u64,
    /// Once one has failed nothing more is sent.
    failed: Option<(io::ErrorKind, String)>,
}

impl Uploads {
    /// Sends to places below `target`.
    pub fn new(target: Client) -> Uploads {
        Uploads { target, running: JoinSet::new(), bytes: 0, failed: None }
    }

    /// The place they are sent below.
    pub fn target(&self) -> &Client {
        &self.target
    }

    /// Sends a file to the place `name`, then removes it.
    ///
    /// # Errors
    /// Those of files sent before.
    pub fn add(&mut self, name: &str, file: PathBuf) -> io::Result<()> {
        let size = file.metadata()?.len();
        let held = size.min((PART * PARTS) as u64);
        while self.running.len() >= AT_ONCE || self.bytes > 0 && self.bytes + held > BYTES {
            self.wait_for_one()?;
        }
        self.check()?;
        let target = self.target.below(name);
        self.bytes += held;
        let send = async move {
            send(&target, &file, size).await?;
            std::fs::remove_file(&file)?;
            Ok(held)
        };
        self.running.spawn_on(send, runtime()?.handle());
        Ok(())
    }

    /// Waits for all.
    ///
    /// # Errors
    /// That of the first that failed.
    pub fn finish(&mut self) -> io::Result<()> {
        while !self.running.is_empty() {
            self.wait_for_one()?;
        }
        self.check()
    }

    fn wait_for_one(&mut self) -> io::Result<()> {
        match runtime()?.block_on(self.running.join_next()) {
            Some(Ok(Ok(held))) => self.bytes -= held,
            Some(Ok(Err(error))) => self.failed = Some((error.kind(), error.to_string())),
            Some(Err(error)) => self.failed = Some((io::ErrorKind::Other, error.to_string())),
            None => {}
        }
        self.check()
    }

    fn check(&self) -> io::Result<()> {
        self.failed.as_ref().map_or(Ok(()), |(kind, text)| Err(io::Error::new(*kind, text.clone())))
    }
}

async fn send(target: &Client, path: &std::path::Path, size: u64) -> io::Result<()> {
    if size <= PART as u64 || target.is_http {
        let bytes = std::fs::read(path)?;
        return target.store.put(&target.key, bytes.into()).await.map(drop).map_err(io_error);
    }
    let mut file = std::fs::File::open(path)?;
    let upload = target.store.put_multipart(&target.key).await.map_err(io_error)?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
    let mut part = vec![0; PART];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            break;
        }
        if let Err(error) = writer.wait_for_capacity(PARTS).await {
            // What was sent of it would be kept, and paid for. If that fails too, the first error is the one to tell.
            let _ = writer.abort().await;
            return Err(io_error(error));
        }
        writer.write(&part[..read]);
    }
    writer.finish().await.map(drop).map_err(io_error)
}
