//! The chunk store, usable alone on any directory.

use std::mem::MaybeUninit;

use armillaria::Result;
use armillaria::chunk_store::ChunkStore;
use armillaria::format::ChunkHash;
use armillaria::store::Access;

use crate::array;
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::flag::Flag;
use crate::guard::{answer, given};
use crate::panics::quietly;
use crate::results::{ArmillariaBuffer, ArmillariaStringList, buffer, string_list};
use crate::string::ArmillariaString;

/// Bytes named by their BLAKE3 hash, in files. Shared: any thread may use it, several at once.
#[derive(Debug)]
pub struct ArmillariaChunkStore {
    chunks: ChunkStore,
}

fn chunks(store: Option<&ArmillariaChunkStore>) -> Result<&ChunkStore> {
    given(store, "store").map(|store| &store.chunks)
}

/// # Safety
/// A string that is what strings must be.
unsafe fn parse_hash(hash: ArmillariaString) -> Result<ChunkHash> {
    // SAFETY: the caller's promise.
    unsafe { hash.required("hash") }?.parse()
}

/// Keeps chunks in `chunks/` of a directory, which is made unless `read_only`. `IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_open(
    directory: ArmillariaString,
    read_only: Flag,
    out: Option<&mut MaybeUninit<*mut ArmillariaChunkStore>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let directory = unsafe { directory.required("directory") }?;
        let access = if read_only.get() { Access::ReadOnly } else { Access::ReadWrite };
        let chunks = ChunkStore::open(directory, access)?;
        Ok(Box::into_raw(Box::new(ArmillariaChunkStore { chunks })))
    })
}

/// Stores bytes and tells their hash, 64 hex digits; durable when this returns. Equal bytes are stored once. `READ_ONLY`,
/// `OUT_OF_SPACE`, `IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_put(
    store: Option<&ArmillariaChunkStore>,
    data: *const u8,
    len: usize,
    out: Option<&mut MaybeUninit<*const ArmillariaBuffer>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        let chunks = chunks(store)?;
        // SAFETY: arguments are what the header asks for.
        let put = chunks.put(unsafe { array::slice("data", data, len) }?)?;
        chunks.sync(&[put.hash])?;
        Ok(buffer(put.hash.to_hex()))
    })
}

/// The bytes of a chunk as they are stored, unchecked. `CHUNK_NOT_FOUND`, `INVALID_ARGUMENT` (no hash).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_get(
    store: Option<&ArmillariaChunkStore>,
    hash: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaBuffer>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let hash = unsafe { parse_hash(hash) }?;
        Ok(buffer(chunks(store)?.get(hash)?))
    })
}

/// The bytes of a chunk, after checking them against its hash. `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `INVALID_ARGUMENT`
/// (no hash).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_get_verified(
    store: Option<&ArmillariaChunkStore>,
    hash: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaBuffer>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let hash = unsafe { parse_hash(hash) }?;
        Ok(buffer(chunks(store)?.get_verified(hash)?))
    })
}

/// Whether there is a chunk of that name; its bytes are not looked at. `INVALID_ARGUMENT` (no hash).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_exists(
    store: Option<&ArmillariaChunkStore>,
    hash: ArmillariaString,
    out: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let hash = unsafe { parse_hash(hash) }?;
        chunks(store)?.contains(hash)
    })
}

/// The names of all chunks, in order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_list(
    store: Option<&ArmillariaChunkStore>,
    out: Option<&mut MaybeUninit<*const ArmillariaStringList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        let listed = chunks(store)?.list()?;
        Ok(string_list(listed.iter().map(|chunk| chunk.hash.to_hex()).collect()))
    })
}

/// Frees the handle; the chunks stay. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_store_free(store: Option<Box<ArmillariaChunkStore>>) {
    quietly((), || drop(store));
}
