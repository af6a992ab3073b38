//! One function per decoder: it takes any bytes, and panics only if the library does or answers what it must not.
//!
//! libFuzzer drives these functions (`cargo fuzz run <target>`), and so does a plain mutator in the test run of the
//! core, which includes this file. [`TARGETS`] lists them with bytes that are well formed to begin with.

use std::sync::Arc;

use armillaria::format::{
    BranchName, Manifest, ManifestNode, NodeHash, RecordHash, Repository, Sequence, TableName, TableSchema, TagName,
    Transaction, cbor, record, schema,
};
use armillaria::store::{Environment, MemoryStore, Store};
use armillaria::{At, Code, CreateOptions, Database, MergeOptions, OpenOptions, Result, RowStream, VerifyOptions};
use armillaria::{MergeStrategy, WriteMode, WriteOptions};
use arrow::array::{Int64Array, RecordBatch, RecordBatchIterator};
use arrow::datatypes::{DataType, Field, Schema};
use serde_bytes::ByteBuf;

/// A decoder under test.
pub struct Target {
    /// Its name, also of the libFuzzer binary.
    pub name: &'static str,
    /// Gives it some bytes.
    pub run: fn(&[u8]),
    /// Well-formed bytes to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every decoder.
pub const TARGETS: &[Target] = &[
    Target { name: "record", run: record, seeds: record_seeds },
    Target { name: "transactions", run: transactions, seeds: transaction_seeds },
    Target { name: "manifest_node", run: manifest_node, seeds: manifest_seeds },
    Target { name: "table_schema", run: table_schema, seeds: schema_seeds },
    Target { name: "identity", run: identity, seeds: identity_seeds },
    Target { name: "names", run: names, seeds: name_seeds },
    Target { name: "checkpoint", run: checkpoint, seeds: checkpoint_seeds },
    Target { name: "index_file", run: index_file, seeds: index_seeds },
    Target { name: "inline_batch", run: inline_batch, seeds: inline_seeds },
    Target { name: "log_file", run: log_file, seeds: log_seeds },
    Target { name: "script", run: script, seeds: script_seeds },
];

const LOG_FILE: &str = "log/00000000000000000001.log";

/// Fails for an error that means a bug.
fn check<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            assert_ne!(error.code(), Code::Internal, "{error}");
            None
        }
    }
}

/// A whole log record: frame, hash, payload.
pub fn record(data: &[u8]) {
    let Some(frame) = record::frame(data) else { return };
    if let Some(transactions) = check(frame.transactions()) {
        let again = record::encode(frame.sequence, frame.previous, frame.nonce, &transactions).unwrap();
        let frame_again = record::frame(&again.bytes).unwrap();
        assert_eq!(frame_again.transactions().unwrap(), transactions);
    }
}

/// The payload of a record; what is read can be written and read again.
pub fn transactions(data: &[u8]) {
    if let Some(transactions) = check(cbor::decode::<Vec<Transaction>>(data, "fuzzed")) {
        let bytes = cbor::encode(&transactions).unwrap();
        let again: Vec<Transaction> = cbor::decode(&bytes, "again").unwrap();
        assert_eq!(cbor::encode(&again).unwrap(), bytes);
    }
}

/// A metadata node.
pub fn manifest_node(data: &[u8]) {
    if let Some(node) = check(cbor::decode::<ManifestNode>(data, "fuzzed")) {
        let bytes = cbor::encode(&node).unwrap();
        cbor::decode::<ManifestNode>(&bytes, "again").unwrap();
    }
}

/// An Arrow schema as a table keeps it.
pub fn table_schema(data: &[u8]) {
    let stored = TableSchema { arrow: ByteBuf::from(data), next_column_id: 9, key: Vec::new() };
    check(stored.to_arrow());
    if let Some(schema) = check(stored.to_arrow_with_ids()) {
        check(schema::encode_schema(&schema));
    }
}

/// `repo.json`.
pub fn identity(data: &[u8]) {
    if let Some(repository) = check(Repository::decode(data)) {
        repository.chain_start().unwrap();
        assert_eq!(Repository::decode(&repository.encode().unwrap()).unwrap(), repository);
    }
}

/// Names of tables, branches and tags.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(name) = check(TableName::new(&text)) {
        assert!((1..=255).contains(&name.as_str().len()) && !text.chars().any(char::is_control));
    }
    check(BranchName::new(&text));
    check(TagName::new(&text));
}

/// A checkpoint whose hash is right and whose content is anything.
pub fn checkpoint(data: &[u8]) {
    let store = copy(&repository(), &["snapshots/"]);
    let sealed = [data, NodeHash::of(data).as_bytes()].concat();
    store.create("snapshots/00000000000000000300", &sealed).unwrap();
    read_all(&store);
}

/// An index file: every block carries its hash, so what is read is right or an error.
pub fn index_file(data: &[u8]) {
    let whole = repository();
    for listed in whole.list("index").unwrap() {
        let store = copy(&whole, &[&listed.path]);
        store.create(&listed.path, data).unwrap();
        read_all(&store);
    }
}

