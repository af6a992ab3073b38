package armillaria

// #include "armillaria.h"
import "C"

import "unsafe"

// text gives a string that is there even if it is empty. It lies in memory of Go: it is an argument of a call, or pinned.
func text(s string) C.ArmillariaString { return blob(unsafe.Slice(unsafe.StringData(s), len(s))) }

// optional gives a string of which "" says that it is not given.
func optional(s string) C.ArmillariaString {
	if s == "" {
		return C.ArmillariaString{}
	}
	return text(s)
}

// nothing is what an empty string points to: NULL would mean that there is none.
var nothing byte

// blob is text of any bytes.
func blob(b []byte) C.ArmillariaString {
	data := &nothing
	if len(b) > 0 {
		data = unsafe.SliceData(b)
	}
	return C.ArmillariaString{data: (*C.char)(unsafe.Pointer(data)), len: C.size_t(len(b))}
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
