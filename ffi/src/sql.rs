//! SQL and its parameters.

use std::mem::MaybeUninit;

use armillaria::{Error, Parameters, Result, Value};
use arrow::ffi_stream::FFI_ArrowArrayStream;
use safer_ffi::derive_ReprC;

use crate::array;
use crate::arrow::export_rows;
use crate::at::{self, ArmillariaAt};
use crate::cancel::{ArmillariaCancel, token};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::answer;
use crate::results::{ArmillariaCommit, commit};
use crate::string::ArmillariaString;

/// What `ArmillariaParameter.kind` says: the SQL type of the value, and the field that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaParameterKind {
    /// `NULL`; no field.
    Null = 0,
    /// `BOOLEAN`, in `integer`: 0 or 1.
    Bool = 1,
    /// `BIGINT`, in `integer`.
    Int = 2,
    /// `UBIGINT`, in `unsigned_integer`.
    Uint = 3,
    /// `DOUBLE`, in `real`.
    Float = 4,
    /// `VARCHAR`, in `bytes`: UTF-8.
    Text = 5,
    /// `BLOB`, in `bytes`.
    Bytes = 6,
    /// `DATE`, in `integer`: days since 1970-01-01.
    Date = 7,
    /// `TIME`, in `integer`: microseconds since midnight.
    Time = 8,
    /// `TIMESTAMP`, in `integer`: microseconds since 1970-01-01 UTC.
    Timestamp = 9,
}

const KINDS: [ArmillariaParameterKind; 10] = {
    use ArmillariaParameterKind::{Bool, Bytes, Date, Float, Int, Null, Text, Time, Timestamp, Uint};
    [Null, Bool, Int, Uint, Float, Text, Bytes, Date, Time, Timestamp]
};

/// The value of a parameter of a statement. This struct never grows.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaParameter {
    /// One of `ARMILLARIA_PARAMETER_…`.
    pub kind: u32,
    /// For `$name`; not given: for `?` and `$1`, by position. All parameters of a call are named, or none is.
    pub name: ArmillariaString,
    /// See the kinds.
    pub integer: i64,
    /// See the kinds.
    pub unsigned_integer: u64,
    /// See the kinds.
    pub real: f64,
    /// See the kinds.
    pub bytes: ArmillariaString,
}

/// The parameters of a statement.
pub(crate) struct Given<'a> {
    names: Vec<&'a str>,
    values: Vec<Value>,
}

impl<'a> Given<'a> {
    /// Reads them; `INVALID_ARGUMENT`.
    ///
    /// # Safety
    /// As for [`array::slice`], and its strings are what strings must be.
    pub(crate) unsafe fn read(parameters: *const ArmillariaParameter, len: usize) -> Result<Given<'a>> {
        // SAFETY: the caller's promise.
        let parameters = unsafe { array::slice("parameters", parameters, len) }?;
        // SAFETY: likewise.
        let values = parameters.iter().map(|parameter| unsafe { value(parameter) }).collect::<Result<_>>()?;
        // SAFETY: likewise.
        let names = parameters.iter().map(|parameter| unsafe { parameter.name.optional("parameters") });
        let names: Vec<&str> = names.filter_map(Result::transpose).collect::<Result<_>>()?;
        match names.len() {
            0 => Ok(Given { names, values }),
            named if named == len => Ok(Given { names, values }),
            named => Err(Error::invalid("parameters", format!("{named} of {len} have names; all have, or none has"))),
        }
    }

    /// Hands them to a call.
    pub(crate) fn with<T>(self, call: impl FnOnce(Parameters<'_>) -> T) -> T {
        if self.names.is_empty() {
            return call(Parameters::Positional(&self.values));
        }
        let named: Vec<(&str, Value)> = self.names.into_iter().zip(self.values).collect();
        call(Parameters::Named(&named))
    }
}

