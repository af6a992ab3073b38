//! Which chunks a condition rules out, by their statistics.
//!
//! Every answer is one-sided: a chunk is ruled out only if none of its rows can fulfil the condition under DuckDB's own
//! rules of comparison. Where DuckDB compares in another type than the statistics have (floating point, decimals,
//! coarser or finer time), bounds are widened by more than the conversion can move a value. DuckDB puts NaN above every
//! number and statistics leave it out, so an upper bound of floating point numbers says nothing of what is greater.

use std::collections::HashMap;

use arrow::datatypes::{DataType, FieldRef, Schema, TimeUnit};

use super::constant::Constant;
use super::predicate::{Comparison, Condition, Operand};
use super::value::{Parameters, Value};
use crate::format::schema::column_id;
use crate::format::{ChunkEntry, ColumnStatistics, Scalar};

/// A table's top-level columns by the names that they have in SQL, in lower case.
pub(super) struct Columns(HashMap<String, (u32, DataType)>);

impl Columns {
    /// The columns of a schema whose fields carry column ids, and their names in SQL.
    pub(super) fn of(schema: &Schema, names: &[String]) -> Columns {
        let column = |(field, name): (&FieldRef, &String)| {
            Some((name.to_ascii_lowercase(), (column_id(field)?, field.data_type().clone())))
        };
        Columns(schema.fields().iter().zip(names).filter_map(column).collect())
    }

    fn get(&self, name: &str) -> Option<(u32, &DataType)> {
        self.0.get(&name.to_ascii_lowercase()).map(|(id, data_type)| (*id, data_type))
    }
}

/// Whether no row of the chunk fulfils the condition; `false` where that is not certain.
pub(super) fn rules_out(
    condition: &Condition,
    chunk: &ChunkEntry,
    columns: &Columns,
    parameters: Parameters<'_>,
) -> bool {
    Look { chunk, columns, parameters }.rules_out(condition).unwrap_or(false)
}

struct Look<'a> {
    chunk: &'a ChunkEntry,
    columns: &'a Columns,
    parameters: Parameters<'a>,
}

impl Look<'_> {
    fn rules_out(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::All(parts) => Some(parts.iter().any(|part| self.rules_out(part) == Some(true))),
            Condition::Any(parts) => Some(parts.iter().all(|part| self.rules_out(part) == Some(true))),
            Condition::Null { column } => Some(self.statistics(column)?.0.nulls == 0),
            Condition::NotNull { column } => Some(self.statistics(column)?.0.nulls == self.chunk.rows),
            Condition::Compare { column, comparison, value } => self.compare(column, *comparison, value),
            Condition::Between { column, low, high } => self.between(column, low, high),
        }
    }

    fn statistics(&self, column: &str) -> Option<(&ColumnStatistics, &DataType)> {
        let (id, data_type) = self.columns.get(column)?;
        let statistics = self.chunk.columns.iter().find(|statistics| statistics.id == id)?;
        Some((statistics, data_type))
    }

    fn compare(&self, column: &str, comparison: Comparison, value: &Operand) -> Option<bool> {
        let (statistics, data_type) = self.statistics(column)?;
        if statistics.nulls == self.chunk.rows {
            return Some(true);
        }
        let range = Range::of(statistics, data_type, &self.constant(value, data_type)?)?;
        let nan_above = data_type.is_floating();
        Some(match comparison {
            Comparison::Equal => range.all_above || range.all_below,
            Comparison::Less => range.all_above || range.none_below,
            Comparison::LessOrEqual => range.all_above,
            Comparison::Greater => !nan_above && (range.all_below || range.none_above),
            Comparison::GreaterOrEqual => !nan_above && range.all_below,
        })
    }

    fn between(&self, column: &str, low: &Operand, high: &Operand) -> Option<bool> {
        let (statistics, data_type) = self.statistics(column)?;
        let (low, high) = (self.constant(low, data_type)?, self.constant(high, data_type)?);
        if std::mem::discriminant(&low) != std::mem::discriminant(&high) {
            return None;
        }
        let (low, high) = (Range::of(statistics, data_type, &low)?, Range::of(statistics, data_type, &high)?);
        Some(low.all_below || high.all_above)
    }

    /// The value to compare with; `None` if the statement would convert it in a way not known here.
    fn constant(&self, operand: &Operand, data_type: &DataType) -> Option<Constant> {
        match operand {
            Operand::Constant(constant) => Some(constant.clone()),
            Operand::Parameter(name) => match self.parameters.get(name)? {
                Value::Text(_) if !is_text(data_type) => None,
                value => Constant::of_value(value),
            },
        }
    }
}

/// How the values of a chunk's column lie to a constant. Nothing is claimed that is not certain.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    /// Every value is greater.
    all_above: bool,
    /// Every value is less.
    all_below: bool,
    /// No value is less.
    none_below: bool,
    /// No value is greater.
    none_above: bool,
}

