package armillaria

// #include "armillaria.h"
import "C"

import "context"

// MergeStrategy says what happens to tables that changed on both sides.
type MergeStrategy uint32

// The strategies of merging.
const (
	MergeFail   MergeStrategy = C.ARMILLARIA_MERGE_STRATEGY_FAIL   // MERGE_CONFLICT, which names them
	MergeOurs   MergeStrategy = C.ARMILLARIA_MERGE_STRATEGY_OURS   // keep those of the branch that is merged into
	MergeTheirs MergeStrategy = C.ARMILLARIA_MERGE_STRATEGY_THEIRS // take those of the source
)

// MergeOptions say how branches are merged. nil stands for the defaults: into the current branch, failing on conflicts.
type MergeOptions struct {
	Into     string
	Strategy MergeStrategy
	// DryRun tells what would happen, conflicts included, and changes nothing.
	DryRun  bool
	Message string
}

// MergeKind says what a merge was.
type MergeKind uint32

// The kinds of merges.
const (
	UpToDate    MergeKind = C.ARMILLARIA_MERGE_KIND_UP_TO_DATE   // there was nothing to do
	FastForward MergeKind = C.ARMILLARIA_MERGE_KIND_FAST_FORWARD // the receiving branch had not moved
	Merged      MergeKind = C.ARMILLARIA_MERGE_KIND_MERGED       // both had
)

// String gives the name: "up_to_date", "fast_forward" or "merged".
func (k MergeKind) String() string {
	switch k {
	case UpToDate:
		return "up_to_date"
	case FastForward:
		return "fast_forward"
	default:
		return "merged"
	}
}

// MergeReport says what a merge did.
type MergeReport struct {
	Kind MergeKind
	// TxID is the transaction that it made; 0 for none.
	TxID uint64
	// Tables that were taken over.
	Tables []string
	// Conflicts are the tables that changed on both sides.
	Conflicts []string
}

// MergeBranch merges a branch into another, table by table, from their common ancestor.
//
// MERGE_CONFLICT naming the tables, BRANCH_NOT_FOUND, WRITE_CONFLICT.
func (db *Database) MergeBranch(ctx context.Context, source string, options *MergeOptions) (MergeReport, error) {
	var out *C.ArmillariaMergeReport
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_merge_branch(db, text(source), options.export(r), &out, failure)
	})
	if err != nil {
		return MergeReport{}, err
	}
	defer C.armillaria_merge_report_free(out)
	return MergeReport{
		Kind:      MergeKind(out.kind),
		TxID:      given(out.has_tx_id, out.tx_id),
		Tables:    goStrings(out.tables, out.tables_len),
		Conflicts: goStrings(out.conflicts, out.conflicts_len),
	}, nil
}

// Revert undoes a transaction by a new one; history is never rewritten. TRANSACTION_NOT_FOUND, MERGE_CONFLICT if a table
// of it has changed again.
func (db *Database) Revert(ctx context.Context, txID uint64, message string) (Commit, error) {
	var out *C.ArmillariaCommit
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_revert(db, C.uint64_t(txID), optional(message), &out, failure)
	})
	return takeCommit(out), err
}

// SetBranchVersions commits to a branch that these tables have these versions; 0 drops a table. VERSION_NOT_FOUND.
func (db *Database) SetBranchVersions(
	ctx context.Context, branch string, versions map[string]uint64, message string,
) (Commit, error) {
	var out *C.ArmillariaCommit
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.versions(versions)
		return C.armillaria_set_branch_versions(
			db, text(branch), list, length, optional(message), &out, failure)
	})
	return takeCommit(out), err
}

func (o *MergeOptions) export(r *request) *C.ArmillariaMergeOptions {
	if o == nil {
		return nil
	}
	return &C.ArmillariaMergeOptions{
		struct_size: C.sizeof_ArmillariaMergeOptions,
		strategy:    C.uint32_t(o.Strategy),
		dry_run:     C.bool(o.DryRun),
		into:        r.pin(optional(o.Into)),
		message:     r.pin(optional(o.Message)),
	}
}