unsafe fn value(parameter: &ArmillariaParameter) -> Result<Value> {
    let kind = KINDS.into_iter().find(|kind| *kind as u32 == parameter.kind);
    let refuse = |reason: String| Error::invalid("parameters", reason);
    let kind = kind.ok_or_else(|| refuse(format!("{} is none of ARMILLARIA_PARAMETER_…", parameter.kind)))?;
    let integer = parameter.integer;
    Ok(match kind {
        ArmillariaParameterKind::Null => Value::Null,
        ArmillariaParameterKind::Bool if (0..=1).contains(&integer) => Value::Bool(integer == 1),
        ArmillariaParameterKind::Bool => return Err(refuse(format!("{integer} is no boolean: 0 or 1"))),
        ArmillariaParameterKind::Int => Value::Int(integer),
        ArmillariaParameterKind::Uint => Value::UInt(parameter.unsigned_integer),
        ArmillariaParameterKind::Float => Value::Float(parameter.real),
        // SAFETY: the caller's promise.
        ArmillariaParameterKind::Text => Value::Text(unsafe { parameter.bytes.required("parameters") }?.to_string()),
        ArmillariaParameterKind::Bytes => {
            // SAFETY: likewise.
            let bytes = unsafe { parameter.bytes.bytes("parameters") }?;
            Value::Bytes(bytes.ok_or_else(|| refuse("bytes are not given".to_string()))?.to_vec())
        }
        ArmillariaParameterKind::Date => {
            Value::Date(integer.try_into().map_err(|_| refuse(format!("no date is {integer} days from 1970")))?)
        }
        ArmillariaParameterKind::Time => Value::Time(integer),
        ArmillariaParameterKind::Timestamp => Value::Timestamp(integer),
    })
}

/// Runs one SELECT, over any tables and versions, and streams its rows.
///
/// A table reference may say where it looks: `AT (VERSION => 3)`, `AT (VERSION => 'branch or tag')`,
/// `AT (TIMESTAMP => …)`. A name is a branch's, else a tag's; `'branch:name'` and `'tag:name'` say which.
/// Each chunk is checked against its hash before the first statement of a handle reads it.
///
/// `SQL_ERROR`, `UNSUPPORTED` (no SELECT), `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (parameters),
/// `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`; also in the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_query(
    db: Option<&ArmillariaDatabase>,
    sql: ArmillariaString,
    parameters: *const ArmillariaParameter,
    parameters_len: usize,
    at: *const ArmillariaAt,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (sql, given, at) =
            unsafe { (sql.required("sql")?, Given::read(parameters, parameters_len)?, at::read(at)?) };
        let db = database(db)?;
        given.with(|parameters| db.query_with(sql, parameters, &at, &token(cancel))).map(export_rows)
    })
}

/// Runs a statement that changes tables: `UNSUPPORTED` for now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_execute(
    db: Option<&ArmillariaDatabase>,
    sql: ArmillariaString,
    parameters: *const ArmillariaParameter,
    parameters_len: usize,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (sql, given) = unsafe { (sql.required("sql")?, Given::read(parameters, parameters_len)?) };
        let db = database(db)?;
        token(cancel).check("the statement")?;
        given.with(|parameters| db.execute(sql, parameters)).map(commit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: u32) -> ArmillariaParameter {
        let none = ArmillariaString::NONE;
        ArmillariaParameter { kind, name: none, integer: 0, unsigned_integer: 0, real: 0.0, bytes: none }
    }

    fn read(parameters: &[ArmillariaParameter]) -> Option<(Vec<&str>, Vec<Value>)> {
        // SAFETY: everything in them is static.
        let given = unsafe { Given::read(parameters.as_ptr(), parameters.len()) }.ok()?;
        Some((given.names, given.values))
    }

    #[test]
    fn every_kind_has_its_value() {
        let text = ArmillariaString::of("x");
        let parameters = KINDS.map(|kind| ArmillariaParameter {
            integer: 1,
            unsigned_integer: u64::MAX,
            real: 0.5,
            bytes: text,
            ..parameter(kind as u32)
        });
        let values = vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(1),
            Value::UInt(u64::MAX),
            Value::Float(0.5),
            Value::Text("x".to_string()),
            Value::Bytes(b"x".to_vec()),
            Value::Date(1),
            Value::Time(1),
            Value::Timestamp(1),
        ];
        assert_eq!(read(&parameters), Some((Vec::new(), values)));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let kind = |kind: ArmillariaParameterKind| parameter(kind as u32);
        assert_eq!(read(&[parameter(10)]), None);
        assert_eq!(read(&[ArmillariaParameter { integer: 2, ..kind(ArmillariaParameterKind::Bool) }]), None);
        assert_eq!(read(&[ArmillariaParameter { integer: 1 << 40, ..kind(ArmillariaParameterKind::Date) }]), None);
        assert_eq!(read(&[kind(ArmillariaParameterKind::Text)]), None);
        assert_eq!(read(&[kind(ArmillariaParameterKind::Bytes)]), None);
    }

    #[test]
    fn names_are_given_to_all_or_none() {
        let named = ArmillariaParameter { name: ArmillariaString::of("a"), ..parameter(0) };
        assert_eq!(read(&[named]), Some((vec!["a"], vec![Value::Null])));
        assert_eq!(read(&[named, parameter(0)]), None);
        assert_eq!(read(&[]), Some((Vec::new(), Vec::new())));
    }
}
