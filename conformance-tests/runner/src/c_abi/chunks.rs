//! The chunk store and the low-level catalog.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::arguments::{Texts, table_options};
use super::functions::*;
use super::memory::{check, handle, result, slice, text};
use super::structs::*;
use super::{Answer, CAbiBackend, Handle, Target, describe, misplaced};
use crate::failure::Failure;
use crate::step::Step;

type Get = unsafe fn(
    *const ArmillariaChunkStore,
    ArmillariaString,
    *mut *const ArmillariaBuffer,
    *mut *mut ArmillariaError,
) -> u32;

impl CAbiBackend {
    pub(super) fn run_chunks(&mut self, step: &Step) -> Option<Answer> {
        Some(match step.op() {
            "commit_chunks" => self.commit_chunks(step),
            "chunk_hashes" => self.chunk_hashes(step),
            "list_versions" => self.list_versions(step),
            "open_chunk_store" => self.open_chunk_store(step),
            "put_chunk" => self.put_chunk(step),
            "get_chunk" => self.get_chunk(step, armillaria_chunk_store_get),
            "get_verified_chunk" => self.get_chunk(step, armillaria_chunk_store_get_verified),
            "chunk_exists" => self.chunk_exists(step),
            "list_chunks" => self.list_chunks(step),
            _ => return None,
        })
    }

    fn commit_chunks(&mut self, step: &Step) -> Answer {
        let (table, version, hashes) = (text(step.text("table")?), step.number("version")?, Texts::of(step, "hashes")?);
        let (first, len) = (hashes.get().as_ptr(), hashes.get().len());
        match self.target(step)? {
            Target::Database(database) => {
                let options = table_options(step, &[])?;
                let commit = result(armillaria_commit_free, |out, error| unsafe {
                    armillaria_commit_chunks(database, table, version, first, len, &raw const options, out, error)
                })?;
                Ok(describe::commit(&commit))
            }
            Target::Transaction(transaction) => {
                check(|error| unsafe {
                    armillaria_transaction_commit_chunks(transaction, table, version, first, len, error)
                })?;
                Ok(json!({}))
            }
        }
    }

    fn chunk_hashes(&mut self, step: &Step) -> Answer {
        let (database, table) = (self.database(step)?, text(step.text("table")?));
        let (version, mut found) = (step.number_maybe("version")?.unwrap_or(0), u64::MAX);
        let hashes = result(armillaria_string_list_free, |out, error| unsafe {
            armillaria_chunk_hashes(database, table, version, &raw mut found, out, error)
        })?;
        Ok(json!({"version": found, "hashes": describe::string_list(&hashes)}))
    }

    fn list_versions(&mut self, step: &Step) -> Answer {
        let (database, table) = (self.database(step)?, text(step.text("table")?));
        let versions = result(armillaria_version_list_free, |out, error| unsafe {
            armillaria_list_versions(database, table, out, error)
        })?;
        Ok(json!({"versions": slice(versions.items, versions.len)}))
    }

    fn chunk_store(&self, step: &Step) -> Result<*const ArmillariaChunkStore, Failure> {
        match self.handles.get(step.on()?)? {
            Handle::ChunkStore(store) => Ok(store.get()),
            _ => Err(misplaced(step)),
        }
    }

    fn open_chunk_store(&mut self, step: &Step) -> Answer {
        let (directory, read_only) = (self.path(step.text("location")?), step.flag("read_only")?);
        let store = handle(armillaria_chunk_store_free, |out, error| unsafe {
            armillaria_chunk_store_open(text(&directory), read_only, out, error)
        })?;
        self.handles.insert(step.made()?, Handle::ChunkStore(store));
        Ok(json!({}))
    }

    fn put_chunk(&mut self, step: &Step) -> Answer {
        let (store, bytes) = (self.chunk_store(step)?, step.chunk_bytes()?);
        let hash = result(armillaria_buffer_free, |out, error| unsafe {
            armillaria_chunk_store_put(store, bytes.as_ptr(), bytes.len(), out, error)
        })?;
        Ok(json!({"hash": String::from_utf8_lossy(&describe::bytes(&hash))}))
    }

    fn get_chunk(&mut self, step: &Step, get: Get) -> Answer {
        let (store, hash) = (self.chunk_store(step)?, text(step.text("hash")?));
        let bytes = result(armillaria_buffer_free, |out, error| unsafe { get(store, hash, out, error) })?;
        Ok(json!({"data": BASE64.encode(describe::bytes(&bytes))}))
    }

    fn chunk_exists(&mut self, step: &Step) -> Answer {
        let (store, hash, mut exists) = (self.chunk_store(step)?, text(step.text("hash")?), false);
        check(|error| unsafe { armillaria_chunk_store_exists(store, hash, &raw mut exists, error) })?;
        Ok(json!({"exists": exists}))
    }

    fn list_chunks(&mut self, step: &Step) -> Answer {
        let store = self.chunk_store(step)?;
        let hashes = result(armillaria_string_list_free, |out, error| unsafe {
            armillaria_chunk_store_list(store, out, error)
        })?;
        Ok(json!({"hashes": describe::string_list(&hashes)}))
    }
}
