package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"sync"
)

// token carries the end of a context to the library.
type token struct {
	stop func() bool // nil for a context that never ends

	mu     sync.Mutex
	object *C.ArmillariaCancel
}

// watch makes the token, and cancels it when the context ends. It must be freed.
func (t *token) watch(ctx context.Context) {
	t.object = C.armillaria_cancel_new()
	if ctx.Done() != nil {
		t.stop = context.AfterFunc(ctx, t.cancel)
	}
}

// pointer is what a call takes; nil for no token.
func (t *token) pointer() *C.ArmillariaCancel {
	if t == nil {
		return nil
	}
	return t.object
}

// cancel asks the work that carries the token to stop; it says nothing after free.
func (t *token) cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.object != nil {
		C.armillaria_cancel_cancel(t.object)
	}
}

// free gives the token back; work that carries it goes on.
func (t *token) free() {
	if t.stop != nil {
		t.stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	C.armillaria_cancel_free(t.object)
	t.object = nil
}
