//go:build armillaria_pkgconfig

package armillaria

// #cgo pkg-config: armillaria
import "C"
