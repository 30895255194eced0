//! How a run goes, on stderr: a bar on a terminal, lines elsewhere, or JSON lines.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::corpus::{Entry, Observer, Report, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

/// Without a bar, how often a line says how far it is.
const INTERVAL: Duration = Duration::from_secs(10);

/// How many of the slowest files the summary names, and from which time on a file is worth a name.
const SLOWEST: usize = 5;
const SLOW: Duration = Duration::from_millis(250);

/// Watches a run over many inputs.
pub struct Progress {
    json: bool,
    bar: ProgressBar,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default, Clone)]
struct State {
    inputs: usize,
    /// Inputs an earlier run was done with.
    before: usize,
    /// Inputs this run is done with.
    done: usize,
    bytes: u64,
    bytes_out: u64,
    failures: u64,
    last_line: Option<Instant>,
    /// Slowest first.
    slowest: Vec<(Duration, String)>,
}

impl State {
    fn left(&self) -> usize {
        self.inputs.saturating_sub(self.before + self.done)
    }

    fn took(&mut self, path: &str, took: Duration) {
        let place = self.slowest.partition_point(|(other, _)| *other >= took);
        if place < SLOWEST {
            self.slowest.insert(place, (took, path.into()));
            self.slowest.truncate(SLOWEST);
        }
    }
}

impl Progress {
    /// For people, or as JSON lines.
    pub fn new(json: bool) -> Progress {
        // Hidden until `begin` has given it its looks.
        Progress { json, bar: ProgressBar::hidden(), started: Instant::now(), state: Mutex::default() }
    }

    /// The last lines: what became of all inputs, and at what speed.
    pub fn finish(&self, report: &Report, output: &Path) {
        self.bar.finish_and_clear();
        let mut state = self.state(|state| state.clone());
        let (seconds, images_per_s, mb_per_s) = self.speed(&state);
        let counts = &report.counts;
        // A run that was finished before does not even begin.
        if state.inputs == 0 {
            state.before = usize::try_from(counts.inputs).unwrap_or(usize::MAX);
        }
        let inputs = counts.inputs.max(state.inputs as u64);
        if self.json {
            let slowest: Vec<Value> = state
                .slowest
                .iter()
                .map(|(took, path)| json!({ "path": path, "seconds": took.as_secs_f64() }))
                .collect();
            self.log(json!({
                "event": "done", "counts": counts, "complete": report.complete, "inputs": inputs,
                "resumed_after": state.before, "seconds": seconds, "images_per_s": images_per_s, "mb_per_s": mb_per_s,
                "bytes_in": state.bytes, "bytes_out": state.bytes_out, "slowest": slowest,
                "output": output.to_string_lossy(),
            }));
            return;
        }
        let kinds = [
            (counts.damaged_kept, "damaged and kept"),
            (counts.damaged, "damaged"),
            (counts.refused, "refused"),
            (counts.not_jpeg, "not JPEG"),
            (counts.unreadable, "unreadable"),
            (counts.failed, "failed"),
            (inputs - counts.inputs, "not attempted"),
        ];
        let mut what = format!("{} ok", counts.ok);
        for (count, kind) in kinds.iter().filter(|(count, _)| *count > 0) {
            what.push_str(&format!(", {count} {kind}"));
        }
        if counts.reencoded > 0 {
            what.push_str(&format!(" ({} re-encoded)", counts.reencoded));
        }
        if state.before > 0 {
            what.push_str(&format!("; {} of them by an earlier run", state.before));
        }
        let slow: Vec<String> = state
            .slowest
            .iter()
            .filter(|(took, _)| *took >= SLOW)
            .map(|(took, path)| format!("{path} ({:.1} s)", took.as_secs_f64()))
            .collect();
        if !slow.is_empty() {
            self.say(&format!("slowest: {}", slow.join(", ")));
        }
        self.say(&format!(
            "{what}; {seconds:.1} s, {images_per_s:.1} images/s, {mb_per_s:.1} MB/s; {} in, {} of tensors out; {}",
            size(state.bytes),
            size(state.bytes_out),
            output.display()
        ));
    }

