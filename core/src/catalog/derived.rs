//! A look at what is derived from the log, file by file, for who verifies a repository. Nothing is repaired here.

use std::collections::HashSet;

use super::Catalog;
use super::checkpoint::Checkpoint;
use super::run::{RUNS, run_name};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::NodeHash;
use crate::log::Snapshots;

const ACTION: &str = "checking the index";

/// What is wrong with checkpoints and index files, each by its path. The log has all that they hold.
#[derive(Debug, Default)]
pub struct DerivedDamage {
    /// Checkpoints that are damaged or cannot be read.
    pub checkpoints: Vec<(String, Error)>,
    /// Index files that are damaged or cannot be read.
    pub index_files: Vec<(String, Error)>,
    /// Index files that are not there and that the newest checkpoint needs.
    pub missing: Vec<String>,
}

impl Catalog {
    /// Reads every checkpoint and every index file, in bounded memory, and compares it with its hash. What others sweep away
    /// meanwhile is not missed. `CANCELLED`, and `IO` where the files cannot be listed.
    pub fn check_derived(&self, cancel: &CancelToken) -> Result<DerivedDamage> {
        let mut damage = DerivedDamage::default();
        let newest = self.check_checkpoints(&mut damage, cancel)?;
        // Listed behind the checkpoints: the files of one are there before it.
        let paths = self.store.names(RUNS)?;
        for (path, name) in paths.iter().filter_map(|path| Some((path, run_name(path)?))) {
            cancel.check(ACTION)?;
            let checked = self.check_run(path, name);
            damage.index_files.extend(checked.err().map(|error| (path.clone(), error)));
        }
        let there: HashSet<&String> = paths.iter().collect();
        damage.missing = newest.iter().flat_map(Checkpoint::files).filter(|path| !there.contains(path)).collect();
        Ok(damage)
    }

    /// Answers with the checkpoint that an opening would look at first.
    fn check_checkpoints(&self, damage: &mut DerivedDamage, cancel: &CancelToken) -> Result<Option<Checkpoint>> {
        let (snapshots, mut newest) = (Snapshots::new(self.store.clone()), None);
        let is_own = |checkpoint: &Checkpoint| checkpoint.chain_start == self.records.beginning.previous;
        for sequence in snapshots.list()? {
            cancel.check(ACTION)?;
            match snapshots.get(sequence) {
                Ok(bytes) => newest = newest.or_else(|| Checkpoint::decode(&bytes?).filter(is_own)),
                Err(error) => damage.checkpoints.push((Snapshots::path(sequence), error)),
            }
        }
        damage.checkpoints.reverse();
        Ok(newest)
    }

    fn check_run(&self, path: &str, name: NodeHash) -> Result<()> {
        let mut hasher = blake3::Hasher::new();
        let is_there = self.store.read_through(path, &mut |piece| {
            hasher.update(piece);
        })?;
        let actual = NodeHash::from_bytes(*hasher.finalize().as_bytes());
        match !is_there || actual == name {
            true => Ok(()),
            false => {
                let (expected, actual) = (name.to_hex(), actual.to_hex());
                Err(Error::HashMismatch { object: "index file", expected, actual })
            }
        }
    }
}
