// A year of real flights: twelve months as twelve commits, one question at two versions, a branch that is merged, a conflict
// that is an answer, and a subscriber that sees it all.
//
//	go run . ../data
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER_OF_FLIGHTS")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// story is what the chapters share.
type story struct {
	ctx  context.Context
	out  io.Writer
	data string
	db   *armillaria.Database
}

func run(ctx context.Context, out io.Writer, data string) (failure error) {
	folder, err := os.MkdirTemp("", "armillaria-flights-")
	if err != nil {
		return err
	}
	defer func() { failure = errors.Join(failure, os.RemoveAll(folder)) }()
	db, err := armillaria.Open(ctx, folder, &armillaria.OpenOptions{Author: "tower", ExternalAccess: true})
	if err != nil {
		return err
	}
	defer func() { failure = errors.Join(failure, db.Close()) }()
	s := &story{ctx, out, data, db}
	subscriber, seen, err := s.subscribe()
	if err != nil {
		return err
	}
	for _, chapter := range []func() error{s.twelveMonths, s.oneQuestion, s.branchAndMerge, s.conflict} {
		if err := chapter(); err != nil {
			return err
		}
	}
	return s.whatTheSubscriberSaw(subscriber, seen)
}

// parquet gives a SELECT over one of the files.
func (s *story) parquet(name string) string {
	path := strings.ReplaceAll(filepath.Join(s.data, name+".parquet"), "'", "''")
	return "SELECT * FROM read_parquet('" + path + "')"
}

// write streams the rows of a statement into a table.
func (s *story) write(table string, options *armillaria.WriteOptions, sql string, args ...any) (armillaria.Commit, error) {
	rows, err := s.db.Query(s.ctx, sql, args...)
	if err != nil {
		return armillaria.Commit{}, err
	}
	defer rows.Close()
	return s.db.WriteTable(s.ctx, table, rows, options)
}

func (s *story) twelveMonths() error {
	fmt.Fprintln(s.out, "Twelve months, twelve commits:")
	for month := time.January; month <= time.December; month++ {
		options := &armillaria.WriteOptions{Mode: armillaria.Append, Message: month.String() + " 2013"}
		commit, err := s.write("flights", options, s.parquet("flights")+" WHERE month = ?", int(month))
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "  version %2d, %6d rows\n", commit.Version, commit.Rows)
	}
	return nil
}

func (s *story) oneQuestion() error {
	fmt.Fprintln(s.out, "The mean delay at departure, as it was known")
	for _, version := range []uint64{6, 12} {
		at := armillaria.AtVersion("flights", version)
		mean, err := s.number(at, "SELECT round(avg(dep_delay), 2) FROM flights")
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "  at version %2d: %.2f minutes\n", version, mean)
	}
	return nil
}

// number asks for one number.
func (s *story) number(at armillaria.At, sql string) (number float64, err error) {
	rows, err := s.db.QueryAt(s.ctx, at, sql)
	if err != nil {
		return 0, err
	}
	for batch, err := range rows.Batches() {
		if err != nil {
			return 0, err
		}
		number = batch.Column(0).(*array.Float64).Value(0)
	}
	return number, nil
}

func (s *story) branchAndMerge() error {
	if err := s.db.CreateBranch(s.ctx, "flown", &armillaria.BranchOptions{Description: "without the cancelled"}); err != nil {
		return err
	}
	options := &armillaria.WriteOptions{Branch: "flown", Message: "Only what left the ground"}
	if _, err := s.write("flights", options, "FROM flights WHERE dep_time IS NOT NULL"); err != nil {
		return err
	}
	if _, err := s.write("airlines", &armillaria.WriteOptions{Message: "Airlines"}, s.parquet("airlines")); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "A branch without the cancelled flights, merged:")
	if err := s.printRows("main"); err != nil {
		return err
	}
	report, err := s.db.MergeBranch(s.ctx, "flown", nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  %s, taking over %v\n", report.Kind, report.Tables)
	return s.printRows("main")
}

func (s *story) printRows(branch string) error {
	tables, err := s.db.ListTables(s.ctx, armillaria.AtBranch(branch))
	if err != nil {
		return err
	}
	for _, table := range tables {
		fmt.Fprintf(s.out, "  %s: %s has %d rows\n", branch, table.Name, table.Rows)
	}
	return nil
}

// conflict changes one table on two branches. Whoever merges is told, and decides.
func (s *story) conflict() error {
	if err := s.db.CreateBranch(s.ctx, "codes", nil); err != nil {
		return err
	}
	for branch, carrier := range map[string]string{"main": "AA", "codes": "UA"} {
		options := &armillaria.WriteOptions{Branch: branch, Message: "Without " + carrier}
		if _, err := s.write("airlines", options, "FROM airlines WHERE carrier <> ?", carrier); err != nil {
			return err
		}
	}
	_, err := s.db.MergeBranch(s.ctx, "codes", nil)
	if !errors.Is(err, armillaria.ErrMergeConflict) {
		return fmt.Errorf("a conflict was expected, not %w", err)
	}
	fmt.Fprintln(s.out, "A conflict is an answer:")
	report, err := s.db.MergeBranch(s.ctx, "codes", &armillaria.MergeOptions{Strategy: armillaria.MergeOurs})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  %v changed on both sides; ours was kept\n", report.Conflicts)
	return nil
}

// subscribe counts the entries of the changelog by their kind, in a goroutine of its own.
func (s *story) subscribe() (*armillaria.Background, chan armillaria.ChangelogEntry, error) {
	subscription, err := s.db.Subscribe(s.ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	seen := make(chan armillaria.ChangelogEntry, 100)
	return subscription.Start(s.ctx, func(_ context.Context, entry armillaria.ChangelogEntry) error {
		seen <- entry
		return nil
	}), seen, nil
}

func (s *story) whatTheSubscriberSaw(subscriber *armillaria.Background, seen chan armillaria.ChangelogEntry) error {
	latest, err := s.db.LatestTxID(s.ctx)
	if err != nil {
		return err
	}
	kinds := map[string]int{}
	for last := uint64(0); last < latest; {
		select {
		case entry := <-seen:
			kinds[entry.Kind]++
			last = entry.TxID
		case <-subscriber.Done():
			return fmt.Errorf("the subscriber ended early: %w", subscriber.Wait())
		}
	}
	fmt.Fprintf(s.out, "The subscriber saw all %d transactions: %d commits, %d merges, %d of branches.\n",
		latest, kinds["commit"], kinds["merge"], kinds["refs"])
	return subscriber.Close()
}
