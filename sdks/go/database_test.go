package armillaria_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func TestTablesFromCreationToHistory(t *testing.T) {
	ctx, db := t.Context(), openAt(t, "memory:", &armillaria.OpenOptions{Author: "Ada", Threads: 2})
	before := time.Now().Add(-time.Second)
	created := must(db.CreateTable(ctx, "t", idSchema, &armillaria.TableOptions{Key: []string{"id"}, Message: "new"}))(t)
	if created.TxID != 1 || created.Version != 1 || created.Branch != "main" || created.Tables[0].Kind != "create" {
		t.Errorf("got %+v", created)
	}
	if created.Time.Before(before) || created.Time.After(time.Now()) || created.Time.Location() != time.UTC {
		t.Errorf("committed at %v", created.Time)
	}
	written := writeIDs(t, db, "t", 0, 10, &armillaria.WriteOptions{Mode: armillaria.Append, Message: "ten"})
	if written.Version != 2 || written.Rows != 10 || written.Tables[0].Table != "t" {
		t.Errorf("got %+v", written)
	}
	if key := must(db.TableKey(ctx, "t", armillaria.AtHead()))(t); !slices.Equal(key, []string{"id"}) {
		t.Errorf("the key is %v", key)
	}
	if schema := must(db.TableSchema(ctx, "t", armillaria.AtHead()))(t); !schema.Equal(idSchema) {
		t.Errorf("the schema is %v", schema)
	}
	tables := must(db.ListTables(ctx, armillaria.AtTransaction(2)))(t)
	if len(tables) != 1 || tables[0].Name != "t" || tables[0].Rows != 10 {
		t.Errorf("got %+v", tables)
	}
	history := must(db.History(ctx, "t", ""))(t)
	slices.SortFunc(history, func(a, b armillaria.HistoryEntry) int { return int(a.Version) - int(b.Version) })
	if len(history) != 2 || history[1].Message != "ten" || history[1].Author != "Ada" || history[1].Kind != "append" {
		t.Errorf("got %+v", history)
	}
	diff := must(db.DiffVersions(ctx, "t", 1, 2, "id"))(t)
	if diff.RowsAdded != 10 || diff.RowsRemoved != 0 || len(diff.SchemaChanges) != 0 {
		t.Errorf("got %+v", diff)
	}
	dropped := must(db.DropTable(ctx, "t", nil))(t)
	if dropped.Version != 0 || dropped.Tables[0].Version != 0 || dropped.Tables[0].Kind != "drop" {
		t.Errorf("got %+v", dropped)
	}
	_, err := db.TableSchema(ctx, "t", armillaria.AtHead())
	wantError(t, err, armillaria.ErrTableNotFound, armillaria.ErrNotFound)
}

func TestReadsLookWhereTheyAreTold(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 1, nil)
	first := writeIDs(t, db, "t", 0, 2, nil)
	writeIDs(t, db, "u", 0, 9, nil)
	check(t, db.CreateTag(ctx, "two", armillaria.AtHead()))
	check(t, db.CreateBranch(ctx, "trial", &armillaria.BranchOptions{Description: "a trial"}))
	writeIDs(t, db, "t", 0, 3, &armillaria.WriteOptions{Branch: "trial"})
	for name, c := range map[string]struct {
		at   armillaria.At
		want int
	}{
		"head":        {armillaria.AtHead(), 2},
		"branch":      {armillaria.AtBranch("trial"), 3},
		"tag":         {armillaria.AtTag("two"), 2},
		"transaction": {armillaria.AtTransaction(1), 1},
		"time":        {armillaria.AtTime(first.Time), 2},
		"version":     {armillaria.AtVersion("t", 3), 3},
		"two of them": {armillaria.AtBranch("trial").WithVersion("u", 1).WithVersion("t", 1), 1},
		"on a branch": {armillaria.AtTime(time.Now().Add(time.Hour)).OnBranch("trial"), 3},
		"far future":  {armillaria.AtTime(time.Unix(1<<45, 0)), 2},
	} {
		if got := must(int64s(db.ReadTable(ctx, "t", &armillaria.ReadOptions{At: c.at})))(t); len(got) != c.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), c.want)
		}
		if got := must(int64s(db.QueryAt(ctx, c.at, "FROM t")))(t); len(got) != c.want {
			t.Errorf("%s by SQL: %d rows, want %d", name, len(got), c.want)
		}
	}
	_, err := db.ReadTable(ctx, "t", &armillaria.ReadOptions{At: armillaria.AtTag("none")})
	wantError(t, err, armillaria.ErrTagNotFound)
	_, err = db.ReadTable(ctx, "t", &armillaria.ReadOptions{At: armillaria.AtTime(time.Unix(-1<<45, 0))})
	wantError(t, err, armillaria.ErrTableNotFound)
	_, err = db.ReadTable(ctx, "t", &armillaria.ReadOptions{Columns: []string{"none"}})
	wantError(t, err, armillaria.ErrUsage)
}

