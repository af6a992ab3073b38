//! Opening: from directories to a repository.
//!
//! All of a repository usually stands in one directory. Its parts may also stand apart, as [`Locations`] says: the log
//! and all metadata with the catalog, the chunks in a directory of their own. A directory named for branches or for
//! transactions holds nothing but a pointer to the catalog, for those alone are the same log seen from another side.
//! Catalog and chunks point to each other likewise, so that each of the four, opened alone, is the whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Repository, RepositoryOptions};
use crate::catalog::Catalog;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::Repository as Identity;
use crate::log;
use crate::store::{Access, LocalStore, Store, repository as repository_file};

/// Where the chunks stand below a store.
const CHUNKS: &str = "chunks";

/// The file by which a directory says where the log and the chunks of its repository stand.
const POINTER: &str = "home.json";

/// The directories of one repository, where its parts stand apart.
#[derive(Clone, Debug)]
pub struct Locations {
    /// The chunks.
    pub chunks: PathBuf,
    /// The log and all metadata.
    pub catalog: PathBuf,
    /// A directory that, opened alone, shows the branches.
    pub branches: Option<PathBuf>,
    /// A directory that, opened alone, shows the transactions.
    pub transactions: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    /// Where the log is: a path, relative to the directory of this file where both have a common parent.
    home: PathBuf,
    /// Where the chunks are, likewise.
    chunks: PathBuf,
}

impl Repository {
    /// Opens a repository in one store; `REPOSITORY_NOT_FOUND` where there is none and none is to be made.
    pub fn open(store: Arc<dyn Store>, location: &str, options: &RepositoryOptions) -> Result<Repository> {
        let chunks = ChunkStore::new(store.clone(), CHUNKS);
        Repository::open_with(store, chunks, location, options)
    }

    /// Opens a directory: a repository, or a part that points to one.
    pub fn open_directory(directory: &Path, options: &RepositoryOptions) -> Result<Repository> {
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(directory, options.access)?);
        let location = directory.display().to_string();
        match read_pointer(&*store)? {
            None => Repository::open(store, &location, options),
            Some(pointer) => {
                let home = directory.join(pointer.home);
                let chunks = local_chunks(&directory.join(pointer.chunks), options)?;
                let store = Arc::new(LocalStore::open(&home, options.access)?);
                Repository::open_with(store, chunks, &home.display().to_string(), options)
            }
        }
    }

    /// Opens a repository whose parts stand apart, and joins parts that are new. A read-only handle joins none.
    ///
    /// `INVALID_ARGUMENT` for a part that already has a history of its own, or belongs to another repository.
    pub fn open_parts(locations: &Locations, options: &RepositoryOptions) -> Result<Repository> {
        let others = [Some(&locations.chunks), locations.branches.as_ref(), locations.transactions.as_ref()];
        let mut parts: Vec<&PathBuf> = vec![&locations.catalog];
        parts.extend(others.into_iter().flatten());
        if options.access == Access::ReadWrite && parts.iter().any(|part| **part != locations.catalog) {
            parts.iter().try_for_each(|part| check_joins(part, locations, options))?;
            parts.iter().try_for_each(|part| join(part, locations, options))?;
        }
        let store = Arc::new(LocalStore::open(&locations.catalog, options.access)?);
        let chunks = local_chunks(&locations.chunks, options)?;
        Repository::open_with(store, chunks, &locations.catalog.display().to_string(), options)
    }

    fn open_with(
        store: Arc<dyn Store>,
        chunks: ChunkStore,
        location: &str,
        options: &RepositoryOptions,
    ) -> Result<Repository> {
        let identity = identity(&*store, location, options)?;
        if options.access == Access::ReadWrite {
            // Only now is it known that the directory is ours.
            store.sweep()?;
            chunks.sweep()?;
        }
        let chain_start = identity.chain_start()?;
        let catalog = Catalog::open(store.clone(), options.environment.clone(), chain_start, options.access)?;
        Repository::assemble(identity, store.clone(), chunks, catalog, options)
    }
}

