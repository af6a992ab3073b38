//! The rows that came and went between two versions of a table, step by step.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::cancel::CancelToken;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::format::{ChangeKind, TableName, TxId, Version};
use crate::repository::Repository;
use crate::table::RowStream;

/// One step: a version, what it grew out of, and when.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: Option<Version>,
    to: Version,
    tx_id: TxId,
    time_us: i64,
}

/// Row changes after version `from` and up to `to`, which must have grown out of it: the table's columns and
/// `_change_type` (`insert`, `delete`, `update_preimage`, `update_postimage`), `_commit_version`, `_commit_timestamp`
/// (UTC, microseconds) and `_tx_id`. The columns are those of version `to`.
///
/// Updates are told from inserts and deletes by the table's key; without one there are only inserts and deletes.
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (`from` is no ancestor of `to`).
pub fn row_changes(
    repository: &Arc<Repository>,
    view: &View,
    table: &TableName,
    from: Version,
    to: Version,
    cancel: &CancelToken,
) -> Result<RowStream> {
    let steps = steps(view, table, from, to)?;
    let data = repository.content(view, table, to)?;
    let schema = with_commit_columns(&*data.arrow_schema()?);
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
                Err(error) => Box::new(std::iter::once(Err(ArrowError::from_external_error(Box::new(error))))),
            };
            rows
        }
    });
    Ok(Box::new(RecordBatchIterator::new(batches, schema)))
}

/// From `to` back to `from`, then turned round.
fn steps(view: &View, table: &TableName, from: Version, to: Version) -> Result<Vec<Step>> {
    if from.0 > 0 {
        view.version_change(table, from)?;
    }
    let mut steps = Vec::new();
    let mut at = to;
    while at > from {
        let change = view.version_change(table, at)?;
        let (transaction, change) = (&change.transaction, change.change());
        let before = change.from.filter(|before| *before < at);
        if change.kind != ChangeKind::Fold {
            steps.push(Step { from: before, to: at, tx_id: transaction.tx_id, time_us: transaction.time_us });
        }
        at = before.unwrap_or(Version(0));
    }
    if at != from {
        let reason = format!("version {to} of table {table:?} did not grow out of version {from}");
        return Err(Error::invalid("version range", reason));
    }
    steps.reverse();
    Ok(steps)
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
        None => Arc::new(crate::table::TableData::empty(after.schema.clone())),
    };
    repository.tables.diff_rows(&before, &after, key, cancel)
}

fn with_commit_columns(schema: &Schema) -> SchemaRef {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    fields.extend([
        Arc::new(Field::new("_change_type", DataType::Utf8, false)),
        Arc::new(Field::new("_commit_version", DataType::Int64, false)),
        Arc::new(Field::new("_commit_timestamp", timestamp, false)),
        Arc::new(Field::new("_tx_id", DataType::Int64, false)),
    ]);
    Arc::new(Schema::new(fields))
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
            "_commit_version" => Ok(number(step.to.0)),
            "_commit_timestamp" => Ok(Arc::new(time.clone()) as ArrayRef),
            "_tx_id" => Ok(number(step.tx_id.0)),
            name => match batch.column_by_name(name) {
                Some(column) => arrow::compute::cast(column, field.data_type()),
                None => Ok(arrow::array::new_null_array(field.data_type(), rows)),
            },
        })
        .collect();
    RecordBatch::try_new(schema.clone(), columns?)
}
