/* Eight threads on one handle: each writes a table and a branch of its own and appends to one that all share, while all
 * read and query; what each sees is checked. ARMILLARIA_C_THREAD_ROUNDS says how often. */
#include <pthread.h>

#include "arrow_build.h"

enum { THREADS = 8, ROWS = 10 };

struct worker {
  const ArmillariaDatabase *db;
  const ArmillariaCancel *cancel;
  long rounds;
  int place;
};

static int64_t count_of(const ArmillariaDatabase *db, const char *table) {
  struct ArrowArrayStream rows;
  OK(armillaria_read_table(db, TEXT(table), NULL, 0, NULL, NULL, &rows, &error));
  return drain(&rows);
}

static void check_own(const struct worker *worker, const char *table, int64_t round) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE id %% 1000 = %d", table, worker->place);
  CHECK(number_of(worker->db, sql) == round + 1);
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s AT (VERSION => %d)", table, 1);
  CHECK(number_of(worker->db, sql) == ROWS);
}

static void branch_off(const struct worker *worker, int64_t round, const char *table) {
  char branch[32];
  snprintf(branch, sizeof branch, "branch-%d-%lld", worker->place, (long long)round);
  OK(armillaria_create_branch(worker->db, TEXT(branch), NULL, NONE, &error));
  ArmillariaAt at = {.struct_size = sizeof at, .branch = TEXT(branch)};
  struct ArrowArrayStream rows;
  OK(armillaria_read_table(worker->db, TEXT(table), NULL, 0, &at, worker->cancel, &rows, &error));
  CHECK(drain(&rows) == (round + 1) * ROWS);
  OK(armillaria_delete_branch(worker->db, TEXT(branch), &error));
}

static void *work(void *argument) {
  const struct worker *worker = argument;
  char table[32];
  snprintf(table, sizeof table, "own%d", worker->place);
  int64_t seen = 0;
  for (int64_t round = 0; round < worker->rounds; round++) {
    armillaria_commit_free(
        write_rows(worker->db, table, round * 1000 + worker->place, ROWS, ARMILLARIA_WRITE_MODE_APPEND));
    armillaria_commit_free(write_rows(worker->db, "shared", round, ROWS, ARMILLARIA_WRITE_MODE_APPEND));
    check_own(worker, table, round);
    CHECK(count_of(worker->db, table) == (round + 1) * ROWS);
    int64_t now = count_of(worker->db, "shared");
    CHECK(now >= seen + ROWS && now % ROWS == 0);
    seen = now;
    branch_off(worker, round, table);
    struct ArrowArrayStream rows;
    FAILS(TABLE_NOT_FOUND, armillaria_read_table(worker->db, TEXT("none"), NULL, 0, NULL, NULL, &rows, &error));
  }
  return NULL;
}

int main(void) {
  long rounds = setting("ARMILLARIA_C_THREAD_ROUNDS", 10);
  ArmillariaDatabase *db = open_memory();
  ArmillariaCancel *cancel = armillaria_cancel_new();
  armillaria_commit_free(write_rows(db, "shared", 0, ROWS, ARMILLARIA_WRITE_MODE_OVERWRITE));
  ArmillariaSubscription *subscription;
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  pthread_t threads[THREADS];
  struct worker workers[THREADS];
  for (int place = 0; place < THREADS; place++) {
    workers[place] = (struct worker){db, cancel, rounds, place};
    CHECK(pthread_create(&threads[place], NULL, work, &workers[place]) == 0);
  }
  /* A write to two tables, a branch created and deleted: four transactions a round, told in order. */
  uint64_t last = 1;
  for (long change = 0; change < THREADS * rounds * 4; change++) {
    const ArmillariaChangelogEntry *entry;
    OK(armillaria_subscription_next(subscription, 120000, NULL, &entry, &error));
    CHECK(entry != NULL && entry->tx_id == last + 1);
    last = entry->tx_id;
    armillaria_changelog_entry_free(entry);
  }
  for (int place = 0; place < THREADS; place++) {
    CHECK(pthread_join(threads[place], NULL) == 0);
  }
  CHECK(count_of(db, "shared") == (THREADS * rounds + 1) * ROWS);
  CHECK(number_of(db, "SELECT count(*) FROM shared") == (THREADS * rounds + 1) * ROWS);
  armillaria_subscription_free(subscription);
  armillaria_cancel_free(cancel);
  armillaria_database_free(db);
  CHECK(streams_alive == 0);
  return 0;
}
