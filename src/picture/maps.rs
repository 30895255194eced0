//! Energy by frequency: three maps of 8 x 8.

use super::canvas::{Colour, LINE, Picture};

const CELL: usize = 36;
const MARGIN: usize = 14;
const INK: Colour = [40; 3];

/// The ends and the middle of the colours, dark to light.
const SCALE: [Colour; 5] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/// Draws Y, Cb and Cr side by side: v down, u across, a cell a frequency, with the root of its energy in figures. Colours
/// are on one logarithmic scale for all three, whose ends are written below. `energies[c]` is that of channel c of 192;
/// what is `None` is left out.
pub fn energy_maps(energies: &[Option<f64>; 192]) -> Picture {
    let rms = energies.map(|energy| energy.map(|energy| energy.max(0.0).sqrt()));
    let positive = || rms.iter().flatten().copied().filter(|rms| *rms > 0.0);
    let (low, high) = positive().fold((f64::INFINITY, 0.0f64), |(low, high), rms| (low.min(rms), high.max(rms)));
    let (low, high) = if low.is_finite() { (low.ln(), high.ln()) } else { (0.0, 0.0) };

    let map = 8 * CELL;
    let top = 2 * LINE + 6;
    let mut picture = Picture::new(3 * (map + MARGIN) + MARGIN, top + map + MARGIN + 2 * LINE, [255; 3]);
    for (component, name) in ["Y", "Cb", "Cr"].iter().enumerate() {
        let left = MARGIN + component * (map + MARGIN);
        picture.text(left, 3, name, INK);
        for k in 0..8 {
            picture.text(left + k * CELL + CELL / 2 - 2, LINE + 5, &k.to_string(), INK);
            picture.text(left - 8, top + k * CELL + CELL / 2 - 3, &k.to_string(), INK);
        }
        for c in 0..64 {
            let (x, y) = (left + c % 8 * CELL, top + c / 8 * CELL);
            let Some(rms) = rms[64 * component + c] else {
                picture.fill(x, y, CELL - 1, CELL - 1, [230; 3]);
                continue;
            };
            let share = if rms > 0.0 { (rms.ln() - low) / (high - low).max(1e-9) } else { 0.0 };
            picture.fill(x, y, CELL - 1, CELL - 1, colour(share));
            let figure = figure(rms);
            let ink = if share > 0.6 { [0; 3] } else { [255; 3] };
            let centre = (CELL - 1).saturating_sub(Picture::text_width(&figure)) / 2;
            picture.text(x + centre, y + CELL / 2 - 4, &figure, ink);
        }
    }
    // The scale.
    let y = top + map + 8;
    let text = (figure(low.exp()), figure(high.exp()));
    picture.text(MARGIN, y, "RMS", INK);
    let from = MARGIN + 24 + Picture::text_width(&text.0) + 6;
    picture.text(MARGIN + 24, y, &text.0, INK);
    for step in 0..200 {
        picture.fill(from + step, y, 1, 8, colour(step as f64 / 199.0));
    }
    picture.text(from + 206, y, &text.1, INK);
    picture
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn colour(share: f64) -> Colour {
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let below = (place as usize).min(SCALE.len() - 2);
    let part = place - below as f64;
    let mix = |k: usize| f64::from(SCALE[below][k]) * (1.0 - part) + f64::from(SCALE[below + 1][k]) * part;
    [0, 1, 2].map(|k| mix(k).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_light_the_smallest_dark_and_the_missing_grey() {
        let mut energies = [None; 192];
        (energies[0], energies[9], energies[64]) = (Some(1e6), Some(1.0), Some(0.0));
        let picture = energy_maps(&energies);
        let corner = |component: usize, v: usize, u: usize| {
            picture.get(MARGIN + component * (8 * CELL + MARGIN) + u * CELL, 2 * LINE + 6 + v * CELL)
        };
        assert_eq!(corner(0, 0, 0), Some(SCALE[4]));
        assert_eq!(corner(0, 1, 1), Some(SCALE[0]));
        assert_eq!(corner(1, 0, 0), Some(SCALE[0]), "no energy at all");
        assert_eq!(corner(2, 0, 0), Some([230; 3]));
        energy_maps(&[None; 192]);
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0.123, 9.996, 12.34, 99.96, 1023.6].map(figure), ["0.12", "10.0", "12.3", "100", "1024"]);
    }
}
