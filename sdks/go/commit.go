package armillaria

// #include "armillaria.h"
import "C"

import (
	"time"
	"unsafe"
)

// Commit is what a change of the repository did.
type Commit struct {
	// TxID is the transaction; a subscriber can start behind it.
	TxID uint64
	// Branch is where it stands.
	Branch string
	// Time is when, in UTC.
	Time time.Time
	// Tables are what it changed.
	Tables []CommittedTable
	// Version is that of the table, where exactly one was changed that is still there; otherwise 0.
	Version uint64
	// Rows that were written.
	Rows uint64
	// Chunks and their bytes, as far as they were written anew or were there already.
	ChunksWritten, ChunksReused, BytesWritten, BytesReused uint64
}

// CommittedTable is what a commit did to one table.
type CommittedTable struct {
	Table string
	// Kind is create, append, update, overwrite, drop, fold, adopt or restore.
	Kind string
	// Version after the commit; 0 where the table was dropped.
	Version uint64
	Rows    uint64
}

// takeCommit copies a commit of the library and frees it.
func takeCommit(c *C.ArmillariaCommit) Commit {
	if c == nil {
		return Commit{}
	}
	defer C.armillaria_commit_free(c)
	commit := Commit{
		TxID:          uint64(c.tx_id),
		Branch:        goString(c.branch),
		Time:          goTime(c.time_us),
		Version:       given(c.has_version, c.version),
		Rows:          uint64(c.rows),
		ChunksWritten: uint64(c.chunks_written),
		ChunksReused:  uint64(c.chunks_reused),
		BytesWritten:  uint64(c.bytes_written),
		BytesReused:   uint64(c.bytes_reused),
	}
	for _, t := range unsafe.Slice(c.tables, c.tables_len) {
		commit.Tables = append(commit.Tables, CommittedTable{
			Table:   goString(t.table),
			Kind:    goString(t.kind),
			Version: given(t.has_version, t.version),
			Rows:    uint64(t.rows),
		})
	}
	return commit
}

// given is a number that is there, or 0.
func given(there C.bool, number C.uint64_t) uint64 {
	if !there {
		return 0
	}
	return uint64(number)
}
