//! Parameters of statements, as a case writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value as Json;

use super::{Step, integer, wrong};
use crate::failure::Failure;
use crate::rows::float;

/// The parameters of a statement.
#[derive(Debug)]
pub(crate) enum Parameters {
    Positional(Vec<Parameter>),
    Named(Vec<(String, Parameter)>),
}

/// One value.
#[derive(Debug)]
pub(crate) enum Parameter {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
}

impl Step {
    /// The parameters in `params`; none if it is left out.
    pub(crate) fn parameters(&self) -> Result<Parameters, Failure> {
        match self.json("params") {
            None => Ok(Parameters::Positional(Vec::new())),
            Some(Json::Array(values)) => values.iter().map(parse).collect::<Result<_, _>>().map(Parameters::Positional),
            Some(Json::Object(values)) => {
                let named = values.iter().map(|(name, value)| Ok((name.clone(), parse(value)?)));
                named.collect::<Result<_, Failure>>().map(Parameters::Named)
            }
            Some(_) => Err(wrong("params", "an array or an object")),
        }
    }
}

fn parse(value: &Json) -> Result<Parameter, Failure> {
    let known = || {
        let mut fields = value.as_object()?.iter();
        let (Some((kind, value)), None) = (fields.next(), fields.next()) else { return None };
        Some(match kind.as_str() {
            "null" => Parameter::Null,
            "bool" => Parameter::Bool(value.as_bool()?),
            "int" => Parameter::Int(integer(value)?),
            "uint" => Parameter::UInt(integer(value)?),
            "float" => Parameter::Float(float(value)?),
            "text" => Parameter::Text(value.as_str()?.to_string()),
            "bytes" => Parameter::Bytes(BASE64.decode(value.as_str()?).ok()?),
            "date" => Parameter::Date(integer(value)?),
            "time" => Parameter::Time(integer(value)?),
            "timestamp" => Parameter::Timestamp(integer(value)?),
            _ => return None,
        })
    };
    known().ok_or_else(|| Failure::Case(format!("{value} is no parameter")))
}
