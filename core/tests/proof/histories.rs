//! Histories of concurrent transactions that append to lists, in the manner of Elle (Kingsbury and Alvaro, 2020).
//!
//! Every transaction reads some lists and appends an element that nobody else appends to some. The order of the
//! elements is the order of the writers, so lost updates, dirty reads and cycles of dependencies can be found from what
//! was read, without knowing what happened inside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use armillaria::store::SeededRandomness;
use armillaria::{BeginOptions, Code, CreateOptions, Database, Isolation, WriteMode};

use crate::support::{Shape, collect, ids, in_memory, narrow};

const LISTS: [&str; 3] = ["x", "y", "z"];
const THREADS: u64 = 8;
const EACH: u64 = 40;

/// A transaction that committed: what it read and what it appended.
#[derive(Clone, Debug, Default)]
struct Committed {
    tx_id: u64,
    reads: BTreeMap<&'static str, Vec<i64>>,
    appends: BTreeMap<&'static str, i64>,
}

/// How one transaction depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// It appended behind the other, or read what the other appended.
    After,
    /// It appended what the other did not see yet.
    UnseenBy,
}

struct History {
    committed: Vec<Committed>,
    lists: BTreeMap<&'static str, Vec<i64>>,
    /// Elements of transactions that were refused.
    refused: BTreeSet<i64>,
}

fn run(isolation: Isolation, seed: u64) -> History {
    let db = in_memory();
    for list in LISTS {
        db.create_table(list, &Shape::Narrow.schema(), &CreateOptions::default()).unwrap();
    }
    let committed: Mutex<Vec<Committed>> = Mutex::default();
    let refused: Mutex<BTreeSet<i64>> = Mutex::default();
    let next = AtomicI64::new(1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (db, committed, refused, next) = (&db, &committed, &refused, &next);
            let dice = SeededRandomness::new(seed + thread);
            scope.spawn(move || {
                for _ in 0..EACH {
                    let mut wanted = Committed::default();
                    match attempt(db, isolation, &dice, next, &mut wanted) {
                        Ok(tx_id) => committed.lock().unwrap().push(Committed { tx_id, ..wanted }),
                        Err(code) => {
                            assert!(matches!(code, Code::WriteConflict | Code::SerializationFailure), "{code}");
                            refused.lock().unwrap().extend(wanted.appends.into_values());
                        }
                    }
                }
            });
        }
    });
    let lists = LISTS.map(|list| (list, ids(&db, list))).into();
    History { committed: committed.into_inner().unwrap(), lists, refused: refused.into_inner().unwrap() }
}

fn attempt(
    db: &Database,
    isolation: Isolation,
    dice: &SeededRandomness,
    next: &AtomicI64,
    wanted: &mut Committed,
) -> Result<u64, Code> {
    let transaction = db.begin(&BeginOptions { isolation, ..BeginOptions::default() }).unwrap();
    for list in LISTS {
        if dice.below(2) == 0 {
            let rows = collect(transaction.read_table(list, None).unwrap()).unwrap();
            wanted.reads.insert(list, rows.iter().map(|row| row.id).collect());
        }
    }
    std::thread::yield_now();
    let list = LISTS[dice.below(3) as usize];
    let element = next.fetch_add(1, Ordering::SeqCst);
    wanted.appends.insert(list, element);
    transaction.write_table(list, narrow([element]), WriteMode::Append).unwrap();
    transaction.commit(None).map(|commit| commit.tx_id).map_err(|error| error.code())
}

impl History {
    /// Every acknowledged element is there once, no refused one is, and every read is a beginning of its list.
    fn check_elements(&self) {
        for (list, elements) in &self.lists {
            let unique: BTreeSet<&i64> = elements.iter().collect();
            assert_eq!(unique.len(), elements.len(), "an element is in {list} twice");
            assert!(elements.iter().all(|element| !self.refused.contains(element)), "{list} has a refused element");
        }
        for transaction in &self.committed {
            for (list, element) in &transaction.appends {
                assert!(self.lists[list].contains(element), "the append of {element} to {list} is lost");
            }
            for (list, seen) in &transaction.reads {
                assert!(self.lists[list].starts_with(seen), "{transaction:?} read what never was");
            }
        }
        let total: usize = self.lists.values().map(Vec::len).sum();
        assert_eq!(total, self.committed.len(), "each transaction appended one element");
    }

