package armillaria

import (
	"context"
	"errors"
)

// Background is a subscription that is read by a goroutine of its own.
type Background struct {
	subscription *Subscription
	cancel       context.CancelFunc
	done         chan struct{}
	err          error
}

// Start hands every entry, in order, to a function in a goroutine of its own, until the function fails, the context ends,
// or the subscription or its database is closed. The subscription belongs to it and is closed at the end.
func (s *Subscription) Start(ctx context.Context, handle func(context.Context, ChangelogEntry) error) *Background {
	ctx, cancel := context.WithCancel(ctx)
	b := &Background{subscription: s, cancel: cancel, done: make(chan struct{})}
	go b.run(ctx, handle)
	return b
}

// Done is closed when the goroutine has ended.
func (b *Background) Done() <-chan struct{} { return b.done }

// Wait waits for the end, and says what ended it: nil if it was closed.
func (b *Background) Wait() error {
	<-b.done
	return b.err
}

// Close ends the subscription, waits until the function has returned, and says how it ended. It must not be called by
// the function itself, which returns an error instead.
func (b *Background) Close() error {
	return errors.Join(b.subscription.Close(), b.Wait())
}

func (b *Background) run(ctx context.Context, handle func(context.Context, ChangelogEntry) error) {
	defer close(b.done)
	defer b.cancel()
	b.err = b.follow(ctx, handle)
	b.err = errors.Join(b.err, b.subscription.Close())
}

func (b *Background) follow(ctx context.Context, handle func(context.Context, ChangelogEntry) error) error {
	for entry, err := range b.subscription.Entries(ctx) {
		if err != nil {
			return err
		}
		if err := handle(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}
