//! Many images against the pixel path.
//!
//! What enters: inputs and a verifier for each recipe. What leaves: for each input, in order, a report or a refusal a
//! recipe, and the lines of `verify --json` as data.

use std::io;
use std::ops::ControlFlow;

use serde::Serialize;

use super::{ImageReport, Summary, Verifier, VerifyError, VerifyScratch};
use crate::corpus::{Fed, Inputs, Panicked, Status, Window, feed, read, run_ordered};
use crate::limits::Limits;

/// Why an image has no figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What became of it.
    pub status: Status,
    /// For people.
    pub reason: String,
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Refusal {
        let status = match &error {
            VerifyError::Decode(error) => Status::of(error),
            _ => Status::Failed,
        };
        Refusal { status, reason: error.to_string() }
    }
}

/// What is said of an image under a recipe.
#[derive(Debug, Clone, Serialize)]
pub struct ImageLine<'a> {
    kind: &'static str,
    recipe: &'a str,
    path: &'a str,
    status: &'static str,
    error: Option<&'a str>,
    /// `null` without a report, or if a value is not finite.
    excess: Option<f64>,
    report: Option<&'a ImageReport>,
}

impl<'a> ImageLine<'a> {
    /// The line of an image.
    pub fn new(
        recipe: &'a str,
        path: &'a str,
        report: &'a Result<ImageReport, Refusal>,
        tolerance: f64,
    ) -> ImageLine<'a> {
        let (status, error) = match report {
            Ok(report) if report.excess() > tolerance => ("differs", None),
            Ok(_) => ("ok", None),
            Err(refusal) => (refusal.status.name(), Some(refusal.reason.as_str())),
        };
        let report = report.as_ref().ok();
        let excess = report.map(ImageReport::excess).filter(|excess| excess.is_finite());
        ImageLine { kind: "image", recipe, path, status, error, excess, report }
    }
}

/// What is said of a recipe, over all images.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // the fields of a `Summary` and counts
pub struct SummaryLine<'a> {
    pub kind: &'static str,
    pub recipe: &'a str,
    pub tolerance: f64,
    pub passed: bool,
    pub differing: u64,
    pub failed: u64,
    pub summary: &'a Summary,
}

/// Compares every input under every recipe and hands path and reports to `deliver`, in input order.
///
/// # Errors
/// Threads that cannot be started.
pub fn verify_all(
    inputs: &Inputs,
    verifiers: &[Verifier],
    limits: &Limits,
    threads: usize,
    mut deliver: impl FnMut(&str, Vec<Result<ImageReport, Refusal>>) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut arrivals = inputs.iter();
    run_ordered(
        threads,
        Window::for_threads(threads),
        feed(inputs.iter(), limits),
        Default::default,
        |(buffer, scratch), fed| verify_one(fed, limits, verifiers, buffer, scratch),
        (Fed::held, |_| 0),
        |result| {
            let path = arrivals.next().map(|input| input.display()).unwrap_or_default();
            let reports = result.unwrap_or_else(|Panicked(message)| {
                let reason = format!("a fault of the program: {message}");
                vec![Err(Refusal { status: Status::Failed, reason }); verifiers.len()]
            });
            deliver(&path, reports)
        },
    )
}

/// One input under every recipe.
fn verify_one(
    mut fed: Fed,
    limits: &Limits,
    verifiers: &[Verifier],
    buffer: &mut Vec<u8>,
    scratch: &mut VerifyScratch,
) -> Vec<Result<ImageReport, Refusal>> {
    if let Err(error) = read(&mut fed, limits, buffer) {
        return vec![Err(VerifyError::from(error).into()); verifiers.len()];
    }
    let key = fed.input.place();
    verifiers.iter().map(|verifier| verifier.verify(buffer, &key, scratch).map_err(Refusal::from)).collect()
}
