//! Parameters of statements.

use armillaria::{Parameters, Value};

use crate::failure::Failure;
use crate::step::Step;
use crate::step::parameter::{Parameter, Parameters as Arguments};

/// The parameters that a step gives.
pub(super) struct Given {
    arguments: Arguments,
}

/// Values with borrowed names, as the core takes them.
pub(super) enum Borrowed<'a> {
    Positional(Vec<Value>),
    Named(Vec<(&'a str, Value)>),
}

impl Given {
    pub(super) fn parse(step: &Step) -> Result<Given, Failure> {
        Ok(Given { arguments: step.parameters()? })
    }

    pub(super) fn values(&self) -> Borrowed<'_> {
        match &self.arguments {
            Arguments::Positional(values) => Borrowed::Positional(values.iter().map(value).collect()),
            Arguments::Named(values) => {
                Borrowed::Named(values.iter().map(|(name, given)| (name.as_str(), value(given))).collect())
            }
        }
    }
}

impl Borrowed<'_> {
    pub(super) fn parameters(&self) -> Parameters<'_> {
        match self {
            Borrowed::Positional(values) => Parameters::Positional(values),
            Borrowed::Named(values) => Parameters::Named(values),
        }
    }
}

fn value(parameter: &Parameter) -> Value {
    match parameter {
        Parameter::Null => Value::Null,
        Parameter::Bool(value) => Value::Bool(*value),
        Parameter::Int(value) => Value::Int(*value),
        Parameter::UInt(value) => Value::UInt(*value),
        Parameter::Float(value) => Value::Float(*value),
        Parameter::Text(value) => Value::Text(value.clone()),
        Parameter::Bytes(value) => Value::Bytes(value.clone()),
        Parameter::Date(value) => Value::Date(*value),
        Parameter::Time(value) => Value::Time(*value),
        Parameter::Timestamp(value) => Value::Timestamp(*value),
    }
}
