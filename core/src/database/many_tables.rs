//! Lists of tables, wherever their versions were made.

use std::collections::BTreeMap;

use super::tests::{memory, read, rows};
use super::*;
use crate::branch::MergeOptions;

const TABLES: u64 = 40;

fn name(table: u64) -> String {
    format!("table {table}")
}

/// Writes as many rows as are said into each table, in one transaction.
fn commit(db: &Database, branch: Option<&str>, written: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let options = BeginOptions { branch: branch.map(str::to_string), ..BeginOptions::default() };
    let transaction = db.begin(&options).unwrap();
    for (table, count) in written {
        transaction.write_table(&name(table), rows(0..count as i64), WriteMode::Overwrite).unwrap();
    }
    transaction.commit(None).unwrap().tx_id
}

/// By name: the version, and the rows.
type Listed = BTreeMap<String, (u64, u64)>;

fn listed(db: &Database, at: &At) -> Listed {
    let tables = db.list_tables(at).unwrap();
    assert!(tables.is_sorted_by(|a, b| a.name < b.name));
    tables.into_iter().map(|table| (table.name, (table.version, table.rows))).collect()
}

fn expected(tables: impl IntoIterator<Item = (u64, u64, u64)>) -> Listed {
    tables.into_iter().map(|(table, version, rows)| (name(table), (version, rows))).collect()
}

#[test]
fn tables_are_listed_with_the_versions_that_are_there() {
    let db = memory();
    let first = commit(&db, None, (0..TABLES).map(|table| (table, table + 1)));
    commit(&db, None, (0..TABLES).step_by(3).map(|table| (table, 2 * table)));
    let made = |table: u64| if table.is_multiple_of(3) { (table, 2, 2 * table) } else { (table, 1, table + 1) };
    assert_eq!(listed(&db, &At::head()), expected((0..TABLES).map(made)));
    assert_eq!(listed(&db, &At::tx(first)), expected((0..TABLES).map(|table| (table, 1, table + 1))));

    db.create_branch("side", &At::head(), None).unwrap();
    commit(&db, Some("side"), [(1, 100), (TABLES, 7)]);
    db.drop_table(&name(2), &CreateOptions::default()).unwrap();
    commit(&db, None, [(4, 50)]);
    let on_main = |table: u64| if table == 4 { (4, 2, 50) } else { made(table) };
    let main = || (0..TABLES).filter(|table| *table != 2).map(on_main);
    assert_eq!(listed(&db, &At::head()), expected(main()));
    let on_side = |table: u64| if table == 1 { (1, 2, 100) } else { made(table) };
    let side = || (0..TABLES).map(on_side).chain([(TABLES, 1, 7)]);
    assert_eq!(listed(&db, &At::branch("side")), expected(side()));

    // Tables 1 and the new one are taken over: the versions that another branch made.
    db.merge_branch("side", &MergeOptions::default()).unwrap();
    let merged = main().map(|table| if table.0 == 1 { (1, 2, 100) } else { table }).chain([(TABLES, 1, 7)]);
    assert_eq!(listed(&db, &At::head()), expected(merged));
    assert_eq!(read(&db, &name(1), &At::head()).len(), 100);
    let older = At::head().with_version(name(1), 1);
    assert_eq!(listed(&db, &older)[&name(1)], (1, 2));
    let changed = db.diff_branches("main", "side").unwrap();
    assert_eq!((changed.removed, changed.modified), (vec![name(2)], vec![(name(4), 2, 1)]));
}
