//! What to type next after an error.

use armillaria::Error;

/// The command that most likely helps, if there is one.
pub(crate) fn hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::TableNotFound { .. } => {
            "`armillaria tables` lists the tables; --branch, --tag or --tx look elsewhere".into()
        }
        Error::VersionNotFound { table, .. } => format!("`armillaria history {}` lists its versions", quoted(table)),
        Error::BranchNotFound { .. } => "`armillaria branch` lists the branches".into(),
        Error::TagNotFound { .. } => "`armillaria tag` lists the tags".into(),
        Error::TransactionNotFound { .. } => "`armillaria log` lists the transactions".into(),
        Error::RepositoryNotFound { location, .. } => format!("`armillaria -C {} init` creates one", quoted(location)),
        Error::BranchExists { branch } => format!("`armillaria checkout {}` switches to it", quoted(branch)),
        Error::TagExists { tag } => format!("`armillaria tag --delete {}` takes it away first", quoted(tag)),
        Error::SchemaMismatch { table, .. } => {
            format!("`armillaria schema {}` shows its columns; `import --mode overwrite` replaces them", quoted(table))
        }
        Error::WriteConflict { .. } | Error::SerializationFailure { .. } => "run the command again".into(),
        Error::MergeConflict { source_branch, .. } => format!(
            "`armillaria merge {0} --strategy theirs` takes their tables, `--strategy ours` keeps yours",
            quoted(source_branch)
        ),
        Error::HashMismatch { .. }
        | Error::LogCorrupt { .. }
        | Error::ChunkNotFound { .. }
        | Error::NodeNotFound { .. } => {
            "`armillaria verify --deep` says what is damaged and which versions it touches".into()
        }
        Error::Sql { message } if message.contains("does not exist") => {
            "`armillaria tables` lists the tables, `armillaria schema TABLE` the columns".into()
        }
        Error::OutcomeUnknown { .. } => "`armillaria log` shows whether the transaction is there".into(),
        Error::OutOfSpace { .. } => "nothing was lost; free some space and run the command again".into(),
        _ => return None,
    };
    Some(text)
}

/// What an error says, with commands and options where the library names its functions and options.
pub(crate) fn in_commands(error: &Error) -> String {
    let message = error.to_string();
    match error {
        Error::Unsupported { .. } => {
            COMMANDS.iter().fold(message, |message, (function, command)| message.replace(function, command))
        }
        _ => message,
    }
}

/// The library's words and the commands for them; longer ones first.
const COMMANDS: [(&str, &str); 8] = [
    (
        "`create_table`, or `write_table` with the rows of a `query`",
        "`armillaria import`, with rows of `armillaria sql -o FILE`",
    ),
    ("open the database with `external_access`", "give `--external-access`"),
    ("use `begin`, `commit` and `rollback`", "each `armillaria import` is a transaction of its own"),
    ("`write_table`", "`armillaria import`"),
    ("`drop_table`", "`armillaria drop`"),
    ("`read_table`", "`armillaria export`"),
    ("`list_tables` and `table_schema`", "`armillaria tables` and `armillaria schema`"),
    ("`query`", "`armillaria sql`"),
];

/// A word as a shell wants it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-./".contains(letter);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("data/repo-1"), "data/repo-1");
        assert_eq!(quoted("my table"), "'my table'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
