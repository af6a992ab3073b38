package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"errors"
	"runtime"
)

// Database is an open repository, with a current branch that belongs to this handle alone. All goroutines may use it at
// the same time.
//
// Close it when it is no longer needed. One that is forgotten, with its transactions and subscriptions, is closed when the
// garbage collector finds it.
type Database struct {
	handle *handle[*C.ArmillariaDatabase]
}

func newDatabase(object *C.ArmillariaDatabase) *Database {
	free := func(object *C.ArmillariaDatabase) { C.armillaria_database_free(object) }
	db := &Database{newHandle("database", object, free)}
	runtime.AddCleanup(db, (*handle[*C.ArmillariaDatabase]).close, db.handle)
	return db
}

// Close closes the repository. What is done with the handle, its transactions and its subscriptions afterwards answers
// CLOSED; rows that are being read go on. It may be called again and again, and from any goroutine.
func (db *Database) Close() error {
	err := invoke(&request{ctx: context.Background()}, db.handle,
		func(_ *request, object *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
			db.handle.close()
			return C.armillaria_close(object, failure)
		})
	return unlessClosed(err)
}

// unlessClosed forgives that what is to be closed is closed.
func unlessClosed(err error) error {
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// invoke makes one call on the database.
func (db *Database) invoke(
	ctx context.Context, call func(*request, *C.ArmillariaDatabase, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	defer runtime.KeepAlive(db) // or the garbage collector closes the handle before the call has it
	return invoke(&request{ctx: ctx}, db.handle, call)
}

// openRows makes one call on the database that gives rows.
func (db *Database) openRows(
	ctx context.Context, call func(*request, *C.ArmillariaDatabase, **C.ArmillariaError) C.ArmillariaStatus,
) (*Rows, error) {
	defer runtime.KeepAlive(db)
	r := requestRows(ctx)
	return r.open(invoke(r, db.handle, call))
}

// Checkout makes a branch the current one of this handle. BRANCH_NOT_FOUND.
func (db *Database) Checkout(ctx context.Context, branch string) error {
	return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_checkout(db, text(branch), failure)
	})
}

// CurrentBranch names the current branch of this handle: "main" at first.
func (db *Database) CurrentBranch() (string, error) {
	var out *C.ArmillariaBuffer
	err := db.invoke(context.Background(),
		func(_ *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_current_branch(db, &out, failure)
		})
	return string(takeBuffer(out)), err
}
