//! The small language of column types: `list<int64 not null>`, `timestamp(us, UTC)`. The README has its grammar.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};
use serde_json::{Value as Json, json};

use crate::failure::Failure;

/// The columns of a case, `[[name, type], …]`, as a schema.
pub(crate) fn parse_columns(columns: &Json) -> Result<Schema, Failure> {
    let wrong = || Failure::Case("`columns` is an array of [name, type]".to_string());
    let column = |column: &Json| match column.as_array().map(Vec::as_slice) {
        Some([Json::String(name), Json::String(text)]) => Ok(parse(text)?.field(name)),
        _ => Err(wrong()),
    };
    let fields = columns.as_array().ok_or_else(wrong)?.iter().map(column).collect::<Result<Fields, Failure>>()?;
    Ok(Schema::new(fields))
}

/// A schema as `[[name, type], …]`.
pub(crate) fn show_columns(schema: &Schema) -> Json {
    schema.fields().iter().map(|field| json!([field.name(), show_field(field)])).collect()
}

/// A type with its nullability.
#[derive(Debug, PartialEq)]
struct Typed {
    data_type: DataType,
    nullable: bool,
}

impl Typed {
    fn field(self, name: &str) -> FieldRef {
        Arc::new(Field::new(name, self.data_type, self.nullable))
    }
}

