//! Wing: frequency planes and energy maps as pictures, for people to look at.
//!
//! What enters: a tensor, or a number for each frequency. What leaves: a [`Picture`], and from it the bytes of a PNG.
//! Nothing that is drawn goes back into a tensor.

mod canvas;
mod maps;
mod planes;

pub use canvas::{Colour, Picture};
pub use maps::energy_maps;
pub use planes::{Shape, pixels_of, planes};

/// A short name of channel `c` of 192: component, vertical and horizontal frequency.
fn channel_name(channel: usize) -> String {
    let (component, c) = (["Y", "Cb", "Cr"][(channel / 64).min(2)], channel % 64);
    format!("{component} {},{}", c / 8, c % 8)
}
