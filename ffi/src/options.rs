//! Options: structs that begin with their size and only grow at the end, so that a program and a library of different
//! ages understand each other.

use armillaria::{Error, Result};

/// Larger than any options struct will ever be.
const STRUCT_BYTES_MAX: usize = 4096;

/// A struct of options.
///
/// # Safety
/// Its first field is `struct_size: usize`; bytes of any value, all zeros among them, make a value of it.
pub(crate) unsafe trait Options: Copy {
    /// What errors call it.
    const NAME: &'static str;
}

/// Reads the caller's options: NULL gives the defaults, which are zeros. Fields that the caller's struct does not have
/// yet are zeros. Fields that this library does not have yet must be zeros: `INVALID_ARGUMENT` rather than leaving out
/// what somebody asked for.
///
/// # Safety
/// `options` is NULL or points to a `size_t` that is `struct_size`, and to as many bytes as that says if it can be a size.
pub(crate) unsafe fn read<T: Options>(options: *const T) -> Result<T> {
    let known = size_of::<T>();
    // SAFETY: zeros make a value, as the trait says.
    let mut copy: T = unsafe { std::mem::zeroed() };
    if options.is_null() {
        return Ok(copy);
    }
    let bytes = options.cast::<u8>();
    // SAFETY: the size can be read, as the caller promises.
    let size = unsafe { bytes.cast::<usize>().read_unaligned() };
    let refused = |reason: String| Error::invalid(T::NAME, format!("struct_size is {size}, {reason}"));
    if size < size_of::<usize>() || size > STRUCT_BYTES_MAX || !size.is_multiple_of(align_of::<T>()) {
        return Err(refused(format!("which cannot be; set it to sizeof({})", T::NAME)));
    }
    // SAFETY: not more bytes than either has, and the two do not overlap: one is on this stack.
    unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut copy).cast::<u8>(), size.min(known)) };
    // SAFETY: `size` bytes can be read, as the caller promises.
    let beyond = unsafe { std::slice::from_raw_parts(bytes, size) }.get(known..).unwrap_or_default();
    match beyond.iter().all(|byte| *byte == 0) {
        true => Ok(copy),
        false => Err(refused(format!("and it asks for what this library does not know; it knows {known} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flag::Flag;

    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Sample {
        struct_size: usize,
        on: Flag,
        level: u64,
    }

    // SAFETY: begins with the size; numbers only.
    unsafe impl Options for Sample {
        const NAME: &'static str = "Sample";
    }

    /// Reads words as if they were a `Sample`.
    fn parse(words: &[usize]) -> Result<(bool, u64)> {
        assert!(words[0] > STRUCT_BYTES_MAX || words[0] <= size_of_val(words));
        // SAFETY: there are as many bytes as the first word says, or it is no size.
        let sample = unsafe { read(words.as_ptr().cast::<Sample>()) }?;
        assert!(sample.struct_size <= STRUCT_BYTES_MAX);
        Ok((sample.on.get(), sample.level))
    }

    #[test]
    fn null_and_zeros_are_the_defaults() {
        // SAFETY: NULL is allowed.
        let sample: Sample = unsafe { read(std::ptr::null()) }.unwrap();
        assert!(!sample.on.get() && sample.level == 0);
        assert_eq!(parse(&[24, 0, 0]).unwrap(), (false, 0));
    }

    #[test]
    fn an_older_struct_has_defaults_for_what_it_lacks() {
        assert_eq!(parse(&[8]).unwrap(), (false, 0));
        assert_eq!(parse(&[16, 1, 99]).unwrap(), (true, 0), "what lies behind its end is not looked at");
        assert_eq!(parse(&[24, 1, 99]).unwrap(), (true, 99));
    }

    #[test]
    fn a_newer_struct_may_not_ask_for_more() {
        assert_eq!(parse(&[40, 1, 99, 0, 0]).unwrap(), (true, 99));
        assert!(parse(&[40, 1, 99, 0, 1]).is_err());
        assert!(parse(&[32, 1, 99, 1 << 56]).is_err());
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        for size in [0, 1, 7, 9, 23, 4104, usize::MAX] {
            assert!(parse(&[size, 0, 0]).is_err(), "{size}");
        }
    }

    #[test]
    fn a_boolean_of_any_value_is_true_or_false() {
        assert_eq!(parse(&[24, 0xA7, 0]).unwrap(), (true, 0));
    }
}
