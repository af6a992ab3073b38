//! Groups of which a member, or the append itself, fails.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::catalog::Draft;
use crate::error::Code;
use crate::format::{
    BranchChange, BranchId, BranchName, ChangeKind, RecordHash, RefChange, TableChange, TableName, TransactionKind,
    TxId,
};
use crate::limits::{RECORD_BYTES_MAX, TRANSACTION_BYTES};
use crate::store::{Access, Environment, Fault, FaultyStore, MemoryStore, Store};

fn catalog(store: Arc<dyn Store>) -> Catalog {
    Catalog::open(store, Environment::seeded(1), RecordHash::of(b"a log"), Access::ReadWrite).unwrap()
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

/// Creates a branch; `BRANCH_EXISTS`.
fn create(name: &str, message: String) -> Box<dyn Proposal> {
    let name = branch(name);
    Box::new(move |view: &View| {
        if view.find_branch(&name).is_some() {
            return Err(Error::BranchExists { branch: name.to_string() });
        }
        Ok(Some(draft(&name, &message)))
    })
}

/// Creates a branch unless it is there.
fn ensure(name: &str) -> Box<dyn Proposal> {
    let name = branch(name);
    Box::new(move |view: &View| Ok(view.find_branch(&name).is_none().then(|| draft(&name, ""))))
}

fn draft(name: &BranchName, message: &str) -> Draft {
    let from = BranchName::main();
    let created = BranchChange { branch: name.clone(), from, from_id: BranchId(0), at: TxId(0), description: None };
    Draft {
        branch: name.clone(),
        branch_id: None,
        parents: vec![TxId(0)],
        author: None,
        message: Some(message.to_string()),
        kind: TransactionKind::Refs,
        tables: Vec::new(),
        refs: vec![RefChange::CreateBranch(created)],
        reads: Vec::new(),
    }
}

/// Commits proposals as one group, in their order: a member before them holds the log until all of them wait. `ready`
/// is called then.
fn commit_together(catalog: &Catalog, proposals: Vec<Box<dyn Proposal>>, ready: impl FnOnce()) -> Vec<Outcome> {
    let (let_go, held) = mpsc::channel();
    let hold = move |_: &View| {
        held.recv().unwrap();
        Ok(None)
    };
    thread::scope(|scope| {
        let holding = scope.spawn(|| catalog.commit(TRANSACTION_BYTES, Box::new(hold)));
        wait_until(|| catalog.queue.waiting() == (0, true));
        let commit = |(before, proposal)| {
            let member = scope.spawn(move || catalog.commit(TRANSACTION_BYTES, proposal));
            wait_until(|| catalog.queue.waiting() == (before + 1, true));
            member
        };
        let members: Vec<_> = proposals.into_iter().enumerate().map(commit).collect();
        ready();
        let_go.send(()).unwrap();
        assert!(matches!(holding.join().unwrap(), Ok(None)));
        members.into_iter().map(|member| member.join().unwrap()).collect()
    })
}

fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

fn codes(outcomes: &[Outcome]) -> Vec<Option<Code>> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map(Error::code)).collect()
}

/// A catalog with one transaction, and the store below it.
fn begun() -> (Catalog, FaultyStore) {
    let store = FaultyStore::new(1);
    let catalog = catalog(Arc::new(store.clone()));
    catalog.commit(TRANSACTION_BYTES, create("first", String::new())).unwrap();
    (catalog, store)
}

/// Has the write of the next record fail; the lock is taken before it.
fn fail_next_write(store: &FaultyStore, fault: Fault) {
    store.inject(store.operations() + 1, fault);
}

#[test]
fn one_that_is_too_large_fails_alone() {
    let catalog = catalog(Arc::new(MemoryStore::new()));
    let large = "x".repeat(RECORD_BYTES_MAX);
    let small = || String::new();
    let proposals = vec![create("a", small()), create("large", large), create("b", small()), create("a", small())];
    let outcomes = commit_together(&catalog, proposals, || ());
    assert_eq!(codes(&outcomes), [None, Some(Code::Unsupported), None, Some(Code::BranchExists)]);
    let view = catalog.view().unwrap();
    let branches: Vec<_> = view.branches().map(|branch| branch.name.to_string()).collect();
    assert_eq!(branches, ["a", "b", "main"]);
    assert_eq!(view.last_tx(), TxId(2), "no number is left out");
}

#[test]
fn those_that_are_too_large_only_together_are_all_committed() {
    let catalog = catalog(Arc::new(MemoryStore::new()));
    let half = || "x".repeat(RECORD_BYTES_MAX / 2);
    let outcomes = commit_together(&catalog, vec![create("a", half()), create("b", half())], || ());
    assert_eq!(codes(&outcomes), [None, None]);
    assert_eq!(catalog.view().unwrap().last_tx(), TxId(2));
}

