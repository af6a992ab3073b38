//! The DuckDB instance of an engine: opened once, locked down, with a pool of connections.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duckdb::{Config, Connection};

use super::engine::SqlOptions;
use super::failure;
use super::files::Files;
use super::quote;
use super::scratch::Scratch;
use crate::error::{Error, Result};

/// Idle connections beyond this many are closed.
const IDLE_MAX: usize = 16;

/// A connection keeps this many views; the least recently used goes first.
const VIEWS_MAX: usize = 64;

/// A connection keeps views until their definitions have this many bytes, or one that is larger.
const VIEWS_BYTES_MAX: usize = 1 << 20;

/// A DuckDB instance that opens when it is first needed.
#[derive(Debug)]
pub(super) struct Instance {
    options: SqlOptions,
    pool: Mutex<Option<Arc<Pool>>>,
}

/// The open instance, for as long as the engine or a stream uses it.
struct Pool {
    root: Mutex<Connection>,
    idle: Mutex<Vec<Idle>>,
    /// Set when DuckDB refuses to do anything more.
    broken: AtomicBool,
    directory: Arc<Scratch>,
}

struct Idle {
    connection: Box<Connection>,
    views: VecDeque<View>,
}

struct View {
    name: String,
    bytes: usize,
}

/// A connection that serves one statement; closed when dropped, used again after [`Pooled::release`].
pub(super) struct Pooled {
    pub(super) connection: Box<Connection>,
    session: Session,
}

/// What a connection comes back with.
pub(super) struct Session {
    /// The views that it holds, the most recently used last.
    views: VecDeque<View>,
    pool: Arc<Pool>,
}

impl Session {
    /// The connection as it was before [`Pooled::split`].
    pub(super) fn join(self, connection: Box<Connection>) -> Pooled {
        Pooled { connection, session: self }
    }

    /// Looks, after an error, whether the instance still works; if not, the next statement gets a new one.
    pub(super) fn check_instance(&self) {
        self.pool.check();
    }
}

impl Instance {
    pub(super) fn new(options: SqlOptions) -> Instance {
        Instance { options, pool: Mutex::new(None) }
    }

    pub(super) fn external_access(&self) -> bool {
        self.options.external_access
    }

    /// A connection that nothing else uses.
    pub(super) fn connection(&self, files: &Files) -> Result<Pooled> {
        let pool = self.pool(files)?;
        let idle = lock(&pool.idle).pop();
        let Idle { connection, views } = match idle {
            Some(idle) => idle,
            None => Idle { connection: pool.connect()?, views: VecDeque::new() },
        };
        Ok(Session { views, pool }.join(connection))
    }

    fn pool(&self, files: &Files) -> Result<Arc<Pool>> {
        let mut pool = lock(&self.pool);
        match &*pool {
            Some(pool) if pool.is_usable() => Ok(pool.clone()),
            _ => Ok(pool.insert(Arc::new(Pool::open(&self.options, files)?)).clone()),
        }
    }
}

impl Pool {
    fn open(options: &SqlOptions, files: &Files) -> Result<Pool> {
        let directory = files.directory()?;
        let config = config(options, directory.path()).map_err(failure::setup)?;
        let connection = Connection::open_in_memory_with_flags(config).map_err(failure::setup)?;
        if knows_time_zones(&connection).map_err(failure::setup)? {
            connection.execute_batch("SET GLOBAL TimeZone = 'UTC';").map_err(failure::setup)?;
        }
        let settings = settings(options, directory.path())?;
        connection.execute_batch(&settings).map_err(failure::setup)?;
        let (root, idle) = (Mutex::new(connection), Mutex::default());
        Ok(Pool { root, idle, broken: AtomicBool::new(false), directory })
    }

    /// Its settings are locked, so that without its directory it could no longer spill, nor read copies.
    fn is_usable(&self) -> bool {
        !self.broken.load(Ordering::Relaxed) && self.directory.is_there()
    }

    fn connect(&self) -> Result<Box<Connection>> {
        lock(&self.root).try_clone().map(Box::new).map_err(failure::setup)
    }

