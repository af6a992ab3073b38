//! Tags.

use std::mem::MaybeUninit;

use armillaria::TagInfo;
use safer_ffi::derive_ReprC;

use crate::at::{self, ArmillariaAt};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, run};
use crate::memory::{self, Memory};
use crate::string::ArmillariaString;

/// A tag.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTagInfo {
    /// Its name.
    pub name: ArmillariaString,
    /// The transaction that it names.
    pub tx_id: u64,
    /// When it was given, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
}

/// Tags, by name.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTagList {
    /// The first; NULL if there are none.
    pub items: *const *const ArmillariaTagInfo,
    /// How many.
    pub len: usize,
}

fn tag_list(tags: Vec<TagInfo>) -> *const ArmillariaTagList {
    let item = |memory: &mut Memory, tag: TagInfo| ArmillariaTagInfo {
        name: memory.text(tag.name),
        tx_id: tag.tx_id,
        created_us: tag.created_us,
    };
    memory::build(|memory| {
        let (items, len) = memory.items(tags, item);
        ArmillariaTagList { items, len }
    })
}

/// Gives a name to a place, for ever. `TAG_EXISTS`; `INVALID_ARGUMENT` if `at` names versions of single tables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_create_tag(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    at: *const ArmillariaAt,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, at) = unsafe { (name.required("name")?, at::read(at)?) };
        database(db)?.create_tag(name, &at).map(drop)
    })
}

/// Takes a tag away. `TAG_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_delete_tag(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        database(db)?.delete_tag(name)
    })
}

/// All tags, by name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_list_tags(
    db: Option<&ArmillariaDatabase>,
    out: Option<&mut MaybeUninit<*const ArmillariaTagList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || database(db)?.list_tags().map(tag_list))
}

/// Frees a list of tags. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_tag_list_free(list: *const ArmillariaTagList) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(list) }
}
