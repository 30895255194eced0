//! The `jpegdct` command; see [`jpegdct::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    jpegdct::cli::run(std::env::args_os()).into()
}
