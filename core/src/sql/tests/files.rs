//! The files that statements read.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use arrow::array::ListArray;
use arrow::datatypes::Float64Type;
use bytes::Bytes;

use super::*;
use crate::format::{ChunkEntry, ChunkHash, TableSchema};
use crate::sql::files::Files;

/// Chunks in no file. The first one is slow: it comes when the second has come.
#[derive(Debug)]
struct Slow {
    slow: ChunkHash,
    begun: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl ChunkFiles for Slow {
    fn local_path(&self, _: &ChunkHash) -> Option<PathBuf> {
        None
    }

    fn get(&self, chunk: &ChunkHash) -> Result<Bytes> {
        if *chunk == self.slow {
            self.begun.lock().unwrap().send(()).unwrap();
            let waited = self.go.lock().unwrap().recv_timeout(Duration::from_secs(20));
            waited.map_err(|_| Error::internal("nothing came meanwhile"))?;
        }
        Ok(Bytes::copy_from_slice(chunk.as_bytes()))
    }

    fn verify(&self, _: &[ChunkHash], _: &CancelToken) -> Result<()> {
        Ok(())
    }

    fn is_plain(&self, _: &TableSchema, _: &ChunkEntry) -> Result<bool> {
        Ok(true)
    }

    fn plain_copy(&self, _: &TableSchema, _: &ChunkHash, _: &CancelToken) -> Result<Bytes> {
        Err(Error::internal("nobody asks for it"))
    }

    fn threads(&self) -> usize {
        1
    }

    fn encode_tail(&self, _: &TableData) -> Result<Bytes> {
        Err(Error::internal("nobody asks for it"))
    }
}

#[test]
fn nobody_waits_for_a_copy_that_he_does_not_need() {
    let [slow, quick] = [b"slow", b"fast"].map(|bytes| ChunkHash::of(bytes));
    let (begun, has_begun) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let source = Slow { slow, begun: Mutex::new(begun), go: Mutex::new(may_go) };
    let files = Files::new(Arc::new(source), None);
    thread::scope(|scope| {
        // Two wait for the same copy, which is made once.
        let waiting = [(); 2].map(|()| scope.spawn(|| files.chunk(&slow).map(|file| file.path)));
        has_begun.recv_timeout(Duration::from_secs(20)).unwrap();
        let path = files.chunk(&quick).unwrap().path;
        assert_eq!(std::fs::read(path).unwrap(), quick.as_bytes());
        go.send(()).unwrap();
        let [first, second] = waiting.map(|thread| thread.join().unwrap().unwrap());
        assert_eq!(first, second);
        assert_eq!(std::fs::read(first).unwrap(), slow.as_bytes());
    });
}

/// Chunks of a store, and what was done with them.
#[derive(Debug)]
struct Watched {
    store: TableStore,
    threads: usize,
    footers: AtomicUsize,
    copies: AtomicUsize,
    /// How many look at a footer at once, and how many are to.
    meeting: (Mutex<usize>, Condvar),
}

impl Watched {
    fn new(store: &TableStore, threads: usize) -> Arc<Watched> {
        let (footers, copies, meeting) = Default::default();
        Arc::new(Watched { store: store.clone(), threads, footers, copies, meeting })
    }

    /// Waits until as many as there are threads have come.
    fn meet(&self) {
        let (count, came) = &self.meeting;
        let mut count = count.lock().unwrap();
        *count += 1;
        came.notify_all();
        let waited = came.wait_timeout_while(count, Duration::from_secs(20), |count| *count < self.threads).unwrap();
        assert!(!waited.1.timed_out(), "{} came of {}", waited.0, self.threads);
    }

    fn counts(&self) -> (usize, usize) {
        (self.footers.load(Ordering::Relaxed), self.copies.load(Ordering::Relaxed))
    }
}

impl ChunkFiles for Arc<Watched> {
    fn local_path(&self, chunk: &ChunkHash) -> Option<PathBuf> {
        ChunkFiles::local_path(&self.store, chunk)
    }

    fn get(&self, _: &ChunkHash) -> Result<Bytes> {
        Err(Error::internal("chunks lie in files"))
    }

    fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()> {
        ChunkFiles::verify(&self.store, chunks, cancel)
    }

