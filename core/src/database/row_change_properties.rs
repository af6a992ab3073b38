//! Row changes, applied in order, turn the rows of one version into those of another, whatever types the columns had on
//! the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;

use super::tests::memory;
use super::*;

const COMMIT_COLUMNS: usize = 4;

/// Rows as text, and how many there are of each.
type Rows = BTreeMap<String, i64>;

/// A value that every type below has in some form; halves are cut off where a type has none.
type Halves = Option<i8>;

#[derive(Clone, Debug)]
enum Step {
    /// All rows anew: the columns `id` and `x` in these types, where there is one.
    Overwrite([Option<DataType>; 2], Vec<[Halves; 2]>),
    /// More rows in the types that the table has; of a keyed table without `x`.
    Append(Vec<[Halves; 2]>),
    Compact,
}

fn data_type() -> impl Strategy<Value = DataType> {
    use DataType::*;
    prop::sample::select(vec![
        Null,
        Boolean,
        Int8,
        Int64,
        UInt64,
        Float16,
        Float32,
        Float64,
        Decimal128(10, 2),
        Utf8,
        Date32,
        Timestamp(TimeUnit::Millisecond, None),
        Timestamp(TimeUnit::Microsecond, None),
        Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    ])
}

fn values() -> impl Strategy<Value = Vec<[Halves; 2]>> {
    let value = || prop::option::weighted(0.8, 0i8..4);
    prop::collection::vec((value(), value()).prop_map(<[Halves; 2]>::from), 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    let types = (data_type(), prop::option::weighted(0.8, data_type())).prop_map(|(id, x)| [Some(id), x]);
    prop_oneof![
        4 => (types, values()).prop_map(|(types, rows)| Step::Overwrite(types, rows)),
        4 => values().prop_map(Step::Append),
        1 => Just(Step::Compact),
    ]
}

fn column(data_type: &DataType, halves: impl Iterator<Item = Halves> + Clone) -> ArrayRef {
    let doubles = Float64Array::from_iter(halves.clone().map(|half| half.map(|half| f64::from(half) / 2.0)));
    let whole = Int64Array::from_iter(halves.clone().map(|half| half.map(|half| i64::from(half / 2))));
    match data_type {
        DataType::Null => new_null_array(data_type, whole.len()),
        // Some as whole numbers are written, some as others are.
        DataType::Utf8 => Arc::new(StringArray::from_iter(halves.map(|half| match half? {
            half @ (0 | 2) => Some(format!("{}", half / 2)),
            half => Some(format!("{:?}", f64::from(half) / 2.0)),
        }))),
        kind if kind.is_floating() || matches!(kind, DataType::Decimal128(..)) => cast(&doubles, kind).unwrap(),
        DataType::Date32 => cast(&cast(&whole, &DataType::Int32).unwrap(), data_type).unwrap(),
        kind => cast(&whole, kind).unwrap(),
    }
}

fn write(db: &Database, schema: &SchemaRef, rows: &[[Halves; 2]], options: &WriteOptions) {
    let columns = schema.fields().iter().map(|field| {
        let place = usize::from(field.name() == "x");
        column(field.data_type(), rows.iter().map(move |row| row[place]))
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    db.write_table("t", Box::new(RecordBatchIterator::new([Ok(batch)], schema.clone())), options).unwrap();
}

fn schema_of(types: &[Option<DataType>; 2]) -> SchemaRef {
    let named = ["id", "x"].into_iter().zip(types);
    let field = |(name, data_type): (&str, &Option<DataType>)| Some(Field::new(name, data_type.clone()?, true));
    Arc::new(Schema::new(named.filter_map(field).collect::<Vec<_>>()))
}

/// A table of as many versions as there are, the first of them an overwrite.
fn table(first: &Step, steps: &[Step], keyed: bool) -> (Database, u64) {
    let db = memory();
    for step in std::iter::once(first).chain(steps) {
        match step {
            Step::Overwrite(types, rows) => {
                let key = if keyed { vec!["id".to_string()] } else { Vec::new() };
                write(&db, &schema_of(types), rows, &WriteOptions { key, ..WriteOptions::default() });
            }
            Step::Append(rows) => {
                let schema = db.table_schema("t", &At::head()).unwrap();
                let schema = if keyed { Arc::new(schema.project(&[0]).unwrap()) } else { schema };
                write(&db, &schema, rows, &WriteOptions::append());
            }
            Step::Compact => drop(db.compact("t", None).unwrap()),
        }
    }
    let versions = db.history("t", None).unwrap().len() as u64;
    (db, versions)
}

fn lines(batch: &RecordBatch, columns: usize) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> =
        batch.columns()[..columns].iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

/// The rows of a version in the columns of others; 0 has none.
fn rows_in(db: &Database, version: u64, schema: &SchemaRef) -> Rows {
    let mut rows = Rows::new();
    if version == 0 {
        return rows;
    }
    let columns = schema.fields().len() - COMMIT_COLUMNS;
    for batch in db.read_table("t", None, &At::version("t", version)).unwrap() {
        let batch = batch.unwrap();
        let converted = schema.fields()[..columns].iter().map(|field| match batch.column_by_name(field.name()) {
            Some(column) => cast(column, field.data_type()).unwrap(),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
        let shown = Schema::new(schema.fields()[..columns].to_vec());
        let shown = RecordBatch::try_new(Arc::new(shown), converted.collect()).unwrap();
        lines(&shown, columns).into_iter().for_each(|line| *rows.entry(line).or_default() += 1);
    }
    rows
}

/// One change: its version, what it is, and the row.
type Change = (u64, String, String);

fn row_changes(db: &Database, from: u64, to: u64) -> (SchemaRef, Vec<Change>) {
    let stream = db.table_changes("t", from, to).unwrap();
    let schema = stream.schema();
    let columns = schema.fields().len() - COMMIT_COLUMNS;
    let mut changes = Vec::new();
    for batch in stream {
        let batch = batch.unwrap();
        let kinds = batch.column(columns).as_string::<i32>();
        let versions = batch.column(columns + 1).as_primitive::<Int64Type>();
        for (row, line) in lines(&batch, columns).into_iter().enumerate() {
            changes.push((versions.value(row) as u64, kinds.value(row).to_string(), line));
        }
    }
    (schema, changes)
}

fn apply(rows: &mut Rows, changes: &[&Change]) {
    for (_, kind, line) in changes {
        let left = rows.entry(line.clone()).or_default();
        *left += if kind == "insert" || kind == "update_postimage" { 1 } else { -1 };
    }
    assert!(rows.values().all(|count| *count >= 0), "{rows:?} after {changes:?}");
    rows.retain(|_, count| *count > 0);
}

/// No row both comes and goes, and updates come in pairs.
fn check_one_version(changes: &[&Change]) {
    let of = |wanted: [&str; 2]| {
        let kinds = changes.iter().filter(move |(_, kind, _)| wanted.contains(&kind.as_str()));
        kinds.map(|(_, _, line)| line).collect::<Vec<_>>()
    };
    let (went, came) = (of(["delete", "update_preimage"]), of(["insert", "update_postimage"]));
    assert!(went.iter().all(|line| !came.contains(line)), "{changes:?}");
    assert_eq!(of(["update_preimage", ""]).len(), of(["update_postimage", ""]).len(), "{changes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn row_changes_lead_from_version_to_version(
        types in (data_type(), data_type()),
        first in values(),
        steps in prop::collection::vec(step(), 0..7),
        keyed in any::<bool>(),
        ends in any::<[prop::sample::Index; 2]>(),
    ) {
        let first = Step::Overwrite([Some(types.0), Some(types.1)], first);
        let (db, versions) = table(&first, &steps, keyed);
        let to = 1 + ends[1].index(versions as usize) as u64;
        let from = ends[0].index(to as usize + 1) as u64;
        let (schema, changes) = row_changes(&db, from, to);
        prop_assert!(changes.is_sorted_by_key(|(version, ..)| *version));
        let mut rows = rows_in(&db, from, &schema);
        for version in from + 1..=to {
            let changes: Vec<&Change> = changes.iter().filter(|(made, ..)| *made == version).collect();
            check_one_version(&changes);
            apply(&mut rows, &changes);
            prop_assert_eq!(&rows, &rows_in(&db, version, &schema), "version {}", version);
        }
    }
}
