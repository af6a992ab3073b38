//! Where a read looks.

use std::collections::BTreeMap;

use armillaria::{At, Error, Result};
use safer_ffi::derive_ReprC;

use crate::array;
use crate::options::{self, Options};
use crate::string::ArmillariaString;

/// What `ArmillariaAt.point` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaAtPoint {
    /// The head of the branch.
    Head = 0,
    /// What a tag names.
    Tag = 1,
    /// All tables as a transaction left them.
    Transaction = 2,
    /// The branch as it was at a time.
    Time = 3,
}

/// One version of one table. This struct never grows.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTableVersion {
    /// The table.
    pub table: ArmillariaString,
    /// Its version.
    pub version: u64,
}

/// Where a read looks. NULL: at the head of the current branch.
///
/// Fields that `point` does not call for must be zeros (`INVALID_ARGUMENT`): a forgotten `point` never reads something
/// else than what was meant.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaAt {
    /// `sizeof(ArmillariaAt)`.
    pub struct_size: usize,
    /// One of `ARMILLARIA_AT_POINT_…`.
    pub point: u32,
    /// The branch, for `HEAD` and `TIME`; says nothing for the others. Not given: the current one.
    pub branch: ArmillariaString,
    /// The tag, for `TAG`.
    pub tag: ArmillariaString,
    /// The transaction, for `TRANSACTION`; 0 is the empty beginning.
    pub tx_id: u64,
    /// The time, for `TIME`: microseconds since 1970-01-01 UTC, inclusive.
    pub time_us: i64,
    /// Single tables to look at in a version of theirs instead, each once.
    pub versions: *const ArmillariaTableVersion,
    /// How many.
    pub versions_len: usize,
}

// SAFETY: begins with the size; numbers, strings and pointers only, which bytes of any value make.
unsafe impl Options for ArmillariaAt {
    const NAME: &'static str = "ArmillariaAt";
}

/// # Safety
/// As for [`options::read`]; its strings and its array are what they must be.
pub(crate) unsafe fn read(at: *const ArmillariaAt) -> Result<At> {
    // SAFETY: the caller's promise.
    let at = unsafe { options::read(at) }?;
    // SAFETY: likewise.
    let (branch, tag) = unsafe { (at.branch.owned("at.branch")?, at.tag.owned("at.tag")?) };
    let point = point(at.point)?;
    let pointless = [
        ("at.tag", tag.is_some() && point != ArmillariaAtPoint::Tag),
        ("at.tx_id", at.tx_id != 0 && point != ArmillariaAtPoint::Transaction),
        ("at.time_us", at.time_us != 0 && point != ArmillariaAtPoint::Time),
    ];
    if let Some((argument, _)) = pointless.into_iter().find(|(_, pointless)| *pointless) {
        return Err(Error::invalid(argument, format!("it does not go with point {point:?}")));
    }
    let place = match point {
        ArmillariaAtPoint::Head => At::head(),
        ArmillariaAtPoint::Tag => At::tag(tag.ok_or_else(|| Error::invalid("at.tag", "it is not given"))?),
        ArmillariaAtPoint::Transaction => At::tx(at.tx_id),
        ArmillariaAtPoint::Time => At::timestamp(at.time_us),
    };
    let place = branch.into_iter().fold(place, At::on_branch);
    // SAFETY: the caller's promise.
    let versions = unsafe { table_versions("at.versions", at.versions, at.versions_len) }?;
    Ok(versions.into_iter().fold(place, |place, (table, version)| place.with_version(table, version)))
}

fn point(number: u32) -> Result<ArmillariaAtPoint> {
    use ArmillariaAtPoint::{Head, Tag, Time, Transaction};
    let points = [Head, Tag, Transaction, Time];
    let found = points.into_iter().find(|point| *point as u32 == number);
    found.ok_or_else(|| Error::invalid("at.point", format!("{number} is none of ARMILLARIA_AT_POINT_…")))
}

/// Versions by table; a table that is named twice is `INVALID_ARGUMENT`.
///
/// # Safety
/// As for [`array::slice`], and its strings are what strings must be.
pub(crate) unsafe fn table_versions(
    argument: &'static str,
    versions: *const ArmillariaTableVersion,
    len: usize,
) -> Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    // SAFETY: the caller's promise.
    for entry in unsafe { array::slice(argument, versions, len) }? {
        // SAFETY: likewise.
        let table = unsafe { entry.table.required(argument) }?;
        if found.insert(table.to_string(), entry.version).is_some() {
            return Err(Error::invalid(argument, format!("it names the table {table:?} twice")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> ArmillariaAt {
        ArmillariaAt {
            struct_size: size_of::<ArmillariaAt>(),
            point: 0,
            branch: ArmillariaString::NONE,
            tag: ArmillariaString::NONE,
            tx_id: 0,
            time_us: 0,
            versions: std::ptr::null(),
            versions_len: 0,
        }
    }

    fn parse(at: ArmillariaAt) -> Option<At> {
        // SAFETY: everything in it is static.
        unsafe { read(&raw const at) }.ok()
    }

    #[test]
    fn every_point_is_understood() {
        let (dev, v1) = (ArmillariaString::of("dev"), ArmillariaString::of("v1"));
        assert_eq!(parse(at()), Some(At::head()));
        assert_eq!(parse(ArmillariaAt { branch: dev, ..at() }), Some(At::branch("dev")));
        assert_eq!(parse(ArmillariaAt { point: 1, tag: v1, ..at() }), Some(At::tag("v1")));
        assert_eq!(parse(ArmillariaAt { point: 2, tx_id: 7, ..at() }), Some(At::tx(7)));
        let time = ArmillariaAt { point: 3, time_us: -5, branch: dev, ..at() };
        assert_eq!(parse(time), Some(At::timestamp(-5).on_branch("dev")));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let v1 = ArmillariaString::of("v1");
        assert_eq!(parse(ArmillariaAt { point: 4, ..at() }), None);
        assert_eq!(parse(ArmillariaAt { point: 1, ..at() }), None, "a tag is missing");
        assert_eq!(parse(ArmillariaAt { tag: v1, ..at() }), None, "the point was forgotten");
        assert_eq!(parse(ArmillariaAt { tx_id: 1, ..at() }), None);
        assert_eq!(parse(ArmillariaAt { time_us: 1, ..at() }), None);
    }

    #[test]
    fn single_tables_have_versions_of_their_own() {
        let one = ArmillariaTableVersion { table: ArmillariaString::of("t"), version: 3 };
        let versions = [one, one];
        let with = |len| parse(ArmillariaAt { versions: versions.as_ptr(), versions_len: len, ..at() });
        assert_eq!(with(1), Some(At::version("t", 3)));
        assert_eq!(with(2), None, "twice");
        assert_eq!(parse(ArmillariaAt { versions_len: 1, ..at() }), None, "NULL");
    }
}
