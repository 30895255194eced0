//! One image from its first byte to its last tile.

use std::ops::Range;

use smallvec::SmallVec;

use super::abreast::{self, Reached, decode_abreast};
use super::arithmetic::Arithmetic;
use super::coders::{Sequential, TableCache};
use super::collect::Planes;
use super::crew::Crew;
use super::needed::Needed;
#[cfg(feature = "corpus")]
use super::needed::Prefix;
use super::passes::{Progressive, check_progressive};
use super::progressive::{Memory, ProgressivePlanes};
use super::restart::Segments;
#[cfg(feature = "threads")]
use super::split::{SplitMemory, stream_split};
use super::stream::{Tiles, stream_scan};
use super::tile::{Block, Demand, TileConsumer};
use super::{Damage, DecodeOptions, Summary};
use crate::entropy::arithmetic::ArithmeticReader;
use crate::entropy::{BitReader, Window};
use crate::error::{Error, Malformed, Result, WarningKind};
use crate::limits::{LimitKind, Limits};
use crate::markers::{ColorModel, ImageInfo, Log, Parser, ScanComponent, ScanHeader};
use crate::spec::frame::{Frame, Process};

/// Coefficients up to this size are decoded for any header. Beyond, the file must be long enough to have them.
const UNCHECKED_BYTES: u64 = 64 << 20;

/// The most blocks a byte: the shortest Huffman code is one bit a block. Arithmetic coding has no such bound; photographs
/// are far from this one.
const HUFFMAN_BLOCKS: u64 = 8;
const ARITHMETIC_BLOCKS: u64 = 512;

/// Buffers that one image after another uses, so that decoding allocates nothing in steady state.
#[derive(Debug, Default)]
pub struct Scratch {
    window: Window,
    blocks: Vec<Block>,
    abreast: abreast::Memory,
    progressive: Memory,
    tables: TableCache,
    #[cfg(feature = "threads")]
    split: SplitMemory,
    crew: Crew,
}

/// Decodes an image and hands its tiles to `consumer`.
///
/// A sequential image in one scan is handed on while it is decoded, and so is a sound progressive Huffman image, all of whose
/// scans are found before and then decoded side by side. All others are collected first, which costs 2 bytes a coefficient
/// and, for progressive images, 8 % more. Of images in several scans, those that hold nothing of the consumer's
/// [`Demand`] are passed over, and nothing is read behind the scan that completes it; damage there is not seen.
///
/// # Errors
/// Those of the headers, of the limits, of damage if it is refused, and of the consumer.
pub fn decode_tiles(
    bytes: &[u8],
    options: &DecodeOptions,
    scratch: &mut Scratch,
    consumer: &mut impl TileConsumer,
) -> Result<Summary> {
    options.limits.check(LimitKind::FileBytes, bytes.len() as u64)?;
    let mut parser = Parser::new(bytes, options.damage == Damage::Refuse, &options.limits)?;
    let first = parser.next_scan()?.ok_or_else(|| Error::malformed(parser.position, Malformed::NoScan))?;
    let mut info = image_info(&mut parser, &first)?;
    options.limits.check(LimitKind::Pixels, u64::from(info.frame.width) * u64::from(info.frame.height))?;
    check_mcu(&info.frame, &first)?;
    check_length(&info.frame, bytes.len() as u64)?;
    let demand = consumer.demand(&info)?;
    let one_scan = !info.frame.process.is_progressive() && first.components.len() == info.frame.components.len();
    let mut image = Image { parser, scratch, options };
    let outcome = if one_scan {
        image.stream(&mut info, &first, &demand, consumer)
    } else {
        let memory = info.frame.block_count() * size_of::<Block>() as u64;
        options.limits.check(LimitKind::Memory, memory)?;
        match image.abreast(&mut info, &first, &demand, consumer)? {
            Reached::End(scans) => Ok((scans, image.parser.position, image.parser.into_warnings())),
            Reached::Row(row) => image.collect(&mut info, first, &demand, row, consumer),
        }
    }?;
    let (scans, bytes, warnings) = outcome;
    Ok(Summary { info, scans, bytes: bytes as u64, warnings })
}

