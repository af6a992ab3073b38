/* Whatever takes long ends with CANCELLED soon after somebody cancels: queries that would run for hours, wherever they
 * are, reads, writes, and waiting subscriptions. ARMILLARIA_C_CANCEL_MS says how soon it must be. */
#include <pthread.h>

#include "arrow_build.h"

static double limit_ms, worst_ms;

struct canceller {
  pthread_t thread;
  const ArmillariaCancel *token;
  const ArmillariaSubscription *subscription; /* to be closed instead, if not NULL */
  long after_ms;
  double cancelled_at;
};

static void *cancel_later(void *argument) {
  struct canceller *canceller = argument;
  sleep_ms(canceller->after_ms);
  canceller->cancelled_at = now_ms();
  if (canceller->subscription != NULL) {
    OK(armillaria_subscription_close(canceller->subscription, &error));
  } else {
    armillaria_cancel_cancel(canceller->token);
  }
  return NULL;
}

static void start(struct canceller *canceller, const ArmillariaCancel *token, long after_ms) {
  *canceller = (struct canceller){.token = token, .after_ms = after_ms};
  CHECK(pthread_create(&canceller->thread, NULL, cancel_later, canceller) == 0);
}

/* To be called as soon as the work has ended. */
static void finish(struct canceller *canceller, const char *what) {
  double ended_at = now_ms();
  CHECK(pthread_join(canceller->thread, NULL) == 0);
  double took = ended_at - canceller->cancelled_at;
  printf("  %-38s %6.1f ms\n", what, took);
  CHECK(took >= 0 && took < limit_ms);
  worst_ms = took > worst_ms ? took : worst_ms;
}

static void cancel_query(const ArmillariaDatabase *db, const char *what, const char *sql, long after_ms) {
  ArmillariaCancel *token = armillaria_cancel_new();
  struct canceller canceller;
  struct ArrowArrayStream stream;
  start(&canceller, token, after_ms);
  ArmillariaStatus status = armillaria_query(db, TEXT(sql), NULL, 0, NULL, token, &stream, &error);
  int outcome = 0;
  while (status == ARMILLARIA_STATUS_OK && outcome == 0) {
    struct ArrowArray array;
    outcome = stream.get_next(&stream, &array);
    if (outcome == 0) {
      CHECK(array.release != NULL);
      array.release(&array);
    }
  }
  finish(&canceller, what);
  if (status == ARMILLARIA_STATUS_OK) {
    CHECK(outcome == ECANCELED && strncmp(stream.get_last_error(&stream), "ARM-503 ", 8) == 0);
    stream.release(&stream);
  } else {
    FAILS(CANCELLED, status);
  }
  CHECK(armillaria_cancel_is_cancelled(token));
  armillaria_cancel_free(token);
}

static void cancel_read(const ArmillariaDatabase *db) {
  ArmillariaCancel *token = armillaria_cancel_new();
  struct ArrowArrayStream stream;
  struct ArrowArray array;
  OK(armillaria_read_table(db, TEXT("t"), NULL, 0, NULL, token, &stream, &error));
  CHECK(stream.get_next(&stream, &array) == 0 && array.release != NULL);
  array.release(&array);
  armillaria_cancel_cancel(token);
  armillaria_cancel_free(token);
  CHECK(stream.get_next(&stream, &array) == ECANCELED);
  stream.release(&stream);
}

static void cancel_write(const ArmillariaDatabase *db) {
  ArmillariaCancel *token = armillaria_cancel_new();
  struct canceller canceller;
  struct ArrowArrayStream endless;
  build_stream(&endless, 0, 10000, 1 << 30);
  uint64_t before, after;
  OK(armillaria_latest_tx_id(db, &before, &error));
  start(&canceller, token, 300);
  const ArmillariaCommit *commit;
  ArmillariaStatus status = armillaria_write_table(db, TEXT("t"), &endless, NULL, token, &commit, &error);
  finish(&canceller, "a write");
  FAILS(CANCELLED, status);
  OK(armillaria_latest_tx_id(db, &after, &error));
  CHECK(before == after && streams_alive == 0);
  armillaria_cancel_free(token);
}

