#include <armillaria.h>
#include <stdio.h>
#include <stdlib.h>

static ArmillariaError *error;
static void must(ArmillariaStatus status) {
  if (status == ARMILLARIA_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", armillaria_error_name(error), armillaria_error_message(error));
  exit(1);
}

// A stream of one batch: a column "id" with three values. Everything is static, so releasing has nothing to free.
static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }
static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }
static const char *last_error(struct ArrowArrayStream *stream) { return (void)stream, NULL; }
static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  static struct ArrowSchema id = {.format = "l", .name = "id", .release = release_schema}, *columns[] = {&id};
  *out = (struct ArrowSchema){.format = "+s", .n_children = 1, .children = columns, .release = release_schema};
  return (void)stream, 0;
}
static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  static const int64_t ids[] = {1, 2, 3};
  static const void *values[] = {NULL, ids}, *no_nulls[] = {NULL};
  static struct ArrowArray id = {.length = 3, .n_buffers = 2, .buffers = values, .release = release_array},
                           *columns[] = {&id};
  *out = (struct ArrowArray){.release = NULL};  // the end
  if (stream->private_data == NULL) return 0;
  stream->private_data = NULL;
  *out = (struct ArrowArray){
      .length = 3, .n_buffers = 1, .buffers = no_nulls, .n_children = 1, .children = columns, .release = release_array};
  return 0;
}
static void write_users(const ArmillariaDatabase *db, const ArmillariaWriteOptions *options) {
  static char not_read_yet;
  struct ArrowArrayStream rows = {get_schema, get_next, last_error, release_stream, &not_read_yet};
  const ArmillariaCommit *commit = NULL;
  must(armillaria_write_table(db, armillaria_string("users"), &rows, options, NULL, &commit, &error));
  armillaria_commit_free(commit);
}

int main(void) {
  ArmillariaDatabase *db = NULL;
  must(armillaria_open(armillaria_string("memory:"), NULL, &db, &error));  // or a folder
  write_users(db, NULL);
  must(armillaria_create_branch(db, armillaria_string("trial"), NULL, (ArmillariaString){0}, &error));
  ArmillariaWriteOptions append = {.struct_size = sizeof append, .mode = ARMILLARIA_WRITE_MODE_APPEND};
  append.branch = armillaria_string("trial");
  write_users(db, &append);
  const char *sql = "SELECT (SELECT count(*) FROM users AT (VERSION => 'trial')) - count(*) FROM users";
  struct ArrowArrayStream answer = {0};
  struct ArrowArray batch = {0};
  must(armillaria_query(db, armillaria_string(sql), NULL, 0, NULL, NULL, &answer, &error));
  if (answer.get_next(&answer, &batch) != 0) return 1;
  printf("the branch has %d rows more\n", (int)((const int64_t *)batch.children[0]->buffers[1])[0]);
  batch.release(&batch);
  answer.release(&answer);
  armillaria_database_free(db);
}
