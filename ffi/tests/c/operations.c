/* Every operation does in C what it says: one walk through a repository in a directory. */
#include "arrow_build.h"

static void describe_the_library(void) {
  CHECK(armillaria_abi_version() == ARMILLARIA_ABI_VERSION);
  CHECK(strchr(armillaria_version(), '.') != NULL);
  CHECK(armillaria_error_code(NULL) == ARMILLARIA_STATUS_OK);
}

static void write_and_read(const ArmillariaDatabase *db) {
  const ArmillariaCommit *commit = write_rows(db, "t", 0, 5, ARMILLARIA_WRITE_MODE_OVERWRITE);
  CHECK(commit->tx_id == 1 && commit->has_version && commit->version == 1 && commit->rows == 5);
  CHECK(equals(commit->branch, "main") && commit->time_us > 0 && commit->tables_len == 1);
  CHECK(equals(commit->tables[0]->table, "t") && equals(commit->tables[0]->kind, "create"));
  armillaria_commit_free(commit);
  armillaria_commit_free(write_rows(db, "t", 5, 5, ARMILLARIA_WRITE_MODE_APPEND));

  struct ArrowArrayStream stream;
  OK(armillaria_read_table(db, TEXT("t"), NULL, 0, NULL, NULL, &stream, &error));
  CHECK(drain(&stream) == 10);
  ArmillariaString columns[] = {TEXT("name"), TEXT("id")};
  ArmillariaTableVersion first = {TEXT("t"), 1};
  ArmillariaAt at = {.struct_size = sizeof at, .versions = &first, .versions_len = 1};
  OK(armillaria_read_table(db, TEXT("t"), columns, 2, &at, NULL, &stream, &error));
  struct ArrowSchema schema;
  CHECK(stream.get_schema(&stream, &schema) == 0 && schema.n_children == 2);
  CHECK(strcmp(schema.children[0]->name, "name") == 0 && strcmp(schema.children[1]->format, "l") == 0);
  schema.release(&schema);
  CHECK(drain(&stream) == 5);
}

static void look_at_tables(const ArmillariaDatabase *db) {
  struct ArrowSchema schema;
  build_schema(&schema);
  ArmillariaString key = TEXT("id");
  ArmillariaTableOptions options = {.struct_size = sizeof options, .key = &key, .key_len = 1, .message = TEXT("why")};
  const ArmillariaCommit *commit;
  OK(armillaria_create_table(db, TEXT("keyed"), &schema, &options, &commit, &error));
  CHECK(schema.release == NULL && commit->version == 1 && commit->rows == 0);
  armillaria_commit_free(commit);

  const ArmillariaTableList *tables;
  OK(armillaria_list_tables(db, NULL, &tables, &error));
  CHECK(tables->len == 2 && equals(tables->items[0]->name, "keyed") && tables->items[1]->rows == 10);
  armillaria_table_list_free(tables);
  OK(armillaria_table_schema(db, TEXT("keyed"), NULL, &schema, &error));
  CHECK(schema.n_children == COLUMNS && strcmp(schema.children[2]->format, "+l") == 0);
  schema.release(&schema);
  const ArmillariaStringList *keys;
  OK(armillaria_table_key(db, TEXT("keyed"), NULL, &keys, &error));
  CHECK(keys->len == 1 && equals(keys->items[0], "id"));
  armillaria_string_list_free(keys);

  const ArmillariaHistory *history;
  OK(armillaria_history(db, TEXT("t"), NONE, &history, &error));
  CHECK(history->len == 2 && history->items[1]->version == 2 && history->items[1]->rows == 10);
  CHECK(equals(history->items[1]->kind, "append") && history->items[1]->message.data == NULL);
  armillaria_history_free(history);

  const ArmillariaDiff *diff;
  OK(armillaria_diff_versions(db, TEXT("t"), 1, 2, &key, 1, NULL, &diff, &error));
  CHECK(diff->rows_added == 5 && diff->rows_removed == 0 && diff->schema_changes_len == 0);
  armillaria_diff_free(diff);
  struct ArrowArrayStream rows;
  OK(armillaria_diff_rows(db, TEXT("t"), 2, 1, NULL, 0, NULL, &rows, &error));
  CHECK(drain(&rows) == 5);

  options = (ArmillariaTableOptions){.struct_size = sizeof options};
  OK(armillaria_drop_table(db, TEXT("keyed"), &options, &commit, &error));
  CHECK(commit->tables_len == 1 && !commit->has_version && equals(commit->tables[0]->kind, "drop"));
  armillaria_commit_free(commit);
  OK(armillaria_compact(db, TEXT("t"), NONE, NULL, &commit, &error));
  CHECK(commit->version == 3 && equals(commit->tables[0]->kind, "fold"));
  armillaria_commit_free(commit);
}

