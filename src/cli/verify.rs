//! `jpegdct verify`: tensors against the pixel path.
//!
//! Figures go to stdout: a table with a line a recipe and the worst files, or JSON lines. Inputs that could not be
//! compared are named on stderr.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use crate::Damage;
use crate::corpus::{self, Inputs};
use crate::verify::{ImageLine, ImageReport, Refusal, Spread, Summary, SummaryLine, Verifier, verify_all};
use serde::Serialize;

use super::args::VerifyArgs;
use super::extract;
use super::failure::{Failure, SOME_FAILED, SUCCESS};

/// What one recipe gave, over all images.
struct Column<'a> {
    name: &'a str,
    summary: Summary,
    differing: u64,
    failed: u64,
    /// Farthest from the reference first.
    farthest: Worst,
    /// Lowest SNR against the pixel path first.
    lowest: Worst,
}

/// The first few files in falling order of a figure.
struct Worst {
    keep: usize,
    files: Vec<(f64, String, String)>,
}

impl Worst {
    fn add(&mut self, order: f64, path: &str, text: impl FnOnce() -> String) {
        let place = self.files.partition_point(|(other, ..)| *other >= order);
        if place < self.keep {
            self.files.insert(place, (order, path.into(), text()));
            self.files.truncate(self.keep);
        }
    }
}

/// Runs the command.
pub fn run(args: &VerifyArgs) -> Result<u8, Failure> {
    let verifiers = verifiers(args)?;
    let mut columns: Vec<_> = args.recipes.iter().map(|name| Column::new(name, args.worst)).collect();
    let inputs = corpus::list(&args.input.inputs).complete()?.inputs;
    let mut out = BufWriter::new(io::stdout().lock());
    compare_all(args, &inputs, &verifiers, &mut columns, &mut out)?;
    if args.json {
        columns.iter().try_for_each(|column| column.write_json(args.tolerance, &mut out))?;
    } else {
        write_table(&columns, &mut out)?;
        columns.iter().try_for_each(|column| column.write_worst(args.tolerance, &mut out))?;
    }
    out.flush()?;
    let passed = columns.iter().all(Column::passed);
    Ok(if passed { SUCCESS } else { SOME_FAILED })
}

/// A verifier a recipe.
fn verifiers(args: &VerifyArgs) -> Result<Vec<Verifier>, Failure> {
    let options = args.limits.decode_options(Damage::Refuse);
    let verifier = |name: &String| {
        let recipe = extract::recipe(name, &args.changes)?;
        Verifier::new(recipe, options).map_err(Failure::usage)
    };
    args.recipes.iter().map(verifier).collect()
}

