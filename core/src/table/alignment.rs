//! The rows of two versions in the same columns, so that they can be compared. Pure.
//!
//! A column whose type changed is compared in the common type of both. A value that this type cannot hold equals none of
//! the other version: it is kept beside the columns, in its own type, and takes part in the comparison there.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{not, nullif};
use arrow::datatypes::{DataType, FieldRef, Schema};

use super::common_type::common_type;
use super::convert::{convert, does_not_fit};
use super::normal_type::type_name;
use crate::error::{Error, Result};

/// The columns of both versions: those of `to` in its order, then those that only `from` has; columns that have changed
/// their type in one that holds the values of both. `UNSUPPORTED` if there is none.
pub fn common_columns(from: &Schema, to: &Schema) -> Result<Vec<FieldRef>> {
    let both = |field: &FieldRef| {
        let Ok(old) = from.field_with_name(field.name()) else { return Ok(nullable(field)) };
        let common = common_type(old.data_type(), field.data_type());
        let common = common.ok_or_else(|| not_comparable(field.name(), old.data_type(), field.data_type()))?;
        let takes_nulls = old.is_nullable() || field.is_nullable();
        Ok(Arc::new(field.as_ref().clone().with_data_type(common).with_nullable(takes_nulls)))
    };
    let mut columns = to.fields().iter().map(both).collect::<Result<Vec<_>>>()?;
    columns.extend(from.fields().iter().filter(|field| to.index_of(field.name()).is_err()).map(nullable));
    Ok(columns)
}

fn nullable(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

fn not_comparable(column: &str, from: &DataType, to: &DataType) -> Error {
    let what = format!("comparing column {column:?} of {} with {}", type_name(from), type_name(to));
    Error::Unsupported { what, instead: "read both versions and compare them yourself".to_string() }
}

/// How the rows of one version come into the common columns.
#[derive(Clone, Debug)]
pub(super) struct Alignment {
    columns: Arc<[FieldRef]>,
    /// Where each column stands in this version.
    places: Vec<Option<usize>>,
    /// The columns whose types differ.
    mixed: Vec<usize>,
}

impl Alignment {
    /// Of the version with that schema, beside another.
    pub(super) fn of(columns: &Arc<[FieldRef]>, schema: &Schema, other: &Schema) -> Alignment {
        let places = columns.iter().map(|column| schema.index_of(column.name()).ok()).collect();
        let data_type = |schema: &Schema, name: &str| Some(schema.field_with_name(name).ok()?.data_type().clone());
        let differs = |column: &FieldRef| {
            let types = (data_type(schema, column.name()), data_type(other, column.name()));
            matches!(types, (Some(a), Some(b)) if a != b && !a.is_nested() && !b.is_nested())
        };
        let mixed = (0..columns.len()).filter(|place| differs(&columns[*place])).collect();
        Alignment { columns: columns.clone(), places, mixed }
    }

    /// The rows in the common columns.
    pub(super) fn align(&self, batch: &RecordBatch) -> Result<Aligned> {
        let mut aligned = Aligned { columns: Vec::with_capacity(self.columns.len()), misfits: Vec::new() };
        for (place, (source, field)) in self.places.iter().zip(self.columns.iter()).enumerate() {
            let Some(source) = source.map(|source| batch.column(source)) else {
                aligned.columns.push(new_null_array(field.data_type(), batch.num_rows()));
                continue;
            };
            let converted = convert(source, field.data_type(), field.name())?;
            aligned.columns.push(converted.values);
            if self.mixed.contains(&place) {
                let bug = |error| Error::internal(format!("cannot set values apart: {error}"));
                let kept = match converted.misfits {
                    Some(misfits) => nullif(source, &not(&misfits).map_err(bug)?).map_err(bug)?,
                    None => new_null_array(source.data_type(), source.len()),
                };
                aligned.misfits.push((place, kept));
            }
        }
        Ok(aligned)
    }
}

/// Rows in the common columns of two versions.
pub(super) struct Aligned {
    /// The values; null where the common type cannot hold one.
    pub(super) columns: Vec<ArrayRef>,
    /// For each column whose types differ, the values that its common type cannot hold; all else is null.
    misfits: Vec<(usize, ArrayRef)>,
}

impl Aligned {
    pub(super) fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.len())
    }

    /// What tells rows apart: all of these columns, or some.
    pub(super) fn compared(&self, some: Option<&[usize]>) -> Vec<ArrayRef> {
        let wanted = |place: &usize| some.is_none_or(|some| some.contains(place));
        let columns = match some {
            None => self.columns.clone(),
            Some(some) => some.iter().map(|place| self.columns[*place].clone()).collect(),
        };
        let misfits = self.misfits.iter().filter(|(place, _)| wanted(place)).map(|(_, kept)| kept.clone());
        columns.into_iter().chain(misfits).collect()
    }

    /// `UNSUPPORTED` if one of these rows holds a value that the type of its column cannot show.
    pub(super) fn check_shown(&self, rows: &[u64], columns: &[FieldRef]) -> Result<()> {
        for (place, kept) in &self.misfits {
            if rows.iter().any(|row| kept.is_valid(*row as usize)) {
                return Err(does_not_fit(kept.data_type(), &columns[*place]));
            }
        }
        Ok(())
    }
}
