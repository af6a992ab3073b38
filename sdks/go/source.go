package armillaria

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// source is a reader on its way into the library. Its batches are pinned, so that the library can read Go's memory in
// place, and its panics wait until the library has cleaned up.
type source struct {
	rows     array.RecordReader
	schema   *arrow.Schema
	refs     atomic.Int64
	current  arrow.RecordBatch
	failure  error
	panicked any
}

// newSource takes a share of the reader; the caller keeps its own.
func newSource(rows array.RecordReader) (*source, error) {
	if rows == nil {
		return nil, newError(CodeInvalidArgument, "invalid rows: the reader is nil")
	}
	schema := rows.Schema()
	exported, err := tryExportSchema(schema)
	if err != nil {
		return nil, err
	}
	cdata.ReleaseCArrowSchema(exported)
	rows.Retain()
	s := &source{rows: rows, schema: schema}
	s.refs.Store(1)
	return s, nil
}

// tryExportSchema exports a schema; arrow-go panics for types that have no C form.
func tryExportSchema(schema *arrow.Schema) (exported *cdata.CArrowSchema, err error) {
	if schema == nil {
		return nil, newError(CodeInvalidArgument, "invalid schema: it is nil")
	}
	defer func() {
		if reason := recover(); reason != nil {
			err = newError(CodeUnsupported, fmt.Sprintf("arrow-go cannot hand over the schema %v: %v", schema, reason))
		}
	}()
	exported = new(cdata.CArrowSchema)
	cdata.ExportArrowSchema(schema, exported)
	return exported, nil
}

func (s *source) Retain() { s.refs.Add(1) }

func (s *source) Release() {
	if s.refs.Add(-1) == 0 {
		s.dropCurrent()
		s.rows.Release()
	}
}

func (s *source) Schema() *arrow.Schema          { return s.schema }
func (s *source) RecordBatch() arrow.RecordBatch { return s.current }
func (s *source) Record() arrow.RecordBatch      { return s.current }
func (s *source) Err() error                     { return s.failure }

// Next pins the next batch.
func (s *source) Next() (more bool) {
	defer func() {
		if reason := recover(); reason != nil {
			s.panicked, s.failure, more = reason, fmt.Errorf("the reader panicked: %v", reason), false
		}
	}()
	s.dropCurrent()
	if s.failure != nil {
		return false
	}
	if !s.rows.Next() {
		s.failure = s.rows.Err()
		return false
	}
	batch := s.rows.RecordBatch()
	if !sameTypes(batch.Schema(), s.schema) {
		s.failure = newError(CodeSchemaMismatch,
			fmt.Sprintf("a batch does not have the schema of its reader: %v instead of %v", batch.Schema(), s.schema))
		return false
	}
	s.current = pinBatch(batch)
	return true
}

func (s *source) dropCurrent() {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
}

// explain adds the reader's error to that of the call, and goes on with a panic of the reader.
func (s *source) explain(err error) error {
	if s.panicked != nil {
		panic(s.panicked)
	}
	var failed *Error
	if s.failure == nil || !errors.As(err, &failed) {
		return err
	}
	var own *Error
	if errors.As(s.failure, &own) {
		failed.Code, failed.Category, failed.Message = own.Code, own.Category, own.Message
	}
	failed.causes = append(failed.causes, s.failure)
	return failed
}

func sameTypes(a, b *arrow.Schema) bool {
	if a == b {
		return true
	}
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		if !arrow.TypeEqual(a.Field(i).Type, b.Field(i).Type) {
			return false
		}
	}
	return true
}
