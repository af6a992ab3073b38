package armillaria_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func TestASubscriberThatComesBackMissesNothing(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 1, &armillaria.WriteOptions{Message: "one"})
	writeIDs(t, db, "other", 0, 1, nil)
	first := must(db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: armillaria.Some[uint64](0), Tables: []string{"t"}}))(t)
	entry := must(first.Next(ctx))(t)
	if entry.TxID != 1 || entry.Message != "one" || entry.Kind != "commit" || entry.Tables[0].ToVersion != 1 {
		t.Errorf("got %+v", entry)
	}
	if _, came, err := first.Poll(ctx, 0); came || err != nil {
		t.Errorf("there is nothing more: %v, %v", came, err)
	}
	cursor := must(first.Cursor())(t)
	check(t, first.Close())
	writeIDs(t, db, "t", 0, 2, nil)
	second := must(db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: &cursor}))(t)
	defer second.Close()
	if entry := must(second.Next(ctx))(t); entry.TxID != 3 || entry.Tables[0].FromVersion != 1 {
		t.Errorf("got %+v", entry)
	}
	_, err := db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: armillaria.Some[uint64](99)})
	wantError(t, err, armillaria.ErrTransactionNotFound)
}

func TestEntriesAreIteratedUntilTheSubscriptionIsClosed(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	subscription := must(db.Subscribe(ctx, nil))(t)
	go func() {
		for n := range int64(3) {
			if _, err := db.WriteTable(ctx, "t", ids(0, n, 9), nil); err != nil {
				t.Error(err)
			}
		}
	}()
	var seen []uint64
	for entry, err := range subscription.Entries(ctx) {
		check(t, err)
		seen = append(seen, entry.TxID)
		if len(seen) == 3 {
			check(t, subscription.Close())
		}
	}
	if !slices.Equal(seen, []uint64{1, 2, 3}) {
		t.Errorf("saw %v", seen)
	}
}

func TestWaitingEndsWithTheContextAndWithClose(t *testing.T) {
	db := openMemory(t)
	subscription := must(db.Subscribe(t.Context(), nil))(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_, err := subscription.Next(ctx)
	wantLetGo(t, deadline)
	wantError(t, err, armillaria.ErrCancelled, context.DeadlineExceeded)
	for _, err := range subscription.Entries(ctx) {
		wantError(t, err, armillaria.ErrCancelled)
	}
	if _, came, err := subscription.Poll(t.Context(), time.Microsecond); came || err != nil {
		t.Errorf("got %v, %v", came, err)
	}
	closed := make(chan time.Time, 1)
	time.AfterFunc(100*time.Millisecond, func() {
		closed <- time.Now()
		if err := subscription.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err = subscription.Next(t.Context())
	wantLetGo(t, <-closed)
	wantError(t, err, armillaria.ErrClosed)
}

func TestAWaitForATurnEndsWithItsContext(t *testing.T) {
	db := openMemory(t)
	subscription := must(db.Subscribe(t.Context(), nil))(t)
	waiting := make(chan error)
	go func() {
		_, err := subscription.Next(t.Context())
		waiting <- err
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := subscription.Next(ctx)
	wantError(t, err, armillaria.ErrCancelled, context.DeadlineExceeded)
	check(t, subscription.Close())
	wantError(t, <-waiting, armillaria.ErrClosed)
}

func TestABackgroundSubscription(t *testing.T) {
	ctx, db, enough := t.Context(), openMemory(t), errors.New("enough")
	start := func(handle func(armillaria.ChangelogEntry) error) *armillaria.Background {
		subscription := must(db.Subscribe(ctx, &armillaria.SubscribeOptions{SinceTx: armillaria.Some[uint64](0)}))(t)
		return subscription.Start(ctx, func(_ context.Context, entry armillaria.ChangelogEntry) error { return handle(entry) })
	}
	arrived := make(chan uint64, 10)
	follower := start(func(entry armillaria.ChangelogEntry) error {
		arrived <- entry.TxID
		return nil
	})
	failing := start(func(armillaria.ChangelogEntry) error { return enough })
	writeIDs(t, db, "t", 0, 1, nil)
	writeIDs(t, db, "t", 0, 2, nil)
	if first, second := <-arrived, <-arrived; first != 1 || second != 2 {
		t.Errorf("saw %d, %d", first, second)
	}
	check(t, follower.Close())
	<-follower.Done()
	if err := failing.Wait(); err == nil || !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	last := start(func(armillaria.ChangelogEntry) error { return nil })
	check(t, db.Close())
	check(t, last.Wait())
}

func TestChangesAreFiltered(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	first := writeIDs(t, db, "a", 0, 1, nil)
	check(t, db.CreateBranch(ctx, "trial", nil))
	writeIDs(t, db, "b", 0, 1, &armillaria.WriteOptions{Branch: "trial"})
	last := writeIDs(t, db, "a", 0, 2, nil)
	some := armillaria.Some[uint64]
	for name, c := range map[string]struct {
		options *armillaria.ChangesOptions
		want    []uint64
	}{
		"all":     {nil, []uint64{1, 2, 3, 4}},
		"since":   {&armillaria.ChangesOptions{SinceTx: some(2)}, []uint64{3, 4}},
		"until":   {&armillaria.ChangesOptions{UntilTx: some(0)}, nil},
		"limit":   {&armillaria.ChangesOptions{Limit: some(1)}, []uint64{1}},
		"tables":  {&armillaria.ChangesOptions{Tables: []string{"b"}}, []uint64{3}},
		"branch":  {&armillaria.ChangesOptions{Branch: "main"}, []uint64{1, 4}},
		"from":    {&armillaria.ChangesOptions{From: last.Time, SinceTx: some(3)}, []uint64{4}},
		"to":      {&armillaria.ChangesOptions{To: first.Time, UntilTx: some(1)}, []uint64{1}},
		"nothing": {&armillaria.ChangesOptions{To: first.Time.Add(-time.Hour)}, nil},
	} {
		var got []uint64
		for _, entry := range must(db.Changes(ctx, c.options))(t) {
			got = append(got, entry.TxID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	branched := must(db.Changes(ctx, nil))(t)[1]
	if want := (armillaria.ChangedRef{Kind: "create_branch", Name: "trial", TargetTxID: 1}); len(branched.Refs) != 1 || branched.Refs[0] != want {
		t.Errorf("got %+v", branched)
	}
	rows := must(db.TableChanges(ctx, "a", 1, 2))(t)
	defer rows.Close()
	if fields := rows.Schema().FieldIndices("_change_type"); len(fields) != 1 {
		t.Errorf("got %v", rows.Schema())
	}
	difference := must(db.DiffRows(ctx, "a", 1, 2, "id"))(t)
	defer difference.Close()
	if !difference.Next() || difference.RecordBatch().NumRows() != 1 {
		t.Errorf("got %v, %v", difference.RecordBatch(), difference.Err())
	}
}
