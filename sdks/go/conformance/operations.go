package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// operation runs one step. Its result is a handle where the step makes one.
type operation func(*world, *args) (any, error)

var operations map[string]operation

func init() {
	operations = map[string]operation{
		"open": opOpen, "open_parts": opOpenParts, "close": opClose, "reopen": opReopen,
		"checkout": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return nothing(db.Checkout(w.context(a), a.text("branch")))
		}),
		"current_branch": onDatabase(func(_ *world, _ *args, db *database) (any, error) {
			branch, err := db.CurrentBranch()
			return object{"branch": branch}, err
		}),
		"version": func(*world, *args) (any, error) { return object{"version": armillaria.Version()}, nil },

		"create_branch": onDatabase(func(w *world, a *args, db *database) (any, error) {
			options := &armillaria.BranchOptions{From: a.at("from"), Description: a.text("description")}
			return nothing(db.CreateBranch(w.context(a), a.text("branch"), options))
		}),
		"delete_branch": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return nothing(db.DeleteBranch(w.context(a), a.text("branch")))
		}),
		"list_branches": onDatabase(func(w *world, a *args, db *database) (any, error) {
			branches, err := db.ListBranches(w.context(a))
			return object{"branches": each(branches, branchResult)}, err
		}),
		"diff_branches": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return answer(branchDiffResult)(db.DiffBranches(w.context(a), a.text("a"), a.text("b")))
		}),
		"merge_branch": onDatabase(opMerge),
		"revert": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return answer(commitResult)(db.Revert(w.context(a), number[uint64](a, "tx_id"), a.text("message")))
		}),
		"set_branch_versions": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return answer(commitResult)(
				db.SetBranchVersions(w.context(a), a.text("branch"), a.versions("versions"), a.text("message")))
		}),
		"create_tag": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return nothing(db.CreateTag(w.context(a), a.text("tag"), a.at("at")))
		}),
		"delete_tag": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return nothing(db.DeleteTag(w.context(a), a.text("tag")))
		}),
		"list_tags": onDatabase(func(w *world, a *args, db *database) (any, error) {
			tags, err := db.ListTags(w.context(a))
			return object{"tags": each(tags, tagResult)}, err
		}),

		"begin": onDatabase(opBegin), "commit": opCommit, "rollback": opRollback,
		"latest_tx_id": onDatabase(func(w *world, a *args, db *database) (any, error) {
			latest, err := db.LatestTxID(w.context(a))
			return object{"tx_id": latest}, err
		}),
		"changes": onDatabase(opChanges), "subscribe": onDatabase(opSubscribe), "poll": opPoll, "cursor": opCursor,

		"verify": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return answer(verifyResult)(db.Verify(w.context(a), a.bool("deep")))
		}),
		"stats": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return answer(statsResult)(db.Stats(w.context(a)))
		}),
		"inspect": onDatabase(func(w *world, a *args, db *database) (any, error) {
			text, err := db.Inspect(w.context(a), a.text("object"))
			return object{"object": json.RawMessage(text)}, err
		}),

		"open_chunk_store": opOpenChunkStore, "put_chunk": opPutChunk,
		"get_chunk": onStore(func(a *args, store *armillaria.ChunkStore) (any, error) {
			data, err := store.Get(context.Background(), a.text("hash"))
			return object{"data": base64.StdEncoding.EncodeToString(data)}, err
		}),
		"get_verified_chunk": onStore(func(a *args, store *armillaria.ChunkStore) (any, error) {
			data, err := store.GetVerified(context.Background(), a.text("hash"))
			return object{"data": base64.StdEncoding.EncodeToString(data)}, err
		}),
		"chunk_exists": onStore(func(a *args, store *armillaria.ChunkStore) (any, error) {
			exists, err := store.Exists(context.Background(), a.text("hash"))
			return object{"exists": exists}, err
		}),
		"list_chunks": onStore(func(_ *args, store *armillaria.ChunkStore) (any, error) {
			hashes, err := store.List(context.Background())
			return object{"hashes": each(hashes, same)}, err
		}),

		"new_cancel_token": func(*world, *args) (any, error) {
			ctx, cancel := context.WithCancel(context.Background())
			return &token{ctx, cancel}, nil
		},
		"cancel": func(w *world, a *args) (any, error) {
			token, err := on[*token](w, a)
			if err == nil {
				token.cancel()
			}
			return object{}, err
		},
		"is_cancelled": func(w *world, a *args) (any, error) {
			token, err := on[*token](w, a)
			if err != nil {
				return nil, err
			}
			return object{"cancelled": token.ctx.Err() != nil}, nil
		},

		"drain": func(w *world, a *args) (any, error) {
			rows, err := on[*armillaria.Rows](w, a)
			if err != nil {
				return nil, err
			}
			return readRows(rows)
		},
		"release": func(w *world, a *args) (any, error) {
			w.handle(a, "on")
			return nothing(w.release(a.text("on")))
		},
		"copy_fixture": opCopyFixture, "write_file": opWriteFile, "corrupt_chunk": opCorruptChunk, "corrupt_file": opCorruptFile,
		"delete_chunk": func(w *world, a *args) (any, error) { return nothing(os.Remove(w.chunkFile(a))) },
		"sleep_ms": func(_ *world, a *args) (any, error) {
			time.Sleep(time.Duration(number[int64](a, "ms")) * time.Millisecond)
			return object{}, nil
		},
	}
	for name, operation := range tableOperations() {
		operations[name] = operation
	}
}

