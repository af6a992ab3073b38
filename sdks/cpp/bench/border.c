// What the border between C and the core costs.
//
//   border ROUNDS            an empty query, ROUNDS times:       {"rounds": …, "ns_per_query": …}
//   border move ROWS BATCH   rows in and out, BATCH at a time:   {"rows": …, "batch": …, "batches": …, "ns_per_batch":
//   …}
//
// `move` needs the library that was built for testing.
#define _POSIX_C_SOURCE 199309L
#include <armillaria.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Only the library for testing has it; elsewhere it is NULL.
__attribute__((weak)) ArmillariaStatus armillaria_testing_round_trip(struct ArrowArrayStream *in,
                                                                     struct ArrowArrayStream *out,
                                                                     ArmillariaError **error);

static ArmillariaError *error;

static void must(ArmillariaStatus status) {
  if (status == ARMILLARIA_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", armillaria_error_name(error), armillaria_error_message(error));
  exit(1);
}

static _Noreturn void fail(const char *text) {
  fprintf(stderr, "border: %s\n", text);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) fail("there is no monotonic clock");
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t number(const char *text) {
  char *end = NULL;
  uint64_t value = strtoull(text, &end, 10);
  if (value == 0 || *end != '\0') fail("give numbers above 0");
  return value;
}

// Reads a stream to its end; answers how many batches there were.
static uint64_t drain(struct ArrowArrayStream *stream) {
  for (uint64_t batches = 0;; batches++) {
    struct ArrowArray batch;
    if (stream->get_next(stream, &batch) != 0) fail(stream->get_last_error(stream));
    if (batch.release == NULL) {
      stream->release(stream);
      return batches;
    }
    batch.release(&batch);
  }
}

static void empty_query(const ArmillariaDatabase *db) {
  struct ArrowArrayStream rows;
  must(armillaria_query(db, armillaria_string("SELECT 1 WHERE false"), NULL, 0, NULL, NULL, &rows, &error));
  drain(&rows);
}

static int time_queries(uint64_t rounds) {
  ArmillariaDatabase *db = NULL;
  must(armillaria_open(armillaria_string("memory:"), NULL, &db, &error));
  struct ArrowArrayStream rows;
  must(armillaria_query(db, armillaria_string("SELECT range AS id FROM range(100)"), NULL, 0, NULL, NULL, &rows,
                        &error));
  const ArmillariaCommit *commit = NULL;
  must(armillaria_write_table(db, armillaria_string("small"), &rows, NULL, NULL, &commit, &error));
  armillaria_commit_free(commit);
  for (uint64_t warm_up = 0; warm_up < rounds / 10 + 1; warm_up++) empty_query(db);
  uint64_t begin = now_ns();
  for (uint64_t round = 0; round < rounds; round++) empty_query(db);
  uint64_t spent = now_ns() - begin;
  printf("{\"rounds\": %" PRIu64 ", \"ns_per_query\": %.1f}\n", rounds, (double)spent / (double)rounds);
  armillaria_database_free(db);
  return 0;
}

// One batch of an int64, a float64 and a text column, handed out again and again: making rows is not measured.
struct source {
  int64_t *ids;
  double *values;
  int32_t *offsets;
  char *texts;
  const void *buffers[4][3];
  struct ArrowArray columns[3];
  struct ArrowArray *column_pointers[3];
  int64_t batch_rows;
  uint64_t batches_left;
};

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }
static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

static const char *last_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return NULL;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  static struct ArrowSchema columns[3];
  static struct ArrowSchema *pointers[] = {&columns[0], &columns[1], &columns[2]};
  static const char *const formats[] = {"l", "g", "u"}, *const names[] = {"id", "value", "text"};
  (void)stream;
  for (int i = 0; i < 3; i++) {
    columns[i] = (struct ArrowSchema){.format = formats[i], .name = names[i], .release = release_schema};
  }
  *out = (struct ArrowSchema){.format = "+s", .n_children = 3, .children = pointers, .release = release_schema};
  return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct source *source = stream->private_data;
  memset(out, 0, sizeof *out);
  if (source->batches_left == 0) return 0;
  source->batches_left--;
  for (int i = 0; i < 3; i++) {
    source->columns[i] = (struct ArrowArray){.length = source->batch_rows, .n_buffers = i == 2 ? 3 : 2};
    source->columns[i].buffers = source->buffers[i];
    source->columns[i].release = release_array;
  }
  *out = (struct ArrowArray){.length = source->batch_rows, .n_buffers = 1, .n_children = 3, .release = release_array};
  out->buffers = source->buffers[3];
  out->children = source->column_pointers;
  return 0;
}

static void *allocate(uint64_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) fail("out of memory");
  return memory;
}

static struct source *new_source(uint64_t batch) {
  enum { text_bytes = 12 };
  struct source *source = allocate(1, sizeof *source);
  source->ids = allocate(batch, sizeof *source->ids);
  source->values = allocate(batch, sizeof *source->values);
  source->offsets = allocate(batch + 1, sizeof *source->offsets);
  source->texts = allocate(batch, text_bytes);
  for (uint64_t i = 0; i < batch; i++) {
    source->ids[i] = (int64_t)i;
    source->values[i] = (double)i / 2;
    memcpy(source->texts + i * text_bytes, "twelve bytes", text_bytes);
    source->offsets[i + 1] = (int32_t)((i + 1) * text_bytes);
  }
  source->buffers[0][1] = source->ids;
  source->buffers[1][1] = source->values;
  source->buffers[2][1] = source->offsets;
  source->buffers[2][2] = source->texts;
  for (int i = 0; i < 3; i++) source->column_pointers[i] = &source->columns[i];
  source->batch_rows = (int64_t)batch;
  return source;
}

static void free_source(struct source *source) {
  free(source->ids);
  free(source->values);
  free(source->offsets);
  free(source->texts);
  free(source);
}

static int time_moving(uint64_t rows, uint64_t batch) {
  if (armillaria_testing_round_trip == NULL) fail("this library was not built for testing");
  if (batch > INT32_MAX / 12) fail("the batch is too large");
  struct source *source = new_source(batch);
  source->batches_left = (rows + batch - 1) / batch;
  struct ArrowArrayStream in = {get_schema, get_next, last_error, release_stream, source}, out;
  must(armillaria_testing_round_trip(&in, &out, &error));
  uint64_t begin = now_ns();
  uint64_t batches = drain(&out);
  uint64_t spent = now_ns() - begin;
  if (source->batches_left != 0) fail("not all rows were moved");
  free_source(source);
  printf("{\"rows\": %" PRIu64 ", \"batch\": %" PRIu64 ", \"batches\": %" PRIu64 ", \"ns_per_batch\": %.1f}\n",
         batches * batch, batch, batches, (double)spent / (double)batches);
  return 0;
}

int main(int count, char **arguments) {
  if (count == 2) return time_queries(number(arguments[1]));
  if (count == 4 && strcmp(arguments[1], "move") == 0) return time_moving(number(arguments[2]), number(arguments[3]));
  fputs("usage: border ROUNDS, or border move ROWS BATCH\n", stderr);
  return 2;
}
