//! Compares all that a database says with all that its model knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use armillaria::format::ChangeKind;
use armillaria::{At, ChangelogEntry, ChangesQuery, Code, Database};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use crate::model::{Change, Content, Model, Place};
use crate::script::at;
#[cfg(feature = "sql")]
use crate::support::collect;
use crate::support::{Row, batch_rows, batches, code_of, counted, read};

/// Everything but differences between versions.
#[track_caller]
pub(crate) fn check_state(db: &Database, model: &Model) {
    assert_eq!(db.latest_tx_id().unwrap(), model.latest());
    check_names(db, model);
    check_versions(db, model);
    check_snapshots(db, model);
    check_histories(db, model);
}

fn check_names(db: &Database, model: &Model) {
    let branches = db.list_branches().unwrap().into_iter().map(|branch| (branch.name, branch.head_tx_id));
    let expected = model.branches.iter().map(|(name, branch)| (name.clone(), branch.head));
    assert_eq!(branches.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let tags = db.list_tags().unwrap().into_iter().map(|tag| (tag.name, tag.tx_id));
    assert_eq!(tags.collect::<BTreeMap<_, _>>(), model.tags);
}

fn check_versions(db: &Database, model: &Model) {
    for (table, versions) in &model.versions {
        for (number, version) in (1..).zip(versions) {
            let at = At::version(table, number);
            let rows = read(db, table, &at).unwrap();
            assert_eq!(rows, *version.content.rows, "the rows of {table} version {number}");
            let schema = db.table_schema(table, &at).unwrap();
            assert_eq!(schema.fields(), version.content.shape.schema().fields(), "{table} version {number}");
        }
        let beyond = At::version(table, versions.len() as u64 + 1);
        assert_eq!(code_of(db.read_table(table, None, &beyond)), Code::VersionNotFound);
    }
}

fn check_snapshots(db: &Database, model: &Model) {
    let mut places: Vec<Place> = (0..=model.latest()).map(Place::Transaction).collect();
    places.extend(model.branches.keys().cloned().map(Place::Branch));
    places.extend(model.tags.keys().cloned().map(Place::Tag));
    let times: BTreeSet<i64> = model.transactions[1..].iter().map(|transaction| transaction.time_us).collect();
    for time_us in times {
        places.extend(model.branches.keys().map(|branch| Place::Time(branch.clone(), time_us)));
        places.push(Place::Time("main".to_string(), time_us - 1));
    }
    for place in places {
        let listed = db.list_tables(&at(&place, false)).unwrap();
        let listed: BTreeMap<&str, u64> = listed.iter().map(|table| (table.name.as_str(), table.version)).collect();
        assert_eq!(listed, model.live_tables(model.find(&place).unwrap()), "the tables at {place:?}");
    }
    check_heads(db, model);
}

/// The rows that the heads of branches show, read as heads.
#[track_caller]
pub(crate) fn check_heads(db: &Database, model: &Model) {
    for (name, branch) in &model.branches {
        for (table, version) in model.live_tables(branch.head) {
            let rows = read(db, table, &At::branch(name)).unwrap();
            assert_eq!(rows, *model.version(table, version).unwrap().content.rows, "{table} on {name}");
        }
        for (other, theirs) in &model.branches {
            let diff = db.diff_branches(name, other).unwrap();
            let (ours, theirs) = (model.live_tables(branch.head), model.live_tables(theirs.head));
            let only = |a: &BTreeMap<&str, u64>, b: &BTreeMap<&str, u64>| -> Vec<String> {
                a.keys().filter(|table| !b.contains_key(*table)).map(|table| table.to_string()).collect()
            };
            assert_eq!(diff.added, only(&ours, &theirs), "{name} against {other}");
            assert_eq!(diff.removed, only(&theirs, &ours), "{name} against {other}");
            let both = ours.iter().filter_map(|(table, a)| Some((table.to_string(), *a, *theirs.get(table)?)));
            assert_eq!(diff.modified, both.filter(|(_, a, b)| a != b).collect::<Vec<_>>(), "{name} against {other}");
        }
    }
}

fn check_histories(db: &Database, model: &Model) {
    for branch in model.branches.keys() {
        for table in model.table_names() {
            let actual = db.history(table, Some(branch));
            let expected = match model.history(table, branch) {
                Ok(expected) => expected,
                Err(code) => {
                    assert_eq!(code_of(actual), code, "the history of {table} on {branch}");
                    continue;
                }
            };
            let actual: Vec<_> =
                actual.unwrap().into_iter().map(|e| (e.tx_id, e.version, e.kind, e.rows, e.branch)).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|tx_id| {
                    let change = model.change(*tx_id, table).unwrap();
                    let version = change.to.or(change.from).unwrap();
                    let rows = change.to.map_or(0, |version| rows_of(model, table, Some(version)));
                    (*tx_id, version, change.kind, rows, model.at(*tx_id).branch.clone())
                })
                .collect();
            assert_eq!(actual, expected, "the history of {table} on {branch}");
        }
    }
}

