package armillaria_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// trial is the example of the README.
func trial(ctx context.Context, users array.RecordReader) error {
	db, err := armillaria.Open(ctx, "memory:", nil) // or a folder
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.WriteTable(ctx, "users", users, nil); err != nil { // version 1
		return err
	}
	if err := db.CreateBranch(ctx, "trial", nil); err != nil {
		return err
	}
	rows, err := db.Query(ctx, "SELECT * FROM users AT (VERSION => 'trial') WHERE id > ?", 1)
	if err != nil {
		return err
	}
	for batch, err := range rows.Batches() { // Arrow, not copied; leaving the loop closes the rows
		if err != nil {
			return err
		}
		fmt.Println(batch.NumRows(), "users on the branch")
	}
	return nil
}

func Example() {
	users := people(`[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}, {"id": 3, "name": "Edsger"}]`)
	defer users.Release()
	if err := trial(context.Background(), users); err != nil {
		log.Fatal(err)
	}
	// Output: 2 users on the branch
}

func ExampleDatabase_Transact() {
	ctx := context.Background()
	db, err := armillaria.Open(ctx, "memory:", &armillaria.OpenOptions{Author: "Ada"})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	options := &armillaria.TransactOptions{Message: "both or none"}
	commit, err := db.Transact(ctx, options, func(tx *armillaria.Tx) error {
		if err := tx.WriteTable(ctx, "users", people(`[{"id": 1, "name": "Ada"}]`), nil); err != nil {
			return err
		}
		return tx.WriteTable(ctx, "guests", people(`[{"id": 9, "name": "Grace"}]`), nil)
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, table := range commit.Tables {
		fmt.Println(table.Kind, table.Table, "version", table.Version)
	}
	// Unordered output:
	// create users version 1
	// create guests version 1
}

func ExampleDatabase_QueryAt() {
	ctx := context.Background()
	db, err := armillaria.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{`[{"id": 1, "name": "Ada"}]`, `[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]`} {
		if _, err := db.WriteTable(ctx, "users", people(text), nil); err != nil {
			log.Fatal(err)
		}
	}
	for version := range uint64(2) {
		rows, err := db.QueryAt(ctx, armillaria.AtVersion("users", version+1), "SELECT count(*) AS n FROM users")
		if err != nil {
			log.Fatal(err)
		}
		for batch, err := range rows.Batches() {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("version", version+1, "has", batch.Column(0).(*array.Int64).Value(0))
		}
	}
	// Output:
	// version 1 has 1
	// version 2 has 2
}

func ExampleDatabase_Subscribe() {
	ctx := context.Background()
	db, err := armillaria.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, message := range []string{"first", "second"} {
		options := &armillaria.WriteOptions{Message: message}
		if _, err := db.WriteTable(ctx, "users", people(`[{"id": 1, "name": "Ada"}]`), options); err != nil {
			log.Fatal(err)
		}
	}
	handled := uint64(0) // stored by the subscriber, who goes on from here when it starts again
	subscription, err := db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: &handled})
	if err != nil {
		log.Fatal(err)
	}
	defer subscription.Close()
	for entry, err := range subscription.Entries(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.TxID, entry.Message)
		if handled = entry.TxID; handled == 2 {
			break
		}
	}
	// Output:
	// 1 first
	// 2 second
}

func ExampleError() {
	ctx := context.Background()
	db, err := armillaria.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.ReadTable(ctx, "users", nil)
	var known *armillaria.Error
	if errors.As(err, &known) {
		fmt.Println(known.Code, known.Category)
	}
	fmt.Println(errors.Is(err, armillaria.ErrTableNotFound), errors.Is(err, armillaria.ErrNotFound))
	// Output:
	// TABLE_NOT_FOUND not_found
	// true true
}

// people makes rows of JSON.
func people(text string) array.RecordReader {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	rows, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}
	return rows
}