/// Whether the first bytes of a file are enough for a consumer: what [`decode_tiles`] makes of them is what it makes of the
/// whole file. Nothing is decoded.
#[cfg(feature = "corpus")]
pub(crate) fn look_at_prefix(bytes: &[u8], options: &DecodeOptions, consumer: &mut impl TileConsumer) -> Prefix {
    let mut look = || {
        let mut parser = Parser::new(bytes, false, &options.limits)?;
        let Some(first) = parser.next_scan()? else { return Ok(Prefix::More) };
        let info = image_info(&mut parser, &first)?;
        if !info.frame.process.is_progressive() && first.components.len() == info.frame.components.len() {
            return Ok(Prefix::Whole);
        }
        let demand = consumer.demand(&info)?;
        Ok(Needed::of(&parser, &info.frame, &first, &demand, options.limits.scans).prefix(&parser))
    };
    match look() {
        Ok(prefix) => prefix,
        // Of headers that break off there is more.
        Err(Error::Malformed { .. }) => Prefix::More,
        Err(_) => Prefix::Whole,
    }
}

/// What the headers of a file say of its image; no scan is decoded. A file that breaks off or breaks T.81 after its frame
/// header is read as far as that: this is what is known of a file that [`decode_tiles`] refuses.
///
/// # Errors
/// Those of the headers, where no frame header was read.
pub fn read_headers(bytes: &[u8], limits: &Limits) -> Result<ImageInfo> {
    let mut parser = Parser::new(bytes, false, limits)?;
    match parser.next_scan() {
        Ok(Some(first)) => image_info(&mut parser, &first),
        Ok(None) => Err(Error::malformed(parser.position, Malformed::NoScan)),
        Err(error) => match parser.frame.as_ref().map(|frame| frame.height) {
            Some(height @ 1..) => info_of(&parser, height).ok_or(error),
            _ => Err(error),
        },
    }
}

/// What the headers up to the first scan say.
fn image_info(parser: &mut Parser<'_>, first: &ScanHeader) -> Result<ImageInfo> {
    let height = match parser.frame.as_ref().map(|frame| frame.height) {
        Some(0) => parser.deferred_height(first)?,
        Some(height) => height,
        None => 0,
    };
    info_of(parser, height).ok_or_else(|| Error::malformed(first.offset, Malformed::ScanBeforeFrame))
}

/// What was read so far, if a frame header was.
fn info_of(parser: &Parser<'_>, height: u16) -> Option<ImageInfo> {
    let header = parser.frame.as_ref()?;
    let frame = Frame::new(header.process, header.precision, header.width.into(), height.into(), &header.components);
    let ids: SmallVec<[u8; 4]> = frame.components.iter().map(|component| component.id).collect();
    Some(ImageInfo {
        color: ColorModel::decide(&ids, parser.app.jfif, parser.app.adobe_transform),
        orientation: parser.app.orientation.unwrap_or(1),
        restart_interval: parser.restart_interval,
        quant_tables: vec![None; frame.components.len()],
        frame,
    })
}

/// At most 10 blocks in an MCU of several components (T.81 B.2.3).
pub(super) fn check_mcu(frame: &Frame, scan: &ScanHeader) -> Result<()> {
    let blocks = |c: &ScanComponent| {
        let component = &frame.components[c.component];
        u32::from(component.h) * u32::from(component.v)
    };
    let total: u32 = scan.components.iter().map(blocks).sum();
    if scan.components.len() > 1 && total > 10 {
        return Err(Error::malformed(scan.offset, Malformed::McuSize(total)));
    }
    Ok(())
}

/// A header that claims what so few bytes cannot hold is refused before anything is made for it.
fn check_length(frame: &Frame, bytes: u64) -> Result<()> {
    let block = size_of::<Block>() as u64;
    let most = bytes.saturating_mul(if frame.process.is_arithmetic() { ARITHMETIC_BLOCKS } else { HUFFMAN_BLOCKS });
    let (found, limit) = (frame.block_count() * block, UNCHECKED_BYTES.max(most.saturating_mul(block)));
    if found > limit { Err(Error::Limit { kind: LimitKind::Memory, found, limit }) } else { Ok(()) }
}

/// An image whose headers are known.
struct Image<'a, 's> {
    parser: Parser<'a>,
    scratch: &'s mut Scratch,
    options: &'a DecodeOptions,
}

/// Scans decoded, how far the file was read, and all warnings.
type Outcome = (u32, usize, Vec<crate::Warning>);

