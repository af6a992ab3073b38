package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
)

// OpenOptions say how a repository is opened. The zero value, like nil, stands for the defaults.
type OpenOptions struct {
	// MustExist refuses to make a repository where there is none: REPOSITORY_NOT_FOUND.
	MustExist bool
	// ReadOnly refuses every write: READ_ONLY.
	ReadOnly bool
	// ExternalAccess lets SQL read files outside of the repository.
	ExternalAccess bool
	// Threads to work with; 0: as many as there are cores.
	Threads uint32
	// MemoryLimitBytes is the memory for SQL; 0: most of the machine's.
	MemoryLimitBytes uint64
	// Author is who commits.
	Author string
	// CacheDir is where data is spilled; "": the system's temporary directory.
	CacheDir string
}

// PartLocations are the directories of one repository whose parts stand apart.
type PartLocations struct {
	Chunks       string // required
	Catalog      string // required
	Branches     string
	Transactions string
}

// Open opens the repository in a folder, and makes one where there is none. "memory:" is a new one that lives as long
// as its Database.
//
// INVALID_ARGUMENT, REPOSITORY_NOT_FOUND, LOG_CORRUPT, FORMAT_UNSUPPORTED, IO.
func Open(ctx context.Context, location string, options *OpenOptions) (*Database, error) {
	return open(ctx, func(r *request, out **C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_open(text(location), options.export(r), out, failure)
	})
}

// OpenParts opens a repository whose chunks, catalog, branches and transactions are four directories, or some of them.
// As Open.
func OpenParts(ctx context.Context, locations PartLocations, options *OpenOptions) (*Database, error) {
	return open(ctx, func(r *request, out **C.ArmillariaDatabase, failure **C.ArmillariaError) C.ArmillariaStatus {
		parts := &C.ArmillariaPartLocations{
			struct_size:  C.sizeof_ArmillariaPartLocations,
			chunks:       r.pin(optional(locations.Chunks)),
			catalog:      r.pin(optional(locations.Catalog)),
			branches:     r.pin(optional(locations.Branches)),
			transactions: r.pin(optional(locations.Transactions)),
		}
		return C.armillaria_open_parts(parts, options.export(r), out, failure)
	})
}

func open(
	ctx context.Context, call func(*request, **C.ArmillariaDatabase, **C.ArmillariaError) C.ArmillariaStatus,
) (*Database, error) {
	if err := checkLibrary(); err != nil {
		return nil, err
	}
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	var object *C.ArmillariaDatabase
	r := &request{ctx: ctx}
	err := run(r, func(failure **C.ArmillariaError) C.ArmillariaStatus {
		return call(r, &object, failure)
	})
	if err != nil {
		return nil, err
	}
	return newDatabase(object), nil
}

func (o *OpenOptions) export(r *request) *C.ArmillariaOpenOptions {
	if o == nil {
		return nil
	}
	return &C.ArmillariaOpenOptions{
		struct_size:        C.sizeof_ArmillariaOpenOptions,
		must_exist:         C.bool(o.MustExist),
		read_only:          C.bool(o.ReadOnly),
		external_access:    C.bool(o.ExternalAccess),
		threads:            C.uint32_t(o.Threads),
		memory_limit_bytes: C.uint64_t(o.MemoryLimitBytes),
		author:             r.pin(optional(o.Author)),
		cache_dir:          r.pin(optional(o.CacheDir)),
	}
}
