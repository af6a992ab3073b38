//! Opening a database.

use std::path::Path;
use std::sync::{Arc, RwLock};

use super::{Database, Inner, OpenOptions};
use crate::error::{Error, Result};
use crate::format::BranchName;
use crate::repository::{Locations, Repository, RepositoryOptions};
use crate::store::{Access, MemoryStore, Store};

/// The location that means a repository in memory, gone with its last handle.
const MEMORY: &str = "memory:";

/// Locations that are understood and not offered yet.
const LATER: [&str; 3] = ["s3://", "gs://", "az://"];

impl Database {
    /// Opens a repository, making it where there is none (unless the options say otherwise).
    ///
    /// `location` is a directory, or `memory:`. `REPOSITORY_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `LOG_CORRUPT`, `IO`,
    /// `UNSUPPORTED` (object stores).
    pub fn open(location: impl AsRef<Path>, options: OpenOptions) -> Result<Database> {
        let location = location.as_ref();
        let text = location.to_str().unwrap_or_default();
        if text == MEMORY {
            return Database::open_store(Arc::new(MemoryStore::new()), MEMORY, options);
        }
        if text.is_empty() && location.as_os_str().is_empty() {
            return Err(Error::invalid("location", "it is empty; give a directory, or memory:"));
        }
        if let Some(scheme) = LATER.iter().find(|scheme| text.starts_with(*scheme)) {
            let what = format!("a repository at {scheme}");
            return Err(Error::Unsupported { what, instead: "open a directory, or memory:".to_string() });
        }
        let repository = Repository::open_directory(location, &repository_options(&options))?;
        Database::assemble(repository, options)
    }

    /// Opens a repository in a store of any kind; `location` is what errors call it.
    pub fn open_store(store: Arc<dyn Store>, location: &str, options: OpenOptions) -> Result<Database> {
        let repository = Repository::open(store, location, &repository_options(&options))?;
        Database::assemble(repository, options)
    }

    /// Opens a repository whose parts stand in directories of their own.
    ///
    /// `INVALID_ARGUMENT` if one of them belongs to another repository.
    pub fn open_parts(locations: &Locations, options: OpenOptions) -> Result<Database> {
        let repository = Repository::open_parts(locations, &repository_options(&options))?;
        Database::assemble(repository, options)
    }

    fn assemble(repository: Repository, options: OpenOptions) -> Result<Database> {
        let repository = Arc::new(repository);
        let inner = Inner {
            #[cfg(feature = "sql")]
            engine: engine(&repository, &options),
            repository,
            author: options.author,
            current_branch: RwLock::new(BranchName::main()),
            closed: Arc::default(),
        };
        Ok(Database { inner: Arc::new(inner) })
    }
}

#[cfg(feature = "sql")]
fn engine(repository: &Arc<Repository>, options: &OpenOptions) -> crate::sql::SqlEngine {
    let sql = crate::sql::SqlOptions {
        threads: options.threads,
        memory_limit_bytes: options.memory_limit_bytes,
        external_access: options.external_access,
        chunk_roots: repository.chunks.local_root().into_iter().collect(),
        cache_dir: options.cache_dir.clone(),
    };
    crate::sql::SqlEngine::new(sql, repository.tables.clone())
}

fn repository_options(options: &OpenOptions) -> RepositoryOptions {
    RepositoryOptions {
        access: if options.read_only { Access::ReadOnly } else { Access::ReadWrite },
        create: options.create,
        threads: options.threads,
        environment: options.environment.clone(),
    }
}