impl Range {
    fn of(statistics: &ColumnStatistics, data_type: &DataType, constant: &Constant) -> Option<Range> {
        let (min, max) = (statistics.min.as_ref(), statistics.max.as_ref());
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => texts(min, max, constant),
            DataType::Boolean => bools(min, max, constant),
            DataType::Date32 => instants(min, max, constant.day_nanos()?, NANOS_PER_DAY, 0),
            DataType::Timestamp(unit, _) => instants(min, max, constant.nanos()?, nanos_of(*unit), NANOS_PER_SECOND),
            kind if kind.is_integer() => match constant {
                Constant::Int(value) => Some(Range::exact(integer(min), integer(max), value)),
                Constant::Real(value) => reals(min, max, data_type, *value),
                _ => None,
            },
            kind if kind.is_floating() || kind.is_decimal() => match constant {
                Constant::Int(value) => reals(min, max, data_type, *value as f64),
                Constant::Real(value) => reals(min, max, data_type, *value),
                _ => None,
            },
            _ => None,
        }
    }

    fn exact<T: PartialOrd>(min: Option<T>, max: Option<T>, value: &T) -> Range {
        Range {
            all_above: min.as_ref().is_some_and(|min| min > value),
            none_below: min.is_some_and(|min| min >= *value),
            all_below: max.as_ref().is_some_and(|max| max < value),
            none_above: max.is_some_and(|max| max <= *value),
        }
    }

    /// The value may be moved by up to `slack` before it is compared.
    fn widened<T: PartialOrd>(min: Option<T>, max: Option<T>, low: T, high: T) -> Range {
        let (above, below) = (min.is_some_and(|min| min > high), max.is_some_and(|max| max < low));
        Range { all_above: above, none_below: above, all_below: below, none_above: below }
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_DAY: i128 = 86_400 * NANOS_PER_SECOND;

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn nanos_of(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => NANOS_PER_SECOND,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    }
}

/// DuckDB compares texts by their bytes; a bound that was cut short still bounds.
fn texts(min: Option<&Scalar>, max: Option<&Scalar>, constant: &Constant) -> Option<Range> {
    let Constant::Text(value) = constant else { return None };
    let text = |scalar: Option<&Scalar>| match scalar {
        Some(Scalar::Text(text)) => Some(text.as_bytes().to_vec()),
        _ => None,
    };
    Some(Range::exact(text(min), text(max), &value.as_bytes().to_vec()))
}

fn bools(min: Option<&Scalar>, max: Option<&Scalar>, constant: &Constant) -> Option<Range> {
    let Constant::Bool(value) = constant else { return None };
    let bool = |scalar: Option<&Scalar>| match scalar {
        Some(Scalar::Bool(bool)) => Some(*bool),
        _ => None,
    };
    Some(Range::exact(bool(min), bool(max), value))
}

fn instants(min: Option<&Scalar>, max: Option<&Scalar>, nanos: i128, unit: i128, slack: i128) -> Option<Range> {
    let nanos_of = |scalar| integer(scalar).map(|value| value * unit);
    let (min, max) = (nanos_of(min), nanos_of(max));
    match slack {
        0 => Some(Range::exact(min, max, &nanos)),
        _ => Some(Range::widened(min, max, nanos - slack, nanos + slack)),
    }
}

fn integer(scalar: Option<&Scalar>) -> Option<i128> {
    match scalar? {
        Scalar::Int(value) => Some(i128::from(*value)),
        Scalar::UInt(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Single precision moves a value by less than a millionth; its smallest and largest numbers are left alone.
fn reals(min: Option<&Scalar>, max: Option<&Scalar>, data_type: &DataType, value: f64) -> Option<Range> {
    let single = matches!(data_type, DataType::Float32 | DataType::Float16);
    if !value.is_finite() || (single && value.abs() > 1e37) {
        return None;
    }
    let slack = match single {
        true => value.abs() * 1e-6 + 1e-30,
        false => value.abs() * 1e-12 + f64::MIN_POSITIVE,
    };
    // A bound that was an integer or a decimal is off by one part in 2^53 at most, which the slack covers where it matters:
    // near the value.
    let bound = |scalar: Option<&Scalar>| real(scalar?, data_type);
    Some(Range::widened(bound(min), bound(max), value - slack, value + slack))
}

fn real(scalar: &Scalar, data_type: &DataType) -> Option<f64> {
    match scalar {
        Scalar::Int(value) => Some(*value as f64),
        Scalar::UInt(value) => Some(*value as f64),
        Scalar::Float(value) => Some(*value).filter(|value| !value.is_nan()),
        Scalar::Decimal(bytes) => decimal(bytes, data_type),
        _ => None,
    }
}

fn decimal(bytes: &[u8], data_type: &DataType) -> Option<f64> {
    let (DataType::Decimal32(_, scale)
    | DataType::Decimal64(_, scale)
    | DataType::Decimal128(_, scale)
    | DataType::Decimal256(_, scale)) = data_type
    else {
        return None;
    };
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let mut wide = [if first & 0x80 == 0 { 0 } else { 0xff }; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide) as f64 / 10f64.powi(i32::from(*scale)))
}
