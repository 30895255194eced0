//! Why a command could not do its work at all, and the exit code that says so.

use std::io::{self, Write};

/// Every input gave its result.
pub const SUCCESS: u8 = 0;
/// Some inputs failed, or the run broke off.
pub const SOME_FAILED: u8 = 1;
/// The command line, or a file it names as a setting, is wrong.
pub const USAGE: u8 = 2;

/// A command that ended early.
#[derive(Debug)]
pub enum Failure {
    /// The arguments ask for something that does not exist or does not fit together.
    Usage(anyhow::Error),
    /// The arguments are good, the work was not possible.
    Run(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Run(error.into())
    }
}

impl Failure {
    /// A failure of the arguments.
    pub fn usage(error: impl Into<anyhow::Error>) -> Failure {
        Failure::Usage(error.into())
    }

    /// Tells the user, and gives the exit code. A reader of stdout that has gone away is no failure.
    pub fn report(self) -> u8 {
        let (error, code) = match self {
            Failure::Usage(error) => (error, USAGE),
            Failure::Run(error) => (error, SOME_FAILED),
        };
        let reader_gone = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        };
        if error.chain().any(reader_gone) {
            return SUCCESS;
        }
        // An error that only wraps another says the same as it.
        let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        causes.dedup();
        // If stderr is gone too there is nobody left to tell.
        let _ = writeln!(io::stderr(), "jpegdct: error: {}", causes.join(": "));
        code
    }
}
