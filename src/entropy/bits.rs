//! Bits of one entropy-coded segment.
//!
//! What enters: the bytes of the file from the segment's start. What leaves: bits, most significant first, without the
//! zero bytes stuffed after 0xff (T.81 B.1.1.5). The segment ends at the first marker; past its end there are zero
//! bits, and the reader knows that it went there. The bytes are unstuffed in bulk into a window, so that refilling is an
//! unconditional 8-byte load.

use super::segment::{Escape, SegmentReader};
use crate::markers::{Marker, extraneous_bytes, find_marker};

/// Bytes that a window can hold; a power of two, so that a masked index is always inside.
const SIZE: usize = 1 << 14;

/// Zero bytes behind the last byte of a segment, and the least number of bytes that are ready at the start of an MCU: an
/// MCU has at most 10 blocks of 64 codes of at most 17 + 16 bits, 2640 bytes, and a refill looks 8 bytes ahead.
const RESERVE: usize = 2720;

/// A window is filled up to here: the zeros of the reserve fit behind.
const FULL: usize = SIZE - RESERVE;

/// Unstuffed bytes, and 8 more so that a load at any masked index is inside.
pub(super) type WindowBytes = [u8; SIZE + 8];

/// The buffer of a [`BitReader`], reused from segment to segment.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Box<WindowBytes>,
}

impl Default for Window {
    fn default() -> Self {
        Window { bytes: Box::new([0; SIZE + 8]) }
    }
}

/// Where decoding stands in a window: a value, so that a hot loop keeps it in registers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    /// Unread bits, most significant first; below them anything the last load left there.
    pub bits: u64,
    /// How many bits of `bits` count.
    pub count: u32,
    /// Next byte of the window to load.
    pub next: usize,
}

impl Cursor {
    /// Tops up to at least 56 bits.
    #[inline(always)]
    pub fn refill(&mut self, window: &WindowBytes) {
        let at = self.next & (SIZE - 1);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&window[at..at + 8]);
        self.bits |= u64::from_be_bytes(bytes) >> (self.count & 63);
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// Skips `n` bits, fewer than 64 and at most `count`.
    #[inline(always)]
    pub fn skip(&mut self, n: u32) {
        self.bits <<= n & 63;
        self.count = self.count.wrapping_sub(n);
    }

    /// How many bits of the window are read; `None` if the next one is from before it.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub fn bit(self) -> Option<u64> {
        (8 * self.next as u64).checked_sub(self.count.into())
    }

    /// At a bit of the window, with at least 56 bits loaded.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub fn at(window: &WindowBytes, bit: u64) -> Cursor {
        let mut cursor = Cursor { bits: 0, count: 0, next: (bit / 8) as usize };
        cursor.refill(window);
        cursor.skip((bit % 8) as u32);
        cursor.refill(window);
        cursor
    }

    /// The cursor `n` bits before this one; `None` before the first byte of the window.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub fn back(self, window: &WindowBytes, n: usize) -> Option<Cursor> {
        let bit = (8 * self.next).checked_sub(self.count as usize + n)?;
        let (byte, skipped) = (bit / 8, bit as u32 % 8);
        let bits = u64::from(window[byte & (SIZE - 1)]) << 56 << skipped;
        Some(Cursor { bits, count: 8 - skipped, next: byte + 1 })
    }

    /// Number of whole bytes of the window that were begun to be read.
    fn byte(&self) -> usize {
        self.next - (self.count / 8) as usize
    }
}

/// A place in a window, see [`BitReader::save`].
#[cfg(feature = "threads")]
pub(crate) struct Saved(Cursor);

/// A byte of the window whose offset in the file is known.
#[derive(Debug, Clone, Copy, Default)]
struct Anchor {
    /// Index of an unstuffed byte, counted from the start of the segment.
    index: usize,
    /// Its offset in the file.
    raw: usize,
}

/// Reads the bits of one entropy-coded segment.
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    window: &'a mut WindowBytes,
    /// Bytes of the window that hold segment data.
    filled: usize,
    cursor: Cursor,
    /// Unstuffed bytes of the segment before the window's first.
    slid: usize,
    /// Where the last two fillings began; the reader is never before the older one.
    anchors: [Anchor; 2],
    /// Offset in `data` of the next byte to unstuff.
    raw: usize,
    /// Where the segment ends, once that is known: the marker's second byte, 0 for the end of the data.
    end: Option<Marker>,
}

