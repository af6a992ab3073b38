//! The low-level catalog: versions as bare lists of chunks.

use std::mem::MaybeUninit;

use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, blank, given};
use crate::results::{
    ArmillariaCommit, ArmillariaStringList, ArmillariaVersionList, commit, string_list, version_list,
};
use crate::string::{ArmillariaString, texts};
use crate::tables::{ArmillariaTableOptions, table_options};

/// Commits a version of a table that is a list of chunks, named by 64 hex digits each. The chunks need not be there yet;
/// to be read as rows they must be Parquet files of one schema. `version` must be the table's next one. Of the options,
/// `key` must not be given.
///
/// `VERSION_CONFLICT`, `INVALID_ARGUMENT` (a hash), `WRITE_CONFLICT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_commit_chunks(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    version: u64,
    chunk_hashes: *const ArmillariaString,
    chunk_hashes_len: usize,
    options: *const ArmillariaTableOptions,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, hashes, options) = unsafe {
            let hashes = texts("chunk_hashes", chunk_hashes, chunk_hashes_len)?;
            (name.required("name")?, hashes, table_options(options)?)
        };
        database(db)?.commit_chunks(name, version, &hashes, &options).map(commit)
    })
}

/// The chunks of a version of a table, in order, and which version it is. `version` 0: the latest ever made.
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_chunk_hashes(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    version: u64,
    version_out: Option<&mut MaybeUninit<u64>>,
    out: Option<&mut MaybeUninit<*const ArmillariaStringList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let version_out = blank(version_out);
    answer(out, error, || {
        let version_out = given(version_out, "version_out")?;
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        let (version, hashes) = database(db)?.chunk_hashes(name, (version > 0).then_some(version))?;
        *version_out = version;
        Ok(string_list(hashes))
    })
}

/// All versions of a table that were ever made, on any branch, ascending. `TABLE_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_list_versions(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaVersionList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        database(db)?.list_versions(name).map(version_list)
    })
}
