//! Writes `include/armillaria.h` from the sources of `armillaria-ffi`.
//!
//! cbindgen translates; this tool brings what comes out into the order of `sections::SECTIONS`, so that the types of an
//! object stand beside its functions. Its test fails if the committed header is not what it would write.

mod arrange;
mod sections;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    Ok(fs::write(committed(), header()?)?)
}

/// The crate whose header this is.
fn ffi() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn committed() -> PathBuf {
    ffi().join("../include/armillaria.h")
}

fn header() -> Result<String, Box<dyn Error>> {
    Ok(arrange::header(&translate(&ffi())?, &sections::read(&ffi().join("src"))?)?)
}

/// What cbindgen makes of the crate.
fn translate(ffi: &Path) -> Result<String, Box<dyn Error>> {
    let config = cbindgen::Config::from_file(ffi.join("cbindgen.toml"))?;
    let mut header = Vec::new();
    cbindgen::Builder::new().with_crate(ffi).with_config(config).generate()?.write(&mut header);
    Ok(String::from_utf8(header)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_header_is_what_the_sources_say() {
        let header = header().unwrap();
        assert!(fs::read_to_string(committed()).unwrap() == header, "it is not: run `make header`");
        assert!(header.is_ascii());
    }
}
