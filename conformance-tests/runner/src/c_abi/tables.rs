//! Tables, health.

use arrow::ffi_stream::FFI_ArrowArrayStream;
use serde_json::{Value as Json, json};

use super::arguments::{At, Texts, table_options, write_options};
use super::functions::*;
use super::memory::{check, result, result_maybe, text, text_maybe};
use super::{Answer, CAbiBackend, Target, describe, rows};
use crate::failure::Failure;
use crate::step::Step;
use crate::types::{parse_columns, show_columns};

impl CAbiBackend {
    pub(super) fn run_tables(&mut self, step: &Step) -> Option<Answer> {
        Some(match step.op() {
            "create_table" => self.create_table(step),
            "drop_table" => self.drop_table(step),
            "list_tables" => self.list_tables(step),
            "table_schema" => self.table_schema(step),
            "table_key" => self.table_key(step),
            "write_table" => self.write_table(step),
            "read_table" => self.read_table(step),
            "history" => self.history(step),
            "diff_versions" => self.diff_versions(step),
            "diff_rows" => self.diff_rows(step),
            "compact" => self.compact(step),
            "verify" => self.verify(step),
            "stats" => self.stats(step),
            "inspect" => self.inspect(step),
            _ => return None,
        })
    }

    fn create_table(&mut self, step: &Step) -> Answer {
        let (table, key) = (text(step.text("table")?), Texts::of(step, "key")?);
        let columns = parse_columns(step.json("columns").unwrap_or(&Json::Null))?;
        match self.target(step)? {
            Target::Database(database) => {
                let options = table_options(step, key.get())?;
                rows::give_schema(&columns, |schema| {
                    let commit = result(armillaria_commit_free, |out, error| unsafe {
                        armillaria_create_table(database, table, schema, &raw const options, out, error)
                    })?;
                    Ok(describe::commit(&commit))
                })
            }
            Target::Transaction(transaction) => rows::give_schema(&columns, |schema| {
                let (first, len) = (key.get().as_ptr(), key.get().len());
                check(|error| unsafe {
                    armillaria_transaction_create_table(transaction, table, schema, first, len, error)
                })?;
                Ok(json!({}))
            }),
        }
    }

    fn drop_table(&mut self, step: &Step) -> Answer {
        let table = text(step.text("table")?);
        match self.target(step)? {
            Target::Database(database) => {
                let options = table_options(step, &[])?;
                let commit = result(armillaria_commit_free, |out, error| unsafe {
                    armillaria_drop_table(database, table, &raw const options, out, error)
                })?;
                Ok(describe::commit(&commit))
            }
            Target::Transaction(transaction) => {
                check(|error| unsafe { armillaria_transaction_drop_table(transaction, table, error) })?;
                Ok(json!({}))
            }
        }
    }

    fn list_tables(&mut self, step: &Step) -> Answer {
        match self.target(step)? {
            Target::Database(database) => {
                let place = step.at("at")?;
                let mut at = At::of(&place);
                let at = at.get();
                let list = result(armillaria_table_list_free, |out, error| unsafe {
                    armillaria_list_tables(database, at, out, error)
                })?;
                Ok(describe::table_list(&list))
            }
            Target::Transaction(transaction) => {
                let list = result(armillaria_string_list_free, |out, error| unsafe {
                    armillaria_transaction_list_tables(transaction, out, error)
                })?;
                let names = describe::string_list(&list).into_iter().map(|name| json!({"name": name}));
                Ok(json!({"tables": names.collect::<Vec<_>>()}))
            }
        }
    }

    fn table_schema(&mut self, step: &Step) -> Answer {
        let table = text(step.text("table")?);
        let schema = match self.target(step)? {
            Target::Database(database) => {
                let place = step.at("at")?;
                let mut at = At::of(&place);
                let at = at.get();
                rows::schema(|out, error| unsafe { armillaria_table_schema(database, table, at, out, error) })?
            }
            Target::Transaction(transaction) => rows::schema(|out, error| unsafe {
                armillaria_transaction_table_schema(transaction, table, out, error)
            })?,
        };
        Ok(json!({"columns": show_columns(&schema)}))
    }

    fn table_key(&mut self, step: &Step) -> Answer {
        let (database, table, place) = (self.database(step)?, text(step.text("table")?), step.at("at")?);
        let mut at = At::of(&place);
        let at = at.get();
        let key = result(armillaria_string_list_free, |out, error| unsafe {
            armillaria_table_key(database, table, at, out, error)
        })?;
        Ok(json!({"key": describe::string_list(&key)}))
    }

    /// The rows that a step gives: spelled out, or those of a query.
    fn given_rows(&self, step: &Step) -> Result<FFI_ArrowArrayStream, Failure> {
        let Some(sql) = step.text_maybe("query")? else {
            let columns = parse_columns(step.json("columns").unwrap_or(&Json::Null))?;
            let batch_rows = step.number_maybe("batch_rows")?.map(|rows| rows as usize);
            let rows = step.json("rows").unwrap_or(&Json::Null);
            return Ok(rows::export(crate::rows::stream(columns, rows, batch_rows)?));
        };
        let (sql, none, anywhere, nobody) = (text(sql), std::ptr::null(), std::ptr::null(), std::ptr::null());
        match self.target(step)? {
            Target::Database(database) => rows::stream(|out, error| unsafe {
                armillaria_query(database, sql, none, 0, anywhere, nobody, out, error)
            }),
            Target::Transaction(transaction) => rows::stream(|out, error| unsafe {
                armillaria_transaction_query(transaction, sql, none, 0, nobody, out, error)
            }),
        }
    }

