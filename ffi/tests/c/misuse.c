/* What a caller gets wrong is an error, never a crash: NULL everywhere, handles that were closed, the wrong order, bytes
 * that are no text, lengths that cannot be, streams that are gone. */
#include "arrow_build.h"

/* Every function with nothing but NULL. */
static void pass_null(void) {
  const ArmillariaString none = NONE;
  OK(armillaria_error_code(NULL));
  armillaria_cancel_cancel(NULL);
  CHECK(!armillaria_cancel_is_cancelled(NULL));
#define NULLS(...) CHECK((__VA_ARGS__) == ARMILLARIA_STATUS_INVALID_ARGUMENT)
  NULLS(armillaria_open(none, NULL, NULL, NULL));
  NULLS(armillaria_open_parts(NULL, NULL, NULL, NULL));
  NULLS(armillaria_close(NULL, NULL));
  NULLS(armillaria_checkout(NULL, none, NULL));
  NULLS(armillaria_current_branch(NULL, NULL, NULL));
  NULLS(armillaria_create_table(NULL, none, NULL, NULL, NULL, NULL));
  NULLS(armillaria_drop_table(NULL, none, NULL, NULL, NULL));
  NULLS(armillaria_list_tables(NULL, NULL, NULL, NULL));
  NULLS(armillaria_table_schema(NULL, none, NULL, NULL, NULL));
  NULLS(armillaria_table_key(NULL, none, NULL, NULL, NULL));
  NULLS(armillaria_write_table(NULL, none, NULL, NULL, NULL, NULL, NULL));
  NULLS(armillaria_read_table(NULL, none, NULL, 0, NULL, NULL, NULL, NULL));
  NULLS(armillaria_history(NULL, none, none, NULL, NULL));
  NULLS(armillaria_diff_versions(NULL, none, 0, 0, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_diff_rows(NULL, none, 0, 0, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_compact(NULL, none, none, NULL, NULL, NULL));
  NULLS(armillaria_query(NULL, none, NULL, 0, NULL, NULL, NULL, NULL));
  NULLS(armillaria_execute(NULL, none, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_create_branch(NULL, none, NULL, none, NULL));
  NULLS(armillaria_delete_branch(NULL, none, NULL));
  NULLS(armillaria_list_branches(NULL, NULL, NULL));
  NULLS(armillaria_diff_branches(NULL, none, none, NULL, NULL));
  NULLS(armillaria_merge_branch(NULL, none, NULL, NULL, NULL));
  NULLS(armillaria_revert(NULL, 0, none, NULL, NULL));
  NULLS(armillaria_set_branch_versions(NULL, none, NULL, 0, none, NULL, NULL));
  NULLS(armillaria_create_tag(NULL, none, NULL, NULL));
  NULLS(armillaria_delete_tag(NULL, none, NULL));
  NULLS(armillaria_list_tags(NULL, NULL, NULL));
  NULLS(armillaria_begin(NULL, NULL, NULL, NULL));
  NULLS(armillaria_transaction_query(NULL, none, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_transaction_read_table(NULL, none, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_transaction_write_table(NULL, none, NULL, NULL, NULL, NULL));
  NULLS(armillaria_transaction_create_table(NULL, none, NULL, NULL, 0, NULL));
  NULLS(armillaria_transaction_drop_table(NULL, none, NULL));
  NULLS(armillaria_transaction_list_tables(NULL, NULL, NULL));
  NULLS(armillaria_transaction_table_schema(NULL, none, NULL, NULL));
  NULLS(armillaria_transaction_execute(NULL, none, NULL, 0, NULL, NULL));
  NULLS(armillaria_transaction_commit_chunks(NULL, none, 0, NULL, 0, NULL));
  NULLS(armillaria_transaction_commit(NULL, none, NULL, NULL));
  NULLS(armillaria_transaction_rollback(NULL, NULL));
  NULLS(armillaria_latest_tx_id(NULL, NULL, NULL));
  NULLS(armillaria_changes(NULL, NULL, NULL, NULL));
  NULLS(armillaria_table_changes(NULL, none, 0, 0, NULL, NULL, NULL));
  NULLS(armillaria_subscribe(NULL, NULL, NULL, NULL));
  NULLS(armillaria_subscription_next(NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_subscription_cursor(NULL, NULL, NULL));
  NULLS(armillaria_subscription_close(NULL, NULL));
  NULLS(armillaria_verify(NULL, false, NULL, NULL, NULL));
  NULLS(armillaria_stats(NULL, NULL, NULL));
  NULLS(armillaria_inspect(NULL, none, NULL, NULL));
  NULLS(armillaria_commit_chunks(NULL, none, 0, NULL, 0, NULL, NULL, NULL));
  NULLS(armillaria_chunk_hashes(NULL, none, 0, NULL, NULL, NULL));
  NULLS(armillaria_list_versions(NULL, none, NULL, NULL));
  NULLS(armillaria_chunk_store_open(none, false, NULL, NULL));
  NULLS(armillaria_chunk_store_put(NULL, NULL, 0, NULL, NULL));
  NULLS(armillaria_chunk_store_get(NULL, none, NULL, NULL));
  NULLS(armillaria_chunk_store_get_verified(NULL, none, NULL, NULL));
  NULLS(armillaria_chunk_store_exists(NULL, none, NULL, NULL));
  NULLS(armillaria_chunk_store_list(NULL, NULL, NULL));
#undef NULLS
}

static void free_null(void) {
  armillaria_error_free(NULL);
  armillaria_cancel_free(NULL);
  armillaria_database_free(NULL);
  armillaria_transaction_free(NULL);
  armillaria_subscription_free(NULL);
  armillaria_chunk_store_free(NULL);
  armillaria_buffer_free(NULL);
  armillaria_string_list_free(NULL);
  armillaria_version_list_free(NULL);
  armillaria_commit_free(NULL);
  armillaria_table_list_free(NULL);
  armillaria_history_free(NULL);
  armillaria_diff_free(NULL);
  armillaria_branch_list_free(NULL);
  armillaria_tag_list_free(NULL);
  armillaria_branch_diff_free(NULL);
  armillaria_merge_report_free(NULL);
  armillaria_changelog_free(NULL);
  armillaria_changelog_entry_free(NULL);
  armillaria_verify_report_free(NULL);
  armillaria_stats_free(NULL);
}

/* What fails leaves nothing in the out-parameters, whatever they held. */
static void find_outs_empty(const ArmillariaDatabase *db) {
  const ArmillariaCommit *commit = (const ArmillariaCommit *)(uintptr_t)1;
  FAILS(TABLE_NOT_FOUND, armillaria_drop_table(db, TEXT("none"), NULL, &commit, &error));
  CHECK(commit == NULL);
  uint64_t version = 7;
  const ArmillariaStringList *list = (const ArmillariaStringList *)(uintptr_t)1;
  FAILS(TABLE_NOT_FOUND, armillaria_chunk_hashes(db, TEXT("none"), 0, &version, &list, &error));
  CHECK(version == 0 && list == NULL);
  FAILS(INVALID_ARGUMENT, armillaria_chunk_hashes(db, TEXT("t"), 0, NULL, &list, &error));
  struct ArrowArrayStream stream;
  memset(&stream, 0xA5, sizeof stream);
  FAILS(TABLE_NOT_FOUND, armillaria_read_table(db, TEXT("none"), NULL, 0, NULL, NULL, &stream, &error));
  CHECK(stream.release == NULL && stream.get_next == NULL);
  CHECK(armillaria_drop_table(db, TEXT("none"), NULL, &commit, NULL) == ARMILLARIA_STATUS_TABLE_NOT_FOUND);
}

/* Without a place for the result nothing happens. */
static void give_no_out(const ArmillariaDatabase *db) {
  struct ArrowArrayStream stream;
  build_stream(&stream, 0, 1, 1);
  FAILS(INVALID_ARGUMENT, armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, NULL, &error));
  CHECK(stream.release == NULL && streams_alive == 0);
  uint64_t latest;
  OK(armillaria_latest_tx_id(db, &latest, &error));
  CHECK(latest == 1);
}

static void pass_what_is_no_text(const ArmillariaDatabase *db) {
  struct ArrowArrayStream stream;
  const ArmillariaString latin1 = {"caf\xe9", 4}, cut = {"\xf0\x9f\x8d", 3}, hollow = {NULL, 4};
  const ArmillariaString absurd = {"t", SIZE_MAX}, wraps = {"t", (size_t)PTRDIFF_MAX + 1};
  const ArmillariaString bad[] = {latin1, cut, hollow, absurd, wraps, NONE};
  for (size_t place = 0; place < sizeof bad / sizeof *bad; place++) {
    FAILS(INVALID_ARGUMENT, armillaria_read_table(db, bad[place], NULL, 0, NULL, NULL, &stream, &error));
    FAILS(INVALID_ARGUMENT, armillaria_query(db, bad[place], NULL, 0, NULL, NULL, &stream, &error));
    FAILS(INVALID_ARGUMENT, armillaria_read_table(db, TEXT("t"), &bad[place], 1, NULL, NULL, &stream, &error));
  }
  const ArmillariaString nul = {"a\0b", 3}, empty = {"", 0};
  FAILS(INVALID_ARGUMENT, armillaria_read_table(db, nul, NULL, 0, NULL, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, armillaria_create_branch(db, empty, NULL, NONE, &error));
}

static void pass_lengths_that_cannot_be(const ArmillariaDatabase *db) {
  struct ArrowArrayStream stream;
  const ArmillariaString id = TEXT("id");
  const ArmillariaParameter parameter = {.kind = ARMILLARIA_PARAMETER_NULL};
  const size_t absurd[] = {SIZE_MAX, (size_t)PTRDIFF_MAX, SIZE_MAX / sizeof id + 1};
  for (size_t place = 0; place < sizeof absurd / sizeof *absurd; place++) {
    size_t len = absurd[place];
    FAILS(INVALID_ARGUMENT, armillaria_read_table(db, TEXT("t"), &id, len, NULL, NULL, &stream, &error));
    FAILS(INVALID_ARGUMENT, armillaria_query(db, TEXT("SELECT 1"), &parameter, len, NULL, NULL, &stream, &error));
  }
  FAILS(INVALID_ARGUMENT, armillaria_read_table(db, TEXT("t"), NULL, 3, NULL, NULL, &stream, &error));
  const ArmillariaString *crooked = (const ArmillariaString *)(const void *)((const char *)&id + 1);
  FAILS(INVALID_ARGUMENT, armillaria_read_table(db, TEXT("t"), crooked, 1, NULL, NULL, &stream, &error));
}

static void pass_options_that_cannot_be(const ArmillariaDatabase *db) {
  const ArmillariaTableList *tables;
  const size_t sizes[] = {0, 1, sizeof(size_t) - 1, sizeof(ArmillariaAt) + 1, 1 << 20, SIZE_MAX};
  for (size_t place = 0; place < sizeof sizes / sizeof *sizes; place++) {
    ArmillariaAt at = {.struct_size = sizes[place]};
    FAILS(INVALID_ARGUMENT, armillaria_list_tables(db, &at, &tables, &error));
  }
  ArmillariaAt at = {.struct_size = sizeof at, .point = 99};
  FAILS(INVALID_ARGUMENT, armillaria_list_tables(db, &at, &tables, &error));
  at = (ArmillariaAt){.struct_size = sizeof at, .tx_id = 1};
  FAILS(INVALID_ARGUMENT, armillaria_list_tables(db, &at, &tables, &error));

  struct { ArmillariaAt at; uint64_t of_a_later_version; } later = {{.struct_size = sizeof later}, 0};
  OK(armillaria_list_tables(db, &later.at, &tables, &error));
  armillaria_table_list_free(tables);
  later.of_a_later_version = 1;
  FAILS(INVALID_ARGUMENT, armillaria_list_tables(db, &later.at, &tables, &error));
  /* A program that was compiled before `branch` came: what stands behind its struct is not read. */
  struct { size_t struct_size; uint32_t point; } *earlier = malloc(sizeof *earlier);
  CHECK(earlier != NULL && sizeof *earlier == 16);
  earlier->struct_size = sizeof *earlier;
  earlier->point = ARMILLARIA_AT_POINT_HEAD;
  OK(armillaria_list_tables(db, (const ArmillariaAt *)(const void *)earlier, &tables, &error));
  armillaria_table_list_free(tables);
  free(earlier);

  ArmillariaMergeReport const *report;
  ArmillariaMergeOptions merge = {.struct_size = sizeof merge, .strategy = 3};
  FAILS(INVALID_ARGUMENT, armillaria_merge_branch(db, TEXT("main"), &merge, &report, &error));
  ArmillariaTransaction *tx;
  ArmillariaBeginOptions begin = {.struct_size = sizeof begin, .isolation = 2};
  FAILS(INVALID_ARGUMENT, armillaria_begin(db, &begin, &tx, &error));
  /* A boolean that no C compiler makes. */
  memset(&merge, 0, sizeof merge);
  merge.struct_size = sizeof merge;
  memset((char *)&merge + offsetof(ArmillariaMergeOptions, dry_run), 0xA7, 1);
  OK(armillaria_merge_branch(db, TEXT("main"), &merge, &report, &error));
  CHECK(!report->has_tx_id);
  armillaria_merge_report_free(report);
}

static void write_with(const ArmillariaDatabase *db, struct ArrowArrayStream *stream) {
  const ArmillariaCommit *commit;
  FAILS(INVALID_ARGUMENT, armillaria_write_table(db, TEXT("t"), stream, NULL, NULL, &commit, &error));
  CHECK(stream == NULL || stream->release == NULL);
}

static void break_length(struct ArrowArray *batch) { batch->length = -1; }
static void break_children(struct ArrowArray *batch) { batch->children[1]->offset = INT64_MAX; }
static void break_text(struct ArrowArray *batch) {
  ((unsigned char *)(uintptr_t)batch->children[1]->buffers[2])[0] = 0xff;
}
static void break_offsets(struct ArrowArray *batch) {
  ((int32_t *)(uintptr_t)batch->children[1]->buffers[1])[1] = 1 << 20;
}
static void break_nulls(struct ArrowArray *batch) {
  batch->children[0]->buffers[0] = allocate(1);
  batch->children[0]->null_count = batch->length;
}

static void pass_streams_that_are_gone(const ArmillariaDatabase *db) {
  struct ArrowArrayStream stream;
  memset(&stream, 0, sizeof stream);
  write_with(db, &stream);
  write_with(db, NULL);
  build_stream(&stream, 0, 1, 1);
  stream.release(&stream);
  write_with(db, &stream);
  void (*const breaks[])(struct ArrowArray *) = {break_length, break_children, break_text, break_offsets, break_nulls};
  for (size_t place = 0; place < sizeof breaks / sizeof *breaks; place++) {
    build_stream(&stream, 0, 2, 1)->change = breaks[place];
    write_with(db, &stream);
  }
  struct ArrowSchema schema;
  build_schema(&schema);
  schema.release(&schema);
  const ArmillariaCommit *commit;
  FAILS(INVALID_ARGUMENT, armillaria_create_table(db, TEXT("u"), &schema, NULL, &commit, &error));
  build_schema_node(&schema, "?", "x", 0, 0);
  FAILS(INVALID_ARGUMENT, armillaria_create_table(db, TEXT("u"), &schema, NULL, &commit, &error));
  build_schema_node(&schema, NULL, "x", 0, 0);
  FAILS(INVALID_ARGUMENT, armillaria_create_table(db, TEXT("u"), &schema, NULL, &commit, &error));
  build_stream(&stream, 0, 1, 1)->fail_with = ECANCELED;
  FAILS(CANCELLED, armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, &commit, &error));
  CHECK(streams_alive == 0);
}

static void use_what_has_ended(const ArmillariaDatabase *db) {
  ArmillariaTransaction *tx;
  const ArmillariaCommit *commit;
  const ArmillariaStringList *names;
  OK(armillaria_begin(db, NULL, &tx, &error));
  OK(armillaria_transaction_commit(tx, NONE, &commit, &error));
  armillaria_commit_free(commit);
  FAILS(CLOSED, armillaria_transaction_commit(tx, NONE, &commit, &error));
  FAILS(CLOSED, armillaria_transaction_rollback(tx, &error));
  FAILS(CLOSED, armillaria_transaction_list_tables(tx, &names, &error));
  struct ArrowArrayStream stream;
  build_stream(&stream, 0, 1, 1);
  FAILS(CLOSED, armillaria_transaction_write_table(tx, TEXT("t"), &stream, NULL, NULL, &error));
  CHECK(stream.release == NULL && streams_alive == 0);
  armillaria_transaction_free(tx);

  OK(armillaria_begin(db, NULL, &tx, &error));
  build_stream(&stream, 0, 1, 1);
  ArmillariaWriteOptions options = {.struct_size = sizeof options, .message = TEXT("why")};
  FAILS(INVALID_ARGUMENT, armillaria_transaction_write_table(tx, TEXT("t"), &stream, &options, NULL, &error));
  armillaria_transaction_free(tx);

  ArmillariaSubscription *subscription;
  const ArmillariaChangelogEntry *entry;
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  FAILS(INVALID_ARGUMENT, armillaria_subscription_next(subscription, -2, NULL, &entry, &error));
  OK(armillaria_subscription_close(subscription, &error));
  OK(armillaria_subscription_close(subscription, &error));
  FAILS(CLOSED, armillaria_subscription_next(subscription, -1, NULL, &entry, &error));
  armillaria_subscription_free(subscription);
}

/* The database goes first, then what came out of it. */
static void free_in_the_wrong_order(void) {
  ArmillariaDatabase *db = open_memory();
  armillaria_commit_free(write_rows(db, "t", 0, 3, ARMILLARIA_WRITE_MODE_OVERWRITE));
  ArmillariaTransaction *tx;
  ArmillariaSubscription *subscription;
  OK(armillaria_begin(db, NULL, &tx, &error));
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  const ArmillariaTableList *tables;
  OK(armillaria_list_tables(db, NULL, &tables, &error));
  armillaria_database_free(db);
  CHECK(equals(tables->items[0]->name, "t"));
  armillaria_table_list_free(tables);
  const ArmillariaCommit *commit;
  FAILS(CLOSED, armillaria_transaction_commit(tx, NONE, &commit, &error));
  const ArmillariaChangelogEntry *entry;
  FAILS(CLOSED, armillaria_subscription_next(subscription, -1, NULL, &entry, &error));
  armillaria_subscription_free(subscription);
  armillaria_transaction_free(tx);
}

static void use_what_was_closed(ArmillariaDatabase *db) {
  OK(armillaria_close(db, &error));
  OK(armillaria_close(db, &error));
  const ArmillariaTableList *tables;
  FAILS(CLOSED, armillaria_list_tables(db, NULL, &tables, &error));
  struct ArrowArrayStream stream;
  FAILS(CLOSED, armillaria_query(db, TEXT("SELECT 1"), NULL, 0, NULL, NULL, &stream, &error));
  build_stream(&stream, 0, 1, 1);
  const ArmillariaCommit *commit;
  FAILS(CLOSED, armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, &commit, &error));
  CHECK(stream.release == NULL && streams_alive == 0);
  armillaria_database_free(db);
}

int main(void) {
  pass_null();
  free_null();
  ArmillariaDatabase *db = open_memory();
  armillaria_commit_free(write_rows(db, "t", 0, 3, ARMILLARIA_WRITE_MODE_OVERWRITE));
  find_outs_empty(db);
  give_no_out(db);
  pass_what_is_no_text(db);
  pass_lengths_that_cannot_be(db);
  pass_options_that_cannot_be(db);
  pass_streams_that_are_gone(db);
  use_what_has_ended(db);
  free_in_the_wrong_order();
  use_what_was_closed(db);
  return 0;
}
