/* Arrow structs, made by hand: a stream of batches with the columns
 *   id     int64, not nullable
 *   name   string, null in every seventh row
 *   tags   list of int32, with 0 to 2 items
 *   point  struct of x: float64
 */
#ifndef ARMILLARIA_TESTS_ARROW_BUILD_H
#define ARMILLARIA_TESTS_ARROW_BUILD_H

#include <errno.h>

#include "check.h"

enum { COLUMNS = 4 };

static void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes > 0 ? bytes : 1);
  CHECK(memory != NULL);
  return memory;
}

/* ---- schemas ---- */

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t child = 0; child < schema->n_children; child++) {
    if (schema->children[child]->release != NULL) {
      schema->children[child]->release(schema->children[child]);
    }
    free(schema->children[child]);
  }
  free(schema->children);
  schema->release = NULL;
}

/* `format` and `name` are literals. */
static void build_schema_node(struct ArrowSchema *out, const char *format, const char *name, int64_t flags,
                              int64_t children) {
  memset(out, 0, sizeof *out);
  out->format = format;
  out->name = name;
  out->flags = flags;
  out->n_children = children;
  out->children = allocate((size_t)children * sizeof *out->children);
  for (int64_t child = 0; child < children; child++) {
    out->children[child] = allocate(sizeof **out->children);
  }
  out->release = release_schema;
}

static void build_schema(struct ArrowSchema *out) {
  build_schema_node(out, "+s", "", 0, COLUMNS);
  build_schema_node(out->children[0], "l", "id", 0, 0);
  build_schema_node(out->children[1], "u", "name", ARROW_FLAG_NULLABLE, 0);
  build_schema_node(out->children[2], "+l", "tags", ARROW_FLAG_NULLABLE, 1);
  build_schema_node(out->children[2]->children[0], "i", "item", ARROW_FLAG_NULLABLE, 0);
  build_schema_node(out->children[3], "+s", "point", ARROW_FLAG_NULLABLE, 1);
  build_schema_node(out->children[3]->children[0], "g", "x", ARROW_FLAG_NULLABLE, 0);
}

/* ---- arrays ---- */

static void release_array(struct ArrowArray *array) {
  for (int64_t buffer = 0; buffer < array->n_buffers; buffer++) {
    free((void *)(uintptr_t)array->buffers[buffer]);
  }
  free(array->buffers);
  for (int64_t child = 0; child < array->n_children; child++) {
    if (array->children[child]->release != NULL) {
      array->children[child]->release(array->children[child]);
    }
    free(array->children[child]);
  }
  free(array->children);
  array->release = NULL;
}

static void build_array_node(struct ArrowArray *out, int64_t length, int64_t buffers, int64_t children) {
  memset(out, 0, sizeof *out);
  out->length = length;
  out->n_buffers = buffers;
  out->buffers = allocate((size_t)buffers * sizeof *out->buffers);
  out->n_children = children;
  out->children = allocate((size_t)children * sizeof *out->children);
  for (int64_t child = 0; child < children; child++) {
    out->children[child] = allocate(sizeof **out->children);
  }
  out->release = release_array;
}

static void *add_buffer(struct ArrowArray *array, int place, size_t bytes) {
  void *memory = allocate(bytes);
  array->buffers[place] = memory;
  return memory;
}

static void build_ids(struct ArrowArray *out, int64_t first, int64_t rows) {
  build_array_node(out, rows, 2, 0);
  int64_t *ids = add_buffer(out, 1, (size_t)rows * sizeof *ids);
  for (int64_t row = 0; row < rows; row++) {
    ids[row] = first + row;
  }
}

static void build_names(struct ArrowArray *out, int64_t first, int64_t rows) {
  enum { NAME_BYTES_MAX = 32 };
  build_array_node(out, rows, 3, 0);
  unsigned char *valid = add_buffer(out, 0, (size_t)rows / 8 + 1);
  int32_t *offsets = add_buffer(out, 1, ((size_t)rows + 1) * sizeof *offsets);
  char *text = add_buffer(out, 2, (size_t)rows * NAME_BYTES_MAX);
  for (int64_t row = 0; row < rows; row++) {
    int length = 0;
    if ((first + row) % 7 == 3) {
      out->null_count++;
    } else {
      valid[row / 8] |= (unsigned char)(1 << (row % 8));
      length = snprintf(text + offsets[row], NAME_BYTES_MAX, "name %lld", (long long)(first + row));
    }
    offsets[row + 1] = offsets[row] + length;
  }
}