    /// The order of the elements is that of the commits.
    fn check_order(&self) {
        let writers = self.writers();
        for elements in self.lists.values() {
            let tx_ids: Vec<u64> = elements.iter().map(|element| self.committed[writers[element]].tx_id).collect();
            assert!(tx_ids.is_sorted(), "{tx_ids:?}");
        }
    }

    fn writers(&self) -> BTreeMap<i64, usize> {
        let appends = self.committed.iter().enumerate();
        appends.flat_map(|(at, transaction)| transaction.appends.values().map(move |element| (*element, at))).collect()
    }

    /// Who depends on whom: from earlier to later.
    fn edges(&self) -> BTreeSet<(usize, usize, Edge)> {
        let (writers, mut edges) = (self.writers(), BTreeSet::new());
        for elements in self.lists.values() {
            edges.extend(elements.windows(2).map(|pair| (writers[&pair[0]], writers[&pair[1]], Edge::After)));
        }
        for (reader, transaction) in self.committed.iter().enumerate() {
            for (list, seen) in &transaction.reads {
                edges.extend(seen.last().map(|last| (writers[last], reader, Edge::After)));
                let unseen = self.lists[list].get(seen.len());
                edges.extend(unseen.map(|next| (reader, writers[next], Edge::UnseenBy)));
            }
        }
        edges.retain(|(from, to, _)| from != to);
        edges
    }
}

/// Whether the edges lead round: what is left when everything that nothing points to is taken away again and again.
fn in_cycles(count: usize, edges: &BTreeSet<(usize, usize, Edge)>) -> usize {
    let mut incoming = vec![0; count];
    edges.iter().for_each(|(_, to, _)| incoming[*to] += 1);
    let mut free: Vec<usize> = (0..count).filter(|at| incoming[*at] == 0).collect();
    let mut left = count;
    while let Some(node) = free.pop() {
        left -= 1;
        for (_, to, _) in edges.range((node, 0, Edge::After)..=(node, usize::MAX, Edge::UnseenBy)) {
            incoming[*to] -= 1;
            if incoming[*to] == 0 {
                free.push(*to);
            }
        }
    }
    left
}

#[test]
fn serializable_histories_have_no_cycles() {
    for seed in 0..3 {
        let history = run(Isolation::Serializable, seed * 100);
        history.check_elements();
        history.check_order();
        assert_eq!(in_cycles(history.committed.len(), &history.edges()), 0, "seed {seed}");
        assert!(history.committed.len() > 20, "hardly anything committed: {}", history.committed.len());
    }
}

#[test]
fn snapshot_histories_lose_nothing_and_read_nothing_that_never_was() {
    for seed in 0..3 {
        let history = run(Isolation::Snapshot, seed * 100);
        history.check_elements();
        history.check_order();
        assert_eq!(history.committed.len() as u64, THREADS * EACH, "appends never conflict");
        // G1c: no cycle of reads and writes alone. Without appends after reads there may be one with `UnseenBy`.
        let seen: BTreeSet<_> = history.edges().into_iter().filter(|edge| edge.2 == Edge::After).collect();
        assert_eq!(in_cycles(history.committed.len(), &seen), 0, "seed {seed}");
    }
}

#[test]
fn the_checker_sees_what_it_must_see() {
    let skewed = [(0, 1, Edge::UnseenBy), (1, 0, Edge::UnseenBy), (1, 2, Edge::After)].into();
    assert_eq!(in_cycles(3, &skewed), 3, "the cycle and what comes after it");
    let straight = [(0, 1, Edge::After), (0, 2, Edge::UnseenBy), (1, 2, Edge::After)].into();
    assert_eq!(in_cycles(3, &straight), 0);
    let read = |seen: &[i64]| Committed { reads: BTreeMap::from([("x", seen.to_vec())]), ..Committed::default() };
    let mut history = History { committed: vec![read(&[2])], lists: [("x", vec![1])].into(), refused: [].into() };
    assert!(std::panic::catch_unwind(|| history.check_elements()).is_err(), "a dirty read");
    history.committed = vec![Committed { appends: BTreeMap::from([("x", 2)]), ..Committed::default() }];
    assert!(std::panic::catch_unwind(|| history.check_elements()).is_err(), "a lost update");
}
