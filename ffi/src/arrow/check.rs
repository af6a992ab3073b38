//! What can be checked of foreign Arrow structs before their pointers are followed. It does not make a lying producer
//! harmless; it turns the mistakes that happen (a struct that was released, a negative number, a name that is not UTF-8)
//! into errors instead of a crash.

use std::ffi::{CStr, c_char};

use armillaria::{Error, Result};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// Types that are nested deeper than this are refused: walking them takes stack.
const DEPTH_MAX: usize = 64;

/// No struct has so many children, no array so many buffers.
const PARTS_MAX: i64 = 1 << 20;

/// No memory holds so many rows of anything.
const ROWS_MAX: i64 = 1 << 48;

/// Checks a schema and its children.
///
/// # Safety
/// It is released, or what its producer filled in; pointers in it are NULL or valid.
pub(super) unsafe fn schema(schema: &FFI_ArrowSchema) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { schema_at(schema, 0) }
}

unsafe fn schema_at(schema: &FFI_ArrowSchema, depth: usize) -> Result<()> {
    let refuse = |reason: &str| Err(Error::invalid("Arrow schema", reason));
    if depth > DEPTH_MAX {
        return refuse("it is nested too deeply");
    }
    if schema.release.is_none() && depth == 0 {
        return refuse("it was released, or never filled in");
    }
    // SAFETY: NULL or valid, as the caller promises.
    let (format, name) = unsafe { (text(schema.format), text(schema.name)) };
    match format {
        None => return refuse("its format is NULL"),
        Some(Err(())) => return refuse("its format is not UTF-8"),
        Some(Ok(())) => {}
    }
    if name == Some(Err(())) {
        return refuse("a column's name is not UTF-8");
    }
    // SAFETY: likewise, for each child and the dictionary.
    unsafe {
        for child in children("Arrow schema", schema.children, schema.n_children)? {
            schema_at(child, depth + 1)?;
        }
        schema.dictionary.as_ref().map_or(Ok(()), |dictionary| schema_at(dictionary, depth + 1))
    }
}

/// Checks the numbers of an array and its children, and that it has the children of its type.
///
/// # Safety
/// It is what its producer filled in; pointers in it are NULL or valid.
pub(super) unsafe fn array(array: &FFI_ArrowArray, data_type: &DataType) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { array_at(array, data_type, 0) }
}

unsafe fn array_at(array: &FFI_ArrowArray, data_type: &DataType, depth: usize) -> Result<()> {
    let rows = 0..=ROWS_MAX;
    let whole = rows.contains(&array.length)
        && rows.contains(&array.offset)
        && (-1..=array.length).contains(&array.null_count)
        && (0..=PARTS_MAX).contains(&array.n_buffers)
        && (array.n_buffers == 0 || !array.buffers.is_null());
    if depth > DEPTH_MAX || !whole {
        let numbers = (array.length, array.offset, array.null_count, array.n_buffers);
        return Err(Error::invalid("Arrow array", format!("length, offset, nulls and buffers cannot be {numbers:?}")));
    }
    // SAFETY: NULL or valid, as the caller promises.
    let (found, dictionary) =
        unsafe { (children("Arrow array", array.children, array.n_children)?, array.dictionary.as_ref()) };
    let (types, values) = parts_of(data_type);
    if found.len() != types.len() {
        let reason = format!("it has {} children; its type has {}: {data_type}", found.len(), types.len());
        return Err(Error::invalid("Arrow array", reason));
    }
    if dictionary.is_some() != values.is_some() {
        let has = if dictionary.is_some() { "a" } else { "no" };
        return Err(Error::invalid("Arrow array", format!("it has {has} dictionary; its type is {data_type}")));
    }
    for (part, data_type) in found.into_iter().zip(types).chain(dictionary.zip(values)) {
        // SAFETY: likewise.
        unsafe { array_at(part, data_type, depth + 1) }?;
    }
    Ok(())
}

