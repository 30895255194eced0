//! Resizing, by the two families of rules that data loaders use.
//!
//! What enters: sizes, a filter, and whether shrinking is antialiased. What leaves: a map whose rows sum to 1. Rounding
//! to 8 bits, which both families do between the axes and at the end, is not done here.
//!
//! | filter | `antialias` (PIL, torchvision): the support grows with the ratio | otherwise (cv2) |
//! |---|---|---|
//! | nearest  | input floor((o + 1/2) s)             | input floor(o s) |
//! | bilinear | triangle of half-width 1             | 2 taps, border replicate |
//! | area     | box of half-width 1/2                | exact area of the output sample, whatever the ratio |
//! | bicubic  | a = -0.5                             | 4 taps, a = -0.75, border replicate |
//! | lanczos3 | half-width 3                         | 6 taps, normalised, border replicate (cv2 has only lanczos4) |
//!
//! s = n_in / n_out. PIL leaves taps outside the image out and normalises what remains; cv2 repeats the border sample.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::map::{AxisMap, Rows};

/// The interpolation of a resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Filter {
    /// One input sample.
    Nearest,
    /// Piecewise linear.
    Bilinear,
    /// Mean over the area of an output sample, INTER_AREA or BOX. cv2 looks at both axes: where one of them shrinks and
    /// the other grows, it takes two taps along both; here each axis is averaged on its own.
    Area,
    /// Piecewise cubic (Keys).
    Bicubic,
    /// Sinc windowed by the main lobe of a sinc of three times the width.
    Lanczos3,
}

impl Filter {
    /// Half the width of the kernel at scale 1, in input samples.
    fn support(self) -> f64 {
        match self {
            Filter::Nearest | Filter::Area => 0.5,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos3 => 3.0,
        }
    }

    /// The kernel at distance x from its centre, with PIL's constants.
    fn kernel(self, x: f64) -> f64 {
        match self {
            // Half open, so that two outputs never share a sample at scale 1.
            Filter::Nearest | Filter::Area => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Bicubic => keys(x, -0.5),
            Filter::Lanczos3 => lanczos3(x),
        }
    }
}

/// Keys' cubic convolution kernel with parameter a.
fn keys(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((x - 5.0) * x + 8.0) * x * a - 4.0 * a
    } else {
        0.0
    }
}

fn lanczos3(x: f64) -> f64 {
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
}

impl AxisMap {
    /// `n_in` samples to `n_out` by the rules above. Equal sizes give the identity, whatever the filter.
    pub fn resize(n_in: usize, n_out: usize, filter: Filter, antialias: bool) -> AxisMap {
        AxisMap::resize_rows(n_in, n_out, 0..n_out, filter, antialias)
    }

    /// Outputs `rows` of a resize to `n_out`: `resize(..).then(&crop(..))` to the last bit, without making the rest.
    /// Rows beyond `n_out` are left out.
    pub fn resize_rows(n_in: usize, n_out: usize, rows: Range<usize>, filter: Filter, antialias: bool) -> AxisMap {
        let end = rows.end.min(n_out);
        let outputs = rows.start.min(end)..end;
        if n_in == n_out {
            return AxisMap::crop(n_in, outputs.start, outputs.len());
        }
        if filter == Filter::Nearest && !antialias {
            // floor(o * n_in / n_out) in whole numbers, free of the rounding of n_in / n_out.
            let mut rows = Rows::new(n_in, outputs.len());
            for o in outputs {
                rows.push_copy((o as u128 * n_in as u128 / n_out as u128) as i64);
            }
            return rows.finish();
        }
        resample(n_in, outputs, 0.0, n_in as f64 / n_out as f64, filter, antialias)
    }

    /// Output sample o covers `offset + o * scale .. offset + (o + 1) * scale` of the input: the general resize.
    ///
    /// `offset` and `scale` (finite, scale above 0) are in input samples and need not be whole; a scale above 1 shrinks.
    /// The window is clamped at the ends of the input and nowhere else, as PIL's `resize(box=...)` does. For
    /// torchvision's resized crop, whose resize clamps at the crop's own border, crop first:
    /// `crop(n, x, len).then(&resize(len, n_out, ..))`.
    pub fn resize_from(n_in: usize, n_out: usize, offset: f64, scale: f64, filter: Filter, antialias: bool) -> AxisMap {
        if n_in == n_out && offset == 0.0 && scale == 1.0 {
            return AxisMap::identity(n_in);
        }
        resample(n_in, 0..n_out, offset, scale, filter, antialias)
    }
}

