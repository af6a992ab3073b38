//! Strings and bytes, borrowed.

use std::ffi::c_char;

use armillaria::{Error, Result};
use safer_ffi::derive_ReprC;

use crate::array;

/// Borrowed bytes that need no NUL at their end.
///
/// As an argument: NULL with length 0 means "not given"; a pointer with length 0 is the empty string. Text must be
/// UTF-8. It is read during the call only.
///
/// In a result: valid as long as the result; NULL means "none". Not NUL-terminated.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaString {
    /// The first byte; may be NULL if `len` is 0.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

impl ArmillariaString {
    pub(crate) const NONE: ArmillariaString = ArmillariaString { data: std::ptr::null(), len: 0 };

    /// Points to a text, for as long as that lives.
    pub(crate) fn of(text: &str) -> ArmillariaString {
        ArmillariaString { data: text.as_ptr().cast(), len: text.len() }
    }

    /// The bytes, if they were given.
    ///
    /// # Safety
    /// As an argument must be: `data` is NULL, or points to `len` bytes that nobody changes while `'a` lasts.
    pub(crate) unsafe fn bytes<'a>(self, argument: &'static str) -> Result<Option<&'a [u8]>> {
        if self.data.is_null() && self.len == 0 {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        unsafe { array::slice(argument, self.data.cast(), self.len) }.map(Some)
    }

    /// The text, if it was given.
    ///
    /// # Safety
    /// As for [`ArmillariaString::bytes`].
    pub(crate) unsafe fn optional<'a>(self, argument: &'static str) -> Result<Option<&'a str>> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.bytes(argument) }?;
        bytes.map(|bytes| utf8(bytes, argument)).transpose()
    }

    /// The text, which must be given.
    ///
    /// # Safety
    /// As for [`ArmillariaString::bytes`].
    pub(crate) unsafe fn required<'a>(self, argument: &'static str) -> Result<&'a str> {
        // SAFETY: the caller's promise.
        let text = unsafe { self.optional(argument) }?;
        text.ok_or_else(|| Error::invalid(argument, "it is not given"))
    }

    /// A text of the caller's own, if it was given.
    ///
    /// # Safety
    /// As for [`ArmillariaString::bytes`].
    pub(crate) unsafe fn owned(self, argument: &'static str) -> Result<Option<String>> {
        // SAFETY: the caller's promise.
        Ok(unsafe { self.optional(argument) }?.map(str::to_string))
    }
}

impl Default for ArmillariaString {
    fn default() -> ArmillariaString {
        ArmillariaString::NONE
    }
}

/// The texts of an array; none of them may be missing.
///
/// # Safety
/// `data` is NULL, or points to `len` strings as [`ArmillariaString::bytes`] wants them.
pub(crate) unsafe fn texts(argument: &'static str, data: *const ArmillariaString, len: usize) -> Result<Vec<String>> {
    // SAFETY: the caller's promise.
    let strings = unsafe { array::slice(argument, data, len) }?;
    // SAFETY: likewise.
    strings.iter().map(|string| unsafe { string.required(argument) }.map(str::to_string)).collect()
}

fn utf8<'a>(bytes: &'a [u8], argument: &'static str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| Error::invalid(argument, format!("it is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use armillaria::Code;

    fn raw(bytes: &'static [u8]) -> ArmillariaString {
        ArmillariaString { data: bytes.as_ptr().cast(), len: bytes.len() }
    }

    fn read(string: ArmillariaString) -> Result<Option<&'static str>> {
        // SAFETY: the strings of these tests are static, or refused before they are read.
        unsafe { string.optional("name") }
    }

    #[test]
    fn empty_is_not_missing() {
        assert_eq!(read(ArmillariaString::NONE).unwrap(), None);
        assert_eq!(read(raw(b"")).unwrap(), Some(""));
        assert_eq!(read(raw("zoë".as_bytes())).unwrap(), Some("zoë"));
        // SAFETY: nothing is read.
        let missing = unsafe { ArmillariaString::NONE.required("name") };
        assert_eq!(missing.err().unwrap().to_string(), "invalid name: it is not given");
    }

    #[test]
    fn what_cannot_be_a_text_is_refused() {
        let absurd = ArmillariaString { data: c"x".as_ptr(), len: usize::MAX };
        let hollow = ArmillariaString { data: std::ptr::null(), len: 3 };
        for string in [raw(b"\xff"), raw(b"ok\xc3"), absurd, hollow] {
            assert_eq!(read(string).err().unwrap().code(), Code::InvalidArgument, "{string:?}");
        }
    }

    #[test]
    fn every_text_of_an_array_must_be_there() {
        let strings = [raw(b"a"), raw(b"")];
        // SAFETY: the array and its strings live.
        unsafe {
            assert_eq!(texts("key", strings.as_ptr(), 2).unwrap(), ["a", ""]);
            assert!(texts("key", std::ptr::null(), 0).unwrap().is_empty());
            assert_eq!(texts("key", std::ptr::null(), 2).err().unwrap().code(), Code::InvalidArgument);
            let hole = [raw(b"a"), ArmillariaString::NONE];
            assert_eq!(texts("key", hole.as_ptr(), 2).err().unwrap().code(), Code::InvalidArgument);
        }
    }
}
