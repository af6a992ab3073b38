package main

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// arrow-go has no builders for dictionaries of every type. So columns are built of plain values, and dressed afterwards.

func plainFields(fields []arrow.Field) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, field := range fields {
		out[i] = field
		out[i].Type = plain(field.Type)
	}
	return out
}

// plain gives a type with its dictionaries, wherever they are, replaced by their values.
func plain(kind arrow.DataType) arrow.DataType {
	switch kind := kind.(type) {
	case *arrow.DictionaryType:
		return plain(kind.ValueType)
	case *arrow.StructType:
		return arrow.StructOf(plainFields(kind.Fields())...)
	case *arrow.MapType:
		pair := plainFields([]arrow.Field{kind.KeyField(), kind.ItemField()})
		return arrow.MapOfFields(pair[0], pair[1])
	case *arrow.ListType:
		return arrow.ListOfField(plainFields(kind.Fields())[0])
	case *arrow.LargeListType:
		return arrow.LargeListOfField(plainFields(kind.Fields())[0])
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(kind.Len(), plainFields(kind.Fields())[0])
	}
	return kind
}

// finish dresses the columns of a batch. One without columns does not know its rows itself.
func finish(schema *arrow.Schema, batch arrow.RecordBatch, rows int) arrow.RecordBatch {
	columns := make([]arrow.Array, batch.NumCols())
	for i, column := range batch.Columns() {
		columns[i] = array.MakeFromData(dress(column.Data(), schema.Field(i).Type))
	}
	return array.NewRecordBatch(schema, columns, int64(rows))
}

// dress makes dictionaries of plain values where a type has them.
func dress(data arrow.ArrayData, kind arrow.DataType) arrow.ArrayData {
	switch kind := kind.(type) {
	case *arrow.DictionaryType:
		values := array.MakeFromData(dress(data, kind.ValueType))
		return array.NewDictionaryArray(kind, indexes(kind.IndexType, values), values).Data()
	case arrow.NestedType:
		children := make([]arrow.ArrayData, len(data.Children()))
		for i, child := range data.Children() {
			children[i] = dress(child, kind.Fields()[i].Type)
		}
		return array.NewData(kind, data.Len(), data.Buffers(), children, data.NullN(), data.Offset())
	}
	return data
}

// indexes counts the rows of a column and is null where it is.
func indexes(kind arrow.DataType, column arrow.Array) arrow.Array {
	builder := array.NewBuilder(memory.DefaultAllocator, kind)
	for i := range column.Len() {
		if column.IsNull(i) {
			builder.AppendNull()
		} else if err := builder.AppendValueFromString(strconv.Itoa(i)); err != nil {
			panic(err) // the index type holds so many rows
		}
	}
	return builder.NewArray()
}
