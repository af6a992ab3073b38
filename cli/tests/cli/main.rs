//! Runs the real binary, as a user or a program would.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it did not expect")]

mod branches;
mod changes;
mod errors;
mod health;
mod help;
mod interrupt;
mod readme;
mod runner;
mod sql;
mod tables;
