//! Patterns: what a result must match. And references: values that earlier steps saved.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// Values that earlier steps saved, by name.
pub(crate) type Saved = BTreeMap<String, Json>;

/// Puts saved values in the place of `$ref` and `$concat`, anywhere in a value.
pub(crate) fn resolve(value: &Json, saved: &Saved) -> Result<Json, String> {
    match value {
        Json::Array(items) => items.iter().map(|item| resolve(item, saved)).collect::<Result<_, _>>().map(Json::Array),
        Json::Object(fields) => match special(fields) {
            Some(("$ref", name)) => {
                let name = name.as_str().ok_or("a $ref names a saved value")?;
                saved.get(name).cloned().ok_or_else(|| format!("no step saved {name:?}"))
            }
            Some(("$concat", parts)) => concat(parts, saved),
            _ => {
                let resolved = fields.iter().map(|(key, value)| Ok((key.clone(), resolve(value, saved)?)));
                resolved.collect::<Result<Map<_, _>, String>>().map(Json::Object)
            }
        },
        scalar => Ok(scalar.clone()),
    }
}

fn concat(parts: &Json, saved: &Saved) -> Result<Json, String> {
    let parts = parts.as_array().ok_or("a $concat is an array")?;
    let part = |part: &Json| match resolve(part, saved)? {
        Json::String(text) => Ok(text),
        Json::Number(number) => Ok(number.to_string()),
        other => Err(format!("a $concat is of texts and numbers, not {other}")),
    };
    Ok(Json::String(parts.iter().map(part).collect::<Result<Vec<_>, String>>()?.concat()))
}

/// The single field of an object whose name begins with `$`.
fn special(fields: &Map<String, Json>) -> Option<(&str, &Json)> {
    let mut iter = fields.iter();
    match (iter.next(), iter.next()) {
        (Some((key, value)), None) if key.starts_with('$') => Some((key, value)),
        _ => None,
    }
}

/// Says where a value does not match a pattern; the path is empty at the top.
pub(crate) fn check(pattern: &Json, actual: &Json, path: &str) -> Result<(), String> {
    match pattern {
        Json::Object(fields) => match special(fields) {
            Some((name, argument)) => check_special(name, argument, actual, path),
            None => check_object(fields, actual, path),
        },
        Json::Array(patterns) => {
            let items = array(patterns.len(), actual, path)?;
            let mut pairs = patterns.iter().zip(items).enumerate();
            pairs.try_for_each(|(index, (pattern, item))| check(pattern, item, &format!("{path}/{index}")))
        }
        scalar if same_scalar(scalar, actual) => Ok(()),
        scalar => Err(mismatch(path, &scalar.to_string(), actual)),
    }
}

fn check_object(fields: &Map<String, Json>, actual: &Json, path: &str) -> Result<(), String> {
    let Some(object) = actual.as_object() else { return Err(mismatch(path, "an object", actual)) };
    fields.iter().try_for_each(|(name, pattern)| match object.get(name) {
        Some(value) => check(pattern, value, &format!("{path}/{name}")),
        None => Err(format!("at {path}/{name}: expected {pattern}, there is no such field")),
    })
}

fn check_special(name: &str, argument: &Json, actual: &Json, path: &str) -> Result<(), String> {
    match name {
        "$any" if actual.is_null() => Err(mismatch(path, "anything but null", actual)),
        "$any" => Ok(()),
        "$contains" => {
            let wanted = argument.as_str().ok_or("$contains takes a string")?;
            match actual.as_str() {
                Some(text) if text.contains(wanted) => Ok(()),
                _ => Err(mismatch(path, &format!("a string with {wanted:?} in it"), actual)),
            }
        }
        "$unordered" => check_unordered(argument.as_array().ok_or("$unordered takes an array")?, actual, path),
        other => Err(format!("there is no matcher {other:?}")),
    }
}

fn check_unordered(patterns: &[Json], actual: &Json, path: &str) -> Result<(), String> {
    let mut left: Vec<&Json> = array(patterns.len(), actual, path)?.iter().collect();
    for pattern in patterns {
        match left.iter().position(|item| check(pattern, item, path).is_ok()) {
            Some(place) => drop(left.swap_remove(place)),
            None => return Err(mismatch(path, &format!("an element {pattern}, in any place"), actual)),
        }
    }
    Ok(())
}

fn array<'a>(length: usize, actual: &'a Json, path: &str) -> Result<&'a Vec<Json>, String> {
    let items = actual.as_array().ok_or_else(|| mismatch(path, "an array", actual))?;
    match items.len() == length {
        true => Ok(items),
        false => Err(mismatch(path, &format!("{length} elements"), actual)),
    }
}

fn same_scalar(pattern: &Json, actual: &Json) -> bool {
    match (pattern, actual) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()),
        (a, b) => a == b,
    }
}

fn mismatch(path: &str, expected: &str, actual: &Json) -> String {
    const SHOWN_CHARS_MAX: usize = 2000;
    let shown: String = actual.to_string().chars().take(SHOWN_CHARS_MAX).collect();
    format!("at {}: expected {expected}, got {shown}", if path.is_empty() { "/" } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: Json, actual: Json) -> bool {
        check(&pattern, &actual, "").is_ok()
    }

    #[test]
    fn scalars_and_arrays_are_exact_and_objects_partial() {
        assert!(matches(json!({"a": 1}), json!({"a": 1.0, "b": 2})));
        assert!(!matches(json!({"a": 1}), json!({"b": 1})));
        assert!(!matches(json!({"a": null}), json!({})));
        assert!(matches(json!([1, {"x": "y"}]), json!([1, {"x": "y", "z": 0}])));
        assert!(!matches(json!([1]), json!([1, 2])));
        assert!(!matches(json!("1"), json!(1)));
        assert!(!matches(json!(9007199254740993_u64), json!(9007199254740992_u64)));
    }

    #[test]
    fn matchers_match() {
        assert!(matches(json!({"$any": true}), json!(0)));
        assert!(!matches(json!({"$any": true}), json!(null)));
        assert!(matches(json!({"$contains": "b"}), json!("abc")));
        assert!(!matches(json!({"$contains": "d"}), json!("abc")));
        assert!(matches(json!({"$unordered": [2, 1, 1]}), json!([1, 1, 2])));
        assert!(!matches(json!({"$unordered": [2, 2, 1]}), json!([1, 1, 2])));
        assert!(!matches(json!({"$unknown": 1}), json!(1)));
    }

    #[test]
    fn saved_values_stand_in() {
        let saved = Saved::from([("h".to_string(), json!("ab")), ("n".to_string(), json!(7))]);
        let step = json!({"object": {"$concat": ["chunk:", {"$ref": "h"}, {"$ref": "n"}]}, "list": [{"$ref": "n"}]});
        assert_eq!(resolve(&step, &saved).unwrap(), json!({"object": "chunk:ab7", "list": [7]}));
        assert!(resolve(&json!({"$ref": "x"}), &saved).is_err());
    }
}
