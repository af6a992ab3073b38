// Border measures what a query costs that answers nothing: the way into the library and back, and an empty stream.
//
//	border ROUNDS
//
// It prints {"rounds": N, "ns_per_query": X}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "border:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: border ROUNDS")
	}
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil || rounds < 1 {
		return fmt.Errorf("%q is no number of rounds", os.Args[1])
	}
	ctx := context.Background()
	db, err := armillaria.Open(ctx, "memory:", nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.WriteTable(ctx, "small", small(), nil); err != nil {
		return err
	}
	if err := queries(ctx, db, 1+rounds/10); err != nil { // warms up
		return err
	}
	start := time.Now()
	if err := queries(ctx, db, rounds); err != nil {
		return err
	}
	took := float64(time.Since(start).Nanoseconds()) / float64(rounds)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"rounds": rounds, "ns_per_query": took})
}

func queries(ctx context.Context, db *armillaria.Database, rounds int) error {
	for range rounds {
		rows, err := db.Query(ctx, "SELECT 1 WHERE false")
		if err != nil {
			return err
		}
		for batch, err := range rows.Batches() {
			if err != nil {
				return err
			}
			if batch.NumRows() > 0 {
				return fmt.Errorf("there are rows")
			}
		}
	}
	return nil
}

func small() array.RecordReader {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	builder.AppendValues([]int64{1, 2, 3}, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{builder.NewArray()}, 3)
	rows, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		panic(err) // the batch has the schema
	}
	return rows
}
