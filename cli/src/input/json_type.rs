//! Finds the types of JSON columns from a sample of objects, in the order in which the columns turn up.
//!
//! As careful as [`super::infer`]: a number is only taken for one if none of its digits would be lost; values of several
//! kinds in one place become text.

use armillaria::Result;
use arrow::datatypes::{DataType, Field, Schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::infer::TypeGuess;
use super::{ReadOptions, Source};

/// Values that are nested deeper than this are refused: walking them takes stack.
const DEPTH_MAX: usize = 64;

/// What all values seen at one place have in common.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Nothing but nulls.
    Nothing,
    /// Texts, numbers, booleans.
    Scalar(Scalar),
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
    /// A list here, an object or a scalar there.
    Mixed,
}

/// Texts and booleans stay what they are; a number is what CSV would make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Number(TypeGuess),
    Text,
}

/// The columns of a sample of objects.
pub(super) fn columns(source: &Source, shape: Shape, options: &ReadOptions) -> Result<Schema> {
    let Shape::Object(columns) = shape else { return Ok(Schema::empty()) };
    let field = |(name, shape): (String, Shape)| match shape.data_type() {
        Some(data_type) => Ok(Field::new(name, data_type, true)),
        None if options.chosen_type(&name).is_some() => Ok(Field::new(name, DataType::Utf8, true)),
        None => Err(source.wrong(format!("column {name:?} holds lists or objects in some places and not in others"))),
    };
    columns.into_iter().map(field).collect::<Result<Vec<_>>>().map(Schema::new)
}

impl Shape {
    /// Takes one more value into account.
    pub(super) fn see(&mut self, value: &RawValue) -> Result<(), serde_json::Error> {
        self.see_at(value, 0)
    }

    fn see_at(&mut self, value: &RawValue, depth: usize) -> Result<(), serde_json::Error> {
        if depth > DEPTH_MAX {
            return Err(serde::de::Error::custom("the values are nested too deeply"));
        }
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'n') => Ok(()),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                let Some(inner) = self.as_list() else { return Ok(()) };
                items.into_iter().try_for_each(|item| inner.see_at(item, depth + 1))
            }
            Some(b'{') => {
                let entries: Entries<'_> = serde_json::from_str(text)?;
                let Some(fields) = self.as_object() else { return Ok(()) };
                entries.0.iter().try_for_each(|(name, value)| field(fields, name).see_at(value, depth + 1))
            }
            first => {
                self.merge(Scalar::of(first.copied(), text));
                Ok(())
            }
        }
    }

    /// The shape of the items, if this can be a list.
    fn as_list(&mut self) -> Option<&mut Shape> {
        match self {
            Shape::Nothing => *self = Shape::List(Box::new(Shape::Nothing)),
            Shape::List(_) => {}
            _ => *self = Shape::Mixed,
        }
        if let Shape::List(inner) = self { Some(inner) } else { None }
    }

    /// The fields, if this can be an object.
    fn as_object(&mut self) -> Option<&mut Vec<(String, Shape)>> {
        match self {
            Shape::Nothing => *self = Shape::Object(Vec::new()),
            Shape::Object(_) => {}
            _ => *self = Shape::Mixed,
        }
        if let Shape::Object(fields) = self { Some(fields) } else { None }
    }

    fn merge(&mut self, scalar: Scalar) {
        *self = match std::mem::replace(self, Shape::Nothing) {
            Shape::Nothing => Shape::Scalar(scalar),
            Shape::Scalar(known) => Shape::Scalar(known.common(scalar)),
            Shape::List(_) | Shape::Object(_) | Shape::Mixed => Shape::Mixed,
        };
    }

    /// The type; text where there was nothing, `None` where no type holds all values.
    fn data_type(&self) -> Option<DataType> {
        match self {
            Shape::Nothing => Some(DataType::Utf8),
            Shape::Scalar(scalar) => Some(scalar.data_type()),
            Shape::List(inner) => inner.data_type().map(|inner| DataType::new_list(inner, true)),
            Shape::Object(fields) => {
                let field = |(name, shape): &(String, Shape)| Some(Field::new(name, shape.data_type()?, true));
                fields.iter().map(field).collect::<Option<Vec<_>>>().map(|fields| DataType::Struct(fields.into()))
            }
            Shape::Mixed => None,
        }
    }
}

impl Scalar {
    fn of(first: Option<u8>, text: &str) -> Scalar {
        match first {
            Some(b'"') => Scalar::Text,
            Some(b't' | b'f') => Scalar::Bool,
            _ => {
                let mut number = TypeGuess::new();
                number.see(text);
                Scalar::Number(number)
            }
        }
    }

    fn common(self, other: Scalar) -> Scalar {
        match (self, other) {
            (Scalar::Number(a), Scalar::Number(b)) => Scalar::Number(a.common(b)),
            (a, b) if a == b => a,
            _ => Scalar::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Scalar::Bool => DataType::Boolean,
            Scalar::Number(guess) => guess.data_type(),
            Scalar::Text => DataType::Utf8,
        }
    }
}

/// The field of this name; a new one comes last.
fn field<'a>(fields: &'a mut Vec<(String, Shape)>, name: &str) -> &'a mut Shape {
    let place = fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        fields.push((name.into(), Shape::Nothing));
        fields.len() - 1
    });
    &mut fields[place].1
}

/// The members of an object, in their order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = members.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(values: &[&str]) -> Option<DataType> {
        let mut shape = Shape::Nothing;
        for value in values {
            shape.see(&serde_json::from_str::<Box<RawValue>>(value).unwrap()).unwrap();
        }
        shape.data_type()
    }

    #[test]
    fn the_narrowest_type_that_loses_nothing_wins() {
        assert_eq!(shape(&["1", "null", "-7"]), Some(DataType::Int64));
        assert_eq!(shape(&["1", "2.5", "1e3"]), Some(DataType::Float64));
        assert_eq!(shape(&["true", "false"]), Some(DataType::Boolean));
        for text in
            [&["18446744073709551615"][..], &["9007199254740993", "1.5"], &["1", "\"x\""], &["true", "1"], &["null"]]
        {
            assert_eq!(shape(text), Some(DataType::Utf8), "{text:?}");
        }
    }

    #[test]
    fn nested_values_are_united() {
        assert_eq!(shape(&["[1]", "[]", "[2.5, null]"]), Some(DataType::new_list(DataType::Float64, true)));
        let fields = vec![Field::new("b", DataType::Int64, true), Field::new("a", DataType::Utf8, true)];
        assert_eq!(shape(&["{\"b\":1}", "{\"a\":\"x\",\"b\":2}"]), Some(DataType::Struct(fields.into())));
        assert_eq!(shape(&["[1]", "1"]), None);
        assert_eq!(shape(&["{\"a\":1}", "[1]"]), None);
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(Shape::Nothing.see(&serde_json::from_str::<Box<RawValue>>(&deep).unwrap()).is_err());
    }
}
