//! Writes `include/armillaria.h` from the sources of `armillaria-ffi`.
//!
//! cbindgen translates; this tool brings what comes out into the order of `sections::SECTIONS`, so that the types of an
//! object stand beside its functions. Usage: `armillaria-header [--check]`; with `--check` it writes nothing and fails
//! if the committed header is not what it would write.

mod arrange;
mod sections;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nothing is left to do if even this fails.
            drop(writeln!(std::io::stderr(), "armillaria-header: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(argument: Option<&str>) -> Result<(), Box<dyn Error>> {
    let ffi = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = ffi.join("../include/armillaria.h");
    let header = arrange::header(&translate(&ffi)?, &sections::read(&ffi.join("src"))?)?;
    match argument {
        None => Ok(fs::write(path, header)?),
        Some("--check") if fs::read_to_string(&path)? == header => Ok(()),
        Some("--check") => Err("include/armillaria.h is not what ffi/src says: run `make header`".into()),
        Some(other) => Err(format!("unknown argument {other:?}").into()),
    }
}

/// What cbindgen makes of the crate.
fn translate(ffi: &Path) -> Result<String, Box<dyn Error>> {
    let config = cbindgen::Config::from_file(ffi.join("cbindgen.toml"))?;
    let mut header = Vec::new();
    cbindgen::Builder::new().with_crate(ffi).with_config(config).generate()?.write(&mut header);
    Ok(String::from_utf8(header)?)
}