    fn is_plain(&self, schema: &TableSchema, chunk: &ChunkEntry) -> Result<bool> {
        self.footers.fetch_add(1, Ordering::Relaxed);
        self.meet();
        ChunkFiles::is_plain(&self.store, schema, chunk)
    }

    fn plain_copy(&self, schema: &TableSchema, chunk: &ChunkHash, cancel: &CancelToken) -> Result<Bytes> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        ChunkFiles::plain_copy(&self.store, schema, chunk, cancel)
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn encode_tail(&self, data: &TableData) -> Result<Bytes> {
        ChunkFiles::encode_tail(&self.store, data)
    }
}

fn lists(first: i64) -> RecordBatch {
    let items = (first..first + 1000).map(|item| Some([Some(item as f64), Some(f64::NAN)]));
    batch(vec![("l", Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(items)))])
}

#[test]
fn footers_are_looked_at_once_by_all_threads_and_nothing_of_ours_is_copied() {
    const THREADS: usize = 3;
    let mut world = World::new();
    world.write("t", &[lists(0), lists(1000), lists(2000)]);
    let watched = Watched::new(&world.store, THREADS);
    let options = SqlOptions { chunk_roots: vec![world.directory.path().to_owned()], ..SqlOptions::default() };
    world.engine = SqlEngine::new(options, watched.clone());
    for _ in 0..2 {
        assert_eq!(world.rows("SELECT count(*) FROM t WHERE l[2] > 1 AND l[1] < 2500"), ["2500"]);
        assert_eq!(watched.counts(), (THREADS, 0));
    }
    assert_eq!(world.rows("SELECT max(l[1])::BIGINT FROM t WHERE l[1] < 10"), ["9"]);
    assert_eq!(watched.counts(), (THREADS, 0), "another statement, the same chunks");
}

#[test]
fn a_footer_says_what_a_file_is() {
    let mut world = World::new();
    let data = world.write("t", &[lists(0)]);
    let plain =
        |world: &World, data: &TableData, entry: &ChunkEntry| world.store.is_plain(&data.schema, entry).unwrap();
    let own = &data.manifest.chunks[0];
    assert!(plain(&world, &data, own));
    let listed = |bytes: &[u8]| {
        let chunk = world.store.chunks().put(bytes).unwrap().hash;
        ChunkEntry { chunk, bytes: bytes.len() as u64, columns: Vec::new(), ..own.clone() }
    };
    let bytes = world.store.chunks().get(own.chunk).unwrap();
    let renamed = |from: &[u8], to: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = bytes.windows(from.len()).rposition(|part| part == from).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to);
        bytes
    };
    assert!(plain(&world, &data, &listed(&renamed(b"version 2", b"version 9"))), "a later version");
    assert!(!plain(&world, &data, &listed(&bytes[..bytes.len() - 1])), "no Parquet file");
    assert!(!plain(&world, &data, &ChunkEntry { bytes: own.bytes - 1, ..own.clone() }), "of another size");

    // So many columns that the footer is longer than what is read at first.
    let wide = (0..700).map(|n| (format!("column {n}"), lists(0).column(0).slice(0, 2), true));
    let wide = RecordBatch::try_from_iter_with_nullable(wide).unwrap();
    let data = world.write("wide", &[wide]);
    let entry = &data.manifest.chunks[0];
    let end = world.store.chunks().get_range(entry.chunk, entry.bytes - 8..entry.bytes).unwrap();
    assert!(u32::from_le_bytes(end[..4].try_into().unwrap()) > 64 << 10, "a short footer");
    assert!(plain(&world, &data, entry));
}

#[test]
fn a_damaged_footer_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::new();
    let data = world.write("t", &[lists(0)]);
    let chunk = data.manifest.chunks[0].chunk;
    let path = world.store.chunks().local_path(chunk).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let good = std::fs::read(&path).unwrap();
    for from_end in (1..good.len()).step_by(good.len() / 40) {
        let mut bad = good.clone();
        let at = bad.len() - from_end;
        bad[at] ^= 0x20;
        std::fs::write(&path, &bad).unwrap();
        let error = world.error("SELECT sum(l[1]) FROM t");
        assert_eq!(error.code(), Code::HashMismatch, "{from_end} from the end: {error}");
        assert!(error.to_string().contains(&chunk.to_hex()), "{error}");
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(world.rows("SELECT sum(l[1])::BIGINT FROM t"), ["499500"]);
}
