//! Looking inside: verification, statistics, and any stored object as JSON.

use parquet::file::metadata::ParquetMetaDataReader;
use serde_json::{Value as Json, json};

use super::{Database, table_name};
use crate::cancel::CancelToken;
use crate::check::{self, Stats, VerifyOptions, VerifyReport};
use crate::error::{Error, Result};
use crate::format::{ChunkHash, NodeHash, TxId, Version};

impl Database {
    /// Reads everything and reports what is damaged; see [`VerifyReport`].
    pub fn verify(&self, options: &VerifyOptions<'_>) -> Result<VerifyReport> {
        self.verify_with(options, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn verify_with(&self, options: &VerifyOptions<'_>, cancel: &CancelToken) -> Result<VerifyReport> {
        check::verify(self.repository()?, options, cancel)
    }

    /// Counts what there is; reads the whole log.
    pub fn stats(&self) -> Result<Stats> {
        check::stats(self.repository()?)
    }

    /// Shows a stored object as JSON. Objects are: `repo`; `tx:42`, a transaction as the log keeps it; `users@3`, what a
    /// table version consists of; `chunk:<hash>`, what a chunk file says of itself; `node:<hash>`, a metadata node.
    ///
    /// `INVALID_ARGUMENT` for anything else; the `_NOT_FOUND` of the object.
    pub fn inspect(&self, object: &str) -> Result<Json> {
        if object == "repo" {
            return json_of(&self.repository()?.identity);
        }
        if let Some(number) = object.strip_prefix("tx:") {
            let tx_id = number.parse().map_err(|_| Error::invalid("object", format!("{object:?} has no number")))?;
            return json_of(&*self.view()?.transaction(TxId(tx_id))?);
        }
        if let Some(hash) = object.strip_prefix("chunk:") {
            return self.inspect_chunk(hash.parse()?);
        }
        if let Some(hash) = object.strip_prefix("node:") {
            return json_of(&self.repository()?.tables.load_node(hash.parse::<NodeHash>()?)?);
        }
        match object.rsplit_once('@').and_then(|(table, version)| Some((table, version.parse().ok()?))) {
            Some((table, version)) => self.inspect_version(table, version),
            None => Err(Error::invalid(
                "object",
                format!("{object:?} is none of repo, tx:N, TABLE@VERSION, chunk:HASH, node:HASH"),
            )),
        }
    }

    fn inspect_version(&self, table: &str, version: u64) -> Result<Json> {
        let (table, view) = (table_name(table)?, self.view()?);
        let change = view.version_change(&table, Version(version))?;
        let data = self.repository()?.content(&view, &table, Version(version))?;
        let columns: Vec<Json> = data
            .arrow_schema()?
            .fields()
            .iter()
            .map(|field| {
                json!({"name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable()})
            })
            .collect();
        let tail: Vec<Json> = data
            .tail
            .to_vec()
            .into_iter()
            .map(|batch| {
                json!({"version": batch.version, "rows": batch.rows, "bytes": batch.bytes.len(), "after": batch.after})
            })
            .collect();
        Ok(json!({
            "table": table.as_str(),
            "version": version,
            "tx_id": change.transaction.tx_id,
            "kind": change.change().kind,
            "rows": data.rows(),
            "bytes": data.bytes(),
            "columns": columns,
            "key": data.schema.key,
            "chunks": json_of(&data.manifest.chunks)?,
            "tail": tail,
        }))
    }

    fn inspect_chunk(&self, hash: ChunkHash) -> Result<Json> {
        let bytes = self.repository()?.chunks.get_verified(hash)?;
        let length = bytes.len();
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes);
        let metadata =
            metadata.map_err(|error| Error::invalid("object", format!("{hash} is no Parquet file: {error}")))?;
        let file = metadata.file_metadata();
        let columns: Vec<Json> = file
            .schema_descr()
            .columns()
            .iter()
            .map(|column| json!({"path": column.path().string(), "type": column.physical_type().to_string()}))
            .collect();
        let row_groups: Vec<Json> = metadata
            .row_groups()
            .iter()
            .map(|group| json!({"rows": group.num_rows(), "bytes": group.compressed_size()}))
            .collect();
        Ok(json!({
            "chunk": hash,
            "bytes": length,
            "rows": file.num_rows(),
            "created_by": file.created_by(),
            "columns": columns,
            "row_groups": row_groups,
        }))
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|error| Error::internal(format!("cannot show an object as JSON: {error}")))
}
