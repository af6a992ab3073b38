//go:build armillaria_testing

package armillaria

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// The addresses of all buffers of primitive, text and nested columns are the same on both sides of the border, for memory
// of Go and of C.
func TestNothingIsCopiedAcrossTheBorder(t *testing.T) {
	c := mallocator.NewMallocator()
	goes := memory.NewCheckedAllocator(memory.NewGoAllocator())
	for name, allocator := range map[string]memory.Allocator{"Go": goes, "C": c} {
		t.Run(name, func(t *testing.T) {
			batch := nestedBatch(allocator)
			sent := addresses(batch)
			received := throughTheLibrary(t, batch)
			batch.Release() // the library and what it handed back hold it
			runtime.GC()
			if got := addresses(received); len(sent) != 8 || !slices.Equal(sent, got) {
				t.Errorf("sent %x\nreceived %x", sent, got)
			}
			if text := received.Column(1).(*array.String).Value(2); text != "row 2" {
				t.Errorf("read %q behind the border", text)
			}
			received.Release()
		})
	}
	c.AssertSize(t, 0)
	goes.AssertSize(t, 0)
}

// What Go sent stays pinned, and so readable, for as long as anybody behind the border holds it.
func TestMemoryOfGoStaysWhereItIsWhileTheLibraryHoldsIt(t *testing.T) {
	var received []arrow.RecordBatch
	for range 50 {
		batch := nestedBatch(memory.NewGoAllocator())
		received = append(received, throughTheLibrary(t, batch))
		batch.Release()
		runtime.GC()
	}
	for _, batch := range received {
		if n := batch.Column(0).(*array.Int64).Value(999); n != 999 {
			t.Fatalf("memory was reused: %d", n)
		}
		batch.Release()
	}
	runtime.GC() // the runtime panics here if a pin was forgotten
	runtime.GC()
}

func TestAPanicOfTheLibraryIsInternal(t *testing.T) {
	if err := panicInside(t.Context()); !errors.Is(err, ErrInternal) {
		t.Errorf("got %v", err)
	}
}

func throughTheLibrary(t *testing.T, batch arrow.RecordBatch) arrow.RecordBatch {
	t.Helper()
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	rows, err := roundTrip(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	received := rows.RecordBatch()
	received.Retain()
	return received
}

func nestedBatch(allocator memory.Allocator) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "number", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.StructOf(
			arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
			arrow.Field{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		)), Nullable: true},
	}, nil)
	builder := array.NewRecordBuilder(allocator, schema)
	defer builder.Release()
	list := builder.Field(2).(*array.ListBuilder)
	element := list.ValueBuilder().(*array.StructBuilder)
	for i := range 1000 {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
		builder.Field(1).(*array.StringBuilder).Append("row " + string(rune('0'+i%10)))
		if i%10 == 0 {
			list.AppendNull()
			continue
		}
		list.Append(true)
		element.Append(true)
		element.FieldBuilder(0).(*array.Float64Builder).Append(float64(i))
		element.FieldBuilder(1).(*array.StringBuilder).Append("in a list")
	}
	return builder.NewRecordBatch()
}

// addresses gives those of all buffers, but for bitmaps that say that nothing is null: these need not be handed on.
func addresses(batch arrow.RecordBatch) []uintptr {
	var found []uintptr
	var visit func(arrow.ArrayData)
	visit = func(data arrow.ArrayData) {
		for i, buffer := range data.Buffers() {
			if buffer != nil && buffer.Len() > 0 && (i > 0 || data.NullN() > 0) {
				found = append(found, uintptr(unsafe.Pointer(unsafe.SliceData(buffer.Bytes()))))
			}
		}
		for _, child := range data.Children() {
			visit(child)
		}
	}
	for _, column := range batch.Columns() {
		visit(column.Data())
	}
	return found
}
