//! What libFuzzer does about panics. Not in the library, which the test run of the core includes.

/// Lets a panic count as a bug only if it leaves the core: Arrow's decoders panic on some bytes, which the core catches
/// and answers as damage, and libFuzzer would end at the first of them. With `RUST_BACKTRACE` every panic is shown.
pub fn let_the_core_catch_panics() {
    drop(std::panic::take_hook()); // libFuzzer's; the default one is in its place now
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
}
