//! `AT` clauses: where a table reference looks.

use duckdb::Connection;
use duckdb::types::Value as DuckValue;
use serde_json::Value as Json;

use super::constant::Constant;
use super::failure;
use super::references::holds;
use super::statement::{deserialize, select_of};
use super::tables::TableAt;
use crate::error::{Error, Result};

/// An `AT` clause, its expression not yet evaluated unless it is a constant.
#[derive(Debug)]
pub(super) enum AtClause {
    /// There is none.
    Default,
    /// A constant.
    Known(TableAt),
    /// `AT (VERSION => …)` of an expression: a SELECT of its value.
    Version(String),
    /// `AT (TIMESTAMP => …)`: a SELECT of its value.
    Time(String),
}

impl AtClause {
    /// Reads the clause from its syntax tree; what is no constant expression is `UNSUPPORTED`.
    pub(super) fn of_tree(unit: &str, expression: Json, connection: &Connection) -> Result<AtClause> {
        let version = unit.eq_ignore_ascii_case("VERSION");
        match Constant::of_tree(&expression) {
            Some(Constant::Int(number)) if version => return version_number(number).map(AtClause::Known),
            Some(Constant::Text(name)) if version => return Ok(AtClause::Known(TableAt::Ref(name))),
            _ => {}
        }
        let outer = [("class", "PARAMETER"), ("class", "SUBQUERY"), ("class", "WINDOW")];
        if outer.iter().any(|(key, value)| holds(&expression, key, value)) {
            let instead = "spell the version, name or time there, or give `at` along with the statement";
            return Err(Error::Unsupported { what: "a parameter or a query in AT".into(), instead: instead.into() });
        }
        let select = deserialize(connection, &select_of(expression))?;
        Ok(if version { AtClause::Version(select) } else { AtClause::Time(select) })
    }

    /// Where it looks now. What DuckDB says of a faulty expression is `SQL_ERROR`.
    pub(super) fn evaluate(&self, connection: &Connection) -> Result<TableAt> {
        match self {
            AtClause::Default => Ok(TableAt::Default),
            AtClause::Known(at) => Ok(at.clone()),
            AtClause::Version(select) => version(value(connection, select)?),
            AtClause::Time(select) => {
                let micros = format!("SELECT epoch_us(CAST(({select}) AS TIMESTAMP WITH TIME ZONE))");
                match value(connection, &micros)? {
                    DuckValue::BigInt(micros) => Ok(TableAt::Time(micros)),
                    _ => Err(Error::invalid("AT clause", "its time is null")),
                }
            }
        }
    }
}

fn value(connection: &Connection, select: &str) -> Result<DuckValue> {
    connection.query_row(select, [], |row| row.get(0)).map_err(failure::sql)
}

fn version(value: DuckValue) -> Result<TableAt> {
    match value {
        DuckValue::TinyInt(number) => version_number(number.into()),
        DuckValue::SmallInt(number) => version_number(number.into()),
        DuckValue::Int(number) => version_number(number.into()),
        DuckValue::BigInt(number) => version_number(number.into()),
        DuckValue::HugeInt(number) => version_number(number),
        DuckValue::UTinyInt(number) => version_number(number.into()),
        DuckValue::USmallInt(number) => version_number(number.into()),
        DuckValue::UInt(number) => version_number(number.into()),
        DuckValue::UBigInt(number) => version_number(number.into()),
        DuckValue::Text(name) => Ok(TableAt::Ref(name)),
        other => Err(Error::invalid("AT clause", format!("a version is a number or a name, not {other:?}"))),
    }
}

fn version_number(number: i128) -> Result<TableAt> {
    let number = u64::try_from(number);
    number.map(TableAt::Version).map_err(|_| Error::invalid("AT clause", "a version is a number from 1 on"))
}