func TestAtIsAValue(t *testing.T) {
	one := armillaria.AtVersion("t", 1)
	two := one.WithVersion("t", 2)
	db := openMemory(t)
	writeIDs(t, db, "t", 0, 1, nil)
	writeIDs(t, db, "t", 0, 2, nil)
	for want, at := range map[int]armillaria.At{1: one, 2: two} {
		got := must(int64s(db.ReadTable(t.Context(), "t", &armillaria.ReadOptions{At: at})))(t)
		if len(got) != want {
			t.Errorf("%d rows, want %d", len(got), want)
		}
	}
}

func TestBranchesMergeAndRevert(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 1, nil)
	check(t, db.CreateBranch(ctx, "trial", nil))
	check(t, db.Checkout(ctx, "trial"))
	if branch := must(db.CurrentBranch())(t); branch != "trial" {
		t.Errorf("on %s", branch)
	}
	writeIDs(t, db, "t", 0, 2, nil)
	writeIDs(t, db, "u", 0, 2, nil)
	diff := must(db.DiffBranches(ctx, "trial", "main"))(t)
	if !slices.Equal(diff.Added, []string{"u"}) || len(diff.Removed) != 0 ||
		!slices.Equal(diff.Modified, []armillaria.ModifiedTable{{Table: "t", VersionInA: 2, VersionInB: 1}}) {
		t.Errorf("got %+v", diff)
	}
	check(t, db.Checkout(ctx, "main"))
	writeIDs(t, db, "t", 5, 9, nil)
	_, err := db.MergeBranch(ctx, "trial", nil)
	wantError(t, err, armillaria.ErrMergeConflict, armillaria.ErrConflict)
	plan := must(db.MergeBranch(ctx, "trial", &armillaria.MergeOptions{DryRun: true}))(t)
	if !slices.Equal(plan.Conflicts, []string{"t"}) || plan.TxID != 0 {
		t.Errorf("got %+v", plan)
	}
	merged := must(db.MergeBranch(ctx, "trial", &armillaria.MergeOptions{Strategy: armillaria.MergeTheirs}))(t)
	if merged.Kind != armillaria.Merged || merged.Kind.String() != "merged" || merged.TxID == 0 {
		t.Errorf("got %+v", merged)
	}
	if n := count(t, db, "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("%d rows after the merge", n)
	}
	must(db.Revert(ctx, merged.TxID, "not yet"))(t)
	if n := count(t, db, "SELECT count(*) FROM t"); n != 4 {
		t.Errorf("%d rows after the revert", n)
	}
	must(db.SetBranchVersions(ctx, "main", map[string]uint64{"t": 1}, "back"))(t)
	if n := count(t, db, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows in version 1", n)
	}
	branches := must(db.ListBranches(ctx))(t)
	if len(branches) != 2 || branches[0].From != nil || branches[1].From == nil || branches[1].From.Branch != "main" {
		t.Errorf("got %+v", branches)
	}
	check(t, db.DeleteBranch(ctx, "trial"))
	wantError(t, db.DeleteBranch(ctx, "trial"), armillaria.ErrBranchNotFound)
	wantError(t, db.Checkout(ctx, ""), armillaria.ErrInvalidArgument)
}

