//! How operations are asked for.

use std::path::PathBuf;

use crate::store::Environment;
pub use crate::transaction::{Isolation, WriteMode};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Make a repository where there is none.
    pub create: bool,
    /// Refuse every write.
    pub read_only: bool,
    /// Who commits, unless a commit says otherwise.
    pub author: Option<String>,
    /// Whether SQL may read files outside the repository.
    pub external_access: bool,
    /// Threads to work with; `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// Memory for SQL, in bytes; `None`: most of the machine's.
    pub memory_limit_bytes: Option<u64>,
    /// Where data is spilled and materialised; `None`: the system's temporary directory.
    pub cache_dir: Option<PathBuf>,
    /// Clock and randomness.
    pub environment: Environment,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            create: true,
            read_only: false,
            author: None,
            external_access: false,
            threads: None,
            memory_limit_bytes: None,
            cache_dir: None,
            environment: Environment::system(),
        }
    }
}

/// How a table is created or dropped.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// The key columns.
    pub key: Vec<String>,
    /// The branch; `None`: the current one.
    pub branch: Option<String>,
    /// Why.
    pub message: Option<String>,
}

/// How rows are written.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Whether they replace or follow those that are there.
    pub mode: WriteMode,
    /// The key columns, for a table that is created or overwritten. Row changes tell updates by them; nothing enforces that
    /// they are unique.
    pub key: Vec<String>,
    /// The branch; `None`: the current one.
    pub branch: Option<String>,
    /// Why.
    pub message: Option<String>,
}

/// How a transaction begins.
#[derive(Clone, Debug, Default)]
pub struct BeginOptions {
    /// The branch; `None`: the current one.
    pub branch: Option<String>,
    /// How much it is kept apart from others.
    pub isolation: Isolation,
}