static void ask_in_sql(const ArmillariaDatabase *db) {
  CHECK(number_of(db, "SELECT count(*) FROM t AT (VERSION => 1)") == 5);
  ArmillariaParameter parameters[] = {
      {.kind = ARMILLARIA_PARAMETER_INT, .name = TEXT("least"), .integer = 7},
      {.kind = ARMILLARIA_PARAMETER_TEXT, .name = TEXT("name"), .bytes = TEXT("name 8")},
  };
  struct ArrowArrayStream rows;
  const char *sql = "SELECT id FROM t WHERE id >= $least OR name = $name";
  OK(armillaria_query(db, TEXT(sql), parameters, 2, NULL, NULL, &rows, &error));
  CHECK(drain(&rows) == 3);
  const ArmillariaCommit *commit;
  FAILS(UNSUPPORTED, armillaria_execute(db, TEXT("DELETE FROM t"), NULL, 0, NULL, &commit, &error));
}

static void branch_and_merge(const ArmillariaDatabase *db) {
  ArmillariaAt at = {.struct_size = sizeof at, .point = ARMILLARIA_AT_POINT_TRANSACTION, .tx_id = 1};
  OK(armillaria_create_branch(db, TEXT("dev"), &at, TEXT("a trial"), &error));
  OK(armillaria_checkout(db, TEXT("dev"), &error));
  const ArmillariaBuffer *current;
  OK(armillaria_current_branch(db, &current, &error));
  CHECK(current->len == 3 && memcmp(current->data, "dev", 3) == 0);
  armillaria_buffer_free(current);
  armillaria_commit_free(write_rows(db, "new", 0, 1, ARMILLARIA_WRITE_MODE_OVERWRITE));
  OK(armillaria_checkout(db, TEXT("main"), &error));

  const ArmillariaBranchList *branches;
  OK(armillaria_list_branches(db, &branches, &error));
  CHECK(branches->len == 2 && equals(branches->items[0]->name, "dev") && branches->items[0]->from_tx_id == 1);
  CHECK(equals(branches->items[0]->from_branch, "main") && equals(branches->items[0]->description, "a trial"));
  CHECK(branches->items[1]->from_branch.data == NULL && !branches->items[1]->has_from_tx_id);
  armillaria_branch_list_free(branches);
  const ArmillariaBranchDiff *diff;
  OK(armillaria_diff_branches(db, TEXT("dev"), TEXT("main"), &diff, &error));
  CHECK(diff->added_len == 1 && equals(diff->added[0], "new") && diff->removed_len == 0);
  CHECK(diff->modified_len == 1 && diff->modified[0]->version_in_a == 1 && diff->modified[0]->version_in_b == 3);
  armillaria_branch_diff_free(diff);

  ArmillariaMergeOptions options = {.struct_size = sizeof options, .dry_run = true};
  const ArmillariaMergeReport *report;
  OK(armillaria_merge_branch(db, TEXT("dev"), &options, &report, &error));
  CHECK(report->kind == ARMILLARIA_MERGE_KIND_MERGED && !report->has_tx_id && report->conflicts_len == 0);
  armillaria_merge_report_free(report);
  options.dry_run = false;
  OK(armillaria_merge_branch(db, TEXT("dev"), &options, &report, &error));
  CHECK(report->has_tx_id && report->tables_len == 1 && equals(report->tables[0], "new"));
  const ArmillariaCommit *commit;
  OK(armillaria_revert(db, report->tx_id, TEXT("no"), &commit, &error));
  armillaria_merge_report_free(report);
  armillaria_commit_free(commit);

  ArmillariaTableVersion versions[] = {{TEXT("t"), 1}};
  OK(armillaria_set_branch_versions(db, TEXT("main"), versions, 1, NONE, &commit, &error));
  armillaria_commit_free(commit);
  CHECK(number_of(db, "SELECT count(*) FROM t") == 5);
  OK(armillaria_delete_branch(db, TEXT("dev"), &error));

  OK(armillaria_create_tag(db, TEXT("v1"), &at, &error));
  const ArmillariaTagList *tags;
  OK(armillaria_list_tags(db, &tags, &error));
  CHECK(tags->len == 1 && equals(tags->items[0]->name, "v1") && tags->items[0]->tx_id == 1);
  armillaria_tag_list_free(tags);
  OK(armillaria_delete_tag(db, TEXT("v1"), &error));
}

