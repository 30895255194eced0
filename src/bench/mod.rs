//! Wing: what decoding costs, beside other ways to the same or to pixels, in one run, one at a time.
//!
//! What enters: JPEG files in memory. What leaves: a [`Report`] with one row for each way. Nothing is read or written
//! here, and no tensor is made for use.
//!
//! Machines drift, so no way is measured before the others: images are taken in batches of tens of milliseconds, every
//! batch goes through every way, each pass beginning with another one, and this is done several times. A row is the sum
//! over the batches of the median over the repeats. A pass before the first, which is not measured, finds the images
//! that some way cannot read: they are left out of all.
//!
//! Two rows are libjpeg's (mozjpeg's build of it), and other rows are compared with them. That is only fair if libjpeg
//! has its SIMD; libjpeg is asked, and without it there are no such ratios.

mod chart;
mod clock;
mod contenders;
#[allow(unsafe_code)] // libjpeg is C
pub mod libjpeg;
pub mod pixels;
mod report;
pub mod stages;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub use chart::svg;
pub use clock::Clock;
pub use contenders::{PIXEL_PATH, TENSOR, YARDSTICK};
pub use report::{LeftOut, Report, Row, Scaling, Together};

use crate::corpus::{Window, run_ordered};
use crate::cpu::Cpu;
use crate::error::Result;
use crate::extractor::{ExtractScratch, Extraction, Extractor};
use crate::recipe::{ChannelSet, Recipe, RecipeError};
use crate::scans::DecodeOptions;
use contenders::{Contender, contenders};
use pixels::PixelPath;

/// Luma pixels of a batch: long enough that what a row keeps from image to image is in the caches, as it is in a run, and not
/// what the row before left there.
const BATCH_PIXELS: u64 = 1 << 23;

/// A file in memory.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name in reports.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How this crate decodes.
    pub decode: DecodeOptions,
    /// Passes that are measured, at least one.
    pub repeats: u32,
    /// Threads of the corpus run and of those on one image; with one there is neither.
    pub threads: usize,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A preset that is none: a fault of this crate.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Threads that cannot be started.
    #[error(transparent)]
    Threads(#[from] std::io::Error),
    /// An image that was read before and is not read again.
    #[error("{path}: {row}: read once, then refused: {reason}")]
    Changed {
        /// The image.
        path: String,
        /// The row.
        row: &'static str,
        /// What it says now.
        reason: String,
    },
}

/// Measures all rows.
///
/// # Errors
/// See [`BenchError`]; an image that cannot be read is no error, but is left out and named.
pub fn run(images: Vec<Image>, options: &Options) -> Result<Report, BenchError> {
    let mut rows = contenders(options.decode)?;
    let mut left_out = Vec::new();
    let mut check = Check::new(options.decode)?;
    let mut sound = Vec::new();
    for image in images {
        match check.image(&image.bytes, &mut rows) {
            Ok(pixels) => sound.push((image, pixels)),
            Err((row, reason)) => left_out.push(LeftOut { path: image.path, row: Some(row), reason }),
        }
    }
    let clock = Clock::best();
    let mut report = Report {
        jpegdct_version: env!("CARGO_PKG_VERSION"),
        clock: clock.name(),
        cpu: Cpu::detect().level().name(),
        optimised: !cfg!(debug_assertions),
        libjpeg_simd: libjpeg::has_simd(),
        repeats: options.repeats.max(1),
        images: sound.len() as u64,
        bytes: sound.iter().map(|(image, _)| image.bytes.len() as u64).sum(),
        luma_pixels: sound.iter().map(|(_, pixels)| pixels).sum(),
        pixel_path_snr_db: check.snr_db(),
        rows: Vec::new(),
        scaling: None,
        left_out,
    };
    if !sound.is_empty() {
        let times = measure(&sound, &mut rows, clock, report.repeats)?;
        report.rows = summarise(&report, &rows, &times);
        if options.threads > 1 {
            report.scaling = Some(scaling(&sound, options, report.repeats)?);
        }
    }
    Ok(report)
}

