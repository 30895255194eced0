//! How a scan is cut into pieces, and a piece decoded by itself.
//!
//! What enters: a scan, a number. What leaves: the MCUs of that piece, as far as they are sound, and where the first ones
//! begin.

use smallvec::SmallVec;

use crate::entropy::{BitReader, Flaws, SLACK, SegmentReader, Window};
use crate::limits::{Limits, zero};
use crate::markers::{Marker, end_of_scan, find_marker};
use crate::scans::coders::{Coder, Sequential};
use crate::scans::crew::is_dense;
use crate::scans::restart::{Segments, Standing};
use crate::scans::stream::{Tiles, decode_exactly};
use crate::scans::tile::Block;
use crate::spec::marker::{RST0, RST7};

/// Blocks of a piece, on average: 2.6 megabytes. What two pieces share is copied, and half a tile of a large image is 100 kB.
const PIECE_BLOCKS: usize = 20480;

/// A piece has at most so many times the blocks of an average one. What does not fit is left to who takes it.
const FULLEST: usize = 4;

/// The most blocks of any piece: 8 megabytes.
const MOST_BLOCKS: usize = 1 << 16;

/// The least bytes of a piece: falling into step takes some of it. Less where checks are on, so that tests cut small files.
const PIECE_BYTES: usize = if cfg!(debug_assertions) { 32 } else { 4096 };

/// The least bytes of a scan, without restart markers and with them: less is decoded before another thread is awake and has
/// fallen into step. None where checks are on.
const SCAN_BYTES: [usize; 2] = if cfg!(debug_assertions) { [1, 1] } else { [1 << 17, 1 << 16] };

/// MCUs at the start of a piece among which are some of which it is known where they begin: the first ones, and then one in
/// every few.
const MARKED: usize = 40;
const MARKED_ALL: usize = 8;
const MARKED_STEP: usize = 4;

/// MCUs that are not sound, after which a piece that has not fallen into step is given up.
const TRIES: usize = 32;

/// A DC coefficient beyond this is none of a piece that has fallen into step.
const DC_BOUND: u32 = 1 << 13;

/// Where an MCU begins, and the DC predictions there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    /// Its number in the piece.
    pub mcu: usize,
    pub place: Standing,
    pub predictions: [i32; 4],
}

/// Consecutive MCUs.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub window: Window,
    /// Room for a tile, the MCUs, and slack.
    pub blocks: Vec<Block>,
    /// Number of MCUs.
    pub mcus: usize,
    /// Of the first MCUs.
    pub marks: Vec<Mark>,
    /// Behind the last MCU.
    pub end: Mark,
}

/// How a scan is cut.
pub(super) struct Cut<'a> {
    pub data: &'a [u8],
    /// A coder that has decoded nothing.
    pub coder: Sequential,
    /// Places in the scan of the blocks of an MCU.
    pub order: SmallVec<[u8; 10]>,
    /// Where the scan begins.
    pub begin: Standing,
    /// MCUs between restart markers; 0 if there are none in this scan.
    pub interval: u16,
    /// Bytes of a piece.
    pub bytes: usize,
    pub count: usize,
    /// MCUs of an average piece.
    pub average: usize,
    /// Blocks before the MCUs of a piece.
    pub front: usize,
    /// The most MCUs of a piece.
    pub most: usize,
}

