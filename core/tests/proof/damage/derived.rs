//! Damaged checkpoints and index files: they are derived from the log, so they fail nobody, whoever meets them first.

use std::collections::BTreeMap;

use armillaria::format::NodeHash;
use armillaria::log::Snapshots;
use armillaria::{MergeStrategy, WriteMode};

use super::*;
use crate::support::Shape;

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let repository = repository();
    let checkpoints = repository.paths("snapshots/");
    assert!(checkpoints.len() >= 2, "{checkpoints:?}");
    for (path, damage, context) in each_damage(&checkpoints) {
        let store = repository.damaged(path, damage);
        let db = repository.open(store.clone()).unwrap_or_else(|e| panic!("{context}: {e}"));
        assert!(all_right_or_told(&repository, &db, &context), "{context}: a checkpoint is never needed");
        sweep::check_heads(&db, &repository.twins.thought.model);
        check_report(&repository, &store, path, &context);
    }
}

/// A verification names the file if it is there and says what to do; after that all is well.
fn check_report(repository: &Repository, store: &Arc<MemoryStore>, path: &str, context: &str) {
    // Whoever may write takes a damaged file away on meeting it: so each looks at a copy.
    let verify = |deep| {
        let db = repository.open(copy_of(store)).unwrap();
        db.verify(&VerifyOptions { deep, progress: None }).unwrap()
    };
    if store.get(path).unwrap().is_some() {
        for deep in [false, true] {
            let report = verify(deep);
            assert!(!report.ok, "{context}");
            let [problem] = report.problems.as_slice() else { panic!("{context}: {:?}", report.problems) };
            let kind = if path.starts_with("index/") { "index file" } else { "checkpoint" };
            assert_eq!((&problem.object, problem.code), (&format!("{kind} {path}"), "HASH_MISMATCH"), "{context}");
            assert!(problem.message.starts_with("nothing is lost: "), "{context}: {problem:?}");
            assert!(problem.message.contains("; delete it"), "{context}: {problem:?}");
            assert!(problem.affects.is_empty(), "{context}: {problem:?}");
        }
        store.delete(path).unwrap();
    }
    for deep in [false, true] {
        let report = verify(deep);
        assert!(report.ok, "{context}: {report:?}");
        let told =
            report.notes.iter().filter(|note| note.starts_with(&format!("index file {path} is missing"))).count();
        assert_eq!(told, usize::from(is_needed(store, path)), "{context}: {report:?}");
    }
}

fn copy_of(store: &MemoryStore) -> Arc<MemoryStore> {
    let copy = Arc::new(MemoryStore::new());
    for listed in store.list("").unwrap() {
        put(&copy, &listed.path, &store.get(&listed.path).unwrap().unwrap());
    }
    copy
}

/// Whether the newest whole checkpoint names a file: the hash in its name stands there.
fn is_needed(store: &MemoryStore, path: &str) -> bool {
    let Some((_, hash)) = path.rsplit_once('-') else { return false };
    let hash: NodeHash = hash.parse().unwrap();
    let snapshots = Snapshots::new(copy_of(store));
    let newest = snapshots.newest().unwrap();
    newest.is_some_and(|(_, bytes)| bytes.windows(32).any(|window| window == hash.as_bytes()))
}

/// What an index file says is verified where it is read. Whoever stumbles over damage is answered from the log; the next
/// operation has an index made anew from it, and the next commit writes that down.
#[test]
fn a_damaged_index_file_fails_nobody_and_is_made_anew() {
    let repository = repository();
    let files = repository.paths("index/");
    assert!(files.len() >= 2, "{files:?}");
    for (path, damage, context) in each_damage(&files) {
        let store = repository.damaged(path, damage);
        check_report(&repository, &repository.damaged(path, damage), path, &context);
        let reader = repository.open_to_read(repository.damaged(path, damage)).unwrap();
        assert!(all_right_or_told(&repository, &reader, &context), "{context}: who may only read");
        sweep::check_state(&reader, &repository.twins.thought.model);
        drop(reader);
        let db = repository.open(store.clone()).unwrap();
        assert!(all_right_or_told(&repository, &db, &context), "{context}");
        let another = repository.open(store.clone()).unwrap();
        assert!(all_right_or_told(&repository, &another, &context), "{context}: who opens it after that");
        drop(another);
        let is_met = store.get(path).unwrap().is_none();
        db.create_tag("repaired", &At::head()).unwrap();
        drop(db);
        let db = repository.open(store.clone()).unwrap();
        assert!(all_right_or_told(&repository, &db, &context), "{context}: opened again after a commit");
        drop(db);
        assert!(!is_met || !is_needed(&store, path), "{context}: the checkpoint of the commit does without it");
        // One whose damaged part nobody needed is still there.
        check_report(&repository, &store, path, &context);
    }
}

