package armillaria

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// guard closes a stream whose Rows were forgotten: they alone hold it, and it has a cleanup. A cleanup for each Rows would
// cost a short query a hundredth of its time, so guards keep theirs and are used again.
type guard struct {
	watched *atomic.Pointer[stream]
}

var guards = sync.Pool{New: func() any {
	g := &guard{new(atomic.Pointer[stream])}
	runtime.AddCleanup(g, closeForgotten, g.watched)
	return g
}}

// newGuard watches over a stream until it is dismissed.
func newGuard(s *stream) *guard {
	g := guards.Get().(*guard)
	g.watched.Store(s)
	return g
}

// dismiss is called once, by whoever closes the rows.
func (g *guard) dismiss() {
	g.watched.Store(nil)
	guards.Put(g)
}

func closeForgotten(watched *atomic.Pointer[stream]) {
	if s := watched.Load(); s != nil {
		s.forget()
	}
}
