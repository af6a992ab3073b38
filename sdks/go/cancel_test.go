package armillaria_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// endless takes minutes, and gives its only row at the end.
const endless = "SELECT count(*) FROM range(1000000000000) r WHERE r.range % 7 = 3"

// halting gives rows at once, and then none for minutes.
const halting = "SELECT range AS id FROM range(1000000000000) r WHERE r.range < 20000000 OR r.range > 900000000000"

// endlessRows gives rows for minutes.
const endlessRows = "SELECT range AS id FROM range(1000000000000)"

// The aim is 100 ms, which the printed figures show; a busy machine is given more.
const cancelledWithin = time.Second

func TestACancelledQueryLetsGo(t *testing.T) {
	db := openMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	time.AfterFunc(300*time.Millisecond, func() {
		cancelled = time.Now()
		cancel()
	})
	_, err := int64s(db.Query(ctx, endless))
	wantLetGo(t, cancelled)
	wantError(t, err, armillaria.ErrCancelled, armillaria.ErrEnvironment, context.Canceled)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("there was no deadline")
	}
	if n := count(t, db, "SELECT 1::BIGINT"); n != 1 {
		t.Error("the database is of no use afterwards")
	}
}

func TestADeadlineEndsAQuery(t *testing.T) {
	db := openMemory(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_, err := int64s(db.Query(ctx, endless))
	wantLetGo(t, deadline)
	wantError(t, err, armillaria.ErrCancelled, context.DeadlineExceeded)
}

func TestClosingRowsEndsAReadInAnotherGoroutine(t *testing.T) {
	db := openMemory(t)
	rows := must(db.Query(t.Context(), halting))(t)
	ended := make(chan error)
	go func() {
		for rows.Next() {
		}
		ended <- rows.Err()
	}()
	time.Sleep(200 * time.Millisecond)
	closed := time.Now()
	rows.Close()
	err := <-ended
	wantLetGo(t, closed)
	wantError(t, err, armillaria.ErrClosed)
}

func TestTheContextOfAQueryEndsItsRows(t *testing.T) {
	db := openMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	rows := must(db.Query(ctx, endlessRows))(t)
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	for rows.Next() {
	}
	wantError(t, rows.Err(), armillaria.ErrCancelled, context.Canceled)
}

func TestAWriteIsCancelled(t *testing.T) {
	db := openMemory(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	deadline, _ := ctx.Deadline()
	source := must(db.Query(t.Context(), endlessRows))(t)
	defer source.Close()
	_, err := db.WriteTable(ctx, "endless", source, nil)
	wantLetGo(t, deadline)
	wantError(t, err, armillaria.ErrCancelled, context.DeadlineExceeded)
	if tables := must(db.ListTables(t.Context(), armillaria.AtHead()))(t); len(tables) != 0 {
		t.Errorf("a cancelled write left %v", tables)
	}
}

func TestNothingBeginsWithAnEndedContext(t *testing.T) {
	db := openMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := db.WriteTable(ctx, "t", ids(0, 3, 3), nil)
	wantError(t, err, armillaria.ErrCancelled, context.Canceled)
	_, err = db.Query(ctx, "SELECT 1")
	wantError(t, err, armillaria.ErrCancelled, context.Canceled)
	_, _, err = db.Compact(ctx, "t", "")
	wantError(t, err, armillaria.ErrCancelled, context.Canceled)
	_, err = armillaria.Open(ctx, "memory:", nil)
	wantError(t, err, armillaria.ErrCancelled, context.Canceled)
	if latest := must(db.LatestTxID(t.Context()))(t); latest != 0 {
		t.Errorf("something was committed: %d", latest)
	}
}

func wantLetGo(t *testing.T, asked time.Time) {
	t.Helper()
	took := time.Since(asked)
	t.Logf("let go %.1f ms after it was asked to", float64(took.Microseconds())/1000)
	if took > cancelledWithin {
		t.Errorf("let go after %v", took)
	}
}