/// The pass before the first.
struct Check {
    extractor: Extractor,
    scratch: ExtractScratch,
    pixel_path: PixelPath,
    signal: f64,
    noise: f64,
}

impl Check {
    fn new(decode: DecodeOptions) -> Result<Check, RecipeError> {
        // The edge that pixels have.
        let mut recipe = Recipe::load("native-24")?;
        recipe.set("edge", "replicate")?;
        let extractor = Extractor::new(recipe, decode)?;
        let pixel_path = PixelPath::new(&ChannelSet::default());
        Ok(Check { extractor, scratch: ExtractScratch::default(), pixel_path, signal: 0.0, noise: 0.0 })
    }

    /// Every row reads the image once. Its luma pixels, or the first row that cannot and why.
    fn image(&mut self, bytes: &[u8], rows: &mut [Contender]) -> Result<u64, (&'static str, String)> {
        let extraction =
            self.extractor.extract(bytes, "", &mut self.scratch).map_err(|error| (TENSOR, error.to_string()))?;
        for row in rows {
            row.run(bytes).map_err(|reason| (row.id, reason))?;
        }
        let pixels = self.pixel_path.tensor(bytes).map_err(|error| (PIXEL_PATH, error.to_string()))?;
        if let Some(view) = extraction.tensors.first().and_then(|tensor| tensor.view_f32()) {
            for (&ours, theirs) in view.iter().zip(pixels) {
                self.signal += f64::from(ours).powi(2);
                self.noise += f64::from(ours - theirs).powi(2);
            }
        }
        let frame = &extraction.summary.info.frame;
        Ok(u64::from(frame.width) * u64::from(frame.height))
    }

    fn snr_db(&self) -> Option<f64> {
        (self.signal > 0.0 && self.noise > 0.0).then(|| 10.0 * (self.signal / self.noise).log10())
    }
}

/// Time of each row, batch and repeat.
type Times = Vec<Vec<Vec<Duration>>>;

fn measure(images: &[(Image, u64)], rows: &mut [Contender], clock: Clock, repeats: u32) -> Result<Times, BenchError> {
    let batches = batches(images);
    let mut times = vec![vec![Vec::new(); batches.len()]; rows.len()];
    for repeat in 0..repeats as usize {
        for (number, batch) in batches.iter().enumerate() {
            for turn in 0..rows.len() {
                let index = (turn + number + repeat) % rows.len();
                let row = &mut rows[index];
                let start = clock.now();
                for (image, _) in *batch {
                    row.run(&image.bytes).map_err(|reason| BenchError::Changed {
                        path: image.path.clone(),
                        row: row.id,
                        reason,
                    })?;
                }
                times[index][number].push(clock.now().saturating_sub(start));
            }
        }
    }
    Ok(times)
}

/// Consecutive images until there are enough pixels.
fn batches(images: &[(Image, u64)]) -> Vec<&[(Image, u64)]> {
    let mut batches = Vec::new();
    let (mut start, mut pixels) = (0, 0);
    for (index, (_, size)) in images.iter().enumerate() {
        pixels += size;
        if pixels >= BATCH_PIXELS || index + 1 == images.len() {
            batches.push(&images[start..=index]);
            (start, pixels) = (index + 1, 0);
        }
    }
    batches
}

fn summarise(report: &Report, rows: &[Contender], times: &Times) -> Vec<Row> {
    let seconds: Vec<f64> = times.iter().map(|row| row.iter().map(|batch| median(batch)).sum()).collect();
    let of = |id: &str| rows.iter().position(|row| row.id == id).map(|index| seconds[index]);
    let (yardstick, pixel_path) = (of(YARDSTICK), of(PIXEL_PATH));
    let row = |(index, row): (usize, &Contender)| {
        // A clock that did not move gives no speed; the shortest time there is keeps every figure finite.
        let seconds = seconds[index].max(1e-9);
        let speed = |other: Option<f64>| other.filter(|_| report.libjpeg_simd).map(|other| other / seconds);
        Row {
            id: row.id,
            name: row.name,
            own: row.own,
            ns_per_pixel: seconds * 1e9 / report.luma_pixels.max(1) as f64,
            mb_per_s: report.bytes as f64 / 1e6 / seconds,
            images_per_s: report.images as f64 / seconds,
            speed_vs_libjpeg: speed(yardstick),
            speed_vs_pixel_path: speed(pixel_path),
            spread: spread(&times[index]),
        }
    };
    rows.iter().enumerate().map(row).collect()
}

