//! A state machine: operations at random, done to a database and to its model. They never disagree.
//!
//! `ARMILLARIA_PROOF_CASES` asks for more cases than the test run has time for.

use std::sync::Arc;

use armillaria::store::MemoryStore;
use armillaria::{Isolation, MergeStrategy, WriteMode};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;

use crate::script::{BRANCHES, On, Op, Rows, SLOTS, Spot, TABLES, TAGS, Twins};
use crate::support::{Shape, World, assert_whole, from_env};
use crate::sweep;

const CASES: u32 = 48;
const STEPS: usize = 60;

fn table() -> impl Strategy<Value = &'static str> {
    select(&TABLES[..])
}

fn branch() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("main"), 2 => Just("dev"), 1 => select(&BRANCHES[..])]
}

fn on() -> impl Strategy<Value = On> {
    prop::option::of(branch())
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![4 => Just(Shape::Narrow), 1 => Just(Shape::Wide)]
}

fn mode() -> impl Strategy<Value = WriteMode> {
    prop_oneof![6 => Just(WriteMode::Append), 3 => Just(WriteMode::Overwrite), 1 => Just(WriteMode::Upsert)]
}

fn rows() -> impl Strategy<Value = Rows> {
    let bytes = prop_oneof![9 => Just(0), 1 => Just(80_000)];
    (mode(), shape(), 0_i64..40, 0_usize..8, bytes).prop_map(|(mode, shape, first_id, count, bytes)| Rows {
        mode,
        shape,
        first_id,
        count,
        bytes,
    })
}

fn spot() -> impl Strategy<Value = Spot> {
    prop_oneof![
        2 => Just(Spot::Head),
        2 => branch().prop_map(Spot::Branch),
        1 => select(&TAGS[..]).prop_map(Spot::Tag),
        2 => (0_u64..200).prop_map(Spot::Transaction),
        1 => (on(), 0_u64..200).prop_map(|(on, pick)| Spot::Time(on, pick)),
    ]
}

fn strategy() -> impl Strategy<Value = MergeStrategy> {
    prop_oneof![2 => Just(MergeStrategy::Fail), 1 => Just(MergeStrategy::Ours), 1 => Just(MergeStrategy::Theirs)]
}

fn isolation() -> impl Strategy<Value = Isolation> {
    prop_oneof![Just(Isolation::Snapshot), Just(Isolation::Serializable)]
}

fn table_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => (table(), on(), shape()).prop_map(|(table, on, shape)| Op::Create { table, on, shape }),
        8 => (table(), on(), rows()).prop_map(|(table, on, rows)| Op::Write { table, on, rows }),
        1 => (table(), on()).prop_map(|(table, on)| Op::Drop { table, on }),
        1 => (table(), on()).prop_map(|(table, on)| Op::Compact { table, on }),
    ]
}

fn name_op() -> impl Strategy<Value = Op> {
    let merge = (branch(), on(), strategy(), prop::bool::weighted(0.2));
    prop_oneof![
        3 => (select(&BRANCHES[..]), spot()).prop_map(|(name, from)| Op::Branch { name, from }),
        1 => select(&BRANCHES[..]).prop_map(|name| Op::DeleteBranch { name }),
        1 => branch().prop_map(|name| Op::Checkout { name }),
        2 => (select(&TAGS[..]), spot()).prop_map(|(name, at)| Op::Tag { name, at }),
        1 => select(&TAGS[..]).prop_map(|name| Op::DeleteTag { name }),
        4 => merge.prop_map(|(source, into, strategy, dry_run)| Op::Merge { source, into, strategy, dry_run }),
        2 => (0_u64..200).prop_map(|pick| Op::Revert { pick }),
    ]
}

fn transaction_op() -> impl Strategy<Value = Op> {
    let slot = || 0..SLOTS;
    prop_oneof![
        3 => (slot(), on(), isolation()).prop_map(|(slot, on, isolation)| Op::Begin { slot, on, isolation }),
        2 => (slot(), table()).prop_map(|(slot, table)| Op::TxRead { slot, table }),
        1 => slot().prop_map(|slot| Op::TxTables { slot }),
        5 => (slot(), table(), rows()).prop_map(|(slot, table, rows)| Op::TxWrite { slot, table, rows }),
        1 => (slot(), table(), shape()).prop_map(|(slot, table, shape)| Op::TxCreate { slot, table, shape }),
        1 => (slot(), table()).prop_map(|(slot, table)| Op::TxDrop { slot, table }),
        3 => slot().prop_map(|slot| Op::TxCommit { slot }),
        1 => slot().prop_map(|slot| Op::TxRollback { slot }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => table_op(),
        4 => name_op(),
        6 => transaction_op(),
        2 => (0_u64..5).prop_map(|micros| Op::Tick { micros }),
        1 => Just(Op::Reopen),
    ]
}

fn config() -> Config {
    let cases = from_env("ARMILLARIA_PROOF_CASES").map_or(CASES, |cases| cases as u32);
    Config { cases, max_shrink_iters: 2000, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_library_never_disagrees_with_the_model(ops in prop::collection::vec(op(), 1..STEPS), pause in 0_u64..30) {
        let mut twins = Twins::open(World::new(7), Arc::new(MemoryStore::new())).unwrap();
        for op in &ops {
            twins.step(op).map_err(|(error, _)| error).unwrap();
        }
        check_all(&twins, pause);
        twins.step(&Op::Reopen).map_err(|(error, _)| error).unwrap();
        check_all(&twins, pause);
    }
}

fn check_all(twins: &Twins, pause: u64) {
    let (db, model) = (&twins.db, &twins.thought.model);
    sweep::check_state(db, model);
    sweep::check_changelog(db, model, pause.min(model.latest()));
    sweep::check_differences(db, model);
    #[cfg(feature = "sql")]
    sweep::check_sql(db, model);
    assert_whole(db);
}
