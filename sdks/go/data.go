package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// WriteMode says what becomes of the rows that are there.
type WriteMode uint32

// The modes of writing.
const (
	Overwrite WriteMode = C.ARMILLARIA_WRITE_MODE_OVERWRITE // the new rows replace the old ones
	Append    WriteMode = C.ARMILLARIA_WRITE_MODE_APPEND    // the new rows follow the old ones
	Upsert    WriteMode = C.ARMILLARIA_WRITE_MODE_UPSERT    // new rows replace old ones of the same key
)

// WriteOptions say how rows are written. nil stands for the defaults: overwrite, on the current branch.
type WriteOptions struct {
	Mode WriteMode
	// Key are the key columns of a table that is created or overwritten. Row changes tell updates by them; nothing
	// enforces that they are unique.
	Key []string
	// Branch is where; "": the current branch. Not in a transaction.
	Branch string
	// Message says why. Not in a transaction.
	Message string
}

// ReadOptions say what is read of a table. nil stands for all columns at the head of the current branch.
type ReadOptions struct {
	// Columns to read, in this order; nil: all.
	Columns []string
	// At is where to look. Not in a transaction.
	At At
}

// Diff says how two versions of a table differ.
type Diff struct {
	RowsAdded, RowsRemoved, RowsModified uint64
	// SchemaChanges are sentences.
	SchemaChanges []string
}

// WriteTable writes rows and commits them; a table that does not exist is created. What it returns is durable.
//
// The reader is read to its end and stays the caller's to release. Its buffers are read where they are, without a
// copy, whatever allocated them; memory of Go is pinned meanwhile. If the reader fails, its error is found by errors.Is
// and nothing was written.
//
// SCHEMA_MISMATCH, WRITE_CONFLICT, BRANCH_NOT_FOUND, READ_ONLY, CANCELLED.
func (db *Database) WriteTable(
	ctx context.Context, name string, rows array.RecordReader, options *WriteOptions,
) (Commit, error) {
	var out *C.ArmillariaCommit
	err := exportRows(rows, func(rows *C.struct_ArrowArrayStream) error {
		return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_write_table(db, text(name), rows, options.export(r), r.cancel(), &out, failure)
		})
	})
	return takeCommit(out), err
}

// ReadTable reads a table. Chunks are verified as they are read. TABLE_NOT_FOUND, VERSION_NOT_FOUND; while reading also
// HASH_MISMATCH, CHUNK_NOT_FOUND, CANCELLED.
func (db *Database) ReadTable(ctx context.Context, name string, options *ReadOptions) (*Rows, error) {
	columns, at := options.parts()
	return db.openRows(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(columns)
		return C.armillaria_read_table(db, text(name), list, length, at.export(r), r.cancel(), r.out(), failure)
	})
}

// DiffVersions counts how two versions of a table differ. With key columns, rows of the same key count as modified.
func (db *Database) DiffVersions(ctx context.Context, name string, from, to uint64, key ...string) (Diff, error) {
	var out *C.ArmillariaDiff
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(key)
		return C.armillaria_diff_versions(
			db, text(name), C.uint64_t(from), C.uint64_t(to), list, length, r.cancel(), &out, failure)
	})
	if err != nil {
		return Diff{}, err
	}
	defer C.armillaria_diff_free(out)
	return Diff{
		RowsAdded:     uint64(out.rows_added),
		RowsRemoved:   uint64(out.rows_removed),
		RowsModified:  uint64(out.rows_modified),
		SchemaChanges: goStrings(out.schema_changes, out.schema_changes_len),
	}, nil
}

// DiffRows reads the rows in which two versions of a table differ, with a column _change_type.
func (db *Database) DiffRows(ctx context.Context, name string, from, to uint64, key ...string) (*Rows, error) {
	return db.openRows(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(key)
		return C.armillaria_diff_rows(
			db, text(name), C.uint64_t(from), C.uint64_t(to), list, length, r.cancel(), r.out(), failure)
	})
}

func (o *ReadOptions) parts() ([]string, At) {
	if o == nil {
		return nil, At{}
	}
	return o.Columns, o.At
}

func (o *WriteOptions) export(r *request) *C.ArmillariaWriteOptions {
	if o == nil {
		return nil
	}
	out := &C.ArmillariaWriteOptions{
		struct_size: C.sizeof_ArmillariaWriteOptions,
		mode:        C.uint32_t(o.Mode),
		branch:      r.pin(optional(o.Branch)),
		message:     r.pin(optional(o.Message)),
	}
	out.key, out.key_len = r.list(o.Key)
	return out
}
