//! What the floors above tell the SQL floor: which tables there are.

use std::sync::Arc;

use crate::error::Result;
use crate::format::Version;
use crate::table::TableData;

/// Where a statement finds its tables; asked once per table and place that a statement names.
pub trait Tables: Send + Sync {
    /// The table of exactly that name there.
    ///
    /// `TABLE_NOT_FOUND` if there is none: a name that differs only in case is then tried. Any other error, such as
    /// `VERSION_NOT_FOUND` or `BRANCH_NOT_FOUND`, ends the statement as it is.
    fn resolve(&self, table: &str, at: &TableAt) -> Result<ResolvedTable>;

    /// The names of all tables there: asked for suggestions, for names in another case and for `SHOW TABLES`.
    fn list(&self, at: &TableAt) -> Result<Vec<String>>;
}

/// Where a table reference of a statement looks: its `AT` clause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum TableAt {
    /// No clause: where the statement as a whole looks.
    #[default]
    Default,
    /// `AT (VERSION => 3)`: a version of the table.
    Version(u64),
    /// `AT (VERSION => 'name')`: a branch, a tag, or `branch:…`, `tag:…`, `tx:…`; as written.
    Ref(String),
    /// `AT (TIMESTAMP => …)`: as it was then, in microseconds since 1970 UTC.
    Time(i64),
}

/// A table version that a reference stands for.
#[derive(Clone, Debug)]
pub struct ResolvedTable {
    /// The table's name.
    pub name: String,
    /// The version.
    pub version: Version,
    /// Its rows. A schema of zero bytes marks a table of the low-level catalog: its chunks say what its columns are.
    pub data: Arc<TableData>,
}
