//! The backend that calls the C ABI with raw pointers, as a C program does, and frees everything.
//!
//! Why its unsafe blocks are sound, all of them: handles are alive while [`Owned`] is, results while [`Given`] is, and
//! both are freed once; strings and arrays of arguments point to memory that outlives the call; out-parameters are
//! variables of the caller; what results point to lives as long as they do. The rest is what the header promises,
//! and what these tests are for.

#![expect(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "see the documentation of this module")]

mod arguments;
mod branches;
mod changelog;
mod chunks;
mod describe;
mod functions;
mod memory;
mod rows;
mod structs;
mod tables;

pub use functions::functions_called;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::ffi_stream::FFI_ArrowArrayStream;
use serde_json::{Map, Value as Json, json};

use self::arguments::{At, open_options};
use self::functions::*;
use self::memory::{Owned, check, handle, owned, result, text, text_maybe};
use self::structs::*;
use crate::backend::{Backend, Handles};
use crate::failure::Failure;
use crate::harness::place;
use crate::step::Step;

/// The ABI that this backend was written for.
const ABI_VERSION: u32 = 1;

/// Calls the C ABI.
#[derive(Debug)]
pub struct CAbiBackend {
    directory: PathBuf,
    handles: Handles<Handle>,
    /// The steps that opened databases, so that they can be opened again.
    opened: BTreeMap<String, Map<String, Json>>,
}

#[derive(Debug)]
enum Handle {
    Database(Owned<ArmillariaDatabase>),
    Transaction(Owned<ArmillariaTransaction>),
    Subscription(Owned<ArmillariaSubscription>),
    Stream(Option<FFI_ArrowArrayStream>),
    ChunkStore(Owned<ArmillariaChunkStore>),
    Cancel(Owned<ArmillariaCancel>),
}

type Answer = Result<Json, Failure>;

/// Something that operations are called on.
enum Target {
    Database(*const ArmillariaDatabase),
    Transaction(*const ArmillariaTransaction),
}

impl CAbiBackend {
    /// A backend whose paths are below a directory.
    pub fn new(directory: &Path) -> CAbiBackend {
        CAbiBackend { directory: directory.to_path_buf(), handles: Handles::default(), opened: BTreeMap::new() }
    }

    fn target(&self, step: &Step) -> Result<Target, Failure> {
        match self.handles.get(step.on()?)? {
            Handle::Database(database) => Ok(Target::Database(database.get())),
            Handle::Transaction(transaction) => Ok(Target::Transaction(transaction.get())),
            _ => Err(misplaced(step)),
        }
    }

    fn database(&self, step: &Step) -> Result<*const ArmillariaDatabase, Failure> {
        match self.target(step)? {
            Target::Database(database) => Ok(database),
            Target::Transaction(_) => Err(misplaced(step)),
        }
    }

    fn transaction(&self, step: &Step) -> Result<*const ArmillariaTransaction, Failure> {
        match self.target(step)? {
            Target::Transaction(transaction) => Ok(transaction),
            Target::Database(_) => Err(misplaced(step)),
        }
    }

    /// The token that a step names, or NULL.
    fn cancel(&self, step: &Step) -> Result<*const ArmillariaCancel, Failure> {
        let Some(name) = step.text_maybe("cancel")? else { return Ok(std::ptr::null()) };
        match self.handles.get(name)? {
            Handle::Cancel(token) => Ok(token.get()),
            _ => Err(misplaced(step)),
        }
    }

    fn path(&self, location: &str) -> String {
        place(&self.directory, location).to_string_lossy().into_owned()
    }

    fn path_maybe(&self, step: &Step, name: &str) -> Result<Option<String>, Failure> {
        Ok(step.text_maybe(name)?.map(|location| self.path(location)))
    }

