package armillaria

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Calls that follow one another within callGap are one run of them; a run gives way to the scheduler every runSlice.
//
// Go's scheduler counts a goroutine that is not rescheduled for 10 ms as running, however often it is in C meanwhile.
// From then on its monitor takes the processor away in each call that lasts longer than 20 µs, goes to sleep, and is
// woken by the end of the call: two futex calls for each call of the library. Going through the scheduler once in a
// while avoids that, and costs nothing where no other goroutine waits.
const (
	callGap  = time.Millisecond
	runSlice = 5 * time.Millisecond
)

// pace tells when to give way. Goroutines that share it make each other's runs a little longer or shorter.
type pace struct {
	origin      time.Time
	last, began atomic.Int64 // since origin, in nanoseconds
}

var calls = pace{origin: time.Now()}

// giveWay is called before each call that may take long.
func (p *pace) giveWay() {
	if p.isDue(int64(time.Since(p.origin))) {
		runtime.Gosched()
	}
}

func (p *pace) isDue(now int64) bool {
	last, began := p.last.Swap(now), p.began.Load()
	fresh := now-last > int64(callGap)
	if fresh || now-began > int64(runSlice) {
		return p.began.CompareAndSwap(began, now) && !fresh
	}
	return false
}
