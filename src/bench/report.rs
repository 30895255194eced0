//! What was measured, as data.

use serde::Serialize;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Version of jpegdct.
    pub jpegdct_version: &'static str,
    /// What was measured: `CPU time` (of the process, which does nothing else meanwhile) or `wall-clock time`.
    pub clock: &'static str,
    /// Level of the processor that this crate's kernels and the pixel path's DCT use: `portable`, `v3`, `v4`.
    pub cpu: &'static str,
    /// Whether the program was built with optimisation.
    pub optimised: bool,
    /// Whether libjpeg uses SIMD. Without it libjpeg is no baseline, and ratios to it are `None`.
    pub libjpeg_simd: bool,
    /// Passes over the images that were measured.
    pub repeats: u32,
    /// Images measured.
    pub images: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Their pixels, width times height.
    pub luma_pixels: u64,
    /// 10 log10 of signal over difference between the tensor of row `native-24-f32` and that of the pixel path, which
    /// rounds pixels to 8 bits, in dB.
    pub pixel_path_snr_db: Option<f64>,
    /// One row for each way to read them; none if there are no images.
    pub rows: Vec<Row>,
    /// The corpus run on one thread and on several.
    pub scaling: Option<Scaling>,
    /// Inputs left out of every row.
    pub left_out: Vec<LeftOut>,
}

/// One way to read the images.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// Name for programs.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Whether it is this crate's own work alone.
    pub own: bool,
    /// Nanoseconds for one luma pixel: medians over the repeats, summed over the images.
    pub ns_per_pixel: f64,
    /// Megabytes (10^6) of JPEG a second.
    pub mb_per_s: f64,
    /// Images a second.
    pub images_per_s: f64,
    /// How many times faster than libjpeg's coefficients; `None` if that is no baseline.
    pub speed_vs_libjpeg: Option<f64>,
    /// How many times faster than the pixel path, which libjpeg does most of; `None` if that is no baseline.
    pub speed_vs_pixel_path: Option<f64>,
    /// The longest repeat less the shortest, over the median; `None` for one repeat.
    pub spread: Option<f64>,
}

/// What several threads gain, in wall-clock time: in the corpus run (the tensor of row `native-24-f32`, files in memory,
/// nothing written), and together on one image after another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scaling {
    /// Threads of the second figure.
    pub threads: usize,
    /// Images a second on one thread.
    pub images_per_s_1: f64,
    /// Images a second on all of them.
    pub images_per_s_n: f64,
    /// The second over the first.
    pub speedup: f64,
    /// All threads on each image.
    pub together: Vec<Together>,
}

/// A row's work, done by one thread and by several on each image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Together {
    /// The row.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Nanoseconds for one luma pixel on one thread: medians over the repeats, summed over the images.
    pub ns_per_pixel_1: f64,
    /// The same on all of them.
    pub ns_per_pixel_n: f64,
    /// The first over the second.
    pub speedup: f64,
}

/// An input that is in no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path.
    pub path: String,
    /// The row that cannot read it; `None` if it could not even be loaded.
    pub row: Option<&'static str>,
    /// Why.
    pub reason: String,
}
