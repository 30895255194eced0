//! `jpegdct bench`: what decoding costs, beside the alternatives.
//!
//! The table or the JSON object goes to stdout. Inputs that are left out are named on stderr.

use std::io::{self, BufWriter, Write};

use crate::bench::{self, Image, LeftOut, Options, Report, Row};
use crate::corpus::{self, Input, Inputs, Kind};
use crate::limits::LimitKind;
use crate::{Damage, Limits};
use anyhow::Context;

use super::args::BenchArgs;
use super::failure::{Failure, SOME_FAILED, SUCCESS};

/// Runs the command.
pub fn run(args: &BenchArgs) -> Result<u8, Failure> {
    let inputs = corpus::list(&args.input.inputs).complete()?.inputs;
    let (images, mut left_out) = load(sample(&inputs, args.sample as usize), &args.limits.limits());
    let decode = args.limits.decode_options(Damage::Refuse);
    let options = Options { decode, repeats: args.repeat, threads: args.input.threads() };
    let mut report = bench::run(images, &options)?;
    left_out.append(&mut report.left_out);
    report.left_out = left_out;

    for LeftOut { path, row, reason } in &report.left_out {
        let row = row.map_or(String::new(), |row| format!("{row}: "));
        // Should stderr be gone, the report still has them.
        let _ = writeln!(io::stderr(), "jpegdct: {path}: left out: {row}{reason}");
    }
    if !report.optimised {
        let _ = writeln!(io::stderr(), "jpegdct: this build is not optimised: its figures mean nothing");
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &report)?;
        out.write_all(b"\n")?;
    } else {
        write_table(&report, inputs.len(), &mut out)?;
    }
    out.flush()?;
    if let Some(path) = &args.svg {
        std::fs::write(path, bench::svg(&report)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let all_good = report.left_out.is_empty() && report.images > 0;
    Ok(if all_good { SUCCESS } else { SOME_FAILED })
}

/// At most `count` of the inputs, spread evenly, and all that could not be listed.
fn sample(inputs: &Inputs, count: usize) -> Vec<Input> {
    let (lost, there): (Vec<Input>, Vec<Input>) = inputs.iter().partition(|input| matches!(input.kind, Kind::Lost(_)));
    let taken = count.min(there.len());
    let mut sample = lost;
    sample.extend((0..taken).map(|index| there[index * there.len() / taken].clone()));
    sample
}

/// Reads them into memory, no more than the memory limit together.
fn load(inputs: Vec<Input>, limits: &Limits) -> (Vec<Image>, Vec<LeftOut>) {
    let (mut images, mut left_out, mut total) = (Vec::new(), Vec::new(), 0);
    for mut fed in corpus::feed(inputs, limits) {
        let path = fed.input.display();
        let mut bytes = Vec::new();
        let read = corpus::read(&mut fed, limits, &mut bytes)
            .and_then(|()| limits.check(LimitKind::Memory, total + bytes.len() as u64));
        match read {
            Ok(()) => {
                total += bytes.len() as u64;
                images.push(Image { path, bytes });
            }
            Err(error) => left_out.push(LeftOut { path, row: None, reason: error.to_string() }),
        }
    }
    (images, left_out)
}

fn write_table(report: &Report, inputs: usize, out: &mut impl Write) -> io::Result<()> {
    let left_out = report.left_out.len();
    writeln!(
        out,
        "{} of {inputs} inputs ({left_out} left out), {:.1} MB of JPEG, {:.1} million luma pixels; medians of {} interleaved \
         repeats, {}, CPU level {}",
        report.images,
        report.bytes as f64 / 1e6,
        report.luma_pixels as f64 / 1e6,
        report.repeats,
        report.clock,
        report.cpu,
    )?;
    if report.rows.is_empty() {
        return Ok(());
    }
    let width = report.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    writeln!(
        out,
        "\n{:width$}  {:>8}  {:>8}  {:>8}  {:>10}  {:>13}  {:>6}",
        "", "ns/pixel", "MB/s", "images/s", "vs libjpeg", "vs pixel path", "spread"
    )?;
    report.rows.iter().try_for_each(|row| write_row(row, width, out))?;
    writeln!(out)?;
    if report.libjpeg_simd {
        writeln!(
            out,
            "libjpeg has its SIMD. \"vs\" is how many times faster: than the first row, than the pixel path."
        )?;
    } else {
        writeln!(
            out,
            "libjpeg was built WITHOUT SIMD: no SIMD, not a baseline, so there are no ratios to it. Build with --features \
             mozjpeg-simd\nwhere nasm is installed."
        )?;
    }
    if let Some(snr) = report.pixel_path_snr_db {
        writeln!(out, "The pixel path's tensor is the same up to the rounding of its pixels: {snr:.1} dB.")?;
    }
    if let Some(scaling) = &report.scaling {
        writeln!(
            out,
            "Corpus run, native-24 f32, wall clock: {:.0} images/s on 1 thread, {:.0} on {} ({:.2} times).",
            scaling.images_per_s_1, scaling.images_per_s_n, scaling.threads, scaling.speedup
        )?;
        for row in &scaling.together {
            writeln!(
                out,
                "All on one image, {}, wall clock: {:.2} ns/pixel on 1 thread, {:.2} on {} ({:.2} times).",
                row.name, row.ns_per_pixel_1, row.ns_per_pixel_n, scaling.threads, row.speedup
            )?;
        }
    }
    Ok(())
}

fn write_row(row: &Row, width: usize, out: &mut impl Write) -> io::Result<()> {
    let speed = |speed: Option<f64>| speed.map_or("no SIMD".into(), |speed| format!("{speed:.2}"));
    writeln!(
        out,
        "{:width$}  {:>8.2}  {:>8.1}  {:>8.0}  {:>10}  {:>13}  {:>6}",
        row.name,
        row.ns_per_pixel,
        row.mb_per_s,
        row.images_per_s,
        speed(row.speed_vs_libjpeg),
        speed(row.speed_vs_pixel_path),
        row.spread.map_or("-".into(), |spread| format!("{:.0} %", 100.0 * spread)),
    )
}
