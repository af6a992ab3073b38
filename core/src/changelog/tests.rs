//! How far the changelog is searched: by time, and until somebody stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::catalog::{Catalog, Draft};
use crate::format::RecordHash;
use crate::repository::{Repository, RepositoryOptions};
use crate::store::{Access, Clock, Environment, FaultyStore, ManualClock, SeededRandomness};

const MINUTE: Duration = Duration::from_secs(60);

fn open(store: &FaultyStore, clock: Arc<dyn Clock>) -> Catalog {
    let environment = Environment { clock, ..Environment::seeded(1) };
    Catalog::open(Arc::new(store.clone()), environment, RecordHash::of(b"a log"), Access::ReadWrite).unwrap()
}

fn commit(catalog: &Catalog) {
    let propose = |view: &View| {
        let head = view.head(&BranchName::main())?;
        let (branch, branch_id, parents) = (head.branch, Some(head.branch_id), vec![head.tx_id]);
        let (author, message, kind, tables, refs, reads) =
            (None, None, TransactionKind::Refs, Vec::new(), Vec::new(), Vec::new());
        Ok(Some(Draft { branch, branch_id, parents, author, message, kind, tables, refs, reads }))
    };
    catalog.commit(1, Box::new(propose)).unwrap();
}

#[test]
fn times_are_found_without_reading_what_lies_before() {
    const COMMITS: u64 = 2_000;
    let (store, clock, dice) = (FaultyStore::new(1), Arc::new(ManualClock::new(0)), SeededRandomness::new(7));
    let catalog = open(&store, clock.clone());
    for _ in 0..COMMITS {
        // Many at the same time.
        clock.advance(MINUTE * u32::try_from(dice.below(3)).unwrap());
        commit(&catalog);
    }
    let view = catalog.view().unwrap();
    let times: Vec<i64> = (1..=COMMITS).map(|tx_id| view.transaction(TxId(tx_id)).unwrap().time_us).collect();
    assert!(times.is_sorted());
    let minute = MINUTE.as_micros() as i64;
    for _ in 0..200 {
        let any = || dice.below(COMMITS + 20) as i64 * minute - 10 * minute - i64::from(dice.below(2) == 0);
        let (from, to) = (any(), any());
        let asked = ChangesQuery::new().from_time_us(from).to_time_us(to);
        let found: Vec<u64> = changes(&view, &asked).unwrap().iter().map(|entry| entry.tx_id).collect();
        let wanted: Vec<u64> = (1..=COMMITS).filter(|n| (from..=to).contains(&times[*n as usize - 1])).collect();
        assert_eq!(found, wanted, "from {from} to {to}");
    }
    let everything = ChangesQuery::new().from_time_us(i64::MIN).to_time_us(i64::MAX);
    assert_eq!(changes(&view, &everything).unwrap().len() as u64, COMMITS);

    let fresh = open(&store, clock).view().unwrap();
    let before = store.reads();
    let late = ChangesQuery::new().from_time_us(times[COMMITS as usize - 3]);
    assert!(changes(&fresh, &late).unwrap().len() >= 3);
    assert!(store.reads() - before < 100, "{} reads", store.reads() - before);
}

#[test]
fn a_search_goes_on_where_it_was_stopped() {
    let (store, clock) = (FaultyStore::new(1), Arc::new(ManualClock::new(0)));
    let catalog = open(&store, clock);
    (0..50).for_each(|_| commit(&catalog));
    let view = catalog.view().unwrap();
    let nothing = Filter { tables: BTreeSet::from([TableName::new("t").unwrap()]), branch: None };
    let looked_at = AtomicU64::new(0);
    let stop = || looked_at.fetch_add(1, Ordering::Relaxed) == 9;
    assert_eq!(next_entry(&view, &nothing, TxId(20), stop).unwrap(), (None, TxId(30)));
    assert_eq!(next_entry(&view, &nothing, TxId(30), || false).unwrap(), (None, TxId(50)));
    let (found, cursor) =
        next_entry(&view, &Filter { tables: BTreeSet::new(), branch: None }, TxId(30), || true).unwrap();
    assert_eq!((found.unwrap().tx_id, cursor), (31, TxId(31)), "what was found is handed out, whoever stops");
}

/// Each look at it takes a millisecond.
#[derive(Debug, Default)]
struct Busy {
    looks: AtomicU64,
}

impl Clock for Busy {
    fn now_us(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.looks.fetch_add(1, Ordering::Relaxed))
    }

    fn sleep(&self, _: Duration) {}
}

#[test]
fn a_poll_ends_with_its_time_also_while_it_searches() {
    let environment = Environment { clock: Arc::new(Busy::default()), ..Environment::seeded(1) };
    let options = RepositoryOptions { access: Access::ReadWrite, create: true, threads: Some(1), environment };
    let repository = Arc::new(Repository::open(Arc::new(FaultyStore::new(1)), "here", &options).unwrap());
    (0..100).for_each(|_| commit(&repository.catalog));
    let query = ChangesQuery::new().since_tx(0).table("t");
    let mut subscription = Subscription::new(repository, &query, Arc::default()).unwrap();
    assert!(subscription.poll(Duration::from_millis(30)).unwrap().is_none());
    let cursor = subscription.cursor();
    assert!((10..50).contains(&cursor), "the search came to {cursor}");
    assert!(subscription.poll(Duration::from_millis(30)).unwrap().is_none());
    assert!((cursor + 10..90).contains(&subscription.cursor()));
    assert!(subscription.poll(Duration::ZERO).unwrap().is_none());
    assert_eq!(subscription.cursor(), 100, "without a time it looks at all there is");
}
