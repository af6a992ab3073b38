package armillaria_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// collect returns when the cleanups of what is garbage now have run.
func collect() {
	for range 2 { // what a cleanup lets go may have cleanups of its own
		done := make(chan struct{})
		runtime.AddCleanup(new(string), func(done chan struct{}) { close(done) }, done)
		for waiting := true; waiting; {
			runtime.GC()
			select {
			case <-done:
				waiting = false
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// collecting collects garbage whenever a call asks whether it has ended: the call has been made on its object by then, and
// has not reached the library yet.
type collecting struct{ context.Context }

func (c collecting) Err() error {
	collect()
	return c.Context.Err()
}

// collectingReader collects garbage while the library reads it.
type collectingReader struct{ array.RecordReader }

func (r collectingReader) Next() bool {
	collect()
	return r.RecordReader.Next()
}

// Each of these makes an object and one call, which is the last that it hears of the object.
func TestAnObjectIsNotClosedUnderItsLastCall(t *testing.T) {
	ctx := collecting{t.Context()}
	folder := t.TempDir()
	open := func(t *testing.T) *armillaria.Database {
		return must(armillaria.Open(t.Context(), folder, nil))(t)
	}
	begin := func(t *testing.T) *armillaria.Tx { return must(open(t).Begin(t.Context(), nil))(t) }
	must(open(t).WriteTable(t.Context(), "t", ids(0, 5, 5), nil))(t)
	for name, call := range map[string]func(*testing.T) error{
		"Database": func(t *testing.T) error {
			_, err := open(t).LatestTxID(ctx)
			return err
		},
		"Database.Query": func(t *testing.T) error {
			values, err := int64s(open(t).Query(ctx, "FROM t"))
			if len(values) != 5 {
				t.Errorf("%d rows", len(values))
			}
			return err
		},
		"Database.Begin": func(t *testing.T) error {
			tx, err := open(t).Begin(ctx, nil)
			if err != nil {
				return err
			}
			return tx.Rollback()
		},
		"Database.WriteTable": func(t *testing.T) error {
			_, err := open(t).WriteTable(t.Context(), "w", collectingReader{ids(0, 9, 3)}, nil)
			return err
		},
		"Tx": func(t *testing.T) error {
			_, err := begin(t).ListTables(ctx)
			return err
		},
		"Tx.WriteTable": func(t *testing.T) error {
			return begin(t).WriteTable(t.Context(), "w", collectingReader{ids(0, 9, 3)}, nil)
		},
		"Tx.Commit": func(t *testing.T) error {
			tx := begin(t)
			check(t, tx.WriteTable(t.Context(), "c", ids(0, 9, 9), nil))
			_, err := tx.Commit(ctx, "")
			return err
		},
		"Subscription": func(t *testing.T) error {
			_, _, err := must(open(t).Subscribe(t.Context(), nil))(t).Poll(ctx, 0)
			return err
		},
		"ChunkStore": func(t *testing.T) error {
			_, err := must(armillaria.OpenChunkStore(t.Context(), folder, false))(t).Put(ctx, []byte("x"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { check(t, call(t)) })
	}
	db := open(t)
	defer db.Close()
	if n := count(t, db, "SELECT (SELECT count(*) FROM w) * 100 + (SELECT count(*) FROM c)"); n != 909 {
		t.Errorf("of what was written last, %d is there", n)
	}
}

// The library reads for a while here, and the collector runs all the time.
func TestRowsAreNotClosedUnderTheirLastRead(t *testing.T) {
	var stop atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !stop.Load() {
			runtime.GC()
		}
	}()
	defer func() { stop.Store(true); <-stopped }()
	const slow = "SELECT count(*) AS id FROM range(5000000) r WHERE r.range % 7 = 3"
	for range 10 {
		rows := must(must(armillaria.Open(t.Context(), "memory:", nil))(t).Query(t.Context(), slow))(t)
		if !rows.Next() {
			t.Fatal("the rows ended early")
		}
	}
	for range 10 {
		db := must(armillaria.Open(t.Context(), "memory:", nil))(t)
		if values := must(int64s(db.Query(t.Context(), slow)))(t); len(values) != 1 || values[0] != 714286 {
			t.Fatalf("got %v", values)
		}
	}
}

// The batch is still read when the rows that it came from are garbage.
func TestALentBatchOutlivesRowsThatWereForgotten(t *testing.T) {
	db := must(armillaria.Open(t.Context(), "memory:", nil))(t)
	defer db.Close()
	batch := func() arrow.RecordBatch {
		rows := must(db.Query(t.Context(), "SELECT range AS id FROM range(1000)"))(t)
		if !rows.Next() {
			t.Fatal("no rows")
		}
		return rows.RecordBatch()
	}()
	collect()
	for range 20 { // whose rows would take the place of what was freed
		must(int64s(db.Query(t.Context(), "SELECT -1 - range AS id FROM range(1000)")))(t)
	}
	for at, id := range batch.Column(0).(*array.Int64).Int64Values() {
		if id != int64(at) {
			t.Fatalf("row %d has the id %d", at, id)
		}
	}
}