/// The types of the children of an array, and of its dictionary.
fn parts_of(data_type: &DataType) -> (Vec<&DataType>, Option<&DataType>) {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => (vec![item.data_type()], None),
        DataType::Struct(fields) => (fields.iter().map(|field| field.data_type()).collect(), None),
        DataType::Union(fields, _) => (fields.iter().map(|(_, field)| field.data_type()).collect(), None),
        DataType::RunEndEncoded(ends, values) => (vec![ends.data_type(), values.data_type()], None),
        DataType::Dictionary(_, values) => (Vec::new(), Some(values)),
        _ => (Vec::new(), None),
    }
}

/// The children of a schema or an array, none of them NULL.
unsafe fn children<'a, T>(argument: &'static str, first: *mut *mut T, len: i64) -> Result<Vec<&'a T>> {
    let len = match usize::try_from(len) {
        Ok(0) => return Ok(Vec::new()),
        Ok(count) if len <= PARTS_MAX && !first.is_null() => count,
        _ => return Err(Error::invalid(argument, format!("it cannot have {len} children"))),
    };
    // SAFETY: so many pointers stand there, as the caller promises; each is NULL or valid.
    let found = (0..len).map(|place| unsafe { first.add(place).read_unaligned().as_ref() });
    found.collect::<Option<Vec<_>>>().ok_or_else(|| Error::invalid(argument, "a child is NULL"))
}

/// Whether a text that ends with NUL is UTF-8; `None` for NULL.
unsafe fn text(text: *const c_char) -> Option<Result<(), ()>> {
    // SAFETY: not NULL here, so valid, as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().map(drop).map_err(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, ArrayRef, Int32Array, StructArray};
    use arrow::datatypes::{Field, Schema};
    use std::sync::Arc;

    fn exported() -> FFI_ArrowSchema {
        let list = DataType::new_list(DataType::Utf8, true);
        FFI_ArrowSchema::try_from(&Schema::new(vec![Field::new("a", list, true)])).unwrap()
    }

    #[test]
    fn what_arrow_makes_passes() {
        let made = exported();
        // SAFETY: made by Arrow.
        unsafe { schema(&made) }.unwrap();
        // SAFETY: all NULL.
        assert!(unsafe { schema(&FFI_ArrowSchema::empty()) }.is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let break_it: [fn(&mut FFI_ArrowSchema); 4] = [
            |schema| schema.n_children = -1,
            |schema| schema.n_children = PARTS_MAX + 1,
            |schema| schema.children = std::ptr::null_mut(),
            |schema| schema.format = std::ptr::null(),
        ];
        for change in break_it {
            let mut broken = exported();
            let whole = (broken.n_children, broken.children, broken.format);
            change(&mut broken);
            // SAFETY: pointers are as Arrow made them, or NULL.
            let outcome = unsafe { schema(&broken) };
            // Arrow's release looks at them.
            (broken.n_children, broken.children, broken.format) = whole;
            assert!(outcome.is_err());
        }
    }

    #[test]
    fn an_array_of_negative_size_is_refused() {
        let break_it: [fn(&mut FFI_ArrowArray); 5] = [
            |array| array.length = -1,
            |array| array.offset = i64::MAX,
            |array| array.null_count = 1,
            |array| array.n_buffers = 3,
            |array| array.n_children = 1,
        ];
        // SAFETY: all pointers are NULL.
        unsafe { array(&FFI_ArrowArray::empty(), &DataType::Null) }.unwrap();
        for change in break_it {
            let mut broken = FFI_ArrowArray::empty();
            change(&mut broken);
            // SAFETY: all pointers are NULL.
            assert!(unsafe { array(&broken, &DataType::Null) }.is_err());
        }
    }

    #[test]
    fn an_array_without_the_children_of_its_type_is_refused() {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let one = StructArray::from(vec![(Arc::new(Field::new("a", DataType::Int32, true)), numbers)]);
        let fields = |types: &[DataType]| {
            DataType::Struct(types.iter().map(|data_type| Field::new("a", data_type.clone(), true)).collect())
        };
        let made = FFI_ArrowArray::new(&one.to_data());
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let list = DataType::new_list(DataType::Int32, true);
        // SAFETY: made by Arrow.
        let check = |types: &[DataType]| unsafe { array(&made, &fields(types)) };
        check(&[DataType::Int32]).unwrap();
        for wrong in [&[][..], &[DataType::Int32, DataType::Int32], &[list], &[dictionary]] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
