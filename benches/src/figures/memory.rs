//! Figure h: memory while a table larger than it streams through.

use crate::Result;
use crate::context::Context;
use crate::report::{Goal, Line, Unit};
use crate::worker::stream_in_and_out;

const TABLE_BYTES: usize = 4_000_000_000;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let directory = context.scratch()?;
    let [after_write, after_read] = stream_in_and_out(directory.path(), context.scaled(TABLE_BYTES) as u64)?;
    let line = |compared: &str, peak: f64| Line {
        compared: compared.to_string(),
        ours: Unit::Bytes.show(peak),
        theirs: String::new(),
        value: peak / 1e6,
        goal: Goal::Units(700.0, " MB"),
    };
    Ok(vec![line("peak after 4 GB in", after_write), line("peak after 4 GB in and out", after_read)])
}
