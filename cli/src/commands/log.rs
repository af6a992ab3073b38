//! `armillaria log`

use std::collections::BTreeMap;
use std::io::{self, Write};

use armillaria::format::{RefChange, TransactionKind};
use armillaria::{ChangelogEntry, ChangesQuery, Database};
use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::graph::{self, Node};
use crate::output::printable;
use crate::style::Style;
use crate::time;

/// Shows the transactions, newest first, with the graph of branches.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  armillaria log\n  armillaria log --branch fix --limit 5\n  armillaria log --table flights --json"
)]
pub(crate) struct Log {
    /// Only transactions that stand on this branch.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Only transactions that changed this table (repeatable).
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// At most this many, the newest; 0 shows all.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Log {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        let entries = self.newest(&database)?;
        let names = Names::of(&database)?;
        context.output().answer(|| json!(entries), |out, style| write(&entries, &names, out, style))
    }

    /// The newest entries that were asked for, newest first. The log is read backwards in growing steps, so a short
    /// answer does not cost a long history.
    fn newest(&self, database: &Database) -> Outcome<Vec<ChangelogEntry>> {
        let wanted = if self.limit == 0 { usize::MAX } else { self.limit };
        let (mut until, mut step) = (database.latest_tx_id()?, wanted as u64);
        let mut entries: Vec<ChangelogEntry> = Vec::new();
        while until > 0 && entries.len() < wanted {
            let since = until.saturating_sub(step);
            entries.extend(database.changes(&self.query().since_tx(since).until_tx(until))?.into_iter().rev());
            (until, step) = (since, step.saturating_mul(2));
        }
        entries.truncate(wanted);
        Ok(entries)
    }

    fn query(&self) -> ChangesQuery {
        let query = self.tables.iter().fold(ChangesQuery::new(), ChangesQuery::table);
        self.branch.iter().fold(query, ChangesQuery::branch)
    }
}

/// The branches and tags that stand at each transaction.
struct Names(BTreeMap<u64, Vec<String>>);

impl Names {
    fn of(database: &Database) -> Outcome<Names> {
        let current = database.current_branch()?;
        let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for branch in database.list_branches()? {
            let mark = if branch.name == current { "*" } else { "" };
            names.entry(branch.head_tx_id).or_default().push(format!("{mark}{}", branch.name));
        }
        for tag in database.list_tags()? {
            names.entry(tag.tx_id).or_default().push(format!("tag: {}", tag.name));
        }
        Ok(Names(names))
    }

    fn at(&self, tx_id: u64) -> Option<String> {
        self.0.get(&tx_id).map(|names| format!("({})", names.join(", ")))
    }
}

fn write(entries: &[ChangelogEntry], names: &Names, out: &mut dyn Write, style: Style) -> io::Result<()> {
    if entries.is_empty() {
        return writeln!(out, "no transactions");
    }
    let nodes: Vec<Node> =
        entries.iter().map(|entry| Node { id: entry.tx_id, parents: entry.parents.clone() }).collect();
    for line in graph::draw(&nodes, style) {
        match line.node.and_then(|index| entries.get(index)) {
            Some(entry) => writeln!(out, "{} {}", line.drawing, describe_entry(entry, names, style))?,
            None => writeln!(out, "{}", line.drawing)?,
        }
    }
    Ok(())
}

fn describe_entry(entry: &ChangelogEntry, names: &Names, style: Style) -> String {
    let mut parts = vec![style.strong(&entry.tx_id.to_string())];
    parts.extend(names.at(entry.tx_id).map(|names| style.good(&names)));
    parts.push(style.faint(&time::format(entry.time_us)));
    parts.extend(entry.author.as_deref().map(|author| style.faint(&printable(author))));
    parts.extend(entry.message.as_deref().map(|message| printable(message).into_owned()));
    let changes: Vec<String> = entry.tables.iter().map(|table| describe::table_text(table, style)).collect();
    let refs = entry.refs.iter().map(ref_text);
    let all: Vec<String> = kind_text(entry.kind).into_iter().chain(changes).chain(refs).collect();
    if !all.is_empty() {
        parts.push(format!("[{}]", all.join(", ")));
    }
    parts.join(" ")
}

/// What a transaction is, where its tables do not say it.
fn kind_text(kind: TransactionKind) -> Option<String> {
    match kind {
        TransactionKind::Merge => Some("merge".into()),
        TransactionKind::FastForward => Some("fast-forward".into()),
        TransactionKind::Revert(tx_id) => Some(format!("reverts {tx_id}")),
        TransactionKind::Commit | TransactionKind::Refs | TransactionKind::Fold => None,
    }
}

fn ref_text(change: &RefChange) -> String {
    match change {
        RefChange::CreateBranch(branch) => format!("branch {} from {} at {}", branch.branch, branch.from, branch.at),
        RefChange::DeleteBranch(branch) => format!("branch {branch} deleted"),
        RefChange::CreateTag { tag, target, .. } => format!("tag {tag} at {target}"),
        RefChange::DeleteTag(tag) => format!("tag {tag} deleted"),
    }
}
