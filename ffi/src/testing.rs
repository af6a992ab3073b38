//! What tests need and nobody else may have. These functions are not in the header.

use std::mem::MaybeUninit;

use arrow::ffi_stream::FFI_ArrowArrayStream;

use crate::arrow::{Values, export_rows, import_rows, take_stream};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, run};

/// Takes a stream in and hands it out again, by the code that `armillaria_write_table` and `armillaria_read_table` use:
/// so a test can compare addresses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_testing_round_trip(
    rows: Option<&mut FFI_ArrowArrayStream>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let rows = take_stream(rows);
    answer(out, error, || import_rows(rows, Values::Trusted).map(export_rows))
}

/// Panics.
#[unsafe(no_mangle)]
#[expect(clippy::panic, reason = "that is what it is for")]
pub unsafe extern "C" fn armillaria_testing_panic(
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || panic!("a test asked for it"))
}
