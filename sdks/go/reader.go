package armillaria

// #include "armillaria.h"
// #include <stdlib.h>
//
// static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
//   return stream->get_schema(stream, out);
// }
// static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
//   return stream->get_next(stream, out);
// }
// static const char *stream_error(struct ArrowArrayStream *stream) { return stream->get_last_error(stream); }
// static void stream_release(struct ArrowArrayStream *stream) { stream->release(stream); }
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// reader reads a stream of the library. It is not arrow-go's: that one asks for the schema without telling all of it
// (see map_values.go), so that it would be asked for twice, and guards itself by cleanups of its own.
type reader struct {
	border *border // nil at the end
	schema *arrow.Schema
}

// border is what a stream fills in on its way to Go. It lies in memory of C: what Go points to, cgo looks through for
// pointers each time that a call is given it.
type border struct {
	stream C.struct_ArrowArrayStream
	schema C.struct_ArrowSchema
	batch  C.struct_ArrowArray
}

func newBorder() *border {
	b := (*border)(C.malloc(C.size_t(unsafe.Sizeof(border{})))) // ends the program rather than give nil
	*b = border{}
	return b
}

func (b *border) free() { C.free(unsafe.Pointer(b)) }

// begin reads the schema; it releases a stream that has none.
func (r *reader) begin() error {
	if errno := C.stream_schema(&r.border.stream, &r.border.schema); errno != 0 {
		defer r.release()
		return r.failure(errno)
	}
	var err error
	if r.schema, err = takeSchema(&r.border.schema); err != nil {
		r.release()
	}
	return err
}

// next reads a batch; nil at the end.
func (r *reader) next() (arrow.RecordBatch, error) {
	calls.giveWay()
	batch := &r.border.batch
	if errno := C.stream_next(&r.border.stream, batch); errno != 0 {
		return nil, r.failure(errno)
	}
	if batch.release == nil {
		return nil, nil
	}
	imported := (*cdata.CArrowArray)(unsafe.Pointer(batch))
	rows, err := cdata.ImportCRecordBatchWithSchema(imported, r.schema)
	if err != nil {
		cdata.ReleaseCArrowArray(imported) // it was not moved if it was refused early
		return nil, err
	}
	return rows, nil
}

// failure tells what the stream says of an error; streamError reads it.
func (r *reader) failure(errno C.int) error {
	return fmt.Errorf("%w: %s", syscall.Errno(errno), C.GoString(C.stream_error(&r.border.stream)))
}

func (r *reader) release() {
	C.stream_release(&r.border.stream)
	r.border.free()
	r.border = nil
}
