//! The rows of two versions in the same columns, so that they can be compared. Pure.
//!
//! A column whose type changed is compared in a type that is common to both, and perhaps to more versions. A value that
//! this type cannot hold is kept beside the columns, in its own type, and takes part in the comparison there: it equals
//! itself where both versions have its type, and nothing else.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
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
    /// The columns that may hold values which their common type cannot.
    mixed: Vec<(usize, Beside)>,
}

/// Where the values stand that a common type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// Where those of the other version stand: both have the same type.
    Shared,
    /// Where the other version has nulls: `from` before `to`.
    Before,
    Behind,
}

impl Alignment {
    /// Of two versions with those schemas; the columns are those of both, in types that hold what both hold.
    pub(super) fn of_both(columns: &Arc<[FieldRef]>, from: &Schema, to: &Schema) -> [Alignment; 2] {
        let places = |schema: &Schema| columns.iter().map(|column| schema.index_of(column.name()).ok()).collect();
        let [before, behind] = [Beside::Before, Beside::Behind].map(|own| mixed_columns(columns, from, to, own));
        [(from, before), (to, behind)].map(|(schema, mixed)| {
            let (columns, places) = (columns.clone(), places(schema));
            Alignment { columns, places, mixed }
        })
    }

    /// The rows in the common columns.
    pub(super) fn align(&self, batch: &RecordBatch) -> Result<Aligned> {
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut misfits = Vec::with_capacity(self.mixed.len());
        let mut mixed = self.mixed.iter().peekable();
        for (place, (source, field)) in self.places.iter().zip(self.columns.iter()).enumerate() {
            let beside = mixed.next_if(|(mixed, _)| *mixed == place).map(|(_, beside)| *beside);
            let Some(source) = source.map(|source| batch.column(source)) else {
                columns.push(new_null_array(field.data_type(), batch.num_rows()));
                misfits.extend(beside.map(|beside| Misfits { place, beside, values: None }));
                continue;
            };
            let converted = convert(source, field.data_type(), field.name())?;
            columns.push(converted.values);
            if let Some(beside) = beside {
                let values = converted.misfits.map(|misfits| set_apart(source, &misfits)).transpose()?;
                misfits.push(Misfits { place, beside, values });
            }
        }
        Ok(Aligned { columns, misfits, rows: batch.num_rows() })
    }
}

/// The columns of which a version has values in another type than the common one. What is nested always fits.
fn mixed_columns(columns: &[FieldRef], from: &Schema, to: &Schema, own: Beside) -> Vec<(usize, Beside)> {
    let beside = |column: &FieldRef| {
        let stored = [from, to].map(|schema| Some(schema.field_with_name(column.name()).ok()?.data_type()));
        let differs = |stored: &DataType| stored != column.data_type() && !stored.is_nested();
        let mixed = stored.iter().flatten().any(|stored| differs(stored));
        let apart = matches!(stored, [Some(from), Some(to)] if from != to);
        mixed.then_some(if apart { own } else { Beside::Shared })
    };
    columns.iter().enumerate().filter_map(|(place, column)| Some((place, beside(column)?))).collect()
}

/// The values that do not fit; null where one does.
fn set_apart(source: &ArrayRef, misfits: &BooleanArray) -> Result<ArrayRef> {
    not(misfits)
        .and_then(|fits| nullif(source, &fits))
        .map_err(|error| Error::internal(format!("cannot set values apart: {error}")))
}

/// Rows in the common columns of two versions.
pub(super) struct Aligned {
    /// The values; null where the common type cannot hold one.
    pub(super) columns: Vec<ArrayRef>,
    misfits: Vec<Misfits>,
    rows: usize,
}

/// The values of one column that its common type cannot hold.
struct Misfits {
    place: usize,
    beside: Beside,
    /// Null where a value fits; `None` if all do.
    values: Option<ArrayRef>,
}

impl Misfits {
    /// As columns that both versions have in the same order.
    fn compared(&self, rows: usize) -> impl Iterator<Item = ArrayRef> + use<> {
        let none = || new_null_array(&DataType::Null, rows);
        let own = self.values.clone().unwrap_or_else(none);
        let (first, second) = match self.beside {
            Beside::Shared => (own, None),
            Beside::Before => (own, Some(none())),
            Beside::Behind => (none(), Some(own)),
        };
        std::iter::once(first).chain(second)
    }
}

impl Aligned {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// What tells rows apart: all of these columns, or some.
    pub(super) fn compared(&self, some: Option<&[usize]>) -> Vec<ArrayRef> {
        let columns = match some {
            None => self.columns.clone(),
            Some(some) => some.iter().map(|place| self.columns[*place].clone()).collect(),
        };
        let wanted = |misfits: &&Misfits| some.is_none_or(|some| some.contains(&misfits.place));
        let misfits = self.misfits.iter().filter(wanted).flat_map(|misfits| misfits.compared(self.rows));
        columns.into_iter().chain(misfits).collect()
    }

    /// `UNSUPPORTED` if one of these rows holds a value that the type of its column cannot show.
    pub(super) fn check_shown(&self, rows: &[u64], columns: &[FieldRef]) -> Result<()> {
        for misfits in &self.misfits {
            let Some(values) = &misfits.values else { continue };
            if rows.iter().any(|row| values.is_valid(*row as usize)) {
                return Err(does_not_fit(values.data_type(), &columns[misfits.place]));
            }
        }
        Ok(())
    }
}
