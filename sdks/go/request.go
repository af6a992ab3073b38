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

// request is one call of the library: what its arguments point to, its token, and what it gives rows to.
type request struct {
	arena
	ctx   context.Context
	token *token
	rows  *stream // nil for a call that gives none
}

// requestRows makes the request of a call that moves a stream into out. Its token lives as long as the rows.
func requestRows(ctx context.Context) *request {
	s := &stream{ctx: ctx, reader: reader{border: newBorder()}}
	s.token.watch(ctx)
	return &request{ctx: ctx, rows: s}
}

// out is what the call fills in.
func (r *request) out() *C.struct_ArrowArrayStream { return &r.rows.reader.border.stream }

// open makes rows of what the call gave, unless it failed.
func (r *request) open(err error) (*Rows, error) {
	if err != nil {
		r.rows.abandon()
		return nil, err
	}
	return r.rows.open()
}

// cancel gives the call the token of its rows, or one of its own if its context can end.
func (r *request) cancel() *C.ArmillariaCancel {
	if r.rows != nil {
		return r.rows.token.object
	}
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
	r *request, h *handle[P], call func(*request, P, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	if err := checkContext(r.ctx); err != nil {
		return err
	}
	object, err := h.acquire()
	if err != nil {
		return err
	}
	defer h.release()
	return run(r, func(failure **C.ArmillariaError) C.ArmillariaStatus { return call(r, object, failure) })
}

// run makes one call.
func run(r *request, call func(**C.ArmillariaError) C.ArmillariaStatus) error {
	calls.giveWay()
	defer r.free()
	var failure *C.ArmillariaError
	status := call(&failure)
	return takeError(r.ctx, status, failure)
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
