//! SQL over chunks: any SELECT that DuckDB understands, over any tables at any versions.
//!
//! Floor 9: knows `table`, `format`, `cancel` and `error`, and the floors above only as [`Tables`].
//!
//! A statement is parsed by DuckDB itself; each table that it names is resolved and becomes a temporary view over
//! `read_parquet([chunk files])`; the statement runs on a pooled connection and its result streams out as Arrow.
//!
//! Invariants:
//! 1. DuckDB only ever runs one SELECT, or EXPLAIN of one, that this module has taken apart: nothing else is parsed.
//! 2. Leaving chunks out by their statistics never changes a result; where that is not certain, nothing is left out.
//! 3. Without `external_access` a statement reads nothing but the chunks of the tables it names, and writes nothing.
//! 4. A connection serves one statement at a time, and goes back to the pool only after its result was read to the end.

mod advice;
mod at;
mod constant;
mod engine;
mod failure;
mod files;
mod instance;
mod lexer;
mod misread;
mod naming;
mod plan;
mod predicate;
mod prune;
mod quote;
mod references;
mod running;
mod scratch;
mod statement;
mod stream;
mod tables;
mod template;
mod types;
mod value;
mod view;

pub use engine::{SqlEngine, SqlOptions};
pub use files::ChunkFiles;
pub use lexer::{is_blank, statement_end};
pub use tables::{ResolvedTable, TableAt, Tables};
pub use value::{Parameters, Value};

#[cfg(test)]
mod tests;
