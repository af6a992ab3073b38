package armillaria_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func TestRowsOutliveTheirDatabase(t *testing.T) {
	ctx := t.Context()
	db := must(armillaria.Open(ctx, t.TempDir(), nil))(t)
	must(db.WriteTable(ctx, "t", ids(0, 100_000, 10_000), nil))(t)
	read := must(db.ReadTable(ctx, "t", nil))(t)
	queried := must(db.Query(ctx, "SELECT id FROM t WHERE id % 2 = 0"))(t)
	tx := must(db.Begin(ctx, nil))(t)
	inside := must(tx.ReadTable(ctx, "t", nil))(t)
	if !read.Next() {
		t.Fatal(read.Err())
	}
	kept := read.RecordBatch()
	kept.Retain()
	defer kept.Release()
	check(t, tx.Rollback())
	check(t, db.Close())
	db, tx = nil, nil
	runtime.GC()
	for name, c := range map[string]struct {
		rows *armillaria.Rows
		want int
	}{"read": {read, 100_000 - int(kept.NumRows())}, "queried": {queried, 50_000}, "of a transaction": {inside, 100_000}} {
		if got := must(int64s(c.rows, nil))(t); len(got) != c.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), c.want)
		}
	}
	if first := kept.Column(0).(*array.Int64).Value(0); first != 0 {
		t.Errorf("the batch that was kept begins with %d", first)
	}
}

func TestALoopThatIsLeftClosesItsRows(t *testing.T) {
	db := openMemory(t)
	rows := must(db.Query(t.Context(), endlessRows))(t)
	var kept arrow.RecordBatch
	for batch, err := range rows.Batches() {
		check(t, err)
		kept = batch
		kept.Retain()
		break
	}
	if kept.Column(0).(*array.Int64).Value(1) != 1 {
		t.Error("a batch that was retained has gone")
	}
	kept.Release()
	if rows.Next() {
		t.Error("there are rows after the loop was left")
	}
	wantError(t, rows.Err(), armillaria.ErrClosed)
	func() {
		defer func() { _ = recover() }()
		rows = must(db.Query(t.Context(), endlessRows))(t)
		for range rows.Batches() {
			panic("out of here")
		}
	}()
	for _, err := range rows.Batches() {
		wantError(t, err, armillaria.ErrClosed)
	}
}

func TestRowsAreReadOnceAndClosedAgainAndAgain(t *testing.T) {
	db := openMemory(t)
	rows := must(db.Query(t.Context(), "SELECT range FROM range(3)"))(t)
	if got := must(int64s(rows, nil))(t); len(got) != 3 {
		t.Errorf("got %v", got)
	}
	for range rows.Batches() {
		t.Error("there are rows behind the end")
	}
	if rows.Next() || rows.Err() != nil || rows.RecordBatch() != nil || rows.Schema().NumFields() != 1 {
		t.Errorf("the end has changed: %v", rows.Err())
	}
	rows.Close()
	rows.Close()
	rows.Retain()
	rows.Release()
}

func TestRowsCanBeWrittenAsTheyAreRead(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	rows := must(db.Query(ctx, "SELECT range AS id FROM range(5000)"))(t)
	defer rows.Close()
	if commit := must(db.WriteTable(ctx, "t", rows, nil))(t); commit.Rows != 5000 {
		t.Errorf("got %+v", commit)
	}
	late := "SELECT CASE WHEN range = 3000000 THEN error('late')::BIGINT ELSE range END AS id FROM range(4000000)"
	failing := must(db.Query(ctx, late))(t)
	defer failing.Close()
	_, err := db.WriteTable(ctx, "t", failing, nil)
	wantError(t, err, armillaria.ErrSQL)
	if n := count(t, db, "SELECT count(*) FROM t"); n != 5000 {
		t.Errorf("%d rows after a write that failed", n)
	}
}

// What is forgotten is found by the garbage collector: here a subscription and a transaction that nobody closed, a stream
// that is half read, and the database under them. A file lock or a thread that stays would show in the leak test.
func TestTheGarbageCollectorClosesWhatIsForgotten(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	freed := make(chan struct{})
	func() {
		db := must(armillaria.Open(ctx, folder, nil))(t)
		writeIDs(t, db, "t", 0, 5, nil)
		must(db.Subscribe(ctx, nil))(t)
		tx := must(db.Begin(ctx, nil))(t)
		check(t, tx.WriteTable(ctx, "t", ids(0, 9, 9), nil))
		if rows := must(db.Query(ctx, endlessRows))(t); !rows.Next() {
			t.Error(rows.Err())
		}
		runtime.AddCleanup(db, func(freed chan struct{}) { close(freed) }, freed)
	}()
	deadline := time.After(10 * time.Second)
	for waiting := true; waiting; {
		runtime.GC()
		select {
		case <-freed:
			waiting = false
		case <-deadline:
			t.Fatal("the database was not collected")
		case <-time.After(time.Millisecond):
		}
	}
	db := openAt(t, folder, nil)
	if n := count(t, db, "SELECT count(*) FROM t"); n != 5 {
		t.Errorf("%d rows after a transaction that was forgotten", n)
	}
}

func TestClosingTwoEndsOfAReadAtOnce(t *testing.T) {
	db := openMemory(t)
	for range 50 {
		rows := must(db.Query(t.Context(), endlessRows))(t)
		go rows.Close()
		for _, err := range rows.Batches() {
			if err != nil && !errors.Is(err, armillaria.ErrClosed) {
				t.Error(err)
			}
		}
	}
}
