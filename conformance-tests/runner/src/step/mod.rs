//! One step of a case, its references resolved, with typed access to its arguments.

pub(crate) mod parameter;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value as Json};

use crate::case::suite_dir;
use crate::failure::Failure;

/// The fields of a step that are no arguments.
const COMMON: [&str; 7] = ["op", "on", "as", "expect", "error", "save", "note"];

/// One step. It remembers which arguments were asked for, so that one nobody knows is refused.
#[derive(Debug)]
pub struct Step {
    fields: Map<String, Json>,
    used: RefCell<BTreeSet<String>>,
}

impl Step {
    /// A step whose references are resolved.
    pub fn new(fields: Map<String, Json>) -> Step {
        Step { fields, used: RefCell::default() }
    }

    /// The operation.
    pub fn op(&self) -> &str {
        self.fields.get("op").and_then(Json::as_str).unwrap_or_default()
    }

    /// The name of the handle that it is called on.
    pub fn on(&self) -> Result<&str, Failure> {
        self.fields.get("on").and_then(Json::as_str).ok_or_else(|| Failure::Case("it needs a handle in `on`".into()))
    }

    /// The name for the handle that it makes.
    pub fn made(&self) -> Result<&str, Failure> {
        self.made_maybe().ok_or_else(|| Failure::Case("it needs a name in `as`".into()))
    }

    /// The same, where it is optional.
    pub fn made_maybe(&self) -> Option<&str> {
        self.fields.get("as").and_then(Json::as_str)
    }

    /// An argument as JSON.
    pub fn json(&self, name: &str) -> Option<&Json> {
        self.used.borrow_mut().insert(name.to_string());
        self.fields.get(name)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&str, Failure> {
        self.text_maybe(name)?.ok_or_else(|| missing(name))
    }

    /// A text that may be left out.
    pub fn text_maybe(&self, name: &str) -> Result<Option<&str>, Failure> {
        self.json(name).map(|value| value.as_str().ok_or_else(|| wrong(name, "a string"))).transpose()
    }

    /// A list of texts; empty if it is left out.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        Ok(self.texts_maybe(name)?.unwrap_or_default())
    }

    /// A list of texts that may be left out.
    pub fn texts_maybe(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let list = |value: &Json| {
            let texts = value.as_array()?.iter().map(|text| text.as_str().map(str::to_string));
            texts.collect::<Option<Vec<_>>>()
        };
        self.json(name).map(|value| list(value).ok_or_else(|| wrong(name, "an array of strings"))).transpose()
    }

    /// Whether a flag is set; not, if it is left out.
    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        self.json(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| wrong(name, "true or false")))
    }

    /// A number that cannot be negative.
    pub fn number(&self, name: &str) -> Result<u64, Failure> {
        self.number_maybe(name)?.ok_or_else(|| missing(name))
    }

    /// The same, where it may be left out.
    pub fn number_maybe(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.json(name).map(|value| integer(value).ok_or_else(|| wrong(name, "a number"))).transpose()
    }

    /// A number that may be negative or left out.
    pub fn signed_maybe(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.json(name).map(|value| integer(value).ok_or_else(|| wrong(name, "a number"))).transpose()
    }

    /// A map from tables to versions; empty if it is left out.
    pub fn versions(&self, name: &str) -> Result<BTreeMap<String, u64>, Failure> {
        self.json(name).map_or_else(|| Ok(BTreeMap::new()), |value| versions(name, value))
    }

    /// Where a read looks.
    pub fn at(&self, name: &str) -> Result<AtArguments, Failure> {
        self.json(name).map_or_else(|| Ok(AtArguments::default()), |value| AtArguments::parse(name, value))
    }

    /// The bytes of a chunk: in `data`, or a fixture.
    pub(crate) fn chunk_bytes(&self) -> Result<Vec<u8>, Failure> {
        match self.text_maybe("data")? {
            Some(data) => BASE64.decode(data).map_err(|_| wrong("data", "base64")),
            None => {
                let path = suite_dir().join("fixtures").join(self.text("fixture")?);
                std::fs::read(&path).map_err(|error| Failure::Case(format!("{}: {error}", path.display())))
            }
        }
    }

    /// Refuses arguments that nobody asked for.
    pub fn check_all_used(&self) -> Result<(), Failure> {
        let used = self.used.borrow();
        let unknown = |field: &&String| !COMMON.contains(&field.as_str()) && !used.contains(field.as_str());
        match self.fields.keys().find(unknown) {
            Some(field) => Err(Failure::Case(format!("`{}` has no argument {field:?}", self.op()))),
            None => Ok(()),
        }
    }

    pub(crate) fn fields(&self) -> &Map<String, Json> {
        &self.fields
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Json> {
        self.fields.get(name)
    }
}

/// Where a read looks, as a case says it.
#[derive(Clone, Debug, Default)]
pub struct AtArguments {
    pub(crate) branch: Option<String>,
    pub(crate) point: AtPoint,
    pub(crate) versions: BTreeMap<String, u64>,
}

/// The point that is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) enum AtPoint {
    #[default]
    Head,
    Tag(String),
    Transaction(u64),
    Time(i64),
}

impl AtArguments {
    fn parse(name: &str, value: &Json) -> Result<AtArguments, Failure> {
        let mut at = AtArguments::default();
        for (field, value) in value.as_object().ok_or_else(|| wrong(name, "an object"))? {
            let text = || value.as_str().map(str::to_string).ok_or_else(|| wrong(field, "a string"));
            match field.as_str() {
                "branch" => at.branch = Some(text()?),
                "tag" => at.point = AtPoint::Tag(text()?),
                "tx_id" => at.point = AtPoint::Transaction(integer(value).ok_or_else(|| wrong(field, "a number"))?),
                "time_us" => at.point = AtPoint::Time(integer(value).ok_or_else(|| wrong(field, "a number"))?),
                "versions" => at.versions = versions(field, value)?,
                other => return Err(Failure::Case(format!("`at` has no field {other:?}"))),
            }
        }
        Ok(at)
    }
}

/// A JSON number, or a string of digits, as an integer of some width.
pub(crate) fn integer<T: std::str::FromStr>(value: &Json) -> Option<T> {
    match value {
        Json::Number(number) => number.to_string().parse().ok(),
        Json::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

fn versions(name: &str, value: &Json) -> Result<BTreeMap<String, u64>, Failure> {
    let object = value.as_object().ok_or_else(|| wrong(name, "an object"))?;
    let version = |(table, version): (&String, &Json)| {
        Ok((table.clone(), integer(version).ok_or_else(|| wrong(table, "a number"))?))
    };
    object.iter().map(version).collect()
}

fn missing(name: &str) -> Failure {
    Failure::Case(format!("the argument {name:?} is missing"))
}

pub(crate) fn wrong(name: &str, expected: &str) -> Failure {
    Failure::Case(format!("the argument {name:?} is not {expected}"))
}
