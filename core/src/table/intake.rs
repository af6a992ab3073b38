//! Batches on their way into a table: matched to its columns and brought into normal form. Pure.

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::columns::{ChunkSchema, column_list};
use super::normal_array::{Misfit, conform};
use super::normal_type::{normal_schema, same_type, type_name};
use crate::error::{Error, Result};
use crate::format::TableName;

/// Rows are taken in in pieces of this many, so that what a piece becomes stays in the processor's cache.
const PIECE_ROWS: usize = 16_384;

/// Brings the batches of one stream into the form of one table.
#[derive(Debug)]
pub(super) struct Intake {
    table: TableName,
    /// The stream's schema; its batches must have the same columns.
    stream: SchemaRef,
    target: ChunkSchema,
    /// Where each of the table's columns stands in the stream; `None` if it is all nulls.
    places: Vec<Option<usize>>,
}

impl Intake {
    /// Matches a stream's columns to the table's by name. A column that the table does not have, has with another
    /// type, or cannot do without is `SCHEMA_MISMATCH`.
    pub(super) fn new(table: &TableName, stream: SchemaRef, target: ChunkSchema) -> Result<Intake> {
        let mut intake = Intake { table: table.clone(), stream, target, places: Vec::new() };
        if has_columns_of(&intake.stream, &intake.target.arrow) {
            intake.places = (0..intake.target.arrow.fields().len()).map(Some).collect();
            return Ok(intake);
        }
        let normal = normal_schema(&intake.stream)?;
        intake.check_known(&normal)?;
        let target = intake.target.arrow.clone();
        intake.places = target.fields().iter().map(|field| intake.place(&normal, field)).collect::<Result<_>>()?;
        Ok(intake)
    }

    /// The schema of what [`Intake::take`] returns.
    pub(super) fn target(&self) -> &ChunkSchema {
        &self.target
    }

    /// Brings one batch into the table's form, a piece at a time.
    pub(super) fn take(&self, batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
        self.check_batch(batch)?;
        let mut pieces = Vec::with_capacity(batch.num_rows() / PIECE_ROWS + 1);
        for start in (0..batch.num_rows()).step_by(PIECE_ROWS) {
            let piece = batch.slice(start, PIECE_ROWS.min(batch.num_rows() - start));
            self.take_piece(&piece, &mut pieces)?;
        }
        Ok(pieces)
    }

    /// Takes a piece, or halves of it while it is too large for 32-bit offsets.
    fn take_piece(&self, piece: &RecordBatch, pieces: &mut Vec<RecordBatch>) -> Result<()> {
        let columns: Result<Vec<ArrayRef>, Refusal<'_>> = self
            .target
            .arrow
            .fields()
            .iter()
            .zip(&self.places)
            .map(|(field, place)| match place {
                None => Ok(new_null_array(field.data_type(), piece.num_rows())),
                Some(place) => {
                    conform(piece.column(*place), field).map_err(|misfit| Refusal { column: field.name(), misfit })
                }
            })
            .collect();
        match columns {
            Ok(columns) => {
                let batch = RecordBatch::try_new(self.target.arrow.clone(), columns);
                pieces.push(batch.map_err(|error| self.mismatch(error.to_string()))?);
                Ok(())
            }
            Err(Refusal { misfit: Misfit::TooLarge, column }) => match piece.num_rows() {
                ..=1 => Err(too_large(column)),
                rows => {
                    self.take_piece(&piece.slice(0, rows / 2), pieces)?;
                    self.take_piece(&piece.slice(rows / 2, rows - rows / 2), pieces)
                }
            },
            Err(Refusal { misfit: Misfit::Wrong(reason), column }) => {
                Err(self.mismatch(format!("column {column:?}: {reason}")))
            }
        }
    }

    fn check_known(&self, normal: &Schema) -> Result<()> {
        let unknown = normal.fields().iter().find(|field| self.target.arrow.field_with_name(field.name()).is_err());
        unknown.map_or(Ok(()), |field| {
            let columns = column_list(&self.target.arrow);
            let reason =
                format!("the table has no column {:?} ({}); {columns}", field.name(), type_name(field.data_type()));
            Err(self.mismatch(reason))
        })
    }

    fn place(&self, normal: &Schema, field: &arrow::datatypes::Field) -> Result<Option<usize>> {
        let Some((place, given)) = normal.column_with_name(field.name()) else {
            return match field.is_nullable() {
                true => Ok(None),
                false => {
                    Err(self.mismatch(format!("column {:?} takes no nulls, and the rows do not have it", field.name())))
                }
            };
        };
        match same_type(field.data_type(), given.data_type()) {
            true => Ok(Some(place)),
            false => Err(self.mismatch(format!(
                "column {:?} is {}, and the rows have {}",
                field.name(),
                type_name(field.data_type()),
                type_name(given.data_type())
            ))),
        }
    }

    /// A stream's batches must be what its schema says; their fields' nullability and metadata may differ.
    fn check_batch(&self, batch: &RecordBatch) -> Result<()> {
        let (said, has) = (self.stream.fields(), batch.schema_ref().fields());
        if std::sync::Arc::ptr_eq(&self.stream, batch.schema_ref()) || said == has {
            return Ok(());
        }
        let same = said.len() == has.len()
            && said
                .iter()
                .zip(has)
                .all(|(said, has)| said.name() == has.name() && said.data_type().equals_datatype(has.data_type()));
        if same {
            return Ok(());
        }
        Err(self.mismatch(format!(
            "a batch differs from its stream's schema: {}, and in the stream {}",
            column_list(batch.schema_ref()),
            column_list(&self.stream)
        )))
    }

    fn mismatch(&self, reason: String) -> Error {
        Error::SchemaMismatch { table: self.table.to_string(), reason }
    }
}

struct Refusal<'a> {
    column: &'a str,
    misfit: Misfit,
}

fn too_large(column: &str) -> Error {
    Error::Unsupported {
        what: format!("a value of more than 2 GiB in column {column:?}"),
        instead: "split it".to_string(),
    }
}
/// Whether a stream has just the columns of a table, in their order and normal form: most do, and small writes gain.
fn has_columns_of(stream: &Schema, target: &Schema) -> bool {
    let same =
        |(given, field): (&FieldRef, &FieldRef)| given.name() == field.name() && given.data_type() == field.data_type();
    stream.fields().len() == target.fields().len() && stream.fields().iter().zip(target.fields()).all(same)
}
