//! Runs the conformance cases of `conformance-tests/` on a [`Backend`], and turns reports into the parity table.
//!
//! The words of a case are explained in `conformance-tests/README.md`. Two backends are here: [`CoreBackend`] calls the
//! crate `armillaria`, and [`CAbiBackend`] the functions of the C ABI with raw pointers, as C would.

mod backend;
mod c_abi;
mod case;
mod core;
mod failure;
mod harness;
mod matching;
pub mod parity;
mod report;
mod rows;
mod run;
mod step;
mod types;

pub use backend::Backend;
pub use c_abi::{CAbiBackend, functions_called};
pub use case::{Case, load_cases, suite_dir};
pub use core::CoreBackend;
pub use failure::{Failure, ProductError};
pub use report::{Outcome, Report};
pub use run::{run_case, run_suite};
pub use step::Step;