/// A batch of rows that rides in a record.
pub fn inline_batch(data: &[u8]) {
    let mut transactions = record::frame(&first_record()).unwrap().transactions().unwrap();
    for change in transactions.iter_mut().flat_map(|transaction| &mut transaction.tables) {
        change.inline = Some(ByteBuf::from(data));
        let tail = change.content.iter_mut().flat_map(|content| &mut content.tail);
        tail.for_each(|batch| batch.bytes = data.len() as u64);
    }
    let store = empty_repository();
    let record = record::encode(Sequence(1), chain_start(&store), [0; 16], &transactions).unwrap();
    write_log(&store, &record.bytes);
    read_all(&store);
}

/// A log file of any bytes: opened, read, verified, and appended to.
pub fn log_file(data: &[u8]) {
    let store = empty_repository();
    write_log(&store, data);
    read_all(&store);
    let Some(db) = check(open(&store)) else { return };
    let before = db.latest_tx_id().unwrap();
    if check(db.create_tag("next", &At::tx(0))).is_some() {
        drop(db);
        assert_eq!(open(&store).unwrap().latest_tx_id().unwrap(), before + 1, "what was acknowledged is there");
    }
}

/// Bytes as operations: whatever is asked for in whatever order, the repository stays whole.
pub fn script(data: &[u8]) {
    let store = empty_repository();
    let db = open(&store).unwrap();
    let mut transaction = None;
    for pair in data.chunks_exact(2).take(64) {
        let name = ["a", "b", "c"][usize::from(pair[1] % 3)];
        let branch = ["main", "dev", "x/y"][usize::from(pair[1] / 3 % 3)];
        let (on, number) = (Some(branch.to_string()), u64::from(pair[1]));
        let write = |mode| WriteOptions { mode, branch: on.clone(), ..WriteOptions::default() };
        let create = CreateOptions { branch: on.clone(), ..CreateOptions::default() };
        let strategy = [MergeStrategy::Fail, MergeStrategy::Ours, MergeStrategy::Theirs][usize::from(pair[1] % 3)];
        let merge = MergeOptions { into: None, strategy, dry_run: pair[1] % 2 == 0, message: None };
        match pair[0] % 16 {
            0 => drop(check(db.create_table(name, &table_columns(), &create))),
            1 | 2 => drop(check(db.write_table(name, rows(number), &write(WriteMode::Append)))),
            3 => drop(check(db.write_table(name, rows(number), &write(WriteMode::Overwrite)))),
            4 => drop(check(db.drop_table(name, &create))),
            5 => drop(check(db.create_branch(branch, &At::tx(number % 8), None))),
            6 => drop(check(db.delete_branch(branch))),
            7 => drop(check(db.merge_branch(branch, &merge))),
            8 => drop(check(db.revert(number % 16, None))),
            9 => drop(check(db.create_tag(name, &At::branch(branch)))),
            10 => drop(check(db.compact(name, Some(branch)))),
            11 => drop(check(db.checkout(branch))),
            12 => transaction = check(db.begin(&Default::default())),
            13 => drop(transaction.as_ref().map(|open| check(open.write_table(name, rows(number), WriteMode::Append)))),
            14 => drop(transaction.take().map(|open| check(open.commit(None)))),
            _ => drop(transaction.as_ref().map(|open| check(open.drop_table(name)))),
        }
    }
    let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
    assert!(report.ok, "{:?}", report.problems);
    assert_eq!(open(&store).unwrap().latest_tx_id().unwrap(), report.transactions);
    read_all(&store);
}

/// Opens a store and reads everything in it.
fn read_all(store: &Arc<MemoryStore>) {
    let Some(db) = check(open(store)) else { return };
    check(db.verify(&VerifyOptions { deep: true, progress: None }));
    check(db.list_branches());
    check(db.list_tags());
    check(db.changes(&Default::default()));
    for table in check(db.list_tables(&At::head())).unwrap_or_default() {
        check(db.history(&table.name, None));
        check(db.table_schema(&table.name, &At::head()));
        for batch in check(db.read_table(&table.name, None, &At::head())).into_iter().flatten() {
            if batch.is_err() {
                break;
            }
        }
    }
}

fn open(store: &Arc<MemoryStore>) -> Result<Database> {
    let options = OpenOptions { threads: Some(1), environment: Environment::seeded(1), ..OpenOptions::default() };
    Database::open_store(store.clone(), "fuzzed", options)
}

fn empty_repository() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    store.create("repo.json", &identity_seeds()[0]).unwrap();
    store
}

fn chain_start(store: &MemoryStore) -> RecordHash {
    Repository::decode(&store.get("repo.json").unwrap().unwrap()).unwrap().chain_start().unwrap()
}

