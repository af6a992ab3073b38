//! A store for tests that counts what is read of another.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// How much was read.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    listings: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    /// Listings, and bytes of files, since this was last asked.
    pub(crate) fn take(&self) -> (u64, u64) {
        (self.listings.swap(0, Ordering::SeqCst), self.bytes.swap(0, Ordering::SeqCst))
    }
}

/// Another store, of which it counts what is read.
#[derive(Debug)]
pub(crate) struct CountingStore {
    store: Arc<dyn Store>,
    pub(crate) counts: Arc<Counts>,
}

impl CountingStore {
    pub(crate) fn new(store: Arc<dyn Store>) -> CountingStore {
        CountingStore { store, counts: Arc::default() }
    }
}

impl Store for CountingStore {
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
        self.store.create(path, bytes)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.store.replace(path, bytes)
    }

    fn sync(&self, paths: &[&str]) -> Result<()> {
        self.store.sync(paths)
    }

    fn get(&self, path: &str) -> Result<Option<Bytes>> {
        self.store.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        self.store.get_range(path, range)
    }

    fn list(&self, directory: &str) -> Result<Vec<Listed>> {
        self.counts.listings.fetch_add(1, Ordering::SeqCst);
        self.store.list(directory)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.store.delete(path)
    }

    fn local_path(&self, path: &str) -> Option<PathBuf> {
        self.store.local_path(path)
    }

    fn allocate(&self, path: &str, bytes: u64) -> Result<Created> {
        self.store.allocate(path, bytes)
    }

    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
        let counted = |file| -> Arc<dyn StoreFile> { Arc::new(CountingFile { file, counts: self.counts.clone() }) };
        Ok(self.store.open_file(path)?.map(counted))
    }
}

#[derive(Debug)]
struct CountingFile {
    file: Arc<dyn StoreFile>,
    counts: Arc<Counts>,
}

impl StoreFile for CountingFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.counts.bytes.fetch_add(buffer.len() as u64, Ordering::SeqCst);
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn sync(&self) -> Result<()> {
        self.file.sync()
    }

    fn bytes(&self) -> Result<u64> {
        self.file.bytes()
    }

    fn lock(&self) -> Result<()> {
        self.file.lock()
    }

    fn try_lock(&self) -> Result<bool> {
        self.file.try_lock()
    }

    fn unlock(&self) -> Result<()> {
        self.file.unlock()
    }
}
