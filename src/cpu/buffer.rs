//! Buffers that begin on a cache line, and so does every group of 16 numbers in them.

use super::LANES;

/// Numbers that begin on a cache line.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// With slack in front.
    values: Vec<f32>,
    start: usize,
}

/// Bytes of a cache line.
const LINE: usize = 64;

impl Buffer {
    /// At least `len` numbers. They are what they were, as long as there are enough; more are zeros, and then all are at
    /// other places.
    pub fn reserve(&mut self, len: usize) {
        if self.values.len() < self.start + len {
            self.values = vec![0.0; len + LINE / size_of::<f32>()];
            // An allocation that cannot tell gives `usize::MAX`.
            let offset = self.values.as_ptr().align_offset(LINE);
            self.start = if offset < LANES { offset } else { 0 };
        }
    }

    /// The numbers.
    pub fn get(&self) -> &[f32] {
        &self.values[self.start..]
    }

    /// The numbers.
    pub fn get_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}

/// An array on the stack that begins on a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Aligned<T>(pub T);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_on_a_line_and_keep_what_they_hold() {
        let mut buffer = Buffer::default();
        for len in [5, 1000, 40, 10_000] {
            buffer.reserve(len);
            assert!(buffer.get().len() >= len);
            assert_eq!(buffer.get().as_ptr().align_offset(LINE), 0);
        }
        buffer.get_mut()[39] = 7.0;
        buffer.reserve(40);
        assert_eq!(buffer.get()[39], 7.0);
    }
}
