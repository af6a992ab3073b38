package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"time"
)

// SubscribeOptions say what a subscription follows. nil stands for all that comes from now on.
type SubscribeOptions struct {
	// SinceTx starts behind this transaction, 0 at the beginning; nil: behind the newest.
	SinceTx *uint64
	// Tables leaves out what did not change one of these; none: nothing.
	Tables []string
	// Branch leaves out other branches; "": none.
	Branch string
}

// Subscription is a cursor over the changelog that can wait for what comes next. A subscriber that stores the TxID of the
// last entry it handled, and subscribes again from there, misses nothing and sees nothing twice.
//
// Goroutines may share it and take turns; Close may be called at any time. One that is forgotten is closed when the
// garbage collector finds it.
type Subscription struct {
	handle *handle[*C.ArmillariaSubscription]
	turn   turn
	db     *Database // or the garbage collector closes it, and with it the subscription
}

// Subscribe follows the changelog. TRANSACTION_NOT_FOUND for one in the future, BRANCH_NOT_FOUND.
func (db *Database) Subscribe(ctx context.Context, options *SubscribeOptions) (*Subscription, error) {
	var object *C.ArmillariaSubscription
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_subscribe(db, options.export(r), &object, failure)
	})
	if err != nil {
		return nil, err
	}
	free := func(object *C.ArmillariaSubscription) { C.armillaria_subscription_free(object) }
	s := &Subscription{newHandle("subscription", object, free), newTurn(), db}
	runtime.AddCleanup(s, (*handle[*C.ArmillariaSubscription]).close, s.handle)
	return s, nil
}

// Next waits for the next entry, until the context ends. CLOSED when the subscription or its database is closed, also
// meanwhile; CANCELLED.
func (s *Subscription) Next(ctx context.Context) (ChangelogEntry, error) {
	entry, _, err := s.next(ctx, -1)
	return entry, err
}

// Poll gives the next entry if one comes within a time, which may be 0; false if none came.
func (s *Subscription) Poll(ctx context.Context, timeout time.Duration) (ChangelogEntry, bool, error) {
	milliseconds := timeout / time.Millisecond
	if timeout%time.Millisecond > 0 && milliseconds < math.MaxInt64 {
		milliseconds++ // no shorter than asked for
	}
	return s.next(ctx, max(0, int64(milliseconds)))
}

// Entries iterates over the entries as they come. It ends when the subscription or its database is closed; the end of the
// context, or another error, is its last element. Leaving the loop leaves the subscription open.
func (s *Subscription) Entries(ctx context.Context) iter.Seq2[ChangelogEntry, error] {
	return func(yield func(ChangelogEntry, error) bool) {
		for {
			entry, err := s.Next(ctx)
			if errors.Is(err, ErrClosed) || !yield(entry, err) || err != nil {
				return
			}
		}
	}
}

// Cursor gives the last transaction that was handed out or passed over.
func (s *Subscription) Cursor() (uint64, error) {
	var out C.uint64_t
	err := s.invoke(context.Background(),
		func(_ *request, object *C.ArmillariaSubscription, failure **C.ArmillariaError) C.ArmillariaStatus {
			return C.armillaria_subscription_cursor(object, &out, failure)
		})
	return uint64(out), err
}

// Close ends the subscription, and whoever waits for it with CLOSED. It may be called again and again.
func (s *Subscription) Close() error {
	err := invoke(&request{ctx: context.Background()}, s.handle,
		func(_ *request, object *C.ArmillariaSubscription, failure **C.ArmillariaError) C.ArmillariaStatus {
			s.handle.close()
			return C.armillaria_subscription_close(object, failure)
		})
	return unlessClosed(err)
}

func (s *Subscription) next(ctx context.Context, milliseconds int64) (ChangelogEntry, bool, error) {
	var out *C.ArmillariaChangelogEntry
	err := s.invoke(ctx, func(r *request, object *C.ArmillariaSubscription, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_subscription_next(object, C.int64_t(milliseconds), r.cancel(), &out, failure)
	})
	if err != nil || out == nil {
		return ChangelogEntry{}, false, err
	}
	defer C.armillaria_changelog_entry_free(out)
	return goEntry(out), true, nil
}

// invoke makes one call on the subscription, when it is its turn.
func (s *Subscription) invoke(
	ctx context.Context, call func(*request, *C.ArmillariaSubscription, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	defer runtime.KeepAlive(s) // or the garbage collector closes the handle before the call has it
	return invoke(&request{ctx: ctx}, s.handle, call)
}

func (o *SubscribeOptions) export(r *request) *C.ArmillariaChangesOptions {
	if o == nil {
		return nil
	}
	return (&ChangesOptions{SinceTx: o.SinceTx, Tables: o.Tables, Branch: o.Branch}).export(r)
}
