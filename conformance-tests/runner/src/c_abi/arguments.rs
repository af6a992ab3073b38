//! Structs of arguments, with the memory that they point to.

use super::memory::{text, text_maybe, texts};
use super::structs::*;
use crate::failure::Failure;
use crate::step::parameter::{Parameter, Parameters};
use crate::step::{AtArguments, AtPoint, Step};

/// Where a read looks. It borrows from the arguments.
pub(super) struct At {
    versions: Vec<ArmillariaTableVersion>,
    at: ArmillariaAt,
}

impl At {
    pub(super) fn of(arguments: &AtArguments) -> At {
        let versions = arguments.versions.iter();
        let versions: Vec<_> =
            versions.map(|(table, version)| ArmillariaTableVersion { table: text(table), version: *version }).collect();
        let mut at = ArmillariaAt {
            struct_size: size_of::<ArmillariaAt>(),
            point: 0,
            branch: text_maybe(arguments.branch.as_deref()),
            tag: text_maybe(None),
            tx_id: 0,
            time_us: 0,
            versions: std::ptr::null(),
            versions_len: versions.len(),
        };
        match &arguments.point {
            AtPoint::Head => {}
            AtPoint::Tag(tag) => (at.point, at.tag) = (1, text(tag)),
            AtPoint::Transaction(tx_id) => (at.point, at.tx_id) = (2, *tx_id),
            AtPoint::Time(time_us) => (at.point, at.time_us) = (3, *time_us),
        }
        At { versions, at }
    }

    /// Valid as long as this and the arguments are.
    pub(super) fn get(&mut self) -> *const ArmillariaAt {
        self.at.versions = self.versions.as_ptr();
        &raw const self.at
    }
}

/// The options of creating and dropping tables. They borrow from the step and from `key`.
pub(super) fn table_options(step: &Step, key: &[ArmillariaString]) -> Result<ArmillariaTableOptions, Failure> {
    Ok(ArmillariaTableOptions {
        struct_size: size_of::<ArmillariaTableOptions>(),
        key: key.as_ptr(),
        key_len: key.len(),
        branch: text_maybe(step.text_maybe("branch")?),
        message: text_maybe(step.text_maybe("message")?),
    })
}

/// The options of writing. They borrow from the step and from `key`.
pub(super) fn write_options(step: &Step, key: &[ArmillariaString]) -> Result<ArmillariaWriteOptions, Failure> {
    let mode = choice(step, "mode", &["overwrite", "append", "upsert"])?;
    Ok(ArmillariaWriteOptions {
        struct_size: size_of::<ArmillariaWriteOptions>(),
        mode,
        key: key.as_ptr(),
        key_len: key.len(),
        branch: text_maybe(step.text_maybe("branch")?),
        message: text_maybe(step.text_maybe("message")?),
    })
}

/// The options of opening. They borrow from the step and from `cache_dir`.
pub(super) fn open_options(step: &Step, cache_dir: Option<&str>) -> Result<ArmillariaOpenOptions, Failure> {
    Ok(ArmillariaOpenOptions {
        struct_size: size_of::<ArmillariaOpenOptions>(),
        must_exist: step.flag("must_exist")?,
        read_only: step.flag("read_only")?,
        external_access: step.flag("external_access")?,
        threads: step.number_maybe("threads")?.unwrap_or(0) as u32,
        memory_limit_bytes: step.number_maybe("memory_limit_bytes")?.unwrap_or(0),
        author: text_maybe(step.text_maybe("author")?),
        cache_dir: text_maybe(cache_dir),
    })
}

/// What is wanted of the changelog. It borrows from the step and from `tables`.
pub(super) fn changes_options(step: &Step, tables: &[ArmillariaString]) -> Result<ArmillariaChangesOptions, Failure> {
    let (since, until) = (step.number_maybe("since_tx")?, step.number_maybe("until_tx")?);
    let (from, to) = (step.signed_maybe("from_time_us")?, step.signed_maybe("to_time_us")?);
    let limit = step.number_maybe("limit")?;
    Ok(ArmillariaChangesOptions {
        struct_size: size_of::<ArmillariaChangesOptions>(),
        has_since_tx: since.is_some(),
        has_until_tx: until.is_some(),
        has_from_time: from.is_some(),
        has_to_time: to.is_some(),
        has_limit: limit.is_some(),
        since_tx: since.unwrap_or(0),
        until_tx: until.unwrap_or(0),
        from_time_us: from.unwrap_or(0),
        to_time_us: to.unwrap_or(0),
        limit: limit.unwrap_or(0),
        tables: tables.as_ptr(),
        tables_len: tables.len(),
        branch: text_maybe(step.text_maybe("branch")?),
    })
}

/// The number of a choice by name; 0 if it is left out.
pub(super) fn choice(step: &Step, name: &str, choices: &[&str]) -> Result<u32, Failure> {
    let Some(chosen) = step.text_maybe(name)? else { return Ok(0) };
    let place = choices.iter().position(|choice| *choice == chosen);
    place.map(|place| place as u32).ok_or_else(|| Failure::Case(format!("there is no {name} {chosen:?}")))
}

/// Parameters of a statement. They borrow from what is given.
pub(super) fn parameters(given: &Parameters) -> Vec<ArmillariaParameter> {
    match given {
        Parameters::Positional(values) => values.iter().map(|value| parameter(None, value)).collect(),
        Parameters::Named(values) => values.iter().map(|(name, value)| parameter(Some(name), value)).collect(),
    }
}

fn parameter(name: Option<&str>, value: &Parameter) -> ArmillariaParameter {
    let plain = ArmillariaParameter {
        kind: 0,
        name: text_maybe(name),
        integer: 0,
        unsigned_integer: 0,
        real: 0.0,
        bytes: text_maybe(None),
    };
    match value {
        Parameter::Null => plain,
        Parameter::Bool(value) => ArmillariaParameter { kind: 1, integer: i64::from(*value), ..plain },
        Parameter::Int(value) => ArmillariaParameter { kind: 2, integer: *value, ..plain },
        Parameter::UInt(value) => ArmillariaParameter { kind: 3, unsigned_integer: *value, ..plain },
        Parameter::Float(value) => ArmillariaParameter { kind: 4, real: *value, ..plain },
        Parameter::Text(value) => ArmillariaParameter { kind: 5, bytes: text(value), ..plain },
        Parameter::Bytes(value) => {
            let bytes = ArmillariaString { data: value.as_ptr().cast(), len: value.len() };
            ArmillariaParameter { kind: 6, bytes, ..plain }
        }
        Parameter::Date(value) => ArmillariaParameter { kind: 7, integer: i64::from(*value), ..plain },
        Parameter::Time(value) => ArmillariaParameter { kind: 8, integer: *value, ..plain },
        Parameter::Timestamp(value) => ArmillariaParameter { kind: 9, integer: *value, ..plain },
    }
}

/// Hashes, columns and the like: the strings, and the texts that they borrow from.
pub(super) struct Texts {
    _texts: Vec<String>,
    strings: Vec<ArmillariaString>,
}

impl Texts {
    pub(super) fn new(given: Vec<String>) -> Texts {
        // The strings point to what the texts own, which moves with them and stays where it is.
        Texts { strings: texts(&given), _texts: given }
    }

    pub(super) fn of(step: &Step, name: &str) -> Result<Texts, Failure> {
        Ok(Texts::new(step.texts(name)?))
    }

    pub(super) fn get(&self) -> &[ArmillariaString] {
        &self.strings
    }
}
