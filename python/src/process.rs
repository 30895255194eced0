//! What an extractor keeps between calls, apart for every process.
//!
//! An extractor has locks inside (its maps, the buffers kept here). A process that is forked while another thread holds one
//! would wait for it forever, so a child takes nothing over: it makes its own state, in a list that has one element a
//! process on the way from the first to this one. Looking it up takes no lock.

use std::sync::{Mutex, OnceLock, PoisonError};

use jpegdct::corpus::{Buffers, Convert, Input, Maker, Passage};
use jpegdct::reencode::Reencoder;
use jpegdct::{DecodeOptions, Extraction, Recipe, RecipeError, Result, TensorMut};

use crate::source::Feed;

/// The state of one process.
pub struct Process {
    id: u32,
    extractor: jpegdct::Extractor,
    reencoder: Option<Reencoder>,
    buffers: Mutex<Vec<Buffers>>,
    child: OnceLock<Box<Process>>,
}

impl Process {
    /// The state of this process.
    pub fn new(recipe: Recipe, options: DecodeOptions, reencoder: Option<Reencoder>) -> Result<Process, RecipeError> {
        Ok(Process {
            id: std::process::id(),
            extractor: jpegdct::Extractor::new(recipe, options)?,
            reencoder,
            buffers: Mutex::default(),
            child: OnceLock::new(),
        })
    }

    /// The state of the process that asks.
    pub fn current(&self) -> Result<&Process, RecipeError> {
        let id = std::process::id();
        let mut process = self;
        while process.id != id {
            if process.child.get().is_none() {
                let extractor = &self.extractor;
                let made = Process::new(extractor.recipe().clone(), *extractor.options(), self.reencoder)?;
                // Another thread may have been first.
                let _ = process.child.set(Box::new(made));
            }
            match process.child.get() {
                Some(child) => process = child,
                None => break,
            }
        }
        Ok(process)
    }

    /// The extractor.
    pub fn extractor(&self) -> &jpegdct::Extractor {
        &self.extractor
    }

    /// How images that are no JPEG are re-encoded.
    pub fn reencoder(&self) -> Option<&Reencoder> {
        self.reencoder.as_ref()
    }

    /// Buffers for one thread. They come back with [`Process::give`].
    pub fn take(&self) -> Buffers {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps buffers for the next call.
    pub fn give(&self, buffers: Buffers) {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
    }

    /// The tensors of one image, in `memory` if there is some. Without a key a path is its own, as in the command, and
    /// bytes have none.
    pub fn extract(
        &self,
        feed: Feed<'_>,
        key: Option<&str>,
        buffers: &mut Buffers,
        passage: &mut Passage,
        memory: Option<TensorMut<'_>>,
    ) -> Result<Extraction> {
        let convert = self.reencoder.as_ref().map(|reencoder| reencoder as &dyn Convert);
        let maker = Maker { extractor: &self.extractor, convert, limits: self.extractor.options().limits };
        match feed {
            Feed::Bytes(bytes) => maker.extract_bytes(bytes, key.unwrap_or_default(), buffers, passage, memory),
            Feed::Path(path) => maker.extract(&Input::file(path), key, buffers, passage, memory),
        }
    }
}
