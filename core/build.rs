//! Lets the tests of this crate find the DuckDB library that they were linked with.

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let links_duckdb = std::env::var_os("CARGO_FEATURE_SQL").is_some();
    if let (true, Ok(dir)) = (links_duckdb, std::env::var("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
    }
}
