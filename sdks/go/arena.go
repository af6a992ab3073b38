package armillaria

// #include "armillaria.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// arena pins what the arguments of one call point to, until it is freed. Go memory that holds Go pointers may be
// handed to C only if those are pinned.
type arena struct {
	pins runtime.Pinner
}

func (a *arena) free() { a.pins.Unpin() }

// optional gives a string of which "" says that it is not given.
func (a *arena) optional(s string) C.ArmillariaString {
	if s == "" {
		return C.ArmillariaString{}
	}
	return a.text(s)
}

// text gives a string that is there even if it is empty.
func (a *arena) text(s string) C.ArmillariaString {
	return a.bytes(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// nothing is what an empty string points to: NULL would mean that there is none.
var nothing byte

func (a *arena) bytes(b []byte) C.ArmillariaString {
	data := &nothing
	if len(b) > 0 {
		data = unsafe.SliceData(b)
	}
	a.pins.Pin(data)
	return C.ArmillariaString{data: (*C.char)(unsafe.Pointer(data)), len: C.size_t(len(b))}
}

// list gives strings; NULL for nil alone, because for some arguments an empty list says something else than none.
func (a *arena) list(items []string) (*C.ArmillariaString, C.size_t) {
	if items == nil {
		return nil, 0
	}
	list := make([]C.ArmillariaString, max(1, len(items)))
	for i, item := range items {
		list[i] = a.text(item)
	}
	a.pins.Pin(&list[0])
	return &list[0], C.size_t(len(items))
}

// goString copies a string of the library; "" for none.
func goString(s C.ArmillariaString) string {
	if s.data == nil {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(s.data)), s.len))
}

func goStrings(items *C.ArmillariaString, length C.size_t) []string {
	list := make([]string, 0, length)
	for _, item := range unsafe.Slice(items, length) {
		list = append(list, goString(item))
	}
	return list
}

// takeBuffer copies a buffer of the library and frees it.
func takeBuffer(buffer *C.ArmillariaBuffer) []byte {
	if buffer == nil {
		return nil
	}
	defer C.armillaria_buffer_free(buffer)
	return append([]byte{}, bytesOf(buffer)...)
}

func bytesOf(buffer *C.ArmillariaBuffer) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(buffer.data)), buffer.len)
}

// takeStrings copies a list of the library and frees it.
func takeStrings(list *C.ArmillariaStringList) []string {
	if list == nil {
		return nil
	}
	defer C.armillaria_string_list_free(list)
	return goStrings(list.items, list.len)
}

// goTime turns microseconds since 1970 into a time in UTC.
func goTime(micros C.int64_t) time.Time { return time.UnixMicro(int64(micros)).UTC() }
