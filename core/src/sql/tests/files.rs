//! The files that statements read.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::format::{ChunkHash, TableSchema};
use crate::sql::files::Files;

/// Chunks in no file. The first one is slow: it comes when the second has come.
#[derive(Debug)]
struct Slow {
    slow: ChunkHash,
    begun: std::sync::Mutex<mpsc::Sender<()>>,
    go: std::sync::Mutex<mpsc::Receiver<()>>,
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

    fn plain_copy(&self, _: &TableSchema, _: &ChunkHash, _: &CancelToken) -> Result<Option<Bytes>> {
        Ok(None)
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
    let source = Slow { slow, begun: std::sync::Mutex::new(begun), go: std::sync::Mutex::new(may_go) };
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