impl<'a> BitReader<'a> {
    /// Starts at offset `start` of `data`.
    pub fn new(data: &'a [u8], start: usize, window: &'a mut Window) -> BitReader<'a> {
        let mut reader = BitReader {
            data,
            window: &mut window.bytes,
            filled: 0,
            cursor: Cursor::default(),
            slid: 0,
            anchors: [Anchor::default(); 2],
            raw: start,
            end: None,
        };
        reader.restart(start);
        reader
    }

    /// Moves the unread bytes to the front of the window and unstuffs more behind them.
    fn slide(&mut self) {
        // Whole bytes still in `bits` go back, so that loading goes on at a byte.
        let first = self.cursor.byte();
        self.window.copy_within(first..self.filled, 0);
        self.filled -= first;
        self.slid += first;
        self.cursor.next = 0;
        self.cursor.count %= 8;
        // The bits kept (fewer than 8) stay at the top; the rest is loaded again.
        self.cursor.bits &= !(u64::MAX >> self.cursor.count);
        self.anchors = [self.anchors[1], Anchor { index: self.slid + self.filled, raw: self.raw }];
        while self.end.is_none() && self.filled < FULL {
            self.unstuff_run();
        }
        if self.end.is_some() {
            self.window[self.filled..][..RESERVE].fill(0);
        }
    }

    /// Copies bytes up to the next 0xff or until the window is full, and deals with that 0xff.
    fn unstuff_run(&mut self) {
        let space = FULL - self.filled;
        let source = &self.data[self.raw..];
        let source = &source[..source.len().min(space)];
        let run = copy_plain(source, &mut self.window[self.filled..]);
        self.filled += run;
        self.raw += run;
        if run == space {
            return;
        }
        match Escape::parse(self.data, self.raw) {
            Escape::Data(next) => {
                self.window[self.filled] = 0xff;
                self.filled += 1;
                self.raw = next;
            }
            Escape::End(marker) => self.end = Some(marker),
        }
    }

    /// Unstuffs all there is, window by window, and reads none of it. Returns how many bytes it is.
    #[cfg(feature = "bench")]
    pub fn pass_over(&mut self) -> usize {
        while self.end.is_none() {
            (self.cursor.next, self.cursor.count) = (self.filled, 0);
            self.slide();
        }
        self.slid + self.filled
    }

    /// Tops up to at least 56 bits.
    #[inline]
    pub fn refill(&mut self) {
        self.cursor.refill(self.window);
    }

    /// The next 16 bits, without reading them. Needs a [`BitReader::refill`] within the last 40 bits read.
    #[inline]
    pub fn peek16(&self) -> u32 {
        (self.cursor.bits >> 48) as u32
    }

    /// Skips up to 17 bits.
    #[inline]
    pub fn skip(&mut self, n: u32) {
        self.cursor.skip(n);
    }

    /// Reads 0..=16 bits as a number.
    #[inline]
    pub fn read(&mut self, n: u32) -> u32 {
        let value = (self.cursor.bits >> 1 >> (63 - n)) as u32;
        self.skip(n);
        value
    }

    /// Reads `size` (0..=16) bits as a signed value (T.81 F.2.2.1, EXTEND): a leading 0 means negative.
    #[inline]
    pub fn read_extended(&mut self, size: u32) -> i32 {
        let value = self.read(size) as i32;
        // For size 0 the value is 0 and the correction is too.
        if value < 1 << size >> 1 { value - ((1 << size) - 1) } else { value }
    }

    /// Whether fewer than 8 bits are left in the segment.
    #[cfg(test)]
    pub fn is_finished(&self) -> bool {
        self.end.is_some() && 8 * self.filled + (self.cursor.count as usize) < 8 * self.cursor.next + 8
    }

    /// Where decoding stands, and the window it stands in.
    pub(super) fn cursor(&mut self) -> (&mut Cursor, &WindowBytes) {
        (&mut self.cursor, self.window)
    }

    /// What of the window may be decoded.
    pub(super) fn bounds(&self) -> Bounds {
        match self.end {
            Some(_) => Bounds {
                last_start: self.filled + 8,
                bits: 8 * self.filled,
                filled: self.filled,
                readable: self.filled + RESERVE,
            },
            None => Bounds {
                last_start: self.filled - RESERVE.min(self.filled),
                bits: usize::MAX,
                filled: self.filled,
                readable: self.filled,
            },
        }
    }

    /// Where the next bit stands in the data, counted in bits.
    #[cfg(feature = "threads")]
    pub fn position(&self) -> u64 {
        // The byte that a bit kept from before the window is in was in it.
        let bit = 8 * (self.slid + self.cursor.next) - self.cursor.count as usize;
        8 * self.offset_in_segment(bit / 8) as u64 + bit as u64 % 8
    }

    /// Goes on at a [`BitReader::position`] of this segment or another one.
    #[cfg(feature = "threads")]
    pub fn go_to(&mut self, position: u64) {
        self.restart((position / 8) as usize);
        self.refill();
        self.skip((position % 8) as u32);
    }

    /// Where the reader stands, to go back to before the next [`SegmentReader::prepare`].
    #[cfg(feature = "threads")]
    pub fn save(&self) -> Saved {
        Saved(self.cursor)
    }

    /// Goes back.
    #[cfg(feature = "threads")]
    pub fn reset(&mut self, saved: Saved) {
        self.cursor = saved.0;
    }

    /// Offset in the data of byte `index` of the window.
    fn offset_of(&self, index: usize) -> usize {
        self.offset_in_segment(self.slid + index)
    }

    /// Offset in the data of unstuffed byte `index` of the segment: walks the stuffing again, from where a filling began.
    fn offset_in_segment(&self, index: usize) -> usize {
        let index = index.min(self.slid + self.filled);
        let [older, newer] = self.anchors;
        let anchor = if index < newer.index { older } else { newer };
        let (mut at, mut left) = (anchor.raw, index - anchor.index);
        loop {
            // No byte takes less than one.
            let run = plain_run(&self.data[at..at + left]);
            at += run;
            left -= run;
            if left == 0 {
                return at;
            }
            while self.data[at] == 0xff {
                at += 1;
            }
            at += 1;
            left -= 1;
        }
    }
}

