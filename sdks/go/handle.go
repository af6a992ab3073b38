package armillaria

import (
	"context"
	"sync"
)

// handle guards an object of the library against being freed while it is in use, and against use afterwards.
// P is a pointer to the object.
type handle[P comparable] struct {
	what string
	free func(P)

	mu     sync.Mutex
	object P
	users  int
	closed bool
}

func newHandle[P comparable](what string, object P, free func(P)) *handle[P] {
	return &handle[P]{what: what, free: free, object: object}
}

// acquire keeps the object until release; CLOSED after close.
func (h *handle[P]) acquire() (P, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		var none P
		return none, newError(CodeClosed, "the "+h.what+" is closed; open or begin a new one")
	}
	h.users++
	return h.object, nil
}

func (h *handle[P]) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users--
	h.freeIfUnused()
}

// close refuses every later acquire. The object is freed at once, or by the last of those who are using it.
func (h *handle[P]) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.freeIfUnused()
}

func (h *handle[P]) freeIfUnused() {
	var none P
	if h.closed && h.users == 0 && h.object != none {
		object := h.object
		h.object = none
		h.free(object)
	}
}

// turn lets one goroutine at a time use an object that the library lets only one thread use.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn until the context ends.
func (t turn) take(ctx context.Context) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return checkContext(ctx)
	}
}

func (t turn) give() { <-t }
