//! One image from its first byte to its last tile.

use super::arithmetic::Arithmetic;
use super::coders::{Progressive, Sequential, TableCache};
use super::collect::Planes;
use super::restart::Segments;
use super::stream::stream_scan;
use super::tile::{Block, Demand, TileConsumer};
use super::{Damage, DecodeOptions, Summary};
use crate::entropy::arithmetic::ArithmeticReader;
use crate::entropy::{BitReader, Window};
use crate::error::{Error, Malformed, Result, WarningKind};
use crate::limits::{LimitKind, Limits};
use crate::markers::{ColorModel, ImageInfo, Parser, ScanComponent, ScanHeader};
use crate::spec::frame::Frame;

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
    tables: TableCache,
}

/// Decodes an image and hands its tiles to `consumer`.
///
/// A sequential image in one scan is handed on while it is decoded; all others are collected first, which costs 2 bytes
/// a coefficient.
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
    let image = Image { parser, scratch, options };
    let scans = if one_scan {
        image.stream(&mut info, &first, &demand, consumer)
    } else {
        image.collect(&mut info, first, &demand, consumer)
    }?;
    Ok(Summary { info, scans: scans.0, warnings: scans.1 })
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
    let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
    Some(ImageInfo {
        color: ColorModel::decide(&ids, parser.app.jfif, parser.app.adobe_transform),
        orientation: parser.app.orientation.unwrap_or(1),
        restart_interval: parser.restart_interval,
        quant_tables: vec![None; frame.components.len()],
        frame,
    })
}

/// At most 10 blocks in an MCU of several components (T.81 B.2.3).
fn check_mcu(frame: &Frame, scan: &ScanHeader) -> Result<()> {
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
    options: &'s DecodeOptions,
}

/// Scans decoded, and all warnings.
type Outcome = (u32, Vec<crate::Warning>);

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
        let end = if info.frame.process.is_arithmetic() {
            let coder = Arithmetic::new(scan, false, tables, log)?;
            consumer.begin(info)?;
            let segments = Segments::new(data, ArithmeticReader::new(data, scan.data), restart_interval);
            stream_scan(&info.frame, scan, segments, coder, demand, blocks, log, consumer)?
        } else {
            let coder = Sequential::new(scan, tables, &mut self.scratch.tables, log)?;
            consumer.begin(info)?;
            let bits = BitReader::new(data, scan.data, &mut self.scratch.window);
            let segments = Segments::new(data, bits, restart_interval);
            stream_scan(&info.frame, scan, segments, coder, demand, blocks, log, consumer)?
        };
        let Some(end) = end else { return Ok((1, self.parser.into_warnings())) };
        self.parser.position = end;
        // One scan had it all: another one has no place.
        match self.parser.next_scan() {
            Ok(None) => {}
            Ok(Some(extra)) => {
                let kind = Malformed::UnexpectedMarker(crate::spec::marker::SOS);
                self.parser.log.add(extra.offset, WarningKind::Malformed(kind))?;
            }
            Err(error) => self.keep(error)?,
        }
        Ok((1, self.parser.into_warnings()))
    }

    fn collect(
        mut self,
        info: &mut ImageInfo,
        first: ScanHeader,
        demand: &Demand,
        consumer: &mut impl TileConsumer,
    ) -> Result<Outcome> {
        let blocks = info.frame.block_count();
        self.options.limits.check(LimitKind::Memory, blocks * size_of::<Block>() as u64)?;
        let mut buffer = std::mem::take(&mut self.scratch.blocks);
        let mut planes = Planes::new(&info.frame, &mut buffer)?;
        let (mut scans, mut next) = (0, Some(first));
        while let Some(scan) = next {
            self.options.limits.check(LimitKind::Scans, u64::from(scans) + 1)?;
            self.options.limits.check_visits(planes.visited(), blocks, self.parser.data.len() as u64)?;
            match self.decode_scan(info, &scan, &mut planes) {
                Ok(end) => self.parser.position = end,
                // The first scan's header is part of the headers: nothing was decoded yet.
                Err(error) if scans == 0 => return Err(error),
                Err(error) => {
                    self.keep(error)?;
                    break;
                }
            }
            scans += 1;
            next = match self.parser.next_scan() {
                Ok(next) => next,
                Err(error) => {
                    self.keep(error)?;
                    break;
                }
            };
        }
        for (index, component) in info.frame.components.iter().enumerate() {
            if !planes.has_scan(index) {
                let kind = WarningKind::Malformed(Malformed::ComponentWithoutScan(component.id));
                self.parser.log.add(self.parser.position, kind)?;
            }
        }
        consumer.begin(info)?;
        planes.emit(&info.frame, demand.mcu_rows.clone(), consumer)?;
        self.scratch.blocks = buffer;
        Ok((scans, self.parser.into_warnings()))
    }

    fn decode_scan(&mut self, info: &mut ImageInfo, scan: &ScanHeader, planes: &mut Planes<'_>) -> Result<usize> {
        let parser = &mut self.parser;
        check_mcu(&info.frame, scan)?;
        latch_quant_tables(parser, info, scan)?;
        let Parser { data, restart_interval, ref mut tables, ref mut log, .. } = *parser;
        let (frame, is_progressive) = (&info.frame, info.frame.process.is_progressive());
        if frame.process.is_arithmetic() {
            let coder = Arithmetic::new(scan, is_progressive, tables, log)?;
            if is_progressive {
                planes.begin_progressive(scan, log)?;
            } else {
                planes.begin_sequential(scan);
            }
            let segments = Segments::new(data, ArithmeticReader::new(data, scan.data), restart_interval);
            return planes.decode_scan(frame, scan, segments, coder, log);
        }
        let cache = &mut self.scratch.tables;
        let bits = BitReader::new(data, scan.data, &mut self.scratch.window);
        let segments = Segments::new(data, bits, restart_interval);
        if is_progressive {
            let coder = Progressive::new(scan, tables, cache)?;
            planes.begin_progressive(scan, log)?;
            planes.decode_progressive(frame, scan, segments, coder, log)
        } else {
            let coder = Sequential::new(scan, tables, cache, log)?;
            planes.begin_sequential(scan);
            planes.decode_scan(frame, scan, segments, coder, log)
        }
    }

    /// An error after the first scan is damage: what was decoded stays.
    fn keep(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Malformed { offset, kind } => self.parser.log.add(offset as usize, WarningKind::Malformed(kind)),
            other => Err(other),
        }
    }
}

/// A component's quantisation table is the one in force at its first scan.
fn latch_quant_tables(parser: &mut Parser<'_>, info: &mut ImageInfo, scan: &ScanHeader) -> Result<()> {
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
