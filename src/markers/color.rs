//! What the components mean, decided as libjpeg decides it.
//!
//! | components | JFIF | Adobe transform | ids | colour model |
//! |---|---|---|---|---|
//! | 1 | any | any | any | grayscale |
//! | 3 | yes | any | any | YCbCr |
//! | 3 | no | 0 | any | RGB |
//! | 3 | no | other | any | YCbCr |
//! | 3 | no | none | `R` `G` `B` | RGB |
//! | 3 | no | none | other | YCbCr |
//! | 4 | any | 0 or none | any | CMYK |
//! | 4 | any | other | any | YCCK |
//! | other | any | any | any | unknown |
//!
//! JFIF is an APP0 segment `JFIF\0`, Adobe an APP14 segment `Adobe` (its transform: 0 none, 1 YCbCr, 2 YCCK), ids are those of
//! the frame header in order. Each may stand anywhere before the first scan. RGB is said by nothing else: ids 0, 1, 2 and any
//! others are YCbCr. The four-component models count ink from 255 (none) to 0 (all) as Adobe does.

use std::fmt;

/// The colour model of an image's components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are the models' own
pub enum ColorModel {
    Grayscale,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
    /// A component count that no convention covers.
    Unknown,
}

impl ColorModel {
    /// Decides from what the headers say; see the module's table.
    pub fn decide(ids: &[u8], jfif: bool, adobe_transform: Option<u8>) -> ColorModel {
        match (ids, jfif, adobe_transform) {
            ([_], ..) => ColorModel::Grayscale,
            ([_, _, _], true, _) => ColorModel::YCbCr,
            ([_, _, _], false, Some(0)) => ColorModel::Rgb,
            ([b'R', b'G', b'B'], false, None) => ColorModel::Rgb,
            ([_, _, _], ..) => ColorModel::YCbCr,
            ([_, _, _, _], _, None | Some(0)) => ColorModel::Cmyk,
            ([_, _, _, _], ..) => ColorModel::Ycck,
            _ => ColorModel::Unknown,
        }
    }

    /// What a component is called, counted from 0: `y cb cr`, `r g b`, `c m y k`, `y cb cr k`, or `c0`, `c1`, ... where
    /// nothing is known.
    pub fn component_name(self, index: usize) -> String {
        let names: &[&str] = match self {
            ColorModel::Grayscale => &["y"],
            ColorModel::YCbCr => &["y", "cb", "cr"],
            ColorModel::Rgb => &["r", "g", "b"],
            ColorModel::Cmyk => &["c", "m", "y", "k"],
            ColorModel::Ycck => &["y", "cb", "cr", "k"],
            ColorModel::Unknown => &[],
        };
        names.get(index).map_or_else(|| format!("c{index}"), |&name| name.into())
    }

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            ColorModel::Grayscale => "grayscale",
            ColorModel::YCbCr => "ycbcr",
            ColorModel::Rgb => "rgb",
            ColorModel::Cmyk => "cmyk",
            ColorModel::Ycck => "ycck",
            ColorModel::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ColorModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::ColorModel::{self, *};

    #[test]
    fn decision_table() {
        let decide = ColorModel::decide;
        assert_eq!(decide(&[1], false, Some(0)), Grayscale);
        assert_eq!(decide(b"RGB", true, None), YCbCr);
        assert_eq!(decide(b"RGB", false, None), Rgb);
        assert_eq!(decide(b"RGB", false, Some(1)), YCbCr);
        assert_eq!(decide(&[1, 2, 3], false, Some(0)), Rgb);
        assert_eq!(decide(&[1, 2, 3, 4], true, None), Cmyk);
        assert_eq!(decide(&[1, 2, 3, 4], false, Some(2)), Ycck);
        assert_eq!(decide(&[1, 2], false, None), Unknown);
    }
}
