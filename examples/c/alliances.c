// Which airline alliance carried how many flights out of New York in 2013, and what if one airline had changed sides?
//
// The flights come from a Parquet file, as a stream that never touches this program's memory. The alliances are Arrow
// data built by hand. The "what if" lives on a branch. Usage: alliances FOLDER_OF_DATA NEW_REPOSITORY
#include <armillaria.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AIRLINES 4

static ArmillariaError *error;

static void must(ArmillariaStatus status) {
  if (status == ARMILLARIA_STATUS_OK) return;
  fprintf(stderr, "%s (%u): %s\n", armillaria_error_name(error), (unsigned)status, armillaria_error_message(error));
  exit(1);
}

// One text column in Arrow's layout: offsets, and the texts end to end.
struct text_column {
  int32_t offsets[AIRLINES + 1];
  char bytes[256];
  const void *buffers[3];
  struct ArrowArray array;
};

// Rows on the heap, freed when the consumer releases them: it may do so at any time, in any thread.
struct rows {
  struct text_column carrier, alliance;
  struct ArrowArray *columns[2];
  const void *no_nulls;
};

struct schema {
  struct ArrowSchema carrier, alliance;
  struct ArrowSchema *columns[2];
};

static void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (memory != NULL) return memory;
  fputs("out of memory\n", stderr);
  exit(1);
}

// A child is part of its parent's memory.
static void release_child_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_child(struct ArrowArray *array) { array->release = NULL; }

static void release_schema(struct ArrowSchema *schema) {
  free(schema->private_data);
  schema->release = NULL;
}

static void release_rows(struct ArrowArray *array) {
  free(array->private_data);
  array->release = NULL;
}

static void fill(struct text_column *column, const char *const *texts) {
  for (int i = 0; i < AIRLINES; i++) {
    size_t length = strlen(texts[i]);
    memcpy(column->bytes + column->offsets[i], texts[i], length);
    column->offsets[i + 1] = column->offsets[i] + (int32_t)length;
  }
  column->buffers[1] = column->offsets;
  column->buffers[2] = column->bytes;
  column->array =
      (struct ArrowArray){.length = AIRLINES, .n_buffers = 3, .buffers = column->buffers, .release = release_child};
}

// The stream: its private data are the alliances, in the order of `carriers`, until they have been read.
static const char *const carriers[AIRLINES] = {"AA", "DL", "UA", "US"};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  (void)stream;
  struct schema *schema = allocate(sizeof *schema);
  schema->carrier = (struct ArrowSchema){.format = "u", .name = "carrier", .release = release_child_schema};
  schema->alliance = (struct ArrowSchema){.format = "u", .name = "alliance", .release = release_child_schema};
  schema->columns[0] = &schema->carrier;
  schema->columns[1] = &schema->alliance;
  *out = (struct ArrowSchema){.format = "+s", .n_children = 2, .children = schema->columns, .release = release_schema};
  out->private_data = schema;
  return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  memset(out, 0, sizeof *out);
  if (stream->private_data == NULL) return 0;
  struct rows *rows = allocate(sizeof *rows);
  fill(&rows->carrier, carriers);
  fill(&rows->alliance, stream->private_data);
  stream->private_data = NULL;
  rows->columns[0] = &rows->carrier.array;
  rows->columns[1] = &rows->alliance.array;
  *out = (struct ArrowArray){.length = AIRLINES, .n_buffers = 1, .n_children = 2, .release = release_rows};
  out->buffers = &rows->no_nulls;
  out->children = rows->columns;
  out->private_data = rows;
  return 0;
}

static const char *last_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return NULL;
}

static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

static void write_rows(const ArmillariaDatabase *db, const char *table, struct ArrowArrayStream *rows,
                       const char *branch, const char *message) {
  ArmillariaWriteOptions options = {.struct_size = sizeof options};
  options.branch = armillaria_string(branch);
  options.message = armillaria_string(message);
  const ArmillariaCommit *commit = NULL;
  must(armillaria_write_table(db, armillaria_string(table), rows, &options, NULL, &commit, &error));
  printf("%s, version %" PRIu64 ": %" PRIu64 " rows (%s)\n", table, commit->version, commit->rows, message);
  armillaria_commit_free(commit);
}

static void write_alliances(const ArmillariaDatabase *db, const char *const *alliances, const char *branch,
                            const char *message) {
  struct ArrowArrayStream rows = {get_schema, get_next, last_error, release_stream, (void *)(uintptr_t)alliances};
  write_rows(db, "alliances", &rows, branch, message);
}

