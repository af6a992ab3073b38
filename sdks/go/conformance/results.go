package main

import (
	"time"

	"github.com/armillaria-db/armillaria/sdks/go"
)

type object = map[string]any

// orNull is a text or a number that is there, or null.
func orNull[T comparable](value T) any {
	var nothing T
	if value == nothing {
		return nil
	}
	return value
}

// each turns a list into another, which is never null.
func each[T any](items []T, turn func(T) any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = turn(item)
	}
	return out
}

func same[T any](item T) any { return item }

// micros is 0 where there is no time.
func micros(t time.Time) int64 { return t.UnixMicro() }

func commitResult(c armillaria.Commit) any {
	return object{
		"tx_id": c.TxID, "branch": c.Branch, "time_us": micros(c.Time), "version": orNull(c.Version), "rows": c.Rows,
		"tables": each(c.Tables, func(t armillaria.CommittedTable) any {
			return object{"table": t.Table, "kind": t.Kind, "version": orNull(t.Version), "rows": t.Rows}
		}),
		"chunks_written": c.ChunksWritten, "chunks_reused": c.ChunksReused,
		"bytes_written": c.BytesWritten, "bytes_reused": c.BytesReused,
	}
}

func tableResult(t armillaria.TableInfo) any {
	return object{"name": t.Name, "version": t.Version, "rows": t.Rows, "chunks": t.Chunks, "bytes": t.Bytes}
}

func historyResult(e armillaria.HistoryEntry) any {
	return object{
		"version": e.Version, "tx_id": e.TxID, "branch": e.Branch, "time_us": micros(e.Time), "author": orNull(e.Author),
		"message": orNull(e.Message), "kind": e.Kind, "rows": e.Rows, "chunks": e.Chunks, "bytes": e.Bytes,
	}
}

func branchResult(b armillaria.BranchInfo) any {
	out := object{
		"name": b.Name, "head_tx_id": b.HeadTxID, "from_branch": nil, "from_tx_id": nil,
		"created_us": micros(b.Created), "description": orNull(b.Description),
	}
	if b.From != nil {
		out["from_branch"], out["from_tx_id"] = b.From.Branch, b.From.TxID
	}
	return out
}

func tagResult(t armillaria.TagInfo) any {
	return object{"name": t.Name, "tx_id": t.TxID, "created_us": micros(t.Created)}
}

func branchDiffResult(d armillaria.BranchDiff) any {
	return object{
		"added": each(d.Added, same), "removed": each(d.Removed, same),
		"modified": each(d.Modified, func(m armillaria.ModifiedTable) any {
			return object{"table": m.Table, "version_in_a": m.VersionInA, "version_in_b": m.VersionInB}
		}),
	}
}

func mergeResult(m armillaria.MergeReport) any {
	return object{
		"kind": m.Kind.String(), "tx_id": orNull(m.TxID),
		"tables": each(m.Tables, same), "conflicts": each(m.Conflicts, same),
	}
}

func entryResult(e armillaria.ChangelogEntry) any {
	return object{
		"tx_id": e.TxID, "branch": e.Branch, "time_us": micros(e.Time), "author": orNull(e.Author),
		"message": orNull(e.Message), "kind": e.Kind, "parents": each(e.Parents, same),
		"tables": each(e.Tables, func(t armillaria.ChangedTable) any {
			return object{
				"table": t.Table, "kind": t.Kind, "from_version": orNull(t.FromVersion), "to_version": orNull(t.ToVersion),
				"rows_added": t.RowsAdded, "rows_removed": t.RowsRemoved,
			}
		}),
		"refs": each(e.Refs, func(r armillaria.ChangedRef) any {
			return object{"kind": r.Kind, "name": r.Name, "target_tx_id": r.TargetTxID}
		}),
	}
}

func verifyResult(r armillaria.VerifyReport) any {
	return object{
		"ok": r.OK, "records": r.Records, "transactions": r.Transactions, "versions": r.Versions, "chunks": r.Chunks,
		"chunk_bytes": r.ChunkBytes, "unused_chunks": r.UnusedChunks, "notes": each(r.Notes, same),
		"problems": each(r.Problems, func(p armillaria.Problem) any {
			return object{
				"object": p.Object, "code": p.Code, "message": p.Message,
				"affects": each(p.Affects, func(v armillaria.TableVersion) any {
					return object{"table": v.Table, "version": v.Version}
				}),
			}
		}),
	}
}

func statsResult(s armillaria.Stats) any {
	return object{
		"tables": s.Tables, "versions": s.Versions, "transactions": s.Transactions, "branches": s.Branches,
		"tags": s.Tags, "chunks": s.Chunks, "chunk_bytes": s.ChunkBytes, "log_bytes": s.LogBytes,
		"bytes_stored": s.BytesStored, "bytes_logical": s.BytesLogical, "dedup_ratio": s.DedupRatio,
	}
}
