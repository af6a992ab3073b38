//! The C ABI: `include/armillaria.h` over the core. One file per object; a function translates and decides nothing.
//!
//! How a function is built:
//! 1. It is `unsafe`, because only the caller knows that its pointers are what the header asks for. Handles and
//!    out-parameters come as `Option<&T>`, so NULL is a value like any other; raw are only arrays, options (which may be
//!    shorter than this library's) and strings.
//! 2. What is moved in (Arrow streams and schemas) is taken first, whatever happens then.
//! 3. `guard::answer` empties the out-parameters, runs the body, and turns errors and panics into a status.
//!
//! Unsafe code lives in this crate alone (and in one file of the SQL floor); each block says why it is sound.

#![expect(unsafe_code, reason = "this is the border: pointers come in and go out")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the conventions at the top of the header are the contract of every function; its documentation becomes the header's"
)]

#[cfg(panic = "abort")]
compile_error!("a panic must become INTERNAL, not the end of the caller's process: build with panic = \"unwind\"");

mod array;
mod arrow;
mod flag;
#[cfg(test)]
mod floors;
mod guard;
mod memory;
mod options;
mod panics;

pub mod at;
pub mod branches;
pub mod cancel;
pub mod catalog;
pub mod changelog;
pub mod chunk_store;
pub mod database;
pub mod error;
pub mod health;
pub mod library;
pub mod merge;
pub mod results;
pub mod sql;
pub mod string;
pub mod subscription;
pub mod tables;
pub mod tags;
/// cbindgen:ignore
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;
