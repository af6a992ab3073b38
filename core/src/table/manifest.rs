//! Manifests in and out of metadata nodes: a short list rides in the record, a long one is a tree cut by content.
//!
//! The tree is cut where an entry's hash says so, so that two versions of a large table share all nodes but those on
//! the way to what changed. Part of the format (`docs/FORMAT.md`, "Manifests").

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::{ChunkEntry, Manifest, ManifestNode, ManifestSource, NodeHash, cbor};
use crate::limits::{INLINE_MANIFEST_BYTES_MAX, MANIFEST_NODE_ENTRIES_MAX};
use crate::store::{Created, Store};

/// A node gets at least this many entries before it may end.
const NODE_ENTRIES_MIN: usize = 64;

/// A node ends on average once in this many entries after the minimum. A power of two.
const NODE_ENTRIES_MEAN: u8 = 128;

/// How deep a tree may be: more entries than any table has.
const DEPTH_MAX: usize = 8;

/// So many nodes are known to be durable at most, about 4 MiB.
const DURABLE_MAX: usize = 1 << 16;

/// Nodes that this handle made durable: storing them again costs neither a read nor a sync.
///
/// A commit stores a manifest twice, and the second time others wait for it with the log locked.
#[derive(Debug, Default)]
pub(super) struct DurableNodes {
    nodes: Mutex<HashSet<NodeHash>>,
}

impl DurableNodes {
    fn contains(&self, node: NodeHash) -> bool {
        self.nodes().contains(&node)
    }

    fn extend(&self, made: Vec<NodeHash>) {
        let mut nodes = self.nodes();
        if nodes.len() + made.len() > DURABLE_MAX {
            nodes.clear();
        }
        nodes.extend(made);
    }

    /// Forgets all where an outcome says that one is damaged or missing, so that whoever stores it next looks again.
    pub(super) fn checked<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(Error::HashMismatch { .. } | Error::NodeNotFound { .. }) = &outcome {
            self.nodes().clear();
        }
        outcome
    }

    fn nodes(&self) -> MutexGuard<'_, HashSet<NodeHash>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a node stands in its store.
pub(super) fn node_path(node: NodeHash) -> String {
    let hex = node.to_hex();
    format!("meta/{}/{}/{hex}", &hex[..2], &hex[2..4])
}

/// Stores a manifest; durable on return.
pub(super) fn store(meta: &dyn Store, durable: &DurableNodes, manifest: &Manifest) -> Result<ManifestSource> {
    if manifest.chunks.len() <= MANIFEST_NODE_ENTRIES_MAX {
        let bytes = cbor::encode(manifest)?;
        if bytes.len() <= INLINE_MANIFEST_BYTES_MAX {
            return Ok(ManifestSource::Here(manifest.clone()));
        }
    }
    let mut tree = Tree { meta, durable, made: Vec::new() };
    let root = tree.store(manifest)?;
    if !tree.made.is_empty() {
        let paths: Vec<String> = tree.made.iter().copied().map(node_path).collect();
        meta.sync(&paths.iter().map(String::as_str).collect::<Vec<_>>())?;
        durable.extend(tree.made);
    }
    Ok(ManifestSource::Node(root))
}

/// Loads a manifest. A node that is damaged is `HASH_MISMATCH`, a missing one `CHUNK_NOT_FOUND`.
pub(super) fn load(meta: &dyn Store, root: NodeHash) -> Result<Manifest> {
    let mut manifest = Manifest::default();
    walk(meta, root, &mut |_, leaf| manifest.chunks.extend(leaf.into_iter().flat_map(|leaf| leaf.chunks)))?;
    Ok(manifest)
}

/// All nodes of a manifest.
pub(super) fn nodes(meta: &dyn Store, root: NodeHash) -> Result<Vec<NodeHash>> {
    let mut nodes = Vec::new();
    walk(meta, root, &mut |node, _| nodes.push(node))?;
    Ok(nodes)
}