static void transact(const ArmillariaDatabase *db) {
  ArmillariaBeginOptions options = {.struct_size = sizeof options, .isolation = ARMILLARIA_ISOLATION_SERIALIZABLE};
  ArmillariaTransaction *tx;
  OK(armillaria_begin(db, &options, &tx, &error));
  struct ArrowArrayStream rows;
  build_stream(&rows, 0, 3, 2);
  OK(armillaria_transaction_write_table(tx, TEXT("mine"), &rows, NULL, NULL, &error));
  struct ArrowSchema schema;
  build_schema(&schema);
  OK(armillaria_transaction_create_table(tx, TEXT("empty"), &schema, NULL, 0, &error));
  OK(armillaria_transaction_drop_table(tx, TEXT("t"), &error));
  const ArmillariaStringList *names;
  OK(armillaria_transaction_list_tables(tx, &names, &error));
  CHECK(names->len == 2 && equals(names->items[0], "empty") && equals(names->items[1], "mine"));
  armillaria_string_list_free(names);
  OK(armillaria_transaction_table_schema(tx, TEXT("empty"), &schema, &error));
  schema.release(&schema);
  OK(armillaria_transaction_read_table(tx, TEXT("mine"), NULL, 0, NULL, &rows, &error));
  CHECK(drain(&rows) == 6);
  /* What a transaction reads it may write, without a copy in between. */
  OK(armillaria_transaction_query(tx, TEXT("SELECT * FROM mine"), NULL, 0, NULL, &rows, &error));
  OK(armillaria_transaction_write_table(tx, TEXT("copy"), &rows, NULL, NULL, &error));
  OK(armillaria_transaction_query(tx, TEXT("SELECT * FROM copy"), NULL, 0, NULL, &rows, &error));
  CHECK(drain(&rows) == 6);
  OK(armillaria_transaction_drop_table(tx, TEXT("copy"), &error));
  FAILS(UNSUPPORTED, armillaria_transaction_execute(tx, TEXT("DELETE FROM mine"), NULL, 0, NULL, &error));
  CHECK(number_of(db, "SELECT count(*) FROM t") == 5);
  const ArmillariaCommit *commit;
  OK(armillaria_transaction_commit(tx, TEXT("all at once"), &commit, &error));
  CHECK(commit->tables_len == 3 && !commit->has_version && commit->rows == 6);
  armillaria_commit_free(commit);
  armillaria_transaction_free(tx);

  OK(armillaria_begin(db, NULL, &tx, &error));
  OK(armillaria_transaction_drop_table(tx, TEXT("mine"), &error));
  OK(armillaria_transaction_rollback(tx, &error));
  armillaria_transaction_free(tx);
  CHECK(number_of(db, "SELECT count(*) FROM mine") == 6);
}

static void follow_changes(const ArmillariaDatabase *db) {
  uint64_t latest, cursor;
  OK(armillaria_latest_tx_id(db, &latest, &error));
  ArmillariaString table = TEXT("mine");
  ArmillariaChangesOptions options = {.struct_size = sizeof options, .tables = &table, .tables_len = 1,
                                      .has_until_tx = true, .until_tx = latest};
  const ArmillariaChangelog *changes;
  OK(armillaria_changes(db, &options, &changes, &error));
  CHECK(changes->len == 1 && equals(changes->items[0]->message, "all at once"));
  CHECK(changes->items[0]->tables_len == 1 && changes->items[0]->tables[0]->rows_added == 6);
  CHECK(!changes->items[0]->tables[0]->has_from_version && changes->items[0]->tables[0]->to_version == 1);
  armillaria_changelog_free(changes);
  struct ArrowArrayStream rows;
  OK(armillaria_table_changes(db, TEXT("mine"), 0, 1, NULL, &rows, &error));
  CHECK(drain(&rows) == 6);

  ArmillariaSubscription *subscription;
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  const ArmillariaChangelogEntry *entry;
  OK(armillaria_subscription_next(subscription, 0, NULL, &entry, &error));
  CHECK(entry == NULL);
  OK(armillaria_create_tag(db, TEXT("seen"), NULL, &error));
  OK(armillaria_subscription_next(subscription, -1, NULL, &entry, &error));
  CHECK(entry->tx_id == latest + 1 && equals(entry->kind, "refs") && entry->parents_len == 1);
  CHECK(entry->refs_len == 1 && equals(entry->refs[0]->kind, "create_tag") && equals(entry->refs[0]->name, "seen"));
  CHECK(entry->refs[0]->target_tx_id == latest);
  armillaria_changelog_entry_free(entry);
  OK(armillaria_subscription_cursor(subscription, &cursor, &error));
  CHECK(cursor == latest + 1);
  OK(armillaria_subscription_close(subscription, &error));
  FAILS(CLOSED, armillaria_subscription_next(subscription, 0, NULL, &entry, &error));
  armillaria_subscription_free(subscription);
}