func onDatabase(run func(*world, *args, *database) (any, error)) operation {
	return func(w *world, a *args) (any, error) {
		db, err := on[*database](w, a)
		if err != nil {
			return nil, err
		}
		return run(w, a, db)
	}
}

func onStore(run func(*args, *armillaria.ChunkStore) (any, error)) operation {
	return func(w *world, a *args) (any, error) {
		store, err := on[*armillaria.ChunkStore](w, a)
		if err != nil {
			return nil, err
		}
		return run(a, store)
	}
}

func nothing(err error) (any, error) { return object{}, err }

// answer turns what a call returns into a result.
func answer[T any](turn func(T) any) func(T, error) (any, error) {
	return func(value T, err error) (any, error) { return turn(value), err }
}

// path gives a place below the folder of the case.
func (w *world) path(location string) string {
	if location == "" || location == "memory:" || strings.Contains(location, "://") {
		return location
	}
	return filepath.Join(w.folder, location)
}

func (w *world) location(a *args) string {
	if location := a.text("location"); a.has("location") {
		return w.path(location)
	}
	return w.path("repo")
}

func (w *world) openOptions(a *args) *armillaria.OpenOptions {
	return &armillaria.OpenOptions{
		MustExist: a.bool("must_exist"), ReadOnly: a.bool("read_only"), ExternalAccess: a.bool("external_access"),
		Threads: number[uint32](a, "threads"), MemoryLimitBytes: number[uint64](a, "memory_limit_bytes"),
		Author: a.text("author"), CacheDir: w.path(a.text("cache_dir")),
	}
}

func opOpen(w *world, a *args) (any, error) {
	location, options := w.location(a), w.openOptions(a)
	return openWith(func() (*armillaria.Database, error) { return armillaria.Open(context.Background(), location, options) })
}

func opOpenParts(w *world, a *args) (any, error) {
	options := w.openOptions(a)
	parts := armillaria.PartLocations{
		Chunks: w.path(a.text("chunks")), Catalog: w.path(a.text("catalog")),
		Branches: w.path(a.text("branches")), Transactions: w.path(a.text("transactions")),
	}
	return openWith(func() (*armillaria.Database, error) {
		return armillaria.OpenParts(context.Background(), parts, options)
	})
}

func openWith(open func() (*armillaria.Database, error)) (any, error) {
	db, err := open()
	if err != nil {
		return nil, err
	}
	return &database{db, open}, nil
}

func opReopen(w *world, a *args) (any, error) {
	db, err := on[*database](w, a)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	db.Database, err = db.open()
	return object{}, err
}

func opClose(w *world, a *args) (any, error) {
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return nothing(handle.Close())
	case *armillaria.Subscription:
		return nothing(handle.Close())
	}
	return nil, fmt.Errorf("%q cannot be closed", a.text("on"))
}

func opMerge(w *world, a *args, db *database) (any, error) {
	strategies := map[string]armillaria.MergeStrategy{
		"": armillaria.MergeFail, "fail": armillaria.MergeFail, "ours": armillaria.MergeOurs, "theirs": armillaria.MergeTheirs,
	}
	strategy, known := strategies[a.text("strategy")]
	if !known {
		return nil, errors.New("there is no such strategy")
	}
	return answer(mergeResult)(db.MergeBranch(w.context(a), a.text("source"), &armillaria.MergeOptions{
		Into: a.text("into"), Strategy: strategy, DryRun: a.bool("dry_run"), Message: a.text("message"),
	}))
}

