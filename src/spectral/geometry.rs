//! From the steps of an image to the steps of its two axes.
//!
//! What enters: [`Step`]s in two dimensions. What leaves: for each axis of the *stored* image a chain of [`AxisStep`]s, and
//! whether rows and columns are exchanged at the end. A transpose does not touch a sample: it exchanges the two chains, and
//! whoever stores the result exchanges u and v and the strides of the target.

use smallvec::SmallVec;

use super::axis::{self, AxisMap, Pad};
use crate::recipe::geometry::Filter;
use crate::recipe::steps::{Fill, Step, Steps};

/// Which steps of chroma and of luma differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Y, or R, G or B: what a grey value is stored in.
    Luma,
    /// Cb or Cr: neutral where the image is grey.
    Chroma,
}

/// A step along one axis. All its numbers are whole, so that equal chains are equal keys of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum AxisStep {
    Flip,
    Resize {
        to: usize,
        filter: Filter,
        antialias: bool,
    },
    /// Outside it is this level-shifted sample, or the nearest of the image.
    Window {
        offset: i64,
        len: usize,
        outside: Option<i32>,
    },
    /// cv2's bilinear enlargement by a whole factor.
    Enlarge(usize),
    /// The mean of so many samples.
    Average(usize),
    /// `Enlarge(2)` and `Average(2)` in one: the kernel \[1/8, 3/4, 1/8\].
    EnlargeAndAverage,
}

/// What becomes of one axis, in order.
pub(super) type AxisSteps = SmallVec<[AxisStep; 4]>;

/// The chains of the two axes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AxisChains {
    /// Along the stored rows' axis: what becomes of row numbers.
    pub vertical: AxisSteps,
    pub horizontal: AxisSteps,
    /// Whether the result's rows are the stored image's columns.
    pub transposed: bool,
}

impl AxisChains {
    /// The chains of one component; `precision` is the frame's, in bits a sample.
    pub fn new(steps: &Steps, role: Role, precision: u8) -> AxisChains {
        let (mut x, mut y, mut transposed) = (AxisSteps::new(), AxisSteps::new(), false);
        for step in &steps.steps {
            match *step {
                Step::Transpose => {
                    std::mem::swap(&mut x, &mut y);
                    transposed = !transposed;
                }
                Step::FlipX => push_flip(&mut x),
                Step::FlipY => push_flip(&mut y),
                Step::Resize { width, height, filter, antialias } => {
                    x.push(AxisStep::Resize { to: width as usize, filter, antialias });
                    y.push(AxisStep::Resize { to: height as usize, filter, antialias });
                }
                Step::Window { x: left, y: top, width, height, fill } => {
                    let outside = level(fill, role, precision);
                    x.push(AxisStep::Window { offset: left, len: width as usize, outside });
                    y.push(AxisStep::Window { offset: top, len: height as usize, outside });
                }
                Step::Upscale { luma, chroma, average } => {
                    for axis in [&mut x, &mut y] {
                        match (role, chroma, average) {
                            (Role::Luma, ..) => axis.extend((luma > 1).then_some(AxisStep::Enlarge(luma as usize))),
                            (Role::Chroma, 2, 2) => axis.push(AxisStep::EnlargeAndAverage),
                            (Role::Chroma, ..) => {
                                axis.extend((chroma > 1).then_some(AxisStep::Enlarge(chroma as usize)));
                                axis.extend((average > 1).then_some(AxisStep::Average(average as usize)));
                            }
                        }
                    }
                }
            }
        }
        if transposed {
            std::mem::swap(&mut x, &mut y);
        }
        AxisChains { vertical: y, horizontal: x, transposed }
    }
}

/// Two flips are none.
fn push_flip(axis: &mut AxisSteps) {
    if axis.last() == Some(&AxisStep::Flip) {
        axis.pop();
    } else {
        axis.push(AxisStep::Flip);
    }
}

/// The level-shifted sample that a window has outside the image. Greys are those of 8 bits, scaled to the precision.
fn level(fill: Fill, role: Role, precision: u8) -> Option<i32> {
    match (fill, role) {
        (Fill::Edge, _) => None,
        (Fill::Grey(_), Role::Chroma) => Some(0),
        (Fill::Grey(grey), Role::Luma) => Some((i32::from(grey) - 128) << precision.saturating_sub(8).min(8)),
    }
}

/// `map`, then the steps. `map` is `None` for the `samples` true samples as they are, so that a first resize reads them
/// directly.
pub(super) fn chain(mut map: Option<AxisMap>, samples: usize, steps: &[AxisStep]) -> AxisMap {
    let mut rest = steps;
    while let Some((&step, mut after)) = rest.split_first() {
        let n = map.as_ref().map_or(samples, AxisMap::n_out);
        let next = match (step, after.first()) {
            // Only the rows of a resize that the window keeps are made.
            (AxisStep::Resize { to, filter, antialias }, Some(&AxisStep::Window { offset, len, .. }))
                if offset >= 0 && offset as usize + len <= to =>
            {
                after = &after[1..];
                let rows = offset as usize..offset as usize + len;
                AxisMap::resize_rows(n, to, rows, of_recipe(filter), antialias)
            }
            // A window inside the image and a resize of it are one step.
            (AxisStep::Window { offset, len, .. }, Some(&AxisStep::Resize { to, filter, antialias }))
                if len > 0 && offset >= 0 && offset as usize + len <= n =>
            {
                after = &after[1..];
                AxisMap::resize(len, to, of_recipe(filter), antialias).shifted(n, offset as usize)
            }
            _ => one(n, step),
        };
        map = Some(match map {
            Some(map) => map.then(&next),
            None => next,
        });
        rest = after;
    }
    map.unwrap_or_else(|| AxisMap::identity(samples))
}

