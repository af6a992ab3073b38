package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// tableOperations are those that databases and transactions have in common, and those on the rows of tables.
func tableOperations() map[string]operation {
	return map[string]operation{
		"create_table": opCreateTable, "drop_table": opDropTable, "list_tables": opListTables,
		"table_schema": opTableSchema, "write_table": opWriteTable, "read_table": opReadTable,
		"query": opQuery, "execute": opExecute, "commit_chunks": opCommitChunks,
		"table_key": onDatabase(func(w *world, a *args, db *database) (any, error) {
			key, err := db.TableKey(w.context(a), a.text("table"), a.at("at"))
			return object{"key": each(key, same)}, err
		}),
		"history": onDatabase(func(w *world, a *args, db *database) (any, error) {
			entries, err := db.History(w.context(a), a.text("table"), a.text("branch"))
			return object{"entries": each(entries, historyResult)}, err
		}),
		"diff_versions": onDatabase(func(w *world, a *args, db *database) (any, error) {
			diff, err := db.DiffVersions(
				w.context(a), a.text("table"), number[uint64](a, "from"), number[uint64](a, "to"), a.texts("key")...)
			return object{
				"rows_added": diff.RowsAdded, "rows_removed": diff.RowsRemoved, "rows_modified": diff.RowsModified,
				"schema_changes": each(diff.SchemaChanges, same),
			}, err
		}),
		"diff_rows": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return rowsOf(a)(db.DiffRows(
				w.context(a), a.text("table"), number[uint64](a, "from"), number[uint64](a, "to"), a.texts("key")...))
		}),
		"table_changes": onDatabase(func(w *world, a *args, db *database) (any, error) {
			return rowsOf(a)(db.TableChanges(
				w.context(a), a.text("table"), number[uint64](a, "from"), number[uint64](a, "to")))
		}),
		"compact": onDatabase(func(w *world, a *args, db *database) (any, error) {
			commit, changed, err := db.Compact(w.context(a), a.text("table"), a.text("branch"))
			if !changed {
				return object{"commit": nil}, err
			}
			return object{"commit": commitResult(commit)}, err
		}),
		"chunk_hashes": onDatabase(func(w *world, a *args, db *database) (any, error) {
			list, err := db.ChunkHashes(w.context(a), a.text("table"), number[uint64](a, "version"))
			return object{"version": list.Version, "hashes": each(list.Hashes, same)}, err
		}),
		"list_versions": onDatabase(func(w *world, a *args, db *database) (any, error) {
			versions, err := db.ListVersions(w.context(a), a.text("table"))
			return object{"versions": each(versions, same)}, err
		}),
	}
}

// rowsOf reads rows to their end, or gives them as a handle if the step names one.
func rowsOf(a *args) func(*armillaria.Rows, error) (any, error) {
	return func(rows *armillaria.Rows, err error) (any, error) {
		if err != nil || a.has("as") {
			return rows, err
		}
		return readRows(rows)
	}
}

// notOn is for handles that have no such operation.
func notOn(handle any) (any, error) {
	return nil, fmt.Errorf("a %T does not have the operation", handle)
}

func (a *args) tableOptions() *armillaria.TableOptions {
	return &armillaria.TableOptions{Key: a.texts("key"), Branch: a.text("branch"), Message: a.text("message")}
}

func opCreateTable(w *world, a *args) (any, error) {
	schema, err := parseColumns(a.list("columns"))
	if err != nil {
		return nil, err
	}
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return answer(commitResult)(handle.CreateTable(w.context(a), a.text("table"), schema, a.tableOptions()))
	case *armillaria.Tx:
		return nothing(handle.CreateTable(w.context(a), a.text("table"), schema, a.texts("key")...))
	default:
		return notOn(handle)
	}
}

func opDropTable(w *world, a *args) (any, error) {
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return answer(commitResult)(handle.DropTable(w.context(a), a.text("table"), a.tableOptions()))
	case *armillaria.Tx:
		return nothing(handle.DropTable(w.context(a), a.text("table")))
	default:
		return notOn(handle)
	}
}

