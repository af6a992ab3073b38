package armillaria

// #include "armillaria.h"
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
	source C.struct_ArrowArrayStream
	schema *arrow.Schema
}

// newReader takes a stream over, and releases it if its schema cannot be read.
func newReader(source *C.struct_ArrowArrayStream) (*reader, error) {
	r := &reader{source: *source}
	*source = C.struct_ArrowArrayStream{}
	var schema C.struct_ArrowSchema
	if errno := C.stream_schema(&r.source, &schema); errno != 0 {
		defer r.release()
		return nil, r.failure(errno)
	}
	var err error
	if r.schema, err = takeSchema(&schema); err != nil {
		r.release()
		return nil, err
	}
	return r, nil
}

// next reads a batch; nil at the end.
func (r *reader) next() (arrow.RecordBatch, error) {
	var batch C.struct_ArrowArray
	if errno := C.stream_next(&r.source, &batch); errno != 0 {
		return nil, r.failure(errno)
	}
	if batch.release == nil {
		return nil, nil
	}
	imported := (*cdata.CArrowArray)(unsafe.Pointer(&batch))
	rows, err := cdata.ImportCRecordBatchWithSchema(imported, r.schema)
	if err != nil {
		cdata.ReleaseCArrowArray(imported) // it was not moved if it was refused early
		return nil, err
	}
	return rows, nil
}

// failure tells what the stream says of an error; streamError reads it.
func (r *reader) failure(errno C.int) error {
	return fmt.Errorf("%w: %s", syscall.Errno(errno), C.GoString(C.stream_error(&r.source)))
}

func (r *reader) release() { C.stream_release(&r.source) }
