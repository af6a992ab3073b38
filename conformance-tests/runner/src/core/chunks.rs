//! The chunk store and the low-level catalog.

use armillaria::chunk_store::ChunkStore;
use armillaria::format::ChunkHash;
use armillaria::store::Access;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::tables::create_options;
use super::{Answer, CoreBackend, Handle, misplaced, results};
use crate::failure::Failure;
use crate::harness::place;
use crate::step::Step;

impl CoreBackend {
    pub(super) fn run_chunks(&mut self, step: &Step) -> Option<Answer> {
        Some(match step.op() {
            "commit_chunks" => self.commit_chunks(step),
            "chunk_hashes" => self.chunk_hashes(step),
            "list_versions" => self.list_versions(step),
            "open_chunk_store" => self.open_chunk_store(step),
            "put_chunk" => self.put_chunk(step),
            "get_chunk" => self.get_chunk(step, ChunkStore::get),
            "get_verified_chunk" => self.get_chunk(step, ChunkStore::get_verified),
            "chunk_exists" => self.chunk_exists(step),
            "list_chunks" => self.list_chunks(step),
            _ => return None,
        })
    }

    fn commit_chunks(&mut self, step: &Step) -> Answer {
        let (table, version, hashes) = (step.text("table")?, step.number("version")?, step.texts("hashes")?);
        match self.handles.get(step.on()?)? {
            Handle::Transaction(transaction) => {
                transaction.commit_chunks(table, version, &hashes)?;
                Ok(json!({}))
            }
            Handle::Database(database) => {
                let options = create_options(step, Vec::new())?;
                results::commit(&database.commit_chunks(table, version, &hashes, &options)?)
            }
            other => Err(misplaced(step, other)),
        }
    }

    fn chunk_hashes(&mut self, step: &Step) -> Answer {
        let version = step.number_maybe("version")?;
        let (version, hashes) = self.database(step)?.chunk_hashes(step.text("table")?, version)?;
        Ok(json!({"version": version, "hashes": hashes}))
    }

    fn list_versions(&mut self, step: &Step) -> Answer {
        Ok(json!({"versions": self.database(step)?.list_versions(step.text("table")?)?}))
    }

    fn chunk_store(&self, step: &Step) -> Result<&ChunkStore, Failure> {
        match self.handles.get(step.on()?)? {
            Handle::ChunkStore(store) => Ok(store),
            other => Err(misplaced(step, other)),
        }
    }

    fn open_chunk_store(&mut self, step: &Step) -> Answer {
        let access = if step.flag("read_only")? { Access::ReadOnly } else { Access::ReadWrite };
        let store = ChunkStore::open(place(&self.directory, step.text("location")?), access)?;
        self.handles.insert(step.made()?, Handle::ChunkStore(store));
        Ok(json!({}))
    }

    fn put_chunk(&mut self, step: &Step) -> Answer {
        let bytes = step.chunk_bytes()?;
        let store = self.chunk_store(step)?;
        let hash = store.put(&bytes)?.hash;
        store.sync(&[hash])?;
        Ok(json!({"hash": hash.to_hex()}))
    }

    fn get_chunk<B: AsRef<[u8]>>(
        &mut self,
        step: &Step,
        get: impl Fn(&ChunkStore, ChunkHash) -> armillaria::Result<B>,
    ) -> Answer {
        let bytes = get(self.chunk_store(step)?, step.text("hash")?.parse()?)?;
        Ok(json!({"data": BASE64.encode(bytes)}))
    }

    fn chunk_exists(&mut self, step: &Step) -> Answer {
        Ok(json!({"exists": self.chunk_store(step)?.contains(step.text("hash")?.parse()?)?}))
    }

    fn list_chunks(&mut self, step: &Step) -> Answer {
        let listed = self.chunk_store(step)?.list()?;
        Ok(json!({"hashes": listed.iter().map(|chunk| chunk.hash.to_hex()).collect::<Vec<_>>()}))
    }
}