func opBegin(w *world, a *args, db *database) (any, error) {
	levels := map[string]armillaria.Isolation{
		"": armillaria.Snapshot, "snapshot": armillaria.Snapshot, "serializable": armillaria.Serializable,
	}
	isolation, known := levels[a.text("isolation")]
	if !known {
		return nil, errors.New("there is no such isolation")
	}
	return db.Begin(w.context(a), &armillaria.BeginOptions{Branch: a.text("branch"), Isolation: isolation})
}

func opCommit(w *world, a *args) (any, error) {
	tx, err := on[*armillaria.Tx](w, a)
	if err != nil {
		return nil, err
	}
	return answer(commitResult)(tx.Commit(w.context(a), a.text("message")))
}

func opRollback(w *world, a *args) (any, error) {
	tx, err := on[*armillaria.Tx](w, a)
	if err != nil {
		return nil, err
	}
	return nothing(tx.Rollback())
}

func opChanges(w *world, a *args, db *database) (any, error) {
	entries, err := db.Changes(w.context(a), &armillaria.ChangesOptions{
		SinceTx: a.optional("since_tx"), UntilTx: a.optional("until_tx"), From: a.time("from_time_us"),
		To: a.time("to_time_us"), Tables: a.texts("tables"), Branch: a.text("branch"), Limit: a.optional("limit"),
	})
	return object{"entries": each(entries, entryResult)}, err
}

func opSubscribe(w *world, a *args, db *database) (any, error) {
	return db.Subscribe(w.context(a), &armillaria.SubscribeOptions{
		SinceTx: a.optional("since_tx"), Tables: a.texts("tables"), Branch: a.text("branch"),
	})
}

func opPoll(w *world, a *args) (any, error) {
	subscription, err := on[*armillaria.Subscription](w, a)
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(number[int64](a, "timeout_ms")) * time.Millisecond
	entry, came, err := subscription.Poll(w.context(a), timeout)
	if !came {
		return object{"entry": nil}, err
	}
	return object{"entry": entryResult(entry)}, err
}

func opCursor(w *world, a *args) (any, error) {
	subscription, err := on[*armillaria.Subscription](w, a)
	if err != nil {
		return nil, err
	}
	cursor, err := subscription.Cursor()
	return object{"tx_id": cursor}, err
}

func opOpenChunkStore(w *world, a *args) (any, error) {
	return armillaria.OpenChunkStore(context.Background(), w.path(a.text("location")), a.bool("read_only"))
}

func opPutChunk(w *world, a *args) (any, error) {
	store, err := on[*armillaria.ChunkStore](w, a)
	if err != nil {
		return nil, err
	}
	data := a.bytes("data")
	if fixture := a.text("fixture"); fixture != "" {
		if data, err = os.ReadFile(w.fixture(fixture)); err != nil {
			return nil, err
		}
	}
	hash, err := store.Put(context.Background(), data)
	return object{"hash": hash}, err
}

func (w *world) fixture(name string) string {
	return filepath.Join(w.root, "conformance-tests/fixtures", name)
}

func opCopyFixture(w *world, a *args) (any, error) {
	from, to := w.fixture(a.text("fixture")), w.path(a.text("to"))
	return nothing(filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(filepath.Join(to, relative), 0o755))
		}
		data, err := os.ReadFile(path)
		target := filepath.Join(to, relative)
		return errors.Join(err, os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, data, 0o644))
	}))
}

func opWriteFile(w *world, a *args) (any, error) {
	path := w.path(a.text("path"))
	return nothing(errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(a.text("text")), 0o644)))
}

func (w *world) chunkFile(a *args) string {
	hash := a.text("hash") + "0000" // so that a wrong one names a file that is not there
	return filepath.Join(w.location(a), "chunks", hash[:2], hash[2:4], strings.TrimSuffix(hash, "0000")+".parquet")
}

func opCorruptChunk(w *world, a *args) (any, error) {
	path := w.chunkFile(a)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return nothing(corrupt(path, info.Size()/2))
}

func opCorruptFile(w *world, a *args) (any, error) {
	return nothing(corrupt(w.path(a.text("path")), number[int64](a, "offset")))
}

// corrupt turns all bits of one byte of a file.
func corrupt(path string, offset int64) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if offset < 0 || offset >= int64(len(data)) {
		return fmt.Errorf("%s has %d bytes", path, len(data))
	}
	data[offset] ^= 0xff
	return errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, data, 0o644))
}