    fn open(&mut self, step: &Step) -> Answer {
        let cache_dir = self.path_maybe(step, "cache_dir")?;
        let options = open_options(step, cache_dir.as_deref())?;
        let location = self.path(step.text_maybe("location")?.unwrap_or("repo"));
        let database = handle(armillaria_database_free, |out, error| unsafe {
            armillaria_open(text(&location), &raw const options, out, error)
        })?;
        self.keep_database(step, database)
    }

    fn open_parts(&mut self, step: &Step) -> Answer {
        let cache_dir = self.path_maybe(step, "cache_dir")?;
        let options = open_options(step, cache_dir.as_deref())?;
        let (chunks, catalog) = (self.path(step.text("chunks")?), self.path(step.text("catalog")?));
        let (branches, transactions) = (self.path_maybe(step, "branches")?, self.path_maybe(step, "transactions")?);
        let locations = ArmillariaPartLocations {
            struct_size: size_of::<ArmillariaPartLocations>(),
            chunks: text(&chunks),
            catalog: text(&catalog),
            branches: text_maybe(branches.as_deref()),
            transactions: text_maybe(transactions.as_deref()),
        };
        let database = handle(armillaria_database_free, |out, error| unsafe {
            armillaria_open_parts(&raw const locations, &raw const options, out, error)
        })?;
        self.keep_database(step, database)
    }

    fn keep_database(&mut self, step: &Step, database: Owned<ArmillariaDatabase>) -> Answer {
        self.handles.insert(step.made()?, Handle::Database(database));
        self.opened.insert(step.made()?.to_string(), step.fields().clone());
        Ok(json!({}))
    }

    fn reopen(&mut self, step: &Step) -> Answer {
        let (name, database) = (step.on()?, self.database(step)?);
        check(|error| unsafe { armillaria_close(database, error) })?;
        drop(self.handles.remove(name)?);
        let opening = Step::new(self.opened.get(name).cloned().ok_or("it was never opened")?);
        self.run(&opening)
    }

    fn close(&mut self, step: &Step) -> Answer {
        match self.handles.get(step.on()?)? {
            Handle::Database(database) => check(|error| unsafe { armillaria_close(database.get(), error) })?,
            Handle::Subscription(subscription) => {
                check(|error| unsafe { armillaria_subscription_close(subscription.get(), error) })?;
            }
            _ => return Err(misplaced(step)),
        }
        Ok(json!({}))
    }

    fn version(&self) -> Answer {
        let (abi, version) = unsafe { (armillaria_abi_version(), owned(armillaria_version())) };
        match abi == ABI_VERSION {
            true => Ok(json!({"version": version})),
            false => Err(Failure::Case(format!("the library has ABI {abi}, the runner needs {ABI_VERSION}"))),
        }
    }

    fn begin(&mut self, step: &Step) -> Answer {
        let database = self.database(step)?;
        let options = ArmillariaBeginOptions {
            struct_size: size_of::<ArmillariaBeginOptions>(),
            isolation: arguments::choice(step, "isolation", &["snapshot", "serializable"])?,
            branch: text_maybe(step.text_maybe("branch")?),
        };
        let transaction = handle(armillaria_transaction_free, |out, error| unsafe {
            armillaria_begin(database, &raw const options, out, error)
        })?;
        self.handles.insert(step.made()?, Handle::Transaction(transaction));
        Ok(json!({}))
    }

    fn commit(&mut self, step: &Step) -> Answer {
        let (transaction, message) = (self.transaction(step)?, text_maybe(step.text_maybe("message")?));
        let commit = result(armillaria_commit_free, |out, error| unsafe {
            armillaria_transaction_commit(transaction, message, out, error)
        })?;
        Ok(describe::commit(&commit))
    }

    fn rollback(&mut self, step: &Step) -> Answer {
        let transaction = self.transaction(step)?;
        check(|error| unsafe { armillaria_transaction_rollback(transaction, error) })?;
        Ok(json!({}))
    }

