//! `jpegdct inspect`: what files hold.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use crate::corpus::{self, Fed, Inspection, Panicked, Window, run_ordered};
use crate::{Damage, DecodeOptions, Scratch};

use super::args::InspectArgs;
use super::failure::{Failure, SOME_FAILED, SUCCESS};

/// Runs the command.
pub fn run(args: &InspectArgs) -> Result<u8, Failure> {
    let inputs = corpus::list(&args.input.inputs).complete()?.inputs;
    let options = args.limits.decode_options(Damage::Keep);
    let threads = args.input.threads();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let mut failures = false;
    let mut arrivals = inputs.iter();
    run_ordered(
        threads,
        Window::for_threads(threads),
        corpus::feed(inputs.iter(), &options.limits),
        || (Vec::new(), Scratch::default()),
        |(buffer, scratch), fed| inspect(fed, &options, buffer, scratch),
        (Fed::held, |_| 0),
        |result| {
            let mut inspection = result.unwrap_or_else(|Panicked(message)| Inspection::failed(&message));
            inspection.path = arrivals.next().map(|input| input.display()).unwrap_or_default();
            failures |= inspection.status != "ok";
            written = if args.json { write_json(&inspection, &mut out) } else { write_text(&inspection, &mut out) };
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        },
    )?;
    written?;
    out.flush()?;
    Ok(if failures { SOME_FAILED } else { SUCCESS })
}

fn inspect(mut fed: Fed, options: &DecodeOptions, buffer: &mut Vec<u8>, scratch: &mut Scratch) -> Inspection {
    match corpus::read(&mut fed, &options.limits, buffer) {
        Ok(()) => Inspection::of(buffer, options, scratch),
        Err(error) => Inspection::refused(&error),
    }
}

fn write_json(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, inspection)?;
    out.write_all(b"\n")
}

/// A line for the file, one for what it is, one a component.
fn write_text(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: {}{}",
        inspection.path,
        inspection.status,
        inspection.error.iter().map(|e| format!(": {e}")).collect::<String>()
    )?;
    for warning in inspection.warnings.iter().filter(|warning| Some(*warning) != inspection.error.as_ref()) {
        writeln!(out, "  warning: {warning}")?;
    }
    // Only a file whose headers were read has any of these.
    if let (Some(process), Some(precision), Some(width), Some(height), Some(color)) =
        (inspection.process, inspection.precision, inspection.width, inspection.height, inspection.color)
    {
        write!(out, "  {width} x {height}, {color}, {precision} bit, {process}")?;
        if let Some(scans) = inspection.scans {
            write!(out, ", {scans} {}", if scans == 1 { "scan" } else { "scans" })?;
        }
        if let Some(interval @ 1..) = inspection.restart_interval {
            write!(out, ", restart every {interval} MCUs")?;
        }
        if let Some(orientation @ 2..) = inspection.orientation {
            write!(out, ", orientation {orientation}")?;
        }
        writeln!(out)?;
    }
    for c in &inspection.components {
        write!(out, "  component {:<3} {}x{}  {:>4} x {:<4} blocks  ", c.id, c.h, c.v, c.blocks_wide, c.blocks_high)?;
        match &c.quant_table {
            Some(table) => write!(out, "steps {}..{} (DC {})", min(table), max(table), table[0])?,
            None => write!(out, "no quantisation table")?,
        }
        writeln!(out, "  digest {}", c.digest)?;
    }
    Ok(())
}

fn min(table: &[u16]) -> u16 {
    table.iter().copied().min().unwrap_or(0)
}

fn max(table: &[u16]) -> u16 {
    table.iter().copied().max().unwrap_or(0)
}