impl<'a> Image<'a, '_> {
    fn stream(
        mut self,
        info: &mut ImageInfo,
        scan: &ScanHeader,
        demand: &Demand,
        consumer: &mut impl TileConsumer,
    ) -> Result<Outcome> {
        let parser = &mut self.parser;
        latch_quant_tables(parser, info, scan)?;
        let Parser { data, restart_interval, ref mut tables, ref mut log, .. } = *parser;
        let blocks = &mut self.scratch.blocks;
        let mut tiles = Tiles::new(&info.frame, scan, demand);
        let (end, is_whole) = if info.frame.process.is_arithmetic() {
            let coder = Arithmetic::new(scan, false, tables, log)?;
            consumer.begin(info)?;
            let segments = Segments::new(data, ArithmeticReader::new(data, scan.data), restart_interval);
            stream_scan(&mut tiles, 0, segments, coder, blocks, log, consumer)?
        } else {
            let coder = Sequential::new(scan, tables, &mut self.scratch.tables, log)?;
            consumer.begin(info)?;
            let bits = BitReader::new(data, scan.data, &mut self.scratch.window);
            let segments = Segments::new(data, bits, restart_interval);
            #[cfg(feature = "threads")]
            let (mut segments, mut coder) = (segments, coder);
            #[cfg(feature = "threads")]
            let done = match self.options.threads {
                ..2 => 0,
                threads => {
                    let how = (threads, &self.options.limits);
                    let with = (&mut self.scratch.crew, &mut self.scratch.split);
                    stream_split(data, &mut tiles, &mut segments, &mut coder, how, with, blocks, consumer)?
                }
            };
            #[cfg(not(feature = "threads"))]
            let done = 0;
            stream_scan(&mut tiles, done, segments, coder, blocks, log, consumer)?
        };
        self.parser.position = end;
        if !is_whole {
            return Ok((1, end, self.parser.into_warnings()));
        }
        // One scan had it all: another one has no place.
        match self.parser.next_scan() {
            Ok(None) => {}
            Ok(Some(extra)) => {
                let kind = Malformed::UnexpectedMarker(crate::spec::marker::SOS);
                self.parser.log.add(extra.offset, WarningKind::Malformed(kind))?;
            }
            Err(error) => keep(&mut self.parser.log, error)?,
        }
        Ok((1, self.parser.position, self.parser.into_warnings()))
    }

    /// All scans of a progressive Huffman image at once. Where that is not the end of it, the file stands at its first scan
    /// again.
    fn abreast(
        &mut self,
        info: &mut ImageInfo,
        first: &ScanHeader,
        demand: &Demand,
        consumer: &mut impl TileConsumer,
    ) -> Result<Reached> {
        if info.frame.process != Process::Progressive {
            return Ok(Reached::Row(None));
        }
        let Scratch { abreast, tables, crew, .. } = &mut *self.scratch;
        let with = (crew, abreast, tables);
        let reached = decode_abreast(&mut self.parser, info, first, demand, self.options, with, consumer)?;
        if let Reached::Row(_) = reached {
            let refuse_damage = self.options.damage == Damage::Refuse;
            self.parser = Parser::new(self.parser.data, refuse_damage, &self.options.limits)?;
            self.parser.next_scan()?;
            info.quant_tables.fill(None);
        }
        Ok(reached)
    }

    /// One scan after another. Rows before `row` were handed on, if there is one.
    fn collect(
        mut self,
        info: &mut ImageInfo,
        first: ScanHeader,
        demand: &Demand,
        row: Option<u32>,
        consumer: &mut impl TileConsumer,
    ) -> Result<Outcome> {
        let blocks = info.frame.block_count();
        let Scratch { window, blocks: buffer, progressive, tables, .. } = self.scratch;
        let needed = Needed::of(&self.parser, &info.frame, &first, demand, self.options.limits.scans);
        let mut planes = if info.frame.process == Process::Progressive {
            Collected::Progressive(ProgressivePlanes::new(&info.frame, &needed, progressive)?)
        } else {
            Collected::Whole(Planes::new(&info.frame, buffer)?)
        };
        let (mut found, mut scans, mut next) = (0, 0, Some(first));
        let mut ended_early = false;
        while let Some(scan) = next {
            self.options.limits.check(LimitKind::Scans, found + 1)?;
            self.options.limits.check_visits(planes.visited(), blocks, self.parser.data.len() as u64)?;
            let passed_over = needed.end_if_not(&scan);
            let end = match passed_over {
                None => planes.decode_scan(&mut self.parser, window, tables, info, &scan),
                Some(end) => planes.pass_over_scan(&mut self.parser, info, &scan).map(|()| end),
            };
            match end {
                Ok(end) => self.parser.position = end,
                // The first scan's header is part of the headers: nothing was decoded yet.
                Err(error) if found == 0 => return Err(error),
                Err(error) => {
                    keep(&mut self.parser.log, error)?;
                    break;
                }
            }
            found += 1;
            scans += u32::from(passed_over.is_none());
            if needed.ends_with(&scan) {
                ended_early = true;
                break;
            }
            next = match self.parser.next_scan() {
                Ok(next) => next,
                Err(error) => {
                    keep(&mut self.parser.log, error)?;
                    break;
                }
            };
        }
        for (index, component) in info.frame.components.iter().enumerate() {
            if !planes.has_scan(index) && !ended_early {
                let kind = WarningKind::Malformed(Malformed::ComponentWithoutScan(component.id));
                self.parser.log.add(self.parser.position, kind)?;
            }
        }
        if row.is_none() {
            consumer.begin(info)?;
        }
        let Range { start, end } = demand.mcu_rows;
        planes.emit(&info.frame, start.max(row.unwrap_or(0))..end, consumer)?;
        Ok((scans, self.parser.position, self.parser.into_warnings()))
    }
}

