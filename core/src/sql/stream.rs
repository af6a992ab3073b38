//! The rows of a statement on their way, in bounded memory.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow::datatypes::{FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use duckdb::InterruptHandle;

use super::advice;
use super::failure;
use super::instance::{Pooled, Session};
use super::plan::{Plan, Reads};
use super::running::Running;
use super::value::Parameters;
use crate::cancel::{CancelGuard, CancelToken};
use crate::error::{Error, Result};
use crate::table::RowStream;

/// How often a statement is interrupted until it heeds it: DuckDB forgets an interrupt that comes just before a statement
/// begins.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(5);

/// So often a statement that failed is run again to learn why.
const TRIES_MAX: usize = 3;

const ACTION: &str = "the query";

/// Starts a plan on a connection.
pub(super) fn start(
    plan: Plan,
    connection: Pooled,
    parameters: Parameters<'_>,
    cancel: &CancelToken,
) -> Result<RowStream> {
    let (connection, session) = connection.split();
    let interrupter = Interrupter::new(connection.interrupt_handle());
    let guard = interrupter.heed(cancel);
    let started = interrupter.during(cancel, || Running::start(connection, &plan.sql, parameters, &plan.places));
    let running = started.map_err(|error| {
        session.check_instance();
        match !parameters.is_empty() && failure::is_of_untyped_value(&error) {
            true => advice::mixed_parameter(),
            false => plan.reads.diagnose(error, &[]),
        }
    })?;
    let schema = in_words(running.schema(), &plan.reads);
    let open = Open { running, session, reads: plan.reads, interrupter, cancel: cancel.clone(), _guard: guard };
    Ok(Box::new(SqlStream { schema, open: Some(open) }))
}

/// A column that is a query and has no name is called by its text.
fn in_words(schema: SchemaRef, reads: &Reads) -> SchemaRef {
    let named = |field: &FieldRef| Arc::new(field.as_ref().clone().with_name(reads.naming.in_words(field.name())));
    Arc::new(Schema::new_with_metadata(
        schema.fields().iter().map(named).collect::<Fields>(),
        schema.metadata().clone(),
    ))
}

/// The rows of a statement.
struct SqlStream {
    schema: SchemaRef,
    /// `None` after the last row or an error.
    open: Option<Open>,
}

/// A statement that has more to give. Dropping it closes its connection, and so stops it.
struct Open {
    running: Running,
    session: Session,
    reads: Reads,
    interrupter: Arc<Interrupter>,
    cancel: CancelToken,
    _guard: CancelGuard,
}

impl Open {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.interrupter.during(&self.cancel, || self.running.next());
        rows.map_err(|error| self.explain(error))
    }

    fn explain(&mut self, error: Error) -> Error {
        self.session.check_instance();
        let error = if failure::is_interruption(&error) { self.reason().unwrap_or(error) } else { error };
        self.reads.diagnose(error, &[])
    }

    fn reason(&mut self) -> Option<Error> {
        let look = || (0..TRIES_MAX).find_map(|_| self.running.reason()).map_or(Ok(()), Err);
        self.interrupter.during(&self.cancel, look).err()
    }
}

impl Iterator for SqlStream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut open = self.open.take()?;
        match open.next() {
            Ok(Some(rows)) => {
                self.open = Some(open);
                let count = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
                Some(RecordBatch::try_new_with_options(self.schema.clone(), rows.columns().to_vec(), &count))
            }
            Ok(None) => {
                open.session.join(open.running.into_connection()).release();
                None
            }
            Err(error) => Some(Err(ArrowError::ExternalError(Box::new(error)))),
        }
    }
}

impl RecordBatchReader for SqlStream {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// Interrupts a connection for as long as it is at work after the caller has cancelled.
///
/// It never interrupts one that is not at work, for that may already serve another statement.
struct Interrupter {
    handle: Arc<InterruptHandle>,
    at_work: Mutex<bool>,
    rest: Condvar,
}

impl Interrupter {
    fn new(handle: Arc<InterruptHandle>) -> Arc<Interrupter> {
        Arc::new(Interrupter { handle, at_work: Mutex::new(false), rest: Condvar::new() })
    }

    /// Makes the token's cancellation interrupt the connection, until the guard is dropped.
    fn heed(self: &Arc<Self>, cancel: &CancelToken) -> CancelGuard {
        let this = self.clone();
        cancel.on_cancel(move || this.interrupt())
    }

    /// Does some work of the connection, unless or until the token is cancelled.
    fn during<T>(&self, cancel: &CancelToken, work: impl FnOnce() -> Result<T>) -> Result<T> {
        *self.at_work() = true;
        let done = cancel.check(ACTION).and_then(|()| work());
        *self.at_work() = false;
        self.rest.notify_all();
        match done {
            Err(_) if cancel.is_cancelled() => Err(Error::Cancelled { action: ACTION }),
            done => done,
        }
    }

    /// Interrupts the work that is under way, if any, from a thread of its own: whoever cancels does not wait.
    fn interrupt(self: &Arc<Self>) {
        if !*self.at_work() {
            return;
        }
        let this = self.clone();
        let repeat = move || {
            let mut at_work = this.at_work();
            while *at_work {
                this.handle.interrupt();
                let waited = this.rest.wait_timeout(at_work, INTERRUPT_INTERVAL);
                at_work = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        };
        if let Err(error) = std::thread::Builder::new().name("armillaria-cancel".to_owned()).spawn(repeat) {
            tracing::warn!(%error, "no thread to interrupt a statement: it is interrupted only once");
            self.handle.interrupt();
        }
    }

    fn at_work(&self) -> MutexGuard<'_, bool> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
