//go:build !armillaria_pkgconfig

package armillaria

// Where the header and the library are comes from CGO_CFLAGS and CGO_LDFLAGS; see the package documentation.

// #cgo CFLAGS: -I${SRCDIR}/../../include
// #cgo LDFLAGS: -larmillaria
import "C"
