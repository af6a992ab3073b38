package armillaria

import (
	"context"
	"errors"
)

// TransactOptions say how Transact begins and commits. nil stands for the defaults.
type TransactOptions struct {
	Branch    string
	Isolation Isolation
	// Message says why.
	Message string
}

// Transact does some work in a transaction: it commits if the work returns nil, and otherwise, also when the work
// panics, rolls back and passes the error on. The work must not end the transaction itself.
//
// A commit that fails with ErrWriteConflict or ErrSerializationFailure lost nothing but the work: call Transact again.
func (db *Database) Transact(ctx context.Context, options *TransactOptions, work func(tx *Tx) error) (Commit, error) {
	if options == nil {
		options = &TransactOptions{}
	}
	tx, err := db.Begin(ctx, &BeginOptions{Branch: options.Branch, Isolation: options.Isolation})
	if err != nil {
		return Commit{}, err
	}
	ended := false
	defer func() {
		if !ended { // the work panicked, or ended its goroutine
			_ = tx.Rollback() // the panic says more
		}
	}()
	err = work(tx)
	ended = true
	if err != nil {
		return Commit{}, rolledBack(tx, err)
	}
	commit, err := tx.Commit(ctx, options.Message)
	if err != nil {
		return Commit{}, rolledBack(tx, err) // the context may have ended before the commit began
	}
	return commit, nil
}

// rolledBack rolls a transaction back because of an error.
func rolledBack(tx *Tx, err error) error {
	if failure := unlessClosed(tx.Rollback()); failure != nil {
		return errors.Join(err, failure)
	}
	return err
}
