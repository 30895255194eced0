//! Everything that can go wrong, as numbers.
//!
//! What enters: the facts a room found (offset, marker, count). What leaves: one typed [`Error`] or, for damage that
//! decoding survived, a [`Warning`]. Messages are made here and nowhere else; no other room formats prose.

use std::fmt;

use crate::limits::LimitKind;
use crate::markers::sniff::Format;

/// The result of everything that reads a JPEG.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an image gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes break ITU-T T.81 in a place that leaves nothing to decode, reserved values included.
    #[error("malformed JPEG at byte {offset}: {kind}")]
    Malformed {
        /// Byte offset in the file of what is wrong.
        offset: u64,
        /// What is wrong, with the numbers found.
        kind: Malformed,
    },
    /// The bytes are valid T.81 (or a sibling standard), but hold no single DCT coefficient image or one this
    /// crate does not build.
    #[error("unsupported at byte {offset}: {kind}")]
    Unsupported {
        /// Byte offset in the file of the feature.
        offset: u64,
        /// Which feature.
        kind: Unsupported,
    },
    /// A configured limit would be exceeded.
    #[error("limit exceeded: {kind} is {found}, the limit is {limit}")]
    Limit {
        /// Which limit.
        kind: LimitKind,
        /// What the file asks for.
        found: u64,
        /// What [`crate::Limits`] allows.
        limit: u64,
    },
    /// The bytes are no JPEG at all.
    #[error("not a JPEG: {0}")]
    NotJpeg(Format),
    /// The header is good, but the entropy-coded data is damaged and the caller did not ask to keep damaged images.
    #[error("damaged JPEG at byte {}: {}", .0.offset, .0.kind)]
    Damaged(Warning),
    /// The image cannot be made into what the recipe asks for.
    #[error("recipe does not fit the image: {0}")]
    Mismatch(Mismatch),
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// An image that is not a JPEG could not be decoded or re-encoded.
    #[error("re-encoding failed: {0}")]
    Reencode(Reencode),
    /// The system has no memory of this many bytes, within the limits though they are.
    #[error("out of memory: {0} bytes are not to be had")]
    OutOfMemory(u64),
}

impl Error {
    /// The variant's name in reports: `malformed`, `unsupported`, `limit`, `not_jpeg`, `damaged`, `mismatch`, `io`,
    /// `reencode` or `out_of_memory`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Malformed { .. } => "malformed",
            Error::Unsupported { .. } => "unsupported",
            Error::Limit { .. } => "limit",
            Error::NotJpeg(_) => "not_jpeg",
            Error::Damaged(_) => "damaged",
            Error::Mismatch(_) => "mismatch",
            Error::Io(_) => "io",
            Error::Reencode(_) => "reencode",
            Error::OutOfMemory(_) => "out_of_memory",
        }
    }

    /// Byte offset in the file of what is wrong, where there is such a place.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Error::Malformed { offset, .. } | Error::Unsupported { offset, .. } => Some(*offset),
            Error::Damaged(warning) => Some(warning.offset),
            _ => None,
        }
    }
}

/// Why an image that is not a JPEG did not become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reencode {
    /// No decoder for this format is built in.
    #[error("{0} is not among the formats that are decoded")]
    Format(Format),
    /// The decoder of the format refuses the bytes, with its own words.
    #[error("{format}: {reason}")]
    Decode {
        /// The format the content has.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
    /// The pixels of a JPEG in CMYK or YCCK cannot be decoded, in the decoder's own words.
    #[error("pixels of a JPEG in CMYK: {0}")]
    Cmyk(String),
    /// No JPEG has this size: width, height.
    #[error("{0} x {1} pixels do not fit a JPEG")]
    Size(u32, u32),
    /// The JPEG encoder failed, with its own words.
    #[error("JPEG encoder: {0}")]
    Encode(String),
}

