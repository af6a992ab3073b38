package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Isolation says how far transactions are kept apart.
type Isolation uint32

// The levels of isolation.
const (
	Snapshot     Isolation = C.ARMILLARIA_ISOLATION_SNAPSHOT     // what it writes must not have changed
	Serializable Isolation = C.ARMILLARIA_ISOLATION_SERIALIZABLE // nor what it read
)

// BeginOptions say how a transaction begins. nil stands for the defaults: a snapshot of the current branch.
type BeginOptions struct {
	Branch    string
	Isolation Isolation
}

// Tx changes any number of tables at once. It reads a snapshot and its own writes. Goroutines may share it and take
// turns; rows that were read of it are their own and need no turn.
//
// End it with Commit or Rollback. One that is forgotten is rolled back when the garbage collector finds it.
type Tx struct {
	handle *handle[*C.ArmillariaTransaction]
	turn   turn
	db     *Database // or the garbage collector closes it, and with it the transaction
}

// Begin begins a transaction. BRANCH_NOT_FOUND.
func (db *Database) Begin(ctx context.Context, options *BeginOptions) (*Tx, error) {
	var object *C.ArmillariaTransaction
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_begin(db, options.export(r), &object, failure)
	})
	if err != nil {
		return nil, err
	}
	free := func(object *C.ArmillariaTransaction) { C.armillaria_transaction_free(object) }
	tx := &Tx{newHandle("transaction", object, free), newTurn(), db}
	runtime.AddCleanup(tx, (*handle[*C.ArmillariaTransaction]).close, tx.handle)
	return tx, nil
}

// Commit makes everything durable and visible at once; message says why and may be empty. Whatever it answers, the
// transaction has ended, unless the context ended before it began.
//
// WRITE_CONFLICT or SERIALIZATION_FAILURE if another commit came between: begin again and retry.
func (tx *Tx) Commit(ctx context.Context, message string) (Commit, error) {
	var out *C.ArmillariaCommit
	err := tx.invoke(ctx, func(r *request, object *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		tx.handle.close()
		return C.armillaria_transaction_commit(object, optional(message), &out, failure)
	})
	return takeCommit(out), err
}

// Rollback forgets everything. After Commit or Rollback it does nothing and answers CLOSED, so it can be deferred.
func (tx *Tx) Rollback() error {
	return tx.invoke(context.Background(),
		func(_ *request, object *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
			tx.handle.close()
			return C.armillaria_transaction_rollback(object, failure)
		})
}

// invoke makes one call on the transaction, when it is its turn.
func (tx *Tx) invoke(
	ctx context.Context, call func(*request, *C.ArmillariaTransaction, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	return tx.inTurn(&request{ctx: ctx}, call)
}

// openRows makes one call on the transaction that gives rows, when it is its turn.
func (tx *Tx) openRows(
	ctx context.Context, call func(*request, *C.ArmillariaTransaction, **C.ArmillariaError) C.ArmillariaStatus,
) (*Rows, error) {
	r := requestRows(ctx)
	return r.open(tx.inTurn(r, call))
}

func (tx *Tx) inTurn(
	r *request, call func(*request, *C.ArmillariaTransaction, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	if err := tx.turn.take(r.ctx); err != nil {
		return err
	}
	defer tx.turn.give()
	defer runtime.KeepAlive(tx) // or the garbage collector closes the handle before the call has it
	return invoke(r, tx.handle, call)
}

// Query is Database.Query on what the transaction sees.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	values, err := parameters(args)
	if err != nil {
		return nil, err
	}
	return tx.openRows(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := values.export(r)
		return C.armillaria_transaction_query(tx, text(sql), list, length, r.cancel(), r.out(), failure)
	})
}

// Execute is Database.Execute, within the transaction.
func (tx *Tx) Execute(ctx context.Context, sql string, args ...any) error {
	values, err := parameters(args)
	if err != nil {
		return err
	}
	return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := values.export(r)
		return C.armillaria_transaction_execute(tx, text(sql), list, length, r.cancel(), failure)
	})
}

// ReadTable is Database.ReadTable on what the transaction sees; nil columns are all.
func (tx *Tx) ReadTable(ctx context.Context, name string, columns []string) (*Rows, error) {
	return tx.openRows(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(columns)
		return C.armillaria_transaction_read_table(tx, text(name), list, length, r.cancel(), r.out(), failure)
	})
}

// WriteTable is Database.WriteTable, within the transaction. Options with a branch or a message are INVALID_ARGUMENT.
//
// The rows may be those of a query of this transaction, but a reader of the caller's own must not call its methods: only
// one goroutine at a time has the transaction, so the call waits for the write, which waits for the reader.
func (tx *Tx) WriteTable(ctx context.Context, name string, rows array.RecordReader, options *WriteOptions) error {
	return exportRows(rows, func(rows *C.struct_ArrowArrayStream) error {
		return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_transaction_write_table(
				tx, text(name), rows, options.export(r), r.cancel(), failure)
		})
	})
}

// CreateTable is Database.CreateTable, within the transaction.
func (tx *Tx) CreateTable(ctx context.Context, name string, schema *arrow.Schema, key ...string) error {
	return exportSchema(schema, func(schema *C.struct_ArrowSchema) error {
		return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
			list, length := r.list(key)
			return C.armillaria_transaction_create_table(tx, text(name), schema, list, length, failure)
		})
	})
}

// DropTable is Database.DropTable, within the transaction.
func (tx *Tx) DropTable(ctx context.Context, name string) error {
	return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_transaction_drop_table(tx, text(name), failure)
	})
}

// ListTables names the tables that the transaction sees.
func (tx *Tx) ListTables(ctx context.Context) ([]string, error) {
	var out *C.ArmillariaStringList
	err := tx.invoke(ctx, func(_ *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_transaction_list_tables(tx, &out, failure)
	})
	return takeStrings(out), err
}

// TableSchema gives the columns of a table as the transaction sees it.
func (tx *Tx) TableSchema(ctx context.Context, name string) (*arrow.Schema, error) {
	return importSchema(func(out *C.struct_ArrowSchema) error {
		return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_transaction_table_schema(tx, text(name), out, failure)
		})
	})
}

// CommitChunks is Database.CommitChunks, within the transaction.
func (tx *Tx) CommitChunks(ctx context.Context, name string, version uint64, hashes []string) error {
	return tx.invoke(ctx, func(r *request, tx *C.ArmillariaTransaction, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(hashes)
		return C.armillaria_transaction_commit_chunks(tx, text(name), C.uint64_t(version), list, length, failure)
	})
}

func (o *BeginOptions) export(r *request) *C.ArmillariaBeginOptions {
	if o == nil {
		return nil
	}
	return &C.ArmillariaBeginOptions{
		struct_size: C.sizeof_ArmillariaBeginOptions,
		isolation:   C.uint32_t(o.Isolation),
		branch:      r.pin(optional(o.Branch)),
	}
}
