//! How a run goes, on stderr: a bar on a terminal, lines elsewhere, or JSON lines.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jpegdct::corpus::{Entry, Observer, Report};
use serde_json::{Value, json};

/// Without a bar, how often a line says how far it is.
const INTERVAL: Duration = Duration::from_secs(10);

/// Watches an extraction.
pub struct Progress {
    json: bool,
    bar: ProgressBar,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default, Clone, Copy)]
struct State {
    inputs: usize,
    done: usize,
    bytes: u64,
    failures: u64,
    last_line: Option<Instant>,
}

impl Progress {
    /// For people, or as JSON lines.
    pub fn new(json: bool) -> Progress {
        // Hidden until `begin` has given it its looks.
        Progress { json, bar: ProgressBar::hidden(), started: Instant::now(), state: Mutex::default() }
    }

    /// The last lines: what became of all inputs, and at what speed.
    pub fn finish(&self, report: &Report, inputs: usize, output: &Path) {
        self.bar.finish_and_clear();
        let state = self.state(|state| *state);
        let (seconds, images_per_s, mb_per_s) = self.speed(&state);
        let counts = &report.counts;
        if self.json {
            self.log(json!({
                "event": "done", "counts": counts, "complete": report.complete, "inputs": inputs, "seconds": seconds,
                "images_per_s": images_per_s, "mb_per_s": mb_per_s, "output": output.to_string_lossy(),
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
            (inputs as u64 - counts.inputs, "not attempted"),
        ];
        let mut what = format!("{} ok", counts.ok);
        for (count, kind) in kinds.iter().filter(|(count, _)| *count > 0) {
            what.push_str(&format!(", {count} {kind}"));
        }
        if counts.reencoded > 0 {
            what.push_str(&format!(" ({} re-encoded)", counts.reencoded));
        }
        self.say(&format!(
            "{what}; {seconds:.1} s, {images_per_s:.1} images/s, {mb_per_s:.1} MB/s; {}",
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

    /// The line that stands for the bar where there is none.
    fn say_how_far(&self, state: &State) {
        let (seconds, images_per_s, mb_per_s) = self.speed(state);
        let eta = seconds / state.done.max(1) as f64 * (state.inputs - state.done) as f64;
        if self.json {
            self.log(json!({
                "event": "progress", "done": state.done, "inputs": state.inputs, "failures": state.failures,
                "images_per_s": images_per_s, "mb_per_s": mb_per_s, "eta_s": eta,
            }));
        } else {
            self.say(&format!(
                "{} of {} images, {images_per_s:.1} images/s, {mb_per_s:.1} MB/s, {} failed, {eta:.0} s to go",
                state.done, state.inputs, state.failures
            ));
        }
    }
}

impl Observer for Progress {
    fn begin(&self, inputs: usize) {
        self.state(|state| (state.inputs, state.last_line) = (inputs, Some(Instant::now())));
        if self.json {
            self.log(json!({ "event": "start", "inputs": inputs }));
        }
        if !self.json && inputs > 0 && io::stderr().is_terminal() {
            self.bar.set_length(inputs as u64);
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

    fn arrived(&self, bytes: u64) {
        let (state, due) = self.state(|state| {
            state.done += 1;
            state.bytes += bytes;
            let due = state.last_line.is_some_and(|last| last.elapsed() >= INTERVAL);
            if due {
                state.last_line = Some(Instant::now());
            }
            (*state, due)
        });
        if !self.bar.is_hidden() {
            let (_, _, mb_per_s) = self.speed(&state);
            self.bar.set_position(state.done as u64);
            self.bar.set_message(format!("{mb_per_s:.1} MB/s, {} failed,", state.failures));
        } else if due {
            self.say_how_far(&state);
        }
    }

    fn entry(&self, entry: &Entry) {
        if entry.is_failure() {
            self.state(|state| state.failures += 1);
        }
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
        } else if entry.status != jpegdct::corpus::Status::Ok {
            self.say(&format!("{}: {}, kept: {}", entry.path, entry.status.name(), entry.warnings.join("; ")));
        }
    }
}
