// Package armillaria is git for tables, embedded: every version of every table is kept, branched in constant time, merged,
// and queried in SQL. Rows are Apache Arrow record batches that cross the border to the library without being copied.
//
//	db, err := armillaria.Open(ctx, "folder", nil) // "memory:" keeps everything in memory
//	commit, err := db.WriteTable(ctx, "users", reader, nil)
//	err = db.CreateBranch(ctx, "trial", nil)
//	rows, err := db.Query(ctx, "SELECT * FROM users AT (VERSION => 'trial') WHERE id > ?", 7)
//	for batch, err := range rows.Batches() { … }
//
// # Linking
//
// The package is cgo over the C library libarmillaria. Say where its header and itself are, and where it is found when the
// program runs:
//
//	CGO_CFLAGS=-I/path/include CGO_LDFLAGS=-L/path/lib LD_LIBRARY_PATH=/path/lib go build
//
// or build with -tags armillaria_pkgconfig if pkg-config knows it. The version of its ABI is checked when the first
// repository is opened.
//
// # Contexts
//
// What reads or writes a repository takes a context. When the context ends, the work is interrupted and fails with an error
// for which errors.Is(err, armillaria.ErrCancelled) and errors.Is(err, context.Canceled), or DeadlineExceeded, hold. The
// context of a query governs its rows too, until they are closed. A few short calls look at the context only before they
// begin.
//
// # Errors
//
// Every error is an *Error with a stable code, a category and a sentence. errors.Is asks for one code
// (ErrTableNotFound) or a whole category (ErrConflict).
//
// # Who owns what
//
// Database, Tx, Subscription, ChunkStore and Rows are closed by whoever asked for them. What is used after that fails with
// ErrClosed; nothing is freed while it is in use, in whatever goroutine. Handles that were forgotten are closed by the
// garbage collector, at some time: a safety net, not a plan.
//
// A batch that Rows.Batches yields lives until the loop goes on, one of Rows.RecordBatch until the next call of Next. Retain
// a batch that shall live longer, and Release it: Arrow's buffers in C memory are counted, not collected. What arrow-go reads
// out of a batch without copying it, strings and byte slices above all, is gone when the batch is released: strings.Clone keeps
// it. Batches and rows may outlive the database.
//
// A reader that is written stays the caller's to release. Its buffers are handed over in place: memory of Go is pinned
// (runtime.Pinner) for as long as the library reads it, memory from elsewhere, such as the allocator
// arrow/memory/mallocator, needs no pin. Either way the bytes must not change while WriteTable runs.
//
// # Goroutines
//
// Database and ChunkStore are used by any number of goroutines at once. Tx and Subscription let one call in at a time, and
// the others wait for their turn. Rows are read by one goroutine; any other may close them.
package armillaria
