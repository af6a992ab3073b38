package armillaria_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/armillaria-db/armillaria/sdks/go"
)

const typedRows = `[
 {"flag": true, "number": 1, "real": 0.5, "text": "a", "list": [1, null, 3], "pair": {"x": 1, "s": "one", "in": {"y": 9}}, "map": [{"key": "k", "value": 1}]},
 {"flag": null, "number": null, "real": null, "text": null, "list": null, "pair": null, "map": null},
 {"flag": false, "number": -3, "real": 1e300, "text": "", "list": [], "pair": {"x": null, "s": null, "in": null}, "map": []},
 {"flag": true, "number": 4, "real": -0.25, "text": "füße", "list": [7], "pair": {"x": 4, "s": "four", "in": {"y": null}}, "map": [{"key": "a", "value": null}, {"key": "b", "value": 2}]}]`

func typedBatch(t *testing.T) arrow.RecordBatch {
	inner := arrow.StructOf(arrow.Field{Name: "y", Type: arrow.PrimitiveTypes.Int16, Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "number", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "real", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "pair", Type: arrow.StructOf(
			arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
			arrow.Field{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "in", Type: inner, Nullable: true}), Nullable: true},
		{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), Nullable: true},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(typedRows))
	check(t, err)
	return batch
}

// Every slice of a batch, whose columns then begin in the middle of their buffers, comes back as the same rows.
func TestSlicesOfNestedColumnsComeBack(t *testing.T) {
	ctx, db, batch := t.Context(), openMemory(t), typedBatch(t)
	for from := range batch.NumRows() {
		for to := from + 1; to <= batch.NumRows(); to++ {
			slice := batch.NewSlice(from, to)
			rows := must(array.NewRecordReader(slice.Schema(), []arrow.RecordBatch{slice}))(t)
			must(db.WriteTable(ctx, "t", rows, nil))(t)
			back := must(db.ReadTable(ctx, "t", nil))(t)
			for got, err := range back.Batches() {
				check(t, err)
				if want := string(must(slice.MarshalJSON())(t)); want != string(must(got.MarshalJSON())(t)) {
					t.Errorf("rows %d to %d came back as %v, want %s", from, to, got, want)
				}
			}
		}
	}
}

func TestDictionariesBecomeTheirValues(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{{Name: "d", Type: dictionary, Nullable: true}}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"d": "x"}, {"d": null}, {"d": "y"}, {"d": "x"}]`))
	check(t, err)
	slice := batch.NewSlice(1, 4)
	must(db.WriteTable(ctx, "t", must(array.NewRecordReader(schema, []arrow.RecordBatch{slice}))(t), nil))(t)
	if n := count(t, db, "SELECT count(*) FROM t WHERE d = 'x'"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// arrow-go forgets that a map's values are never null; what was read could not be appended to its own table.
func TestMapsWhoseValuesAreNeverNullComeBackAsSuch(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	strict := arrow.MapOfFields(arrow.Field{Name: "key", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "value", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32)})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "loose", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "strict", Type: arrow.ListOf(strict), Nullable: true},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"loose": [{"key": "a", "value": null}], "strict": [[{"key": "b", "value": [{"key": "c", "value": null}]}]]}]`))
	check(t, err)
	must(db.WriteTable(ctx, "t", must(array.NewRecordReader(schema, []arrow.RecordBatch{batch}))(t), nil))(t)
	if got := must(db.TableSchema(ctx, "t", armillaria.AtHead()))(t); !got.Equal(schema) {
		t.Errorf("got %v, want %v", got, schema)
	}
	rows := must(db.ReadTable(ctx, "t", nil))(t)
	defer rows.Close()
	if !rows.Schema().Equal(schema) {
		t.Errorf("got %v, want %v", rows.Schema(), schema)
	}
	commit := must(db.WriteTable(ctx, "t", rows, &armillaria.WriteOptions{Mode: armillaria.Append}))(t)
	if commit.Version != 2 {
		t.Errorf("got %+v", commit)
	}
}

func TestEmptyResultsHaveASchema(t *testing.T) {
	db := openMemory(t)
	rows := must(db.Query(t.Context(), "SELECT 1::BIGINT AS id WHERE false"))(t)
	defer rows.Close()
	if rows.Schema().Field(0).Name != "id" || rows.Next() || rows.Err() != nil {
		t.Errorf("got %v, %v", rows.Schema(), rows.Err())
	}
	must(db.WriteTable(t.Context(), "t", ids(0, 0, 1), nil))(t)
	if n := count(t, db, "SELECT count(*) FROM t"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// point is an extension type whose storage has children.
type point struct{ arrow.ExtensionBase }

type pointArray struct{ array.ExtensionArrayBase }

func newPoint() *point {
	return &point{arrow.ExtensionBase{Storage: arrow.StructOf(
		arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		arrow.Field{Name: "y", Type: arrow.PrimitiveTypes.Float64, Nullable: true})}}
}

func (*point) ArrayType() reflect.Type { return reflect.TypeFor[pointArray]() }
func (*point) ExtensionName() string   { return "armillaria.test.point" }
func (*point) ExtensionEquals(other arrow.ExtensionType) bool {
	return other.ExtensionName() == "armillaria.test.point"
}
func (*point) Serialize() string { return "" }
func (*point) Deserialize(arrow.DataType, string) (arrow.ExtensionType, error) {
	return newPoint(), nil
}

func TestExtensionsAreHandedOverAsTheirStorage(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "p", Type: newPoint(), Nullable: true}}, nil)
	storage, _, err := array.FromJSON(memory.DefaultAllocator, newPoint().StorageType(),
		strings.NewReader(`[{"x": 1, "y": 2}, {"x": 3, "y": 4}, null, {"x": 5, "y": null}]`))
	check(t, err)
	points := array.NewExtensionArrayWithStorage(newPoint(), storage)
	batch := array.NewRecordBatch(schema, []arrow.Array{points}, 4).NewSlice(1, 4)
	must(db.WriteTable(ctx, "t", must(array.NewRecordReader(schema, []arrow.RecordBatch{batch}))(t), nil))(t)
	back := must(db.Query(ctx, "SELECT p.x AS x, p.y AS y FROM t"))(t)
	for got, err := range back.Batches() {
		check(t, err)
		want, _, err := array.RecordFromJSON(memory.DefaultAllocator, got.Schema(),
			strings.NewReader(`[{"x": 3, "y": 4}, {"x": null, "y": null}, {"x": 5, "y": null}]`))
		check(t, err)
		if !array.RecordEqual(got, want) {
			t.Errorf("got %v", got)
		}
	}
}

func TestASchemaWithoutACFormIsRefused(t *testing.T) {
	db := openMemory(t)
	_, err := db.CreateTable(t.Context(), "t", nil, nil)
	wantError(t, err, armillaria.ErrInvalidArgument)
}