    fn write_table(&mut self, step: &Step) -> Answer {
        let (table, key, cancel) = (text(step.text("table")?), Texts::of(step, "key")?, self.cancel(step)?);
        let options = write_options(step, key.get())?;
        let (options, given) = (&raw const options, self.given_rows(step)?);
        match self.target(step)? {
            Target::Database(database) => rows::give(given, |rows| {
                let commit = result(armillaria_commit_free, |out, error| unsafe {
                    armillaria_write_table(database, table, rows, options, cancel, out, error)
                })?;
                Ok(describe::commit(&commit))
            }),
            Target::Transaction(transaction) => rows::give(given, |rows| {
                check(|error| unsafe {
                    armillaria_transaction_write_table(transaction, table, rows, options, cancel, error)
                })?;
                Ok(json!({}))
            }),
        }
    }

    fn read_table(&mut self, step: &Step) -> Answer {
        let (table, cancel) = (text(step.text("table")?), self.cancel(step)?);
        let columns = step.texts_maybe("columns")?.map(Texts::new);
        let (first, len) =
            columns.as_ref().map_or((std::ptr::null(), 0), |columns| (columns.get().as_ptr(), columns.get().len()));
        let stream = match self.target(step)? {
            Target::Database(database) => {
                let place = step.at("at")?;
                let mut at = At::of(&place);
                let at = at.get();
                rows::stream(|out, error| unsafe {
                    armillaria_read_table(database, table, first, len, at, cancel, out, error)
                })
            }
            Target::Transaction(transaction) => rows::stream(|out, error| unsafe {
                armillaria_transaction_read_table(transaction, table, first, len, cancel, out, error)
            }),
        };
        self.hand_out(step, stream?)
    }

    fn history(&mut self, step: &Step) -> Answer {
        let (database, table) = (self.database(step)?, text(step.text("table")?));
        let branch = text_maybe(step.text_maybe("branch")?);
        let history = result(armillaria_history_free, |out, error| unsafe {
            armillaria_history(database, table, branch, out, error)
        })?;
        Ok(describe::history(&history))
    }

    fn diff_versions(&mut self, step: &Step) -> Answer {
        let (database, table, cancel) = (self.database(step)?, text(step.text("table")?), self.cancel(step)?);
        let (from, to, key) = (step.number("from")?, step.number("to")?, Texts::of(step, "key")?);
        let (first, len) = (key.get().as_ptr(), key.get().len());
        let diff = result(armillaria_diff_free, |out, error| unsafe {
            armillaria_diff_versions(database, table, from, to, first, len, cancel, out, error)
        })?;
        Ok(describe::diff(&diff))
    }

    fn diff_rows(&mut self, step: &Step) -> Answer {
        let (database, table, cancel) = (self.database(step)?, text(step.text("table")?), self.cancel(step)?);
        let (from, to, key) = (step.number("from")?, step.number("to")?, Texts::of(step, "key")?);
        let (first, len) = (key.get().as_ptr(), key.get().len());
        let stream = rows::stream(|out, error| unsafe {
            armillaria_diff_rows(database, table, from, to, first, len, cancel, out, error)
        })?;
        self.hand_out(step, stream)
    }

    fn compact(&mut self, step: &Step) -> Answer {
        let (database, table, cancel) = (self.database(step)?, text(step.text("table")?), self.cancel(step)?);
        let branch = text_maybe(step.text_maybe("branch")?);
        let commit = result_maybe(armillaria_commit_free, |out, error| unsafe {
            armillaria_compact(database, table, branch, cancel, out, error)
        })?;
        Ok(json!({"commit": commit.map(|commit| describe::commit(&commit))}))
    }

    fn verify(&mut self, step: &Step) -> Answer {
        let (database, deep, cancel) = (self.database(step)?, step.flag("deep")?, self.cancel(step)?);
        let report = result(armillaria_verify_report_free, |out, error| unsafe {
            armillaria_verify(database, deep, cancel, out, error)
        })?;
        Ok(describe::verify_report(&report))
    }

    fn stats(&mut self, step: &Step) -> Answer {
        let database = self.database(step)?;
        let stats = result(armillaria_stats_free, |out, error| unsafe { armillaria_stats(database, out, error) })?;
        Ok(describe::stats(&stats))
    }

    fn inspect(&mut self, step: &Step) -> Answer {
        let (database, object) = (self.database(step)?, text(step.text("object")?));
        let buffer =
            result(armillaria_buffer_free, |out, error| unsafe { armillaria_inspect(database, object, out, error) })?;
        let object: Json =
            serde_json::from_slice(&describe::bytes(&buffer)).map_err(|error| Failure::Case(error.to_string()))?;
        Ok(json!({"object": object}))
    }
}
