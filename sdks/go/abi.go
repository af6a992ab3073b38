package armillaria

// #include "armillaria.h"
import "C"

import (
	"fmt"
	"sync"
)

// Version says which version of the library is loaded, such as "0.1.0".
func Version() string {
	return C.GoString(C.armillaria_version())
}

// checkLibrary compares, once, the library that is loaded with the header that this package was compiled against.
var checkLibrary = sync.OnceValue(func() error {
	return checkABI(uint32(C.armillaria_abi_version()), C.ARMILLARIA_ABI_VERSION)
})

func checkABI(loaded, compiled uint32) error {
	if loaded == compiled {
		return nil
	}
	return newError(CodeUnsupported, fmt.Sprintf(
		"libarmillaria %s has ABI version %d, and this program was compiled for version %d; "+
			"install the library that belongs to the header, or compile again", Version(), loaded, compiled))
}