/// How the bytes break T.81.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[rustfmt::skip]
pub enum Malformed {
    /// The file ends inside the headers, before any scan.
    HeaderTruncated,
    /// Bytes that are no marker stand where a marker must (first byte found).
    NoMarker(u8),
    /// A marker that may not stand here (second byte of the marker).
    UnexpectedMarker(u8),
    /// A second start-of-image inside the image.
    SecondSoi,
    /// A segment's length field does not fit its content: marker, length.
    SegmentLength { /// Second byte of the marker. 
        marker: u8, /// Its length field.
        length: u16 },
    /// A second frame header in one image.
    SecondFrame(u8),
    /// A scan before any frame header.
    ScanBeforeFrame,
    /// The image ends without a scan.
    NoScan,
    /// Width, or height without a DNL segment, is zero.
    EmptyImage { /// Columns.
        width: u32, /// Lines.
        height: u32 },
    /// Sample precision the process does not allow.
    Precision(u8),
    /// A frame with this many components.
    ComponentCount(u8),
    /// Sampling factors outside 1..=4 (T.81 B.2.2).
    Sampling { /// Horizontal.
        h: u8, /// Vertical.
        v: u8 },
    /// A table destination above 3.
    TableIndex(u8),
    /// Quantisation table precision other than 0 or 1.
    QuantPrecision(u8),
    /// A Huffman table whose code lengths claim more codes than there are, or more than 256 values.
    HuffmanLengths,
    /// A DC Huffman table with a category above 15.
    HuffmanCategory(u8),
    /// A scan uses a Huffman table that was never defined: class (0 DC, 1 AC), destination.
    MissingHuffmanTable { /// 0 = DC, 1 = AC.
        class: u8, /// Destination.
        index: u8 },
    /// A component uses a quantisation table that was never defined.
    MissingQuantTable(u8),
    /// A scan names this many components.
    ScanComponentCount(u8),
    /// A scan names a component that the frame does not have, or one twice.
    ScanComponent(u8),
    /// Spectral selection and successive approximation that no progressive scan may have (T.81 G.1.1.1).
    ScanParameters { /// Start of spectral selection.
        ss: u8, /// End of it.
        se: u8, /// Previous point transform.
        ah: u8, /// Point transform.
        al: u8 },
    /// More than 10 blocks in an MCU (T.81 B.2.3).
    McuSize(u32),
    /// An arithmetic conditioning value out of range (T.81 B.2.4.3).
    Conditioning { /// Destination, 16 and up for AC.
        index: u8, /// The value.
        value: u8 },
    /// A component had no scan at all.
    ComponentWithoutScan(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Malformed::*;
        match *self {
            HeaderTruncated => write!(f, "the file ends inside its headers"),
            NoMarker(byte) => write!(f, "byte {byte:#04x} where a marker must be"),
            UnexpectedMarker(m) => write!(f, "marker 0xff{m:02x} may not stand here"),
            SecondSoi => write!(f, "a second start of image"),
            SegmentLength { marker, length } => {
                write!(f, "length {length} does not fit the content of segment 0xff{marker:02x}")
            }
            SecondFrame(m) => write!(f, "a second frame header (0xff{m:02x})"),
            ScanBeforeFrame => write!(f, "a scan before the frame header"),
            NoScan => write!(f, "the image has no scan"),
            EmptyImage { width, height } => write!(f, "the image is {width} x {height}"),
            Precision(p) => write!(f, "sample precision {p}"),
            ComponentCount(n) => write!(f, "{n} components in the frame"),
            Sampling { h, v } => write!(f, "sampling factors {h} x {v}"),
            TableIndex(i) => write!(f, "table destination {i}"),
            QuantPrecision(p) => write!(f, "quantisation table precision {p}"),
            HuffmanLengths => write!(f, "a Huffman table with impossible code lengths"),
            HuffmanCategory(c) => write!(f, "a DC Huffman table with category {c}"),
            MissingHuffmanTable { class, index } => {
                write!(f, "{} Huffman table {index} is not defined", if class == 0 { "DC" } else { "AC" })
            }
            MissingQuantTable(i) => write!(f, "quantisation table {i} is not defined"),
            ScanComponentCount(n) => write!(f, "a scan of {n} components"),
            ScanComponent(id) => write!(f, "a scan names component {id}"),
            ScanParameters { ss, se, ah, al } => {
                write!(f, "scan parameters Ss {ss} Se {se} Ah {ah} Al {al}")
            }
            McuSize(n) => write!(f, "{n} blocks in an MCU"),
            Conditioning { index, value } => write!(f, "arithmetic conditioning {value} for table {index}"),
            ComponentWithoutScan(id) => write!(f, "component {id} is in no scan"),
        }
    }
}

