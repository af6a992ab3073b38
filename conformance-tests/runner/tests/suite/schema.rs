//! A validator for the part of JSON Schema that the suite uses. A keyword that it does not know is an error, so that the
//! schema says nothing that is not checked.

use regex::Regex;
use serde_json::{Map, Value as Json};

/// Words that check nothing.
const SILENT: [&str; 4] = ["$schema", "title", "description", "$defs"];

/// Checks a value against a whole schema; the error says where, and which rule.
pub(crate) fn check(root: &Json, value: &Json) -> Result<(), String> {
    Validator { root }.check(root, value, "")
}

struct Validator<'a> {
    root: &'a Json,
}

impl Validator<'_> {
    fn check(&self, schema: &Json, value: &Json, path: &str) -> Result<(), String> {
        let schema = match schema {
            Json::Bool(true) => return Ok(()),
            Json::Bool(false) => return Err(format!("{path}: nothing may be here")),
            Json::Object(rules) => rules,
            other => return Err(format!("{other} is no schema")),
        };
        schema.iter().try_for_each(|(rule, argument)| self.rule(schema, rule, argument, value, path))
    }

    fn rule(
        &self,
        schema: &Map<String, Json>,
        rule: &str,
        argument: &Json,
        value: &Json,
        path: &str,
    ) -> Result<(), String> {
        let holds = |holds: bool| match holds {
            true => Ok(()),
            false => Err(format!("{}: {value} breaks {rule} {argument}", if path.is_empty() { "/" } else { path })),
        };
        match rule {
            silent if SILENT.contains(&silent) => Ok(()),
            "$ref" => {
                let pointer =
                    argument.as_str().and_then(|text| text.strip_prefix('#')).ok_or("only local references")?;
                let schema = self.root.pointer(pointer).ok_or_else(|| format!("there is nothing at {pointer}"))?;
                self.check(schema, value, path)
            }
            "type" => holds(is_type(argument, value)),
            "const" => holds(argument == value),
            "enum" => holds(argument.as_array().is_some_and(|known| known.contains(value))),
            "pattern" => {
                let pattern = Regex::new(argument.as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
                holds(value.as_str().is_none_or(|text| pattern.is_match(text)))
            }
            "minItems" => holds(value.as_array().is_none_or(|items| items.len() as u64 >= number(argument))),
            "maxItems" => holds(value.as_array().is_none_or(|items| items.len() as u64 <= number(argument))),
            "minProperties" => holds(value.as_object().is_none_or(|fields| fields.len() as u64 >= number(argument))),
            "maxProperties" => holds(value.as_object().is_none_or(|fields| fields.len() as u64 <= number(argument))),
            "required" => {
                let required = argument.as_array().into_iter().flatten().filter_map(Json::as_str);
                let missing = |fields: &Map<String, Json>| required.clone().any(|name| !fields.contains_key(name));
                holds(!value.as_object().is_some_and(missing))
            }
            "items" | "prefixItems" => self.items(rule, argument, value, path),
            "properties" | "additionalProperties" | "propertyNames" => self.fields(schema, rule, argument, value, path),
            "allOf" => schemas(argument).try_for_each(|schema| self.check(schema, value, path)),
            "anyOf" => holds(schemas(argument).any(|schema| self.check(schema, value, path).is_ok())),
            "oneOf" => holds(schemas(argument).filter(|schema| self.check(schema, value, path).is_ok()).count() == 1),
            "not" => holds(self.check(argument, value, path).is_err()),
            "if" => match (self.check(argument, value, path).is_ok(), schema.get("then")) {
                (true, Some(then)) => self.check(then, value, path),
                _ => Ok(()),
            },
            "then" => Ok(()),
            other => Err(format!("this validator does not know {other:?}")),
        }
    }

    fn items(&self, rule: &str, argument: &Json, value: &Json, path: &str) -> Result<(), String> {
        let Some(items) = value.as_array() else { return Ok(()) };
        let mut places = items.iter().enumerate();
        match rule {
            "items" => places.try_for_each(|(place, item)| self.check(argument, item, &format!("{path}/{place}"))),
            _ => places
                .zip(schemas(argument))
                .try_for_each(|((place, item), schema)| self.check(schema, item, &format!("{path}/{place}"))),
        }
    }

    fn fields(
        &self,
        schema: &Map<String, Json>,
        rule: &str,
        argument: &Json,
        value: &Json,
        path: &str,
    ) -> Result<(), String> {
        let Some(fields) = value.as_object() else { return Ok(()) };
        let known = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
        fields.iter().try_for_each(|(name, value)| {
            let path = format!("{path}/{name}");
            match rule {
                "properties" => argument.get(name).map_or(Ok(()), |schema| self.check(schema, value, &path)),
                "propertyNames" => self.check(argument, &Json::String(name.clone()), &path),
                _ if known(name) => Ok(()),
                _ => self.check(argument, value, &path),
            }
        })
    }
}

fn schemas(argument: &Json) -> impl Iterator<Item = &Json> {
    argument.as_array().into_iter().flatten()
}

fn number(argument: &Json) -> u64 {
    argument.as_u64().unwrap_or(u64::MAX)
}

fn is_type(argument: &Json, value: &Json) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match argument {
        Json::String(name) => is(name),
        names => schemas(names).filter_map(Json::as_str).any(is),
    }
}