static void look_inside(const ArmillariaDatabase *db) {
  const ArmillariaVerifyReport *report;
  OK(armillaria_verify(db, true, NULL, &report, &error));
  CHECK(report->ok && report->problems_len == 0 && report->transactions > 5);
  armillaria_verify_report_free(report);
  const ArmillariaStats *stats;
  OK(armillaria_stats(db, &stats, &error));
  CHECK(stats->tables == 2 && stats->branches == 1 && stats->tags == 1 && stats->bytes_stored > 0);
  armillaria_stats_free(stats);
  const ArmillariaBuffer *json;
  OK(armillaria_inspect(db, TEXT("mine@1"), &json, &error));
  CHECK(json->len > 2 && json->data[0] == '{' && json->data[json->len - 1] == '}');
  armillaria_buffer_free(json);
}

static void keep_chunks(const char *directory, const ArmillariaDatabase *db) {
  ArmillariaChunkStore *store;
  OK(armillaria_chunk_store_open(TEXT(directory), false, &store, &error));
  const ArmillariaBuffer *hash, *bytes;
  OK(armillaria_chunk_store_put(store, (const uint8_t *)"rows", 4, &hash, &error));
  CHECK(hash->len == 64);
  ArmillariaString name = {(const char *)hash->data, hash->len};
  bool there;
  OK(armillaria_chunk_store_exists(store, name, &there, &error));
  CHECK(there);
  OK(armillaria_chunk_store_get(store, name, &bytes, &error));
  CHECK(bytes->len == 4 && memcmp(bytes->data, "rows", 4) == 0);
  armillaria_buffer_free(bytes);
  OK(armillaria_chunk_store_get_verified(store, name, &bytes, &error));
  armillaria_buffer_free(bytes);
  const ArmillariaStringList *chunks;
  OK(armillaria_chunk_store_list(store, &chunks, &error));
  CHECK(chunks->len >= 1);
  armillaria_string_list_free(chunks);
  armillaria_chunk_store_free(store);

  const ArmillariaCommit *commit;
  OK(armillaria_commit_chunks(db, TEXT("bare"), 1, &name, 1, NULL, &commit, &error));
  armillaria_commit_free(commit);
  FAILS(VERSION_CONFLICT, armillaria_commit_chunks(db, TEXT("bare"), 1, &name, 1, NULL, &commit, &error));
  ArmillariaTransaction *tx;
  OK(armillaria_begin(db, NULL, &tx, &error));
  OK(armillaria_transaction_commit_chunks(tx, TEXT("bare"), 2, &name, 1, &error));
  OK(armillaria_transaction_commit(tx, NONE, &commit, &error));
  armillaria_commit_free(commit);
  armillaria_transaction_free(tx);
  uint64_t version;
  OK(armillaria_chunk_hashes(db, TEXT("bare"), 0, &version, &chunks, &error));
  CHECK(version == 2 && chunks->len == 1 && chunks->items[0].len == 64);
  CHECK(memcmp(chunks->items[0].data, name.data, 64) == 0);
  armillaria_string_list_free(chunks);
  const ArmillariaVersionList *versions;
  OK(armillaria_list_versions(db, TEXT("bare"), &versions, &error));
  CHECK(versions->len == 2 && versions->items[1] == 2);
  armillaria_version_list_free(versions);
  armillaria_buffer_free(hash);
}

static void open_parts(const char *directory) {
  char chunks[300], catalog[300];
  snprintf(chunks, sizeof chunks, "%s/parts/chunks", directory);
  snprintf(catalog, sizeof catalog, "%s/parts/catalog", directory);
  ArmillariaPartLocations parts = {.struct_size = sizeof parts, .chunks = TEXT(chunks), .catalog = TEXT(catalog)};
  ArmillariaDatabase *db;
  OK(armillaria_open_parts(&parts, NULL, &db, &error));
  armillaria_commit_free(write_rows(db, "t", 0, 3, ARMILLARIA_WRITE_MODE_OVERWRITE));
  armillaria_database_free(db);
  OK(armillaria_open_parts(&parts, NULL, &db, &error));
  CHECK(number_of(db, "SELECT count(*) FROM t") == 3);
  armillaria_database_free(db);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char location[256];
  snprintf(location, sizeof location, "%s/repository", argv[1]);
  describe_the_library();
  ArmillariaOpenOptions options = {.struct_size = sizeof options, .threads = 2, .author = TEXT("c")};
  ArmillariaDatabase *db;
  OK(armillaria_open(TEXT(location), &options, &db, &error));
  write_and_read(db);
  look_at_tables(db);
  ask_in_sql(db);
  branch_and_merge(db);
  transact(db);
  follow_changes(db);
  look_inside(db);
  keep_chunks(location, db);
  OK(armillaria_close(db, &error));
  OK(armillaria_close(db, &error));
  armillaria_database_free(db);
  open_parts(argv[1]);
  return 0;
}