/// A valid thing that has no DCT coefficients, or that this crate does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// Lossless coding (SOF3, 7, 11, 15): no DCT. The number n of SOFn.
    Lossless(u8),
    /// Hierarchical coding (SOF5, 6, 13, 14, DHP, EXP): no single coefficient image. The marker's second byte.
    Hierarchical(u8),
    /// JPEG-LS (SOF55).
    JpegLs,
    /// A reserved frame type (JPG, 0xffc8).
    ReservedFrame(u8),
    /// Sample precision that is legal but not built.
    Precision(u8),
    /// Height given by a DNL segment after the first scan.
    DeferredHeight,
    /// More components than this crate handles.
    ComponentCount(u8),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Unsupported::*;
        match *self {
            Lossless(n) => write!(f, "lossless JPEG (SOF{n}) has no DCT coefficients"),
            Hierarchical(m) => write!(f, "hierarchical JPEG (0xff{m:02x}) has no single coefficient image"),
            JpegLs => write!(f, "JPEG-LS has no DCT coefficients"),
            ReservedFrame(m) => write!(f, "reserved frame type 0xff{m:02x}"),
            Precision(p) => write!(f, "{p}-bit samples"),
            DeferredHeight => write!(f, "height given by a DNL segment"),
            ComponentCount(n) => write!(f, "{n} components"),
        }
    }
}

/// Why a recipe cannot be applied to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// Channel recipes need grey, YCbCr or RGB; CMYK and YCCK are not linear in YCbCr.
    ColorModel(crate::markers::ColorModel),
    /// `chroma = "none"` needs planes of one size: component index, its blocks, luma's blocks (wide, high).
    PlaneSize {
        /// Index of the component.
        component: usize,
        /// Its size in blocks.
        blocks: (u32, u32),
        /// The size of the first component in blocks.
        luma: (u32, u32),
    },
    /// The caller's memory is for one tensor an image; the recipe makes several.
    Several,
    /// The caller's memory has another element type.
    Dtype {
        /// That of the recipe: `f32`, `f16` or `i16`.
        tensor: &'static str,
        /// That of the memory.
        memory: &'static str,
    },
    /// The caller's memory is for another shape.
    Shape {
        /// That of the image's tensor.
        tensor: [usize; 3],
        /// That of the memory.
        memory: [usize; 3],
    },
    /// The caller's memory does not have the length that its own shape says.
    Length {
        /// Values that the shape says; saturated.
        tensor: usize,
        /// Values there are.
        memory: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Mismatch::ColorModel(model) => write!(f, "{model} is not linear in YCbCr"),
            Mismatch::PlaneSize { component, blocks, luma } => write!(
                f,
                "component {component} has {} x {} blocks, the first has {} x {}",
                blocks.0, blocks.1, luma.0, luma.1
            ),
            Mismatch::Several => write!(f, "it makes several tensors, the memory is for one"),
            Mismatch::Dtype { tensor, memory } => {
                write!(f, "the tensor is {tensor}, the memory for it {memory}")
            }
            Mismatch::Shape { tensor, memory } => {
                write!(f, "the tensor has shape {tensor:?}, the memory for it {memory:?}")
            }
            Mismatch::Length { tensor, memory } => {
                write!(f, "the tensor has {tensor} values, the memory for it {memory}")
            }
        }
    }
}

/// Something odd that decoding survived. Whether coefficients may have been lost: [`Warning::is_damage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// Byte offset in the file.
    pub offset: u64,
    /// What was found.
    pub kind: WarningKind,
}

