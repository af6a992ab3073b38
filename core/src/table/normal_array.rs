//! Values into normal form: arrays of any physical type become arrays of their column's normal type. Pure.
//!
//! After this a column has exactly its declared type, nulls only where allowed, decimals of the declared digits, and
//! one bit pattern for NaN. Values are never changed otherwise: what does not fit is an error.

use std::sync::Arc;

use arrow::array::types::{
    Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
    Time32MillisecondType, Time32SecondType, TimestampMillisecondType, TimestampSecondType,
};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, Decimal256Array, FixedSizeListArray,
    GenericByteArray, GenericListArray, ListArray, MapArray, OffsetSizeTrait, PrimitiveArray, StructArray, make_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    BinaryType, ByteArrayType, DataType, Field, Fields, LargeBinaryType, LargeUtf8Type, TimeUnit, Utf8Type,
};
use arrow::error::ArrowError;

/// Why an array cannot be brought into normal form.
#[derive(Debug)]
pub(super) enum Misfit {
    /// More than 2 GiB in one array: fewer rows at a time may do.
    TooLarge,
    /// The values do not fit the column; the words say why.
    Wrong(String),
}

type Fit<T> = Result<T, Misfit>;
type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Brings one column into the normal type that `field` has; nulls where it takes none are refused.
pub(super) fn conform(array: &ArrayRef, field: &Field) -> Fit<ArrayRef> {
    let conformed = conform_type(array, field.data_type())?;
    match !field.is_nullable() && conformed.null_count() > 0 {
        true => Err(Misfit::Wrong(format!("{:?} takes no nulls, and the rows have some", field.name()))),
        false => Ok(conformed),
    }
}

fn conform_type(array: &ArrayRef, target: &DataType) -> Fit<ArrayRef> {
    use DataType::*;
    match (array.data_type(), target) {
        (Dictionary(_, values), _) => conform_type(&unpack(array, values)?, target),
        (RunEndEncoded(_, values), _) => conform_type(&unpack(array, values.data_type())?, target),
        (ListView(item), _) => conform_type(&unpack(array, &List(item.clone()))?, target),
        (LargeListView(item), _) => conform_type(&unpack(array, &LargeList(item.clone()))?, target),
        (Utf8View, Utf8) => unpack_views(array, array.as_string_view().total_bytes_len(), target),
        (BinaryView, Binary) => unpack_views(array, array.as_binary_view().total_bytes_len(), target),
        (LargeUtf8, Utf8) => small_bytes::<LargeUtf8Type, Utf8Type>(array),
        (LargeBinary, Binary) => small_bytes::<LargeBinaryType, BinaryType>(array),
        (List(_), List(item)) => conform_list::<i32>(array.as_list(), item),
        (LargeList(_), List(item)) => conform_list::<i64>(array.as_list(), item),
        (FixedSizeList(_, length), FixedSizeList(item, same)) if length == same => {
            conform_fixed_list(array.as_fixed_size_list(), item, *length)
        }
        (Struct(_), Struct(fields)) => Ok(Arc::new(conform_struct(array.as_struct(), fields)?)),
        (Map(..), Map(entries, _)) => conform_map(array.as_map(), entries),
        (Float16, Float16) => Ok(one_nan::<Float16Type>(array, Half::is_nan, Half::NAN)),
        (Float32, Float32) => Ok(one_nan::<Float32Type>(array, f32::is_nan, f32::NAN)),
        (Float64, Float64) => Ok(one_nan::<Float64Type>(array, f64::is_nan, f64::NAN)),
        (Decimal32(_, a), Decimal128(digits, b)) if a == b => widen::<Decimal32Type>(array, *digits, *b),
        (Decimal64(_, a), Decimal128(digits, b)) if a == b => widen::<Decimal64Type>(array, *digits, *b),
        (Decimal128(_, a), Decimal128(digits, b)) if a == b => widen::<Decimal128Type>(array, *digits, *b),
        (Decimal256(_, a), Decimal128(digits, b)) if a == b => narrow_decimal(array, *digits, *b),
        (Decimal256(_, a), Decimal256(digits, b)) if a == b => check_decimal256(array, *digits),
        (Date64, Timestamp(TimeUnit::Millisecond, None)) => {
            Ok(Arc::new(array.as_primitive::<Date64Type>().reinterpret_cast::<TimestampMillisecondType>()))
        }
        (Timestamp(TimeUnit::Second, zone), Timestamp(TimeUnit::Millisecond, same)) if zone == same => {
            let scaled = thousandfold::<TimestampSecondType, TimestampMillisecondType>(array, i64::checked_mul, 1000)?;
            Ok(Arc::new(scaled.with_timezone_opt(zone.clone())))
        }
        (Time32(TimeUnit::Second), Time32(TimeUnit::Millisecond)) => {
            Ok(Arc::new(thousandfold::<Time32SecondType, Time32MillisecondType>(array, i32::checked_mul, 1000)?))
        }
        (from, to) if from == to => Ok(array.clone()),
        (from, to) => Err(Misfit::Wrong(format!("it is {to}, and the rows have {from}"))),
    }
}

