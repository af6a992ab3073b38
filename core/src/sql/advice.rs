//! Sentences for statements that are understood and not offered.

use super::lexer;
use crate::error::Error;

/// `UNSUPPORTED` for a statement that is no SELECT.
pub(super) fn no_select(sql: &str) -> Error {
    let count = statements(sql);
    if count > 1 {
        return many(count);
    }
    let word = lexer::first_word(sql);
    let instead = match word.as_str() {
        "INSERT" | "COPY" | "IMPORT" => "use `write_table`, with mode append to add rows; export what `query` returns",
        "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" => "select the rows that are to stay and give them to `write_table`",
        "CREATE" => "use `create_table`, or `write_table` with the rows of a `query`; views are not kept",
        "DROP" => "use `drop_table`",
        "ALTER" => "give the rows with their new columns to `write_table`",
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "ABORT" | "END" => "use `begin`, `commit` and `rollback`",
        "PIVOT" => "use `SELECT … FROM t PIVOT (… FOR column IN (values))`, which names its values",
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => "give parameters along with the statement",
        "SET" | "RESET" | "PRAGMA" | "USE" | "ATTACH" | "DETACH" | "INSTALL" | "LOAD" => {
            "settings, extensions and other databases are not open to statements"
        }
        "CALL" => "use `SELECT … FROM function(…)`",
        _ => "`query` runs one SELECT at a time, or EXPLAIN of one",
    };
    Error::Unsupported {
        what: if word.is_empty() { "this statement".to_owned() } else { word },
        instead: instead.into(),
    }
}

/// How many statements a text holds.
fn statements(mut sql: &str) -> usize {
    let mut count = 0;
    while !lexer::is_blank(sql) {
        let end = lexer::statement_end(sql);
        count += usize::from(end.is_none_or(|end| !lexer::is_blank(&sql[..end])));
        sql = end.map_or("", |end| &sql[end + 1..]);
    }
    count
}

/// `UNSUPPORTED` for more than one statement.
pub(super) fn many(count: usize) -> Error {
    let instead = "run one statement at a time";
    Error::Unsupported { what: format!("a text of {count} statements"), instead: instead.into() }
}

/// `UNSUPPORTED` for a name with a schema.
pub(super) fn qualified(schema: &str, name: &str) -> Error {
    let instead = match schema.to_ascii_lowercase().as_str() {
        "information_schema" | "pg_catalog" => {
            "use `SHOW TABLES`, `DESCRIBE table`, or `list_tables` and `table_schema`"
        }
        _ => "tables have no schemas: use the bare name, in double quotes if it holds a dot",
    };
    Error::Unsupported { what: format!("the qualified name {schema}.{name}"), instead: instead.into() }
}

/// `UNSUPPORTED` for `SHOW` of something that is not there.
pub(super) fn show() -> Error {
    let instead = "`SHOW TABLES` stands alone; `DESCRIBE table` shows columns";
    Error::Unsupported { what: "this form of SHOW".into(), instead: instead.into() }
}

/// `UNSUPPORTED` for reading files.
pub(super) fn file_function(name: &str) -> Error {
    let instead = "open the database with `external_access` to read files, or import them with `write_table`";
    Error::Unsupported { what: format!("the function {name}"), instead: instead.into() }
}

/// `UNSUPPORTED` for a function of values that reads or writes something else.
pub(super) fn reaching_function(name: &str) -> Error {
    let instead = "statements reach tables by their names alone; `EXPLAIN` shows how one runs";
    Error::Unsupported { what: format!("the function {name}"), instead: instead.into() }
}

/// `UNSUPPORTED` for a function in FROM that is none of the known ones.
pub(super) fn other_function(name: &str) -> Error {
    Error::Unsupported { what: format!("the function {name} in FROM"), instead: "name tables directly".into() }
}

/// `UNSUPPORTED` for a parameter whose type DuckDB needs in one place and learns only in another.
pub(super) fn mixed_parameter() -> Error {
    let what =
        "a parameter that stands where its type is not known, as in `typeof($1)`, and again where it is".to_owned();
    Error::Unsupported { what, instead: "give its type wherever it stands, as in `typeof($1::VARCHAR)`".to_owned() }
}
