//! The inlined batches of a version. Pure.
//!
//! Every small append makes a version with one batch more, so a tail is a list that shares all but its last batch with
//! the one it grew from: appending is constant work however long the tail is, and so is cloning.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::format::Version;

/// A batch of rows that rides inside a log record.
#[derive(Clone, Debug, PartialEq)]
pub struct InlineBatch {
    /// The version whose change carries it; `None` while that change is not committed.
    pub version: Option<Version>,
    /// Its rows.
    pub rows: u64,
    /// How many of the manifest's chunks come before it.
    pub after: u64,
    /// An Arrow IPC record batch message and its body.
    pub bytes: Bytes,
}

/// Inlined batches in row order.
#[derive(Clone, Default)]
pub struct Tail {
    last: Option<Arc<Link>>,
}

struct Link {
    before: Tail,
    batch: InlineBatch,
    /// Of this batch and all before it.
    batches: usize,
    rows: u64,
    bytes: u64,
    committed: bool,
}

impl Tail {
    /// How many batches.
    pub fn len(&self) -> usize {
        self.last.as_ref().map_or(0, |link| link.batches)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.last.as_ref().map_or(0, |link| link.rows)
    }

    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.last.as_ref().map_or(0, |link| link.bytes)
    }

    /// Whether the change that carries it is committed, for every batch.
    pub fn is_committed(&self) -> bool {
        self.last.as_ref().is_none_or(|link| link.committed)
    }

    /// Puts a batch behind the others.
    pub fn push(&mut self, batch: InlineBatch) {
        let link = Link {
            batches: self.len() + 1,
            rows: self.rows() + batch.rows,
            bytes: self.bytes() + batch.bytes.len() as u64,
            committed: self.is_committed() && batch.version.is_some(),
            before: std::mem::take(self),
            batch,
        };
        self.last = Some(Arc::new(link));
    }

    /// The batches, first to last.
    pub fn to_vec(&self) -> Vec<&InlineBatch> {
        let mut batches = Vec::with_capacity(self.len());
        batches.extend(self.newest_first());
        batches.reverse();
        batches
    }

    /// The batches that this tail has behind those of one that it grew from, first to last; `None` if it did not.
    pub fn grown_from(&self, earlier: &Tail) -> Option<Vec<&InlineBatch>> {
        let more = self.len().checked_sub(earlier.len())?;
        let mut batches = Vec::with_capacity(more);
        let mut rest = self;
        for _ in 0..more {
            let link = rest.last.as_deref()?;
            batches.push(&link.batch);
            rest = &link.before;
        }
        batches.reverse();
        rest.is_same(earlier).then_some(batches)
    }

    fn is_same(&self, other: &Tail) -> bool {
        match (&self.last, &other.last) {
            (Some(mine), Some(others)) => Arc::ptr_eq(mine, others),
            (None, None) => true,
            _ => false,
        }
    }

    /// The batches, last to first; one that tails share stands at one address in all of them.
    pub fn newest_first(&self) -> impl Iterator<Item = &InlineBatch> {
        let links = std::iter::successors(self.last.as_deref(), |link| link.before.last.as_deref());
        links.map(|link| &link.batch)
    }
}

impl Drop for Tail {
    /// One link after another: a long list would exhaust the stack.
    fn drop(&mut self) {
        let mut last = self.last.take();
        while let Some(mut link) = last.and_then(Arc::into_inner) {
            last = link.before.last.take();
        }
    }
}

impl FromIterator<InlineBatch> for Tail {
    fn from_iter<I: IntoIterator<Item = InlineBatch>>(batches: I) -> Tail {
        let mut tail = Tail::default();
        batches.into_iter().for_each(|batch| tail.push(batch));
        tail
    }
}

impl PartialEq for Tail {
    fn eq(&self, other: &Tail) -> bool {
        self.is_same(other) || (self.len() == other.len() && self.newest_first().eq(other.newest_first()))
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.to_vec()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(version: u64) -> InlineBatch {
        InlineBatch { version: Some(Version(version)), rows: version, after: 0, bytes: vec![0; 3].into() }
    }

    fn versions(batches: &[&InlineBatch]) -> Vec<u64> {
        batches.iter().filter_map(|batch| batch.version).map(|version| version.0).collect()
    }

    #[test]
    fn a_tail_keeps_what_it_was_when_another_grows_from_it() {
        let three: Tail = (1..=3).map(batch).collect();
        let mut four = three.clone();
        four.push(batch(4));
        let mut other = three.clone();
        other.push(InlineBatch { version: None, ..batch(5) });
        assert_eq!((three.len(), three.rows(), three.bytes()), (3, 6, 9));
        assert_eq!((four.len(), four.rows(), four.bytes()), (4, 10, 12));
        assert_eq!(versions(&three.to_vec()), [1, 2, 3]);
        assert_eq!(versions(&four.to_vec()), [1, 2, 3, 4]);
        assert!(four.is_committed() && !other.is_committed());
        assert_eq!(four, (1..=4).map(batch).collect());
        assert_ne!(four, other);
    }

    #[test]
    fn a_tail_knows_what_it_has_more_than_one_that_it_grew_from() {
        let two: Tail = (1..=2).map(batch).collect();
        let mut four = two.clone();
        four.extend_with(3..=4);
        assert_eq!(four.grown_from(&two).map(|batches| versions(&batches)), Some(vec![3, 4]));
        assert_eq!(two.grown_from(&two), Some(vec![]));
        assert_eq!(two.grown_from(&Tail::default()).map(|batches| versions(&batches)), Some(vec![1, 2]));
        assert_eq!(two.grown_from(&four), None);
        let alike: Tail = (1..=2).map(batch).collect();
        assert_eq!(four.grown_from(&alike), None, "equal batches, yet another list");
    }

    #[test]
    fn a_long_tail_is_dropped_without_recursion() {
        let mut long = Tail::default();
        long.extend_with(0..=300_000);
        let half = long.clone();
        long.extend_with(0..=300_000);
        drop(long);
        assert_eq!(half.len(), 300_001);
    }

    impl Tail {
        fn extend_with(&mut self, versions: std::ops::RangeInclusive<u64>) {
            versions.for_each(|version| self.push(batch(version)));
        }
    }
}
