//! The `jpegdct` command: arguments to calls of the library, results to files, stdout and an exit code.
//!
//! One file a command. What a program reads goes to stdout; progress and messages go to stderr. It is part of the
//! library so that whatever installs the library, the Python package say, has the command too.

mod args;
mod bench;
mod extract;
mod failure;
mod inspect;
mod merge;
mod progress;
mod show;
mod stats;
mod verify;

use std::ffi::OsString;

use clap::Parser;

use args::{Cli, Command};

/// Runs the command with its arguments, the first of them its name, and gives its exit code: 0, 1 or 2, as its help says.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such errors too. If the stream is gone there is nobody left to tell.
            let _ = error.print();
            return if error.use_stderr() { failure::USAGE } else { failure::SUCCESS };
        }
    };
    let result = match cli.command {
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
