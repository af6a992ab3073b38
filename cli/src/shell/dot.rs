//! The shell's own commands.

use std::io::{self, Write};

use armillaria::At;
use clap::ValueEnum;

use super::Shell;
use super::complete::Words;
use crate::failure::{Failure, Outcome};
use crate::output::{RowsFormat, Table, grouped};

/// Every command: its name, what it takes, and what it does.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    ("help", "", "shows this list"),
    ("tables", "", "lists the tables"),
    ("schema", "TABLE", "shows a table's columns"),
    ("history", "TABLE", "lists a table's versions"),
    ("branches", "", "lists the branches"),
    ("tags", "", "lists the tags"),
    ("checkout", "BRANCH", "looks at another branch, in this shell only"),
    ("tag", "TAG", "looks at a tag"),
    ("tx", "N", "looks at a transaction"),
    ("head", "", "looks at the head of the branch again"),
    ("format", "FORMAT", "writes rows as table, csv, json or jsonl"),
    ("rows", "N", "shows at most so many rows in a table; 0 shows all"),
    ("timing", "on|off", "says how long each statement took"),
    ("quit", "", "leaves"),
];

/// Whether the shell goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Stay,
    Leave,
}

impl Shell {
    pub(super) fn dot_command(&mut self, text: &str) -> Outcome<Answer> {
        let text = text.trim().trim_end_matches(';');
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        match name {
            "help" => help()?,
            "tables" => self.tables()?,
            "schema" => self.schema(argument)?,
            "history" => self.history(argument)?,
            "branches" => self.names(self.session.database.list_branches()?.into_iter().map(|branch| branch.name))?,
            "tags" => self.names(self.session.database.list_tags()?.into_iter().map(|tag| tag.name))?,
            "checkout" => {
                self.session.database.checkout(argument)?;
                self.look(At::head())?;
            }
            "tag" => self.look(At::tag(argument))?,
            "tx" => self.look(At::tx(parse(argument)?))?,
            "head" => self.look(At::head())?,
            "format" => self.session.format = format(argument)?,
            "rows" => self.session.rows_max = parse(argument)?,
            "timing" => self.timing = on_or_off(argument)?,
            "quit" | "exit" => return Ok(Answer::Leave),
            _ => return Err(Failure::Usage(format!("there is no command .{name}; .help shows them"))),
        }
        Ok(Answer::Stay)
    }

    /// Looks elsewhere; the tables that completion offers follow.
    fn look(&mut self, at: At) -> Outcome {
        let words = Words::of(&self.session.database, &at)?;
        self.editor.set_helper(Some(words));
        self.session.at = at;
        Ok(())
    }

    fn tables(&self) -> Outcome {
        let mut shown = Table::new(["table", ">version", ">rows"]);
        for table in self.session.database.list_tables(&self.session.at)? {
            shown.row([table.name, table.version.to_string(), grouped(table.rows)]);
        }
        Ok(shown.write_or(&mut io::stdout(), "no tables")?)
    }

    fn schema(&self, table: &str) -> Outcome {
        let schema = self.session.database.table_schema(table, &self.session.at)?;
        let mut shown = Table::new(["column", "type"]);
        schema.fields().iter().for_each(|field| shown.row([field.name().clone(), field.data_type().to_string()]));
        Ok(shown.write_or(&mut io::stdout(), "no columns")?)
    }

    fn history(&self, table: &str) -> Outcome {
        let mut shown = Table::new([">version", ">tx", "branch", "time", "kind", ">rows", "message"]);
        for entry in self.session.database.history(table, None)? {
            let (version, tx_id) = (entry.version.to_string(), entry.tx_id.to_string());
            let time = crate::time::format(entry.time_us);
            let message = entry.message.unwrap_or_default();
            shown.row([version, tx_id, entry.branch, time, entry.kind.name().into(), grouped(entry.rows), message]);
        }
        Ok(shown.write_or(&mut io::stdout(), "no versions")?)
    }

    fn names(&self, names: impl Iterator<Item = String>) -> Outcome {
        let mut out = io::stdout().lock();
        Ok(names.into_iter().try_for_each(|name| writeln!(out, "{name}"))?)
    }
}

fn help() -> Outcome {
    let mut out = io::stdout().lock();
    for (name, argument, what) in COMMANDS {
        writeln!(out, "  .{:<18} {what}", format!("{name} {argument}"))?;
    }
    Ok(())
}

fn parse<T: std::str::FromStr>(text: &str) -> Outcome<T> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is not a number")))
}

fn on_or_off(text: &str) -> Outcome<bool> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Failure::Usage("write .timing on or .timing off".into())),
    }
}

fn format(text: &str) -> Outcome<RowsFormat> {
    match RowsFormat::from_str(text, true) {
        Ok(format) if !format.is_binary() => Ok(format),
        _ => Err(Failure::Usage("write .format table, csv, json or jsonl".into())),
    }
}
