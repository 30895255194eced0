//! The `jpegdct` command: arguments to calls of the library, results to files, stdout and an exit code.
//!
//! One file a command. What a program reads goes to stdout; progress and messages go to stderr.

mod args;
mod bench;
mod convert;
mod extract;
mod failure;
mod inspect;
mod merge;
mod progress;
mod show;
mod stats;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Extract(args) => extract::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    result.unwrap_or_else(failure::Failure::report)
}
