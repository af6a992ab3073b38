//! The rows that came and went between two versions of a table, step by step.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::cancel::CancelToken;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::format::{ChangeKind, SchemaSource, TableChange, TableName, TxId, Version};
use crate::repository::Repository;
use crate::table::{CHANGE_TYPE_COLUMN, RowStream, TableData, common_columns, error_to_arrow};

const ACTION: &str = "collecting row changes";

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
/// Applied in order, the changes turn the rows of `from` into those of `to`. Rows are compared as they are shown: each
/// version's values are converted once, from the type they are stored in to the type that comes out. So a row looks the
/// same when it comes and when it goes, and a change of type alone is no change of a row whose value looks the same
/// after it: 1 as an integer and as a float among floats, but not 1 and 1.0 among texts. A column that comes or goes
/// changes the rows that have a value in it.
///
/// Updates are told from inserts and deletes by the key of version `to`, where both versions of a step have its columns;
/// without one there are only inserts and deletes.
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (`from` is no ancestor of `to`, or the table has a column
/// named like one of those above), `UNSUPPORTED` (no type holds all values of a column; also inside the stream),
/// `CANCELLED`.
pub fn row_changes(
    repository: &Arc<Repository>,
    view: &View,
    table: &TableName,
    from: Version,
    to: Version,
    cancel: &CancelToken,
) -> Result<RowStream> {
    let Path { steps, schemas } = path(view, table, from, to, cancel)?;
    let columns = all_columns(repository, view, table, &schemas, cancel)?;
    let schema = with_commit_columns(&columns)?;
    let key = repository.content(view, table, to)?.schema.key.clone();
    let way = Way {
        repository: repository.clone(),
        view: view.clone(),
        table: table.clone(),
        columns,
        key,
        cancel: cancel.clone(),
    };
    let batches = steps.into_iter().flat_map({
        let schema = schema.clone();
        move |step| {
            let schema = schema.clone();
            let rows: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send> = match way.rows(step) {
                Ok(rows) => Box::new(rows.map(move |batch| stamped(&batch?, step, &schema))),
                Err(error) => Box::new(std::iter::once(Err(error_to_arrow(error)))),
            };
            rows
        }
    });
    Ok(Box::new(RecordBatchIterator::new(up_to_error(batches), schema)))
}

/// Nothing behind the first error: later steps stand on what it left out.
fn up_to_error<T, E>(items: impl Iterator<Item = Result<T, E>>) -> impl Iterator<Item = Result<T, E>> {
    items.scan(false, |failed, item| {
        let before = std::mem::replace(failed, item.is_err());
        (!before).then_some(item)
    })
}

/// From `to` back to `from`, then turned round.
fn path(view: &View, table: &TableName, from: Version, to: Version, cancel: &CancelToken) -> Result<Path> {
    let (mut steps, mut schemas) = (Vec::new(), Vec::new());
    let mut at = to;
    while at > from {
        cancel.check(ACTION)?;
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

/// The columns of the first version, then those that only later ones of the list have, in types that hold all values.
fn all_columns(
    repository: &Repository,
    view: &View,
    table: &TableName,
    versions: &[Version],
    cancel: &CancelToken,
) -> Result<Vec<FieldRef>> {
    let mut all: Option<SchemaRef> = None;
    for version in versions {
        cancel.check(ACTION)?;
        let schema = repository.content(view, table, *version)?.arrow_schema()?;
        all = Some(match all {
            None => schema,
            Some(newer) => Arc::new(Schema::new(common_columns(&schema, &newer)?)),
        });
    }
    let all = all.ok_or_else(|| Error::internal("row changes of no version"))?;
    Ok(all.fields().iter().cloned().collect())
}

/// What all steps have in common.
struct Way {
    repository: Arc<Repository>,
    view: View,
    table: TableName,
    /// What comes out: they hold what each version holds.
    columns: Vec<FieldRef>,
    /// The key of the last version.
    key: Vec<String>,
    cancel: CancelToken,
}

impl Way {
    /// What differs between the two versions of a step.
    fn rows(&self, step: Step) -> Result<RowStream> {
        let content = |version| self.repository.content(&self.view, &self.table, version);
        let after = content(step.to)?;
        let before = match step.from {
            Some(version) => content(version)?,
            None => Arc::new(TableData::empty(after.schema.clone())),
        };
        let (old, new) = (before.arrow_schema()?, after.arrow_schema()?);
        let keyed = self.key.iter().all(|name| [&old, &new].iter().all(|schema| schema.index_of(name).is_ok()));
        let key = if keyed { &self.key[..] } else { &[] };
        self.repository.tables.diff_rows_as(&self.columns, &before, &after, key, &self.cancel)
    }
}

fn with_commit_columns(columns: &[FieldRef]) -> Result<SchemaRef> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let added = [
        Field::new(CHANGE_TYPE_COLUMN, DataType::Utf8, false),
        Field::new(COMMIT_VERSION_COLUMN, DataType::Int64, false),
        Field::new(COMMIT_TIMESTAMP_COLUMN, timestamp, false),
        Field::new(TX_ID_COLUMN, DataType::Int64, false),
    ];
    if let Some(own) = added.iter().find(|added| columns.iter().any(|column| column.name() == added.name())) {
        return Err(Error::invalid("table", format!("it has a column {:?} of its own", own.name())));
    }
    let fields: Vec<FieldRef> = columns.iter().cloned().chain(added.map(Arc::new)).collect();
    Ok(Arc::new(Schema::new(fields)))
}

/// Puts the commit columns behind a batch of a row diff.
fn stamped(batch: &RecordBatch, step: Step, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let number = |value: u64| -> ArrayRef { Arc::new(Int64Array::from_value(value.cast_signed(), rows)) };
    let time = TimestampMicrosecondArray::from_value(step.time_us, rows).with_timezone("UTC");
    let stamps = [number(step.to.0), Arc::new(time), number(step.tx_id.0)];
    RecordBatch::try_new(schema.clone(), batch.columns().iter().cloned().chain(stamps).collect())
}
