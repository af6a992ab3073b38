//! A statement that is running, together with the connection that it runs on. The only unsafe code of the SQL floor.

use std::ptr::NonNull;

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::{Schema, SchemaRef};
use duckdb::{Connection, Statement, params_from_iter};

use super::failure;
use super::value::{Parameters, Value};
use crate::error::{Error, Result};

/// DuckDB's threads are not further ahead of the rows that it gives than this.
const ROWS_AHEAD: usize = 10_000_000;

/// A result that streams, and the connection that it comes from.
pub(super) struct Running {
    /// Borrows from the connection: dropped before it.
    statement: Option<Statement<'static>>,
    /// What its parameters are, in its own order.
    values: Vec<Value>,
    /// The rows that it has given.
    rows: usize,
    /// Owned: made of a box in `start`, a box again in `into_connection` or when dropped.
    connection: NonNull<Connection>,
}

// SAFETY: a `Statement` is not `Send` only because it holds a `&Connection`, and `Connection` is `Send` but not `Sync`.
// That reference and `connection` are the only ways to the connection, and they move together: no two threads reach it
// at once.
#[expect(unsafe_code, reason = "a statement and its connection move between threads only together")]
unsafe impl Send for Running {}

impl Running {
    /// Starts a statement; its parameters are numbered as `places` says.
    pub(super) fn start(
        connection: Box<Connection>,
        sql: &str,
        parameters: Parameters<'_>,
        places: &[String],
    ) -> Result<Running> {
        let connection = NonNull::from(Box::leak(connection));
        let mut running = Running { statement: None, values: Vec::new(), rows: 0, connection };
        // SAFETY: the pointer comes from a box, and nothing frees or moves what it points to before the statement is
        // dropped: see `close`. Only shared references to it are ever made.
        #[expect(unsafe_code, reason = "the statement borrows from the connection that lives beside it")]
        let connection: &'static Connection = unsafe { running.connection.as_ref() };
        let statement = connection.prepare(sql).map_err(failure::sql)?;
        running.values = parameters.of_statement(&statement, places)?;
        running.statement = Some(statement);
        running.execute()?;
        Ok(running)
    }

    fn execute(&mut self) -> Result<()> {
        let Some(statement) = &mut self.statement else { return Ok(()) };
        statement.stream_arrow(params_from_iter(&self.values)).map(drop).map_err(failure::sql)
    }

    /// The columns of the result.
    pub(super) fn schema(&self) -> SchemaRef {
        self.statement.as_ref().map_or_else(|| Schema::empty().into(), Statement::schema)
    }

    /// The next rows; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(statement) = &self.statement else { return Ok(None) };
        let rows: Option<StructArray> = statement.step().map_err(failure::sql)?;
        self.rows += rows.as_ref().map_or(0, Array::len);
        Ok(rows.map(|rows| RecordBatch::from(&rows)))
    }

    /// Why the statement failed, where DuckDB only tells that it stopped its other threads: finds out by running it
    /// once more, a little further than it came. `None` if it does not fail then, or as unclearly.
    pub(super) fn reason(&mut self) -> Option<Error> {
        let far_enough = std::mem::take(&mut self.rows).saturating_add(ROWS_AHEAD);
        let mut failed = self.execute();
        while failed.is_ok() && self.rows <= far_enough {
            match self.next() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => failed = Err(error),
            }
        }
        failed.err().filter(|error| !failure::is_interruption(error))
    }

    /// Ends the statement and gives its connection back.
    pub(super) fn into_connection(self) -> Box<Connection> {
        std::mem::ManuallyDrop::new(self).close()
    }

    /// To be called once, as the last act.
    fn close(&mut self) -> Box<Connection> {
        self.statement = None;
        self.values = Vec::new();
        // SAFETY: the pointer was made of a box; what borrowed from it is gone; `into_connection` and `drop` exclude one
        // another, so it becomes a box again only once.
        #[expect(unsafe_code, reason = "the connection becomes the box that it was")]
        unsafe {
            Box::from_raw(self.connection.as_ptr())
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.close());
    }
}
