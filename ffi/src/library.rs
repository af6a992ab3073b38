//! What library this is.

use std::ffi::{CStr, c_char};

/// The ABI that this header describes. A library of another number is not the one that this header was made for.
pub const ARMILLARIA_ABI_VERSION: u32 = 1;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The ABI version of the library that was loaded. Compare it with `ARMILLARIA_ABI_VERSION` before anything else: they
/// must be equal.
#[unsafe(no_mangle)]
pub extern "C" fn armillaria_abi_version() -> u32 {
    ARMILLARIA_ABI_VERSION
}

/// The version of the library, such as `0.1.0`. NUL-terminated and static: never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn armillaria_version() -> *const c_char {
    VERSION.as_ptr()
}
