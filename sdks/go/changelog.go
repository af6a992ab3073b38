package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// ChangelogEntry is one transaction, as the changelog tells it.
type ChangelogEntry struct {
	// TxID is the cursor: a subscriber that stores it can start again behind it.
	TxID    uint64
	Branch  string
	Time    time.Time
	Author  string
	Message string
	// Kind is commit, merge, fast_forward, revert, refs or fold.
	Kind string
	// Parents are the heads that it follows.
	Parents []uint64
	Tables  []ChangedTable
	Refs    []ChangedRef
}

// ChangedTable is what a transaction did to one table.
type ChangedTable struct {
	Table string
	// Kind is create, append, update, overwrite, drop, fold, adopt or restore.
	Kind string
	// FromVersion is the version before; 0 where there was no such table.
	FromVersion uint64
	// ToVersion is the version after; 0 where it was dropped.
	ToVersion              uint64
	RowsAdded, RowsRemoved uint64
}

// ChangedRef is a branch or a tag that was created or deleted.
type ChangedRef struct {
	// Kind is create_branch, delete_branch, create_tag or delete_tag.
	Kind string
	Name string
	// TargetTxID is what a new tag names or where a new branch starts; otherwise 0.
	TargetTxID uint64
}

// ChangesOptions say which entries of the changelog are wanted. nil stands for all.
type ChangesOptions struct {
	// SinceTx leaves out this transaction and those before; nil: none.
	SinceTx *uint64
	// UntilTx leaves out those after this one; nil: none.
	UntilTx *uint64
	// From and To are times, inclusive, to the microsecond; zero: no limit.
	From, To time.Time
	// Tables leaves out what did not change one of these; none: nothing.
	Tables []string
	// Branch leaves out other branches; "": none.
	Branch string
	// Limit is how many entries at most, the first ones; nil: all.
	Limit *uint64
}

// Some gives a pointer to a value, for options that may be left out.
func Some[T any](value T) *T { return &value }

// LatestTxID gives the newest transaction of the repository; 0 if there is none.
func (db *Database) LatestTxID(ctx context.Context) (uint64, error) {
	var out C.uint64_t
	err := db.invoke(ctx, func(_ *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_latest_tx_id(db, &out, failure)
	})
	return uint64(out), err
}

// Changes reads the changelog as a batch, oldest first. TRANSACTION_NOT_FOUND for one in the future, BRANCH_NOT_FOUND.
func (db *Database) Changes(ctx context.Context, options *ChangesOptions) ([]ChangelogEntry, error) {
	var out *C.ArmillariaChangelog
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_changes(db, options.export(r), &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_changelog_free(out)
	entries := make([]ChangelogEntry, 0, out.len)
	for _, entry := range unsafe.Slice(out.items, out.len) {
		entries = append(entries, goEntry(entry))
	}
	return entries, nil
}

// TableChanges reads the rows that came and went between two versions of a table, with the columns _change_type,
// _commit_version, _commit_timestamp and _tx_id. VERSION_NOT_FOUND.
func (db *Database) TableChanges(ctx context.Context, name string, from, to uint64) (*Rows, error) {
	return db.openRows(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_table_changes(
			db, text(name), C.uint64_t(from), C.uint64_t(to), r.cancel(), r.out(), failure)
	})
}

func goEntry(e *C.ArmillariaChangelogEntry) ChangelogEntry {
	entry := ChangelogEntry{
		TxID:    uint64(e.tx_id),
		Branch:  goString(e.branch),
		Time:    goTime(e.time_us),
		Author:  goString(e.author),
		Message: goString(e.message),
		Kind:    goString(e.kind),
	}
	for _, parent := range unsafe.Slice(e.parents, e.parents_len) {
		entry.Parents = append(entry.Parents, uint64(parent))
	}
	for _, t := range unsafe.Slice(e.tables, e.tables_len) {
		entry.Tables = append(entry.Tables, ChangedTable{
			Table:       goString(t.table),
			Kind:        goString(t.kind),
			FromVersion: given(t.has_from_version, t.from_version),
			ToVersion:   given(t.has_to_version, t.to_version),
			RowsAdded:   uint64(t.rows_added),
			RowsRemoved: uint64(t.rows_removed),
		})
	}
	for _, ref := range unsafe.Slice(e.refs, e.refs_len) {
		entry.Refs = append(entry.Refs, ChangedRef{
			Kind:       goString(ref.kind),
			Name:       goString(ref.name),
			TargetTxID: uint64(ref.target_tx_id),
		})
	}
	return entry
}

func (o *ChangesOptions) export(r *request) *C.ArmillariaChangesOptions {
	if o == nil {
		return nil
	}
	out := &C.ArmillariaChangesOptions{
		struct_size: C.sizeof_ArmillariaChangesOptions,
		branch:      r.pin(optional(o.Branch)),
	}
	out.has_since_tx, out.since_tx = optionalNumber(o.SinceTx)
	out.has_until_tx, out.until_tx = optionalNumber(o.UntilTx)
	out.has_limit, out.limit = optionalNumber(o.Limit)
	out.has_from_time, out.from_time_us = optionalTime(o.From)
	out.has_to_time, out.to_time_us = optionalTime(o.To)
	if len(o.Tables) > 0 {
		out.tables, out.tables_len = r.list(o.Tables)
	}
	return out
}

func optionalNumber(number *uint64) (C.bool, C.uint64_t) {
	if number == nil {
		return false, 0
	}
	return true, C.uint64_t(*number)
}

func optionalTime(t time.Time) (C.bool, C.int64_t) {
	if t.IsZero() {
		return false, 0
	}
	micros, _ := microseconds(t)
	return true, C.int64_t(micros)
}
