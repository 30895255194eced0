//! What became of every input: the lines of `manifest.jsonl`, and `dataset.json`, once for the run.
//!
//! What enters: results. What leaves: their record as data; [`Journal`](super::Journal) writes it. Nothing in either
//! file depends on when or with how many threads it was made.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Reencode, Warning};
use crate::markers::ImageInfo;
use crate::markers::sniff::Format;
use crate::recipe::Recipe;
use crate::scans::Summary;
use crate::sinks::{Output, ShardSize};

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its tensors are written.
    Ok,
    /// The header is good and the data is not. With `--damaged keep` it has outputs (lost coefficients are zero, the
    /// warnings say what was found); by default it has none.
    Damaged,
    /// A JPEG that is malformed, unsupported, over a limit, or that the recipe does not fit.
    Refused,
    /// Not a JPEG, and not re-encoded: of no known format, not decodable, or re-encoding is off.
    NotJpeg,
    /// It could not be read, or is not there.
    Unreadable,
    /// Something else went wrong: its output could not be written, memory ran out, or the program has a fault.
    Failed,
}

impl Status {
    /// The status of an error.
    pub fn of(error: &Error) -> Status {
        match error {
            Error::Damaged(_) => Status::Damaged,
            Error::Reencode(Reencode::Cmyk(_)) => Status::Refused,
            Error::NotJpeg(_) | Error::Reencode(_) => Status::NotJpeg,
            Error::Io(_) => Status::Unreadable,
            Error::OutOfMemory(_) => Status::Failed,
            Error::Malformed { .. } | Error::Unsupported { .. } | Error::Limit { .. } | Error::Mismatch(_) => {
                Status::Refused
            }
        }
    }

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Damaged => "damaged",
            Status::Refused => "refused",
            Status::NotJpeg => "not_jpeg",
            Status::Unreadable => "unreadable",
            Status::Failed => "failed",
        }
    }
}

/// Why an input has no output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Kind of error, [`Error::kind`], or `write` (output not written) or `panic` (a fault of the program).
    pub kind: String,
    /// For people.
    pub message: String,
    /// Byte offset in the file, where there is such a place.
    pub offset: Option<u64>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        ErrorReport { kind: error.kind().into(), message: error.to_string(), offset: error.offset() }
    }
}

/// One component of the JPEG that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // fields of the frame header, see `spec::frame::Component`
pub struct ComponentReport {
    pub id: u8,
    pub h: u8,
    pub v: u8,
    pub width: u32,
    pub height: u32,
    pub blocks_wide: u32,
    pub blocks_high: u32,
}

/// What an input is. Fields that are not known are `null`: of a JPEG that gave no tensor, what its headers say is there
/// as far as they could be read. For a re-encoded image, all but `format` and `bytes` are those of the intermediate JPEG.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// `jpeg`, `png`, `webp`, `tiff`, `bmp`, `gif`, `pnm` ... by content.
    pub format: Option<String>,
    /// Size of the file.
    pub bytes: Option<u64>,
    /// How many of the JPEG's bytes, from its start, decoding looked at: not those behind the last scan that the recipe wants
    /// something of.
    #[serde(default)]
    pub bytes_read: Option<u64>,
    /// When it last changed, in microseconds since 1970; of a file in an archive, the archive.
    #[serde(default)]
    pub modified: Option<i64>,
    /// Coding process.
    pub process: Option<String>,
    /// Bits a sample.
    pub precision: Option<u8>,
    /// Columns of pixels as stored.
    pub width: Option<u32>,
    /// Lines of pixels as stored.
    pub height: Option<u32>,
    /// Colour model.
    pub color: Option<String>,
    /// EXIF orientation, 1..=8.
    pub orientation: Option<u8>,
    /// MCUs between restart markers, 0 without.
    pub restart_interval: Option<u16>,
    /// Scans decoded.
    pub scans: Option<u32>,
    /// Components in frame order.
    pub components: Vec<ComponentReport>,
}

impl SourceReport {
    /// Takes over what decoding found.
    pub fn describe(&mut self, summary: &Summary) {
        self.describe_headers(&summary.info);
        self.scans = Some(summary.scans);
        self.bytes_read = Some(summary.bytes);
    }

    /// Takes over what the headers say.
    pub fn describe_headers(&mut self, info: &ImageInfo) {
        let ImageInfo { frame, color, orientation, restart_interval, .. } = info;
        self.process = Some(frame.process.name().into());
        self.precision = Some(frame.precision);
        self.width = Some(frame.width);
        self.height = Some(frame.height);
        self.color = Some(color.name().into());
        self.orientation = Some(*orientation);
        self.restart_interval = Some(*restart_interval);
        let component = |c: &crate::spec::frame::Component| ComponentReport {
            id: c.id,
            h: c.h,
            v: c.v,
            width: c.width,
            height: c.height,
            blocks_wide: c.blocks_wide,
            blocks_high: c.blocks_high,
        };
        self.components = frame.components.iter().map(component).collect();
    }
}

/// The name of a format in reports, `None` for content of no known format.
pub(super) fn format_name(format: Format) -> Option<String> {
    match format {
        Format::Empty | Format::Unknown => None,
        Format::Tar => Some("tar".into()),
        format => Some(format.to_string().to_lowercase().replace(' ', "")),
    }
}

/// One line of `manifest.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The input as it was reached, with forward slashes.
    pub path: String,
    /// Its place in the output, unique in the run.
    pub key: String,
    /// What became of it.
    pub status: Status,
    /// Its label as a number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<i64>,
    /// The name of its class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<String>,
    /// What its source said of it: the record of a list, the JSON of its sample in an archive.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub json: Option<Value>,
    /// Why it has no output.
    pub error: Option<ErrorReport>,
    /// Its tensors and where they are.
    pub outputs: Vec<Output>,
    /// What it is.
    pub source: SourceReport,
    /// How it was re-encoded, `null` for a JPEG that is not in CMYK.
    pub reencoded: Option<String>,
    /// Fingerprint of the recipe.
    pub recipe: String,
    /// What was odd about it.
    pub warnings: Vec<String>,
    /// Tensor values that did not fit i16 and were saturated.
    pub saturated: u64,
}

