//! `AT` clauses: where a table reference looks.

use duckdb::types::Value as DuckValue;
use duckdb::{Connection, params_from_iter};
use serde_json::Value as Json;

use super::constant::Constant;
use super::failure;
use super::references::{holds, renumber};
use super::statement::{deserialize, select_of};
use super::tables::TableAt;
use super::value::Parameters;
use crate::error::{Error, Result};

/// An `AT` clause, its expression not yet evaluated unless it is a constant.
#[derive(Debug)]
pub(super) enum AtClause {
    /// There is none.
    Default,
    /// A constant.
    Known(TableAt),
    /// `AT (VERSION => …)` of an expression.
    Version(Expression),
    /// `AT (TIMESTAMP => …)`.
    Time(Expression),
}

/// A constant expression.
#[derive(Debug)]
pub(super) struct Expression {
    /// A SELECT of its value.
    select: String,
    /// What its parameters `$1`, `$2` … were in the statement.
    places: Vec<String>,
}

impl AtClause {
    /// Reads the clause from its syntax tree; what is no constant expression is `UNSUPPORTED`.
    pub(super) fn of_tree(unit: &str, mut expression: Json, connection: &Connection) -> Result<AtClause> {
        let version = unit.eq_ignore_ascii_case("VERSION");
        match Constant::of_tree(&expression) {
            Some(Constant::Int(number)) if version => return version_number(number).map(AtClause::Known),
            Some(Constant::Text(name)) if version => return Ok(AtClause::Known(TableAt::Ref(name))),
            _ => {}
        }
        if holds(&expression, "class", "SUBQUERY") {
            let instead = "spell the version, name or time there, or give it as a parameter";
            return Err(Error::Unsupported { what: "a query in AT".into(), instead: instead.into() });
        }
        let places = renumber(&mut expression);
        let select = deserialize(connection, &select_of(expression))?;
        Ok(match version {
            true => AtClause::Version(Expression { select, places }),
            false => {
                let select = format!("SELECT epoch_us(CAST(({select}) AS TIMESTAMP WITH TIME ZONE))");
                AtClause::Time(Expression { select, places })
            }
        })
    }

    /// Where it looks now. What DuckDB says of a faulty expression is `SQL_ERROR`.
    pub(super) fn evaluate(&self, connection: &Connection, parameters: Parameters<'_>) -> Result<TableAt> {
        match self {
            AtClause::Default => Ok(TableAt::Default),
            AtClause::Known(at) => Ok(at.clone()),
            AtClause::Version(expression) => version(expression.value(connection, parameters)?),
            AtClause::Time(expression) => match expression.value(connection, parameters)? {
                DuckValue::BigInt(micros) => Ok(TableAt::Time(micros)),
                _ => Err(Error::invalid("AT clause", "its time is null")),
            },
        }
    }
}

impl Expression {
    fn value(&self, connection: &Connection, parameters: Parameters<'_>) -> Result<DuckValue> {
        let mut statement = connection.prepare(&self.select).map_err(failure::sql)?;
        let values = parameters.of_statement(&statement, &self.places)?;
        statement.query_row(params_from_iter(values), |row| row.get(0)).map_err(failure::sql)
    }
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