/// The entries of a manifest that stand in nodes that are not yet known to be sound. All its nodes are from then on.
pub(super) fn load_unknown(meta: &dyn Store, root: NodeHash, sound: &mut HashSet<NodeHash>) -> Result<Vec<ChunkEntry>> {
    let (mut entries, mut visited) = (Vec::new(), Vec::new());
    walk_unknown(meta, root, sound, &mut |node, leaf| {
        visited.push(node);
        entries.extend(leaf.into_iter().flat_map(|leaf| leaf.chunks));
    })?;
    sound.extend(visited);
    Ok(entries)
}

/// Visits a node and all below it; leaves come with their entries, in row order.
fn walk(meta: &dyn Store, root: NodeHash, visit: &mut dyn FnMut(NodeHash, Option<Manifest>)) -> Result<()> {
    walk_unknown(meta, root, &HashSet::new(), visit)
}

/// The same without the nodes that are known, and what is below them.
fn walk_unknown(
    meta: &dyn Store,
    root: NodeHash,
    known: &HashSet<NodeHash>,
    visit: &mut dyn FnMut(NodeHash, Option<Manifest>),
) -> Result<()> {
    let mut waiting = vec![(root, 0)];
    while let Some((node, depth)) = waiting.pop() {
        if known.contains(&node) {
            continue;
        }
        match load_node(meta, node)? {
            ManifestNode::Leaf(leaf) => visit(node, Some(leaf)),
            ManifestNode::Inner(_) if depth == DEPTH_MAX => return Err(too_deep(node)),
            ManifestNode::Inner(below) => {
                visit(node, None);
                waiting.extend(below.into_iter().rev().map(|node| (node, depth + 1)));
            }
        }
    }
    Ok(())
}

fn too_deep(node: NodeHash) -> Error {
    Error::LogCorrupt { at: format!("manifest node {node}"), reason: "the tree is too deep".to_string() }
}

/// Loads one node; damaged it is `HASH_MISMATCH`, missing `CHUNK_NOT_FOUND`.
pub(super) fn load_node(meta: &dyn Store, node: NodeHash) -> Result<ManifestNode> {
    let bytes: Bytes = meta.get(&node_path(node))?.ok_or_else(|| Error::NodeNotFound { hash: node.to_hex() })?;
    let actual = NodeHash::of(&bytes);
    if actual != node {
        let (expected, actual) = (node.to_hex(), actual.to_hex());
        return Err(Error::HashMismatch { object: "manifest node", expected, actual });
    }
    cbor::decode(&bytes, &format!("manifest node {node}"))
}

struct Tree<'a> {
    meta: &'a dyn Store,
    durable: &'a DurableNodes,
    made: Vec<NodeHash>,
}

impl Tree<'_> {
    fn store(&mut self, manifest: &Manifest) -> Result<NodeHash> {
        let leaves = cut(&manifest.chunks, |entry: &ChunkEntry| entry.chunk.as_bytes()[0]);
        let leaves = leaves.map(|run| ManifestNode::Leaf(Manifest { chunks: run.to_vec() }));
        let mut level = leaves.map(|leaf| self.put(&leaf)).collect::<Result<Vec<NodeHash>>>()?;
        while level.len() > 1 {
            let runs = cut(&level, |node: &NodeHash| node.as_bytes()[0]);
            level = runs.map(|run| self.put(&ManifestNode::Inner(run.to_vec()))).collect::<Result<_>>()?;
        }
        level.first().copied().map_or_else(|| self.put(&ManifestNode::Leaf(Manifest::default())), Ok)
    }

    fn put(&mut self, node: &ManifestNode) -> Result<NodeHash> {
        let bytes = cbor::encode(node)?;
        let hash = NodeHash::of(&bytes);
        if self.durable.contains(hash) {
            return Ok(hash);
        }
        let path = node_path(hash);
        if self.meta.create(&path, &bytes)? == Created::AlreadyThere {
            match load_node(self.meta, hash) {
                Err(Error::HashMismatch { .. } | Error::NodeNotFound { .. }) => self.meta.replace(&path, &bytes)?,
                other => drop(other?),
            }
        }
        self.made.push(hash);
        Ok(hash)
    }
}

