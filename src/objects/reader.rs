//! An object as a file that is read from place to place.

use std::io::{self, Read, Seek, SeekFrom};

use super::Client;

/// Bytes that are asked for at once: an archive's headers lie tens of kilobytes apart, so this many hold dozens.
const BLOCK: u64 = 4 << 20;

/// Reads an object block by block.
#[derive(Debug)]
pub struct ObjectReader {
    client: Client,
    size: u64,
    at: u64,
    block: Vec<u8>,
    block_at: u64,
}

impl ObjectReader {
    /// An object of so many bytes, from its start.
    pub fn new(client: Client, size: u64) -> ObjectReader {
        ObjectReader { client, size, at: 0, block: Vec::new(), block_at: 0 }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let within = self.at.checked_sub(self.block_at).and_then(|within| usize::try_from(within).ok());
        let within = match within.filter(|&within| within < self.block.len()) {
            Some(within) => within,
            None => {
                let end = self.at.saturating_add(BLOCK).min(self.size);
                self.block = self.client.start(Some(self.at..end))?.wait()?;
                self.block_at = self.at;
                if self.block.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                0
            }
        };
        let found = &self.block[within..];
        let count = found.len().min(buffer.len());
        buffer[..count].copy_from_slice(&found[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
