//! Who asks for the names of all tables: only a statement with a name that is not there.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The tables of a world, and how often they were listed.
struct Listed<'a> {
    world: &'a World,
    listings: AtomicUsize,
    fails: bool,
}

impl Tables for Listed<'_> {
    fn resolve(&self, table: &str, at: &TableAt) -> Result<ResolvedTable> {
        self.world.resolve(table, at)
    }

    fn list(&self, at: &TableAt) -> Result<Vec<String>> {
        self.listings.fetch_add(1, Ordering::Relaxed);
        match self.fails {
            true => Err(Error::LogCorrupt { at: "record 7".to_owned(), reason: "it cannot be read".to_owned() }),
            false => self.world.list(at),
        }
    }
}

/// What a statement answers, and how often it lists tables.
fn ask(world: &World, fails: bool, sql: &str) -> (Result<Vec<String>>, usize) {
    let tables = Listed { world, listings: AtomicUsize::new(0), fails };
    let rows = world.engine.query(sql, &[], &tables, &CancelToken::new()).and_then(collect);
    (rows.map(|rows| text_rows(&rows)), tables.listings.into_inner())
}

#[test]
fn only_unknown_names_have_tables_listed() {
    let world = shop();
    for (sql, rows, listings) in [
        ("SELECT count(*) FROM users", "20", 0),
        ("SELECT count(*) FROM users AT (VERSION => 1)", "10", 0),
        ("SELECT sum(amount) FROM orders JOIN users ON orders.\"user\" = users.id WHERE id < 2", "30", 0),
        ("WITH few AS (SELECT * FROM users LIMIT 3) SELECT count(few.id) FROM few, few AS again", "9", 0),
        ("SELECT max(id) FROM Users", "19", 1),
    ] {
        let (answer, listed) = ask(&world, false, sql);
        assert_eq!((answer.unwrap().as_slice(), listed), ([rows.to_owned()].as_slice(), listings), "{sql}");
    }
    let (answer, listed) = ask(&world, false, "SELECT * FROM usres");
    let error = answer.unwrap_err();
    assert_eq!((error.code(), listed), (Code::TableNotFound, 1));
    assert!(error.to_string().contains("did you mean \"users\"?"), "{error}");
}

#[test]
fn where_tables_cannot_be_listed_the_error_is_still_that_a_table_is_missing() {
    let world = shop();
    for name in ["usres", "USERS"] {
        let (answer, listed) = ask(&world, true, &format!("SELECT * FROM {name}"));
        let error = answer.unwrap_err();
        assert_eq!((error.code(), listed), (Code::TableNotFound, 1), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("main") && !text.contains("did you mean"), "{text}");
    }
    let (answer, listed) = ask(&world, true, "SELECT count(*) FROM users");
    assert_eq!((answer.unwrap(), listed), (vec!["20".to_owned()], 0));
}
