package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// BranchOptions say how a branch is created. nil stands for the defaults: from the head of the current branch.
type BranchOptions struct {
	From        At
	Description string
}

// BranchInfo describes a branch.
type BranchInfo struct {
	Name string
	// HeadTxID is the last transaction on it.
	HeadTxID uint64
	// From is where it started; nil for main.
	From *BranchPoint
	// Created is when, in UTC; 1970 for main.
	Created     time.Time
	Description string
}

// BranchPoint is a transaction on a branch.
type BranchPoint struct {
	Branch string
	TxID   uint64
}

// TagInfo describes a tag.
type TagInfo struct {
	Name string
	// TxID is the transaction that it names.
	TxID    uint64
	Created time.Time
}

// BranchDiff says how two branches differ.
type BranchDiff struct {
	// Added are the tables of the first branch that the second has not.
	Added []string
	// Removed are the tables of the second branch that the first has not.
	Removed []string
	// Modified are those of both, in different versions.
	Modified []ModifiedTable
}

// ModifiedTable is a table with its versions on two branches.
type ModifiedTable struct {
	Table                  string
	VersionInA, VersionInB uint64
}

// CreateBranch creates a branch, which costs the same whatever it holds. BRANCH_EXISTS.
func (db *Database) CreateBranch(ctx context.Context, name string, options *BranchOptions) error {
	if options == nil {
		options = &BranchOptions{}
	}
	return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_create_branch(
			db, text(name), options.From.export(r), optional(options.Description), failure)
	})
}

// DeleteBranch deletes a branch; its transactions and versions stay. BRANCH_NOT_FOUND.
func (db *Database) DeleteBranch(ctx context.Context, name string) error {
	return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_delete_branch(db, text(name), failure)
	})
}

// ListBranches lists the branches, by name.
func (db *Database) ListBranches(ctx context.Context) ([]BranchInfo, error) {
	var out *C.ArmillariaBranchList
	err := db.invoke(ctx, func(_ *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_list_branches(db, &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_branch_list_free(out)
	branches := make([]BranchInfo, 0, out.len)
	for _, b := range unsafe.Slice(out.items, out.len) {
		info := BranchInfo{
			Name:        goString(b.name),
			HeadTxID:    uint64(b.head_tx_id),
			Created:     goTime(b.created_us),
			Description: goString(b.description),
		}
		if b.has_from_tx_id {
			info.From = &BranchPoint{Branch: goString(b.from_branch), TxID: uint64(b.from_tx_id)}
		}
		branches = append(branches, info)
	}
	return branches, nil
}

// DiffBranches says how two branches differ, by the versions at their heads. BRANCH_NOT_FOUND.
func (db *Database) DiffBranches(ctx context.Context, a, b string) (BranchDiff, error) {
	var out *C.ArmillariaBranchDiff
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_diff_branches(db, text(a), text(b), &out, failure)
	})
	if err != nil {
		return BranchDiff{}, err
	}
	defer C.armillaria_branch_diff_free(out)
	diff := BranchDiff{
		Added:   goStrings(out.added, out.added_len),
		Removed: goStrings(out.removed, out.removed_len),
	}
	for _, m := range unsafe.Slice(out.modified, out.modified_len) {
		diff.Modified = append(diff.Modified, ModifiedTable{
			Table:      goString(m.table),
			VersionInA: uint64(m.version_in_a),
			VersionInB: uint64(m.version_in_b),
		})
	}
	return diff, nil
}

// CreateTag gives a name to a transaction for good. TAG_EXISTS.
func (db *Database) CreateTag(ctx context.Context, name string, at At) error {
	return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_create_tag(db, text(name), at.export(r), failure)
	})
}

// DeleteTag takes a name back. TAG_NOT_FOUND.
func (db *Database) DeleteTag(ctx context.Context, name string) error {
	return db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_delete_tag(db, text(name), failure)
	})
}

// ListTags lists the tags, by name.
func (db *Database) ListTags(ctx context.Context) ([]TagInfo, error) {
	var out *C.ArmillariaTagList
	err := db.invoke(ctx, func(_ *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_list_tags(db, &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_tag_list_free(out)
	tags := make([]TagInfo, 0, out.len)
	for _, t := range unsafe.Slice(out.items, out.len) {
		tags = append(tags, TagInfo{Name: goString(t.name), TxID: uint64(t.tx_id), Created: goTime(t.created_us)})
	}
	return tags, nil
}
