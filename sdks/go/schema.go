package armillaria

// #include "armillaria.h"
import "C"

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// A program asks for rows of the same few shapes again and again, and to import a schema costs more than all else that a
// short query does in Go. Schemas do not change, so rows of one shape share one.

// shapeBytesMax bounds what the cache holds of a schema; wider ones are imported each time.
const shapeBytesMax = 4 << 10

var (
	schemaSeed   = maphash.MakeSeed()
	knownSchemas [64]atomic.Pointer[knownSchema]
)

type knownSchema struct {
	shape  []byte
	schema *arrow.Schema
}

// takeSchema imports a schema, which it releases.
func takeSchema(schema *C.struct_ArrowSchema) (*arrow.Schema, error) {
	whole := (*cdata.CArrowSchema)(unsafe.Pointer(schema))
	shape, cacheable := appendShape(make([]byte, 0, 256), schema)
	if !cacheable || len(shape) > shapeBytesMax {
		return importWhole(schema)
	}
	known, place := knownSchemaOf(shape)
	if known != nil {
		cdata.ReleaseCArrowSchema(whole)
		return known, nil
	}
	imported, err := importWhole(schema)
	if err == nil {
		place.Store(&knownSchema{bytes.Clone(shape), imported})
	}
	return imported, err
}

func importWhole(schema *C.struct_ArrowSchema) (*arrow.Schema, error) {
	nullable := mapValues(nil, schema)
	imported, err := cdata.ImportCArrowSchema((*cdata.CArrowSchema)(unsafe.Pointer(schema)))
	if err != nil {
		return nil, newError(CodeUnsupported, "arrow-go cannot read the schema: "+err.Error(), err)
	}
	putMapValuesRight(imported, nullable)
	return imported, nil
}

// knownSchemaOf gives the schema that was imported from the same shape, or nil, and where to remember it.
func knownSchemaOf(shape []byte) (*arrow.Schema, *atomic.Pointer[knownSchema]) {
	place := &knownSchemas[maphash.Bytes(schemaSeed, shape)%uint64(len(knownSchemas))]
	if known := place.Load(); known != nil && bytes.Equal(known.shape, shape) {
		return known.schema, place
	}
	return nil, place
}

// appendShape writes down everything that a schema says; false if that is too much for the cache. No two schemas have the
// same shape: texts end with 0, numbers have a width, and each node says what follows.
func appendShape(shape []byte, schema *C.struct_ArrowSchema) ([]byte, bool) {
	if schema.metadata != nil || len(shape) > shapeBytesMax {
		return shape, false
	}
	shape = appendText(shape, schema.format)
	shape = appendText(shape, schema.name)
	shape = binary.NativeEndian.AppendUint64(shape, uint64(schema.flags))
	shape = binary.NativeEndian.AppendUint64(shape, uint64(schema.n_children))
	fits := true
	for _, child := range unsafe.Slice(schema.children, schema.n_children) {
		if shape, fits = appendShape(shape, child); !fits {
			return shape, false
		}
	}
	if schema.dictionary == nil {
		return append(shape, 0), true
	}
	return appendShape(append(shape, 1), schema.dictionary)
}

// appendText writes a text that ends with 0; NULL is the empty one, as it is to arrow-go.
func appendText(shape []byte, text *C.char) []byte {
	for at := unsafe.Pointer(text); text != nil && *(*byte)(at) != 0; at = unsafe.Add(at, 1) {
		shape = append(shape, *(*byte)(at))
	}
	return append(shape, 0)
}
