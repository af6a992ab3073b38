//! One repository: its catalog and its tables, opened together.
//!
//! Floor 6: knows `catalog` and `table`, and brings them together: the catalog knows which version is where, the tables
//! know rows; what a version consists of is resolved here.

mod content;
mod contents;
mod folding;
mod layout;

pub use content::recorded_schema;
pub use folding::{FoldClaim, Folding};
pub use layout::Locations;

use std::sync::Arc;

use contents::Contents;

use crate::catalog::{Catalog, VersionChange, View};
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{Repository as Identity, TableName, Version};
use crate::store::{Access, Environment, Store};
use crate::table::{TableData, TableOptions, TableStore};

/// Bytes of resolved versions (chunk lists and inlined rows) kept in memory.
const CONTENT_CACHE_BYTES: u64 = 128 << 20;

/// How a repository is opened.
#[derive(Clone, Debug)]
pub struct RepositoryOptions {
    /// Whether it may be written.
    pub access: Access,
    /// Whether it is made where there is none.
    pub create: bool,
    /// Threads that hash, encode and decode; `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// Clock and randomness.
    pub environment: Environment,
}

/// A repository that is open. Thread-safe.
#[derive(Debug)]
pub struct Repository {
    /// What `repo.json` says.
    pub identity: Identity,
    /// What the log says.
    pub catalog: Catalog,
    /// Rows.
    pub tables: TableStore,
    /// Chunks.
    pub chunks: ChunkStore,
    /// Where the log and everything else but chunks is kept.
    pub store: Arc<dyn Store>,
    /// Whether it may be written.
    pub access: Access,
    /// Which tables are being folded.
    pub folding: Folding,
    contents: Contents,
}

impl Repository {
    fn assemble(
        identity: Identity,
        store: Arc<dyn Store>,
        chunks: ChunkStore,
        catalog: Catalog,
        options: &RepositoryOptions,
    ) -> Result<Repository> {
        let tables = TableStore::new(chunks.clone(), store.clone(), table_options(options));
        Ok(Repository {
            identity,
            catalog,
            tables,
            chunks,
            store,
            access: options.access,
            folding: Folding::default(),
            contents: Contents::new(CONTENT_CACHE_BYTES),
        })
    }

    /// `READ_ONLY` unless the repository may be written.
    pub fn check_writable(&self, action: &'static str) -> Result<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Error::ReadOnly { action, reason: "as the options say".to_string() }),
        }
    }

    /// What a version consists of; `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub fn content(&self, view: &View, table: &TableName, version: Version) -> Result<Arc<TableData>> {
        let key = (table.clone(), version);
        // The number of a commit that failed may have gone to another: only committed versions are kept. They may be newer
        // than the view.
        if let Some(data) = self.contents.get(&key)
            && view.has_version(table, version)?
        {
            return Ok(data);
        }
        let change = view.version_change(table, version)?;
        match view.is_staged(change.transaction.tx_id) {
            true => match view.staged_content(table, version).map(Arc::downcast::<TableData>) {
                Some(Ok(data)) => Ok(data),
                _ => self.resolve(view, table, &change),
            },
            // Many readers of a new version wait for the first.
            false => self.contents.get_or_make(&key, || self.resolve(view, table, &change)),
        }
    }

    /// Keeps in memory what a version consists of that was just committed.
    pub fn remember(&self, table: &TableName, version: Version, data: Arc<TableData>) {
        self.contents.insert((table.clone(), version), data);
    }

    fn resolve(&self, view: &View, table: &TableName, change: &VersionChange) -> Result<Arc<TableData>> {
        let before = self.before(view, table, change)?;
        content::resolve(&self.tables, view, table, change, before.as_ref()).map(Arc::new)
    }

    /// The nearest version that a change stands on whose content is in memory. One that is being committed never is,
    /// so the search goes on behind it.
    fn before(&self, view: &View, table: &TableName, change: &VersionChange) -> Result<Option<content::Before>> {
        let mut from = change.change().from;
        while let Some(version) = from {
            let change = view.version_change(table, version)?;
            if let Some(data) = self.contents.get(&(table.clone(), version)) {
                return Ok(Some(content::Before { version, change, data }));
            }
            from = change.change().from.filter(|_| view.is_staged(change.transaction.tx_id));
        }
        Ok(None)
    }
}

fn table_options(options: &RepositoryOptions) -> TableOptions {
    options.threads.map_or_else(TableOptions::default, |threads| TableOptions { threads: threads.max(1) })
}
