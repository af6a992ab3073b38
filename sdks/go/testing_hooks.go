//go:build armillaria_testing

package armillaria

// #include "armillaria.h"
//
// ArmillariaStatus armillaria_testing_round_trip(
//     struct ArrowArrayStream *in, struct ArrowArrayStream *out, ArmillariaError **error);
// ArmillariaStatus armillaria_testing_panic(ArmillariaError **error);
import "C"

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// roundTrip hands rows to the library and takes them back, over the code that WriteTable and ReadTable use. Only the
// testing build of the library has it.
func roundTrip(ctx context.Context, rows array.RecordReader) (*Rows, error) {
	r := requestRows(ctx)
	return r.open(exportRows(rows, func(in *C.struct_ArrowArrayStream) error {
		return run(r, func(failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_testing_round_trip(in, r.out(), failure)
		})
	}))
}

// panicInside makes the library panic behind its border.
func panicInside(ctx context.Context) error {
	return run(&request{ctx: ctx}, func(failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_testing_panic(failure)
	})
}
