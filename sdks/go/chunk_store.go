package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// ChunkStore keeps bytes under their BLAKE3 hash, in hexadecimal, in any directory. All goroutines may use it at the same
// time. Close it when it is no longer needed; one that is forgotten is closed by the garbage collector.
type ChunkStore struct {
	handle *handle[*C.ArmillariaChunkStore]
}

// OpenChunkStore opens the chunks in a directory, and makes it where there is none unless it is read-only. IO.
func OpenChunkStore(ctx context.Context, directory string, readOnly bool) (*ChunkStore, error) {
	if err := checkLibrary(); err != nil {
		return nil, err
	}
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	var object *C.ArmillariaChunkStore
	err := run(&request{ctx: ctx}, func(failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_store_open(text(directory), C.bool(readOnly), &object, failure)
	})
	if err != nil {
		return nil, err
	}
	free := func(object *C.ArmillariaChunkStore) { C.armillaria_chunk_store_free(object) }
	s := &ChunkStore{newHandle("chunk store", object, free)}
	runtime.AddCleanup(s, (*handle[*C.ArmillariaChunkStore]).close, s.handle)
	return s, nil
}

// Close gives the store up, when all that use it have finished. It may be called again and again.
func (s *ChunkStore) Close() { s.handle.close() }

func (s *ChunkStore) invoke(
	ctx context.Context, call func(*request, *C.ArmillariaChunkStore, **C.ArmillariaError) C.ArmillariaStatus,
) error {
	defer runtime.KeepAlive(s) // or the garbage collector closes the handle before the call has it
	return invoke(&request{ctx: ctx}, s.handle, call)
}

// Put stores bytes, durably, and gives their hash. READ_ONLY, IO.
func (s *ChunkStore) Put(ctx context.Context, data []byte) (string, error) {
	var out *C.ArmillariaBuffer
	err := s.invoke(ctx, func(r *request, s *C.ArmillariaChunkStore, failure **C.ArmillariaError) C.ArmillariaStatus {
		bytes := blob(data)
		return C.armillaria_chunk_store_put(s, (*C.uint8_t)(unsafe.Pointer(bytes.data)), bytes.len, &out, failure)
	})
	return string(takeBuffer(out)), err
}

// Get gives the bytes of a hash as they are stored. CHUNK_NOT_FOUND.
func (s *ChunkStore) Get(ctx context.Context, hash string) ([]byte, error) {
	var out *C.ArmillariaBuffer
	err := s.invoke(ctx, func(r *request, s *C.ArmillariaChunkStore, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_store_get(s, text(hash), &out, failure)
	})
	return takeBuffer(out), err
}

// GetVerified gives the bytes of a hash, unless they have another one: HASH_MISMATCH. CHUNK_NOT_FOUND.
func (s *ChunkStore) GetVerified(ctx context.Context, hash string) ([]byte, error) {
	var out *C.ArmillariaBuffer
	err := s.invoke(ctx, func(r *request, s *C.ArmillariaChunkStore, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_store_get_verified(s, text(hash), &out, failure)
	})
	return takeBuffer(out), err
}

// Exists tells whether there are bytes of this hash.
func (s *ChunkStore) Exists(ctx context.Context, hash string) (bool, error) {
	var out C.bool
	err := s.invoke(ctx, func(r *request, s *C.ArmillariaChunkStore, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_store_exists(s, text(hash), &out, failure)
	})
	return bool(out), err
}

// List lists the hashes of all chunks.
func (s *ChunkStore) List(ctx context.Context) ([]string, error) {
	var out *C.ArmillariaStringList
	err := s.invoke(ctx, func(_ *request, s *C.ArmillariaChunkStore, failure **C.ArmillariaError) C.ArmillariaStatus {
		return C.armillaria_chunk_store_list(s, &out, failure)
	})
	return takeStrings(out), err
}