static void cancel_waiting(const ArmillariaDatabase *db) {
  ArmillariaSubscription *subscription;
  const ArmillariaChangelogEntry *entry;
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  ArmillariaCancel *token = armillaria_cancel_new();
  struct canceller canceller;
  start(&canceller, token, 100);
  ArmillariaStatus status = armillaria_subscription_next(subscription, -1, token, &entry, &error);
  finish(&canceller, "a waiting subscription");
  FAILS(CANCELLED, status);
  OK(armillaria_subscription_next(subscription, 1, NULL, &entry, &error));

  canceller = (struct canceller){.subscription = subscription, .after_ms = 100};
  CHECK(pthread_create(&canceller.thread, NULL, cancel_later, &canceller) == 0);
  status = armillaria_subscription_next(subscription, -1, NULL, &entry, &error);
  finish(&canceller, "a waiting subscription, by closing it");
  FAILS(CLOSED, status);
  armillaria_subscription_free(subscription);
  armillaria_cancel_free(token);
}

static void cancelled_before_it_begins(const ArmillariaDatabase *db) {
  ArmillariaCancel *token = armillaria_cancel_new();
  armillaria_cancel_cancel(token);
  struct ArrowArrayStream stream;
  const ArmillariaDiff *diff;
  const ArmillariaVerifyReport *report;
  FAILS(CANCELLED, armillaria_query(db, TEXT("SELECT 1"), NULL, 0, NULL, token, &stream, &error));
  FAILS(CANCELLED, armillaria_diff_versions(db, TEXT("t"), 1, 2, NULL, 0, token, &diff, &error));
  FAILS(CANCELLED, armillaria_verify(db, true, token, &report, &error));
  armillaria_cancel_free(token);
}

static void cancel_compaction(const ArmillariaDatabase *db) {
  for (int n = 0; n < 3; n++) armillaria_commit_free(write_rows(db, "small", n, 10, ARMILLARIA_WRITE_MODE_APPEND));
  ArmillariaCancel *token = armillaria_cancel_new();
  armillaria_cancel_cancel(token);
  uint64_t before, after;
  OK(armillaria_latest_tx_id(db, &before, &error));
  const ArmillariaCommit *commit;
  FAILS(CANCELLED, armillaria_compact(db, TEXT("small"), NONE, token, &commit, &error));
  OK(armillaria_latest_tx_id(db, &after, &error));
  CHECK(before == after);
  armillaria_cancel_free(token);
  OK(armillaria_compact(db, TEXT("small"), NONE, NULL, &commit, &error));
  CHECK(commit->tx_id == before + 1 && commit->version == 4);
  armillaria_commit_free(commit);
}

int main(void) {
  limit_ms = (double)setting("ARMILLARIA_C_CANCEL_MS", 1000);
  ArmillariaDatabase *db = open_memory();
  armillaria_commit_free(write_rows(db, "t", 0, 500000, ARMILLARIA_WRITE_MODE_OVERWRITE));
  armillaria_commit_free(write_rows(db, "t", 1, 1000, ARMILLARIA_WRITE_MODE_OVERWRITE));
  armillaria_commit_free(write_rows(db, "t", 0, 500000, ARMILLARIA_WRITE_MODE_OVERWRITE));
  printf("from cancelling to the answer:\n");
  cancel_query(db, "a cross join that is counted",
               "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.range * b.range) % 7 = 1", 500);
  cancel_query(db, "a cross join without results",
               "SELECT a.range FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0", 500);
  cancel_query(db, "a cross join that streams", "SELECT a.range, b.range FROM range(10000000) a, range(10000000) b", 500);
  cancel_query(db, "a join of tables that is sorted",
               "SELECT a.id, b.name FROM t a, t b WHERE a.id % 1000 = b.id % 1000 ORDER BY b.name, a.id", 700);
  cancel_query(db, "a query that has just begun", "SELECT count(*) FROM range(10000000) a, range(10000000) b", 0);
  cancel_read(db);
  cancel_write(db);
  cancel_waiting(db);
  cancel_compaction(db);
  cancelled_before_it_begins(db);
  printf("  at most %.1f ms\n", worst_ms);
  armillaria_database_free(db);
  return 0;
}
