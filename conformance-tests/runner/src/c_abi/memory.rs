//! What crosses the border: arguments that are borrowed, results and handles that are freed.

use std::ffi::{CStr, c_char};
use std::ops::Deref;

use super::functions::*;
use super::structs::*;
use crate::failure::{Failure, ProductError};

/// Text as an argument.
pub(super) fn text(text: &str) -> ArmillariaString {
    ArmillariaString { data: text.as_ptr().cast(), len: text.len() }
}

/// Text that may be left out.
pub(super) fn text_maybe(given: Option<&str>) -> ArmillariaString {
    given.map_or(ArmillariaString { data: std::ptr::null(), len: 0 }, text)
}

/// Several texts; they are borrowed from what is given.
pub(super) fn texts(given: &[String]) -> Vec<ArmillariaString> {
    given.iter().map(|given| text(given)).collect()
}

/// A handle, freed when dropped.
#[derive(Debug)]
pub(super) struct Owned<T> {
    pointer: *mut T,
    free: unsafe fn(*mut T),
}

impl<T> Owned<T> {
    pub(super) fn new(pointer: *mut T, free: unsafe fn(*mut T)) -> Owned<T> {
        Owned { pointer, free }
    }

    pub(super) fn get(&self) -> *const T {
        self.pointer
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        unsafe { (self.free)(self.pointer) }
    }
}

/// A result, freed when dropped.
#[derive(Debug)]
pub(super) struct Given<T> {
    pointer: *const T,
    free: unsafe fn(*const T),
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        unsafe { &*self.pointer }
    }
}

impl<T> Drop for Given<T> {
    fn drop(&mut self) {
        unsafe { (self.free)(self.pointer) }
    }
}

/// Calls a function that has nothing to give but its status.
pub(super) fn check(call: impl FnOnce(*mut *mut ArmillariaError) -> u32) -> Result<(), Failure> {
    // What stands there before the call must not matter.
    let mut error = std::ptr::dangling_mut();
    let status = call(&raw mut error);
    match (status, error.is_null()) {
        (0, true) => Ok(()),
        (0, false) => Err("the status is OK, and there is an error".into()),
        (_, true) => Err("the status is not OK, and there is no error".into()),
        (status, false) => Err(take_error(status, error)),
    }
}

/// Calls a function that makes a handle.
pub(super) fn handle<T>(
    free: unsafe fn(*mut T),
    call: impl FnOnce(*mut *mut T, *mut *mut ArmillariaError) -> u32,
) -> Result<Owned<T>, Failure> {
    let mut out = std::ptr::dangling_mut();
    emptied(check(|error| call(&raw mut out, error)), &|| out.is_null())?;
    if out.is_null() { Err("the status is OK, and there is no handle".into()) } else { Ok(Owned::new(out, free)) }
}

/// Calls a function that gives a result.
pub(super) fn result<T>(
    free: unsafe fn(*const T),
    call: impl FnOnce(*mut *const T, *mut *mut ArmillariaError) -> u32,
) -> Result<Given<T>, Failure> {
    result_maybe(free, call)?.ok_or_else(|| "the status is OK, and there is no result".into())
}

/// Calls a function that may have nothing to give.
pub(super) fn result_maybe<T>(
    free: unsafe fn(*const T),
    call: impl FnOnce(*mut *const T, *mut *mut ArmillariaError) -> u32,
) -> Result<Option<Given<T>>, Failure> {
    let mut out = std::ptr::dangling();
    emptied(check(|error| call(&raw mut out, error)), &|| out.is_null())?;
    Ok((!out.is_null()).then_some(Given { pointer: out, free }))
}

/// After a failure the out-parameter must be NULL, whatever it held.
fn emptied(outcome: Result<(), Failure>, is_null: &dyn Fn() -> bool) -> Result<(), Failure> {
    match outcome {
        Err(_) if !is_null() => Err("the call failed and left its out-parameter".into()),
        outcome => outcome,
    }
}

fn take_error(status: u32, error: *mut ArmillariaError) -> Failure {
    let (code, category) = unsafe { (armillaria_error_code(error), armillaria_error_category(error)) };
    let (name, message) = unsafe { (owned(armillaria_error_name(error)), owned(armillaria_error_message(error))) };
    unsafe { armillaria_error_free(error) };
    if code != status {
        return Failure::Case(format!("the status is {status}, and the error's code {code}"));
    }
    const CATEGORIES: [&str; 7] = ["", "usage", "not_found", "conflict", "integrity", "environment", "internal"];
    let category = CATEGORIES.get(category as usize).copied().unwrap_or_default().to_string();
    Failure::Product(ProductError { code, name, category, message })
}

/// A copy of a text that ends with NUL.
pub(super) fn owned(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A copy of a text of a result; `None` where there is none.
pub(super) fn read(text: ArmillariaString) -> Option<String> {
    let bytes = (!text.data.is_null()).then(|| slice(text.data.cast::<u8>(), text.len));
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Copies of texts of a result.
pub(super) fn read_all(texts: *const ArmillariaString, len: usize) -> Vec<String> {
    slice(texts, len).iter().filter_map(|text| read(*text)).collect()
}

/// The items of an array of pointers.
pub(super) fn items<'a, T: 'a>(items: *const *const T, len: usize) -> impl Iterator<Item = &'a T> {
    slice(items, len).iter().map(|item| unsafe { &**item })
}

/// An array of a result, which may be NULL where it is empty.
pub(super) fn slice<'a, T: 'a>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, len) } }
}
