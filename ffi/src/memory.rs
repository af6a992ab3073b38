//! Results: a struct that C reads, and everything that it points to, freed together.

use std::any::Any;

use crate::panics::quietly;
use crate::string::ArmillariaString;

/// A result with what it points to. C is given the address of `value`, which is that of the whole.
#[repr(C)]
struct Owned<T> {
    value: T,
    memory: Memory,
}

/// What a result points to. Allocations stay where they are until it is dropped.
#[derive(Default)]
pub(crate) struct Memory {
    allocations: Vec<*mut dyn Any>,
}

impl Memory {
    /// Keeps a value, and says where it is.
    fn keep<T: 'static>(&mut self, value: T) -> *const T {
        // Kept as a raw pointer: moving a `Box` would end the right to use pointers that were taken from it before.
        let pointer = Box::into_raw(Box::new(value));
        self.allocations.push(pointer);
        pointer
    }

    /// Keeps a text.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> ArmillariaString {
        let kept = self.keep(text.into());
        // SAFETY: it was just made, and nobody changes it before it is dropped.
        ArmillariaString::of(unsafe { &*kept })
    }

    /// Keeps a text; NULL for none.
    pub(crate) fn optional(&mut self, text: Option<String>) -> ArmillariaString {
        text.map_or(ArmillariaString::NONE, |text| self.text(text))
    }

    /// Keeps an array; NULL if it is empty.
    pub(crate) fn array<T: 'static>(&mut self, items: Vec<T>) -> (*const T, usize) {
        if items.is_empty() {
            return (std::ptr::null(), 0);
        }
        let kept = self.keep(items);
        // SAFETY: it was just made, and nobody changes it before it is dropped.
        let items = unsafe { &*kept };
        (items.as_ptr(), items.len())
    }

    /// Keeps texts.
    pub(crate) fn texts(&mut self, texts: Vec<String>) -> (*const ArmillariaString, usize) {
        let strings = texts.into_iter().map(|text| self.text(text)).collect();
        self.array(strings)
    }

    /// Keeps items, and an array of pointers to them: so the struct of an item can grow without moving the next.
    pub(crate) fn items<S, T: 'static>(
        &mut self,
        sources: impl IntoIterator<Item = S>,
        mut item: impl FnMut(&mut Memory, S) -> T,
    ) -> (*const *const T, usize) {
        let items: Vec<T> = sources.into_iter().map(|source| item(self, source)).collect();
        let (first, len) = self.array(items);
        self.array((0..len).map(|place| first.wrapping_add(place)).collect())
    }

    /// Hands a result over, with all that it points to; [`free`] takes it back.
    pub(crate) fn hand_over<T>(self, value: T) -> *const T {
        Box::into_raw(Box::new(Owned { value, memory: self })).cast::<T>().cast_const()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for allocation in self.allocations.drain(..) {
            // SAFETY: made of a box in `keep`, and drained, so dropped once.
            drop(unsafe { Box::from_raw(allocation) });
        }
    }
}

/// Builds a result.
pub(crate) fn build<T>(value: impl FnOnce(&mut Memory) -> T) -> *const T {
    let mut memory = Memory::default();
    let value = value(&mut memory);
    memory.hand_over(value)
}

/// Frees a result. NULL is allowed.
///
/// # Safety
/// `result` is NULL or came from [`Memory::hand_over`] for this type, and was not freed before.
pub(crate) unsafe fn free<T>(result: *const T) {
    if !result.is_null() {
        // SAFETY: the caller's promise; `value` stands first in `Owned`, so the address is that of the box.
        quietly((), || drop(unsafe { Box::from_raw(result.cast_mut().cast::<Owned<T>>()) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::slice;

    #[repr(C)]
    struct Sample {
        name: ArmillariaString,
        numbers: *const u64,
        numbers_len: usize,
        items: *const *const ArmillariaString,
        items_len: usize,
    }

    #[test]
    fn a_result_holds_what_it_points_to() {
        let result = build(|memory| {
            let name = memory.text("née".to_string());
            let (numbers, numbers_len) = memory.array(vec![1, 2, 3]);
            let (items, items_len) = memory.items(["a", "bc"], |memory, text| memory.text(text));
            Sample { name, numbers, numbers_len, items, items_len }
        });
        // SAFETY: it was just built.
        unsafe {
            let sample = &*result;
            assert_eq!(sample.name.required("name").unwrap(), "née");
            assert_eq!(slice("numbers", sample.numbers, sample.numbers_len).unwrap(), [1, 2, 3]);
            let items = slice("items", sample.items, sample.items_len).unwrap();
            let texts: Vec<_> = items.iter().map(|item| (**item).required("item").unwrap()).collect();
            assert_eq!(texts, ["a", "bc"]);
            free(result);
            free(std::ptr::null::<Sample>());
        }
    }

    #[test]
    fn nothing_is_null() {
        let mut memory = Memory::default();
        assert_eq!(memory.array(Vec::<u64>::new()), (std::ptr::null(), 0));
        assert!(memory.optional(None).data.is_null());
        assert!(!memory.text("").data.is_null(), "an empty text is not a missing one");
    }
}
