package armillaria

// #include "armillaria.h"
import "C"

import "context"

// Query runs a SELECT of DuckDB over any tables and versions, at the head of the current branch where the statement
// says nothing else: AT (VERSION => 3), AT (VERSION => 'name') of a branch, else a tag ('tag:name' is no branch),
// AT (TIMESTAMP => ...). Arguments are the values of its parameters, ? or $1 by their order, $name as Named values.
//
// SQL_ERROR, TABLE_NOT_FOUND, INVALID_ARGUMENT, CANCELLED; the last two also while reading.
func (db *Database) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	return db.QueryAt(ctx, At{}, sql, args...)
}

// QueryAt is Query, looking elsewhere where the statement says nothing else.
func (db *Database) QueryAt(ctx context.Context, at At, sql string, args ...any) (*Rows, error) {
	values, err := parameters(args)
	if err != nil {
		return nil, err
	}
	return db.openRows(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := values.export(r)
		return C.armillaria_query(db, text(sql), list, length, at.export(r), r.cancel(), r.out(), failure)
	})
}

// Execute runs a statement that changes tables, and commits it. UNSUPPORTED for what this version does not offer.
func (db *Database) Execute(ctx context.Context, sql string, args ...any) (Commit, error) {
	values, err := parameters(args)
	if err != nil {
		return Commit{}, err
	}
	var out *C.ArmillariaCommit
	err = db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := values.export(r)
		return C.armillaria_execute(db, text(sql), list, length, r.cancel(), &out, failure)
	})
	return takeCommit(out), err
}
