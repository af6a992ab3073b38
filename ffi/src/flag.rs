//! Booleans that come from outside.

use safer_ffi::derive_ReprC;

/// A `bool` of the header, in memory or in a register that somebody else filled: any other byte than 0 and 1 would be
/// undefined behaviour as Rust's `bool`, and here is just true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive_ReprC]
#[repr(transparent)]
pub struct Flag(u8);

impl Flag {
    pub(crate) fn get(self) -> bool {
        self.0 != 0
    }
}
