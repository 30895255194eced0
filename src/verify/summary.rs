//! What many images say together.
//!
//! What enters: one [`ImageReport`] after another. What leaves: a [`Summary`], the line of a table. Which image said
//! what is not kept.

use serde::Serialize;

use super::ImageReport;

/// Mean and smallest value of a figure in dB, over the images that have one.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// Images that have the figure; an image without error or without signal has none.
    pub images: u64,
    /// Mean, `None` without images.
    pub mean: Option<f64>,
    /// Smallest, `None` without images.
    pub min: Option<f64>,
}

impl Spread {
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        let sum = self.mean.unwrap_or(0.0) * self.images as f64 + value;
        self.images += 1;
        self.mean = Some(sum / self.images as f64);
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
    }
}

/// The figures of many images, in units of dequantised coefficients.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Images compared.
    pub images: u64,
    /// Values compared with the reference.
    pub values: u64,
    /// Values that were infinite or not a number.
    pub non_finite: u64,
    /// Values the element type could not hold.
    pub saturated: u64,
    /// Largest difference from the reference.
    pub max: f64,
    /// Root mean square of all differences from the reference.
    pub rms: f64,
    /// Largest figure that a tolerance is compared with, [`ImageReport::excess`].
    pub excess: f64,
    /// SNR against the reference.
    pub snr_exact: Spread,
    /// SNR against the pixel path, all channels that can be compared with it.
    pub snr_real: Spread,
    /// The same, Y channels.
    pub snr_real_luma: Spread,
    /// The same, Cb and Cr channels.
    pub snr_real_chroma: Spread,
    /// Mean share of clipped samples, over the images with a pixel path; `None` without any.
    pub clipped: Option<f64>,
    /// Images with a pixel path.
    pub images_real: u64,
}

impl Summary {
    /// Takes one more image.
    pub fn add(&mut self, image: &ImageReport) {
        let exact = &image.exact;
        let finite = |values: u64, non_finite: u64| (values - non_finite) as f64;
        let squares = self.rms.powi(2) * finite(self.values, self.non_finite)
            + exact.rms.powi(2) * finite(exact.values, exact.non_finite);
        self.images += 1;
        self.values += exact.values;
        self.non_finite += exact.non_finite;
        self.saturated += image.saturated;
        self.max = self.max.max(exact.max);
        self.excess = self.excess.max(image.excess());
        self.rms = (squares / finite(self.values, self.non_finite).max(1.0)).sqrt();
        self.snr_exact.add(exact.snr_db);
        if let Some(real) = &image.real {
            self.snr_real.add(real.all.and_then(|d| d.snr_db));
            self.snr_real_luma.add(real.luma.and_then(|d| d.snr_db));
            self.snr_real_chroma.add(real.chroma.and_then(|d| d.snr_db));
            let sum = self.clipped.unwrap_or(0.0) * self.images_real as f64 + real.clipped;
            self.images_real += 1;
            self.clipped = Some(sum / self.images_real as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Sums;

    #[test]
    fn figures_of_two_images() {
        let image = |pairs: &[(f64, f64)]| {
            let mut sums = Sums::default();
            pairs.iter().for_each(|&(expected, found)| sums.add(expected, found, 0.0));
            let exact = sums.difference().unwrap();
            let (tensors, real, real_unavailable) = (Vec::new(), None, None);
            ImageReport { tensors, exact, scale: 2.0, saturated: 1, real, real_unavailable }
        };
        let mut summary = Summary::default();
        summary.add(&image(&[(10.0, 11.0), (0.0, 0.0)]));
        summary.add(&image(&[(10.0, 13.0), (0.0, f64::NAN)]));
        summary.add(&image(&[(5.0, 5.0)]));
        assert_eq!((summary.images, summary.values, summary.non_finite, summary.saturated), (3, 5, 1, 3));
        assert_eq!((summary.max, summary.excess), (3.0, f64::INFINITY));
        assert!((summary.rms - (10.0f64 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(summary.snr_exact.images, 2, "an exact image has no ratio");
        assert!((summary.snr_exact.min.unwrap() - 10.0 * (100.0f64 / 9.0).log10()).abs() < 1e-9);
        assert_eq!(summary.clipped, None);
    }
}
