//! The engine: from a statement to a stream of rows.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure;
use super::files::{ChunkFiles, Files};
use super::instance::{Instance, Pooled};
use super::plan::{Plan, Planner};
use super::statement::Statements;
use super::stream;
use super::tables::Tables;
use super::value::Parameters;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::table::RowStream;

/// How SQL runs.
#[derive(Clone, Debug, Default)]
pub struct SqlOptions {
    /// Threads of DuckDB; as many as the machine has if `None`.
    pub threads: Option<usize>,
    /// Bytes of memory that DuckDB may use before it spills to disk; most of the machine's if `None`.
    pub memory_limit_bytes: Option<u64>,
    /// Whether statements may read files outside the repository.
    pub external_access: bool,
    /// The directories that hold chunk files.
    pub chunk_roots: Vec<PathBuf>,
    /// Where a directory for spilled and materialised data is made; the system's temporary directory if `None`.
    pub cache_dir: Option<PathBuf>,
}

/// Runs SQL on the chunks of one repository; shared by all its handles and threads.
///
/// It holds one DuckDB instance, opened by the first statement, and a pool of connections. What it puts on disk lives in a
/// directory of its own, removed when the engine and its last stream are dropped, and made anew where somebody has removed it
/// before.
#[derive(Debug)]
pub struct SqlEngine {
    instance: Instance,
    statements: Statements,
    files: Files,
}

impl SqlEngine {
    /// An engine over those chunks; touches nothing yet.
    pub fn new(options: SqlOptions, chunks: impl ChunkFiles + 'static) -> SqlEngine {
        let files = Files::new(Arc::new(chunks), options.cache_dir.clone());
        let external_access = options.external_access;
        SqlEngine { instance: Instance::new(options), statements: Statements::new(external_access), files }
    }

    /// Runs one SELECT, or EXPLAIN of one, and streams its rows in bounded memory.
    ///
    /// The stream is independent of the engine; dropping it stops the statement. Cancelling `cancel` ends it with
    /// `CANCELLED` wherever it is. Errors of DuckDB are `SQL_ERROR`, also inside the stream; what is no SELECT is
    /// `UNSUPPORTED`; a wrong number of parameters is `INVALID_ARGUMENT`; a chunk that is missing or damaged is
    /// `CHUNK_NOT_FOUND` or `HASH_MISMATCH`; what `tables` answers passes through.
    #[tracing::instrument(name = "query", level = "debug", skip_all)]
    pub fn query<'a>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters<'a>>,
        tables: &dyn Tables,
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        let parameters = parameters.into();
        cancel.check("the query")?;
        let connection = self.instance.connection(&self.files)?;
        let directory = connection.directory().clone();
        match self.attempt(connection, sql, parameters, tables, cancel) {
            // Another statement has just broken the instance under this one, or somebody took its directory away.
            Err(error) if failure::is_of_broken_instance(&error) || !directory.is_there() => {
                self.attempt(self.instance.connection(&self.files)?, sql, parameters, tables, cancel)
            }
            done => done,
        }
    }

    fn attempt(
        &self,
        mut connection: Pooled,
        sql: &str,
        parameters: Parameters<'_>,
        tables: &dyn Tables,
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        let planned = self.plan(sql, parameters, tables, cancel, &mut connection);
        let plan = planned.inspect_err(|_| connection.check_instance())?;
        stream::start(plan, connection, parameters, cancel)
    }

    fn plan(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
        tables: &dyn Tables,
        cancel: &CancelToken,
        connection: &mut Pooled,
    ) -> Result<Plan> {
        let statement = self.statements.get(sql, &mut connection.connection)?;
        parameters.check(&statement.parameters)?;
        let external_access = self.instance.external_access();
        Planner { tables, files: &self.files, parameters, external_access, cancel }.plan(&statement, connection)
    }
}
