//! What handles of one repository keep in memory, and how much they read.

use serde_bytes::ByteBuf;

use super::*;
use crate::format::{ChangeKind, ManifestSource, SchemaSource, TableChange, TableContent, TableName};
use crate::log::Snapshots;

/// A catalog in memory, and another handle of the same repository.
fn two_handles() -> (Arc<MemoryStore>, Catalog, Catalog) {
    let store = Arc::new(MemoryStore::new());
    let open = |access| Catalog::open(store.clone(), Environment::seeded(1), RecordHash::of(b"a log"), access).unwrap();
    let writer = open(Access::ReadWrite);
    let reader = open(Access::ReadOnly);
    (store, writer, reader)
}

/// Commits the next version of some tables on `main`.
fn commit_versions(catalog: &Catalog, tables: u64, inline: &[u8]) {
    let inline = (!inline.is_empty()).then(|| ByteBuf::from(inline));
    let propose = move |view: &View| {
        let change = |number: u64| {
            let table = TableName::new(&format!("table {number}"))?;
            let (from, to) = (view.latest_version(&table)?, view.next_version(&table)?);
            let content = TableContent {
                schema: SchemaSource::InChunks,
                manifest: ManifestSource::Listed(Vec::new()),
                tail_of: None,
                tail: Vec::new(),
                rows: 0,
                chunks: 0,
                bytes: 0,
            };
            let change = TableChange::new(&table, ChangeKind::Append, from, Some(to));
            Ok(TableChange { content: Some(content), inline: inline.clone(), ..change })
        };
        let head = view.head(&BranchName::main())?;
        Ok(Some(Draft {
            branch: head.branch,
            branch_id: Some(head.branch_id),
            parents: vec![head.tx_id],
            author: None,
            message: None,
            kind: TransactionKind::Commit,
            tables: (0..tables).map(change).collect::<Result<_>>()?,
            refs: Vec::new(),
            reads: Vec::new(),
        }))
    };
    catalog.commit(1, Box::new(propose)).unwrap().unwrap();
}

#[test]
fn a_reader_keeps_little_in_memory_however_much_others_commit() {
    const TABLES: u64 = 40;
    const COMMITS: u64 = 1_500;
    let (_, writer, reader) = two_handles();
    let entries = 2 + 2 * TABLES;
    let most = RECENT_ENTRIES_MAX as u64 + (SNAPSHOT_RECORDS + 1) * entries;
    assert!(2 * most < COMMITS * entries);
    for _ in 0..COMMITS {
        commit_versions(&writer, TABLES, &[]);
        let view = reader.view().unwrap();
        assert!(view.state.index.recent_len() as u64 <= most, "{} entries", view.state.index.recent_len());
    }
    let (view, written) = (reader.view().unwrap(), writer.view().unwrap());
    let table = TableName::new("table 0").unwrap();
    let head = view.head(&BranchName::main()).unwrap();
    for tx_id in (1..=COMMITS).map(TxId) {
        assert_eq!(view.transaction(tx_id).unwrap(), written.transaction(tx_id).unwrap());
        assert_eq!(view.version_change(&table, Version(tx_id.0)).unwrap().transaction.tx_id, tx_id);
    }
    assert_eq!(view.table_states(&head, &table).unwrap(), written.table_states(&head, &table).unwrap());
    assert_eq!(view.tables(&head).unwrap(), written.tables(&head).unwrap());
}

#[test]
fn only_a_sound_checkpoint_of_the_same_history_is_taken_over() {
    let (store, writer, reader) = two_handles();
    for _ in 0..SNAPSHOT_RECORDS {
        commit_versions(&writer, 1, &[]);
    }
    commit_versions(&writer, 1, &[]);
    let runs_end = |catalog: &Catalog| catalog.published().index.runs_end();
    let at = runs_end(&writer);
    assert_eq!(at, TxId(SNAPSHOT_RECORDS));
    reader.refresh().unwrap();
    assert_eq!(runs_end(&reader), TxId(0), "little is in memory");

    let snapshots = Snapshots::new(store.clone());
    let path = store.list("snapshots").unwrap().remove(0).path;
    let whole = store.get(&path).unwrap().unwrap();
    let mut other = Checkpoint::decode(&snapshots.newest().unwrap().unwrap().1).unwrap();
    other.position.previous = RecordHash::of(b"another record");
    store.delete(&path).unwrap();
    snapshots.put(Sequence(SNAPSHOT_RECORDS), &other.encode().unwrap()).unwrap();
    look_for_a_checkpoint(&reader);
    assert_eq!(runs_end(&reader), TxId(0), "another history");

    replace(&*store, &path, &whole);
    let run = store.list("index").unwrap().remove(0).path;
    let file = store.get(&run).unwrap().unwrap();
    store.delete(&run).unwrap();
    look_for_a_checkpoint(&reader);
    assert_eq!(runs_end(&reader), TxId(0), "its run is missing");

    store.create(&run, &file).unwrap();
    look_for_a_checkpoint(&reader);
    assert_eq!(runs_end(&reader), at);
    reader.blocks.distrust(&run);
    reader.refresh().unwrap();
    look_for_a_checkpoint(&reader);
    assert_eq!(runs_end(&reader), TxId(0), "what turned out to be damaged is not used again");
    assert_eq!(reader.view().unwrap().transaction(TxId(3)).unwrap().tx_id, TxId(3));
}

fn look_for_a_checkpoint(catalog: &Catalog) {
    catalog.take_over_at.store(0, Ordering::Relaxed);
    catalog.refresh().unwrap();
}

#[test]
fn records_weigh_what_they_take_in_memory() {
    let (_, writer, reader) = two_handles();
    let zeros = vec![0; 1 << 20];
    for catalog in [&writer, &reader] {
        commit_versions(&writer, 3, &zeros);
        catalog.refresh().unwrap();
        assert!(catalog.records.bytes_kept() >= 3 << 20, "{} bytes", catalog.records.bytes_kept());
    }
    for _ in 0..80 {
        commit_versions(&writer, 1, &zeros);
    }
    assert!((32 << 20..=64 << 20).contains(&writer.records.bytes_kept()), "{} bytes", writer.records.bytes_kept());
}

#[test]
fn listing_tables_reads_no_more_for_many_versions() {
    const TABLES: u64 = 3;
    let (store, writer, _) = two_handles();
    let mut blocks = Vec::new();
    for commits in [400, 6_000] {
        for _ in 0..commits {
            commit_versions(&writer, TABLES, &[]);
        }
        writer.checkpoint().unwrap();
        let reader =
            Catalog::open(store.clone(), Environment::seeded(1), RecordHash::of(b"a log"), Access::ReadOnly).unwrap();
        let view = reader.view().unwrap();
        let tables = view.tables(&view.head(&BranchName::main()).unwrap()).unwrap();
        let versions: Vec<_> = tables.values().map(|state| state.version).collect();
        assert_eq!(versions, [Version(view.last_tx().0); TABLES as usize]);
        let runs = view.state.index.runs().len() as u64;
        blocks.push((reader.blocks.len() as u64, runs * (2 * TABLES + 2)));
    }
    let (of_many, most) = blocks[1];
    assert!(of_many <= most, "{of_many} blocks, {blocks:?}");
    assert!(most < 6_000 * TABLES / 64 / 3, "reading every state would be seen");
}