#[test]
fn who_was_judged_by_what_never_came_to_be_is_judged_again() {
    let (catalog, store) = begun();
    let proposals = vec![
        create("first", String::new()),
        ensure("first"),
        create("a", String::new()),
        create("a", String::new()),
        ensure("a"),
        ensure("first"),
    ];
    let outcomes = commit_together(&catalog, proposals, || fail_next_write(&store, Fault::OutOfSpace));
    let [refused, needless, failed, again, present, still_needless] = outcomes.try_into().unwrap();
    assert!(matches!(refused, Err(Error::BranchExists { .. })), "{refused:?}");
    assert!(matches!(needless, Ok(None)), "{needless:?}");
    assert!(matches!(failed, Err(Error::OutOfSpace { .. })), "{failed:?}");
    assert_eq!(again.unwrap().unwrap().tx_id, TxId(2), "the other of that name never came to be");
    assert!(matches!(present, Ok(None)), "{present:?}");
    assert!(matches!(still_needless, Ok(None)), "{still_needless:?}");
    assert!(catalog.view().unwrap().find_branch(&branch("a")).is_some());
}

#[test]
fn where_the_outcome_is_unknown_nobody_is_told_of_a_conflict() {
    let (catalog, store) = begun();
    let proposals = vec![create("a", String::new()), create("a", String::new()), ensure("a")];
    let outcomes = commit_together(&catalog, proposals, || fail_next_write(&store, Fault::Fail));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::OutcomeUnknown { .. }))), "{outcomes:?}");
}

#[test]
fn a_draft_that_cannot_follow_fails_alone() {
    let catalog = catalog(Arc::new(MemoryStore::new()));
    let bare_drop = |_: &View| {
        let change = TableChange::new(&TableName::new("t").unwrap(), ChangeKind::Drop, None, None);
        Ok(Some(Draft {
            branch: BranchName::main(),
            branch_id: Some(BranchId(0)),
            tables: vec![change],
            ..draft(&branch("x"), "")
        }))
    };
    let outcomes = commit_together(&catalog, vec![create("a", String::new()), Box::new(bare_drop), ensure("b")], || ());
    assert_eq!(codes(&outcomes), [None, Some(Code::LogCorrupt), None]);
    assert_eq!(catalog.view().unwrap().last_tx(), TxId(2));
}

/// A proposal that counts how often it is asked, and how often it is told that it is durable.
struct Counting {
    proposal: Box<dyn Proposal>,
    counts: Arc<[AtomicUsize; 2]>,
}

impl Proposal for Counting {
    fn propose(&mut self, view: &View) -> Result<Option<Draft>> {
        self.counts[0].fetch_add(1, Ordering::Relaxed);
        self.proposal.propose(view)
    }

    fn committed(&mut self) {
        self.counts[1].fetch_add(1, Ordering::Relaxed);
        self.proposal.committed();
    }
}

/// Whoever stands before the one that meets the damage is asked again, too, and committed once.
#[test]
fn a_group_that_meets_a_damaged_index_file_is_asked_again_and_committed_once() {
    let store = Arc::new(MemoryStore::new());
    let first = catalog(store.clone());
    for name in ["first", "second"] {
        first.commit(TRANSACTION_BYTES, create(name, "as it was".to_string())).unwrap();
    }
    first.checkpoint().unwrap();
    let runs = store.names("index").unwrap();
    assert_eq!(runs.len(), 1);
    let mut bytes = store.get(&runs[0]).unwrap().unwrap().to_vec();
    bytes[40] ^= 1;
    store.replace(&runs[0], &bytes).unwrap();
    let catalog = catalog(store.clone());
    let looks = move |view: &View| -> Result<Option<Draft>> {
        assert_eq!(view.transaction(TxId(2))?.message.as_deref(), Some("as it was"));
        Ok(Some(draft(&branch("b"), "")))
    };
    let proposals: [Box<dyn Proposal>; 4] =
        [create("a", String::new()), Box::new(looks), create("a", String::new()), ensure("first")];
    let counts: Vec<Arc<[AtomicUsize; 2]>> = proposals.iter().map(|_| Arc::default()).collect();
    let counted = proposals.into_iter().zip(&counts).map(|(proposal, counts)| {
        let counting: Box<dyn Proposal> = Box::new(Counting { proposal, counts: counts.clone() });
        counting
    });
    let outcomes = commit_together(&catalog, counted.collect(), || ());
    assert_eq!(codes(&outcomes), [None, None, Some(Code::BranchExists), None]);
    let tx_ids: Vec<_> = outcomes.iter().flatten().map(|outcome| outcome.as_ref().map(|made| made.tx_id.0)).collect();
    assert_eq!(tx_ids, [Some(3), Some(4), None]);
    let counts = counts.iter().map(|counts| [0, 1].map(|at: usize| counts[at].load(Ordering::Relaxed)));
    assert_eq!(counts.collect::<Vec<_>>(), [[2, 1], [2, 1], [2, 0], [2, 0]]);
    assert_eq!(catalog.log().scan(catalog.beginning()).count(), 3, "both in one record");
    let view = Catalog::open(store, Environment::seeded(2), RecordHash::of(b"a log"), Access::ReadOnly).unwrap().view();
    let view = view.unwrap();
    assert_eq!((view.last_tx(), view.transaction(TxId(4)).unwrap().branch.clone()), (TxId(4), branch("b")));
}