/// Reads what makes a store a repository, or makes it one.
fn identity(store: &dyn Store, location: &str, options: &RepositoryOptions) -> Result<Identity> {
    if let Some(identity) = repository_file::load(store)? {
        // Whoever made it may have died before its sync, and a log without its identity is lost.
        if options.access == Access::ReadWrite && !log::has_begun(store)? {
            store.sync(&[repository_file::PATH])?;
        }
        return Ok(identity);
    }
    let missing =
        |reason: &str| Error::RepositoryNotFound { location: location.to_string(), reason: reason.to_string() };
    if !options.create || options.access == Access::ReadOnly {
        return Err(missing("there is no repo.json"));
    }
    if has_log(store)? {
        // Or another process has made it since.
        let gone = || missing("there is a log, and its repo.json is gone; bring it back from a copy");
        return repository_file::load(store)?.ok_or_else(gone);
    }
    if let Some(foreign) = store.names("")?.into_iter().find(|name| !is_ours(name)) {
        return Err(missing(&format!("the directory holds other files, such as {foreign:?}")));
    }
    repository_file::load_or_create(store, &options.environment)
}

/// Whether anything was ever committed: the log is begun only where `repo.json` is durable.
fn has_log(store: &dyn Store) -> Result<bool> {
    Ok(!store.names("log")?.is_empty())
}

/// Whether a path can be of a chunk store used alone, or of another process that is making the repository.
fn is_ours(path: &str) -> bool {
    path == repository_file::PATH
        || path == POINTER
        || path.split_once('/').is_some_and(|(first, _)| matches!(first, "chunks" | "quarantine" | "tmp" | "log"))
}

fn local_chunks(directory: &Path, options: &RepositoryOptions) -> Result<ChunkStore> {
    Ok(ChunkStore::new(Arc::new(LocalStore::open(directory, options.access)?), CHUNKS))
}

fn read_pointer(store: &dyn Store) -> Result<Option<Pointer>> {
    let parse = |bytes: bytes::Bytes| {
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::LogCorrupt { at: POINTER.to_string(), reason: error.to_string() })
    };
    store.get(POINTER)?.map(parse).transpose()
}

/// `INVALID_ARGUMENT` for a directory that cannot become a part: joining it would hide what it holds.
fn check_joins(part: &Path, locations: &Locations, options: &RepositoryOptions) -> Result<()> {
    let store = LocalStore::open(part, options.access)?;
    if let Some(found) = read_pointer(&store)? {
        let (home, chunks) = (part.join(found.home), part.join(found.chunks));
        return match same_place(&home, &locations.catalog)? && same_place(&chunks, &locations.chunks)? {
            true => Ok(()),
            false => Err(Error::invalid(
                "location",
                format!("{part:?} belongs to the repository in {home:?} with its chunks in {chunks:?}"),
            )),
        };
    }
    let holds = match same_place(part, &locations.catalog)? {
        true if same_place(part, &locations.chunks)? => None,
        true => (!store.list(CHUNKS)?.is_empty()).then_some("chunks"),
        false => has_log(&store)?.then_some("a history"),
    };
    holds.map_or(Ok(()), |what| {
        let reason = format!("{part:?} holds {what} of its own; join directories before they are used apart");
        Err(Error::invalid("location", reason))
    })
}

/// Makes a directory point to the catalog and the chunks, durably.
fn join(part: &Path, locations: &Locations, options: &RepositoryOptions) -> Result<()> {
    let store = LocalStore::open(part, options.access)?;
    if read_pointer(&store)?.is_none() {
        let pointer = Pointer { home: relative(part, &locations.catalog)?, chunks: relative(part, &locations.chunks)? };
        let bytes = serde_json::to_vec_pretty(&pointer).map_err(|error| Error::internal(error.to_string()))?;
        store.create(POINTER, &bytes)?;
    }
    store.sync(&[POINTER])
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| Error::io("find", path.display(), error))?;
    Ok(std::fs::canonicalize(&path).unwrap_or(path))
}

fn same_place(a: &Path, b: &Path) -> Result<bool> {
    Ok(absolute(a)? == absolute(b)?)
}

/// `to` as seen from `from`: sideways where both stand in one directory, so that it can be moved as a whole.
fn relative(from: &Path, to: &Path) -> Result<PathBuf> {
    let (from, to) = (absolute(from)?, absolute(to)?);
    if from == to {
        return Ok(PathBuf::from("."));
    }
    match (from.parent(), to.parent(), to.file_name()) {
        (Some(a), Some(b), Some(name)) if a == b => Ok(Path::new("..").join(name)),
        _ => Ok(to),
    }
}
