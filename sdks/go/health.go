package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"encoding/json"
	"unsafe"
)

// VerifyReport says what was read and what is damaged.
type VerifyReport struct {
	// OK is whether everything is whole.
	OK           bool
	Records      uint64
	Transactions uint64
	Versions     uint64
	Chunks       uint64
	ChunkBytes   uint64
	UnusedChunks uint64
	Problems     []Problem
	// Notes are sentences about what is remarkable and no damage.
	Notes []string
}

// Problem is one damage.
type Problem struct {
	// Object that is damaged.
	Object string
	// Code is the name of the error that reading it answers, such as "HASH_MISMATCH".
	Code    string
	Message string
	// Affects are the versions of tables that need it.
	Affects []TableVersion
}

// TableVersion is one version of a table.
type TableVersion struct {
	Table   string
	Version uint64
}

// Stats says how much there is.
type Stats struct {
	Tables       uint64
	Versions     uint64
	Transactions uint64
	Branches     uint64
	Tags         uint64
	Chunks       uint64
	ChunkBytes   uint64
	LogBytes     uint64
	// BytesStored is all that is stored.
	BytesStored uint64
	// BytesLogical is what all versions would take if each were stored by itself.
	BytesLogical uint64
	// DedupRatio is BytesLogical over BytesStored; 0 in an empty repository.
	DedupRatio float64
}

// Verify reads the log, the manifests and, if it is deep, every chunk's bytes, and reports what is damaged. Damage is no
// error of the call. CANCELLED, IO.
func (db *Database) Verify(ctx context.Context, deep bool) (VerifyReport, error) {
	var out *C.ArmillariaVerifyReport
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_verify(db, C.bool(deep), r.cancel(), &out, failure)
	})
	if err != nil {
		return VerifyReport{}, err
	}
	defer C.armillaria_verify_report_free(out)
	report := VerifyReport{
		OK:           bool(out.ok),
		Records:      uint64(out.records),
		Transactions: uint64(out.transactions),
		Versions:     uint64(out.versions),
		Chunks:       uint64(out.chunks),
		ChunkBytes:   uint64(out.chunk_bytes),
		UnusedChunks: uint64(out.unused_chunks),
		Notes:        goStrings(out.notes, out.notes_len),
	}
	for _, p := range unsafe.Slice(out.problems, out.problems_len) {
		problem := Problem{Object: goString(p.object), Code: goString(p.code), Message: goString(p.message)}
		for _, v := range unsafe.Slice(p.affects, p.affects_len) {
			problem.Affects = append(problem.Affects, TableVersion{goString(v.table), uint64(v.version)})
		}
		report.Problems = append(report.Problems, problem)
	}
	return report, nil
}

// Stats counts what there is; it reads the whole log.
func (db *Database) Stats(ctx context.Context) (Stats, error) {
	var out *C.ArmillariaStats
	err := db.invoke(ctx, func(_ *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_stats(db, &out, failure)
	})
	if err != nil {
		return Stats{}, err
	}
	defer C.armillaria_stats_free(out)
	return Stats{
		Tables:       uint64(out.tables),
		Versions:     uint64(out.versions),
		Transactions: uint64(out.transactions),
		Branches:     uint64(out.branches),
		Tags:         uint64(out.tags),
		Chunks:       uint64(out.chunks),
		ChunkBytes:   uint64(out.chunk_bytes),
		LogBytes:     uint64(out.log_bytes),
		BytesStored:  uint64(out.bytes_stored),
		BytesLogical: uint64(out.bytes_logical),
		DedupRatio:   float64(out.dedup_ratio),
	}, nil
}

// Inspect shows a stored object as JSON: "repo", "tx:42", "users@3", "chunk:<hash>" or "node:<hash>".
// INVALID_ARGUMENT for anything else; the NOT_FOUND of the object.
func (db *Database) Inspect(ctx context.Context, object string) (json.RawMessage, error) {
	var out *C.ArmillariaBuffer
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_inspect(db, text(object), &out, failure)
	})
	return takeBuffer(out), err
}
