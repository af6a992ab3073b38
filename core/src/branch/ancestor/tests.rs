//! The search against one that looks at every transaction, and how much it reads.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::catalog::{Catalog, Draft, Snapshot};
use crate::format::{BranchChange, BranchName, RecordHash, RefChange, TransactionKind};
use crate::store::{Access, Environment, FaultyStore, SeededRandomness, Store};

/// A history of branches without tables.
struct History {
    store: FaultyStore,
    catalog: Catalog,
}

impl History {
    fn new() -> History {
        let store = FaultyStore::new(1);
        History { catalog: open(&store), store }
    }

    fn view(&self) -> View {
        self.catalog.view().unwrap()
    }

    fn head(&self, branch: &str) -> TxId {
        self.view().head(&name(branch)).unwrap().tx_id
    }

    fn commit(&self, branch: &str, others: &[TxId], refs: Vec<RefChange>) -> TxId {
        let head = self.view().head(&name(branch)).unwrap();
        let parents = std::iter::once(head.tx_id).chain(others.iter().copied()).collect();
        self.append(name(branch), Some(head.branch_id), parents, refs)
    }

    fn append(
        &self,
        branch: BranchName,
        branch_id: Option<BranchId>,
        parents: Vec<TxId>,
        refs: Vec<RefChange>,
    ) -> TxId {
        let (author, message, kind, tables, reads) = (None, None, TransactionKind::Refs, Vec::new(), Vec::new());
        let draft = Draft { branch, branch_id, parents, author, message, kind, tables, refs, reads };
        self.catalog.commit(1, Box::new(move |_: &View| Ok(Some(draft.clone())))).unwrap().unwrap().tx_id
    }

    fn start(&self, branch: &str, from: &Snapshot) -> TxId {
        let change = BranchChange {
            branch: name(branch),
            from: from.branch.clone(),
            from_id: from.branch_id,
            at: from.tx_id,
            description: None,
        };
        self.append(name(branch), None, vec![from.tx_id], vec![RefChange::CreateBranch(change)])
    }

    /// Something at random.
    fn step(&self, dice: &SeededRandomness) {
        let view = self.view();
        let names: Vec<String> = view.branches().map(|branch| branch.name.to_string()).collect();
        let any = || names[dice.below(names.len() as u64) as usize].as_str();
        let fresh = format!("b{}", dice.below(6));
        match dice.below(10) {
            0..5 => _ = self.commit(any(), &[], Vec::new()),
            5..8 => {
                let (into, merged) = (any(), any());
                if into != merged {
                    self.commit(into, &[self.head(merged)], Vec::new());
                }
            }
            _ if !names.contains(&fresh) => {
                self.start(&fresh, &view.snapshot_of(TxId(dice.below(view.last_tx().0 + 1))).unwrap());
            }
            8 => _ = self.commit(&fresh, &[], vec![RefChange::DeleteBranch(name(&fresh))]),
            _ => {}
        }
    }
}

fn open(store: &FaultyStore) -> Catalog {
    let store: Arc<dyn Store> = Arc::new(store.clone());
    Catalog::open(store, Environment::seeded(1), RecordHash::of(b"a log"), Access::ReadWrite).unwrap()
}

fn name(branch: &str) -> BranchName {
    BranchName::new(branch).unwrap()
}

/// By the definition: what both descend from, step by step.
fn by_every_step(view: &View, a: TxId, b: TxId) -> TxId {
    let mut reached = HashMap::from([(a, FROM_A)]);
    let marks = reached.entry(b).or_insert([false; 2]);
    marks[1] = true;
    for tx_id in (1..=a.max(b).0).rev().map(TxId) {
        let Some(marks) = reached.get(&tx_id).copied() else { continue };
        if marks == FROM_BOTH {
            return tx_id;
        }
        for parent in &view.transaction(tx_id).unwrap().parents {
            let before = reached.entry(*parent).or_insert([false; 2]);
            *before = [before[0] || marks[0], before[1] || marks[1]];
        }
    }
    TxId(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn jumping_finds_what_walking_finds(seed: u64, steps in 1..80_u32) {
        let (history, dice) = (History::new(), SeededRandomness::new(seed));
        (0..steps).for_each(|_| history.step(&dice));
        let view = history.view();
        for a in (0..=view.last_tx().0).map(TxId) {
            for b in (0..=view.last_tx().0).map(TxId) {
                prop_assert_eq!(common_ancestor(&view, a, b).unwrap(), by_every_step(&view, a, b), "of {} and {}", a, b);
            }
        }
    }
}

#[test]
fn commits_between_merges_are_not_read() {
    let history = History::new();
    let shared = history.commit("main", &[], Vec::new());
    history.start("dev", &history.view().head(&name("main")).unwrap());
    let mut last_merge = shared;
    let mut reads = Vec::new();
    for commits in [20, 3_000] {
        for _ in 0..commits {
            history.commit("main", &[], Vec::new());
            history.commit("dev", &[], Vec::new());
        }
        let view = open(&history.store).view().unwrap();
        let before = history.store.reads();
        assert_eq!(common_ancestor(&view, history.head("main"), history.head("dev")).unwrap(), last_merge);
        reads.push(history.store.reads() - before);
        last_merge = history.head("dev");
        history.commit("main", &[last_merge], Vec::new());
    }
    assert!(reads[1] < 60, "after 20 commits on either side {} reads, after 3,000 {}", reads[0], reads[1]);
}
