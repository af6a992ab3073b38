//! DuckDB with the same threads and the settings that Armillaria gives it.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use duckdb::{Config, Connection};
use parquet::arrow::ArrowWriter;

use crate::{Result, data};

/// A DuckDB of its own, in memory.
pub(crate) struct DuckDb {
    connection: Connection,
}

impl DuckDb {
    /// Opens it with as many threads.
    pub(crate) fn open(threads: usize) -> Result<DuckDb> {
        let config = Config::default().enable_autoload_extension(false)?.threads(i64::try_from(threads)?)?;
        let connection = Connection::open_in_memory_with_flags(config)?;
        connection.execute_batch(
            "SET GLOBAL TimeZone = 'UTC'; SET GLOBAL parquet_metadata_cache = true;
            SET GLOBAL enable_geoparquet_conversion = false",
        )?;
        Ok(DuckDb { connection })
    }

    /// Takes rows into the in-memory table `memory`, in their order.
    pub(crate) fn load(&self, batches: &[RecordBatch], scratch: &Path) -> Result<()> {
        let path = scratch.join("load.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path)?, data::schema(), None)?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.close()?;
        let sql = format!("CREATE OR REPLACE TABLE memory AS FROM read_parquet({})", quoted(&path)?);
        self.connection.execute_batch(&sql)?;
        Ok(std::fs::remove_file(&path)?)
    }

    /// Writes the in-memory table as one Parquet file with zstd; durable on return.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<()> {
        let sql = format!("COPY memory TO {} (FORMAT parquet, COMPRESSION zstd)", quoted(path)?);
        self.connection.execute_batch(&sql)?;
        File::open(path)?.sync_all()?;
        let directory = path.parent().ok_or("a file has a directory")?;
        Ok(File::open(directory)?.sync_all()?)
    }

    /// Calls a Parquet file `t`, and forgets the rows in memory.
    pub(crate) fn show(&self, path: &Path) -> Result<()> {
        let sql =
            format!("DROP TABLE IF EXISTS memory; CREATE OR REPLACE VIEW t AS FROM read_parquet({})", quoted(path)?);
        Ok(self.connection.execute_batch(&sql)?)
    }

    /// Runs a statement to its end.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut statement = self.connection.prepare(sql)?;
        Ok(statement.query_arrow([])?.collect())
    }
}

/// DuckDB's version.
pub(crate) fn version() -> Result<String> {
    let duckdb = Connection::open_in_memory()?;
    Ok(duckdb.query_row("SELECT version()", [], |row| row.get(0))?)
}

fn quoted(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or("the path is no text")?;
    Ok(format!("'{}'", text.replace('\'', "''")))
}
