package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Rows is a stream of record batches, read from the library as they are asked for and never copied.
//
// It is an array.RecordReader and can be handed to whatever takes one, WriteTable included. One goroutine reads it;
// Close may be called from any, and ends a read that is under way. Rows may outlive the Database or Transaction that
// made them. The context that they were asked for with also ends them: reading then fails with CANCELLED.
type Rows struct {
	stream *stream
	guard  atomic.Pointer[guard] // until they are closed
}

var _ array.RecordReader = (*Rows)(nil)

// stream is what Rows stand for, apart from them so that a guard can close it when they are forgotten.
type stream struct {
	ctx    context.Context
	token  token
	refs   atomic.Int64
	closed atomic.Bool

	mu      sync.Mutex // held while the reader works
	reader  reader
	current arrow.RecordBatch
	lent    bool // whether the caller was given current
	err     error
}

// open makes rows of the stream that the library filled in.
func (s *stream) open() (*Rows, error) {
	if err := s.reader.begin(); err != nil {
		s.token.free()
		return nil, streamError(s.ctx, err)
	}
	s.refs.Store(1)
	rows := &Rows{stream: s}
	rows.guard.Store(newGuard(s))
	return rows, nil
}

// abandon gives back what was made for rows that there will not be.
func (s *stream) abandon() {
	s.reader.border.free()
	s.token.free()
}

// Schema gives the columns; also after the end. Rows share it with others of the same columns.
func (r *Rows) Schema() *arrow.Schema { return r.stream.reader.schema }

// Batches iterates over the batches. A batch is released when the loop goes on, and with it the strings and bytes that were
// read out of it in place: Retain the batch, or clone them, if they shall live longer. Leaving the loop, in whatever way,
// closes the rows. An error ends the loop and is its last element.
func (r *Rows) Batches() iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		defer r.Close()
		for {
			batch, err := r.stream.take()
			if err != nil {
				yield(nil, err)
				return
			}
			if batch == nil || !yieldBatch(batch, yield) {
				return
			}
		}
	}
}

func yieldBatch(batch arrow.RecordBatch, yield func(arrow.RecordBatch, error) bool) bool {
	defer batch.Release()
	return yield(batch, nil)
}

// Next reads the next batch, for RecordBatch; false at the end and after an error, which Err gives.
func (r *Rows) Next() bool {
	batch, err := r.stream.take()
	r.stream.hold(batch)
	runtime.KeepAlive(r)
	return err == nil && batch != nil
}

// RecordBatch gives the batch that Next read; it lives until the next call of Next, or Close.
func (r *Rows) RecordBatch() arrow.RecordBatch {
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	r.stream.lent = true
	return r.stream.current
}

// Record is RecordBatch under its old name, which array.RecordReader asks for.
func (r *Rows) Record() arrow.RecordBatch { return r.RecordBatch() }

// Err gives the error that ended the rows.
func (r *Rows) Err() error {
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	return r.stream.err
}

// Retain takes a share of the rows, for a Release.
func (r *Rows) Retain() { r.stream.refs.Add(1) }

// Release gives a share back; the last one closes the rows.
func (r *Rows) Release() { r.stream.release() }

// Close gives back the share that the rows came with. It may be called again and again.
func (r *Rows) Close() {
	if g := r.guard.Swap(nil); g != nil {
		g.dismiss()
	}
	r.stream.close()
}

func (s *stream) close() {
	if s.closed.CompareAndSwap(false, true) {
		s.release()
	}
}

// forget closes the stream of rows that nobody closed. A batch that was lent may still be in use, though the rows are not: its
// memory is lost rather than freed under the caller.
func (s *stream) forget() {
	s.mu.Lock()
	if s.lent {
		s.current = nil
	}
	s.mu.Unlock()
	s.close()
}

func (s *stream) release() {
	if s.refs.Add(-1) != 0 {
		return
	}
	s.token.cancel() // so that a read in another goroutine lets go
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader.border != nil {
		s.err = errRowsClosed()
		s.finish()
	}
	s.drop()
}

func errRowsClosed() error { return newError(CodeClosed, "the rows are closed; ask for them again") }

// take reads the next batch and gives a share of it; nil at the end.
func (s *stream) take() (arrow.RecordBatch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader.border == nil {
		return nil, s.err
	}
	batch, err := s.reader.next()
	if batch != nil {
		return batch, nil
	}
	if err != nil {
		s.err = streamError(s.ctx, err)
		if s.refs.Load() <= 0 && s.ctx.Err() == nil {
			s.err = errRowsClosed() // which is what cancelled it
		}
	}
	s.finish()
	return nil, s.err
}

// hold keeps a batch for RecordBatch instead of the one before.
func (s *stream) hold(batch arrow.RecordBatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	if s.refs.Load() > 0 {
		s.current, s.lent = batch, false
	} else if batch != nil {
		batch.Release()
	}
}

func (s *stream) drop() {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
}

// finish gives back what the library holds for the stream.
func (s *stream) finish() {
	s.reader.release()
	s.token.free()
}
