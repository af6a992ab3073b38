//! Progress on a terminal; silent everywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use armillaria::RowStream;
use arrow::array::RecordBatch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Position;

const REDRAW: Duration = Duration::from_millis(100);

/// A bar or a spinner on standard error; takes itself away when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over the bytes of files.
    pub(crate) fn bytes(what: &str, total: u64, shown: bool) -> Progress {
        Progress::new(what, Some(total), "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}", shown)
    }

    /// A bar over things that are counted.
    pub(crate) fn count(what: &str, total: u64, shown: bool) -> Progress {
        Progress::new(what, Some(total), "{msg} {wide_bar} {pos}/{len} {eta}", shown)
    }

    /// Work whose end is not known.
    pub(crate) fn spinner(what: &str, shown: bool) -> Progress {
        Progress::new(what, None, "{spinner} {msg} {pos} {elapsed}", shown)
    }

    fn new(what: &str, total: Option<u64>, template: &str, shown: bool) -> Progress {
        let shown = shown && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_string());
        if shown {
            bar.enable_steady_tick(REDRAW);
        }
        Progress { bar }
    }

    /// Says how far the work has come, where its end is known only later.
    pub(crate) fn set_of(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Counts rows that pass.
    pub(crate) fn count_rows(&self, rows: RowStream) -> RowStream {
        let bar = self.bar.clone();
        self.watch(rows, move |batch| bar.inc(batch.num_rows() as u64))
    }

    /// Follows the reading of files, batch by batch.
    pub(crate) fn follow(&self, rows: RowStream, position: Position) -> RowStream {
        let bar = self.bar.clone();
        self.watch(rows, move |_| bar.set_position(position.bytes()))
    }

    fn watch(&self, rows: RowStream, mut see: impl FnMut(&RecordBatch) + Send + 'static) -> RowStream {
        let schema = rows.schema();
        let batches = rows.map(|batch| batch.map_err(crate::rows::unwrap_error));
        crate::rows::stream(schema, batches.inspect(move |batch| batch.iter().for_each(&mut see)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
