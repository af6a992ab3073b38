//! Values that JSON has no form for. Arrow would write null for a float that is not finite, and the text of an error for
//! a time that it cannot show.

use std::sync::LazyLock;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, FieldRef, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Writes floats that are not finite as the texts `NaN`, `Infinity` and `-Infinity`, and refuses times that cannot be
/// written, as the infinite ones of SQL.
#[derive(Debug)]
pub(super) struct Faithful;

static USUAL: LazyLock<EncoderOptions> = LazyLock::new(EncoderOptions::default);

impl EncoderFactory for Faithful {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let value: Box<dyn Fn(usize) -> f64 + 'a> = match array.data_type() {
            DataType::Float16 => Box::new(|row| array.as_primitive::<Float16Type>().value(row).to_f64()),
            DataType::Float32 => Box::new(|row| array.as_primitive::<Float32Type>().value(row).into()),
            DataType::Float64 => Box::new(|row| array.as_primitive::<Float64Type>().value(row)),
            data_type if data_type.is_temporal() => return check_times(array).map(|()| None),
            _ => return Ok(None),
        };
        let usual = make_encoder(field, array, &USUAL)?;
        Ok(Some(NullableEncoder::new(Box::new(Float { usual, value }), array.nulls().cloned())))
    }
}

struct Float<'a> {
    usual: NullableEncoder<'a>,
    value: Box<dyn Fn(usize) -> f64 + 'a>,
}

impl Encoder for Float<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = (self.value)(row);
        match value {
            _ if value.is_finite() => self.usual.encode(row, out),
            _ if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
            _ if value > 0.0 => out.extend_from_slice(b"\"Infinity\""),
            _ => out.extend_from_slice(b"\"-Infinity\""),
        }
    }
}

fn check_times(array: &dyn Array) -> Result<(), ArrowError> {
    let options = FormatOptions::default().with_display_error(false);
    let times = ArrayFormatter::try_new(array, &options)?;
    let mut given = (0..array.len()).filter(|&row| array.is_valid(row));
    given.try_for_each(|row| times.value(row).try_to_string().map(drop))
}
