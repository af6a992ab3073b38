package armillaria_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// A round opens a repository, writes, queries, fails in several ways, leaves things half done and closes. After a first
// third of the rounds, which fills pools and caches, the process must not grow, and every buffer that went over the border
// must have come back. ARMILLARIA_GO_LEAK_ROUNDS sets how many rounds there are. Under the race detector, which itself takes
// more memory all the time, there are few and only the buffers are counted.
func TestRoundsLeaveNothingBehind(t *testing.T) {
	rounds := roundsOf(t, "ARMILLARIA_GO_LEAK_ROUNDS", 300)
	if raceDetector {
		rounds = 30
	}
	c := mallocator.NewMallocator()
	goes := memory.NewCheckedAllocator(memory.NewGoAllocator())
	folder := t.TempDir()
	var settled int64
	for n := range rounds {
		allocator := memory.Allocator(c)
		if n%2 == 0 {
			allocator = goes
		}
		location := "memory:"
		if n%10 == 0 {
			location = filepath.Join(folder, "repo")
		}
		if err := leakRound(t.Context(), location, allocator); err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		check(t, os.RemoveAll(filepath.Join(folder, "repo")))
		if n == rounds/3 {
			settled = residentBytes(t)
		}
	}
	c.AssertSize(t, 0)
	goes.AssertSize(t, 0)
	if raceDetector {
		return
	}
	grown := residentBytes(t) - settled
	t.Logf("%d rounds: %+.1f MiB over the last two thirds, %.1f MiB before", rounds, mib(grown), mib(settled))
	if allowed := int64(12 << 20); grown > allowed {
		t.Errorf("the process grew by %.1f MiB", mib(grown))
	}
}

func leakRound(ctx context.Context, location string, allocator memory.Allocator) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	db, err := armillaria.Open(ctx, location, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := writeWith(ctx, db, allocator); err != nil {
		return err
	}
	n, err := queryInt(ctx, db, "SELECT count(*) FROM t WHERE id >= ?", 500)
	if err != nil || n != 500 {
		return fmt.Errorf("counted %d: %w", n, err)
	}
	for _, sql := range []string{"SELECT", "FROM none", "SELECT error('x')"} {
		if _, err := queryInt(ctx, db, sql); err == nil {
			return errors.New(sql + " did not fail")
		}
	}
	if err := leaveHalfDone(ctx, db); err != nil {
		return err
	}
	subscription, err := db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: armillaria.Some[uint64](0)})
	if err != nil {
		return err
	}
	if _, err := subscription.Next(ctx); err != nil {
		return err
	}
	return subscription.Close()
}

func writeWith(ctx context.Context, db *armillaria.Database, allocator memory.Allocator) error {
	builder := array.NewRecordBuilder(allocator, idSchema)
	defer builder.Release()
	for id := range int64(1000) {
		builder.Field(0).(*array.Int64Builder).Append(id)
	}
	batch := builder.NewRecordBatch()
	defer batch.Release()
	rows, err := array.NewRecordReader(idSchema, []arrow.RecordBatch{batch})
	if err != nil {
		return err
	}
	defer rows.Release()
	_, err = db.WriteTable(ctx, "t", rows, nil)
	return err
}

// leaveHalfDone leaves a stream in its middle, a transaction open, and a context to be cancelled.
func leaveHalfDone(ctx context.Context, db *armillaria.Database) error {
	rows, err := db.Query(ctx, "FROM t, range(100)")
	if err != nil {
		return err
	}
	for _, err := range rows.Batches() {
		if err != nil {
			return err
		}
		break
	}
	tx, err := db.Begin(ctx, nil)
	if err != nil {
		return err
	}
	if err := tx.WriteTable(ctx, "u", ids(0, 10, 10), nil); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := db.Query(ctx, "FROM t"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a cancelled query answered %w", err)
	}
	return tx.Rollback()
}

// residentBytes is the memory of the process after everything that Go can free was freed.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("the memory of a process is not known here: %v", err)
	}
	var size, resident int64
	_, err = fmt.Sscan(string(status), &size, &resident)
	check(t, err)
	return resident * int64(os.Getpagesize())
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
