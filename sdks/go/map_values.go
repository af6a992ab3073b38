package armillaria

// #include "armillaria.h"
import "C"

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// arrow-go imports every map as if its values could be null. What a C schema says of that is read here, and put right in
// the types that arrow-go made of it, before any array has them. Maps are in the order in which they are met.

// mapValues tells of each map in a schema whether its values can be null.
func mapValues(nullable []bool, schema *C.struct_ArrowSchema) []bool {
	children := unsafe.Slice(schema.children, schema.n_children)
	if format := unsafe.Slice((*byte)(unsafe.Pointer(schema.format)), 2); format[0] == '+' && format[1] == 'm' {
		pair := unsafe.Slice(children[0].children, children[0].n_children)
		nullable = append(nullable, pair[1].flags&C.ARROW_FLAG_NULLABLE != 0)
	}
	for _, child := range children {
		nullable = mapValues(nullable, child)
	}
	if schema.dictionary != nil {
		nullable = mapValues(nullable, schema.dictionary)
	}
	return nullable
}

// putMapValuesRight sets what mapValues told in the types of an imported schema.
func putMapValuesRight(schema *arrow.Schema, nullable []bool) {
	if len(nullable) == 0 {
		return
	}
	for _, field := range schema.Fields() {
		nullable = setMapValues(field.Type, nullable)
	}
}

// setMapValues takes from the list what concerns a type and gives the rest back.
func setMapValues(kind arrow.DataType, nullable []bool) []bool {
	switch kind := kind.(type) {
	case arrow.ExtensionType:
		return setMapValues(kind.StorageType(), nullable)
	case *arrow.DictionaryType:
		return setMapValues(kind.ValueType, nullable)
	case arrow.NestedType:
		if of, isMap := kind.(*arrow.MapType); isMap && len(nullable) > 0 {
			of.SetItemNullable(nullable[0])
			nullable = nullable[1:]
		}
		for _, field := range kind.Fields() {
			nullable = setMapValues(field.Type, nullable)
		}
	}
	return nullable
}