func opListTables(w *world, a *args) (any, error) {
	switch handle := w.handle(a, "on").(type) {
	case *database:
		tables, err := handle.ListTables(w.context(a), a.at("at"))
		return object{"tables": each(tables, tableResult)}, err
	case *armillaria.Tx:
		names, err := handle.ListTables(w.context(a))
		return object{"tables": each(names, func(name string) any { return object{"name": name} })}, err
	default:
		return notOn(handle)
	}
}

func opTableSchema(w *world, a *args) (any, error) {
	var schema *arrow.Schema
	var err error
	switch handle := w.handle(a, "on").(type) {
	case *database:
		schema, err = handle.TableSchema(w.context(a), a.text("table"), a.at("at"))
	case *armillaria.Tx:
		schema, err = handle.TableSchema(w.context(a), a.text("table"))
	default:
		return notOn(handle)
	}
	if err != nil {
		return nil, err
	}
	return object{"columns": formatColumns(schema)}, nil
}

func opWriteTable(w *world, a *args) (any, error) {
	modes := map[string]armillaria.WriteMode{
		"": armillaria.Overwrite, "overwrite": armillaria.Overwrite, "append": armillaria.Append, "upsert": armillaria.Upsert,
	}
	mode, known := modes[a.text("mode")]
	if !known {
		return nil, errors.New("there is no such mode")
	}
	options := &armillaria.WriteOptions{
		Mode: mode, Key: a.texts("key"), Branch: a.text("branch"), Message: a.text("message"),
	}
	ctx, table := w.context(a), a.text("table")
	rows, err := w.rowsToWrite(a)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return answer(commitResult)(handle.WriteTable(ctx, table, rows, options))
	case *armillaria.Tx:
		return nothing(handle.WriteTable(ctx, table, rows, options))
	default:
		return notOn(handle)
	}
}

// querier is a database or a transaction.
type querier interface {
	Query(context.Context, string, ...any) (*armillaria.Rows, error)
}

func (w *world) rowsToWrite(a *args) (array.RecordReader, error) {
	if sql := a.text("query"); sql != "" {
		handle, err := on[querier](w, a)
		if err != nil {
			return nil, err
		}
		rows, err := handle.Query(context.Background(), sql)
		if err != nil {
			return nil, err
		}
		return rows, nil
	}
	rows, batchRows := a.list("rows"), number[int](a, "batch_rows")
	schema, err := parseColumns(a.list("columns"))
	if err != nil {
		return nil, err
	}
	return parseRows(schema, rows, batchRows)
}

func opReadTable(w *world, a *args) (any, error) {
	ctx, table, columns := w.context(a), a.text("table"), a.texts("columns")
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return rowsOf(a)(handle.ReadTable(ctx, table, &armillaria.ReadOptions{Columns: columns, At: a.at("at")}))
	case *armillaria.Tx:
		return rowsOf(a)(handle.ReadTable(ctx, table, columns))
	default:
		return notOn(handle)
	}
}

func opQuery(w *world, a *args) (any, error) {
	ctx, sql, params := w.context(a), a.text("sql"), a.params()
	switch handle := w.handle(a, "on").(type) {
	case *database:
		if !a.has("at") {
			return rowsOf(a)(handle.Query(ctx, sql, params...))
		}
		return rowsOf(a)(handle.QueryAt(ctx, a.at("at"), sql, params...))
	case *armillaria.Tx:
		return rowsOf(a)(handle.Query(ctx, sql, params...))
	default:
		return notOn(handle)
	}
}

func opExecute(w *world, a *args) (any, error) {
	ctx, sql, params := w.context(a), a.text("sql"), a.params()
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return answer(commitResult)(handle.Execute(ctx, sql, params...))
	case *armillaria.Tx:
		return nothing(handle.Execute(ctx, sql, params...))
	default:
		return notOn(handle)
	}
}

func opCommitChunks(w *world, a *args) (any, error) {
	ctx, table, version, hashes := w.context(a), a.text("table"), number[uint64](a, "version"), a.texts("hashes")
	switch handle := w.handle(a, "on").(type) {
	case *database:
		return answer(commitResult)(handle.CommitChunks(ctx, table, version, hashes, a.tableOptions()))
	case *armillaria.Tx:
		return nothing(handle.CommitChunks(ctx, table, version, hashes))
	default:
		return notOn(handle)
	}
}