fn rows_of(model: &Model, table: &str, version: Option<u64>) -> u64 {
    version.map_or(0, |version| model.version(table, version).unwrap().content.rows.len() as u64)
}

/// The changelog, whole and filtered, in a batch and through a subscription that was interrupted.
#[track_caller]
pub(crate) fn check_changelog(db: &Database, model: &Model, interrupted_at: u64) {
    let all = db.changes(&ChangesQuery::new()).unwrap();
    let numbers: Vec<u64> = all.iter().map(|entry| entry.tx_id).collect();
    assert_eq!(numbers, (1..=model.latest()).collect::<Vec<_>>(), "tx_ids have no gaps");
    all.iter().for_each(|entry| check_entry(entry, model));
    let (low, high) = (interrupted_at.min(model.latest()), model.latest() - model.latest() / 3);
    let (from_us, to_us) = (model.at(low.max(1).min(model.latest())).time_us, model.at(high).time_us);
    let passes = |query: &ChangesQuery, keep: &dyn Fn(&ChangelogEntry) -> bool| {
        let expected: Vec<u64> = all.iter().filter(|entry| keep(entry)).map(|entry| entry.tx_id).collect();
        let actual: Vec<u64> = db.changes(query).unwrap().iter().map(|entry| entry.tx_id).collect();
        assert_eq!(actual, expected, "{query:?}");
    };
    let new = ChangesQuery::new;
    passes(&new().since_tx(low), &|entry| entry.tx_id > low);
    passes(&new().since_tx(low).until_tx(high), &|entry| entry.tx_id > low && entry.tx_id <= high);
    passes(&new().from_time_us(from_us).to_time_us(to_us), &|e| e.time_us >= from_us && e.time_us <= to_us);
    passes(&new().branch("main"), &|entry| entry.branch == "main");
    let touches = |entry: &ChangelogEntry| model.at(entry.tx_id).changes.iter().any(|change| change.table == "alpha");
    passes(&new().table("alpha"), &touches);
    let limited = db.changes(&new().since_tx(low).limit(2)).unwrap();
    assert_eq!(limited.len() as u64, (model.latest() - low).min(2));
    check_subscription(db, model, low);
}

fn check_entry(entry: &ChangelogEntry, model: &Model) {
    let expected = model.at(entry.tx_id);
    assert_eq!((&entry.branch, &entry.parents), (&expected.branch, &expected.parents), "{entry:?}");
    assert_eq!(entry.time_us, expected.time_us, "{entry:?}");
    let changes: Vec<Change> = entry
        .tables
        .iter()
        .map(|t| Change { table: t.table.clone(), kind: t.kind, from: t.from_version, to: t.to_version })
        .collect();
    assert_eq!(changes, expected.changes, "{entry:?}");
    for table in &entry.tables {
        let [before, after] = [table.from_version, table.to_version].map(|v| rows_of(model, &table.table, v));
        let counts = (table.rows_added, table.rows_removed);
        match table.kind {
            ChangeKind::Append => assert_eq!(counts, (after - before, 0), "{entry:?}"),
            ChangeKind::Fold => assert_eq!(counts, (0, 0), "{entry:?}"),
            ChangeKind::Adopt => assert_eq!(after + counts.1, before + counts.0, "{entry:?}"),
            _ => assert_eq!(counts, (after, before), "{entry:?}"),
        }
    }
}

