//! Looking after a repository: is everything there and whole, and how much is it?
//!
//! Floor 9. Both read the log from its beginning, so their cost grows with the history, unlike that of everything else.

mod derived;
mod hashing;
mod statistics;
mod verify;

pub use statistics::{Stats, stats};
pub use verify::{Problem, Progress, VerifyOptions, VerifyReport, verify};
