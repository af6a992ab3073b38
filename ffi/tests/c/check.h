/* What every C test uses: checks that stop at the first failure, and strings. */
#ifndef ARMILLARIA_TESTS_CHECK_H
#define ARMILLARIA_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "armillaria.h"

#define TEXT(text) armillaria_string(text)
#define NONE armillaria_string(NULL)

static _Thread_local ArmillariaError *error;

static inline void fail(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: FAILED: %s\n", file, line, what);
  if (error != NULL) {
    fprintf(stderr, "  %s: %s\n", armillaria_error_name(error), armillaria_error_message(error));
  }
  fflush(NULL);
  abort();
}

#define CHECK(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, #condition))

/* A call that must succeed; it passes `&error` last. */
#define OK(call) expect_ok(__FILE__, __LINE__, #call, (call))

/* A call that must fail with a code; it passes `&error` last. */
#define FAILS(code, call) expect_error(__FILE__, __LINE__, #call, ARMILLARIA_STATUS_##code, (call))

static inline void expect_ok(const char *file, int line, const char *call, ArmillariaStatus status) {
  if (status != ARMILLARIA_STATUS_OK || error != NULL) {
    fail(file, line, call);
  }
}

static inline void expect_error(const char *file, int line, const char *call, ArmillariaStatus code,
                                ArmillariaStatus status) {
  if (status != code || armillaria_error_code(error) != code || armillaria_error_name(error)[0] == '\0' ||
      armillaria_error_message(error)[0] == '\0' ||
      armillaria_error_category(error) == ARMILLARIA_CATEGORY_NONE) {
    fprintf(stderr, "  the status is %u, expected %u\n", (unsigned)status, (unsigned)code);
    fail(file, line, call);
  }
  armillaria_error_free(error);
  error = NULL;
}

static inline int equals(ArmillariaString string, const char *text) {
  return string.data != NULL && string.len == strlen(text) && memcmp(string.data, text, string.len) == 0;
}

static inline double now_ms(void) {
  struct timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline void sleep_ms(long milliseconds) {
  struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  CHECK(nanosleep(&pause, NULL) == 0);
}

/* A number from the environment. */
static inline long setting(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text == NULL || text[0] == '\0' ? otherwise : strtol(text, NULL, 10);
}

static inline ArmillariaDatabase *open_memory(void) {
  ArmillariaDatabase *db = NULL;
  OK(armillaria_open(TEXT("memory:"), NULL, &db, &error));
  CHECK(db != NULL);
  return db;
}

/* All rows of a stream, which is released. */
static inline int64_t drain(struct ArrowArrayStream *stream) {
  int64_t rows = 0;
  for (;;) {
    struct ArrowArray array = {0};
    int outcome = stream->get_next(stream, &array);
    if (outcome != 0) {
      fprintf(stderr, "  errno %d: %s\n", outcome, stream->get_last_error(stream));
      fail(__FILE__, __LINE__, "a stream");
    }
    if (array.release == NULL) {
      break;
    }
    rows += array.length;
    array.release(&array);
  }
  stream->release(stream);
  CHECK(stream->release == NULL);
  return rows;
}

/* The first number of the first column of a query, which is a BIGINT. */
static inline int64_t number_of(const ArmillariaDatabase *db, const char *sql) {
  struct ArrowArrayStream stream;
  OK(armillaria_query(db, TEXT(sql), NULL, 0, NULL, NULL, &stream, &error));
  struct ArrowArray array = {0};
  CHECK(stream.get_next(&stream, &array) == 0 && array.release != NULL && array.length == 1);
  const struct ArrowArray *column = array.children[0];
  int64_t number = ((const int64_t *)column->buffers[1])[column->offset];
  array.release(&array);
  stream.release(&stream);
  return number;
}

#endif
