//! The planes of a tensor as a labelled mosaic.

use ndarray::{ArrayView2, ArrayView3};

use super::canvas::{Colour, LINE, Picture};
use super::channel_name;

const GAP: usize = 4;
const PAPER: Colour = [255; 3];
const INK: Colour = [60; 3];

/// Negative and positive coefficients at full strength; zero is white between them.
const NEGATIVE: Colour = [33, 102, 172];
const POSITIVE: Colour = [178, 24, 43];

/// Share of coefficients, at each end, that are beyond the range of colours: one bright edge shall not make all else pale.
const CLIPPED: f32 = 0.01;

/// How planes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// By frequency: v down, u across; Y to the left, Cb and Cr beside it.
    Square,
    /// One after another, so many a row.
    Rows(usize),
}

/// Where everything is in a mosaic.
struct Plan {
    /// Column and row of each plane.
    places: Vec<(usize, usize)>,
    /// From one column, and from one row, to the next.
    across: usize,
    down: usize,
    /// Of the picture.
    width: usize,
    height: usize,
}

impl Plan {
    fn of((count, high, wide): (usize, usize, usize), channels: &[usize], shape: Shape, scale: usize) -> Plan {
        let scale = scale.max(1);
        let cell = wide.saturating_mul(scale).max(Picture::text_width("Cb 0,0"));
        let (across, down) = (cell.saturating_add(GAP), high.saturating_mul(scale).saturating_add(LINE + GAP));
        let places = places(count, channels, shape);
        let columns = places.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
        let rows = places.iter().map(|(_, row)| row + 1).max().unwrap_or(0);
        let (width, height) = (columns.saturating_mul(across), rows.saturating_mul(down));
        Plan { places, across, down, width: width.saturating_add(GAP), height: height.saturating_add(GAP) }
    }
}

/// How many pixels [`planes`] would draw of a tensor of these lengths (C, H, W). It takes three bytes for each, and PNG
/// as much again.
pub fn pixels_of(lengths: (usize, usize, usize), channels: &[usize], shape: Shape, scale: usize) -> u64 {
    let plan = Plan::of(lengths, channels, shape, scale);
    (plan.width as u64).saturating_mul(plan.height as u64)
}

/// Draws a tensor (C, H, W). `channels` names each plane by its place among all 192; a plane more than there are names has
/// a number. DC planes are grey from dark to light; all others blue where negative, red where positive, each with its
/// own contrast. `scale` pixels are drawn for a coefficient; [`pixels_of`] tells beforehand how large the picture is.
pub fn planes(tensor: ArrayView3<'_, f32>, channels: &[usize], shape: Shape, scale: usize) -> Picture {
    let scale = scale.max(1);
    let Plan { places, across, down, width, height } = Plan::of(tensor.dim(), channels, shape, scale);
    let mut picture = Picture::new(width, height, PAPER);
    for (index, (plane, (column, row))) in tensor.outer_iter().zip(places).enumerate() {
        let (x, y) = (GAP + column * across, GAP + row * down);
        let name = channels.get(index).map_or_else(|| index.to_string(), |&channel| channel_name(channel));
        picture.text(x, y, &name, INK);
        let is_dc = channels.get(index).is_some_and(|channel| channel.is_multiple_of(64));
        draw(&mut picture, plane, x, y + LINE, scale, is_dc);
    }
    picture
}

/// Column and row of each plane.
fn places(count: usize, channels: &[usize], shape: Shape) -> Vec<(usize, usize)> {
    if let (Shape::Square, true) = (shape, channels.len() == count) {
        let side = |component: usize| {
            let of_component = channels.iter().filter(|&&channel| channel / 64 == component);
            let (v, u): (Vec<usize>, Vec<usize>) = of_component.map(|c| (c % 64 / 8 + 1, c % 8 + 1)).unzip();
            (v.into_iter().max().unwrap_or(0), u.into_iter().max().unwrap_or(0))
        };
        let [(_, y_wide), (cb_high, _), _] = [0, 1, 2].map(side);
        return channels
            .iter()
            .map(|&channel| {
                let (v, u) = (channel % 64 / 8, channel % 8);
                match channel / 64 {
                    0 => (u, v),
                    1 => (y_wide + u, v),
                    _ => (y_wide + u, cb_high + v),
                }
            })
            .collect();
    }
    let wide = if let Shape::Rows(wide) = shape { wide.max(1) } else { 8 };
    (0..count).map(|index| (index % wide, index / wide)).collect()
}

fn draw(picture: &mut Picture, plane: ArrayView2<'_, f32>, x: usize, y: usize, scale: usize, is_dc: bool) {
    let mut sorted: Vec<f32> = plane.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let at =
        |share: f32| sorted.get(((sorted.len().saturating_sub(1)) as f32 * share) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(CLIPPED), at(1.0 - CLIPPED));
    let span = low.abs().max(high.abs()).max(1e-6);
    for ((row, column), &value) in plane.indexed_iter() {
        let colour = if is_dc {
            let grey = (255.0 * ((value - low) / (high - low).max(1e-6)).clamp(0.0, 1.0)) as u8;
            [grey; 3]
        } else {
            signed(value / span)
        };
        picture.fill(x + column * scale, y + row * scale, scale, scale, colour);
    }
}

/// -1 is blue, 0 white, 1 red. The square root makes small coefficients visible.
fn signed(value: f32) -> Colour {
    let strength = value.abs().min(1.0).sqrt();
    let end = if value < 0.0 { NEGATIVE } else { POSITIVE };
    end.map(|channel| (255.0 + (f32::from(channel) - 255.0) * strength) as u8)
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn every_plane_has_its_place_and_signs_have_colours() {
        let channels = [0, 1, 8, 64, 65, 128];
        assert_eq!(places(6, &channels, Shape::Square), [(0, 0), (1, 0), (0, 1), (2, 0), (3, 0), (2, 1)]);
        assert_eq!(
            places(5, &channels, Shape::Square)[4],
            (4, 0),
            "names that do not fit the planes do not place them"
        );
        assert_eq!(places(6, &channels, Shape::Rows(4))[5], (1, 1));

        let mut tensor = Array3::zeros((6, 2, 2));
        tensor[[1, 0, 0]] = -5.0;
        tensor[[1, 1, 1]] = 5.0;
        let picture = planes(tensor.view(), &channels, Shape::Square, 30);
        let pixels = (picture.width() * picture.height()) as u64;
        assert_eq!(pixels_of(tensor.dim(), &channels, Shape::Square, 30), pixels);
        assert_eq!(pixels_of((192, usize::MAX, 9), &channels, Shape::Square, 64), u64::MAX);
        let (x, y) = (GAP + 60 + GAP, GAP + LINE);
        assert_eq!(picture.get(x, y), Some(NEGATIVE));
        assert_eq!(picture.get(x + 59, y + 59), Some(POSITIVE));
        assert_eq!(picture.get(x + 59, y), Some([255; 3]));
    }
}
