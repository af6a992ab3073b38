#![no_main]

#[path = "../src/hook.rs"]
mod hook;

libfuzzer_sys::fuzz_target!(init: hook::let_the_core_catch_panics(), |data: &[u8]| armillaria_fuzz::names(data));
