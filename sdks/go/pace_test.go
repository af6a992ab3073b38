package armillaria

import (
	"testing"
	"time"
)

func TestOnlyRunsOfCallsGiveWay(t *testing.T) {
	var p pace
	now := int64(time.Hour)
	for range 100 {
		now += int64(callGap) + 1
		if p.isDue(now) {
			t.Fatal("a call after a pause gives way")
		}
	}
	var due []int
	for call := range 150 {
		now += int64(200 * time.Microsecond)
		if p.isDue(now) {
			due = append(due, call)
		}
	}
	if len(due) != 3 || due[0] != 49 || due[1] != 99 || due[2] != 149 {
		t.Errorf("in a run of 30 ms these calls give way: %v", due)
	}
}