fn write_log(store: &MemoryStore, bytes: &[u8]) {
    store.allocate(LOG_FILE, (bytes.len() as u64).max(1 << 16)).unwrap();
    store.open_file(LOG_FILE).unwrap().unwrap().write_at(0, bytes).unwrap();
}

fn copy(store: &MemoryStore, without: &[&str]) -> Arc<MemoryStore> {
    let copy = Arc::new(MemoryStore::new());
    for listed in store.list("").unwrap() {
        let bytes = store.get(&listed.path).unwrap().unwrap();
        if without.iter().any(|prefix| listed.path.starts_with(prefix)) {
            continue;
        }
        if listed.path.starts_with("log/") {
            copy.allocate(&listed.path, bytes.len() as u64).unwrap();
            copy.open_file(&listed.path).unwrap().unwrap().write_at(0, &bytes).unwrap();
        } else {
            copy.create(&listed.path, &bytes).unwrap();
        }
    }
    copy
}

fn table_columns() -> Schema {
    Schema::new(vec![Field::new("id", DataType::Int64, true)])
}

fn rows(first: u64) -> RowStream {
    let ids: Int64Array = (0..3).map(|n| Some((first + n) as i64)).collect();
    let batch = RecordBatch::try_new(Arc::new(table_columns()), vec![Arc::new(ids)]).unwrap();
    let schema = batch.schema();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

/// A repository with enough commits for a checkpoint; the same every time.
fn repository() -> Arc<MemoryStore> {
    static MADE: std::sync::OnceLock<Arc<MemoryStore>> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let store = empty_repository();
        let db = open(&store).unwrap();
        db.create_branch("dev", &At::head(), None).unwrap();
        for n in 0..300 {
            db.write_table(["a", "b"][n % 2], rows(n as u64), &WriteOptions::append()).unwrap();
        }
        store
    })
    .clone()
}

fn log_bytes() -> Vec<u8> {
    let store = empty_repository();
    let db = open(&store).unwrap();
    db.write_table("t", rows(1), &WriteOptions::append()).unwrap();
    db.create_branch("dev", &At::head(), Some("why")).unwrap();
    db.write_table("t", rows(2), &WriteOptions::append()).unwrap();
    let bytes = store.get(LOG_FILE).unwrap().unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[..end].to_vec()
}

fn log_seeds() -> Vec<Vec<u8>> {
    vec![log_bytes(), Vec::new()]
}

fn first_record() -> Vec<u8> {
    let log = log_bytes();
    let length = record::claimed_bytes(&log).unwrap();
    log[..length].to_vec()
}

fn record_seeds() -> Vec<Vec<u8>> {
    vec![first_record()]
}

fn transaction_seeds() -> Vec<Vec<u8>> {
    let record = first_record();
    vec![cbor::encode(&record::frame(&record).unwrap().transactions().unwrap()).unwrap()]
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    let inner = ManifestNode::Inner(vec![NodeHash::of(b"a"), NodeHash::of(b"b")]);
    let nodes = [ManifestNode::Leaf(Manifest::default()), inner];
    nodes.iter().map(|node| cbor::encode(node).unwrap()).collect()
}

fn schema_seeds() -> Vec<Vec<u8>> {
    let item = Arc::new(Field::new("item", DataType::Decimal128(20, 3), true));
    let nested = Schema::new(vec![Field::new("a", DataType::Utf8, true), Field::new("b", DataType::List(item), true)]);
    [table_columns(), nested].iter().map(|schema| schema::encode_schema(schema).unwrap()).collect()
}

fn identity_seeds() -> Vec<Vec<u8>> {
    vec![Repository::new(*b"0123456789abcdef", 1_700_000_000_000_000).encode().unwrap()]
}

fn name_seeds() -> Vec<Vec<u8>> {
    [&b"users"[..], b"team/feature", b"..", "n\u{e4}me".as_bytes()].map(<[u8]>::to_vec).into()
}

fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let store = repository();
    let sealed = store.list("snapshots").unwrap().into_iter().map(|listed| store.get(&listed.path).unwrap().unwrap());
    sealed.map(|bytes| bytes[..bytes.len() - 32].to_vec()).collect()
}

fn index_seeds() -> Vec<Vec<u8>> {
    let store = repository();
    let files = store.list("index").unwrap();
    files.into_iter().map(|listed| store.get(&listed.path).unwrap().unwrap().to_vec()).collect()
}

fn inline_seeds() -> Vec<Vec<u8>> {
    let record = first_record();
    let transactions = record::frame(&record).unwrap().transactions().unwrap();
    transactions.iter().flat_map(|tx| &tx.tables).filter_map(|change| Some(change.inline.as_ref()?.to_vec())).collect()
}

fn script_seeds() -> Vec<Vec<u8>> {
    vec![vec![0, 0, 1, 0, 5, 3, 1, 3, 12, 0, 13, 0, 14, 0, 7, 4, 8, 2, 10, 0], (0..96).collect()]
}