/// What of a window may be decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// An MCU may start while the next byte to load is at most this one.
    pub last_start: usize,
    /// Bits that the window has before the end of the segment.
    pub bits: usize,
    /// Bytes that the window has; behind them is room for the bytes of an MCU.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub filled: usize,
    /// The same with the zeros behind the end of the segment.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub readable: usize,
}

impl Bounds {
    /// How many times `bytes` bytes may be read from a bit of the window on, with what a load looks ahead, before byte `end`.
    #[cfg_attr(any(not(target_arch = "x86_64"), feature = "safe"), allow(dead_code))]
    pub fn room(bit: u64, bytes: usize, end: usize) -> usize {
        end.saturating_sub(8 + bit as usize / 8) / bytes
    }

    /// Whether more bits were read than there are. Bits kept from before the window count too: what was read may be less
    /// than nothing of it.
    #[inline(always)]
    pub fn are_exceeded(&self, at: Cursor) -> bool {
        8 * at.next > self.bits.saturating_add(at.count as usize)
    }
}

/// Copies the bytes before the first 0xff; returns how many. Behind them `target` may be overwritten up to the length of
/// `source`.
fn copy_plain(source: &[u8], target: &mut [u8]) -> usize {
    const CHUNK: usize = 32;
    let mut run = 0;
    // Whole chunks are copied before they are looked at.
    while let Some(chunk) = source[run..].first_chunk::<CHUNK>() {
        target[run..run + CHUNK].copy_from_slice(chunk);
        if let Some(place) = first_ff(chunk) {
            return run + place;
        }
        run += CHUNK;
    }
    for (from, to) in source[run..].iter().zip(&mut target[run..]) {
        if *from == 0xff {
            break;
        }
        *to = *from;
        run += 1;
    }
    run
}

/// How many bytes stand before the first 0xff.
fn plain_run(source: &[u8]) -> usize {
    let mut run = 0;
    while let Some(chunk) = source[run..].first_chunk::<32>() {
        if let Some(place) = first_ff(chunk) {
            return run + place;
        }
        run += chunk.len();
    }
    run + source[run..].iter().take_while(|&&byte| byte != 0xff).count()
}

/// Place of the first 0xff in a chunk, if there is one.
#[inline]
fn first_ff(chunk: &[u8; 32]) -> Option<usize> {
    // No early exit: this is a vector comparison.
    if !chunk.iter().fold(false, |any, &byte| any | (byte == 0xff)) {
        return None;
    }
    let (words, _) = chunk.as_chunks::<8>();
    for (i, &word) in words.iter().enumerate() {
        let inverted = !u64::from_le_bytes(word);
        // The lowest set high bit marks the first zero byte of `inverted`.
        let zeros = inverted.wrapping_sub(0x0101_0101_0101_0101) & !inverted & 0x8080_8080_8080_8080;
        if zeros != 0 {
            return Some(8 * i + zeros.trailing_zeros() as usize / 8);
        }
    }
    None
}

/// The first `63 - shift` bits of `bits` as a signed value (T.81 F.2.2.1, EXTEND).
#[inline(always)]
pub(super) fn extend(bits: u64, shift: u32) -> i32 {
    // All ones where a leading 0 means negative.
    let negative = !((bits as i64) >> 63);
    let magnitude = ((bits ^ negative as u64) >> 1 >> (shift & 63)) as i32;
    (magnitude ^ negative as i32) - negative as i32
}