impl Entry {
    /// An entry of which nothing is known yet.
    pub fn new(path: String, key: String, recipe: String) -> Entry {
        Entry {
            path,
            key,
            status: Status::Ok,
            label: None,
            class: None,
            json: None,
            error: None,
            outputs: Vec::new(),
            source: SourceReport::default(),
            reencoded: None,
            recipe,
            warnings: Vec::new(),
            saturated: 0,
        }
    }

    /// Takes over warnings; one of damage makes the status [`Status::Damaged`].
    pub fn warn(&mut self, warnings: &[Warning]) {
        self.warnings.extend(warnings.iter().map(Warning::to_string));
        if warnings.iter().any(Warning::is_damage) {
            self.status = Status::Damaged;
        }
    }

    /// Makes it an entry without output.
    pub fn fail(&mut self, status: Status, error: ErrorReport) {
        self.status = status;
        self.error = Some(error);
        self.outputs.clear();
    }

    /// Whether it has no output.
    pub fn is_failure(&self) -> bool {
        self.error.is_some()
    }
}

/// How many inputs became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All inputs attempted.
    pub inputs: u64,
    /// [`Status::Ok`].
    pub ok: u64,
    /// [`Status::Damaged`] with outputs.
    pub damaged_kept: u64,
    /// [`Status::Damaged`] without outputs.
    pub damaged: u64,
    /// [`Status::Refused`].
    pub refused: u64,
    /// [`Status::NotJpeg`].
    pub not_jpeg: u64,
    /// [`Status::Unreadable`].
    pub unreadable: u64,
    /// [`Status::Failed`].
    pub failed: u64,
    /// Of those with outputs: re-encoded ones.
    pub reencoded: u64,
}

impl Counts {
    /// Counts one entry.
    pub fn add(&mut self, entry: &Entry) {
        self.inputs += 1;
        *match entry.status {
            Status::Ok => &mut self.ok,
            Status::Damaged if !entry.is_failure() => &mut self.damaged_kept,
            Status::Damaged => &mut self.damaged,
            Status::Refused => &mut self.refused,
            Status::NotJpeg => &mut self.not_jpeg,
            Status::Unreadable => &mut self.unreadable,
            Status::Failed => &mut self.failed,
        } += 1;
        self.reencoded += u64::from(entry.reencoded.is_some() && !entry.is_failure());
    }

    /// Inputs without outputs.
    pub fn failures(&self) -> u64 {
        self.inputs - self.ok - self.damaged_kept
    }
}

/// A part of the inputs, for runs that are spread over machines. Counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which part.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

/// All that decides what a run writes. A run can be taken up only by one with the same settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Version of jpegdct.
    pub jpegdct_version: String,
    /// Format of the tensors.
    pub format: String,
    /// When a shard is full, for formats that have shards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shard: Option<ShardSize>,
    /// The level of compression, where tensors are compressed with Zstandard.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zstd: Option<i32>,
    /// The recipe.
    pub recipe: Recipe,
    /// Its fingerprint.
    pub recipe_hash: String,
    /// What happens to damaged images: `refuse` or `keep`.
    pub damaged: String,
    /// How images that are no JPEG are re-encoded.
    pub reencode: Option<String>,
    /// Inputs of all parts.
    pub inputs: u64,
    /// Fingerprint of their paths.
    pub inputs_hash: String,
    /// The part, if it is not the whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<Part>,
    /// Names of classes; a label is a place in this list.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub classes: Vec<String>,
}

impl Settings {
    /// The first setting in which `other` differs, with both values.
    pub fn difference(&self, other: &Settings) -> Option<String> {
        let fields = |settings: &Settings| match serde_json::to_value(settings) {
            Ok(Value::Object(mut map)) => {
                map.remove("recipe");
                map
            }
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (fields(self), fields(other));
        let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let text = |value: Option<&Value>| value.map_or("none".into(), Value::to_string);
        let differs = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name))?;
        Some(format!("{differs} is {}, was {}", text(ours.get(differs)), text(theirs.get(differs))))
    }
}

/// `dataset.json`: what the folder holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// How it was made.
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether every input was attempted; not so after a stop at the first failure.
    pub complete: bool,
    /// How many inputs became what.
    pub counts: Counts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Malformed, WarningKind};

    #[test]
    fn counts_add_up() {
        let mut counts = Counts::default();
        let mut entry = Entry::new("a".into(), "a".into(), "0".into());
        counts.add(&entry);
        entry.warn(&[Warning { offset: 9, kind: WarningKind::PrematureEnd }]);
        counts.add(&entry);
        let error = Error::malformed(5, Malformed::NoScan);
        entry.fail(Status::of(&error), (&error).into());
        assert_eq!(entry.error.as_ref().unwrap().offset, Some(5));
        counts.add(&entry);
        assert_eq!(counts, Counts { inputs: 3, ok: 1, damaged_kept: 1, refused: 1, ..Default::default() });
        assert_eq!(counts.failures(), 1);
    }

    #[test]
    fn harmless_warnings_leave_an_image_ok() {
        let mut entry = Entry::new("a".into(), "a".into(), "0".into());
        entry.warn(&[Warning { offset: 9, kind: WarningKind::TrailingBytes(3) }]);
        assert_eq!((entry.status, entry.warnings.len()), (Status::Ok, 1));
    }
}
