//! Names the shared library for the loader, and lets it find libduckdb beside itself.

/// Changes only when programs must be linked again.
const SONAME_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let arguments = match env("CARGO_CFG_TARGET_OS").as_str() {
        "macos" => {
            vec![format!("-Wl,-install_name,@rpath/libarmillaria.{SONAME_VERSION}.dylib"), rpath("@loader_path")]
        }
        _ => vec![format!("-Wl,-soname,libarmillaria.so.{SONAME_VERSION}"), rpath("$ORIGIN")],
    };
    for argument in arguments {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    // The unit tests of this crate are programs in cargo's own folder.
    let linked_from = env("DUCKDB_LIB_DIR");
    if env("PROFILE") == "debug" && !linked_from.is_empty() {
        println!("cargo:rustc-link-arg={}", rpath(&linked_from));
    }
}

fn rpath(directory: &str) -> String {
    format!("-Wl,-rpath,{directory}")
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