/// The planes of a multi-scan image.
enum Collected<'s> {
    Progressive(ProgressivePlanes<'s>),
    Whole(Planes<'s>),
}

impl Collected<'_> {
    fn visited(&self) -> u64 {
        match self {
            Collected::Progressive(planes) => planes.visited(),
            Collected::Whole(planes) => planes.visited(),
        }
    }

    fn has_scan(&self, component: usize) -> bool {
        match self {
            Collected::Progressive(planes) => planes.has_scan(component),
            Collected::Whole(planes) => planes.has_scan(component),
        }
    }

    fn emit(&mut self, frame: &Frame, rows: Range<u32>, consumer: &mut impl TileConsumer) -> Result<()> {
        match self {
            Collected::Progressive(planes) => planes.emit(frame, rows, consumer),
            Collected::Whole(planes) => planes.emit(frame, rows, consumer),
        }
    }

    /// Takes note of a scan that is not decoded.
    fn pass_over_scan(&mut self, parser: &mut Parser<'_>, info: &mut ImageInfo, scan: &ScanHeader) -> Result<()> {
        check_mcu(&info.frame, scan)?;
        latch_quant_tables(parser, info, scan)?;
        if info.frame.process.is_progressive() {
            check_progressive(scan)?;
        }
        match self {
            Collected::Progressive(planes) => planes.follow(scan, &mut parser.log),
            Collected::Whole(planes) => planes.begin(info.frame.process.is_progressive(), scan, &mut parser.log),
        }
    }

    fn decode_scan(
        &mut self,
        parser: &mut Parser<'_>,
        window: &mut Window,
        cache: &mut TableCache,
        info: &mut ImageInfo,
        scan: &ScanHeader,
    ) -> Result<usize> {
        check_mcu(&info.frame, scan)?;
        latch_quant_tables(parser, info, scan)?;
        let Parser { data, restart_interval, ref mut tables, ref mut log, .. } = *parser;
        let frame = &info.frame;
        let bits = |window| Segments::new(data, BitReader::new(data, scan.data, window), restart_interval);
        match self {
            Collected::Progressive(planes) => {
                let coder = Progressive::new(scan, tables, cache)?;
                planes.decode_scan(frame, scan, bits(window), coder, log)
            }
            Collected::Whole(planes) if frame.process.is_arithmetic() => {
                let is_progressive = frame.process.is_progressive();
                let coder = Arithmetic::new(scan, is_progressive, tables, log)?;
                planes.begin(is_progressive, scan, log)?;
                let segments = Segments::new(data, ArithmeticReader::new(data, scan.data), restart_interval);
                planes.decode_scan(frame, scan, segments, coder, log)
            }
            Collected::Whole(planes) => {
                let coder = Sequential::new(scan, tables, cache, log)?;
                planes.begin(false, scan, log)?;
                planes.decode_scan(frame, scan, bits(window), coder, log)
            }
        }
    }
}

/// An error after the first scan is damage: what was decoded stays.
fn keep(log: &mut Log, error: Error) -> Result<()> {
    match error {
        Error::Malformed { offset, kind } => log.add(offset as usize, WarningKind::Malformed(kind)),
        other => Err(other),
    }
}

/// A component's quantisation table is the one in force at its first scan.
pub(super) fn latch_quant_tables(parser: &mut Parser<'_>, info: &mut ImageInfo, scan: &ScanHeader) -> Result<()> {
    for chosen in &scan.components {
        let latched = &mut info.quant_tables[chosen.component];
        if latched.is_none() {
            let index = info.frame.components[chosen.component].quant_index;
            *latched = parser.tables.quant[usize::from(index)];
            if latched.is_none() {
                parser.log.add(scan.offset, WarningKind::NoQuantTable(index))?;
            }
        }
    }
    Ok(())
}