/// What a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// The file ends before the end-of-image marker.
    PrematureEnd,
    /// A marker cut the entropy-coded data short (its second byte).
    PrematureMarker(u8),
    /// Bits that are no code of the Huffman table, or decisions of the arithmetic coder that make no coefficient.
    BadCode,
    /// A zero run went past coefficient 63.
    RunPastEnd,
    /// Bytes that belong to nothing before a marker: how many, and the marker's second byte.
    ExtraneousBytes(u32, u8),
    /// A restart marker other than the expected one: found (second byte), expected (0..=7).
    RestartMarker(u8, u8),
    /// A progressive scan that repeats or skips precision bits: coefficient, Ah, expected Ah.
    Progression(u8, u8, u8),
    /// A sequential scan whose Ss, Se, Ah, Al are not 0, 63, 0, 0.
    SequentialParameters,
    /// Coefficients outside i16, which are stored modulo 2^16.
    Overflow,
    /// A segment after the headers broke T.81; what was decoded before it is kept.
    Malformed(Malformed),
    /// Bytes before the start of image.
    LeadingBytes(u32),
    /// Bytes after the end of image.
    TrailingBytes(u64),
    /// So many further images after the first, which alone is read (a multi-picture file, MPO).
    FurtherImages(u32),
    /// An EXIF block that could not be read.
    Exif,
    /// An Adobe segment with an unknown colour transform.
    AdobeTransform(u8),
    /// A component uses a quantisation table that was never defined; only quantised values exist.
    NoQuantTable(u8),
    /// Huffman tables are missing; the typical ones of T.81 annex K are used, as motion JPEG does.
    DefaultHuffmanTables,
    /// More damage than is listed: how many further warnings.
    Suppressed(u32),
}

impl Warning {
    /// Whether coefficients may be lost or wrong; an image with such a warning counts as damaged.
    pub fn is_damage(&self) -> bool {
        use WarningKind::*;
        !matches!(
            self.kind,
            LeadingBytes(_)
                | TrailingBytes(_)
                | FurtherImages(_)
                | Exif
                | AdobeTransform(_)
                | NoQuantTable(_)
                | DefaultHuffmanTables
        )
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.kind)
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use WarningKind::*;
        match *self {
            PrematureEnd => write!(f, "the file ends before its end of image"),
            PrematureMarker(m) => write!(f, "marker 0xff{m:02x} cuts the entropy-coded data short"),
            BadCode => write!(f, "bits that are no code"),
            RunPastEnd => write!(f, "a zero run goes past coefficient 63"),
            ExtraneousBytes(n, m) => write!(f, "{n} extraneous bytes before marker 0xff{m:02x}"),
            RestartMarker(m, expected) => write!(f, "marker 0xff{m:02x} where restart marker {expected} must be"),
            Progression(k, ah, expected) => {
                write!(f, "coefficient {k} is refined from bit {ah}, expected {expected}")
            }
            SequentialParameters => write!(f, "spectral selection in a sequential scan"),
            Overflow => write!(f, "coefficients do not fit 16 bits"),
            Malformed(m) => write!(f, "{m}"),
            LeadingBytes(n) => write!(f, "{n} bytes before the start of image"),
            TrailingBytes(n) => write!(f, "{n} bytes after the end of image"),
            FurtherImages(n) => write!(f, "{n} further images follow; the first is read"),
            Exif => write!(f, "the EXIF block cannot be read"),
            AdobeTransform(t) => write!(f, "unknown Adobe colour transform {t}"),
            NoQuantTable(i) => write!(f, "quantisation table {i} is not defined"),
            Suppressed(n) => write!(f, "{n} further warnings of damage"),
            DefaultHuffmanTables => write!(f, "missing Huffman tables: the typical ones are used"),
        }
    }
}

impl Error {
    pub(crate) fn malformed(offset: usize, kind: Malformed) -> Self {
        Error::Malformed { offset: offset as u64, kind }
    }

    pub(crate) fn unsupported(offset: usize, kind: Unsupported) -> Self {
        Error::Unsupported { offset: offset as u64, kind }
    }
}
