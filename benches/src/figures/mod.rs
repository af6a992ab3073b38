//! The figures, a module each.

pub(crate) mod border;
mod branches;
mod bulk_write;
pub(crate) mod commits;
mod history;
mod memory;
mod rewrite;
mod sql;
mod verify;
mod versions;

use arrow::array::RecordBatch;

use crate::Result;
use crate::context::Context;
use crate::report::Line;

/// One figure.
pub(crate) struct Figure {
    /// Its letter.
    pub(crate) letter: char,
    /// What it is about.
    pub(crate) title: &'static str,
    /// What is compared, and how.
    pub(crate) explained: &'static str,
    /// Measures it.
    pub(crate) measure: fn(&Context) -> Result<Vec<Line>>,
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figure").field("letter", &self.letter).finish_non_exhaustive()
    }
}

/// All of them, in their order.
pub(crate) static ALL: [Figure; 10] = [
    Figure {
        letter: 'a',
        title: "SQL on the latest and on the first of 50 versions",
        explained: "10,000,000 rows. Version 1 is the first write; then come 40 appends of 1,000 rows and 9 rewrites with 1% of \
            the rows edited in one place, mixed. DuckDB reads one plain Parquet file that it wrote itself with zstd, with the \
            rows of version 1. Best of 15 rounds.",
        measure: sql::measure,
    },
    Figure {
        letter: 'b',
        title: "Bulk write",
        explained: "10,000,000 rows from memory into a new repository, against DuckDB's `COPY TO` (Parquet, zstd) from an \
            in-memory table; both with the sync of what they wrote. Best of 5 rounds.",
        measure: bulk_write::measure,
    },
    Figure {
        letter: 'c',
        title: "Rewrite",
        explained: "The 10,000,000 rows written again over the first version, with 1% of them edited in one place and then once \
            more unchanged, against their first write. Bytes are those of all new files. Best of 4 rounds.",
        measure: rewrite::measure,
    },
    Figure {
        letter: 'd',
        title: "Durable commits of 10 rows",
        explained: "Appends to one table, each durable before the next begins. The bare loop writes the same records at their \
            place in a preallocated file and calls fdatasync after each, and does nothing else. DoltLite commits the same rows, \
            one transaction and one sync each. Sixteen threads share a handle. Two processes share a directory. Middle of the \
            rounds; Armillaria's folding of inlined rows into chunks is included.",
        measure: commits::measure,
    },
    Figure {
        letter: 'e',
        title: "Creating a branch",
        explained: "In a repository with 10,000 tables and in one with a single table; durable on return. Middle of 200 rounds.",
        measure: branches::measure,
    },
    Figure {
        letter: 'f',
        title: "Opening, and finding version 1",
        explained: "A repository with 10,000 commits of 10 rows each against one with 100. Opening ends when the newest \
            transaction is known; finding ends with the first rows of version 1, read through the handle that was just \
            opened. A short history is in memory once it is open, so finding is also shown together with opening. Middle of \
            31 rounds.",
        measure: history::measure,
    },
    Figure {
        letter: 'g',
        title: "Deep verification",
        explained: "`verify --deep` over the repository of figure a against `b3sum` over the same files, both as processes from \
            start to end, the files in the page cache. Best of 15 rounds.",
        measure: verify::measure,
    },
    Figure {
        letter: 'h',
        title: "Memory",
        explained: "The most memory that a process had resident (VmHWM) while a table of 4 GB, as Arrow counts it, streamed in \
            and out again.",
        measure: memory::measure,
    },
    Figure {
        letter: 'i',
        title: "An empty query from other languages",
        explained: "`SELECT 1 WHERE false` in a repository in memory, its stream read to the end: through the C ABI from C, C++ and \
            Go, against the same calls of the core. Best of 9 rounds of 3,000 queries.",
        measure: border::empty_query,
    },
    Figure {
        letter: 'j',
        title: "Rows across the border",
        explained: "10,000,000 rows (int64, float64, 12 bytes of text) from C into the library and out again, without touching \
            them: the time of one batch by its size, and against writing the same batch as an Arrow IPC stream and reading it \
            back. Best of 5 rounds.",
        measure: border::moving,
    },
];

/// How many rows some batches have together.
fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}