/// The rows of the general resize for these outputs.
fn resample(n_in: usize, outputs: Range<usize>, offset: f64, scale: f64, filter: Filter, antialias: bool) -> AxisMap {
    let stretch = if antialias { scale.max(1.0) } else { 1.0 };
    let mut rows = Rows::new(n_in, outputs.len());
    let mut taps = Vec::new();
    for o in outputs {
        let (left, centre) = (offset + o as f64 * scale, offset + (o as f64 + 0.5) * scale);
        let start = match filter {
            Filter::Nearest => {
                rows.push_copy(split(if antialias { centre } else { left }).0);
                continue;
            }
            // Antialiasing is for shrinking; PIL's border, where what is outside is left out, is this one too.
            Filter::Bilinear if !antialias || scale <= 1.0 => {
                let (whole, fraction) = split(centre - 0.5);
                rows.push_between(whole, fraction);
                continue;
            }
            Filter::Area if !antialias => area_taps(&mut taps, n_in, left, scale),
            Filter::Bicubic if !antialias => interpolation_taps(&mut taps, centre, 2, |x| keys(x, -0.75)),
            Filter::Lanczos3 if !antialias => interpolation_taps(&mut taps, centre, 3, lanczos3),
            Filter::Bilinear => convolution_taps(&mut taps, n_in, centre, stretch, 1.0, |x| (1.0 - x.abs()).max(0.0)),
            _ => convolution_taps(&mut taps, n_in, centre, stretch, filter.support(), |x| filter.kernel(x)),
        };
        rows.push(start, &taps);
    }
    rows.finish()
}

/// The floor of x, saturated, and what is left of x. A truncation and a test: the function call that `floor` is on the
/// plainest x86-64 costs more than the rest of a bilinear row.
fn split(x: f64) -> (i64, f64) {
    let whole = x as i64;
    let whole = whole - i64::from(whole as f64 > x && whole > i64::MIN);
    (whole, x - whole as f64)
}

/// PIL's rule: samples whose centre may lie within the scaled support, clamped to the image, weights normalised.
#[inline]
fn convolution_taps(
    taps: &mut Vec<f64>,
    n_in: usize,
    centre: f64,
    stretch: f64,
    support: f64,
    kernel: impl Fn(f64) -> f64,
) -> i64 {
    let support = support * stretch;
    let first = ((centre - support + 0.5) as i64).clamp(0, n_in as i64);
    let end = ((centre + support + 0.5) as i64).clamp(first, n_in as i64);
    taps.clear();
    taps.extend((first..end).map(|x| kernel((x as f64 - centre + 0.5) / stretch)));
    if taps.iter().all(|&w| w == 0.0) {
        // A window wholly outside the image: the nearest sample.
        taps.clear();
        taps.push(1.0);
        return split(centre).0;
    }
    normalise(taps);
    first
}

/// cv2's rule: `2 * reach` taps around the position `centre - 1/2`.
fn interpolation_taps(taps: &mut Vec<f64>, centre: f64, reach: i64, kernel: impl Fn(f64) -> f64) -> i64 {
    let (whole, fraction) = split(centre - 0.5);
    taps.clear();
    taps.extend((1 - reach..=reach).map(|t| kernel(t as f64 - fraction)));
    normalise(taps);
    whole.saturating_add(1 - reach)
}

/// The area each input sample shares with `left .. left + scale`; what lies outside the image counts for its border.
/// cv2's own rule for enlarging, `fx = (o + 1) - (x + 1) / s`, is this area when the output sample is the narrower one.
fn area_taps(taps: &mut Vec<f64>, n_in: usize, left: f64, scale: f64) -> i64 {
    let right = left + scale;
    // Slivers that only the rounding of `scale` made are not counted.
    let sliver = 1e-9 * scale;
    let end = n_in.saturating_sub(1) as i64;
    let first = split(left + sliver).0.clamp(0, end);
    let last = ((right - sliver).ceil() as i64).saturating_sub(1).clamp(first, end);
    taps.clear();
    taps.extend((first..=last).map(|x| {
        let from = if x == first { left } else { x as f64 };
        let to = if x == last { right } else { (x + 1) as f64 };
        to - from
    }));
    normalise(taps);
    first
}

fn normalise(taps: &mut [f64]) {
    let sum: f64 = taps.iter().sum();
    // Exact sums stay exact: halves and quarters are not multiplied by a rounded reciprocal.
    if sum != 1.0 && sum != 0.0 {
        taps.iter_mut().for_each(|w| *w /= sum);
    }
}
