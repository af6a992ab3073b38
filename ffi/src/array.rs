//! Arrays that come as a pointer and a length.

use armillaria::{Error, Result};

/// The items of an array of the caller's; NULL with length 0 is the empty one. `INVALID_ARGUMENT` for NULL with another
/// length, a pointer that is not aligned, and lengths that no memory has.
///
/// # Safety
/// `data` is NULL or points to `len` items that nobody changes while `'a` lasts.
pub(crate) unsafe fn slice<'a, T>(argument: &'static str, data: *const T, len: usize) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid(argument, format!("it is NULL with a length of {len}")));
    }
    if len > isize::MAX.unsigned_abs() / size_of::<T>().max(1) {
        return Err(Error::invalid(argument, format!("its length of {len} is more than memory can hold")));
    }
    if !data.is_aligned() {
        return Err(Error::invalid(argument, "its address is not aligned"));
    }
    // SAFETY: not NULL, aligned, not larger than any object can be; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_before_anything_is_read() {
        let numbers = [1_u64, 2];
        // SAFETY: the first is true to its length; the others are refused before they are read.
        unsafe {
            assert_eq!(slice("x", numbers.as_ptr(), 2).unwrap(), numbers);
            assert!(slice("x", std::ptr::null::<u64>(), 0).unwrap().is_empty());
            assert!(slice("x", std::ptr::null::<u64>(), 1).is_err());
            assert!(slice("x", numbers.as_ptr(), isize::MAX.unsigned_abs() / 8 + 1).is_err());
            assert!(slice("x", numbers.as_ptr().cast::<u8>().wrapping_add(1).cast::<u64>(), 1).is_err());
        }
    }
}