    fn query(&mut self, step: &Step) -> Answer {
        let (sql, given, cancel) = (text(step.text("sql")?), step.parameters()?, self.cancel(step)?);
        let parameters = arguments::parameters(&given);
        let (first, len) = (parameters.as_ptr(), parameters.len());
        let stream = match self.target(step)? {
            Target::Database(database) => {
                let place = step.at("at")?;
                let mut at = At::of(&place);
                let at = at.get();
                rows::stream(|out, error| unsafe {
                    armillaria_query(database, sql, first, len, at, cancel, out, error)
                })
            }
            Target::Transaction(transaction) => rows::stream(|out, error| unsafe {
                armillaria_transaction_query(transaction, sql, first, len, cancel, out, error)
            }),
        };
        self.hand_out(step, stream?)
    }

    fn execute(&mut self, step: &Step) -> Answer {
        let (sql, given, cancel) = (text(step.text("sql")?), step.parameters()?, self.cancel(step)?);
        let parameters = arguments::parameters(&given);
        let (first, len) = (parameters.as_ptr(), parameters.len());
        match self.target(step)? {
            Target::Database(database) => {
                let commit = result(armillaria_commit_free, |out, error| unsafe {
                    armillaria_execute(database, sql, first, len, cancel, out, error)
                })?;
                Ok(describe::commit(&commit))
            }
            Target::Transaction(transaction) => {
                check(|error| unsafe { armillaria_transaction_execute(transaction, sql, first, len, cancel, error) })?;
                Ok(json!({}))
            }
        }
    }

    /// Reads a stream, or keeps it where the step names a handle for it.
    fn hand_out(&mut self, step: &Step, stream: FFI_ArrowArrayStream) -> Answer {
        match step.made_maybe() {
            None => rows::read(stream),
            Some(name) => {
                self.handles.insert(name, Handle::Stream(Some(stream)));
                Ok(json!({}))
            }
        }
    }

    fn drain(&mut self, step: &Step) -> Answer {
        match self.handles.get_mut(step.on()?)? {
            Handle::Stream(stream) => rows::read(stream.take().ok_or("the stream was read already")?),
            _ => Err(misplaced(step)),
        }
    }

    fn cancel_token(&mut self, step: &Step) -> Answer {
        if step.op() == "new_cancel_token" {
            let token = Owned::new(unsafe { armillaria_cancel_new() }, armillaria_cancel_free);
            self.handles.insert(step.made()?, Handle::Cancel(token));
            return Ok(json!({}));
        }
        let Handle::Cancel(token) = self.handles.get(step.on()?)? else { return Err(misplaced(step)) };
        if step.op() == "cancel" {
            unsafe { armillaria_cancel_cancel(token.get()) };
            return Ok(json!({}));
        }
        Ok(json!({"cancelled": unsafe { armillaria_cancel_is_cancelled(token.get()) }}))
    }
}

impl Backend for CAbiBackend {
    fn run(&mut self, step: &Step) -> Answer {
        match step.op() {
            "open" => self.open(step),
            "open_parts" => self.open_parts(step),
            "close" => self.close(step),
            "reopen" => self.reopen(step),
            "release" => self.handles.remove(step.on()?).map(|_| json!({})),
            "version" => self.version(),
            "begin" => self.begin(step),
            "commit" => self.commit(step),
            "rollback" => self.rollback(step),
            "query" => self.query(step),
            "execute" => self.execute(step),
            "drain" => self.drain(step),
            "new_cancel_token" | "cancel" | "is_cancelled" => self.cancel_token(step),
            _ => self
                .run_tables(step)
                .or_else(|| self.run_branches(step))
                .or_else(|| self.run_changelog(step))
                .or_else(|| self.run_chunks(step))
                .unwrap_or_else(|| Err(Failure::Case(format!("there is no operation {:?}", step.op())))),
        }
    }
}

fn misplaced(step: &Step) -> Failure {
    Failure::Case(format!("`{}` does not take such a handle", step.op()))
}
