//! The steps of a recipe's geometry on one component's samples.
//!
//! What enters: the [`Steps`] of an image, which hold sizes and offsets. What leaves: the steps on samples, ending in whole
//! blocks. Whether sizes and offsets are right is not checked here; their own tests state them by hand.

use super::samples::Step;
use crate::markers::{ColorModel, ImageInfo};
use crate::recipe::geometry::Filter;
use crate::recipe::steps::{Fill, Step as Spatial, Steps};

/// The steps of component `index`, whose samples fill the frame.
pub fn component_steps(steps: &Steps, info: &ImageInfo, index: usize) -> Vec<Step> {
    let is_chroma = info.color == ColorModel::YCbCr && index > 0;
    let (mut width, mut height) = (info.frame.width as usize, info.frame.height as usize);
    let mut made = Vec::new();
    for step in &steps.steps {
        match *step {
            Spatial::Transpose => {
                (width, height) = (height, width);
                made.push(Step::Transpose);
            }
            Spatial::FlipX => made.push(Step::FlipX),
            Spatial::FlipY => made.push(Step::FlipY),
            Spatial::Resize { width: w, height: h, filter, antialias } => {
                (width, height) = (w as usize, h as usize);
                made.push(Step::Resize { width, height, filter, antialias });
            }
            Spatial::Window { x, y, width: w, height: h, fill } => {
                (width, height) = (w as usize, h as usize);
                let outside = match fill {
                    Fill::Edge => None,
                    Fill::Grey(_) if is_chroma => Some(0),
                    // 128 of 255 is the middle of the range at any precision.
                    Fill::Grey(grey) => Some((i32::from(grey) - 128) * (1 << (info.frame.precision.max(8) - 8))),
                };
                made.push(Step::Window { x, y, width, height, outside });
            }
            Spatial::Upscale { luma, chroma, average } => {
                let (factor, average) = if is_chroma { (chroma, average) } else { (luma, 1) };
                (width, height) = (width * factor as usize, height * factor as usize);
                made.push(Step::Resize { width, height, filter: Filter::Bilinear, antialias: false });
                made.push(Step::Average(average as usize));
                (width, height) = (width.div_ceil(average as usize), height.div_ceil(average as usize));
            }
        }
    }
    made.push(Step::Extend { width: width.next_multiple_of(8), height: height.next_multiple_of(8) });
    made
}
