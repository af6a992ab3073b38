package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// request is one call of the library: what its arguments point to, and its token.
type request struct {
	arena
	ctx   context.Context
	token *token
}

// cancel gives the call a token if its context can end.
func (r *request) cancel() *C.ArmillariaCancel {
	if r.token == nil && r.ctx.Done() != nil {
		r.token = new(token)
		r.token.watch(r.ctx)
	}
	return r.token.pointer()
}

func (r *request) free() {
	r.arena.free()
	if r.token != nil {
		r.token.free()
	}
}

// invoke makes one call on an object, unless its context has ended or its handle is closed.
func invoke[P comparable](
	ctx context.Context, h *handle[P], call func(*request, P, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	object, err := h.acquire()
	if err != nil {
		return err
	}
	defer h.release()
	return run(ctx, func(r *request, failure **C.ArmillariaError) C.ArmillariaStatus { return call(r, object, failure) })
}

// run makes one call.
func run(ctx context.Context, call func(*request, **C.ArmillariaError) C.ArmillariaStatus) error {
	calls.giveWay()
	r := &request{ctx: ctx}
	defer r.free()
	var failure *C.ArmillariaError
	status := call(r, &failure)
	return takeError(ctx, status, failure)
}

// openRows makes the rows of a call that moves a stream into out. The token lives as long as they do.
func openRows(
	ctx context.Context, call func(cancel *C.ArmillariaCancel, out *C.struct_ArrowArrayStream) error,
) (*Rows, error) {
	s := &stream{ctx: ctx}
	s.token.watch(ctx)
	source := new(border)
	if err := call(s.token.object, &source.stream); err != nil {
		s.token.free()
		return nil, err
	}
	return s.open(source)
}

// exportRows makes a call that moves a stream of rows away. If the reader failed, its error is a cause of the call's.
func exportRows(rows array.RecordReader, call func(rows *C.struct_ArrowArrayStream) error) error {
	source, err := newSource(rows)
	if err != nil {
		return err
	}
	defer source.Release()
	var stream cdata.CArrowArrayStream
	cdata.ExportRecordReader(source, &stream)
	defer cdata.ReleaseCArrowArrayStream(&stream) // a call that was refused early has not moved it
	return source.explain(call((*C.struct_ArrowArrayStream)(unsafe.Pointer(&stream))))
}

// exportSchema makes a call that moves a schema away.
func exportSchema(schema *arrow.Schema, call func(schema *C.struct_ArrowSchema) error) error {
	exported, err := tryExportSchema(schema)
	if err != nil {
		return err
	}
	defer cdata.ReleaseCArrowSchema(exported)
	return call((*C.struct_ArrowSchema)(unsafe.Pointer(exported)))
}

// importSchema makes a call that moves a schema into out.
func importSchema(call func(out *C.struct_ArrowSchema) error) (*arrow.Schema, error) {
	var schema C.struct_ArrowSchema
	if err := call(&schema); err != nil {
		return nil, err
	}
	return takeSchema(&schema)
}
