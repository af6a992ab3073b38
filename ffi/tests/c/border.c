/* What crosses the border: rows keep their addresses, streams outlive the database, errors in streams tell their code,
 * and a panic stays inside. Needs the library with feature `testing`. */
#include <sys/stat.h>

#include "arrow_build.h"

ArmillariaStatus armillaria_testing_round_trip(struct ArrowArrayStream *rows, struct ArrowArrayStream *out,
                                               ArmillariaError **error);
ArmillariaStatus armillaria_testing_panic(ArmillariaError **error);

enum { ADDRESSES_MAX = 32 };

struct addresses {
  const void *found[ADDRESSES_MAX];
  int count;
};

static struct addresses sent;

static void collect(const struct ArrowArray *array, struct addresses *addresses) {
  for (int64_t buffer = 0; buffer < array->n_buffers; buffer++) {
    CHECK(addresses->count < ADDRESSES_MAX);
    addresses->found[addresses->count++] = array->buffers[buffer];
  }
  for (int64_t child = 0; child < array->n_children; child++) {
    collect(array->children[child], addresses);
  }
}

static void remember(struct ArrowArray *batch) {
  sent.count = 0;
  collect(batch, &sent);
}

/* Numbers, texts, lists and structs arrive where they were. */
static void rows_keep_their_addresses(void) {
  enum { BATCHES = 3, ROWS = 1000 };
  struct ArrowArrayStream in, out;
  build_stream(&in, 0, ROWS, BATCHES)->change = remember;
  OK(armillaria_testing_round_trip(&in, &out, &error));
  CHECK(in.release == NULL);
  struct ArrowSchema schema;
  CHECK(out.get_schema(&out, &schema) == 0 && schema.n_children == COLUMNS);
  schema.release(&schema);
  for (int batch = 0; batch < BATCHES; batch++) {
    struct ArrowArray array;
    struct addresses received = {{NULL}, 0};
    CHECK(out.get_next(&out, &array) == 0 && array.length == ROWS);
    collect(&array, &received);
    CHECK(received.count == sent.count && sent.count == 13);
    for (int place = 0; place < sent.count; place++) {
      CHECK(received.found[place] == sent.found[place]);
    }
    array.release(&array);
  }
  CHECK(drain(&out) == 0 && streams_alive == 0);
}

static void a_panic_stays_inside(void) {
  FAILS(INTERNAL, armillaria_testing_panic(&error));
  CHECK(armillaria_testing_panic(NULL) == ARMILLARIA_STATUS_INTERNAL);
}

static void streams_outlive_the_database(void) {
  ArmillariaDatabase *db = open_memory();
  armillaria_commit_free(write_rows(db, "t", 0, 300000, ARMILLARIA_WRITE_MODE_OVERWRITE));
  struct ArrowArrayStream table, query, untouched;
  struct ArrowArray first;
  OK(armillaria_read_table(db, TEXT("t"), NULL, 0, NULL, NULL, &table, &error));
  OK(armillaria_query(db, TEXT("SELECT * FROM t WHERE id >= 10"), NULL, 0, NULL, NULL, &query, &error));
  OK(armillaria_query(db, TEXT("SELECT * FROM t"), NULL, 0, NULL, NULL, &untouched, &error));
  CHECK(table.get_next(&table, &first) == 0 && first.length > 0);
  int64_t begun = first.length;
  armillaria_database_free(db);
  CHECK(drain(&table) == 300000 - begun);
  CHECK(drain(&query) == 300000 - 10);
  untouched.release(&untouched);
  CHECK(((const int64_t *)first.children[0]->buffers[1])[first.children[0]->offset + 9] == 9);
  first.release(&first);
}

static void damage_the_first_chunk(const ArmillariaDatabase *db, const char *location) {
  uint64_t version;
  const ArmillariaStringList *chunks;
  OK(armillaria_chunk_hashes(db, TEXT("t"), 0, &version, &chunks, &error));
  CHECK(chunks->len > 0);
  char path[512];
  const char *hash = chunks->items[0].data;
  snprintf(path, sizeof path, "%s/chunks/%.2s/%.2s/%.64s.parquet", location, hash, hash + 2, hash);
  armillaria_string_list_free(chunks);
  CHECK(chmod(path, 0600) == 0);
  FILE *file = fopen(path, "r+b");
  CHECK(file != NULL && fseek(file, 100, SEEK_SET) == 0);
  int byte = fgetc(file);
  CHECK(byte != EOF && fseek(file, 100, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF && fclose(file) == 0);
}

/* A stream that hands on what another says, as a binding of another language would. */

static int forward_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  struct ArrowArrayStream *inner = stream->private_data;
  return inner->get_schema(inner, out);
}

static int forward_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct ArrowArrayStream *inner = stream->private_data;
  return inner->get_next(inner, out);
}