func TestTags(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 1, nil)
	check(t, db.CreateTag(ctx, "v1", armillaria.AtHead()))
	wantError(t, db.CreateTag(ctx, "v1", armillaria.AtHead()), armillaria.ErrTagExists)
	tags := must(db.ListTags(ctx))(t)
	if len(tags) != 1 || tags[0].Name != "v1" || tags[0].TxID != 1 {
		t.Errorf("got %+v", tags)
	}
	check(t, db.DeleteTag(ctx, "v1"))
	wantError(t, db.DeleteTag(ctx, "v1"), armillaria.ErrTagNotFound)
}

func TestHealth(t *testing.T) {
	ctx, db := t.Context(), openMemory(t)
	writeIDs(t, db, "t", 0, 5, nil)
	if report := must(db.Verify(ctx, true))(t); !report.OK || report.Transactions != 1 || len(report.Problems) != 0 {
		t.Errorf("got %+v", report)
	}
	if stats := must(db.Stats(ctx))(t); stats.Tables != 1 || stats.Branches != 1 || stats.BytesLogical == 0 {
		t.Errorf("got %+v", stats)
	}
	if object := must(db.Inspect(ctx, "t@1"))(t); !slices.Contains([]byte{'{'}, object[0]) {
		t.Errorf("got %s", object)
	}
	_, err := db.Inspect(ctx, "t@9")
	wantError(t, err, armillaria.ErrVersionNotFound)
	if _, changed, err := db.Compact(ctx, "none", ""); changed || !errors.Is(err, armillaria.ErrTableNotFound) {
		t.Errorf("got %v, %v", changed, err)
	}
}

func TestALowLevelCatalogOverAChunkStore(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	store := must(armillaria.OpenChunkStore(ctx, filepath.Join(folder, "chunks"), false))(t)
	hash := must(store.Put(ctx, []byte("bytes")))(t)
	empty := must(store.Put(ctx, nil))(t)
	if got := must(store.GetVerified(ctx, hash))(t); string(got) != "bytes" {
		t.Errorf("got %q", got)
	}
	if got := must(store.Get(ctx, empty))(t); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if !must(store.Exists(ctx, hash))(t) || must(store.Exists(ctx, empty[:63]+"0"))(t) {
		t.Error("it does not know what it has")
	}
	if list := must(store.List(ctx))(t); len(list) != 2 || !slices.Contains(list, hash) {
		t.Errorf("got %v", list)
	}
	db := must(armillaria.OpenParts(ctx, armillaria.PartLocations{
		Chunks:  filepath.Join(folder, "chunks"),
		Catalog: filepath.Join(folder, "catalog"),
	}, nil))(t)
	defer func() { check(t, db.Close()) }()
	must(db.CommitChunks(ctx, "t", 1, []string{hash}, nil))(t)
	_, err := db.CommitChunks(ctx, "t", 3, []string{hash}, nil)
	wantError(t, err, armillaria.ErrVersionConflict)
	must(db.Transact(ctx, nil, func(tx *armillaria.Tx) error { return tx.CommitChunks(ctx, "t", 2, []string{hash, empty}) }))(t)
	if list := must(db.ChunkHashes(ctx, "t", 0))(t); list.Version != 2 || !slices.Equal(list.Hashes, []string{hash, empty}) {
		t.Errorf("got %+v", list)
	}
	if versions := must(db.ListVersions(ctx, "t"))(t); !slices.Equal(versions, []uint64{1, 2}) {
		t.Errorf("got %v", versions)
	}
	store.Close()
	store.Close()
	_, err = store.List(ctx)
	wantError(t, err, armillaria.ErrClosed)
}

