//! The workload that crashes and faults interrupt: every kind of commit, several branches, merges, tags, a revert.

use armillaria::{Isolation, MergeStrategy};

use crate::script::{Op, Rows, Spot};
use crate::support::Shape;

pub(crate) fn append(table: &'static str, first_id: i64) -> Op {
    Op::Write { table, on: None, rows: Rows::append(first_id, 3) }
}

fn on_dev(table: &'static str, rows: Rows) -> Op {
    Op::Write { table, on: Some("dev"), rows }
}

fn merge(source: &'static str, into: &'static str, strategy: MergeStrategy) -> Op {
    Op::Merge { source, into: Some(into), strategy, dry_run: false }
}

/// Small commits and large ones on two branches, until one is merged into the other.
pub(crate) fn everything() -> Vec<Op> {
    let mut ops = vec![
        Op::Create { table: "alpha", on: None, shape: Shape::Narrow },
        append("alpha", 0),
        Op::Tick { micros: 10 },
        Op::Write { table: "beta", on: None, rows: Rows::overwrite(100, 0).bulky() },
        append("beta", 10),
        Op::Write { table: "beta", on: None, rows: Rows::append(2000, 0).bulky() },
        Op::Tag { name: "v1", at: Spot::Head },
        Op::Branch { name: "dev", from: Spot::Head },
        on_dev("alpha", Rows::append(50, 2)),
        append("alpha", 3),
        on_dev("beta", Rows::overwrite(7, 5)),
        Op::Write { table: "alpha", on: None, rows: Rows::append(3000, 0).bulky() },
    ];
    ops.extend(two_tables_at_once());
    ops.extend([
        merge("dev", "main", MergeStrategy::Fail),
        merge("dev", "main", MergeStrategy::Theirs),
        on_dev("gamma", Rows::append(70, 3)),
        merge("main", "dev", MergeStrategy::Ours),
        Op::Reopen,
        Op::Revert { pick: 6 },
        Op::Compact { table: "beta", on: Some("dev") },
        Op::Drop { table: "beta", on: None },
        Op::Branch { name: "hotfix", from: Spot::Tag("v1") },
        Op::Write { table: "beta", on: Some("hotfix"), rows: Rows::append(1, 1) },
        merge("hotfix", "main", MergeStrategy::Theirs),
        Op::DeleteBranch { name: "hotfix" },
        Op::DeleteTag { name: "v1" },
        Op::Tick { micros: 10 },
    ]);
    ops.extend((0..70).map(|n| append("alpha", 1000 + 3 * n)));
    ops.push(Op::Write { table: "alpha", on: None, rows: Rows::overwrite(5, 9) });
    ops
}

/// A transaction that is rolled back, one that commits, and one that loses a race.
fn two_tables_at_once() -> Vec<Op> {
    let begin = |slot| Op::Begin { slot, on: None, isolation: Isolation::Serializable };
    let write = |slot, table, rows| Op::TxWrite { slot, table, rows };
    vec![
        begin(0),
        write(0, "alpha", Rows::append(60, 1)),
        write(0, "beta", Rows::append(60, 0).bulky()),
        Op::TxRollback { slot: 0 },
        begin(1),
        begin(2),
        Op::TxRead { slot: 2, table: "beta" },
        write(2, "alpha", Rows::overwrite(1, 1)),
        write(1, "alpha", Rows::append(61, 2)),
        write(1, "beta", Rows::append(4000, 0).bulky()),
        Op::TxCreate { slot: 1, table: "gamma", shape: Shape::Wide },
        Op::TxCommit { slot: 1 },
        Op::TxCommit { slot: 2 },
    ]
}

/// As many tables as fill a transaction with inlined rows.
const MANY: [&str; 16] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];

/// Commits with so many inlined bytes that log files fill up and checkpoints are written.
pub(crate) fn checkpoints() -> Vec<Op> {
    let mut ops = vec![Op::Create { table: "alpha", on: None, shape: Shape::Narrow }];
    for round in 0..14 {
        ops.push(Op::Begin { slot: 0, on: None, isolation: Isolation::Snapshot });
        let rows = |at: usize| Rows::heavy(round * 1_000_000 + at as i64 * 10_000);
        let write = |(at, table)| Op::TxWrite { slot: 0, table, rows: rows(at) };
        ops.extend(MANY.into_iter().enumerate().map(write));
        ops.push(Op::TxCommit { slot: 0 });
        ops.push(append("alpha", round));
        if round % 5 == 4 {
            ops.push(Op::Reopen);
        }
    }
    ops
}