static const char *forward_error(struct ArrowArrayStream *stream) {
  struct ArrowArrayStream *inner = stream->private_data;
  return inner->get_last_error(inner);
}

static void forward_release(struct ArrowArrayStream *stream) {
  struct ArrowArrayStream *inner = stream->private_data;
  inner->release(inner);
  free(inner);
  stream->release = NULL;
  streams_alive--;
}

static void forward(struct ArrowArrayStream *stream) {
  struct ArrowArrayStream *inner = allocate(sizeof *inner);
  *inner = *stream;
  *stream = (struct ArrowArrayStream){forward_schema, forward_next, forward_error, forward_release, inner};
  streams_alive++;
}

/* A query that fails after some batches, as they are and through other hands. */
static void a_failing_query_fails_the_write_with_its_code(void) {
  ArmillariaDatabase *db = open_memory();
  const char *sql = "SELECT CASE WHEN range < 300000 THEN range ELSE error('no more')::BIGINT END AS n FROM range(400000)";
  for (int forwarded = 0; forwarded < 2; forwarded++) {
    struct ArrowArrayStream stream;
    struct ArrowArray first;
    const ArmillariaCommit *commit;
    OK(armillaria_query(db, TEXT(sql), NULL, 0, NULL, NULL, &stream, &error));
    CHECK(stream.get_next(&stream, &first) == 0 && first.length > 0);
    first.release(&first);
    if (forwarded) {
      forward(&stream);
    }
    FAILS(SQL_ERROR, armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, &commit, &error));
  }
  uint64_t latest;
  OK(armillaria_latest_tx_id(db, &latest, &error));
  CHECK(latest == 0 && streams_alive == 0);
  armillaria_database_free(db);
}

/* A stream of ours that comes back, half read, holds the rest of its rows. */
static void what_comes_back_is_what_is_left(void) {
  ArmillariaDatabase *db = open_memory();
  struct ArrowArrayStream stream;
  struct ArrowArray first;
  OK(armillaria_query(db, TEXT("SELECT range AS id FROM range(10000)"), NULL, 0, NULL, NULL, &stream, &error));
  CHECK(stream.get_next(&stream, &first) == 0 && first.length > 0 && first.length < 10000);
  int64_t begun = first.length;
  first.release(&first);
  const ArmillariaCommit *commit;
  OK(armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, &commit, &error));
  CHECK(stream.release == NULL && commit->rows == (uint64_t)(10000 - begun));
  armillaria_commit_free(commit);
  CHECK(number_of(db, "SELECT min(id) FROM t") == begun);
  armillaria_database_free(db);
}

static void an_error_in_a_stream_tells_its_code(const char *location) {
  ArmillariaDatabase *db;
  OK(armillaria_open(TEXT(location), NULL, &db, &error));
  armillaria_commit_free(write_rows(db, "t", 0, 100000, ARMILLARIA_WRITE_MODE_OVERWRITE));
  damage_the_first_chunk(db, location);
  struct ArrowArrayStream stream;
  struct ArrowArray array;
  OK(armillaria_read_table(db, TEXT("t"), NULL, 0, NULL, NULL, &stream, &error));
  for (int again = 0; again < 2; again++) {
    CHECK(stream.get_next(&stream, &array) == EIO);
    CHECK(strncmp(stream.get_last_error(&stream), "ARM-400 ", 8) == 0);
  }
  stream.release(&stream);

  /* The same where the rows of one database are written into another: as they are, and through other hands. */
  ArmillariaDatabase *other = open_memory();
  const ArmillariaCommit *commit;
  for (int forwarded = 0; forwarded < 2; forwarded++) {
    OK(armillaria_read_table(db, TEXT("t"), NULL, 0, NULL, NULL, &stream, &error));
    if (forwarded) {
      forward(&stream);
    }
    FAILS(HASH_MISMATCH, armillaria_write_table(other, TEXT("t"), &stream, NULL, NULL, &commit, &error));
    CHECK(stream.release == NULL);
  }
  CHECK(streams_alive == 0);
  armillaria_database_free(other);

  const ArmillariaVerifyReport *report;
  OK(armillaria_verify(db, true, NULL, &report, &error));
  CHECK(!report->ok && report->problems_len == 1 && equals(report->problems[0]->code, "HASH_MISMATCH"));
  CHECK(report->problems[0]->affects_len == 1 && report->problems[0]->affects[0].version == 1);
  armillaria_verify_report_free(report);
  armillaria_database_free(db);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  rows_keep_their_addresses();
  a_panic_stays_inside();
  streams_outlive_the_database();
  what_comes_back_is_what_is_left();
  a_failing_query_fails_the_write_with_its_code();
  an_error_in_a_stream_tells_its_code(argv[1]);
  return 0;
}
