//! The low-level catalog: versions as bare lists of chunk hashes, whoever wrote the chunks.

use super::{CreateOptions, Database, Transaction, table_name};
use crate::error::{Error, Result};
use crate::format::{ChunkHash, ManifestSource, Version};
use crate::transaction::Commit;

impl Database {
    /// Commits a list of chunks under the next version of a table, which is created if it is not there. Hashes are 64
    /// hexadecimal digits; `options.key` must be empty. Durable on return.
    ///
    /// Nothing looks at the chunks: reading the version as rows answers `CHUNK_NOT_FOUND` for one that is not there, and
    /// `INVALID_ARGUMENT` if they are no Parquet files of the same columns. `VERSION_CONFLICT` unless `version` is the
    /// table's next one; `INVALID_ARGUMENT` for an ill-formed hash.
    pub fn commit_chunks(
        &self,
        name: &str,
        version: u64,
        hashes: &[String],
        options: &CreateOptions,
    ) -> Result<Commit> {
        if !options.key.is_empty() {
            return Err(Error::invalid("key", "a list of chunks has no key"));
        }
        let transaction = self.begin_on(options.branch.as_deref())?;
        transaction.commit_chunks(name, version, hashes)?;
        transaction.commit(options.message.as_deref())
    }

    /// The chunks of a version, in order, and its number; without `version`, of the newest that any branch ever had. Rows
    /// that still ride inside log records are in none of them. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub fn chunk_hashes(&self, name: &str, version: Option<u64>) -> Result<(u64, Vec<String>)> {
        let (table, view) = (table_name(name)?, self.view()?);
        let version = match version {
            Some(version) => Version(version),
            None => view.latest_version(&table)?.unwrap_or_default(),
        };
        let change = view.version_change(&table, version)?;
        let content = change.change().content.as_ref();
        if let Some(ManifestSource::Listed(chunks)) = content.map(|content| &content.manifest) {
            return Ok((version.0, chunks.iter().map(|chunk| chunk.to_hex()).collect()));
        }
        let data = self.repository()?.content(&view, &table, version)?;
        Ok((version.0, data.manifest.chunks.iter().map(|entry| entry.chunk.to_hex()).collect()))
    }

    /// Every version that a table ever had on any branch, in order; `TABLE_NOT_FOUND`.
    pub fn list_versions(&self, name: &str) -> Result<Vec<u64>> {
        let (table, view) = (table_name(name)?, self.view()?);
        match view.latest_version(&table)? {
            Some(latest) => Ok((1..=latest.0).collect()),
            None => Err(Error::TableNotFound { table: table.to_string(), at: "any branch".to_string() }),
        }
    }
}

impl Transaction {
    /// Prepares a version as a list of chunks; as [`Database::commit_chunks`].
    pub fn commit_chunks(&self, name: &str, version: u64, hashes: &[String]) -> Result<()> {
        self.check_open()?;
        let hashes: Vec<ChunkHash> = hashes.iter().map(|hash| hash.parse()).collect::<Result<_>>()?;
        self.transaction.commit_chunks(&table_name(name)?, Version(version), hashes)
    }
}

#[cfg(test)]
mod tests {
    use crate::chunk_store::ChunkStore;
    use crate::database::tests::{memory, read, rows};
    use crate::error::Code;
    use crate::store::Access;
    use crate::{At, CreateOptions, Database, OpenOptions, WriteOptions};

    fn all(ids: std::ops::Range<i64>) -> Vec<i64> {
        ids.collect()
    }

    fn commit(db: &Database, version: u64, hashes: &[String]) -> Result<u64, Code> {
        let commit = db.commit_chunks("t", version, hashes, &CreateOptions::default());
        commit.map(|commit| commit.version().unwrap()).map_err(|error| error.code())
    }

    #[test]
    fn versions_follow_one_another_whatever_the_chunks_are() {
        let db = memory();
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert_eq!(db.list_versions("t").unwrap_err().code(), Code::TableNotFound);
        assert_eq!(commit(&db, 2, std::slice::from_ref(&a)), Err(Code::VersionConflict));
        assert_eq!(commit(&db, 0, std::slice::from_ref(&a)), Err(Code::VersionConflict));
        assert_eq!(commit(&db, 1, &["xyz".to_string()]), Err(Code::InvalidArgument));
        assert_eq!(commit(&db, 1, std::slice::from_ref(&a)), Ok(1));
        assert_eq!(commit(&db, 1, std::slice::from_ref(&a)), Err(Code::VersionConflict));
        assert_eq!(commit(&db, 2, &[a.clone(), b.clone()]), Ok(2));
        assert_eq!(commit(&db, 3, &[]), Ok(3));
        assert_eq!(db.list_versions("t").unwrap(), [1, 2, 3]);
        assert_eq!(db.chunk_hashes("t", None).unwrap(), (3, vec![]));
        assert_eq!(db.chunk_hashes("t", Some(2)).unwrap(), (2, vec![a, b]));
        assert_eq!(db.chunk_hashes("t", Some(4)).unwrap_err().code(), Code::VersionNotFound);
        assert_eq!(db.read_table("t", None, &At::version("t", 1)).err().unwrap().code(), Code::ChunkNotFound);
        db.write_table("t", rows(0..3), &WriteOptions::default()).unwrap();
        assert_eq!(read(&db, "t", &At::head()), all(0..3));
        assert_eq!(commit(&db, 5, &[]), Ok(5));
        db.drop_table("t", &CreateOptions::default()).unwrap();
    }

    #[test]
    fn of_two_that_commit_the_same_version_one_wins() {
        let db = memory();
        let (first, second) = (db.begin(&Default::default()).unwrap(), db.begin(&Default::default()).unwrap());
        first.commit_chunks("t", 1, &[]).unwrap();
        second.commit_chunks("t", 1, &[]).unwrap();
        first.commit(None).unwrap();
        assert_eq!(second.commit(None).unwrap_err().code(), Code::VersionConflict);
        assert_eq!(db.list_versions("t").unwrap(), [1]);
    }

    #[test]
    fn listed_parquet_files_are_read_and_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let db = Database::open(directory.path(), OpenOptions::default()).unwrap();
        db.write_table("source", rows(0..100_000), &WriteOptions::default()).unwrap();
        let (_, hashes) = db.chunk_hashes("source", None).unwrap();
        assert!(!hashes.is_empty());
        assert_eq!(commit(&db, 1, &hashes), Ok(1));
        assert_eq!(read(&db, "t", &At::head()), all(0..100_000));
        db.write_table("t", rows(100_000..100_002), &WriteOptions::append()).unwrap();
        assert_eq!(read(&db, "t", &At::head()), all(0..100_002));
        assert!(db.compact("t", None).unwrap().is_some());
        assert_eq!(read(&db, "t", &At::head()), all(0..100_002));
        assert_eq!(read(&db, "t", &At::version("t", 1)), all(0..100_000));
        let chunks = ChunkStore::open(directory.path(), Access::ReadWrite).unwrap();
        let foreign = chunks.put(b"no parquet").unwrap().hash.to_hex();
        let next = db.list_versions("t").unwrap().len() as u64 + 1;
        assert_eq!(commit(&db, next, &[foreign]), Ok(next));
        assert_eq!(db.read_table("t", None, &At::head()).err().unwrap().code(), Code::InvalidArgument);
        assert!(db.verify(&crate::VerifyOptions { deep: true, ..Default::default() }).unwrap().ok);
    }
}
