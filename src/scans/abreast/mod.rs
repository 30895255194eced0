//! All scans of a progressive Huffman image at once, band by band, on one thread or several.
//!
//! What enters: a file that stands at its first scan. What leaves: its tiles, and how far they go: to the end of a sound image.
//! A file that is not sound is left to [`super::progressive`], with the rows that were handed on before that showed; they
//! are what it would have made of them, since nothing that comes behind a row changes it.
//!
//! A band is some MCU rows. Each scan has its own place in the file, and decodes the band when those scans that it builds on
//! have done so: the AC scans of a component one after the other, in the order of the file, and the DC scans likewise. Then
//! the band leaves as a tile, and its memory is the next one's. So coefficients are brought together in the cache, and memory
//! does not grow with the height of the image. With several threads there are more bands than one, and each thread takes, of
//! all that can be done next, what is in the uppermost band.

mod band;
mod lanes;
mod plan;

use std::sync::atomic::AtomicUsize;
use std::sync::{Condvar, Mutex, PoisonError};

use super::DecodeOptions;
use super::assembly::Assembly;
use super::coders::TableCache;
use super::crew::{Crew, is_dense};
use super::needed::Needed;
use super::tile::{Block, Demand, TileConsumer};
use crate::entropy::Window;
use crate::error::Result;
use crate::markers::{ImageInfo, Parser, ScanHeader};
use band::{Band, Shape};
use lanes::{Job, Lane, State};
use plan::plan;

/// Memory of one image after another.
#[derive(Debug, Default)]
pub(super) struct Memory {
    windows: Vec<Window>,
    bands: Vec<Band>,
    tile: Vec<Block>,
}

/// How far an image was handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// To its end, with so many scans.
    End(u32),
    /// To this MCU row. It has none if the consumer was not begun.
    Row(Option<u32>),
}

/// From so many bytes of a file on, several threads gain. None where checks are on, so that tests share small files.
const SHARED_BYTES: usize = if cfg!(debug_assertions) { 1 } else { 1 << 16 };

/// Decodes an image. `parser` must have handed out the first scan, and stands behind the last one afterwards, if that is
/// reached; `info` then has all quantisation tables.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory), and those of the consumer.
pub(super) fn decode_abreast(
    parser: &mut Parser<'_>,
    info: &mut ImageInfo,
    first: &ScanHeader,
    demand: &Demand,
    options: &DecodeOptions,
    (crew, memory, cache): (&mut Crew, &mut Memory, &mut TableCache),
    consumer: &mut impl TileConsumer,
) -> Result<Reached> {
    let needed = Needed::of(parser, &info.frame, first, demand, options.limits.scans);
    let Some(planned) = plan(parser, info, first.clone(), &needed, cache, &options.limits) else {
        return Ok(Reached::Row(None));
    };
    let (frame, scans) = (&info.frame, planned.len() as u32);
    let shape = Shape::new(frame, &needed);
    let bytes = parser.data.len();
    let is_shared = cfg!(feature = "threads") && bytes >= SHARED_BYTES && is_dense(bytes, frame.block_count() as usize);
    let threads = if is_shared { options.threads } else { 1 };
    let count = if threads > 1 { shape.at_once } else { 1 };
    let Memory { windows, bands, tile } = memory;
    bands.resize_with(bands.len().max(count as usize), Band::default);
    for band in &mut bands[..count as usize] {
        band.make_ready(&shape)?;
    }
    let assembly = Assembly::new(frame, shape.mcu_rows, tile)?;
    windows.resize_with(windows.len().max(planned.len()), Window::default);
    consumer.begin(info)?;
    let mut lanes: Vec<Lane<'_>> = Vec::with_capacity(planned.len());
    for (scan, window) in planned.into_iter().zip(windows) {
        let (component, end) = ((scan.header.ss > 0).then(|| scan.header.components[0].component), scan.end);
        let follows = lanes.iter().rposition(|lane| lane.component == component);
        let walk = Mutex::new(scan.begin(parser.data, frame, window));
        lanes.push(Lane { walk, component, follows, end });
    }
    let job = Job {
        frame,
        shape: &shape,
        wanted: demand.mcu_rows.clone(),
        bands: &bands[..count as usize],
        state: Mutex::new(State::new(lanes.len(), shape.count)),
        lanes,
        tiles: Mutex::new((assembly, consumer)),
        changes: AtomicUsize::new(0),
        changed: Condvar::new(),
    };
    crew.run(threads, || job.work());
    let State { handed_on, outcome, .. } = job.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome?;
    Ok(if handed_on == shape.count { Reached::End(scans) } else { Reached::Row(Some(handed_on * shape.mcu_rows)) })
}
