//! How long things take, for showing it to people.

use std::time::Instant;

/// Runs from its start.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[expect(clippy::disallowed_methods, reason = "shown to people, decides nothing")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// `12.3 ms`, `4.56 s`.
    pub(crate) fn elapsed_text(&self) -> String {
        let seconds = self.0.elapsed().as_secs_f64();
        if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
    }
}
