package armillaria_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/armillaria-db/armillaria/sdks/go"
)

var idSchema = arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

// must is for calls whose failure ends the test.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("got error %v, want %v", err, target)
		}
	}
}

func openMemory(t testing.TB) *armillaria.Database {
	t.Helper()
	return openAt(t, "memory:", nil)
}

func openAt(t testing.TB, location string, options *armillaria.OpenOptions) *armillaria.Database {
	t.Helper()
	db := must(armillaria.Open(t.Context(), location, options))(t)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

// roundsOf is how often a test does what it does, unless the environment says otherwise.
func roundsOf(t testing.TB, variable string, usual int64) int64 {
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	return must(strconv.ParseInt(text, 10, 64))(t)
}

// ids gives rows of one column, in batches of batch rows at most.
func ids(from, to int64, batch int64) array.RecordReader {
	var batches []arrow.RecordBatch
	for ; from < to; from += batch {
		builder := array.NewInt64Builder(memory.DefaultAllocator)
		for id := from; id < min(from+batch, to); id++ {
			builder.Append(id)
		}
		column := builder.NewInt64Array()
		batches = append(batches, array.NewRecordBatch(idSchema, []arrow.Array{column}, int64(column.Len())))
	}
	reader, err := array.NewRecordReader(idSchema, batches)
	if err != nil {
		panic(err) // the batches have the schema
	}
	return reader
}

func writeIDs(t testing.TB, db *armillaria.Database, table string, from, to int64, options *armillaria.WriteOptions) armillaria.Commit {
	t.Helper()
	return must(db.WriteTable(t.Context(), table, ids(from, to, 1000), options))(t)
}

// count runs a query that answers one number.
func count(t testing.TB, db *armillaria.Database, sql string, args ...any) int64 {
	t.Helper()
	return must(queryInt(t.Context(), db, sql, args...))(t)
}

func queryInt(ctx context.Context, db *armillaria.Database, sql string, args ...any) (int64, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	values, err := int64s(rows, nil)
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// int64s reads the first column of rows to the end.
func int64s(rows *armillaria.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	var values []int64
	for batch, err := range rows.Batches() {
		if err != nil {
			return values, err
		}
		values = append(values, batch.Column(0).(*array.Int64).Int64Values()...)
	}
	return values, nil
}