fn unpack(array: &ArrayRef, target: &DataType) -> Fit<ArrayRef> {
    cast(array, target).map_err(misfit)
}

fn unpack_views(array: &ArrayRef, bytes: usize, target: &DataType) -> Fit<ArrayRef> {
    if bytes > i32::MAX as usize { Err(Misfit::TooLarge) } else { unpack(array, target) }
}

fn misfit(error: ArrowError) -> Misfit {
    match error {
        ArrowError::OffsetOverflowError(_) => Misfit::TooLarge,
        other => Misfit::Wrong(other.to_string()),
    }
}

/// Rebases 64-bit offsets to 32 bits; returns them and the range of values that they cover.
fn small_offsets<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> Fit<(OffsetBuffer<i32>, usize, usize)> {
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    if last - first > i32::MAX as usize {
        return Err(Misfit::TooLarge);
    }
    let rebased: ScalarBuffer<i32> = offsets.iter().map(|offset| (offset.as_usize() - first) as i32).collect();
    Ok((OffsetBuffer::new(rebased), first, last - first))
}

fn small_bytes<L, S>(array: &ArrayRef) -> Fit<ArrayRef>
where
    L: ByteArrayType<Offset = i64>,
    S: ByteArrayType<Offset = i32>,
{
    let array = array.as_bytes::<L>();
    let (offsets, start, length) = small_offsets(array.offsets())?;
    let values = array.values().slice_with_length(start, length);
    let small = GenericByteArray::<S>::try_new(offsets, values, array.nulls().cloned()).map_err(misfit)?;
    Ok(Arc::new(small))
}

fn conform_list<O: OffsetSizeTrait>(list: &GenericListArray<O>, item: &Arc<Field>) -> Fit<ArrayRef> {
    let (offsets, start, length) = small_offsets(list.offsets())?;
    let values = conform(&list.values().slice(start, length), item)?;
    Ok(Arc::new(ListArray::try_new(item.clone(), offsets, values, list.nulls().cloned()).map_err(misfit)?))
}

fn conform_fixed_list(list: &FixedSizeListArray, item: &Arc<Field>, length: i32) -> Fit<ArrayRef> {
    let values = conform_below(list.values(), item, list.nulls(), length as usize)?;
    let list = FixedSizeListArray::try_new(item.clone(), length, values, list.nulls().cloned());
    Ok(Arc::new(list.map_err(misfit)?))
}

fn conform_struct(array: &StructArray, fields: &Fields) -> Fit<StructArray> {
    let columns = array.columns().iter().zip(fields);
    let columns = columns.map(|(column, field)| conform_below(column, field, array.nulls(), 1));
    StructArray::try_new(fields.clone(), columns.collect::<Fit<_>>()?, array.nulls().cloned()).map_err(misfit)
}