/// Cuts a list behind items whose byte says so, within the limits of a node.
fn cut<'a, T>(items: &'a [T], byte: impl Fn(&T) -> u8 + 'a) -> impl Iterator<Item = &'a [T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = |at: &usize| byte(&rest[*at]).is_multiple_of(NODE_ENTRIES_MEAN);
        let last = rest.len().min(MANIFEST_NODE_ENTRIES_MAX) - 1;
        let end = (NODE_ENTRIES_MIN - 1..last).find(ends).unwrap_or(last) + 1;
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::ops::Range;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::format::{ChunkHash, LogicalHash};
    use crate::store::{Fault, FaultyStore, Listed, MemoryStore, PowerLoss, StoreFile};

    /// A store that cannot read for the moment, as where a process has no file descriptors left.
    #[derive(Debug)]
    struct Unreadable<'a>(&'a MemoryStore);

    impl Store for Unreadable<'_> {
        fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
            self.0.create(path, bytes)
        }
        fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
            self.0.replace(path, bytes)
        }
        fn sync(&self, paths: &[&str]) -> Result<()> {
            self.0.sync(paths)
        }
        fn get(&self, path: &str) -> Result<Option<Bytes>> {
            Err(Error::io("read", path, io::Error::other("too many open files")))
        }
        fn get_range(&self, path: &str, _: Range<u64>) -> Result<Option<Bytes>> {
            self.get(path)
        }
        fn list(&self, directory: &str) -> Result<Vec<Listed>> {
            self.0.list(directory)
        }
        fn delete(&self, path: &str) -> Result<()> {
            self.0.delete(path)
        }
        fn local_path(&self, path: &str) -> Option<PathBuf> {
            self.0.local_path(path)
        }
        fn allocate(&self, path: &str, bytes: u64) -> Result<Created> {
            self.0.allocate(path, bytes)
        }
        fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
            self.0.open_file(path)
        }
    }

    fn long_manifest() -> Manifest {
        let entry = |n: u32| ChunkEntry {
            chunk: ChunkHash::of(&n.to_le_bytes()),
            logical: LogicalHash::of(&n.to_le_bytes()),
            rows: 1,
            bytes: 1,
            first_row: 0,
            row_bytes: 0,
            columns: Vec::new(),
        };
        Manifest { chunks: (0..1_000).map(entry).collect() }
    }

    #[test]
    fn a_damaged_node_is_replaced_and_one_that_cannot_be_read_is_left() {
        let (meta, manifest) = (MemoryStore::new(), long_manifest());
        let store = |meta: &dyn Store| store(meta, &DurableNodes::default(), &manifest);
        let ManifestSource::Node(root) = store(&meta).unwrap() else { panic!("1,000 chunks in a record") };
        assert!(matches!(store(&Unreadable(&meta)), Err(Error::Io { .. })));
        assert_eq!(load(&meta, root).unwrap(), manifest);
        meta.replace(&node_path(root), b"damaged").unwrap();
        assert!(matches!(load(&meta, root), Err(Error::HashMismatch { .. })));
        assert_eq!(store(&meta).unwrap(), ManifestSource::Node(root));
        assert_eq!(load(&meta, root).unwrap(), manifest);
    }

    #[test]
    fn nodes_that_are_known_to_be_durable_are_neither_read_nor_synced_again() {
        let (meta, durable, manifest) = (FaultyStore::new(1), DurableNodes::default(), long_manifest());
        meta.inject(meta.operations() + 2, Fault::Fail);
        store(&meta, &durable, &manifest).unwrap_err();
        let ManifestSource::Node(root) = store(&meta, &durable, &manifest).unwrap() else { panic!("no tree") };
        let done = (meta.operations(), meta.reads());
        assert_eq!(store(&meta, &durable, &manifest).unwrap(), ManifestSource::Node(root));
        assert_eq!((meta.operations(), meta.reads()), done);
        assert_eq!(
            load(&meta.crash_with(PowerLoss::Everything), root).unwrap(),
            manifest,
            "what failed was not taken for durable"
        );

        meta.delete(&node_path(root)).unwrap();
        durable.checked(load(&meta, root)).unwrap_err();
        assert_eq!(store(&meta, &durable, &manifest).unwrap(), ManifestSource::Node(root));
        assert_eq!(load(&meta, root).unwrap(), manifest);
    }
}