/// In seconds; 0 of nothing.
fn median(times: &[Duration]) -> f64 {
    let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    times.sort_by(f64::total_cmp);
    match times.len() {
        0 => 0.0,
        n if n % 2 == 1 => times[n / 2],
        n => (times[n / 2 - 1] + times[n / 2]) / 2.0,
    }
}

/// The longest pass over all batches less the shortest, over the median.
fn spread(batches: &[Vec<Duration>]) -> Option<f64> {
    let repeats = batches.first().map_or(0, Vec::len);
    let pass = |repeat| batches.iter().map(|batch: &Vec<Duration>| batch[repeat]).sum::<Duration>();
    let passes: Vec<Duration> = (0..repeats).map(pass).collect();
    let (&shortest, &longest) = (passes.iter().min()?, passes.iter().max()?);
    (repeats > 1).then(|| (longest - shortest).as_secs_f64() / median(&passes).max(1e-9))
}

/// The corpus run on one thread and on several, in turns.
fn scaling(images: &[(Image, u64)], options: &Options, repeats: u32) -> Result<Scaling, BenchError> {
    let extractor = Extractor::new(Recipe::load("native-24")?, options.decode)?;
    let mut times: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    for _ in 0..repeats {
        for threads in [1, options.threads] {
            let start = Instant::now();
            run_ordered(
                threads,
                Window::for_threads(threads),
                images,
                ExtractScratch::default,
                |scratch, (image, _)| extractor.extract(&image.bytes, &image.path, scratch),
                (|_| 0, weight_of),
                |_| ControlFlow::Continue(()),
            )?;
            times.entry(threads).or_default().push(start.elapsed());
        }
    }
    let images_per_s = |threads| images.len() as f64 / times.get(&threads).map_or(0.0, |times| median(times)).max(1e-9);
    let (one, all) = (images_per_s(1), images_per_s(options.threads));
    let together = together(images, options, repeats)?;
    Ok(Scaling { threads: options.threads, images_per_s_1: one, images_per_s_n: all, speedup: all / one, together })
}

/// Each image by one thread and by several, in turns, after a pass that is not measured.
fn together(images: &[(Image, u64)], options: &Options, repeats: u32) -> Result<Vec<Together>, BenchError> {
    let mut rows = contenders::together(options.decode, options.threads)?;
    let pixels: u64 = images.iter().map(|(_, pixels)| pixels).sum();
    let mut found = Vec::new();
    for pair in &mut rows {
        let mut times = [0.0; 2];
        for (image, _) in images {
            let mut of_image = [Vec::new(), Vec::new()];
            for repeat in 0..=repeats {
                for (row, times) in pair.iter_mut().zip(&mut of_image) {
                    let start = Instant::now();
                    row.run(&image.bytes).map_err(|reason| BenchError::Changed {
                        path: image.path.clone(),
                        row: row.id,
                        reason,
                    })?;
                    times.extend((repeat > 0).then(|| start.elapsed()));
                }
            }
            times.iter_mut().zip(&of_image).for_each(|(sum, times)| *sum += median(times));
        }
        let [one, several] = times.map(|seconds| seconds.max(1e-9) * 1e9 / pixels.max(1) as f64);
        let Contender { id, name, .. } = pair[0];
        found.push(Together { id, name, ns_per_pixel_1: one, ns_per_pixel_n: several, speedup: one / several });
    }
    Ok(found)
}

