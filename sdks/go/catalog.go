package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"unsafe"
)

// ChunkList is a version of a table as a bare list of chunks.
type ChunkList struct {
	Version uint64
	Hashes  []string
}

// CommitChunks commits a version of a table that consists of these chunks, which need not exist yet; to be read as rows
// they must be Parquet. VERSION_CONFLICT if the version is not the table's next one. Options with a key are
// INVALID_ARGUMENT.
func (db *Database) CommitChunks(
	ctx context.Context, name string, version uint64, hashes []string, options *TableOptions,
) (Commit, error) {
	var out *C.ArmillariaCommit
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		list, length := r.list(hashes)
		return C.armillaria_commit_chunks(
			db, text(name), C.uint64_t(version), list, length, options.export(r), &out, failure)
	})
	return takeCommit(out), err
}

// ChunkHashes gives the chunks of a version of a table; of the latest ever made for version 0. TABLE_NOT_FOUND,
// VERSION_NOT_FOUND.
func (db *Database) ChunkHashes(ctx context.Context, name string, version uint64) (ChunkList, error) {
	var of C.uint64_t
	var out *C.ArmillariaStringList
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_hashes(db, text(name), C.uint64_t(version), &of, &out, failure)
	})
	return ChunkList{Version: uint64(of), Hashes: takeStrings(out)}, err
}

// ListVersions lists all versions of a table that were ever made. TABLE_NOT_FOUND.
func (db *Database) ListVersions(ctx context.Context, name string) ([]uint64, error) {
	var out *C.ArmillariaVersionList
	err := db.invoke(ctx, func(r *request, db *C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_list_versions(db, text(name), &out, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.armillaria_version_list_free(out)
	versions := make([]uint64, 0, out.len)
	for _, version := range unsafe.Slice(out.items, out.len) {
		versions = append(versions, uint64(version))
	}
	return versions, nil
}
