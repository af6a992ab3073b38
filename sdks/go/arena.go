package armillaria

// #include "armillaria.h"
import "C"

import (
	"math"
	"runtime"
	"time"
	"unsafe"
)

// arena pins what lists and options of one call point to, until it is freed: Go memory that holds Go pointers may be
// handed to C only if those are pinned. What an argument itself points to is pinned by the call.
type arena struct {
	pins runtime.Pinner
}

func (a *arena) free() { a.pins.Unpin() }

// pin keeps what a string in a list or in options points to where it is, and gives the string.
func (a *arena) pin(s C.ArmillariaString) C.ArmillariaString {
	if s.data != nil {
		a.pins.Pin(s.data)
	}
	return s
}

// list gives strings; NULL for nil alone, because for some arguments an empty list says something else than none.
func (a *arena) list(items []string) (*C.ArmillariaString, C.size_t) {
	if items == nil {
		return nil, 0
	}
	list := make([]C.ArmillariaString, max(1, len(items)))
	for i, item := range items {
		list[i] = a.pin(text(item))
	}
	a.pins.Pin(&list[0])
	return &list[0], C.size_t(len(items))
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

// microseconds gives a time as microseconds since 1970. Where there are not so many, it answers false, and the first or
// last that there are: to a search that is the same.
func microseconds(t time.Time) (int64, bool) {
	const limit = math.MaxInt64 / int64(time.Second/time.Microsecond)
	switch seconds := t.Unix(); {
	case seconds >= limit:
		return math.MaxInt64, false
	case seconds < -limit:
		return math.MinInt64, false
	default:
		return t.UnixMicro(), true
	}
}

// goTime turns microseconds since 1970 into a time in UTC.
func goTime(micros C.int64_t) time.Time { return time.UnixMicro(int64(micros)).UTC() }