impl SegmentReader for BitReader<'_> {
    const MAY_END_EARLY: bool = false;

    /// Starts a new segment at offset `start`.
    fn restart(&mut self, start: usize) {
        self.cursor = Cursor::default();
        (self.filled, self.slid, self.raw, self.end) = (0, 0, start, None);
        self.slide();
    }

    /// Makes sure that the bits of one MCU can be loaded. To be called before each MCU.
    #[inline]
    fn prepare(&mut self) {
        if self.end.is_none() && self.filled - self.cursor.next < RESERVE {
            self.slide();
        }
        // Past the end there is nothing but zeros: stay there.
        self.cursor.next = self.cursor.next.min(self.filled + 8);
    }

    /// Whether more bits were read than the segment has.
    #[inline]
    fn is_exhausted(&self) -> bool {
        self.end.is_some() && 8 * self.cursor.next > 8 * self.filled + self.cursor.count as usize
    }

    /// Where the segment ends. The marker's code is 0 at the end of the data.
    fn find_end(&self) -> Marker {
        let end = self.end.or_else(|| find_marker(self.data, self.raw));
        end.unwrap_or(Marker { code: 0, offset: self.data.len() })
    }

    /// Offset in the data of the next bit's byte.
    fn offset(&self) -> usize {
        self.offset_of(self.cursor.byte())
    }

    /// Bytes of the segment, as they stand in the file, of which no bit was read, up to its marker at `end`.
    fn unread_bytes(&self, end: usize) -> u32 {
        if self.end.is_some() && self.cursor.byte() >= self.filled {
            return 0;
        }
        let start = self.offset();
        if start >= end { 0 } else { extraneous_bytes(self.data, start, end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(data: &[u8], step: u32) -> (Vec<u8>, Marker) {
        let mut window = Window::default();
        let mut reader = BitReader::new(data, 0, &mut window);
        let (mut out, mut pending, mut held) = (Vec::new(), 0u32, 0);
        while !reader.is_finished() {
            reader.prepare();
            reader.refill();
            pending = pending << step | reader.read(step);
            held += step;
            while held >= 8 {
                held -= 8;
                out.push((pending >> held) as u8);
            }
        }
        (out, reader.find_end())
    }

    #[test]
    fn stuffing_fill_bytes_and_markers() {
        let data = [0x12, 0xff, 0x00, 0x34, 0xff, 0xff, 0x00, 0x56, 0xff, 0xff, 0xd9, 0x77];
        let (bytes, end) = read_all(&data, 8);
        assert_eq!(bytes, [0x12, 0xff, 0x34, 0xff, 0x56]);
        assert_eq!(end, Marker { code: 0xd9, offset: 9 });
    }

    #[test]
    fn long_segments_slide_through_the_window() {
        // A fixed sequence with plenty of 0xff, longer than a window.
        let (length, steps) = if cfg!(miri) { (17_000, &[13, 16][..]) } else { (50_000, &[1, 3, 8, 13, 16][..]) };
        let plain: Vec<u8> =
            (0..length).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 23) as u8 | (i % 3) as u8).collect();
        let mut stuffed = Vec::new();
        for &byte in &plain {
            stuffed.push(byte);
            if byte == 0xff {
                stuffed.push(0);
            }
        }
        for &step in steps {
            let (bytes, end) = read_all(&stuffed, step);
            assert_eq!(bytes[..], plain[..bytes.len()]);
            assert!(plain.len() - bytes.len() < 3, "step {step}: {} bytes missing", plain.len() - bytes.len());
            assert_eq!(end, Marker { code: 0, offset: stuffed.len() });
        }
    }

    #[test]
    fn past_the_end_there_are_zeros() {
        let mut window = Window::default();
        let mut reader = BitReader::new(&[0xab, 0xff, 0xd9], 0, &mut window);
        reader.prepare();
        reader.refill();
        assert_eq!(reader.read(12), 0xab0);
        assert!(reader.is_exhausted());
        for _ in 0..if cfg!(miri) { 2000 } else { 10_000 } {
            reader.prepare();
            reader.refill();
            assert_eq!(reader.read(16), 0);
        }
        assert_eq!(reader.offset(), 1);
    }

    #[test]
    fn extended_values() {
        for (size, bits, value) in [(1, 0, -1), (1, 1, 1), (2, 0, -3), (2, 2, 2), (3, 3, -4), (15, 0, -32767)] {
            let word = ((bits as u16) << (16 - size)).to_be_bytes();
            let mut window = Window::default();
            let mut reader = BitReader::new(&word, 0, &mut window);
            reader.refill();
            assert_eq!(reader.read_extended(size), value);
        }
    }
}
