package armillaria_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func TestATransactionReadsItsOwnWritesAndCommitsThemTogether(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "old", 0, 3, nil)
	commit, err := db.Transact(ctx, &armillaria.TransactOptions{Message: "both"}, func(tx *armillaria.Tx) error {
		check(t, tx.WriteTable(ctx, "a", ids(0, 5, 5), nil))
		check(t, tx.CreateTable(ctx, "b", idSchema, "id"))
		check(t, tx.DropTable(ctx, "old"))
		if n := must(int64s(tx.Query(ctx, "SELECT count(*) FROM a WHERE id >= ?", 2)))(t); n[0] != 3 {
			t.Errorf("it sees %d rows of its own", n)
		}
		if rows := must(int64s(tx.ReadTable(ctx, "a", []string{"id"})))(t); len(rows) != 5 {
			t.Errorf("it reads %v", rows)
		}
		if tables := must(tx.ListTables(ctx))(t); !slices.Equal(tables, []string{"a", "b"}) {
			t.Errorf("it sees %v", tables)
		}
		if schema := must(tx.TableSchema(ctx, "b"))(t); !schema.Equal(idSchema) {
			t.Errorf("got %v", schema)
		}
		if n := len(must(db.ListTables(ctx, armillaria.AtHead()))(t)); n != 1 {
			t.Errorf("others see %d tables", n)
		}
		return nil
	})
	check(t, err)
	if len(commit.Tables) != 3 || commit.TxID != 2 {
		t.Errorf("got %+v", commit)
	}
	changes := must(db.Changes(ctx, &armillaria.ChangesOptions{SinceTx: armillaria.Some[uint64](1)}))(t)
	if len(changes) != 1 || changes[0].Message != "both" || len(changes[0].Tables) != 3 {
		t.Errorf("got %+v", changes)
	}
}

func TestAnErrorOrAPanicRollsBack(t *testing.T) {
	ctx, db, failure := t.Context(), openMemory(t), errors.New("changed my mind")
	var kept *armillaria.Tx
	_, err := db.Transact(ctx, nil, func(tx *armillaria.Tx) error {
		kept = tx
		check(t, tx.WriteTable(ctx, "a", ids(0, 5, 5), nil))
		return failure
	})
	if err != failure {
		t.Errorf("got %v", err)
	}
	_, err = kept.ListTables(ctx)
	wantError(t, err, armillaria.ErrClosed)
	func() {
		defer func() {
			if reason := recover(); reason != "no" {
				t.Errorf("got %v", reason)
			}
		}()
		_, _ = db.Transact(ctx, nil, func(tx *armillaria.Tx) error {
			kept = tx
			check(t, tx.WriteTable(ctx, "a", ids(0, 5, 5), nil))
			panic("no")
		})
	}()
	_, err = kept.ListTables(ctx)
	wantError(t, err, armillaria.ErrClosed)
	if latest := must(db.LatestTxID(ctx))(t); latest != 0 {
		t.Errorf("transaction %d is there", latest)
	}
}

func TestConflictsAreTypedAndRetried(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 1, nil)
	attempts := 0
	overwrite := func(tx *armillaria.Tx) error {
		attempts++
		if attempts == 1 {
			writeIDs(t, db, "t", 0, 2, nil) // somebody else is first
		}
		return tx.WriteTable(ctx, "t", ids(0, 3, 3), nil)
	}
	_, err := db.Transact(ctx, nil, overwrite)
	wantError(t, err, armillaria.ErrWriteConflict, armillaria.ErrConflict)
	must(db.Transact(ctx, nil, overwrite))(t)
	_, err = db.Transact(ctx, &armillaria.TransactOptions{Isolation: armillaria.Serializable}, func(tx *armillaria.Tx) error {
		must(int64s(tx.ReadTable(ctx, "t", nil)))(t)
		writeIDs(t, db, "t", 0, 4, nil)
		return tx.WriteTable(ctx, "u", ids(0, 1, 1), nil)
	})
	wantError(t, err, armillaria.ErrSerializationFailure, armillaria.ErrConflict)
}

func TestATransactionTakesNoBranchOrMessageForItsWrites(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	_, err := db.Transact(ctx, nil, func(tx *armillaria.Tx) error {
		return tx.WriteTable(ctx, "t", ids(0, 3, 3), &armillaria.WriteOptions{Message: "why"})
	})
	wantError(t, err, armillaria.ErrInvalidArgument)
	_, err = db.Begin(ctx, &armillaria.BeginOptions{Branch: "none"})
	wantError(t, err, armillaria.ErrBranchNotFound)
}

func TestExecuteSaysWhatItDoesNotOffer(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	_, err := db.Execute(ctx, "DELETE FROM t WHERE id = ?", 1)
	wantError(t, err, armillaria.ErrUnsupported)
	tx := must(db.Begin(ctx, nil))(t)
	wantError(t, tx.Execute(ctx, "DELETE FROM t"), armillaria.ErrUnsupported)
	check(t, tx.Rollback())
}
