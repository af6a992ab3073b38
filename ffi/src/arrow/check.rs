//! What can be checked of foreign Arrow structs before their pointers are followed. It does not make a lying producer
//! harmless; it turns the mistakes that happen (a struct that was released, a negative number, a name that is not UTF-8)
//! into errors instead of a crash.

use std::ffi::{CStr, c_char};

use armillaria::{Error, Result};
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

/// Checks the numbers of an array and its children.
///
/// # Safety
/// It is what its producer filled in; pointers in it are NULL or valid.
pub(super) unsafe fn array(array: &FFI_ArrowArray) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { array_at(array, 0) }
}

unsafe fn array_at(array: &FFI_ArrowArray, depth: usize) -> Result<()> {
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
    unsafe {
        for child in children("Arrow array", array.children, array.n_children)? {
            array_at(child, depth + 1)?;
        }
        array.dictionary.as_ref().map_or(Ok(()), |dictionary| array_at(dictionary, depth + 1))
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
    use arrow::datatypes::{DataType, Field, Schema};

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
        unsafe { array(&FFI_ArrowArray::empty()) }.unwrap();
        for change in break_it {
            let mut broken = FFI_ArrowArray::empty();
            change(&mut broken);
            // SAFETY: all pointers are NULL.
            assert!(unsafe { array(&broken) }.is_err());
        }
    }
}