func TestClosedHandlesAnswerClosed(t *testing.T) {
	ctx := t.Context()
	db := must(armillaria.Open(ctx, "memory:", nil))(t)
	writeIDs(t, db, "t", 0, 5, nil)
	tx := must(db.Begin(ctx, nil))(t)
	subscription := must(db.Subscribe(ctx, nil))(t)
	check(t, db.Close())
	check(t, db.Close())
	_, err := db.Query(ctx, "SELECT 1")
	wantError(t, err, armillaria.ErrClosed)
	_, err = db.CurrentBranch()
	wantError(t, err, armillaria.ErrClosed)
	_, err = tx.ListTables(ctx)
	wantError(t, err, armillaria.ErrClosed)
	wantError(t, tx.Rollback(), armillaria.ErrClosed)
	wantError(t, tx.Rollback(), armillaria.ErrClosed)
	_, err = tx.Commit(ctx, "")
	wantError(t, err, armillaria.ErrClosed)
	_, _, err = subscription.Poll(ctx, 0)
	wantError(t, err, armillaria.ErrClosed)
	check(t, subscription.Close())
	check(t, subscription.Close())
	_, err = subscription.Cursor()
	wantError(t, err, armillaria.ErrClosed)
}

func TestOpenOptions(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	_, err := armillaria.Open(ctx, filepath.Join(folder, "none"), &armillaria.OpenOptions{MustExist: true})
	wantError(t, err, armillaria.ErrRepositoryNotFound)
	db := openAt(t, folder, nil)
	writeIDs(t, db, "t", 0, 1, nil)
	reader := openAt(t, folder, &armillaria.OpenOptions{ReadOnly: true, MemoryLimitBytes: 1 << 30, CacheDir: t.TempDir()})
	_, err = reader.WriteTable(ctx, "t", ids(0, 1, 1), nil)
	wantError(t, err, armillaria.ErrReadOnly)
	_, err = reader.Query(ctx, "FROM read_csv('x.csv')")
	wantError(t, err, armillaria.ErrUsage)
	if n := count(t, reader, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows", n)
	}
	if version := armillaria.Version(); version == "" {
		t.Error("the library has no version")
	}
}

// failing gives one batch and then fails, or panics.
type failing struct {
	array.RecordReader
	failure error
	panics  bool
	ended   bool
}

func (f *failing) Next() bool {
	if f.RecordReader.Next() {
		return true
	}
	if f.panics {
		panic("the reader's own panic")
	}
	f.ended = true
	return false
}

func (f *failing) Err() error {
	if f.ended {
		return f.failure
	}
	return nil
}

func TestTheErrorOfAReaderIsFound(t *testing.T) {
	db, failure := openMemory(t), errors.New("the reader's own error")
	_, err := db.WriteTable(t.Context(), "t", &failing{RecordReader: ids(0, 5, 5), failure: failure}, nil)
	wantError(t, err, failure)
	var known *armillaria.Error
	if !errors.As(err, &known) {
		t.Errorf("got %v", err)
	}
	_, err = db.WriteTable(t.Context(), "t", nil, nil)
	wantError(t, err, armillaria.ErrInvalidArgument)
	if latest := must(db.LatestTxID(context.Background()))(t); latest != 0 {
		t.Error("rows of a reader that failed were committed")
	}
}

func TestAPanicOfAReaderGoesOnBehindTheLibrary(t *testing.T) {
	db := openMemory(t)
	func() {
		defer func() {
			if reason := recover(); reason != "the reader's own panic" {
				t.Errorf("got %v", reason)
			}
		}()
		_, err := db.WriteTable(t.Context(), "t", &failing{RecordReader: ids(0, 5, 5), panics: true}, nil)
		t.Errorf("it returned %v", err)
	}()
	writeIDs(t, db, "t", 0, 3, nil) // and it is of use afterwards
}

func TestABatchOfAnotherSchemaIsRefused(t *testing.T) {
	db := openMemory(t)
	text := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil)
	_, err := db.WriteTable(t.Context(), "t", &disguised{ids(0, 5, 5), text}, nil)
	wantError(t, err, armillaria.ErrSchemaMismatch)
}

// disguised says that its batches have another schema than they have.
type disguised struct {
	array.RecordReader
	schema *arrow.Schema
}

func (d *disguised) Schema() *arrow.Schema { return d.schema }
