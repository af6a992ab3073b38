//! What the shell completes: keywords, tables, columns, and its own commands; and when a statement is whole.

use std::collections::BTreeSet;

use armillaria::{At, Database};
use rustyline::completion::Completer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Helper, Highlighter, Hinter};

use super::dot::COMMANDS;
use super::statement::{is_blank, split_statements};
use crate::failure::Outcome;

const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "ASC",
    "AT",
    "AVG",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COUNT",
    "CROSS JOIN",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FILTER",
    "FROM",
    "FULL JOIN",
    "GROUP BY",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER JOIN",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "MAX",
    "MIN",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "QUALIFY",
    "RIGHT JOIN",
    "SAMPLE",
    "SELECT",
    "SUM",
    "SUMMARIZE",
    "THEN",
    "TIMESTAMP",
    "UNION",
    "USING",
    "VALUES",
    "VERSION",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// The words to offer.
#[derive(Debug, Helper, Highlighter, Hinter)]
pub(super) struct Words {
    tables: BTreeSet<String>,
    columns: BTreeSet<String>,
    branches: BTreeSet<String>,
}

impl Words {
    /// The tables and columns of one place, and the branches.
    pub(super) fn of(database: &Database, at: &At) -> Outcome<Words> {
        let tables: BTreeSet<String> = database.list_tables(at)?.into_iter().map(|table| table.name).collect();
        let mut columns = BTreeSet::new();
        for table in &tables {
            columns.extend(database.table_schema(table, at)?.fields().iter().map(|field| field.name().clone()));
        }
        let branches = database.list_branches()?.into_iter().map(|branch| branch.name).collect();
        Ok(Words { tables, columns, branches })
    }

    /// Where the last word of a line begins, and what it could become.
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let start = line
            .rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let word = &line[start..];
        match line.trim_start().strip_prefix('.') {
            Some(command) if !command.contains(char::is_whitespace) => (start, dot_commands(word)),
            Some(_) => (start, beginning_with(word, self.tables.iter().chain(&self.branches))),
            None => (start, self.words_of_sql(word)),
        }
    }

    fn words_of_sql(&self, word: &str) -> Vec<String> {
        if word.is_empty() {
            return self.tables.iter().cloned().collect();
        }
        let names = beginning_with(word, self.tables.iter().chain(&self.columns));
        let upper = word.to_ascii_uppercase();
        let keywords = KEYWORDS.iter().filter(|keyword| keyword.starts_with(&upper));
        let lower_case = word.chars().all(char::is_lowercase);
        let as_typed = |keyword: &&str| if lower_case { keyword.to_ascii_lowercase() } else { (*keyword).to_string() };
        names.into_iter().chain(keywords.map(as_typed)).collect()
    }
}

fn beginning_with<'a>(word: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    names.filter(|name| name.to_lowercase().starts_with(&word.to_lowercase())).cloned().collect()
}

fn dot_commands(word: &str) -> Vec<String> {
    COMMANDS.iter().map(|(name, ..)| (*name).to_string()).filter(|name| name.starts_with(word)).collect()
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(&line[..position]))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let whole = input.trim_start().starts_with('.') || is_blank(split_statements(input).1);
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
        Words { tables: set(&["flights", "planes"]), columns: set(&["flight", "tailnum"]), branches: set(&["fix"]) }
    }

    #[test]
    fn tables_columns_and_keywords_are_offered() {
        assert_eq!(words().candidates("SELECT fli"), (7, vec!["flights".into(), "flight".into()]));
        assert_eq!(words().candidates("sel"), (0, vec!["select".into()]));
        assert_eq!(words().candidates("SELECT 1 GRO"), (9, vec!["GROUP BY".into()]));
        assert_eq!(words().candidates("SELECT * FROM ").1, ["flights", "planes"]);
        assert_eq!(words().candidates("SELECT 'ä' tai"), (12, vec!["tailnum".into()]));
    }

    #[test]
    fn dot_commands_and_their_arguments_are_offered() {
        assert_eq!(words().candidates(".che"), (1, vec!["checkout".into()]));
        assert_eq!(words().candidates(".checkout fi"), (10, vec!["fix".into()]));
        assert_eq!(words().candidates(".schema pl").1, ["planes"]);
    }
}
