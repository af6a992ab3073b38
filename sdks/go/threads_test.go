package armillaria_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// Eight goroutines share one database: each fills a table of its own, all append to one table by transactions that they
// retry, and each reads what the others write. Every number is checked. ARMILLARIA_GO_THREAD_ROUNDS sets how often.
func TestEightGoroutinesShareADatabase(t *testing.T) {
	const goroutines, rows = 8, 50
	rounds := roundsOf(t, "ARMILLARIA_GO_THREAD_ROUNDS", 6)
	db := openMemory(t)
	writeIDs(t, db, "shared", 0, 0, nil)
	var group sync.WaitGroup
	for g := range int64(goroutines) {
		group.Go(func() {
			own := fmt.Sprintf("own%d", g)
			for round := range rounds {
				if err := appendTo(t.Context(), db, own, round*rows, rows); err != nil {
					t.Errorf("%s: %v", own, err)
				}
				if err := appendTo(t.Context(), db, "shared", (g*rounds+round)*rows, rows); err != nil {
					t.Errorf("shared: %v", err)
				}
				if err := checkReads(t.Context(), db, own, (round+1)*rows); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	total := goroutines * rounds * rows
	if n := count(t, db, "SELECT count(DISTINCT id) FROM shared"); n != total {
		t.Errorf("%d rows of %d are there", n, total)
	}
	if n := count(t, db, "SELECT sum(id)::BIGINT FROM shared"); n != total*(total-1)/2 {
		t.Errorf("the sum is %d", n)
	}
	if latest := must(db.LatestTxID(t.Context()))(t); latest != uint64(1+2*goroutines*rounds) {
		t.Errorf("%d transactions", latest)
	}
	if report := must(db.Verify(t.Context(), true))(t); !report.OK {
		t.Errorf("verify found %v", report.Problems)
	}
}

func appendTo(ctx context.Context, db *armillaria.Database, table string, from, rows int64) error {
	for {
		_, err := db.Transact(ctx, nil, func(tx *armillaria.Tx) error {
			return tx.WriteTable(ctx, table, ids(from, from+rows, 20), &armillaria.WriteOptions{Mode: armillaria.Append})
		})
		if !errors.Is(err, armillaria.ErrWriteConflict) {
			return err
		}
	}
}

// checkReads compares what SQL, a plain read and an older version say.
func checkReads(ctx context.Context, db *armillaria.Database, table string, want int64) error {
	values, err := int64s(db.ReadTable(ctx, table, nil))
	if err != nil || int64(len(values)) != want {
		return fmt.Errorf("read %d rows of %s, want %d: %w", len(values), table, want, err)
	}
	n, err := queryInt(ctx, db, "SELECT count(*) FROM "+table)
	if err != nil || n != want {
		return fmt.Errorf("SQL counts %d rows of %s, want %d: %w", n, table, want, err)
	}
	first, err := int64s(db.ReadTable(ctx, table, &armillaria.ReadOptions{At: armillaria.AtVersion(table, 1)}))
	if err != nil || len(first) != 50 {
		return fmt.Errorf("version 1 of %s has %d rows: %w", table, len(first), err)
	}
	return nil
}

// Closing while others are at work gives them results or CLOSED, and nothing else.
func TestClosingWhileOthersAreAtWork(t *testing.T) {
	for range 20 {
		db := must(armillaria.Open(t.Context(), "memory:", nil))(t)
		writeIDs(t, db, "t", 0, 100, nil)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for {
					values, err := int64s(db.ReadTable(t.Context(), "t", nil))
					if err != nil {
						if !errors.Is(err, armillaria.ErrClosed) {
							t.Error(err)
						}
						return
					}
					if len(values) != 100 {
						t.Errorf("read %d rows", len(values))
					}
				}
			})
		}
		check(t, db.Close())
		check(t, db.Close())
		group.Wait()
	}
}
