//! Values for the parameters of a statement.

use duckdb::Statement;
use duckdb::types::{TimeUnit, ToSql, ToSqlOutput, Value as DuckValue};

use super::failure;
use crate::error::{Error, Result};

/// A value for a parameter of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL's `NULL`.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// `BIGINT`.
    Int(i64),
    /// `UBIGINT`.
    UInt(u64),
    /// `DOUBLE`.
    Float(f64),
    /// `VARCHAR`.
    Text(String),
    /// `BLOB`.
    Bytes(Vec<u8>),
    /// `DATE`, in days since 1970.
    Date(i32),
    /// `TIME`, in microseconds since midnight.
    Time(i64),
    /// `TIMESTAMP`, in microseconds since 1970; compared with instants it counts as UTC.
    Timestamp(i64),
}

impl ToSql for Value {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Value::Null => DuckValue::Null,
            Value::Bool(value) => DuckValue::Boolean(*value),
            Value::Int(value) => DuckValue::BigInt(*value),
            Value::UInt(value) => DuckValue::UBigInt(*value),
            Value::Float(value) => DuckValue::Double(*value),
            Value::Text(value) => DuckValue::Text(value.clone()),
            Value::Bytes(value) => DuckValue::Blob(value.clone()),
            Value::Date(days) => DuckValue::Date32(*days),
            Value::Time(micros) => DuckValue::Time64(TimeUnit::Microsecond, *micros),
            Value::Timestamp(micros) => DuckValue::Timestamp(TimeUnit::Microsecond, *micros),
        }))
    }
}

/// The values of a statement's parameters.
#[derive(Clone, Copy, Debug)]
pub enum Parameters<'a> {
    /// For `?`, `$1`, `$2` …, in their order.
    Positional(&'a [Value]),
    /// For `$name`.
    Named(&'a [(&'a str, Value)]),
}

impl<'a> From<&'a [Value]> for Parameters<'a> {
    fn from(values: &'a [Value]) -> Self {
        Parameters::Positional(values)
    }
}

impl<'a> From<&'a Vec<Value>> for Parameters<'a> {
    fn from(values: &'a Vec<Value>) -> Self {
        Parameters::Positional(values)
    }
}

impl<'a, const N: usize> From<&'a [Value; N]> for Parameters<'a> {
    fn from(values: &'a [Value; N]) -> Self {
        Parameters::Positional(values)
    }
}

impl<'a> Parameters<'a> {
    /// The value of the parameter that a statement calls `name`: digits if it is positional.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        match self {
            Parameters::Positional(values) => values.get(name.parse::<usize>().ok()?.checked_sub(1)?),
            Parameters::Named(values) => values.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v),
        }
    }

    /// The values of a prepared statement's parameters, in its own order. Its parameter `$n` was `places[n - 1]` in the
    /// user's text.
    pub(super) fn of_statement(&self, statement: &Statement<'_>, places: &[String]) -> Result<Vec<Value>> {
        let value = |index| {
            let name = statement.parameter_name(index).map_err(failure::sql)?;
            let place = name.parse::<usize>().ok().and_then(|number| places.get(number.checked_sub(1)?));
            let name = place.unwrap_or(&name);
            let value = self.get(name).cloned();
            value.ok_or_else(|| Error::invalid("parameters", format!("the parameter ${name} has no value")))
        };
        (1..=statement.parameter_count()).map(value).collect()
    }

    /// Checks that there is a value for each of these parameters and no other; `INVALID_ARGUMENT` otherwise.
    pub(super) fn check(&self, names: &[String]) -> Result<()> {
        if let Some(name) = names.iter().find(|name| self.get(name).is_none()) {
            return Err(Error::invalid("parameters", format!("the statement's parameter ${name} has no value")));
        }
        let (given, wanted) = (self.len(), names.len());
        if given == wanted {
            return Ok(());
        }
        Err(Error::invalid("parameters", format!("the statement takes {wanted} parameters, not {given}")))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        match self {
            Parameters::Positional(values) => values.len(),
            Parameters::Named(values) => values.len(),
        }
    }
}
