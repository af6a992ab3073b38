//! What a WHERE clause says of single columns of single tables, as far as statistics can answer it.
//!
//! A condition is something that every row of a table that can matter fulfils. It is taken only from where that is
//! certain: conjuncts of a WHERE clause, on tables that its FROM clause names directly or joins by INNER or CROSS JOIN. What is
//! not understood is left out, which only makes a condition weaker.

use serde_json::{Map, Value as Json};

use super::constant::Constant;
use super::references::text;

/// Something that rows fulfil.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// One of these at least.
    Any(Vec<Condition>),
    /// The column compared with a value.
    Compare { column: String, comparison: Comparison, value: Operand },
    /// The column lies between two values, both included.
    Between { column: String, low: Operand, high: Operand },
    /// The column is null.
    Null { column: String },
    /// The column is not null.
    NotNull { column: String },
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// A value that the statement spells.
    Constant(Constant),
    /// The value of a parameter.
    Parameter(String),
}

/// A table that a FROM clause names.
struct Source<'a> {
    mark: &'a str,
    alias: &'a str,
    /// Whether it is the only one, so that bare names can mean its columns only.
    alone: bool,
}

/// The condition for each table in the FROM clause of a SELECT, by the table's mark.
pub(super) fn of_select(select: &Map<String, Json>) -> Vec<(String, Condition)> {
    let (Some(filter), Some(from)) = (select.get("where_clause"), select.get("from_table")) else { return Vec::new() };
    if !select.get("sample").is_none_or(Json::is_null) {
        return Vec::new();
    }
    let alone = text_of(from, "type") == "BASE_TABLE";
    let mut tables = Vec::new();
    inner_tables(from, &mut tables);
    let unique = |alias: &str| tables.iter().filter(|table| alias_of(table).eq_ignore_ascii_case(alias)).count() == 1;
    let sources = tables.iter().filter(|table| is_plain(table) && unique(alias_of(table)));
    let sources = sources.map(|table| Source { mark: text_of(table, "table_name"), alias: alias_of(table), alone });
    sources.filter_map(|source| Some((source.mark.to_owned(), condition(filter, &source)?))).collect()
}

/// The tables whose rows pass through joins unchanged or not at all.
fn inner_tables<'a>(from: &'a Json, tables: &mut Vec<&'a Json>) {
    match text_of(from, "type") {
        "BASE_TABLE" => tables.push(from),
        "JOIN" => {
            let inner = text_of(from, "join_type") == "INNER";
            if inner && matches!(text_of(from, "ref_type"), "REGULAR" | "CROSS") {
                ["left", "right"].iter().filter_map(|side| from.get(side)).for_each(|side| inner_tables(side, tables));
            }
        }
        _ => {}
    }
}

fn alias_of(table: &Json) -> &str {
    text_of(table, "alias")
}

/// Whether all rows of the table take part, under the names of its own columns.
fn is_plain(table: &Json) -> bool {
    let renamed = table.get("column_name_alias").and_then(Json::as_array).is_some_and(|names| !names.is_empty());
    table.get("sample").is_none_or(Json::is_null) && !renamed
}

fn condition(tree: &Json, source: &Source<'_>) -> Option<Condition> {
    match text_of(tree, "type") {
        "CONJUNCTION_AND" => {
            let parts: Vec<_> = children(tree)?.iter().filter_map(|child| condition(child, source)).collect();
            (!parts.is_empty()).then_some(Condition::All(parts))
        }
        "CONJUNCTION_OR" => {
            children(tree)?.iter().map(|child| condition(child, source)).collect::<Option<_>>().map(Condition::Any)
        }
        "COMPARE_BETWEEN" => between(tree, source),
        "COMPARE_IN" => one_of(tree, source),
        "OPERATOR_IS_NULL" => Some(Condition::Null { column: only_column(tree, source)? }),
        "OPERATOR_IS_NOT_NULL" => Some(Condition::NotNull { column: only_column(tree, source)? }),
        kind => compare(Comparison::of(kind)?, tree, source),
    }
}

fn between(tree: &Json, source: &Source<'_>) -> Option<Condition> {
    let column = column(tree.get("input")?, source)?;
    Some(Condition::Between { column, low: operand(tree.get("lower")?)?, high: operand(tree.get("upper")?)? })
}

fn one_of(tree: &Json, source: &Source<'_>) -> Option<Condition> {
    let (first, values) = children(tree)?.split_first()?;
    let column = column(first, source)?;
    let values = values.iter().map(operand).collect::<Option<Vec<_>>>()?;
    let alike = |pair: &[Operand]| match pair {
        [Operand::Constant(a), Operand::Constant(b)] => std::mem::discriminant(a) == std::mem::discriminant(b),
        _ => false,
    };
    let equal = |value| Condition::Compare { column: column.clone(), comparison: Comparison::Equal, value };
    values.windows(2).all(alike).then(|| Condition::Any(values.into_iter().map(equal).collect()))
}

fn compare(comparison: Comparison, tree: &Json, source: &Source<'_>) -> Option<Condition> {
    let (left, right) = (tree.get("left")?, tree.get("right")?);
    match (column(left, source), column(right, source)) {
        (Some(column), None) => Some(Condition::Compare { column, comparison, value: operand(right)? }),
        (None, Some(column)) => {
            Some(Condition::Compare { column, comparison: comparison.turned(), value: operand(left)? })
        }
        _ => None,
    }
}

fn only_column(tree: &Json, source: &Source<'_>) -> Option<String> {
    match children(tree)?.as_slice() {
        [child] => column(child, source),
        _ => None,
    }
}

fn column(tree: &Json, source: &Source<'_>) -> Option<String> {
    if text_of(tree, "class") != "COLUMN_REF" {
        return None;
    }
    let names: Vec<&str> = tree.get("column_names")?.as_array()?.iter().filter_map(Json::as_str).collect();
    match names.as_slice() {
        [name] if source.alone => Some((*name).to_owned()),
        [table, name] if table.eq_ignore_ascii_case(source.alias) => Some((*name).to_owned()),
        _ => None,
    }
}

fn operand(tree: &Json) -> Option<Operand> {
    match text_of(tree, "class") {
        "PARAMETER" => Some(Operand::Parameter(text_of(tree, "identifier").to_owned())),
        _ => Constant::of_tree(tree).map(Operand::Constant),
    }
}

fn children(tree: &Json) -> Option<&Vec<Json>> {
    tree.get("children")?.as_array()
}

pub(super) fn text_of<'a>(tree: &'a Json, key: &str) -> &'a str {
    tree.as_object().map(|object| text(object, key)).unwrap_or_default()
}

impl Comparison {
    fn of(kind: &str) -> Option<Comparison> {
        Some(match kind {
            "COMPARE_EQUAL" => Comparison::Equal,
            "COMPARE_LESSTHAN" => Comparison::Less,
            "COMPARE_LESSTHANOREQUALTO" => Comparison::LessOrEqual,
            "COMPARE_GREATERTHAN" => Comparison::Greater,
            "COMPARE_GREATERTHANOREQUALTO" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The same with its sides exchanged.
    fn turned(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::Equal,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        }
    }
}
