package armillaria

import (
	"runtime"
	"testing"
	"time"
)

func TestAGuardClosesTheStreamThatItWatchedLast(t *testing.T) {
	closed, forgotten := new(stream), new(stream)
	closed.refs.Store(1)
	forgotten.refs.Store(1)
	newGuard(closed).dismiss()
	newGuard(forgotten) // the same guard, unless the pool has dropped it
	deadline := time.After(10 * time.Second)
	for !forgotten.closed.Load() {
		runtime.GC()
		select {
		case <-deadline:
			t.Fatal("a stream that was forgotten was not closed")
		case <-time.After(time.Millisecond):
		}
	}
	if closed.closed.Load() {
		t.Error("a guard closed a stream from which it was dismissed")
	}
}