    /// Seconds so far, images and megabytes of input a second.
    fn speed(&self, state: &State) -> (f64, f64, f64) {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
        (seconds, state.done as f64 / seconds, state.bytes as f64 / 1e6 / seconds)
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// One line for people. A stderr that is gone does not end the work.
    fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "jpegdct: {line}");
        });
    }

    fn log(&self, line: Value) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// The last line of a run that gathers figures.
    pub fn finish_statistics(&self, images: u64, failed: u64) {
        self.bar.finish_and_clear();
        let (seconds, images_per_s, mb_per_s) = self.speed(&self.state(|state| state.clone()));
        if self.json {
            self.log(json!({
                "event": "done", "images": images, "failed": failed, "seconds": seconds, "images_per_s": images_per_s,
                "mb_per_s": mb_per_s,
            }));
        } else {
            self.say(&format!(
                "{images} images, {failed} failed; {seconds:.1} s, {images_per_s:.1} images/s, {mb_per_s:.1} MB/s"
            ));
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The line that stands for the bar where there is none.
    fn say_how_far(&self, state: &State) {
        let (seconds, images_per_s, mb_per_s) = self.speed(state);
        let eta = seconds / state.done.max(1) as f64 * state.left() as f64;
        let done = state.before + state.done;
        if self.json {
            self.log(json!({
                "event": "progress", "done": done, "inputs": state.inputs, "failures": state.failures,
                "images_per_s": images_per_s, "mb_per_s": mb_per_s, "eta_s": eta,
            }));
        } else {
            self.say(&format!(
                "{done} of {} images, {images_per_s:.1} images/s, {mb_per_s:.1} MB/s, {} failed, {eta:.0} s to go",
                state.inputs, state.failures
            ));
        }
    }
}

impl Observer for Progress {
    fn begin(&self, inputs: usize, done: usize) {
        self.state(|state| {
            (state.inputs, state.before, state.last_line) = (inputs, done, Some(Instant::now()));
        });
        if self.json {
            self.log(json!({ "event": "start", "inputs": inputs, "resumed_after": done }));
        }
        if !self.json && inputs > 0 && io::stderr().is_terminal() {
            self.bar.set_length(inputs as u64);
            self.bar.set_position(done as u64);
            // The time left is counted from where this run began.
            self.bar.reset_eta();
            let template = "{bar:30} {human_pos}/{human_len} {per_sec} {msg} ETA {eta}";
            self.bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key(
                    "per_sec",
                    |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ = write!(out, "{:.1} images/s", state.per_sec());
                    },
                ),
            );
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    fn changed(&self, path: &str) {
        if self.json {
            self.log(json!({ "event": "changed", "path": path }));
        } else {
            self.say(&format!("{path} has changed since the run was interrupted: the run goes on from there"));
        }
    }

    fn arrived(&self, path: &str, bytes: u64, took: Duration) {
        // The state is copied only when a line is due: a bar needs three numbers.
        let (due, position, failures, all_bytes) = self.state(|state| {
            state.done += 1;
            state.bytes += bytes;
            state.took(path, took);
            let due = self.bar.is_hidden() && state.last_line.is_some_and(|last| last.elapsed() >= INTERVAL);
            if due {
                state.last_line = Some(Instant::now());
            }
            (due.then(|| state.clone()), state.before + state.done, state.failures, state.bytes)
        });
        if !self.bar.is_hidden() {
            let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
            self.bar.set_position(position as u64);
            self.bar.set_message(format!("{:.1} MB/s, {failures} failed,", all_bytes as f64 / 1e6 / seconds));
        } else if let Some(state) = due {
            self.say_how_far(&state);
        }
    }

    fn entry(&self, entry: &Entry) {
        let element = |dtype: &str| if dtype == "f32" { 4 } else { 2 };
        let bytes = entry.outputs.iter().map(|output| output.shape.iter().product::<usize>() * element(&output.dtype));
        let bytes: usize = bytes.sum();
        self.state(|state| {
            state.bytes_out += bytes as u64;
            state.failures += u64::from(entry.is_failure());
        });
        if self.json {
            if entry.is_failure() || !entry.warnings.is_empty() {
                let event = if entry.is_failure() { "failure" } else { "warning" };
                self.log(json!({
                    "event": event, "path": entry.path, "status": entry.status, "error": entry.error,
                    "warnings": entry.warnings,
                }));
            }
        } else if let Some(error) = &entry.error {
            self.say(&format!("{}: {}: {}", entry.path, entry.status.name(), error.message));
        } else if entry.status != Status::Ok {
            self.say(&format!("{}: {}, kept: {}", entry.path, entry.status.name(), entry.warnings.join("; ")));
        }
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
