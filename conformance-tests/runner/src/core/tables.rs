//! Tables, health.

use armillaria::{At, CreateOptions, RowStream, VerifyOptions, WriteMode, WriteOptions};
use serde_json::{Value as Json, json};

use super::{Answer, CoreBackend, Handle, at, misplaced, results};
use crate::failure::Failure;
use crate::rows;
use crate::step::Step;
use crate::types::{parse_columns, show_columns};

impl CoreBackend {
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
            "stats" => self.database(step).and_then(|database| results::plain(&database.stats()?)),
            "inspect" => self.inspect(step),
            _ => return None,
        })
    }

    fn create_table(&mut self, step: &Step) -> Answer {
        let (table, key) = (step.text("table")?, step.texts("key")?);
        let schema = parse_columns(step.json("columns").unwrap_or(&Json::Null))?;
        match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => transaction.create_table(table, &schema, &key)?,
            Handle::Database(database) => {
                return results::commit(&database.create_table(table, &schema, &create_options(step, key)?)?);
            }
            other => return Err(misplaced(step, other)),
        }
        Ok(json!({}))
    }

    fn drop_table(&mut self, step: &Step) -> Answer {
        let table = step.text("table")?;
        match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => transaction.drop_table(table)?,
            Handle::Database(database) => {
                return results::commit(&database.drop_table(table, &create_options(step, Vec::new())?)?);
            }
            other => return Err(misplaced(step, other)),
        }
        Ok(json!({}))
    }

    fn list_tables(&mut self, step: &Step) -> Answer {
        match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => {
                let names = transaction.list_tables()?;
                Ok(json!({"tables": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}))
            }
            Handle::Database(database) => {
                Ok(json!({"tables": results::plain(&database.list_tables(&at(step, "at")?)?)?}))
            }
            other => Err(misplaced(step, other)),
        }
    }

    fn table_schema(&mut self, step: &Step) -> Answer {
        let table = step.text("table")?;
        let schema = match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => transaction.table_schema(table)?,
            Handle::Database(database) => database.table_schema(table, &at(step, "at")?)?,
            other => return Err(misplaced(step, other)),
        };
        Ok(json!({"columns": show_columns(&schema)}))
    }

    fn table_key(&mut self, step: &Step) -> Answer {
        let key = self.database(step)?.table_key(step.text("table")?, &at(step, "at")?)?;
        Ok(json!({"key": key}))
    }

    /// The rows that a step gives: spelled out, or those of a query.
    fn given_rows(&self, step: &Step) -> Result<RowStream, Failure> {
        if let Some(sql) = step.text_maybe("query")? {
            return Ok(match self.handles.get(step.on()?)? {
                Handle::Transaction(transaction) => transaction.query(sql, &[])?,
                Handle::Database(database) => database.query(sql, &[], &At::head())?,
                other => return Err(misplaced(step, other)),
            });
        }
        let schema = parse_columns(step.json("columns").unwrap_or(&Json::Null))?;
        let batch_rows = step.number_maybe("batch_rows")?.map(|rows| rows as usize);
        rows::stream(schema, step.json("rows").unwrap_or(&Json::Null), batch_rows)
    }

    fn write_table(&mut self, step: &Step) -> Answer {
        let (table, cancel) = (step.text("table")?, self.cancel(step)?);
        let options = WriteOptions {
            mode: write_mode(step)?,
            key: step.texts("key")?,
            branch: step.text_maybe("branch")?.map(str::to_string),
            message: step.text_maybe("message")?.map(str::to_string),
        };
        let rows = self.given_rows(step)?;
        match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => {
                transaction.write_table_with(table, rows, options.mode, &options.key, &cancel)?;
                Ok(json!({}))
            }
            Handle::Database(database) => results::commit(&database.write_table_with(table, rows, &options, &cancel)?),
            other => Err(misplaced(step, other)),
        }
    }

    fn read_table(&mut self, step: &Step) -> Answer {
        let (table, columns, cancel) = (step.text("table")?, step.texts_maybe("columns")?, self.cancel(step)?);
        let stream = match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => transaction.read_table_with(table, columns.as_deref(), &cancel)?,
            Handle::Database(database) => {
                database.read_table_with(table, columns.as_deref(), &at(step, "at")?, &cancel)?
            }
            other => return Err(misplaced(step, other)),
        };
        self.hand_out(step, stream)
    }

    fn history(&mut self, step: &Step) -> Answer {
        let history = self.database(step)?.history(step.text("table")?, step.text_maybe("branch")?)?;
        Ok(json!({"entries": results::plain(&history)?}))
    }

    fn diff_versions(&mut self, step: &Step) -> Answer {
        let (from, to, key) = (step.number("from")?, step.number("to")?, step.texts("key")?);
        let cancel = self.cancel(step)?;
        let diff = self.database(step)?.diff_versions_with(step.text("table")?, from, to, &key, &cancel)?;
        results::plain(&diff)
    }

    fn diff_rows(&mut self, step: &Step) -> Answer {
        let (from, to, key) = (step.number("from")?, step.number("to")?, step.texts("key")?);
        let cancel = self.cancel(step)?;
        let stream = self.database(step)?.diff_rows_with(step.text("table")?, from, to, &key, &cancel)?;
        self.hand_out(step, stream)
    }

    fn compact(&mut self, step: &Step) -> Answer {
        let (table, branch, cancel) = (step.text("table")?, step.text_maybe("branch")?, self.cancel(step)?);
        let commit = self.database(step)?.compact_with(table, branch, &cancel)?;
        Ok(json!({"commit": commit.as_ref().map(results::commit).transpose()?}))
    }

    fn verify(&mut self, step: &Step) -> Answer {
        let (options, cancel) = (VerifyOptions { deep: step.flag("deep")?, progress: None }, self.cancel(step)?);
        results::verify_report(&self.database(step)?.verify_with(&options, &cancel)?)
    }

    fn inspect(&mut self, step: &Step) -> Answer {
        Ok(json!({"object": self.database(step)?.inspect(step.text("object")?)?}))
    }
}

pub(super) fn create_options(step: &Step, key: Vec<String>) -> Result<CreateOptions, Failure> {
    let text = |name| Ok::<_, Failure>(step.text_maybe(name)?.map(str::to_string));
    Ok(CreateOptions { key, branch: text("branch")?, message: text("message")? })
}

fn write_mode(step: &Step) -> Result<WriteMode, Failure> {
    match step.text_maybe("mode")? {
        None | Some("overwrite") => Ok(WriteMode::Overwrite),
        Some("append") => Ok(WriteMode::Append),
        Some("upsert") => Ok(WriteMode::Upsert),
        Some(other) => Err(Failure::Case(format!("there is no mode {other:?}"))),
    }
}
