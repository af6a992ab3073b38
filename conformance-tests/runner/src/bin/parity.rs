//! Turns the reports in `target/conformance` into `docs/PARITY.md`; with `--check` it compares instead of writing.

use std::io::Write;
use std::process::ExitCode;

use armillaria_conformance::parity::Parity;

fn main() -> ExitCode {
    let check = std::env::args().skip(1).any(|argument| argument == "--check");
    match Parity::gather().and_then(|parity| parity.settle(check)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Nothing can be said if even that fails; the status tells it.
            let _ = writeln!(std::io::stderr(), "{reason}");
            ExitCode::FAILURE
        }
    }
}