/// What writes, each as the first operations of a handle; the last of them commits.
fn writers(repository: &Repository) -> Vec<Vec<Op>> {
    let model = &repository.twins.thought.model;
    let of_beta = model.version("beta", 1).unwrap().tx_id;
    let isolation = Isolation::Serializable;
    vec![
        vec![Op::Branch { name: "hotfix", from: Spot::Transaction(3) }],
        vec![Op::DeleteBranch { name: "dev" }],
        vec![Op::Tag { name: "v1", at: Spot::Time(Some("dev"), 5) }],
        vec![Op::Create { table: "gamma", on: None, shape: Shape::Wide }],
        vec![Op::Drop { table: "b", on: None }],
        vec![workload::append("c", 5)],
        vec![Op::Write { table: "d", on: Some("dev"), rows: Rows::overwrite(3, 0).bulky() }],
        vec![Op::Compact { table: "alpha", on: None }],
        vec![Op::Merge { source: "dev", into: None, strategy: MergeStrategy::Fail, dry_run: false }],
        vec![Op::Revert { pick: of_beta }],
        vec![Op::Revert { pick: model.latest() }],
        vec![
            Op::Begin { slot: 0, on: None, isolation },
            Op::TxTables { slot: 0 },
            Op::TxWrite { slot: 0, table: "e", rows: Rows { mode: WriteMode::Append, ..Rows::overwrite(1, 2) } },
            Op::TxCommit { slot: 0 },
        ],
    ]
}

/// A commit that nobody read before it is not failed by what is derived either, and is no other commit for it.
#[test]
fn a_damaged_index_file_fails_no_commit_that_meets_it_first() {
    let repository = repository();
    let writers = writers(&repository);
    let mut met = vec![0; writers.len()];
    for path in &repository.paths("index/") {
        for damage in DAMAGES {
            for (ops, met) in writers.iter().zip(&mut met) {
                let context = format!("{path} {damage:?} {ops:?}");
                let store = repository.damaged(path, damage);
                let is_there = store.get(path).unwrap().is_some();
                let mut twins = Twins::open(repository.world.clone(), store.clone()).unwrap();
                twins.forget_open(repository.twins.thought.model.clone());
                ops.iter().for_each(|op| twins.step(op).unwrap_or_else(|(error, _)| panic!("{context}: {error}")));
                // Whoever meets damage takes the file away.
                *met += usize::from(is_there && store.get(path).unwrap().is_none());
                let model = &twins.thought.model;
                assert_eq!(model.latest(), repository.twins.thought.model.latest() + 1, "{context}");
                assert_eq!(twins.db.latest_tx_id().unwrap(), model.latest(), "{context}");
                sweep::check_heads(&twins.db, model);
                drop(twins.db);
                sweep::check_heads(&repository.open(store).unwrap(), model);
            }
        }
    }
    // These need nothing of the index but what came since the newest checkpoint, and is in memory.
    let without: Vec<_> = writers.iter().zip(met).filter(|(_, met)| *met == 0).map(|(ops, _)| ops.as_slice()).collect();
    assert!(matches!(without[..], [[Op::DeleteBranch { .. }], [Op::Drop { .. }], [Op::Revert { .. }]]), "{without:?}");
}

/// Operations that the script does not know.
#[test]
fn a_damaged_index_file_fails_neither_a_change_of_versions_nor_a_list_of_chunks() {
    let repository = repository();
    let latest = repository.twins.thought.model.latest();
    let first = repository.twins.thought.model.version("alpha", 1).unwrap();
    let (_, chunks) = repository.twins.db.chunk_hashes("beta", Some(1)).unwrap();
    for (path, damage, context) in each_damage(&repository.paths("index/")) {
        let db = repository.open(repository.damaged(path, damage)).unwrap();
        let to_first = BTreeMap::from([("alpha".to_string(), Some(1))]);
        let commit = db.set_branch_versions("main", &to_first, None).unwrap();
        assert_eq!((commit.tx_id, commit.tables.len()), (latest + 1, 1), "{context}");
        assert_eq!(read(&db, "alpha", &At::head()).unwrap(), *first.content.rows, "{context}");
        let db = repository.open(repository.damaged(path, damage)).unwrap();
        let commit = db.commit_chunks("beta", 2, &chunks, &Default::default()).unwrap();
        assert_eq!((commit.tx_id, commit.version()), (latest + 1, Some(2)), "{context}");
        assert_eq!(db.chunk_hashes("beta", Some(2)).unwrap(), (2, chunks.clone()), "{context}");
    }
}
