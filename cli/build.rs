//! Lets the binary find libduckdb: beside itself, and during development where it was linked from.

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let beside = if env("CARGO_CFG_TARGET_OS") == "macos" { "@executable_path" } else { "$ORIGIN" };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{beside}");
    println!("cargo:rustc-link-arg-examples=-Wl,-rpath,{beside}/..");
    let linked_from = env("DUCKDB_LIB_DIR");
    if env("PROFILE") == "debug" && !linked_from.is_empty() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{linked_from}");
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
