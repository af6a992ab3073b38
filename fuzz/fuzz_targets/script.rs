#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| armillaria_fuzz::script(data));
