//! Application segments that decide how coefficients are read: JFIF, Adobe, EXIF orientation; and the one that tells of
//! further images in the file, MPF.

/// What the application segments of a file say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AppData {
    /// A JFIF APP0 segment was seen.
    pub jfif: bool,
    /// The colour transform of an Adobe APP14 segment.
    pub adobe_transform: Option<u8>,
    /// EXIF orientation of the first EXIF block that states one, 1..=8.
    pub orientation: Option<u8>,
    /// Images in the file, this one included, by the index of a multi-picture file (MPO).
    pub images: Option<u32>,
}

/// Whether an APP0 payload is JFIF's: `JFIF\0`, then at least version, units, densities, thumbnail size (14 bytes in all).
pub(super) fn is_jfif(payload: &[u8]) -> bool {
    payload.len() >= 14 && payload.starts_with(b"JFIF\0")
}

/// The transform byte of an Adobe APP14 payload: `Adobe`, version (2), flags0 (2), flags1 (2), transform (1).
pub(super) fn adobe_transform(payload: &[u8]) -> Option<u8> {
    if payload.starts_with(b"Adobe") { payload.get(11).copied() } else { None }
}

/// The outcome of looking for an orientation in an APP1 payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exif {
    /// Not an EXIF block, or one that states no orientation.
    Silent,
    /// Orientation 1..=8.
    Orientation(u8),
    /// An EXIF block that cannot be read.
    Broken,
}

/// Reads tag 0x0112 of IFD0 (EXIF 2.3, 4.6.4 A). Other tags, and all other IFDs, are nobody's business here, so damage in
/// them is not noticed.
pub(super) fn parse_exif(payload: &[u8]) -> Exif {
    let Some(tiff) = payload.strip_prefix(b"Exif\0\0").or_else(|| payload.strip_prefix(b"Exif\0\xff")) else {
        return Exif::Silent;
    };
    parse_tiff_orientation(tiff).unwrap_or(Exif::Broken)
}

/// Number of images of a multi-picture file (CIPA DC-007, 5.2.2.2: tag 0xb001 of the index): APP2, `MPF\0`, then as EXIF.
pub(super) fn mpf_images(payload: &[u8]) -> Option<u32> {
    let directory = Directory::new(payload.strip_prefix(b"MPF\0")?)?;
    let at = directory.entry(0xb001)??;
    // Type LONG (4), one value.
    if directory.u16_at(at + 2)? == 4 && directory.u32_at(at + 4)? == 1 { directory.u32_at(at + 8) } else { None }
}

fn parse_tiff_orientation(tiff: &[u8]) -> Option<Exif> {
    let directory = Directory::new(tiff)?;
    let Some(at) = directory.entry(0x0112)? else { return Some(Exif::Silent) };
    // Type SHORT (3), one value, left-justified in the value field.
    let value = directory.u16_at(at + 8)?;
    let sound = directory.u16_at(at + 2)? == 3 && directory.u32_at(at + 4)? == 1 && (1..=8).contains(&value);
    sound.then_some(Exif::Orientation(value as u8))
}

/// The first directory of a TIFF structure. Every access is bounded; `None` is the end of the bytes.
struct Directory<'a> {
    tiff: &'a [u8],
    is_little: bool,
    /// Where it starts, from the start of the TIFF header.
    start: usize,
}

impl<'a> Directory<'a> {
    fn new(tiff: &'a [u8]) -> Option<Directory<'a>> {
        let is_little = match tiff.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let header = Directory { tiff, is_little, start: 0 };
        if header.u16_at(2)? != 42 {
            return None;
        }
        // Offset of IFD0: 32 bits.
        let start = usize::try_from(header.u32_at(4)?).ok()?;
        Some(Directory { start, ..header })
    }

    /// Offset of the entry with this tag; the inner `None` if there is none.
    fn entry(&self, tag: u16) -> Option<Option<usize>> {
        // Number of 12-byte entries: tag (2), type (2), count (4), value or offset (4).
        for entry in 0..usize::from(self.u16_at(self.start)?) {
            let at = self.start.checked_add(2 + 12 * entry)?;
            if self.u16_at(at)? == tag {
                return Some(Some(at));
            }
        }
        Some(None)
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exif(little: bool, tag: u16, value: u16) -> Vec<u8> {
        let short = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let long = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut out = b"Exif\0\0".to_vec();
        out.extend(if little { b"II" } else { b"MM" });
        out.extend(short(42));
        out.extend(long(8));
        out.extend(short(1));
        out.extend([short(tag), short(3)].concat());
        out.extend(long(1));
        out.extend([short(value), [0, 0]].concat());
        out
    }

    #[test]
    fn orientation_in_both_byte_orders() {
        assert_eq!(parse_exif(&exif(true, 0x112, 6)), Exif::Orientation(6));
        assert_eq!(parse_exif(&exif(false, 0x112, 8)), Exif::Orientation(8));
        assert_eq!(parse_exif(&exif(false, 0x113, 8)), Exif::Silent);
        assert_eq!(parse_exif(b"http://ns.adobe.com/xap/1.0/\0"), Exif::Silent);
    }

    #[test]
    fn every_truncation_is_broken_or_silent() {
        let whole = exif(true, 0x112, 6);
        for n in 6..whole.len() - 2 {
            assert_eq!(parse_exif(&whole[..n]), Exif::Broken, "{n} bytes");
        }
        assert_eq!(parse_exif(&exif(true, 0x112, 9)), Exif::Broken);
    }

    #[test]
    fn images_of_a_multi_picture_file() {
        let mut mpf = b"MPF\0MM\0*\0\0\0\x08\0\x02\xb0\0\0\x07\0\0\0\x040100".to_vec();
        mpf.extend(b"\xb0\x01\0\x04\0\0\0\x01\0\0\0\x03");
        assert_eq!(mpf_images(&mpf), Some(3));
        assert!((0..mpf.len()).all(|n| mpf_images(&mpf[..n]).is_none()));
        assert_eq!(mpf_images(b"ICC_PROFILE\0"), None);
    }
}
