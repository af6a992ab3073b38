package armillaria

import (
	"errors"
	"sync"
	"testing"
)

func TestAHandleIsFreedOnceByTheLastOfItsUsers(t *testing.T) {
	freed := 0
	object := new(int)
	h := newHandle("thing", object, func(*int) { freed++ })
	for range 2 {
		if got, err := h.acquire(); got != object || err != nil {
			t.Fatal(got, err)
		}
	}
	h.close()
	if _, err := h.acquire(); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	h.release()
	if freed != 0 {
		t.Fatal("freed while in use")
	}
	h.release()
	h.close()
	if freed != 1 {
		t.Fatalf("freed %d times", freed)
	}
}

func TestHandlesAreClosedAndUsedAtOnce(t *testing.T) {
	for range 200 {
		freed := 0
		h := newHandle("thing", new(int), func(object *int) { freed++; *object = -1 })
		var users sync.WaitGroup
		for range 4 {
			users.Go(func() {
				for range 20 {
					object, err := h.acquire()
					if err != nil {
						return
					}
					if *object != 0 {
						t.Error("used after it was freed")
					}
					h.release()
				}
			})
		}
		users.Go(h.close)
		users.Wait()
		if freed != 1 {
			t.Fatalf("freed %d times", freed)
		}
	}
}
