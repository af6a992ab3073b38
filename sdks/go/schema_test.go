package armillaria_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func nullable(name string, kind arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: kind, Nullable: true}
}

func mapOfValues(nullable bool) arrow.DataType {
	kind := arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)
	kind.SetItemNullable(nullable)
	return kind
}

// Each differs from another in one thing only.
func likeSchemas() []*arrow.Schema {
	number, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	fields := [][]arrow.Field{
		{nullable("a", number)},
		{{Name: "a", Type: number}},
		{nullable("b", number)},
		{nullable("a", text)},
		{nullable("a", number), nullable("b", number)},
		{nullable("b", number), nullable("a", number)},
		{nullable("a", arrow.StructOf(nullable("b", number)))},
		{nullable("a", arrow.StructOf(nullable("b", number), nullable("c", number)))},
		{nullable("a", arrow.StructOf(nullable("b", number))), nullable("c", number)},
		{nullable("a", arrow.ListOfField(nullable("item", number)))},
		{nullable("a", arrow.ListOfField(arrow.Field{Name: "item", Type: number}))},
		{nullable("a", mapOfValues(true))},
		{nullable("a", mapOfValues(false))},
		{nullable("a", &arrow.Decimal128Type{Precision: 10, Scale: 2})},
		{nullable("a", &arrow.Decimal128Type{Precision: 10, Scale: 3})},
		{nullable("a", &arrow.TimestampType{Unit: arrow.Microsecond})},
		{nullable("a", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})},
		{nullable(strings.Repeat("long", 60), number)},
	}
	var wide []arrow.Field // too wide to be remembered
	for i := range 300 {
		wide = append(wide, nullable(fmt.Sprintf("column%d", i), number))
	}
	var schemas []*arrow.Schema
	for _, fields := range append(fields, wide, append([]arrow.Field{nullable("x", text)}, wide[1:]...)) {
		schemas = append(schemas, arrow.NewSchema(fields, nil))
	}
	return schemas
}

// Schemas are remembered by their shape, and rows are read with them: none may be taken for another, whichever came first,
// and whoever else asks.
func TestSchemasThatLookAlikeAreTold(t *testing.T) {
	db, schemas := openMemory(t), likeSchemas()
	for i, schema := range schemas {
		must(db.CreateTable(t.Context(), fmt.Sprintf("t%d", i), schema, nil))(t)
	}
	var readers sync.WaitGroup
	for reader := range 3 {
		readers.Go(func() {
			for turn := range 2 * len(schemas) {
				i := (turn*(reader+1) + reader) % len(schemas)
				rows, err := db.ReadTable(t.Context(), fmt.Sprintf("t%d", i), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if !rows.Schema().Equal(schemas[i]) {
					t.Errorf("got %v, want %v", rows.Schema(), schemas[i])
				}
				rows.Close()
			}
		})
	}
	readers.Wait()
}

func TestRowsOfOneShapeShareTheirSchema(t *testing.T) {
	db := openMemory(t)
	first := must(db.Query(t.Context(), "SELECT 1::BIGINT AS x, 'a' AS y"))(t)
	defer first.Close()
	second := must(db.Query(t.Context(), "SELECT 2::BIGINT AS x, 'b' AS y"))(t)
	defer second.Close()
	if first.Schema() != second.Schema() {
		t.Error("the schema was imported twice")
	}
}
