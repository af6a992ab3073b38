package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// TableOptions say how a table is created or dropped. nil stands for the defaults.
type TableOptions struct {
	// Key are the key columns of a table that is created. Nothing enforces that they are unique.
	Key []string
	// Branch is where; "": the current branch.
	Branch string
	// Message says why.
	Message string
}

// TableInfo describes a table at one place.
type TableInfo struct {
	Name    string
	Version uint64
	Rows    uint64
	Chunks  uint64
	Bytes   uint64
}

// HistoryEntry is one version of a table.
type HistoryEntry struct {
	Version uint64
	TxID    uint64
	Branch  string
	Time    time.Time
	Author  string
	Message string
	// Kind is create, append, update, overwrite, drop, fold, adopt or restore.
	Kind   string
	Rows   uint64
	Chunks uint64
	Bytes  uint64
}

// CreateTable creates an empty table. TABLE_EXISTS.
func (db *Database) CreateTable(
	ctx context.Context, name string, schema *arrow.Schema, options *TableOptions,
) (Commit, error) {
	var out *C.ArmillariaCommit
	err := exportSchema(schema, func(schema *C.struct_ArrowSchema) error {
		return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_create_table(db, text(name), schema, options.export(r), &out, failure)
		})
	})
	return takeCommit(out), err
}

// DropTable drops a table; its versions stay. TABLE_NOT_FOUND.
func (db *Database) DropTable(ctx context.Context, name string, options *TableOptions) (Commit, error) {
	var out *C.ArmillariaCommit
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_drop_table(db, text(name), options.export(r), &out, failure)
	})
	return takeCommit(out), err
}

// ListTables lists the tables that are there, by name.
func (db *Database) ListTables(ctx context.Context, at At) ([]TableInfo, error) {
	var out *C.ArmillariaTableList
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_list_tables(db, at.export(r), &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_table_list_free(out)
	tables := make([]TableInfo, 0, out.len)
	for _, t := range unsafe.Slice(out.items, out.len) {
		tables = append(tables, TableInfo{
			Name:    goString(t.name),
			Version: uint64(t.version),
			Rows:    uint64(t.rows),
			Chunks:  uint64(t.chunks),
			Bytes:   uint64(t.bytes),
		})
	}
	return tables, nil
}

// TableSchema gives the columns of a table. TABLE_NOT_FOUND, VERSION_NOT_FOUND.
func (db *Database) TableSchema(ctx context.Context, name string, at At) (*arrow.Schema, error) {
	return importSchema(func(out *C.struct_ArrowSchema) error {
		return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_table_schema(db, text(name), at.export(r), out, failure)
		})
	})
}

// TableKey gives the key columns of a table. TABLE_NOT_FOUND, VERSION_NOT_FOUND.
func (db *Database) TableKey(ctx context.Context, name string, at At) ([]string, error) {
	var out *C.ArmillariaStringList
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_table_key(db, text(name), at.export(r), &out, failure)
	})
	return takeStrings(out), err
}

// History lists the versions of a table as a branch saw them; "" is the current branch. TABLE_NOT_FOUND.
func (db *Database) History(ctx context.Context, name, branch string) ([]HistoryEntry, error) {
	var out *C.ArmillariaHistory
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_history(db, text(name), optional(branch), &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_history_free(out)
	history := make([]HistoryEntry, 0, out.len)
	for _, e := range unsafe.Slice(out.items, out.len) {
		history = append(history, HistoryEntry{
			Version: uint64(e.version),
			TxID:    uint64(e.tx_id),
			Branch:  goString(e.branch),
			Time:    goTime(e.time_us),
			Author:  goString(e.author),
			Message: goString(e.message),
			Kind:    goString(e.kind),
			Rows:    uint64(e.rows),
			Chunks:  uint64(e.chunks),
			Bytes:   uint64(e.bytes),
		})
	}
	return history, nil
}

// Compact rewrites a table's small chunks and inlined batches into large chunks. False if there was nothing to do. If the
// context ends before the commit begins, it is CANCELLED and nothing was committed.
func (db *Database) Compact(ctx context.Context, name, branch string) (commit Commit, changed bool, err error) {
	var out *C.ArmillariaCommit
	err = db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_compact(db, text(name), optional(branch), r.cancel(), &out, failure)
	})
	return takeCommit(out), out != nil, err
}

func (o *TableOptions) export(r *request) *C.ArmillariaTableOptions {
	if o == nil {
		return nil
	}
	out := &C.ArmillariaTableOptions{
		struct_size: C.sizeof_ArmillariaTableOptions,
		branch:      r.pin(optional(o.Branch)),
		message:     r.pin(optional(o.Message)),
	}
	out.key, out.key_len = r.list(o.Key)
	return out
}
