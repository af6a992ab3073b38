package armillaria

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Calls that follow one another within callGap are one run of calls.
const (
	callGap  = time.Millisecond
	runSlice = 10 * time.Millisecond // after which Go's scheduler would give another goroutine its turn
)

// pace tells when a run of calls gives way to the scheduler.
//
// The monitor of Go 1.26 does not reschedule a goroutine that it finds in C, however long it has had its turn. From then
// on it takes the processor away in each call that is longer than 20 µs, and each return from C wakes the monitor
// again. A goroutine that gives way when its turn is over, as one that never leaves Go must, is spared that.
type pace struct {
	origin      time.Time
	last, began atomic.Int64 // nanoseconds since origin
}

var calls = pace{origin: time.Now()}

// giveWay is called before each call that may take long.
func (p *pace) giveWay() {
	if p.isDue(int64(time.Since(p.origin))) {
		runtime.Gosched()
	}
}

// isDue tells one caller of a run that its turn is over. Goroutines that call at the same time make up one run.
func (p *pace) isDue(now int64) bool {
	last, began := p.last.Swap(now), p.began.Load()
	pause := now-last > int64(callGap)
	if pause || now-began >= int64(runSlice) {
		return p.began.CompareAndSwap(began, now) && !pause
	}
	return false
}