fn parse(text: &str) -> Result<Typed, Failure> {
    let mut parser = Parser { rest: text };
    let parsed = parser.typed();
    match parsed {
        Some(typed) if parser.rest.is_empty() => Ok(typed),
        _ => Err(Failure::Case(format!("{text:?} is no type, from {:?} on", parser.rest))),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn typed(&mut self) -> Option<Typed> {
        let name = self.until(&[' ', '(', '<', '>', ',']);
        let mut arguments = Vec::new();
        if self.eat("(") {
            arguments = self.until(&[')']).split(", ").collect();
            self.eat(")").then_some(())?;
        }
        let mut children = Vec::new();
        if self.eat("<") {
            while {
                children.push(self.child(name == "struct")?);
                self.eat(", ")
            } {}
            self.eat(">").then_some(())?;
        }
        let data_type = assemble(name, &arguments, children)?;
        Some(Typed { data_type, nullable: !self.eat(" not null") })
    }

    fn child(&mut self, named: bool) -> Option<FieldRef> {
        let mut name = "item";
        if named {
            name = self.until(&[':']);
            self.eat(": ").then_some(())?;
        }
        Some(self.typed()?.field(name))
    }
}

fn assemble(name: &str, arguments: &[&str], children: Vec<FieldRef>) -> Option<DataType> {
    use DataType::*;
    let unit = || arguments.first().and_then(|unit| parse_unit(unit));
    let number = |index: usize| arguments.get(index)?.parse::<i32>().ok();
    Some(match (name, arguments.len(), children.as_slice()) {
        ("null", 0, []) => Null,
        ("bool", 0, []) => Boolean,
        ("int8", 0, []) => Int8,
        ("int16", 0, []) => Int16,
        ("int32", 0, []) => Int32,
        ("int64", 0, []) => Int64,
        ("uint8", 0, []) => UInt8,
        ("uint16", 0, []) => UInt16,
        ("uint32", 0, []) => UInt32,
        ("uint64", 0, []) => UInt64,
        ("float16", 0, []) => Float16,
        ("float32", 0, []) => Float32,
        ("float64", 0, []) => Float64,
        ("utf8", 0, []) => Utf8,
        ("large_utf8", 0, []) => LargeUtf8,
        ("binary", 0, []) => Binary,
        ("large_binary", 0, []) => LargeBinary,
        ("fixed_size_binary", 1, []) => FixedSizeBinary(number(0)?),
        ("decimal128", 2, []) => Decimal128(number(0)?.try_into().ok()?, number(1)?.try_into().ok()?),
        ("decimal256", 2, []) => Decimal256(number(0)?.try_into().ok()?, number(1)?.try_into().ok()?),
        ("date32", 0, []) => Date32,
        ("date64", 0, []) => Date64,
        ("time32", 1, []) => Time32(unit()?),
        ("time64", 1, []) => Time64(unit()?),
        ("timestamp", 1, []) => Timestamp(unit()?, None),
        ("timestamp", 2, []) => Timestamp(unit()?, Some(arguments[1].into())),
        ("duration", 1, []) => Duration(unit()?),
        ("interval", 1, []) => Interval(parse_interval(arguments[0])?),
        ("list", 0, [item]) => List(item.clone()),
        ("large_list", 0, [item]) => LargeList(item.clone()),
        ("fixed_size_list", 1, [item]) => FixedSizeList(item.clone(), number(0)?),
        ("struct", 0, fields) if !fields.is_empty() => Struct(fields.into()),
        ("map", 0, [key, value]) => map(key, value),
        ("dictionary", 0, [index, value]) => {
            Dictionary(Box::new(index.data_type().clone()), Box::new(value.data_type().clone()))
        }
        _ => return None,
    })
}

fn map(key: &Field, value: &Field) -> DataType {
    let key = key.clone().with_name("key").with_nullable(false);
    let entries = DataType::Struct(vec![key, value.clone().with_name("value")].into());
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

fn parse_unit(unit: &str) -> Option<TimeUnit> {
    [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .find(|known| show_unit(*known) == unit)
}

fn show_unit(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn parse_interval(unit: &str) -> Option<IntervalUnit> {
    [IntervalUnit::YearMonth, IntervalUnit::DayTime, IntervalUnit::MonthDayNano]
        .into_iter()
        .find(|known| show_interval(*known) == unit)
}

fn show_interval(unit: IntervalUnit) -> &'static str {
    match unit {
        IntervalUnit::YearMonth => "months",
        IntervalUnit::DayTime => "day_time",
        IntervalUnit::MonthDayNano => "month_day_nano",
    }
}

fn show_field(field: &Field) -> String {
    let null = if field.is_nullable() { "" } else { " not null" };
    format!("{}{null}", show(field.data_type()))
}

fn show(data_type: &DataType) -> String {
    use DataType::*;
    match data_type {
        Null => "null".to_string(),
        Boolean => "bool".to_string(),
        Utf8 => "utf8".to_string(),
        LargeUtf8 => "large_utf8".to_string(),
        Binary => "binary".to_string(),
        LargeBinary => "large_binary".to_string(),
        FixedSizeBinary(width) => format!("fixed_size_binary({width})"),
        Decimal128(digits, scale) => format!("decimal128({digits}, {scale})"),
        Decimal256(digits, scale) => format!("decimal256({digits}, {scale})"),
        Time32(unit) => format!("time32({})", show_unit(*unit)),
        Time64(unit) => format!("time64({})", show_unit(*unit)),
        Timestamp(unit, None) => format!("timestamp({})", show_unit(*unit)),
        Timestamp(unit, Some(zone)) => format!("timestamp({}, {zone})", show_unit(*unit)),
        Duration(unit) => format!("duration({})", show_unit(*unit)),
        Interval(unit) => format!("interval({})", show_interval(*unit)),
        List(item) => format!("list<{}>", show_field(item)),
        LargeList(item) => format!("large_list<{}>", show_field(item)),
        FixedSizeList(item, length) => format!("fixed_size_list({length})<{}>", show_field(item)),
        Struct(fields) => {
            let fields = fields.iter().map(|field| format!("{}: {}", field.name(), show_field(field)));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        Map(entries, _) => match entries.data_type() {
            Struct(fields) if fields.len() == 2 => {
                format!("map<{}, {}>", show(fields[0].data_type()), show_field(&fields[1]))
            }
            other => format!("map of {other}"),
        },
        Dictionary(index, value) => format!("dictionary<{}, {}>", show(index), show(value)),
        // Numbers and dates are called as Arrow calls them.
        other => other.to_string().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_shown_again() {
        let texts = [
            "int64 not null",
            "uint8",
            "float16",
            "date64",
            "timestamp(us, +02:00)",
            "time64(ns)",
            "interval(month_day_nano)",
            "decimal256(76, 10)",
            "fixed_size_list(3)<int32 not null>",
            "list<struct<a b: int64 not null, c: map<utf8, list<duration(s)> not null>> not null> not null",
            "dictionary<int8, utf8>",
            "fixed_size_binary(16)",
            "null",
        ];
        for text in texts {
            let typed = parse(text).unwrap();
            assert_eq!(show_field(&typed.field("x")), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "int", "int64 ", "int64(1)", "list<>", "list<int64", "struct<int64>", "time32(x)", "map<utf8>"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
