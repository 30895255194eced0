//! The named recipes.

use super::geometry::{Crop, Pad, Resize, Size, Upscale};
use super::{ChannelSet, Geometry, Kind, Layout, Normalize, Recipe};
use crate::tensor::Dtype;

/// Channel counts that have a set of their own.
const COUNTS: [usize; 6] = [6, 24, 32, 48, 64, 192];

/// DCTNet for ResNet-50: the published counts.
const CLASSIFICATION: [usize; 6] = COUNTS;

/// DCTNet for MobileNetV2.
const MOBILENET: [usize; 2] = [24, 32];

/// DCTNet for Mask R-CNN.
const DETECTION: [usize; 2] = [24, 64];

/// A preset by name.
pub(super) fn preset(name: &str) -> Option<Recipe> {
    let recipe = match name {
        "planes" => Recipe { kind: Kind::Planes, layout: Layout::Blocks, ..Recipe::default() },
        "quantised" => Recipe { kind: Kind::Quantised, layout: Layout::Blocks, dtype: Dtype::I16, ..Recipe::default() },
        _ => {
            let (family, count) = name.rsplit_once('-')?;
            let (counts, geometry, normalize): (&[usize], _, _) = match family {
                "native" => (&COUNTS, Geometry::default(), Normalize::None),
                "dctnet" => (&CLASSIFICATION, classification(512, 448), Normalize::Dctnet),
                "dctnet-mobilenet" => (&MOBILENET, classification(1024, 896), Normalize::Dctnet),
                "dctnet-detection" => (&DETECTION, detection(), Normalize::DctnetDetection),
                _ => return None,
            };
            let count = *counts.iter().find(|c| c.to_string() == count)?;
            Recipe { channels: ChannelSet::dctnet(count)?, geometry, normalize, ..Recipe::default() }
        }
    };
    Some(Recipe { name: Some(name.into()), ..recipe })
}

/// DCTNet's loader for classification: `cv2.imread` (which applies an EXIF orientation), resize of the short side by cv2's
/// bilinear rule, centre crop. Luma is what an encoder sees of the crop; chroma what it sees, subsampled 2 by 2, of the
/// crop enlarged twice.
///
/// The crop is smaller than the resized image, so nothing is ever padded.
fn classification(short: u32, crop: u32) -> Geometry {
    Geometry {
        orient: true,
        resize: Some(Resize { short: Some(short), antialias: false, ..Resize::default() }),
        crop: Some(Crop::Center { center: Size { height: crop, width: crop } }),
        upscale: Some(Upscale { luma: 1, chroma: 2, average: 2 }),
        ..Geometry::default()
    }
}

/// DCTNet's loader for detection: the largest size within 1333 x 800 of the same ratio, black to the right and below up to
/// multiples of 32, luma and chroma enlarged twice.
fn detection() -> Geometry {
    Geometry {
        orient: true,
        resize: Some(Resize { long: Some(1333), short: Some(800), antialias: false, ..Resize::default() }),
        pad: Some(Pad { multiple: Some(32), ..Pad::default() }),
        upscale: Some(Upscale { luma: 2, chroma: 2, average: 1 }),
        ..Geometry::default()
    }
}

/// All names, in the order of the documentation.
pub(super) fn names() -> Vec<String> {
    let family = |family: &str, counts: &[usize]| -> Vec<String> {
        counts.iter().map(|count| format!("{family}-{count}")).collect()
    };
    [
        family("native", &COUNTS),
        family("dctnet", &CLASSIFICATION),
        family("dctnet-mobilenet", &MOBILENET),
        family("dctnet-detection", &DETECTION),
        vec!["planes".into(), "quantised".into()],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn the_sizes_are_the_papers() {
        let blocks = |name: &str, width, height| {
            let recipe = preset(name).unwrap();
            let steps = recipe.geometry.steps(width, height, 1, "", &Limits::default()).unwrap();
            (recipe.channels.len(), steps.height / 8, steps.width / 8)
        };
        for size in [(500, 375), (375, 500), (1, 1), (30, 4000)] {
            assert_eq!(blocks("dctnet-24", size.0, size.1), (24, 56, 56));
        }
        assert_eq!(blocks("dctnet-192", 500, 375), (192, 56, 56));
        assert_eq!(blocks("dctnet-mobilenet-32", 500, 375), (32, 112, 112));
        // 640 x 480 becomes 1067 x 800, padded to 1088 x 800.
        assert_eq!(blocks("dctnet-detection-64", 640, 480), (64, 200, 272));
    }

    #[test]
    fn other_names_are_none() {
        for name in ["dctnet-25", "dctnet-mobilenet-64", "dctnet-detection-6", "dctnet", "native-024", "-24", ""] {
            assert!(preset(name).is_none(), "{name}");
        }
    }
}