/// How many samples a step makes of `n`, and of how many each at most, for the memory of its map.
pub(super) fn extent(n: u64, step: AxisStep) -> (u64, u64) {
    match step {
        AxisStep::Flip => (n, 1),
        AxisStep::Window { len, .. } => (len as u64, 1),
        AxisStep::Enlarge(factor) => (n.saturating_mul(factor as u64), 2),
        AxisStep::Average(factor) => (n.div_ceil(factor.max(1) as u64), factor as u64),
        AxisStep::EnlargeAndAverage => (n, 3),
        AxisStep::Resize { to, filter, antialias } => {
            let shrinks = (n as f64 / to.max(1) as f64).max(1.0);
            let (width, fixed) = match filter {
                Filter::Nearest => (0.0, 1),
                Filter::Bilinear => (2.0, 2),
                Filter::Area => (1.0, 0),
                Filter::Bicubic => (4.0, 4),
                Filter::Lanczos3 => (6.0, 6),
            };
            let taps = if antialias || filter == Filter::Area { (width * shrinks).ceil() as u64 + 2 } else { fixed };
            (to as u64, taps)
        }
    }
}

fn one(n: usize, step: AxisStep) -> AxisMap {
    match step {
        AxisStep::Flip => AxisMap::flip(n),
        AxisStep::Resize { to, filter, antialias } => AxisMap::resize(n, to, of_recipe(filter), antialias),
        AxisStep::Window { offset, len, outside } => {
            let pad = outside.map_or(Pad::Edge, |sample| Pad::Constant(sample.into()));
            AxisMap::window(n, offset, len, pad)
        }
        AxisStep::Enlarge(factor) => AxisMap::resize(n, n * factor, axis::Filter::Bilinear, false),
        AxisStep::Average(factor) => AxisMap::average(n, factor),
        AxisStep::EnlargeAndAverage => AxisMap::smooth(n, &[0.125, 0.75, 0.125]),
    }
}

fn of_recipe(filter: Filter) -> axis::Filter {
    match filter {
        Filter::Nearest => axis::Filter::Nearest,
        Filter::Bilinear => axis::Filter::Bilinear,
        Filter::Area => axis::Filter::Area,
        Filter::Bicubic => axis::Filter::Bicubic,
        Filter::Lanczos3 => axis::Filter::Lanczos3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::recipe::Recipe;

    fn chains(text: &str, orientation: u8, role: Role) -> AxisChains {
        let geometry = Recipe::from_toml(&format!("[geometry]\n{text}")).unwrap().geometry;
        let steps = geometry.steps(40, 30, orientation, "", &Limits::default()).unwrap();
        AxisChains::new(&steps, role, 8)
    }

    #[test]
    fn turns_become_flips_of_stored_axes() {
        let of = |orientation| {
            let chains = chains("orient = true", orientation, Role::Luma);
            let flips = |axis: &[AxisStep]| !axis.is_empty();
            (chains.transposed, flips(&chains.horizontal), flips(&chains.vertical))
        };
        // Orientation 6: the result's columns count stored rows from the last.
        let expected = [
            (false, false, false),
            (false, true, false),
            (false, true, true),
            (false, false, true),
            (true, false, false),
            (true, false, true),
            (true, true, true),
            (true, true, false),
        ];
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(of), expected);
        assert_eq!(chains("orient = true\nrotate = 270", 6, Role::Luma), AxisChains::default(), "there and back");
    }

    #[test]
    fn luma_and_chroma_part_at_the_end() {
        let text = "pad = { size = [32, 48], value = 10 }\nupscale = { luma = 1, chroma = 2, average = 2 }";
        let window = |len, sample| AxisStep::Window { offset: 0, len, outside: Some(sample) };
        assert_eq!(chains(text, 1, Role::Luma).horizontal[..], [window(48, -118)]);
        assert_eq!(chains(text, 1, Role::Chroma).vertical[..], [window(32, 0), AxisStep::EnlargeAndAverage]);
        assert_eq!(level(Fill::Grey(0), Role::Luma, 12), Some(-2048));
    }

    #[test]
    fn the_short_cuts_are_the_long_way() {
        let resize = AxisStep::Resize { to: 60, filter: Filter::Bicubic, antialias: true };
        let window = AxisStep::Window { offset: 7, len: 40, outside: Some(-128) };
        let long = one(90, resize).then(&one(60, window));
        assert_eq!(chain(None, 90, &[resize, window]), long);
        assert_eq!(chain(Some(AxisMap::identity(90)), 90, &[resize, window]), long);
        assert_eq!(chain(None, 90, &[]), AxisMap::identity(90));
        let (window, resize) = (
            AxisStep::Window { offset: 7, len: 60, outside: None },
            AxisStep::Resize { to: 31, filter: Filter::Bilinear, antialias: true },
        );
        assert_eq!(chain(None, 90, &[window, resize]), one(90, window).then(&one(60, resize)));
        let enlarged = one(17, AxisStep::Enlarge(2)).then(&one(34, AxisStep::Average(2)));
        let samples: Vec<f64> = (0..17).map(|i| f64::from(i * i % 23)).collect();
        let short = one(17, AxisStep::EnlargeAndAverage).apply(&samples);
        assert!(enlarged.apply(&samples).iter().zip(short).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
