package armillaria

import (
	"runtime"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// pinBatch gives a batch over the same memory, pinned until the last of its buffers is released. Memory that was not
// allocated by Go needs no pin, and gets none.
func pinBatch(batch arrow.RecordBatch) arrow.RecordBatch {
	columns := make([]arrow.Array, batch.NumCols())
	for i, column := range batch.Columns() {
		data := pinData(column.Data())
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	pinned := array.NewRecordBatch(schemaOf(batch.Schema(), columns), columns, batch.NumRows())
	for _, column := range columns {
		column.Release()
	}
	return pinned
}

// schemaOf gives a schema with the types of these columns.
func schemaOf(schema *arrow.Schema, columns []arrow.Array) *arrow.Schema {
	fields := schema.Fields()
	for i, column := range columns {
		fields[i].Type = column.DataType()
	}
	return arrow.NewSchema(fields, nil)
}

// pinData pins an array and its children. Extension arrays become those of their storage, because arrow-go leaves out
// the children of the others; that they are extensions is said by the schema, which is exported by itself.
func pinData(data arrow.ArrayData) *array.Data {
	kind := data.DataType()
	if extension, ok := kind.(arrow.ExtensionType); ok {
		kind = extension.StorageType()
	}
	if kind.ID() == arrow.STRUCT && data.Offset() > 0 {
		data = cutStruct(data)
		defer data.Release()
	}
	buffers := make([]*memory.Buffer, len(data.Buffers()))
	for i, buffer := range data.Buffers() {
		buffers[i] = pinBuffer(buffer)
	}
	defer memory.ReleaseBuffers(buffers)
	children := make([]arrow.ArrayData, len(data.Children()))
	for i, child := range data.Children() {
		children[i] = pinData(child)
		defer children[i].Release()
	}
	pinned := array.NewData(kind, data.Len(), buffers, children, data.NullN(), data.Offset())
	if dictionary, ok := data.Dictionary().(*array.Data); ok && dictionary != nil {
		values := pinData(dictionary)
		defer values.Release()
		pinned.SetDictionary(values)
	}
	return pinned
}

// cutStruct gives the rows of a sliced struct with offset 0. arrow-go exports the fields of a struct as they are sliced
// already, and the offset of the struct besides, so that the receiver would skip rows twice.
func cutStruct(data arrow.ArrayData) *array.Data {
	from, to := int64(data.Offset()), int64(data.Offset()+data.Len())
	fields := make([]arrow.ArrayData, len(data.Children()))
	for i, field := range data.Children() {
		fields[i] = array.NewSliceData(field, from, to)
		defer fields[i].Release()
	}
	var valid *memory.Buffer
	if bitmap := data.Buffers()[0]; bitmap != nil && bitmap.Len() > 0 {
		bits := make([]byte, bitutil.BytesForBits(int64(data.Len())))
		bitutil.CopyBitmap(bitmap.Bytes(), data.Offset(), data.Len(), bits, 0)
		valid = memory.NewBufferBytes(bits)
	}
	return array.NewData(data.DataType(), data.Len(), []*memory.Buffer{valid}, fields, array.UnknownNullCount, 0)
}

// pinBuffer gives a buffer over the same bytes that holds the pin and a share of the original.
func pinBuffer(buffer *memory.Buffer) *memory.Buffer {
	if buffer == nil {
		return nil
	}
	buffer.Retain()
	if buffer.Len() == 0 {
		return buffer
	}
	p := &pin{buffer: buffer}
	p.pinner.Pin(unsafe.SliceData(buffer.Bytes()))
	return memory.NewBufferWithAllocator(buffer.Bytes(), p)
}

// pin is the allocator of a pinned buffer: to free the buffer is to unpin it.
type pin struct {
	memory.Allocator // nil: a pinned buffer is never resized
	pinner           runtime.Pinner
	buffer           *memory.Buffer
}

func (p *pin) Free([]byte) {
	p.pinner.Unpin()
	p.buffer.Release()
}