impl<'a> Cut<'a> {
    /// `None` if the scan is too short, or of a kind that cannot be cut.
    pub fn new(
        data: &'a [u8],
        tiles: &Tiles<'_>,
        segments: &Segments<'a, BitReader<'a>>,
        coder: &Sequential,
        threads: usize,
        limits: &Limits,
    ) -> Option<Cut<'a>> {
        let (begin, order, total) = (segments.standing(), tiles.layout.order.clone(), tiles.total());
        let interval = if (begin.left as usize) < total { begin.left as u16 } else { 0 };
        let is_ambiguous = order.len() > 1 && interval == 0 && !coder.tells_components();
        if is_ambiguous || !coder.decodes_mcus() {
            return None;
        }
        let start = (begin.position / 8) as usize;
        let bytes = end_of_scan(data, start).offset - start;
        let blocks = total * order.len();
        let least = SCAN_BYTES[usize::from(interval > 0)].max(2 * PIECE_BYTES);
        if bytes < least || !is_dense(bytes, blocks) {
            return None;
        }
        // Not so large that threads wait for the last one.
        let average = PIECE_BLOCKS.min(blocks / (8 * threads)).max(1);
        let piece = (bytes as u64 * average as u64 / blocks as u64).max(PIECE_BYTES as u64) as usize;
        let average = average.max((blocks as u64 * piece as u64 / bytes as u64) as usize) / order.len();
        let most = (FULLEST * average).min(MOST_BLOCKS / order.len()) + MARKED;
        let front = tiles.mcus() * order.len();
        let memory = threads as u64 * (front + most * order.len() + SLACK) as u64 * size_of::<Block>() as u64;
        let count = bytes / piece;
        if count < 2 || memory > limits.memory {
            return None;
        }
        Some(Cut { data, coder: coder.clone(), order, begin, interval, bytes: piece, count, average, front, most })
    }

    /// Where a piece may begin first, and where the one before ends.
    pub fn start_of(&self, number: usize) -> usize {
        if number < self.count { (self.begin.position / 8) as usize + number * self.bytes } else { self.data.len() }
    }

    /// Decodes a piece.
    pub fn decode(&self, number: usize, piece: &mut Piece) {
        let Piece { window, blocks, mcus, marks, end } = piece;
        *mcus = 0;
        marks.clear();
        let (start, stop) = (self.start_of(number), self.start_of(number + 1));
        let place = match (number, self.interval) {
            (0, _) => self.begin,
            (_, 0) => Standing { position: 8 * start as u64, ..Standing::default() },
            (_, interval) => match find_marker(&self.data[..self.data.len().min(stop + 1)], start) {
                Some(Marker { code: code @ RST0..=RST7, offset }) if offset < stop => Standing {
                    position: 8 * (offset as u64 + 2),
                    left: interval.into(),
                    expected: (code - RST0 + 1) & 7,
                },
                _ => return,
            },
        };
        let size = self.order.len();
        let all = self.front + self.most * size + SLACK;
        if blocks.len() < all && zero(blocks, all).is_err() {
            return;
        }
        // With restart markers the piece goes up to the first one behind its bytes.
        let data = if self.interval == 0 { &self.data[..stop] } else { self.data };
        let mut segments =
            Segments::new(data, BitReader::new(data, (place.position / 8) as usize, window), self.interval);
        segments.go_to(place);
        let mut coder = self.coder.clone();
        let is_guess = number > 0 && self.interval == 0;
        let mut tries = 0;
        marks.push(Mark { mcu: 0, place, predictions: coder.predictions });
        while *mcus < self.most {
            if let Some(marker) = segments.marker_ahead() {
                if marker.offset >= stop || !segments.pass_marker(marker) {
                    break;
                }
                coder.restart();
            }
            let is_first = is_guess && *mcus < MARKED;
            if is_first && *mcus > 0 {
                marks.push(Mark { mcu: *mcus, place: segments.standing(), predictions: coder.predictions });
            }
            let ahead = match *mcus {
                ..MARKED_ALL if is_first => 1,
                _ if is_first => MARKED_STEP,
                _ => self.most - *mcus,
            };
            let free = &mut blocks[self.front + *mcus * size..];
            let done = decode_sound(&mut segments, &mut coder, &self.order, free, ahead);
            let is_in_step = !is_first || coder.predictions.iter().all(|dc| dc.unsigned_abs() <= DC_BOUND);
            if done > 0 && is_in_step {
                *mcus += done;
                continue;
            }
            // It ends before this one, or it is not in step yet.
            *end = Mark { mcu: 0, place: segments.standing(), predictions: coder.predictions };
            tries += 1;
            if !is_first || done == 0 && !skip_unsound(&mut segments, &mut coder, &self.order) {
                return;
            }
            coder.restart();
            marks.clear();
            if tries == TRIES {
                return;
            }
            marks.push(Mark { mcu: 0, place: segments.standing(), predictions: coder.predictions });
            *mcus = 0;
        }
        *end = Mark { mcu: 0, place: segments.standing(), predictions: coder.predictions };
    }
}

/// Decodes MCUs that have nothing wrong with them, at most `most` and as many as `blocks` has place for, before the next
/// restart marker. If it is none, nothing has changed.
pub(super) fn decode_sound<'a>(
    segments: &mut Segments<'a, BitReader<'a>>,
    coder: &mut Sequential,
    order: &[u8],
    blocks: &mut [Block],
    most: usize,
) -> usize {
    let most = most.min(segments.mcus_in_segment() as usize).min((blocks.len() - SLACK) / order.len());
    if most == 0 {
        return 0;
    }
    segments.reader.prepare();
    let mut done = coder.decode_mcus(&mut segments.reader, order, &mut blocks[..most * order.len() + SLACK]);
    if done == 0 {
        // What is odd need not be wrong: a DC code of more bits than a look-up has.
        let (saved, predictions) = (segments.reader.save(), coder.predictions);
        decode_exactly(segments, coder, order, blocks);
        if segments.flaws.any() || segments.reader.is_exhausted() {
            segments.reader.reset(saved);
            segments.flaws = Flaws::default();
            coder.predictions = predictions;
            return 0;
        }
        done = 1;
    }
    segments.pass_over(done as u32);
    done
}

/// Goes past an MCU that is not sound. False at the end.
fn skip_unsound<'a>(segments: &mut Segments<'a, BitReader<'a>>, coder: &mut Sequential, order: &[u8]) -> bool {
    let mut lost = [[0; 64]; 16];
    segments.reader.prepare();
    decode_exactly(segments, coder, order, &mut lost);
    segments.flaws = Flaws::default();
    !segments.reader.is_exhausted()
}