// The answer of one SQL parameter: the path of the file.
static void import_flights(const ArmillariaDatabase *db, const char *data) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/flights.parquet", data);
  if (length < 0 || (size_t)length >= sizeof path) {
    fputs("the path of the data is too long\n", stderr);
    exit(1);
  }
  ArmillariaParameter file = {.kind = ARMILLARIA_PARAMETER_TEXT, .bytes = armillaria_string(path)};
  struct ArrowArrayStream rows = {0};
  must(armillaria_query(db, armillaria_string("SELECT * FROM read_parquet($1)"), &file, 1, NULL, NULL, &rows, &error));
  write_rows(db, "flights", &rows, NULL, "All flights of 2013");
}

// One text of a column; `row` counts from the batch's first.
static int text_at(const struct ArrowArray *column, int64_t row, const char **text) {
  const int32_t *offsets = column->buffers[1];
  row += column->offset;
  *text = (const char *)column->buffers[2] + offsets[row];
  return offsets[row + 1] - offsets[row];
}

// Flights by alliance, as a branch sees them.
static void print_flights(const ArmillariaDatabase *db, const char *branch) {
  const char *sql =
      "SELECT coalesce(alliance, 'no alliance'), count(*) AS n FROM flights LEFT JOIN alliances USING (carrier)"
      " GROUP BY ALL ORDER BY n DESC";
  ArmillariaAt at = {.struct_size = sizeof at, .branch = armillaria_string(branch)};
  struct ArrowArrayStream rows = {0};
  must(armillaria_query(db, armillaria_string(sql), NULL, 0, &at, NULL, &rows, &error));
  printf("\nFlights by alliance, branch %s:\n", branch);
  for (;;) {
    struct ArrowArray batch = {0};
    if (rows.get_next(&rows, &batch) != 0) {
      fprintf(stderr, "%s\n", rows.get_last_error(&rows));
      exit(1);
    }
    if (batch.release == NULL) break;
    const struct ArrowArray *counts = batch.children[1];
    for (int64_t row = 0; row < batch.length; row++) {
      const char *alliance = NULL;
      int length = text_at(batch.children[0], batch.offset + row, &alliance);
      int64_t count = ((const int64_t *)counts->buffers[1])[counts->offset + batch.offset + row];
      printf("  %-14.*s %7" PRId64 "\n", length, alliance, count);
    }
    batch.release(&batch);
  }
  rows.release(&rows);
}

static void print_branch_diff(const ArmillariaDatabase *db, const char *a, const char *b) {
  const ArmillariaBranchDiff *diff = NULL;
  must(armillaria_diff_branches(db, armillaria_string(a), armillaria_string(b), &diff, &error));
  printf("\nBetween %s and %s:\n", a, b);
  for (size_t i = 0; i < diff->modified_len; i++) {
    const ArmillariaModifiedTable *table = diff->modified[i];
    printf("  %.*s has version %" PRIu64 " there and %" PRIu64 " here\n", (int)table->table.len, table->table.data,
           table->version_in_a, table->version_in_b);
  }
  armillaria_branch_diff_free(diff);
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("usage: alliances FOLDER_OF_DATA NEW_REPOSITORY\n", stderr);
    return 2;
  }
  ArmillariaOpenOptions options = {.struct_size = sizeof options, .external_access = true};  // SQL reads the file
  options.author = armillaria_string("alliances.c");
  ArmillariaDatabase *db = NULL;
  must(armillaria_open(armillaria_string(arguments[2]), &options, &db, &error));

  import_flights(db, arguments[1]);
  const char *const in_2013[AIRLINES] = {"Oneworld", "SkyTeam", "Star Alliance", "Star Alliance"};
  write_alliances(db, in_2013, NULL, "As of 2013");

  must(armillaria_create_branch(db, armillaria_string("after-the-merger"), NULL,
                                armillaria_string("US Airways joins American Airlines"), &error));
  const char *const in_2014[AIRLINES] = {"Oneworld", "SkyTeam", "Star Alliance", "Oneworld"};
  write_alliances(db, in_2014, "after-the-merger", "As of 2014");

  print_flights(db, "main");
  print_flights(db, "after-the-merger");
  print_branch_diff(db, "after-the-merger", "main");
  armillaria_database_free(db);
  return 0;
}
