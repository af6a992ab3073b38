//! Snapshots: what the catalog was at a record, so that opening does not begin at the first one. Derived; can be
//! rebuilt. A file is the catalog's bytes and the BLAKE3 hash of them. Section "Snapshots" of `docs/FORMAT.md`.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::{NodeHash, Sequence};
use crate::store::{Created, Store};

const SNAPSHOTS: &str = "snapshots";
const TRAILER_BYTES: usize = 32;

/// Keeps snapshots, each named by the sequence of the last record in it.
#[derive(Clone, Debug)]
pub struct Snapshots {
    store: Arc<dyn Store>,
}

impl Snapshots {
    /// The snapshots of a repository.
    pub fn new(store: Arc<dyn Store>) -> Snapshots {
        Snapshots { store }
    }

    /// Keeps a snapshot; durable on return. One of that sequence that is there and whole is left as it is, a damaged
    /// one is replaced.
    pub fn put(&self, sequence: Sequence, bytes: &[u8]) -> Result<()> {
        let path = Snapshots::path(sequence);
        let sealed = [bytes, NodeHash::of(bytes).as_bytes()].concat();
        if self.store.create(&path, &sealed)? == Created::AlreadyThere {
            match self.get(sequence) {
                Ok(None) | Err(Error::HashMismatch { .. }) => self.store.replace(&path, &sealed)?,
                other => drop(other?),
            }
        }
        self.store.sync(&[&path])
    }

    /// The sequences of all snapshots, newest first.
    pub fn list(&self) -> Result<Vec<Sequence>> {
        let names = self.store.names(SNAPSHOTS)?;
        Ok(names.iter().rev().filter_map(|name| parse(name)).collect())
    }

    /// The bytes of a snapshot, checked. `HASH_MISMATCH`.
    pub fn get(&self, sequence: Sequence) -> Result<Option<Bytes>> {
        self.store.get(&Snapshots::path(sequence))?.map(unseal).transpose()
    }

    /// The newest snapshot that can be read whole. Others are passed over: they can be rebuilt.
    pub fn newest(&self) -> Result<Option<(Sequence, Bytes)>> {
        Ok(self.newest_first()?.next())
    }

    /// The snapshots that can be read whole, newest first.
    pub fn newest_first(&self) -> Result<impl Iterator<Item = (Sequence, Bytes)>> {
        let read = |sequence| {
            match self.get(sequence) {
                Ok(found) => return found.map(|bytes| (sequence, bytes)),
                Err(error) => tracing::warn!(%sequence, %error, "passing over a snapshot that cannot be read"),
            }
            None
        };
        Ok(self.list()?.into_iter().filter_map(read))
    }

    /// Where the snapshot of a sequence is kept.
    pub fn path(sequence: Sequence) -> String {
        format!("{SNAPSHOTS}/{:020}", sequence.0)
    }

    /// Deletes all but the newest `keep` snapshots.
    pub fn prune(&self, keep: usize) -> Result<()> {
        self.list()?.into_iter().skip(keep).try_for_each(|sequence| self.store.delete(&Snapshots::path(sequence)))
    }
}

fn unseal(sealed: Bytes) -> Result<Bytes> {
    let Some(length) = sealed.len().checked_sub(TRAILER_BYTES) else {
        let (expected, actual) = ("32 bytes or more".to_string(), format!("{} bytes", sealed.len()));
        return Err(Error::HashMismatch { object: "snapshot", expected, actual });
    };
    let (bytes, trailer) = (sealed.slice(..length), sealed.slice(length..));
    let hash = NodeHash::of(&bytes);
    if trailer != hash.as_bytes()[..] {
        let expected = trailer.iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(Error::HashMismatch { object: "snapshot", expected, actual: hash.to_hex() });
    }
    Ok(bytes)
}

fn parse(path: &str) -> Option<Sequence> {
    let digits = path.strip_prefix("snapshots/")?;
    let number = digits.parse().ok()?;
    (digits.len() == 20).then_some(Sequence(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn the_newest_whole_one_is_found() {
        let store = Arc::new(MemoryStore::new());
        let snapshots = Snapshots::new(store.clone());
        assert_eq!(snapshots.newest().unwrap(), None);
        for n in [9, 10, 100] {
            snapshots.put(Sequence(n), format!("at {n}").as_bytes()).unwrap();
        }
        snapshots.put(Sequence(100), b"another").unwrap();
        assert_eq!(snapshots.newest().unwrap().unwrap(), (Sequence(100), Bytes::from("at 100")));
        for damaged in [&b"short"[..], &[0; 40]] {
            store.delete(&Snapshots::path(Sequence(100))).unwrap();
            store.create(&Snapshots::path(Sequence(100)), damaged).unwrap();
            assert!(matches!(snapshots.get(Sequence(100)), Err(Error::HashMismatch { .. })));
            assert_eq!(snapshots.newest().unwrap().unwrap().0, Sequence(10));
        }
        snapshots.put(Sequence(100), b"rebuilt").unwrap();
        assert_eq!(snapshots.newest().unwrap().unwrap(), (Sequence(100), Bytes::from("rebuilt")));
        snapshots.prune(2).unwrap();
        assert_eq!(snapshots.list().unwrap(), [Sequence(100), Sequence(10)]);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let store = Arc::new(MemoryStore::new());
        let snapshots = Snapshots::new(store.clone());
        snapshots.put(Sequence(1), b"the catalog").unwrap();
        let whole = store.get(&Snapshots::path(Sequence(1))).unwrap().unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.to_vec();
            flipped[at] ^= 1;
            assert!(unseal(flipped.into()).is_err(), "byte {at}");
        }
    }
}
