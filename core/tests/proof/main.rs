//! What must be shown: crashes, faults, killed processes, a model, isolation, visibility, bad input, damage, decoders.
//!
//! One test binary, so that it is linked once. Where a test is driven by a seed, a failure prints the command that
//! repeats it. These variables make the long variants: `ARMILLARIA_PROOF_CASES` (state machine),
//! `ARMILLARIA_PROOF_SEEDS` (crashes and faults), `ARMILLARIA_PROOF_KILLS` (killed processes),
//! `ARMILLARIA_PROOF_MUTATIONS` (decoders).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::result_large_err,
    reason = "a test may stop and may speak"
)]

mod bad_input;
mod copying;
mod crash;
mod damage;
mod faults;
mod fuzzing;
mod histories;
mod isolation;
mod kill;
mod machine;
mod model;
mod script;
mod support;
mod sweep;
mod visibility;
mod workload;
