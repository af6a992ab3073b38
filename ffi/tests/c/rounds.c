/* Nothing leaks: open, write, query, provoke errors and close, again and again, under AddressSanitizer and
 * LeakSanitizer. ARMILLARIA_C_ROUNDS says how often. What stays at the same address for ever is no leak to a sanitizer,
 * so the memory of the process is watched too. */
#include "arrow_build.h"

static long resident_kib(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
      break;
    }
  }
  if (status != NULL) {
    fclose(status);
  }
  return kib;
}

static void provoke_errors(const ArmillariaDatabase *db) {
  struct ArrowArrayStream stream;
  FAILS(SQL_ERROR, armillaria_query(db, TEXT("SELECT nothing FROM nowhere("), NULL, 0, NULL, NULL, &stream, &error));
  FAILS(TABLE_NOT_FOUND, armillaria_read_table(db, TEXT("nowhere"), NULL, 0, NULL, NULL, &stream, &error));
  build_stream(&stream, 0, 2, 1)->fail_with = EIO;
  const ArmillariaCommit *commit;
  FAILS(IO, armillaria_write_table(db, TEXT("t"), &stream, NULL, NULL, &commit, &error));
  CHECK(commit == NULL && stream.release == NULL);
  struct ArrowSchema schema;
  build_schema(&schema);
  FAILS(TABLE_EXISTS, armillaria_create_table(db, TEXT("t"), &schema, NULL, &commit, &error));
  CHECK(schema.release == NULL);
}

static void leave_things_half_done(const ArmillariaDatabase *db) {
  ArmillariaTransaction *tx;
  OK(armillaria_begin(db, NULL, &tx, &error));
  struct ArrowArrayStream stream;
  build_stream(&stream, 0, 2, 1);
  OK(armillaria_transaction_write_table(tx, TEXT("t"), &stream, NULL, NULL, &error));
  OK(armillaria_query(db, TEXT("SELECT * FROM t, range(100000)"), NULL, 0, NULL, NULL, &stream, &error));
  struct ArrowArray array;
  CHECK(stream.get_next(&stream, &array) == 0 && array.release != NULL);
  array.release(&array);
  stream.release(&stream);
  ArmillariaSubscription *subscription;
  OK(armillaria_subscribe(db, NULL, &subscription, &error));
  armillaria_subscription_free(subscription);
  armillaria_transaction_free(tx);
}

static void one_round(int64_t round) {
  ArmillariaOpenOptions options = {.struct_size = sizeof options, .threads = 1};
  ArmillariaDatabase *db;
  OK(armillaria_open(TEXT("memory:"), &options, &db, &error));
  armillaria_commit_free(write_rows(db, "t", round, 4, ARMILLARIA_WRITE_MODE_OVERWRITE));
  CHECK(number_of(db, "SELECT min(id) FROM t") == round);
  const ArmillariaHistory *history;
  OK(armillaria_history(db, TEXT("t"), NONE, &history, &error));
  CHECK(history->len == 1);
  armillaria_history_free(history);
  provoke_errors(db);
  leave_things_half_done(db);
  OK(armillaria_close(db, &error));
  FAILS(CLOSED, armillaria_checkout(db, TEXT("main"), &error));
  armillaria_database_free(db);
  CHECK(streams_alive == 0);
}

int main(void) {
  enum { WARM_UP = 200, GROWTH_KIB_MAX = 128 << 10 };
  long rounds = setting("ARMILLARIA_C_ROUNDS", 2000), before = 0;
  double start = now_ms();
  for (long round = 0; round < rounds; round++) {
    if (round == WARM_UP) {
      before = resident_kib();
    }
    one_round(round);
  }
  long grown = before > 0 ? resident_kib() - before : 0;
  printf("rounds: %ld in %.1f s, %ld KiB more than after %d\n", rounds, (now_ms() - start) / 1e3, grown, WARM_UP);
  CHECK(grown < GROWTH_KIB_MAX);
  return 0;
}