    /// After an internal error DuckDB refuses all that follows, in every connection.
    fn check(&self) {
        if let Err(error) = lock(&self.root).execute_batch("SELECT 1") {
            tracing::warn!(%error, "DuckDB has failed: the next statement opens it anew");
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}

impl Pooled {
    /// Makes sure that a temporary view of this name is there.
    pub(super) fn ensure_view(&mut self, name: &str, definition: &str) -> Result<()> {
        match self.session.views.iter().position(|view| view.name == name) {
            Some(index) => {
                let view = self.session.views.remove(index);
                self.session.views.extend(view);
                Ok(())
            }
            None => self.create_view(name, definition),
        }
    }

    fn create_view(&mut self, name: &str, definition: &str) -> Result<()> {
        let create = format!("CREATE OR REPLACE TEMPORARY VIEW {} AS {definition}", quote::identifier(name));
        self.connection.execute_batch(&create).map_err(failure::sql)?;
        self.session.views.push_back(View { name: name.to_owned(), bytes: definition.len() });
        Ok(())
    }

    /// Drops views that were not used for long; call it when the statement has ended.
    fn shed_views(&mut self) -> duckdb::Result<()> {
        let views = &mut self.session.views;
        let mut bytes: usize = views.iter().map(|view| view.bytes).sum();
        while views.len() > VIEWS_MAX || (bytes > VIEWS_BYTES_MAX && views.len() > 1) {
            if let Some(view) = views.pop_front() {
                bytes -= view.bytes;
                self.connection.execute_batch(&format!("DROP VIEW {}", quote::identifier(&view.name)))?;
            }
        }
        Ok(())
    }

    /// The directory of its instance.
    pub(super) fn directory(&self) -> &Arc<Scratch> {
        &self.session.pool.directory
    }

    /// See [`Session::check_instance`].
    pub(super) fn check_instance(&self) {
        self.session.check_instance();
    }

    /// The connection itself, and what it comes back with.
    pub(super) fn split(self) -> (Box<Connection>, Session) {
        (self.connection, self.session)
    }

    /// Gives the connection back; no result may be left on it.
    pub(super) fn release(mut self) {
        if let Err(error) = self.shed_views() {
            tracing::debug!(%error, "a connection is closed, not used again");
            return;
        }
        let (connection, Session { views, pool }) = self.split();
        let mut idle = lock(&pool.idle);
        if idle.len() < IDLE_MAX {
            idle.push(Idle { connection, views });
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &lock(&self.idle).len()).finish_non_exhaustive()
    }
}

fn config(options: &SqlOptions, directory: &Path) -> duckdb::Result<Config> {
    let spill = directory.join("spill");
    let mut config = Config::default()
        .enable_autoload_extension(false)?
        .custom_user_agent("armillaria")?
        .with("allow_community_extensions", "false")?
        .with("temp_directory", spill.to_string_lossy())?;
    if let Some(threads) = options.threads {
        config = config.threads(i64::try_from(threads.max(1)).unwrap_or(i64::MAX))?;
    }
    match options.memory_limit_bytes {
        Some(bytes) => config.max_memory(&format!("{bytes}B")),
        None => Ok(config),
    }
}

/// Whether this DuckDB has ICU; the sources that feature `bundled` builds lack it.
fn knows_time_zones(connection: &Connection) -> duckdb::Result<bool> {
    let sql = "SELECT count(*) > 0 FROM duckdb_settings() WHERE name = 'TimeZone'";
    connection.query_row(sql, [], |row| row.get(0))
}

/// The settings that must follow the opening; the lock comes last.
fn settings(options: &SqlOptions, directory: &Path) -> Result<String> {
    let mut settings =
        String::from("SET GLOBAL parquet_metadata_cache = true; SET GLOBAL enable_geoparquet_conversion = false;");
    if !options.external_access {
        let mut allowed = vec![directory.to_owned()];
        for root in &options.chunk_roots {
            let failed = |error| Error::io("find the chunks", root.display(), error);
            let root = std::path::absolute(root).map_err(failed)?;
            // A directory that is not there yet has no links to follow.
            allowed.extend(root.canonicalize().ok());
            allowed.push(root);
        }
        // DuckDB checks a pattern before it looks for files, and then each file.
        let both = allowed.iter().flat_map(|path| [quote::path(path), quote::pattern(path)]);
        let allowed = both.collect::<Result<Vec<_>>>()?;
        settings += &format!("SET GLOBAL allowed_directories = [{}];", allowed.join(", "));
        settings += "SET GLOBAL enable_external_access = false;";
    }
    settings += "SET GLOBAL lock_configuration = true;";
    Ok(settings)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
