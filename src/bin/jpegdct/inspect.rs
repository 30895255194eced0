//! `jpegdct inspect`: what files hold.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use jpegdct::corpus::{self, Fed, Panicked, Window, run_ordered};
use jpegdct::{Coefficients, Damage, DecodeOptions, Error, Plane, Scratch, Warning};
use serde::Serialize;

use crate::args::InspectArgs;
use crate::failure::{Failure, SOME_FAILED};

/// One line of `inspect --json`. Names and order of fields are stable.
#[derive(Debug, Default, Serialize)]
struct Inspection {
    path: String,
    status: &'static str,
    error: Option<String>,
    warnings: Vec<String>,
    process: Option<&'static str>,
    precision: Option<u8>,
    width: Option<u32>,
    height: Option<u32>,
    color: Option<&'static str>,
    restart_interval: Option<u16>,
    orientation: Option<u8>,
    scans: Option<u32>,
    components: Vec<ComponentInspection>,
}

#[derive(Debug, Serialize)]
struct ComponentInspection {
    id: u8,
    h: u8,
    v: u8,
    blocks_wide: u32,
    blocks_high: u32,
    /// Row-major, `null` if the file defines none.
    quant_table: Option<Vec<u16>>,
    digest: String,
}

/// Runs the command.
pub fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
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
        |_| 0,
        |result| {
            let inspection = result.unwrap_or_else(|Panicked(message)| Inspection {
                status: "refused",
                error: Some(format!("a fault of the program: {message}")),
                ..Inspection::default()
            });
            let path = arrivals.next().map(|input| input.display()).unwrap_or_default();
            let inspection = Inspection { path, ..inspection };
            failures |= inspection.status != "ok";
            written = if args.json { inspection.write_json(&mut out) } else { inspection.write_text(&mut out) };
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        },
    )?;
    written?;
    out.flush()?;
    Ok(if failures { ExitCode::from(SOME_FAILED) } else { ExitCode::SUCCESS })
}

fn inspect(mut fed: Fed, options: &DecodeOptions, buffer: &mut Vec<u8>, scratch: &mut Scratch) -> Inspection {
    let decoded = corpus::read(&mut fed, &options.limits, buffer)
        .and_then(|()| Coefficients::decode_with(buffer, options, scratch));
    match decoded {
        Ok(coefficients) => Inspection::of(&coefficients),
        Err(error) => {
            let status = if matches!(error, Error::NotJpeg(_)) { "not_jpeg" } else { "refused" };
            Inspection { status, error: Some(error.to_string()), ..Inspection::default() }
        }
    }
}

impl Inspection {
    fn of(coefficients: &Coefficients) -> Inspection {
        let info = &coefficients.info;
        let damage = coefficients.warnings.iter().find(|warning| warning.is_damage());
        Inspection {
            path: String::new(),
            status: if damage.is_some() { "damaged" } else { "ok" },
            error: damage.map(Warning::to_string),
            warnings: coefficients.warnings.iter().map(Warning::to_string).collect(),
            process: Some(info.frame.process.name()),
            precision: Some(info.frame.precision),
            width: Some(info.frame.width),
            height: Some(info.frame.height),
            color: Some(info.color.name()),
            restart_interval: Some(info.restart_interval),
            orientation: Some(info.orientation),
            scans: Some(coefficients.scans),
            components: coefficients.planes.iter().map(ComponentInspection::of).collect(),
        }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// A line for the file, one for what it is, one a component.
    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{}: {}{}",
            self.path,
            self.status,
            self.error.iter().map(|e| format!(": {e}")).collect::<String>()
        )?;
        for warning in self.warnings.iter().filter(|warning| Some(*warning) != self.error.as_ref()) {
            writeln!(out, "  warning: {warning}")?;
        }
        // Only a file whose headers were read has any of these.
        if let (Some(process), Some(precision), Some(width), Some(height), Some(color)) =
            (self.process, self.precision, self.width, self.height, self.color)
        {
            write!(out, "  {width} x {height}, {color}, {precision} bit, {process}")?;
            if let Some(scans) = self.scans {
                write!(out, ", {scans} {}", if scans == 1 { "scan" } else { "scans" })?;
            }
            if let Some(interval @ 1..) = self.restart_interval {
                write!(out, ", restart every {interval} MCUs")?;
            }
            if let Some(orientation @ 2..) = self.orientation {
                write!(out, ", orientation {orientation}")?;
            }
            writeln!(out)?;
        }
        for c in &self.components {
            write!(
                out,
                "  component {:<3} {}x{}  {:>4} x {:<4} blocks  ",
                c.id, c.h, c.v, c.blocks_wide, c.blocks_high
            )?;
            match &c.quant_table {
                Some(table) => write!(out, "steps {}..{} (DC {})", min(table), max(table), table[0])?,
                None => write!(out, "no quantisation table")?,
            }
            writeln!(out, "  digest {}", c.digest)?;
        }
        Ok(())
    }
}

fn min(table: &[u16]) -> u16 {
    table.iter().copied().min().unwrap_or(0)
}

fn max(table: &[u16]) -> u16 {
    table.iter().copied().max().unwrap_or(0)
}

impl ComponentInspection {
    fn of(plane: &Plane) -> ComponentInspection {
        let c = &plane.component;
        ComponentInspection {
            id: c.id,
            h: c.h,
            v: c.v,
            blocks_wide: c.blocks_wide,
            blocks_high: c.blocks_high,
            quant_table: plane.quant_table.map(|table| table.row_major().to_vec()),
            digest: format!("{:016x}", plane.digest()),
        }
    }
}