/// Who stores the last tx_id and starts again from there misses nothing and sees nothing twice.
fn check_subscription(db: &Database, model: &Model, interrupted_at: u64) {
    let mut seen = Vec::new();
    let mut first = db.subscribe(&ChangesQuery::new().since_tx(0)).unwrap();
    while seen.len() < interrupted_at as usize {
        seen.push(first.poll(Duration::ZERO).unwrap().unwrap().tx_id);
    }
    let stored = seen.last().copied().unwrap_or(0);
    drop(first);
    let mut second = db.subscribe(&ChangesQuery::new().since_tx(stored)).unwrap();
    while let Some(entry) = second.poll(Duration::ZERO).unwrap() {
        seen.push(entry.tx_id);
    }
    assert_eq!(seen, (1..=model.latest()).collect::<Vec<_>>());
}

/// What changed between versions of each table, with and without a key, and step by step.
#[track_caller]
pub(crate) fn check_differences(db: &Database, model: &Model) {
    for (table, versions) in &model.versions {
        let last = versions.len() as u64;
        let mut pairs: BTreeSet<(u64, u64)> = (1..last).map(|version| (version, version + 1)).collect();
        pairs.extend([(1, last), (last, 1), (last, last)]);
        for (from, to) in pairs {
            let [before, after] = [from, to].map(|version| &model.version(table, version).unwrap().content);
            check_difference(db, table, (from, before), (to, after));
            check_table_changes(db, model, table, from, to);
        }
        check_table_changes(db, model, table, 0, last);
    }
}

fn check_difference(db: &Database, table: &str, (from, before): (u64, &Content), (to, after): (u64, &Content)) {
    let summary = db.diff_versions(table, from, to, &[]).unwrap();
    assert_eq!(summary.schema_changes.is_empty(), before.shape == after.shape, "{table} {from} to {to}: {summary:?}");
    if before.shape != after.shape {
        return;
    }
    let (inserted, deleted) = difference(&before.rows, &after.rows);
    let counts = (summary.rows_added, summary.rows_removed, summary.rows_modified);
    assert_eq!(counts, (inserted.len() as u64, deleted.len() as u64, 0), "{table} {from} to {to}");
    let mut typed = typed_rows(db, table, from, to, &[]);
    typed.values_mut().for_each(|rows| rows.sort());
    let expected = BTreeMap::from([("insert".to_string(), inserted), ("delete".to_string(), deleted)]);
    assert_eq!(typed, without_empty(expected), "{table} {from} to {to}");
    check_keyed_difference(db, table, (from, &before.rows), (to, &after.rows));
}

/// By key, where ids are unique on both sides.
fn check_keyed_difference(db: &Database, table: &str, (from, before): (u64, &[Row]), (to, after): (u64, &[Row])) {
    let keyed = |rows: &[Row]| rows.iter().map(|row| (row.id, row.clone())).collect::<BTreeMap<i64, Row>>();
    let (old, new) = (keyed(before), keyed(after));
    if old.len() != before.len() || new.len() != after.len() {
        return;
    }
    let only = |a: &BTreeMap<i64, Row>, b: &BTreeMap<i64, Row>| -> Vec<Row> {
        a.values().filter(|row| !b.contains_key(&row.id)).cloned().collect()
    };
    let changed = |a: &BTreeMap<i64, Row>, b: &BTreeMap<i64, Row>| -> Vec<Row> {
        a.values().filter(|row| b.get(&row.id).is_some_and(|other| other != *row)).cloned().collect()
    };
    let expected = BTreeMap::from([
        ("insert".to_string(), only(&new, &old)),
        ("delete".to_string(), only(&old, &new)),
        ("update_preimage".to_string(), changed(&old, &new)),
        ("update_postimage".to_string(), changed(&new, &old)),
    ]);
    let key = ["id".to_string()];
    let summary = db.diff_versions(table, from, to, &key).unwrap();
    let counts = (summary.rows_added, summary.rows_removed, summary.rows_modified);
    let lengths = ["insert", "delete", "update_postimage"].map(|kind| expected[kind].len() as u64);
    assert_eq!(counts, lengths.into(), "{table} {from} to {to} by key");
    let mut typed = typed_rows(db, table, from, to, &key);
    typed.values_mut().for_each(|rows| rows.sort());
    assert_eq!(typed, without_empty(expected), "{table} {from} to {to} by key");
}