/// Bytes of its tensors.
fn weight_of(extraction: &Result<Extraction>) -> u64 {
    let tensors = extraction.as_ref().map_or(&[][..], |extraction| &extraction.tensors);
    tensors.iter().map(|tensor| tensor.values.bytes().len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|&ms| Duration::from_millis(ms)).collect()
    }

    fn image(pixels: u64) -> (Image, u64) {
        (Image { path: String::new(), bytes: Vec::new() }, pixels)
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&ms(&[9, 1, 5])), 0.005);
        assert_eq!(median(&ms(&[4, 1, 2, 100])), 0.003);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn the_spread_is_that_of_whole_passes() {
        // Passes of 30, 40 and 20 ms.
        let found = spread(&[ms(&[10, 30, 10]), ms(&[20, 10, 10])]).unwrap();
        assert!((found - 20.0 / 30.0).abs() < 1e-12);
        assert_eq!(spread(&[ms(&[10])]), None);
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn every_image_is_in_one_batch() {
        let sizes = [1, BATCH_PIXELS - 1, 3 * BATCH_PIXELS, 5, 6];
        let images = sizes.map(image);
        let found: Vec<Vec<u64>> =
            batches(&images).iter().map(|batch| batch.iter().map(|(_, pixels)| *pixels).collect()).collect();
        assert_eq!(found, [vec![1, BATCH_PIXELS - 1], vec![3 * BATCH_PIXELS], vec![5, 6]]);
        assert!(batches(&[]).is_empty());
    }

    fn report(libjpeg_simd: bool) -> (Report, Times) {
        let rows = contenders(DecodeOptions::default()).unwrap();
        // Row number n takes n + 1 ms in each of two batches.
        let times: Times = (1..=rows.len() as u64).map(|n| vec![ms(&[n]), ms(&[n])]).collect();
        let mut report = Report {
            jpegdct_version: "0",
            clock: Clock::Wall.name(),
            cpu: "portable",
            optimised: true,
            libjpeg_simd,
            repeats: 1,
            images: 4,
            bytes: 8000,
            luma_pixels: 2000,
            pixel_path_snr_db: None,
            rows: Vec::new(),
            scaling: None,
            left_out: Vec::new(),
        };
        report.rows = summarise(&report, &rows, &times);
        (report, times)
    }

    #[test]
    fn figures_are_those_of_the_times() {
        let (report, _) = report(true);
        let row = |id: &str| report.rows.iter().find(|row| row.id == id).unwrap();
        let first = row(YARDSTICK);
        assert!((first.ns_per_pixel - 1000.0).abs() < 1e-9, "2 ms for 2000 pixels");
        assert!((first.images_per_s - 2000.0).abs() < 1e-6 && (first.mb_per_s - 4.0).abs() < 1e-9);
        assert_eq!(first.speed_vs_libjpeg, Some(1.0));
        assert_eq!(row(PIXEL_PATH).speed_vs_pixel_path, Some(1.0));
        for row in &report.rows {
            let speed = first.ns_per_pixel / row.ns_per_pixel;
            assert!((row.speed_vs_libjpeg.unwrap() - speed).abs() < 1e-9);
        }
    }

    #[test]
    fn without_simd_there_is_no_baseline() {
        let (report, _) = report(false);
        assert!(report.rows.iter().all(|row| row.speed_vs_libjpeg.is_none() && row.speed_vs_pixel_path.is_none()));
        assert!(report.rows.iter().all(|row| row.ns_per_pixel > 0.0));
        assert!(!svg(&report).contains("stroke-dasharray"), "no line for what is no baseline");
    }

    #[test]
    fn the_chart_has_a_bar_a_row() {
        let (report, _) = report(true);
        let text = svg(&report);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        // One for the background.
        assert_eq!(text.matches("<rect ").count(), report.rows.len() + 1);
        assert!(report.rows.iter().all(|row| text.contains(&format!(">{}<", row.name))));
    }
}