static void build_tags(struct ArrowArray *out, int64_t first, int64_t rows) {
  build_array_node(out, rows, 2, 1);
  int32_t *offsets = add_buffer(out, 1, ((size_t)rows + 1) * sizeof *offsets);
  for (int64_t row = 0; row < rows; row++) {
    offsets[row + 1] = offsets[row] + (int32_t)((first + row) % 3);
  }
  build_array_node(out->children[0], offsets[rows], 2, 0);
  int32_t *items = add_buffer(out->children[0], 1, (size_t)offsets[rows] * sizeof *items);
  for (int32_t item = 0; item < offsets[rows]; item++) {
    items[item] = item;
  }
}

static void build_points(struct ArrowArray *out, int64_t first, int64_t rows) {
  build_array_node(out, rows, 1, 1);
  build_array_node(out->children[0], rows, 2, 0);
  double *x = add_buffer(out->children[0], 1, (size_t)rows * sizeof *x);
  for (int64_t row = 0; row < rows; row++) {
    x[row] = (double)(first + row) / 2;
  }
}

static void build_batch(struct ArrowArray *out, int64_t first, int64_t rows) {
  build_array_node(out, rows, 1, COLUMNS);
  build_ids(out->children[0], first, rows);
  build_names(out->children[1], first, rows);
  build_tags(out->children[2], first, rows);
  build_points(out->children[3], first, rows);
}

/* ---- streams ---- */

struct source {
  int64_t next, rows_per_batch;
  int batches_left;
  int fail_with;           /* an errno, after the last batch; 0: the end */
  void (*change)(struct ArrowArray *batch); /* what to do to each batch before it is handed out; NULL: nothing */
};

static int streams_alive; /* only for tests of one thread */

static int source_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  (void)stream;
  build_schema(out);
  return 0;
}

static int source_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct source *source = stream->private_data;
  memset(out, 0, sizeof *out);
  if (source->batches_left == 0) {
    return source->fail_with;
  }
  build_batch(out, source->next, source->rows_per_batch);
  source->next += source->rows_per_batch;
  source->batches_left--;
  if (source->change != NULL) {
    source->change(out);
  }
  return 0;
}

static const char *source_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return "the source ran dry";
}

static void source_release(struct ArrowArrayStream *stream) {
  __atomic_fetch_sub(&streams_alive, 1, __ATOMIC_RELAXED);
  free(stream->private_data);
  stream->release = NULL;
}

/* A stream of `batches` batches of `rows` rows each; ids count from `first`. */
static struct source *build_stream(struct ArrowArrayStream *out, int64_t first, int64_t rows, int batches) {
  struct source *source = allocate(sizeof *source);
  source->next = first;
  source->rows_per_batch = rows;
  source->batches_left = batches;
  memset(out, 0, sizeof *out);
  out->get_schema = source_schema;
  out->get_next = source_next;
  out->get_last_error = source_error;
  out->release = source_release;
  out->private_data = source;
  __atomic_fetch_add(&streams_alive, 1, __ATOMIC_RELAXED);
  return source;
}

/* Writes `rows` rows to a table, and tells the commit, to be freed. */
static inline const ArmillariaCommit *write_rows(const ArmillariaDatabase *db, const char *table, int64_t first,
                                                 int64_t rows, uint32_t mode) {
  struct ArrowArrayStream stream;
  build_stream(&stream, first, rows, 1);
  ArmillariaWriteOptions options = {.struct_size = sizeof options, .mode = mode};
  const ArmillariaCommit *commit = NULL;
  OK(armillaria_write_table(db, TEXT(table), &stream, &options, NULL, &commit, &error));
  CHECK(commit != NULL && stream.release == NULL);
  return commit;
}

#endif