fn typed_rows(db: &Database, table: &str, from: u64, to: u64, key: &[String]) -> BTreeMap<String, Vec<Row>> {
    let mut typed: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for batch in batches(db.diff_rows(table, from, to, key).unwrap()).unwrap() {
        let kinds = batch.column_by_name("_change_type").unwrap().as_string::<i32>();
        for (kind, row) in kinds.iter().zip(batch_rows(&batch)) {
            typed.entry(kind.unwrap().to_string()).or_default().push(row);
        }
    }
    typed
}

fn without_empty(mut typed: BTreeMap<String, Vec<Row>>) -> BTreeMap<String, Vec<Row>> {
    typed.retain(|_, rows| !rows.is_empty());
    typed.values_mut().for_each(|rows| rows.sort());
    typed
}

/// Rows that only the second list has, and those that only the first has; both sorted, each as often as it is missing.
fn difference(before: &[Row], after: &[Row]) -> (Vec<Row>, Vec<Row>) {
    let (old, new) = (counted(before), counted(after));
    let surplus = |a: &BTreeMap<&Row, i64>, b: &BTreeMap<&Row, i64>| -> Vec<Row> {
        let missing = a.iter().map(|(row, count)| (*row, count - b.get(*row).unwrap_or(&0)));
        missing.flat_map(|(row, count)| std::iter::repeat_n(row.clone(), count.max(0) as usize)).collect()
    };
    (surplus(&new, &old), surplus(&old, &new))
}

/// Played back on the rows of `from`, the changes up to `to` give its rows, step by step.
fn check_table_changes(db: &Database, model: &Model, table: &str, from: u64, to: u64) {
    let actual = db.table_changes(table, from, to);
    let path = match model.growth(table, from, to) {
        Ok(path) => path,
        Err(code) => {
            assert_eq!(code_of(actual), code, "the changes of {table} from {from} to {to}");
            return;
        }
    };
    let content = |version: u64| &model.version(table, version).unwrap().content;
    let shapes: BTreeSet<_> = path.iter().chain(Some(&from).filter(|v| **v > 0)).map(|v| content(*v).shape).collect();
    let batches = batches(actual.unwrap()).unwrap();
    if shapes.len() > 1 {
        return;
    }
    let mut steps: BTreeMap<i64, BTreeMap<Row, i64>> = BTreeMap::new();
    for batch in &batches {
        let kinds = batch.column_by_name("_change_type").unwrap().as_string::<i32>();
        let versions = batch.column_by_name("_commit_version").unwrap().as_primitive::<Int64Type>();
        let tx_ids = batch.column_by_name("_tx_id").unwrap().as_primitive::<Int64Type>();
        for (at, row) in batch_rows(batch).into_iter().enumerate() {
            let sign = if matches!(kinds.value(at), "insert" | "update_postimage") { 1 } else { -1 };
            *steps.entry(versions.value(at)).or_default().entry(row).or_default() += sign;
            let made_by = model.version(table, versions.value(at) as u64).unwrap().tx_id;
            assert_eq!(tx_ids.value(at) as u64, made_by);
        }
    }
    let mut before: &[Row] = if from == 0 { &[] } else { &content(from).rows };
    for version in path {
        let after = &content(version).rows;
        let (inserted, deleted) = difference(before, after);
        let mut expected: BTreeMap<Row, i64> = BTreeMap::new();
        inserted.into_iter().for_each(|row| *expected.entry(row).or_default() += 1);
        deleted.into_iter().for_each(|row| *expected.entry(row).or_default() -= 1);
        let actual = steps.remove(&(version as i64)).unwrap_or_default();
        assert_eq!(actual, expected, "the changes of {table} version {version}");
        before = after;
    }
    assert!(steps.is_empty(), "changes of versions that were not asked for: {steps:?}");
}

/// The same questions in SQL.
#[cfg(feature = "sql")]
#[track_caller]
pub(crate) fn check_sql(db: &Database, model: &Model) {
    for (table, versions) in &model.versions {
        let number = versions.len() as u64 / 2 + 1;
        let sql = format!("SELECT id, text FROM \"{table}\" AT (VERSION => {number})");
        let mut rows = collect(db.query(&sql, &[], &At::head()).unwrap()).unwrap();
        let mut expected: Vec<Row> = model.version(table, number).unwrap().content.rows.to_vec();
        expected.iter_mut().for_each(|row| row.extra = None);
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{sql}");
    }
}