fn conform_map(map: &MapArray, entries: &Arc<Field>) -> Fit<ArrayRef> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Misfit::Wrong("a map's entries are structs".to_string()));
    };
    let (offsets, start, length) = small_offsets(map.offsets())?;
    let pairs = conform_struct(&map.entries().slice(start, length), fields)?;
    let map = MapArray::try_new(entries.clone(), offsets, pairs, map.nulls().cloned(), false);
    Ok(Arc::new(map.map_err(misfit)?))
}

/// Conforms a child whose values under a null parent do not count as nulls; `each` children belong to a parent.
fn conform_below(child: &ArrayRef, field: &Field, parent: Option<&NullBuffer>, each: usize) -> Fit<ArrayRef> {
    let hidden = parent.filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.expand(each));
    let conformed = match (&hidden, field.data_type()) {
        // What is hidden here is hidden from the grandchildren too.
        (Some(hidden), DataType::Struct(_) | DataType::FixedSizeList(..)) => {
            conform_type(&hide(child, hidden)?, field.data_type())?
        }
        _ => conform_type(child, field.data_type())?,
    };
    if field.is_nullable() || conformed.null_count() == 0 {
        return Ok(conformed);
    }
    let nulls = conformed.logical_nulls();
    match (hidden, nulls) {
        (Some(hidden), Some(nulls)) if hidden.contains(&nulls) => Ok(conformed),
        _ => Err(Misfit::Wrong(format!("{:?} takes no nulls, and the rows have some", field.name()))),
    }
}

/// The same values, null also where they are hidden.
fn hide(array: &ArrayRef, hidden: &NullBuffer) -> Fit<ArrayRef> {
    let nulls = NullBuffer::union(array.nulls(), Some(hidden));
    let data = array.to_data().into_builder().nulls(nulls).build().map_err(misfit)?;
    Ok(make_array(data))
}

fn one_nan<T: ArrowPrimitiveType>(array: &ArrayRef, is_nan: fn(T::Native) -> bool, nan: T::Native) -> ArrayRef {
    let values = array.as_primitive::<T>();
    if !values.values().iter().fold(false, |any, value| any | is_nan(*value)) {
        return array.clone();
    }
    Arc::new(values.unary::<_, T>(|value| if is_nan(value) { nan } else { value }))
}

fn widen<T: ArrowPrimitiveType>(array: &ArrayRef, digits: u8, scale: i8) -> Fit<ArrayRef>
where
    T::Native: Into<i128>,
{
    let values = array.as_primitive::<T>();
    decimal128(values.unary::<_, Decimal128Type>(Into::into), digits, scale)
}

fn narrow_decimal(array: &ArrayRef, digits: u8, scale: i8) -> Fit<ArrayRef> {
    let values = array.as_primitive::<Decimal256Type>();
    let narrow = values.try_unary::<_, Decimal128Type, _>(|value| {
        value.to_i128().ok_or_else(|| ArrowError::ComputeError(format!("a value has more than {digits} digits")))
    });
    decimal128(narrow.map_err(misfit)?, digits, scale)
}

fn decimal128(values: Decimal128Array, digits: u8, scale: i8) -> Fit<ArrayRef> {
    let values = values.with_precision_and_scale(digits, scale).map_err(misfit)?;
    values.validate_decimal_precision(digits).map_err(misfit)?;
    Ok(Arc::new(values))
}

fn check_decimal256(array: &ArrayRef, digits: u8) -> Fit<ArrayRef> {
    let values: &Decimal256Array = array.as_primitive::<Decimal256Type>();
    values.validate_decimal_precision(digits).map_err(misfit)?;
    Ok(array.clone())
}

fn thousandfold<S, M>(
    array: &ArrayRef,
    multiply: fn(S::Native, S::Native) -> Option<S::Native>,
    thousand: S::Native,
) -> Fit<PrimitiveArray<M>>
where
    S: ArrowPrimitiveType,
    M: ArrowPrimitiveType<Native = S::Native>,
{
    let overflow = || ArrowError::ComputeError("a number of seconds does not fit in milliseconds".to_string());
    let scaled = array.as_primitive::<S>().try_unary::<_, M, _>(|value| multiply(value, thousand).ok_or_else(overflow));
    scaled.map_err(misfit)
}