/// Compares every input under every recipe, in input order.
fn compare_all(
    args: &VerifyArgs,
    inputs: &Inputs,
    verifiers: &[Verifier],
    columns: &mut [Column<'_>],
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut written = Ok(());
    verify_all(inputs, verifiers, &args.limits.limits(), args.input.threads(), |path, reports| {
        say_refusals(path, &reports);
        for (column, report) in columns.iter_mut().zip(&reports) {
            column.add(path, report, args.tolerance);
            if args.json && written.is_ok() {
                let line = ImageLine::new(column.name, path, report, args.tolerance);
                written = write_line(&line, out);
            }
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(written?)
}

/// Names an input that has no figures, once for each reason.
fn say_refusals(path: &str, reports: &[Result<ImageReport, Refusal>]) {
    let mut said: Vec<&str> = Vec::new();
    for refusal in reports.iter().filter_map(|report| report.as_ref().err()) {
        if !said.contains(&refusal.reason.as_str()) {
            // Should stderr be gone, the figures still count the failure.
            let _ = writeln!(io::stderr(), "jpegdct: {path}: {}: {}", refusal.status.name(), refusal.reason);
            said.push(&refusal.reason);
        }
    }
}

fn write_line(line: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

impl<'a> Column<'a> {
    fn new(name: &'a str, keep: usize) -> Column<'a> {
        let worst = || Worst { keep, files: Vec::new() };
        let (farthest, lowest) = (worst(), worst());
        Column { name, summary: Summary::default(), differing: 0, failed: 0, farthest, lowest }
    }

    fn add(&mut self, path: &str, report: &Result<ImageReport, Refusal>, tolerance: f64) {
        let Ok(report) = report else {
            self.failed += 1;
            return;
        };
        self.summary.add(report);
        self.differing += u64::from(report.excess() > tolerance);
        self.farthest.add(report.excess(), path, || {
            let exact = &report.exact;
            let scale = if report.scale > 1.0 { format!(", tolerance x {:.1}", report.scale) } else { String::new() };
            format!("max {:.2e}, RMS {:.2e}, SNR {}{scale}", exact.max, exact.rms, decibel(exact.snr_db))
        });
        let Some(real) = &report.real else { return };
        let snr = |figure: &Option<crate::verify::Difference>| figure.and_then(|d| d.snr_db);
        if let Some(all) = snr(&real.all) {
            self.lowest.add(-all, path, || {
                let (luma, chroma) = (decibel(snr(&real.luma)), decibel(snr(&real.chroma)));
                let clipped = 100.0 * real.clipped;
                format!("SNR real {all:.1} dB (luma {luma}, chroma {chroma}), clipped {clipped:.2} %")
            });
        }
    }

    fn passed(&self) -> bool {
        self.differing == 0 && self.failed == 0
    }

    fn write_json(&self, tolerance: f64, out: &mut impl Write) -> io::Result<()> {
        let (differing, failed, summary) = (self.differing, self.failed, &self.summary);
        let passed = self.passed();
        write_line(
            &SummaryLine { kind: "summary", recipe: self.name, tolerance, passed, differing, failed, summary },
            out,
        )
    }

    fn write_worst(&self, tolerance: f64, out: &mut impl Write) -> io::Result<()> {
        if self.summary.images == 0 {
            return Ok(());
        }
        writeln!(out, "\n{}: {} beyond {tolerance:e}", self.name, images(self.differing))?;
        for (title, worst) in [("farthest from exact", &self.farthest), ("farthest from real", &self.lowest)] {
            if worst.files.is_empty() {
                continue;
            }
            writeln!(out, "  {title}:")?;
            for (_, path, text) in &worst.files {
                writeln!(out, "    {path}: {text}")?;
            }
        }
        Ok(())
    }
}

/// One line a recipe.
fn write_table(columns: &[Column<'_>], out: &mut impl Write) -> io::Result<()> {
    let width = columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0).max(6);
    writeln!(
        out,
        "{:width$}  {:>6}  {:>6}  {:>8}  {:>8}  {:>16}  {:>16}  {:>16}  {:>16}  {:>7}",
        "recipe", "images", "failed", "max", "RMS", "SNR exact (min)", "SNR real (min)", "luma", "chroma", "clipped"
    )?;
    for column in columns {
        let s = &column.summary;
        let figure = |value: f64| if s.images > 0 { format!("{value:.2e}") } else { "-".into() };
        writeln!(
            out,
            "{:width$}  {:>6}  {:>6}  {:>8}  {:>8}  {:>16}  {:>16}  {:>16}  {:>16}  {:>7}",
            column.name,
            s.images,
            column.failed,
            figure(s.max),
            figure(s.rms),
            spread(&s.snr_exact),
            spread(&s.snr_real),
            spread(&s.snr_real_luma),
            spread(&s.snr_real_chroma),
            s.clipped.map_or("-".into(), |share| format!("{:.2} %", 100.0 * share)),
        )?;
    }
    Ok(())
}

/// Mean and smallest.
fn spread(spread: &Spread) -> String {
    match (spread.mean, spread.min) {
        (Some(mean), Some(min)) => format!("{mean:.1} ({min:.1}) dB"),
        _ => "-".into(),
    }
}

fn decibel(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.1} dB"))
}

fn images(count: u64) -> String {
    format!("{count} {}", if count == 1 { "image" } else { "images" })
}
