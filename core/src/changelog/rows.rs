//! The rows that came and went between two versions of a table, step by step.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::cancel::CancelToken;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::format::{ChangeKind, SchemaSource, TableChange, TableName, TxId, Version};
use crate::repository::Repository;
use crate::table::{CHANGE_TYPE_COLUMN, RowStream, TableData, common_columns, convert_exactly, error_to_arrow};

const COMMIT_VERSION_COLUMN: &str = "_commit_version";
const COMMIT_TIMESTAMP_COLUMN: &str = "_commit_timestamp";
const TX_ID_COLUMN: &str = "_tx_id";

/// One step: a version, what it grew out of, and when.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: Option<Version>,
    to: Version,
    tx_id: TxId,
    time_us: i64,
}

/// The way from one version to another.
struct Path {
    /// In order.
    steps: Vec<Step>,
    /// Versions that have all the schemas of the way, the newest first.
    schemas: Vec<Version>,
}

/// Row changes after version `from` and up to `to`, which must have grown out of it: the table's columns and
/// `_change_type` (`insert`, `delete`, `update_preimage`, `update_postimage`), `_commit_version`, `_commit_timestamp`
/// (UTC, microseconds) and `_tx_id`. The columns are those of version `to`, then those that earlier versions had; one
/// that changed its type has a type that holds all its values.
///
/// Updates are told from inserts and deletes by the key of version `to`, where both versions of a step have its columns;
/// without one there are only inserts and deletes.
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (`from` is no ancestor of `to`, or the table has a column
/// named like one of those above), `UNSUPPORTED` (no type holds all values of a column; also inside the stream).
pub fn row_changes(
    repository: &Arc<Repository>,
    view: &View,
    table: &TableName,
    from: Version,
    to: Version,
    cancel: &CancelToken,
) -> Result<RowStream> {
    let Path { steps, schemas } = path(view, table, from, to)?;
    let data = repository.content(view, table, to)?;
    let schema = with_commit_columns(&all_columns(repository, view, table, &schemas)?)?;
    let context = (repository.clone(), view.clone(), table.clone(), cancel.clone());
    let batches = steps.into_iter().flat_map({
        let schema = schema.clone();
        move |step| {
            let (repository, view, table, cancel) = &context;
            let key = data.schema.key.clone();
            let rows = step_rows(repository, view, table, step, &key, cancel);
            let schema = schema.clone();
            let rows: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send> = match rows {
                Ok(rows) => Box::new(rows.map(move |batch| stamped(&batch?, step, &schema))),
                Err(error) => Box::new(std::iter::once(Err(error_to_arrow(error)))),
            };
            rows
        }
    });
    Ok(Box::new(RecordBatchIterator::new(batches, schema)))
}

/// From `to` back to `from`, then turned round.
fn path(view: &View, table: &TableName, from: Version, to: Version) -> Result<Path> {
    let (mut steps, mut schemas) = (Vec::new(), Vec::new());
    let mut at = to;
    while at > from {
        let change = view.version_change(table, at)?;
        let (transaction, change) = (&change.transaction, change.change());
        let before = change.from.filter(|before| *before < at);
        if change.kind != ChangeKind::Fold {
            steps.push(Step { from: before, to: at, tx_id: transaction.tx_id, time_us: transaction.time_us });
        }
        schemas.push(schema_version(change, at));
        at = before.unwrap_or(Version(0));
    }
    if from.0 > 0 {
        schemas.push(schema_version(view.version_change(table, from)?.change(), from));
    }
    if at != from {
        let reason = format!("version {to} of table {table:?} did not grow out of version {from}");
        return Err(Error::invalid("version range", reason));
    }
    steps.reverse();
    let mut seen = BTreeSet::new();
    schemas.retain(|version| seen.insert(*version));
    Ok(Path { steps, schemas })
}

/// The version that holds the schema of another, as the log says.
fn schema_version(change: &TableChange, version: Version) -> Version {
    match change.content.as_ref().map(|content| &content.schema) {
        Some(SchemaSource::As(holder)) => *holder,
        _ => version,
    }
}

/// The columns of the first version, then those that only later ones of the list have.
fn all_columns(repository: &Repository, view: &View, table: &TableName, versions: &[Version]) -> Result<Schema> {
    let mut all: Option<Schema> = None;
    for version in versions {
        let schema = repository.content(view, table, *version)?.arrow_schema()?;
        all = Some(match all {
            None => Schema::clone(&schema),
            Some(newer) => Schema::new_with_metadata(common_columns(&schema, &newer)?, newer.metadata().clone()),
        });
    }
    all.ok_or_else(|| Error::internal("row changes of no version"))
}

fn step_rows(
    repository: &Repository,
    view: &View,
    table: &TableName,
    step: Step,
    key: &[String],
    cancel: &CancelToken,
) -> Result<RowStream> {
    let after = repository.content(view, table, step.to)?;
    let before = match step.from {
        Some(version) => repository.content(view, table, version)?,
        None => Arc::new(TableData::empty(after.schema.clone())),
    };
    let (old, new) = (before.arrow_schema()?, after.arrow_schema()?);
    let keyed = key.iter().all(|name| [&old, &new].iter().all(|schema| schema.index_of(name).is_ok()));
    repository.tables.diff_rows(&before, &after, if keyed { key } else { &[] }, cancel)
}

fn with_commit_columns(schema: &Schema) -> Result<SchemaRef> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let added = [
        Field::new(CHANGE_TYPE_COLUMN, DataType::Utf8, false),
        Field::new(COMMIT_VERSION_COLUMN, DataType::Int64, false),
        Field::new(COMMIT_TIMESTAMP_COLUMN, timestamp, false),
        Field::new(TX_ID_COLUMN, DataType::Int64, false),
    ];
    if let Some(own) = added.iter().find(|field| schema.index_of(field.name()).is_ok()) {
        return Err(Error::invalid("table", format!("it has a column {:?} of its own", own.name())));
    }
    let fields: Vec<Arc<Field>> = schema.fields().iter().cloned().chain(added.map(Arc::new)).collect();
    Ok(Arc::new(Schema::new(fields)))
}

/// Puts the commit columns behind a batch of a row diff.
fn stamped(batch: &RecordBatch, step: Step, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let number = |value: u64| -> ArrayRef { Arc::new(Int64Array::from_value(value.cast_signed(), rows)) };
    let time = TimestampMicrosecondArray::from_value(step.time_us, rows).with_timezone("UTC");
    let columns: Result<Vec<ArrayRef>, ArrowError> = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            COMMIT_VERSION_COLUMN => Ok(number(step.to.0)),
            COMMIT_TIMESTAMP_COLUMN => Ok(Arc::new(time.clone()) as ArrayRef),
            TX_ID_COLUMN => Ok(number(step.tx_id.0)),
            name => match batch.column_by_name(name) {
                Some(column) => convert_exactly(column, field).map_err(error_to_arrow),
                None => Ok(arrow::array::new_null_array(field.data_type(), rows)),
            },
        })
        .collect();
    RecordBatch::try_new(schema.clone(), columns?)
}
