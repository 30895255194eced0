//! Application segments that decide how coefficients are read: JFIF, Adobe, EXIF orientation.

/// What the application segments of a file say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AppData {
    /// A JFIF APP0 segment was seen.
    pub jfif: bool,
    /// The colour transform of an Adobe APP14 segment.
    pub adobe_transform: Option<u8>,
    /// EXIF orientation of the first EXIF block that states one, 1..=8.
    pub orientation: Option<u8>,
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

fn parse_tiff_orientation(tiff: &[u8]) -> Option<Exif> {
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let u32_at = |at: usize| {
        let bytes: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    if u16_at(2)? != 42 {
        return None;
    }
    // Offset of IFD0: 32 bits from the start of the TIFF header; `get` bounds every later access.
    let ifd = usize::try_from(u32_at(4)?).ok()?;
    // Number of 12-byte entries: tag (2), type (2), count (4), value or offset (4).
    for entry in 0..usize::from(u16_at(ifd)?) {
        let at = ifd.checked_add(2 + 12 * entry)?;
        if u16_at(at)? == 0x0112 {
            // Type SHORT (3), one value, left-justified in the value field.
            let value = u16_at(at + 8)?;
            let sound = u16_at(at + 2)? == 3 && u32_at(at + 4)? == 1 && (1..=8).contains(&value);
            return sound.then_some(Exif::Orientation(value as u8));
        }
    }
    Some(Exif::Silent)
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
}
