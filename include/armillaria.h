/*
 * Armillaria: git for tables. Versioned, content-addressed tables with branches, SQL at any version and a changelog.
 *
 * Written by `make header` from the sources in ffi/src; do not edit.
 *
 *
 * CONVENTIONS of every function, unless its own documentation says otherwise
 *
 * Status   A function returns ARMILLARIA_STATUS_OK or the code of its error. The last argument, `error`, may be NULL;
 *          otherwise it receives NULL, or an error to be freed with armillaria_error_free. Names in capitals in the
 *          documentation of a function are the codes that belong to it; INVALID_ARGUMENT (also for NULL where a value
 *          is needed), CLOSED, IO, LOG_CORRUPT and INTERNAL can come from any, READ_ONLY and OUT_OF_SPACE from any
 *          that writes. A panic inside the library becomes INTERNAL.
 * Results  `out` receives the result. It is set to NULL (0, or a released Arrow struct) before anything else happens,
 *          whatever it held; it must not be NULL. A result belongs to the caller, is read-only, holds all that it
 *          points to, needs no handle to live, may be read by any thread, and is freed by the function of its type.
 *          Structs of results only grow at their end: never copy, allocate or measure one.
 * Handles  A shared handle may be used by any thread, by several at once. An exclusive one is used by one thread at a
 *          time, whichever. Freeing is never safe while another thread uses the handle. All free functions take NULL.
 * Options  Begin with `struct_size`, to be set to the sizeof of the struct, and only grow at their end. NULL, and zeros
 *          behind `struct_size`, mean the defaults.
 * Text     UTF-8 with a length: see ArmillariaString.
 * Rows     Travel by the Arrow C stream interface, without a copy. A stream or schema that is passed in is moved, also
 *          when the call fails: the caller's struct is left released. For one that comes out the caller passes a
 *          struct that holds nothing; it is to be released, may outlive every handle, and is exclusive. The text of its
 *          errors begins with "ARM-" and the number of the code, such as "ARM-503 the query was cancelled"; after an
 *          error it answers with the same error again.
 * Cancel   `cancel` may be NULL. Cancelling ends the call, and the stream that came out of it, with CANCELLED.
 */
#ifndef ARMILLARIA_H
#define ARMILLARIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "armillaria/arrow_c_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The library ----------------------------------------------------------------------------- */

/** The ABI that this header describes. A library of another number is not the one that this header was made for. */
#define ARMILLARIA_ABI_VERSION 1

/**
 * The ABI version of the library that was loaded. Compare it with `ARMILLARIA_ABI_VERSION` before anything else: they
 * must be equal.
 */
uint32_t armillaria_abi_version(void);

/** The version of the library, such as `0.1.0`. NUL-terminated and static: never to be freed. */
const char *armillaria_version(void);

/* ---- Strings --------------------------------------------------------------------------------- */

/**
 * Borrowed bytes that need no NUL at their end.
 *
 * As an argument: NULL with length 0 means "not given"; a pointer with length 0 is the empty string. Text must be
 * UTF-8. It is read during the call only.
 *
 * In a result: valid as long as the result; NULL means "none". Not NUL-terminated.
 */
typedef struct ArmillariaString {
  /** The first byte; may be NULL if `len` is 0. */
  const char *data;
  /** How many bytes. */
  size_t len;
} ArmillariaString;

/**
 * A string for an argument, of a text that ends with NUL and stays the caller's; "not given" for NULL.
 */
static inline ArmillariaString armillaria_string(const char *text) {
  ArmillariaString string;
  string.data = text;
  string.len = 0;
  if (text != NULL) {
    while (text[string.len] != '\0') {
      string.len++;
    }
  }
  return string;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/**
 * How a call went: 0, or the code of its error. Codes never change meaning and are never used again. A later library
 * may return others: treat them by their category.
 */
enum ArmillariaStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** It went well. */
  ARMILLARIA_STATUS_OK = 0,
  /** A bad name, option, path or value. */
  ARMILLARIA_STATUS_INVALID_ARGUMENT = 100,
  /** Columns or types do not fit the table. */
  ARMILLARIA_STATUS_SCHEMA_MISMATCH = 101,
  /** DuckDB refused the statement. */
  ARMILLARIA_STATUS_SQL_ERROR = 102,
  /** Understood and not offered. */
  ARMILLARIA_STATUS_UNSUPPORTED = 103,
  /** A write through a read-only handle. */
  ARMILLARIA_STATUS_READ_ONLY = 104,
  /** The handle was closed, or the transaction has ended. */
  ARMILLARIA_STATUS_CLOSED = 105,
  /** No such table there. */
  ARMILLARIA_STATUS_TABLE_NOT_FOUND = 200,
  /** No such version of the table. */
  ARMILLARIA_STATUS_VERSION_NOT_FOUND = 201,
  /** No such branch. */
  ARMILLARIA_STATUS_BRANCH_NOT_FOUND = 202,
  /** No such tag. */
  ARMILLARIA_STATUS_TAG_NOT_FOUND = 203,
  /** No such chunk. */
  ARMILLARIA_STATUS_CHUNK_NOT_FOUND = 204,
  /** No repository at that location. */
  ARMILLARIA_STATUS_REPOSITORY_NOT_FOUND = 205,
  /** No such transaction. */
  ARMILLARIA_STATUS_TRANSACTION_NOT_FOUND = 206,
  /** The table is there already. */
  ARMILLARIA_STATUS_TABLE_EXISTS = 300,
  /** The branch is there already. */
  ARMILLARIA_STATUS_BRANCH_EXISTS = 301,
  /** The tag is there already. */
  ARMILLARIA_STATUS_TAG_EXISTS = 302,
  /** Another commit changed what this one writes; safe to retry. */
  ARMILLARIA_STATUS_WRITE_CONFLICT = 310,
  /** Another commit changed what this one read; safe to retry. */
  ARMILLARIA_STATUS_SERIALIZATION_FAILURE = 311,
  /** Both sides changed the same thing. */
  ARMILLARIA_STATUS_MERGE_CONFLICT = 312,
  /** The low-level catalog was given a version out of sequence. */
  ARMILLARIA_STATUS_VERSION_CONFLICT = 313,
  /** Bytes do not match their name. */
  ARMILLARIA_STATUS_HASH_MISMATCH = 400,
  /** A record is damaged, missing or out of chain. */
  ARMILLARIA_STATUS_LOG_CORRUPT = 401,
  /** Written by a newer format. */
  ARMILLARIA_STATUS_FORMAT_UNSUPPORTED = 402,
  /** The operating system or the object store failed. */
  ARMILLARIA_STATUS_IO = 500,
  /** No space is left. */
  ARMILLARIA_STATUS_OUT_OF_SPACE = 501,
  /** Time ran out. */
  ARMILLARIA_STATUS_TIMEOUT = 502,
  /** The caller cancelled. */
  ARMILLARIA_STATUS_CANCELLED = 503,
  /** A bug in Armillaria. */
  ARMILLARIA_STATUS_INTERNAL = 900,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaStatus ArmillariaStatus;
#else
typedef uint32_t ArmillariaStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** What kind of trouble an error is, and so how to react to it. */
enum ArmillariaCategory
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** There is no error. */
  ARMILLARIA_CATEGORY_NONE = 0,
  /** The call is wrong: fix the input. */
  ARMILLARIA_CATEGORY_USAGE = 1,
  /** What was named is not there. */
  ARMILLARIA_CATEGORY_NOT_FOUND = 2,
  /** Somebody else got there first: retry or decide. */
  ARMILLARIA_CATEGORY_CONFLICT = 3,
  /** Stored bytes are damaged or of another format: run `armillaria_verify`. */
  ARMILLARIA_CATEGORY_INTEGRITY = 4,
  /** The surroundings failed: repair them, then open again. */
  ARMILLARIA_CATEGORY_ENVIRONMENT = 5,
  /** A bug: report it. */
  ARMILLARIA_CATEGORY_INTERNAL = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaCategory ArmillariaCategory;
#else
typedef uint32_t ArmillariaCategory;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** Why a call failed. Immutable: any thread may read it. The caller frees it. */
typedef struct ArmillariaError ArmillariaError;

/** The code of an error; `ARMILLARIA_STATUS_OK` for NULL. */
ArmillariaStatus armillaria_error_code(const ArmillariaError *error);

/** The category of an error; `ARMILLARIA_CATEGORY_NONE` for NULL. */
ArmillariaCategory armillaria_error_category(const ArmillariaError *error);

/** The name of an error's code, such as `WRITE_CONFLICT`; `OK` for NULL. NUL-terminated, valid as long as the error. */
const char *armillaria_error_name(const ArmillariaError *error);

/**
 * What was wrong, with which object, and what to do, in English; empty for NULL. NUL-terminated UTF-8, valid as long as
 * the error.
 */
const char *armillaria_error_message(const ArmillariaError *error);

/** Frees an error. NULL is allowed. */
void armillaria_error_free(ArmillariaError *error);

/* ---- Results that several functions share ---------------------------------------------------- */

/** Bytes. */
typedef struct ArmillariaBuffer {
  /** The first byte; not NULL even if there are none, and not NUL-terminated. */
  const uint8_t *data;
  /** How many bytes. */
  size_t len;
} ArmillariaBuffer;

/** Texts. */
typedef struct ArmillariaStringList {
  /** The first; NULL if there are none. */
  const ArmillariaString *items;
  /** How many. */
  size_t len;
} ArmillariaStringList;

/** Version numbers. */
typedef struct ArmillariaVersionList {
  /** The first; NULL if there are none. */
  const uint64_t *items;
  /** How many. */
  size_t len;
} ArmillariaVersionList;

/** What a commit did to one table. */
typedef struct ArmillariaCommittedTable {
  /** The table. */
  ArmillariaString table;
  /** What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`. */
  ArmillariaString kind;
  /** Whether it has a version afterwards; false where it was dropped. */
  bool has_version;
  /** Its new version. */
  uint64_t version;
  /** The rows that it now has. */
  uint64_t rows;
} ArmillariaCommittedTable;

/** What a commit did. */
typedef struct ArmillariaCommit {
  /** The transaction; where there was nothing to commit, the branch's last one. */
  uint64_t tx_id;
  /** The branch. */
  ArmillariaString branch;
  /** When, in microseconds since 1970-01-01 UTC. */
  int64_t time_us;
  /** The tables that changed, by name. */
  const ArmillariaCommittedTable *const *tables;
  /** How many. */
  size_t tables_len;
  /** Whether it changed exactly one table, which is still there. */
  bool has_version;
  /** The new version of that table. */
  uint64_t version;
  /** Rows written. */
  uint64_t rows;
  /** Chunks that had to be written. */
  uint64_t chunks_written;
  /** Chunks that were there already. */
  uint64_t chunks_reused;
  /** Bytes that had to be written: chunks and inlined rows. */
  uint64_t bytes_written;
  /** Bytes that were there already. */
  uint64_t bytes_reused;
} ArmillariaCommit;

/** Frees bytes. NULL is allowed. */
void armillaria_buffer_free(const ArmillariaBuffer *buffer);

/** Frees texts. NULL is allowed. */
void armillaria_string_list_free(const ArmillariaStringList *list);

/** Frees version numbers. NULL is allowed. */
void armillaria_version_list_free(const ArmillariaVersionList *list);

/** Frees a commit's description. NULL is allowed. */
void armillaria_commit_free(const ArmillariaCommit *commit);

/* ---- Cancelling ------------------------------------------------------------------------------ */

/**
 * Asks work to stop. Shared: any thread may use it, several at once; one token may go with many calls. Once cancelled,
 * it stays so. Work that stops answers `CANCELLED`.
 */
typedef struct ArmillariaCancel ArmillariaCancel;

/** Makes a token; free it with `armillaria_cancel_free`. */
ArmillariaCancel *armillaria_cancel_new(void);

/** Cancels all work that carries the token, now and later, and returns without waiting for it. NULL is allowed. */
void armillaria_cancel_cancel(const ArmillariaCancel *cancel);

/** Whether the token was cancelled; false for NULL. */
bool armillaria_cancel_is_cancelled(const ArmillariaCancel *cancel);

/** Frees the token; work that carries it goes on with its own reference. NULL is allowed. */
void armillaria_cancel_free(ArmillariaCancel *cancel);

/* ---- The database ---------------------------------------------------------------------------- */

/** An open repository. Shared: any thread may use it, several at once. Its current branch belongs to this handle. */
typedef struct ArmillariaDatabase ArmillariaDatabase;

/** How a repository is opened. */
typedef struct ArmillariaOpenOptions {
  /** `sizeof(ArmillariaOpenOptions)`. */
  size_t struct_size;
  /** Whether it is an error if there is no repository; otherwise it is created. */
  bool must_exist;
  /** Whether every write is refused. */
  bool read_only;
  /** Whether SQL may read files outside the repository. */
  bool external_access;
  /** Threads to work with; 0: as many as there are cores. */
  uint32_t threads;
  /** Memory for SQL in bytes; 0: most of the machine's. */
  uint64_t memory_limit_bytes;
  /** Who commits. Optional. */
  ArmillariaString author;
  /** Where data is spilled. Not given: the system's temporary directory. */
  ArmillariaString cache_dir;
} ArmillariaOpenOptions;

/** The directories of one repository whose parts stand apart. */
typedef struct ArmillariaPartLocations {
  /** `sizeof(ArmillariaPartLocations)`. */
  size_t struct_size;
  /** The chunks. Required. */
  ArmillariaString chunks;
  /** The log and all metadata. Required. */
  ArmillariaString catalog;
  /** A directory that, opened alone, shows the branches. Optional. */
  ArmillariaString branches;
  /** A directory that, opened alone, shows the transactions. Optional. */
  ArmillariaString transactions;
} ArmillariaPartLocations;

/**
 * Opens a repository, making it where there is none unless `must_exist`. `location` is a directory, or `memory:`.
 *
 * `REPOSITORY_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `LOG_CORRUPT`, `IO`, `UNSUPPORTED` (object stores).
 */
ArmillariaStatus armillaria_open(ArmillariaString location,
                                 const ArmillariaOpenOptions *options,
                                 ArmillariaDatabase **out,
                                 ArmillariaError **error);

/**
 * Opens a repository whose parts stand in directories of their own. Each of them opened alone shows the committed state.
 *
 * `INVALID_ARGUMENT` if one of them belongs to another repository; otherwise as `armillaria_open`.
 */
ArmillariaStatus armillaria_open_parts(const ArmillariaPartLocations *locations,
                                       const ArmillariaOpenOptions *options,
                                       ArmillariaDatabase **out,
                                       ArmillariaError **error);

/**
 * Closes the database: whatever is asked of it, of its transactions and of its subscriptions later is `CLOSED`; waiting
 * subscriptions wake up. Streams that were handed out can still be read. Closing again does nothing. The handle is
 * still to be freed.
 */
ArmillariaStatus armillaria_close(const ArmillariaDatabase *db,
                                  ArmillariaError **error);

/**
 * Closes the database and frees the handle, which no other thread may be using. Transactions, subscriptions and streams
 * may outlive it. NULL is allowed.
 */
void armillaria_database_free(ArmillariaDatabase *db);

/** Makes another branch the current one, for this handle. `BRANCH_NOT_FOUND`. */
ArmillariaStatus armillaria_checkout(const ArmillariaDatabase *db,
                                     ArmillariaString branch,
                                     ArmillariaError **error);

/**
 * The branch that operations look at unless told otherwise; `main` at first. The name is UTF-8, to be freed with
 * `armillaria_buffer_free`.
 */
ArmillariaStatus armillaria_current_branch(const ArmillariaDatabase *db,
                                           const ArmillariaBuffer **out,
                                           ArmillariaError **error);

/* ---- Where a read looks ---------------------------------------------------------------------- */

/** What `ArmillariaAt.point` names. */
enum ArmillariaAtPoint
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** The head of the branch. */
  ARMILLARIA_AT_POINT_HEAD = 0,
  /** What a tag names. */
  ARMILLARIA_AT_POINT_TAG = 1,
  /** All tables as a transaction left them. */
  ARMILLARIA_AT_POINT_TRANSACTION = 2,
  /** The branch as it was at a time. */
  ARMILLARIA_AT_POINT_TIME = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaAtPoint ArmillariaAtPoint;
#else
typedef uint32_t ArmillariaAtPoint;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** One version of one table. This struct never grows. */
typedef struct ArmillariaTableVersion {
  /** The table. */
  ArmillariaString table;
  /** Its version. */
  uint64_t version;
} ArmillariaTableVersion;

/**
 * Where a read looks. NULL: at the head of the current branch.
 *
 * Fields that `point` does not call for must be zeros (`INVALID_ARGUMENT`): a forgotten `point` never reads something
 * else than what was meant.
 */
typedef struct ArmillariaAt {
  /** `sizeof(ArmillariaAt)`. */
  size_t struct_size;
  /** One of `ARMILLARIA_AT_POINT_...`. */
  uint32_t point;
  /** The branch, for `HEAD` and `TIME`; says nothing for the others. Not given: the current one. */
  ArmillariaString branch;
  /** The tag, for `TAG`. */
  ArmillariaString tag;
  /** The transaction, for `TRANSACTION`; 0 is the empty beginning. */
  uint64_t tx_id;
  /** The time, for `TIME`: microseconds since 1970-01-01 UTC, inclusive. */
  int64_t time_us;
  /** Single tables to look at in a version of theirs instead, each once. */
  const ArmillariaTableVersion *versions;
  /** How many. */
  size_t versions_len;
} ArmillariaAt;

/* ---- Tables ---------------------------------------------------------------------------------- */

/** What `ArmillariaWriteOptions.mode` says: whether rows replace or follow those that are there. */
enum ArmillariaWriteMode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** The table consists of these rows. */
  ARMILLARIA_WRITE_MODE_OVERWRITE = 0,
  /** These rows come behind those that are there. */
  ARMILLARIA_WRITE_MODE_APPEND = 1,
  /** Rows with a key that is there replace it. */
  ARMILLARIA_WRITE_MODE_UPSERT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaWriteMode ArmillariaWriteMode;
#else
typedef uint32_t ArmillariaWriteMode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** How a table is created or dropped. */
typedef struct ArmillariaTableOptions {
  /** `sizeof(ArmillariaTableOptions)`. */
  size_t struct_size;
  /**
   * The key columns, for a table that is created. Row changes tell updates by them; nothing enforces that
   * they are unique.
   */
  const ArmillariaString *key;
  /** How many. */
  size_t key_len;
  /** The branch. Not given: the current one. */
  ArmillariaString branch;
  /** Why. Optional. */
  ArmillariaString message;
} ArmillariaTableOptions;

/** How rows are written. */
typedef struct ArmillariaWriteOptions {
  /** `sizeof(ArmillariaWriteOptions)`. */
  size_t struct_size;
  /** One of `ARMILLARIA_WRITE_MODE_...`. */
  uint32_t mode;
  /**
   * The key columns, for a table that is created or overwritten. Row changes tell updates by them; nothing enforces
   * that they are unique.
   */
  const ArmillariaString *key;
  /** How many. */
  size_t key_len;
  /** The branch. Not given: the current one. */
  ArmillariaString branch;
  /** Why. Optional. */
  ArmillariaString message;
} ArmillariaWriteOptions;

/** A table. */
typedef struct ArmillariaTableInfo {
  /** Its name. */
  ArmillariaString name;
  /** Its version there. */
  uint64_t version;
  /** Its rows. */
  uint64_t rows;
  /** Its chunks. */
  uint64_t chunks;
  /** Bytes of its chunks and inlined rows. */
  uint64_t bytes;
} ArmillariaTableInfo;

/** Tables, by name. */
typedef struct ArmillariaTableList {
  /** The first; NULL if there are none. */
  const ArmillariaTableInfo *const *items;
  /** How many. */
  size_t len;
} ArmillariaTableList;

/** One version of a table, as its history tells it. */
typedef struct ArmillariaHistoryEntry {
  /** The version; for a drop, the one that was dropped. */
  uint64_t version;
  /** The transaction that brought it to the branch. */
  uint64_t tx_id;
  /** The branch of that transaction. */
  ArmillariaString branch;
  /** When, in microseconds since 1970-01-01 UTC. */
  int64_t time_us;
  /** Who; NULL if nobody said. */
  ArmillariaString author;
  /** Why; NULL if nobody said. */
  ArmillariaString message;
  /** What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`. */
  ArmillariaString kind;
  /** The rows of the version; 0 after a drop. */
  uint64_t rows;
  /** Its chunks. */
  uint64_t chunks;
  /** Bytes of its chunks and inlined rows. */
  uint64_t bytes;
} ArmillariaHistoryEntry;

/** The versions of a table, oldest first. */
typedef struct ArmillariaHistory {
  /** The first; NULL if there are none. */
  const ArmillariaHistoryEntry *const *items;
  /** How many. */
  size_t len;
} ArmillariaHistory;

/** How two versions of a table differ. */
typedef struct ArmillariaDiff {
  /** Rows that only the second has. */
  uint64_t rows_added;
  /** Rows that only the first has. */
  uint64_t rows_removed;
  /** Rows of one key that differ; always 0 without key columns. */
  uint64_t rows_modified;
  /** How the columns differ, in words. */
  const ArmillariaString *schema_changes;
  /** How many. */
  size_t schema_changes_len;
} ArmillariaDiff;

/**
 * Creates a table without rows. `schema`: a struct whose fields are the columns; it is moved, also when the call fails.
 *
 * `TABLE_EXISTS`, `INVALID_ARGUMENT`, `UNSUPPORTED` (a column's type).
 */
ArmillariaStatus armillaria_create_table(const ArmillariaDatabase *db,
                                         ArmillariaString name,
                                         struct ArrowSchema *schema,
                                         const ArmillariaTableOptions *options,
                                         const ArmillariaCommit **out,
                                         ArmillariaError **error);

/** Drops a table from a branch; its versions stay. Of the options, `key` must not be given. `TABLE_NOT_FOUND`. */
ArmillariaStatus armillaria_drop_table(const ArmillariaDatabase *db,
                                       ArmillariaString name,
                                       const ArmillariaTableOptions *options,
                                       const ArmillariaCommit **out,
                                       ArmillariaError **error);

/** The tables there are, by name. */
ArmillariaStatus armillaria_list_tables(const ArmillariaDatabase *db,
                                        const ArmillariaAt *at,
                                        const ArmillariaTableList **out,
                                        ArmillariaError **error);

/**
 * The columns of a table, as a struct whose fields they are; released by the caller. `TABLE_NOT_FOUND`,
 * `VERSION_NOT_FOUND`.
 */
ArmillariaStatus armillaria_table_schema(const ArmillariaDatabase *db,
                                         ArmillariaString name,
                                         const ArmillariaAt *at,
                                         struct ArrowSchema *out,
                                         ArmillariaError **error);

/** The key columns of a table; none if it has no key. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`. */
ArmillariaStatus armillaria_table_key(const ArmillariaDatabase *db,
                                      ArmillariaString name,
                                      const ArmillariaAt *at,
                                      const ArmillariaStringList **out,
                                      ArmillariaError **error);

/**
 * Writes rows, creating the table if it is not there; when this returns, they are durable. `rows` is moved, also when
 * the call fails, and read on this thread until it ends.
 *
 * `SCHEMA_MISMATCH`, `WRITE_CONFLICT`, `UNSUPPORTED` (mode upsert), `CANCELLED` (nothing was written); where `rows`
 * fails: the code that its text begins with, as in "ARM-400 the bytes ..."; else `INVALID_ARGUMENT` for `EINVAL`,
 * `CANCELLED` for `ECANCELED`, `IO` for others, with its own message.
 */
ArmillariaStatus armillaria_write_table(const ArmillariaDatabase *db,
                                        ArmillariaString name,
                                        struct ArrowArrayStream *rows,
                                        const ArmillariaWriteOptions *options,
                                        const ArmillariaCancel *cancel,
                                        const ArmillariaCommit **out,
                                        ArmillariaError **error);

/**
 * Streams a table. `columns` chooses and orders them; NULL: all. The stream verifies every chunk that it reads.
 *
 * `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (a column that is not there); in the stream also
 * `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`.
 */
ArmillariaStatus armillaria_read_table(const ArmillariaDatabase *db,
                                       ArmillariaString name,
                                       const ArmillariaString *columns,
                                       size_t columns_len,
                                       const ArmillariaAt *at,
                                       const ArmillariaCancel *cancel,
                                       struct ArrowArrayStream *out,
                                       ArmillariaError **error);

/**
 * What happened to a table on a branch and on those that it started from, oldest first. `branch` not given: the current
 * one. `TABLE_NOT_FOUND`, `BRANCH_NOT_FOUND`.
 */
ArmillariaStatus armillaria_history(const ArmillariaDatabase *db,
                                    ArmillariaString name,
                                    ArmillariaString branch,
                                    const ArmillariaHistory **out,
                                    ArmillariaError **error);

/**
 * Counts in how many rows version `to` of a table differs from version `from`. With key columns, rows of one key that
 * differ count as modified.
 *
 * `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (a key column that is not there), `CANCELLED`.
 */
ArmillariaStatus armillaria_diff_versions(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          uint64_t from,
                                          uint64_t to,
                                          const ArmillariaString *key,
                                          size_t key_len,
                                          const ArmillariaCancel *cancel,
                                          const ArmillariaDiff **out,
                                          ArmillariaError **error);

/**
 * Streams the rows in which version `to` differs from version `from`, with `_change_type`: `insert`, `delete`, and with
 * key columns also `update_preimage` and `update_postimage`. Errors as for `armillaria_diff_versions`.
 */
ArmillariaStatus armillaria_diff_rows(const ArmillariaDatabase *db,
                                      ArmillariaString name,
                                      uint64_t from,
                                      uint64_t to,
                                      const ArmillariaString *key,
                                      size_t key_len,
                                      const ArmillariaCancel *cancel,
                                      struct ArrowArrayStream *out,
                                      ArmillariaError **error);

/**
 * Brings the rows of a table together in fewer chunks, without changing data. `branch` not given: the current one.
 * `*out` is NULL where there is nothing to do. `TABLE_NOT_FOUND`, `WRITE_CONFLICT`, `CANCELLED` (nothing was committed).
 */
ArmillariaStatus armillaria_compact(const ArmillariaDatabase *db,
                                    ArmillariaString name,
                                    ArmillariaString branch,
                                    const ArmillariaCancel *cancel,
                                    const ArmillariaCommit **out,
                                    ArmillariaError **error);

/** Frees a list of tables. NULL is allowed. */
void armillaria_table_list_free(const ArmillariaTableList *list);

/** Frees a history. NULL is allowed. */
void armillaria_history_free(const ArmillariaHistory *history);

/** Frees a difference. NULL is allowed. */
void armillaria_diff_free(const ArmillariaDiff *diff);

/* ---- SQL ------------------------------------------------------------------------------------- */

/** What `ArmillariaParameter.kind` says: the SQL type of the value, and the field that holds it. */
enum ArmillariaParameterKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** `NULL`; no field. */
  ARMILLARIA_PARAMETER_NULL = 0,
  /** `BOOLEAN`, in `integer`: 0 or 1. */
  ARMILLARIA_PARAMETER_BOOL = 1,
  /** `BIGINT`, in `integer`. */
  ARMILLARIA_PARAMETER_INT = 2,
  /** `UBIGINT`, in `unsigned_integer`. */
  ARMILLARIA_PARAMETER_UINT = 3,
  /** `DOUBLE`, in `real`. */
  ARMILLARIA_PARAMETER_FLOAT = 4,
  /** `VARCHAR`, in `bytes`: UTF-8. */
  ARMILLARIA_PARAMETER_TEXT = 5,
  /** `BLOB`, in `bytes`. */
  ARMILLARIA_PARAMETER_BYTES = 6,
  /** `DATE`, in `integer`: days since 1970-01-01. */
  ARMILLARIA_PARAMETER_DATE = 7,
  /** `TIME`, in `integer`: microseconds since midnight. */
  ARMILLARIA_PARAMETER_TIME = 8,
  /** `TIMESTAMP`, in `integer`: microseconds since 1970-01-01 UTC. */
  ARMILLARIA_PARAMETER_TIMESTAMP = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaParameterKind ArmillariaParameterKind;
#else
typedef uint32_t ArmillariaParameterKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** The value of a parameter of a statement. This struct never grows. */
typedef struct ArmillariaParameter {
  /** One of `ARMILLARIA_PARAMETER_...`. */
  uint32_t kind;
  /** For `$name`; not given: for `?` and `$1`, by position. All parameters of a call are named, or none is. */
  ArmillariaString name;
  /** See the kinds. */
  int64_t integer;
  /** See the kinds. */
  uint64_t unsigned_integer;
  /** See the kinds. */
  double real;
  /** See the kinds. */
  ArmillariaString bytes;
} ArmillariaParameter;

/**
 * Runs one SELECT, over any tables and versions, and streams its rows.
 *
 * A table reference may say where it looks: `AT (VERSION => 3)`, `AT (VERSION => 'branch or tag')`,
 * `AT (TIMESTAMP => ...)`. A name is a branch's, else a tag's; `'branch:name'` and `'tag:name'` say which.
 * Each chunk is checked against its hash before the first statement of a handle reads it.
 *
 * `SQL_ERROR`, `UNSUPPORTED` (no SELECT), `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (parameters),
 * `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`; also in the stream.
 */
ArmillariaStatus armillaria_query(const ArmillariaDatabase *db,
                                  ArmillariaString sql,
                                  const ArmillariaParameter *parameters,
                                  size_t parameters_len,
                                  const ArmillariaAt *at,
                                  const ArmillariaCancel *cancel,
                                  struct ArrowArrayStream *out,
                                  ArmillariaError **error);

/** Runs a statement that changes tables: `UNSUPPORTED` for now. */
ArmillariaStatus armillaria_execute(const ArmillariaDatabase *db,
                                    ArmillariaString sql,
                                    const ArmillariaParameter *parameters,
                                    size_t parameters_len,
                                    const ArmillariaCancel *cancel,
                                    const ArmillariaCommit **out,
                                    ArmillariaError **error);

/* ---- Branches -------------------------------------------------------------------------------- */

/** A branch. */
typedef struct ArmillariaBranchInfo {
  /** Its name. */
  ArmillariaString name;
  /** The last transaction on it. */
  uint64_t head_tx_id;
  /** The branch that it started from; NULL for `main`. */
  ArmillariaString from_branch;
  /** Whether it started from another branch; false for `main`. */
  bool has_from_tx_id;
  /** The transaction that it started at. */
  uint64_t from_tx_id;
  /** When it was created, in microseconds since 1970-01-01 UTC; 0 for `main`. */
  int64_t created_us;
  /** What it is for; NULL if nobody said. */
  ArmillariaString description;
} ArmillariaBranchInfo;

/** Branches, by name. */
typedef struct ArmillariaBranchList {
  /** The first; there is always one. */
  const ArmillariaBranchInfo *const *items;
  /** How many. */
  size_t len;
} ArmillariaBranchList;

/** A table that two branches have in different versions. */
typedef struct ArmillariaModifiedTable {
  /** The table. */
  ArmillariaString table;
  /** Its version on the first branch. */
  uint64_t version_in_a;
  /** Its version on the second branch. */
  uint64_t version_in_b;
} ArmillariaModifiedTable;

/** How two branches differ, by the versions that their heads hold. */
typedef struct ArmillariaBranchDiff {
  /** Tables of the first that the second has not. */
  const ArmillariaString *added;
  /** How many. */
  size_t added_len;
  /** Tables of the second that the first has not. */
  const ArmillariaString *removed;
  /** How many. */
  size_t removed_len;
  /** Tables of both in different versions. */
  const ArmillariaModifiedTable *const *modified;
  /** How many. */
  size_t modified_len;
} ArmillariaBranchDiff;

/**
 * Creates a branch, at any place that can be read; the same work for one table or ten thousand. `description` is
 * optional. `BRANCH_EXISTS`; `INVALID_ARGUMENT` if `from` names versions of single tables.
 */
ArmillariaStatus armillaria_create_branch(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          const ArmillariaAt *from,
                                          ArmillariaString description,
                                          ArmillariaError **error);

/** Deletes a branch; its transactions and versions stay. `BRANCH_NOT_FOUND`; `INVALID_ARGUMENT` for `main`. */
ArmillariaStatus armillaria_delete_branch(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          ArmillariaError **error);

/** All branches, by name. */
ArmillariaStatus armillaria_list_branches(const ArmillariaDatabase *db,
                                          const ArmillariaBranchList **out,
                                          ArmillariaError **error);

/** How the heads of two branches differ. `BRANCH_NOT_FOUND`. */
ArmillariaStatus armillaria_diff_branches(const ArmillariaDatabase *db,
                                          ArmillariaString a,
                                          ArmillariaString b,
                                          const ArmillariaBranchDiff **out,
                                          ArmillariaError **error);

/**
 * Makes a branch hold these versions of these tables, in one transaction; a version of 0 drops the table. Tables that
 * are not named stay as they are. `message` is optional.
 *
 * `BRANCH_NOT_FOUND`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
 */
ArmillariaStatus armillaria_set_branch_versions(const ArmillariaDatabase *db,
                                                ArmillariaString branch,
                                                const ArmillariaTableVersion *versions,
                                                size_t versions_len,
                                                ArmillariaString message,
                                                const ArmillariaCommit **out,
                                                ArmillariaError **error);

/** Frees a list of branches. NULL is allowed. */
void armillaria_branch_list_free(const ArmillariaBranchList *list);

/** Frees a difference of branches. NULL is allowed. */
void armillaria_branch_diff_free(const ArmillariaBranchDiff *diff);

/* ---- Merging and reverting ------------------------------------------------------------------- */

/** What `ArmillariaMergeOptions.strategy` says: what to do with a table that both sides changed. */
enum ArmillariaMergeStrategy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** `MERGE_CONFLICT`, naming the tables. */
  ARMILLARIA_MERGE_STRATEGY_FAIL = 0,
  /** Keep what the receiving branch has. */
  ARMILLARIA_MERGE_STRATEGY_OURS = 1,
  /** Take what the merged branch has. */
  ARMILLARIA_MERGE_STRATEGY_THEIRS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaMergeStrategy ArmillariaMergeStrategy;
#else
typedef uint32_t ArmillariaMergeStrategy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** What `ArmillariaMergeReport.kind` says: what a merge came to. */
enum ArmillariaMergeKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** There was nothing to take over. */
  ARMILLARIA_MERGE_KIND_UP_TO_DATE = 0,
  /** Only the merged side had moved. */
  ARMILLARIA_MERGE_KIND_FAST_FORWARD = 1,
  /** Both sides had moved. */
  ARMILLARIA_MERGE_KIND_MERGED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaMergeKind ArmillariaMergeKind;
#else
typedef uint32_t ArmillariaMergeKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** How branches are merged. */
typedef struct ArmillariaMergeOptions {
  /** `sizeof(ArmillariaMergeOptions)`. */
  size_t struct_size;
  /** One of `ARMILLARIA_MERGE_STRATEGY_...`. */
  uint32_t strategy;
  /** Whether to say only what would happen. */
  bool dry_run;
  /** The receiving branch. Not given: the current one. */
  ArmillariaString into;
  /** Why. Optional. */
  ArmillariaString message;
} ArmillariaMergeOptions;

/** What a merge did, or would do. */
typedef struct ArmillariaMergeReport {
  /** One of `ARMILLARIA_MERGE_KIND_...`. */
  uint32_t kind;
  /** Whether there is a transaction: not for a dry run, nor where there was nothing to do. */
  bool has_tx_id;
  /** The transaction. */
  uint64_t tx_id;
  /** The tables that it changed on the receiving branch, by name. */
  const ArmillariaString *tables;
  /** How many. */
  size_t tables_len;
  /** The tables that both sides changed, by name, whatever the strategy made of them. */
  const ArmillariaString *conflicts;
  /** How many. */
  size_t conflicts_len;
} ArmillariaMergeReport;

/**
 * Merges a branch into another, three-way from their common ancestor, table by table.
 *
 * `BRANCH_NOT_FOUND`; `MERGE_CONFLICT` unless the strategy decides or it is a dry run.
 */
ArmillariaStatus armillaria_merge_branch(const ArmillariaDatabase *db,
                                         ArmillariaString source,
                                         const ArmillariaMergeOptions *options,
                                         const ArmillariaMergeReport **out,
                                         ArmillariaError **error);

/**
 * Undoes what a transaction did to tables, by a new transaction on the same branch. `message` is optional.
 *
 * `TRANSACTION_NOT_FOUND`, `MERGE_CONFLICT` (a table changed again since), `INVALID_ARGUMENT` (it changed none).
 */
ArmillariaStatus armillaria_revert(const ArmillariaDatabase *db,
                                   uint64_t tx_id,
                                   ArmillariaString message,
                                   const ArmillariaCommit **out,
                                   ArmillariaError **error);

/** Frees the report of a merge. NULL is allowed. */
void armillaria_merge_report_free(const ArmillariaMergeReport *report);

/* ---- Tags ------------------------------------------------------------------------------------ */

/** A tag. */
typedef struct ArmillariaTagInfo {
  /** Its name. */
  ArmillariaString name;
  /** The transaction that it names. */
  uint64_t tx_id;
  /** When it was given, in microseconds since 1970-01-01 UTC. */
  int64_t created_us;
} ArmillariaTagInfo;

/** Tags, by name. */
typedef struct ArmillariaTagList {
  /** The first; NULL if there are none. */
  const ArmillariaTagInfo *const *items;
  /** How many. */
  size_t len;
} ArmillariaTagList;

/** Gives a name to a place, for ever. `TAG_EXISTS`; `INVALID_ARGUMENT` if `at` names versions of single tables. */
ArmillariaStatus armillaria_create_tag(const ArmillariaDatabase *db,
                                       ArmillariaString name,
                                       const ArmillariaAt *at,
                                       ArmillariaError **error);

/** Takes a tag away. `TAG_NOT_FOUND`. */
ArmillariaStatus armillaria_delete_tag(const ArmillariaDatabase *db,
                                       ArmillariaString name,
                                       ArmillariaError **error);

/** All tags, by name. */
ArmillariaStatus armillaria_list_tags(const ArmillariaDatabase *db,
                                      const ArmillariaTagList **out,
                                      ArmillariaError **error);

/** Frees a list of tags. NULL is allowed. */
void armillaria_tag_list_free(const ArmillariaTagList *list);

/* ---- Transactions ---------------------------------------------------------------------------- */

/**
 * A transaction over any number of tables. It reads a snapshot and its own writes. Exclusive: one thread at a time. It
 * may outlive the handle of its database, and then answers `CLOSED`.
 */
typedef struct ArmillariaTransaction ArmillariaTransaction;

/** What `ArmillariaBeginOptions.isolation` says: how much a transaction is kept apart from others. */
enum ArmillariaIsolation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** Reads a snapshot; fails if another commit changed what it writes. */
  ARMILLARIA_ISOLATION_SNAPSHOT = 0,
  /** Also fails if another commit changed a table that it read. */
  ARMILLARIA_ISOLATION_SERIALIZABLE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ArmillariaIsolation ArmillariaIsolation;
#else
typedef uint32_t ArmillariaIsolation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** How a transaction begins. */
typedef struct ArmillariaBeginOptions {
  /** `sizeof(ArmillariaBeginOptions)`. */
  size_t struct_size;
  /** One of `ARMILLARIA_ISOLATION_...`. */
  uint32_t isolation;
  /** The branch. Not given: the current one. */
  ArmillariaString branch;
} ArmillariaBeginOptions;

/** Begins a transaction; to be freed, whether it was committed or not. `BRANCH_NOT_FOUND`. */
ArmillariaStatus armillaria_begin(const ArmillariaDatabase *db,
                                  const ArmillariaBeginOptions *options,
                                  ArmillariaTransaction **out,
                                  ArmillariaError **error);

/** Runs one SELECT over what this transaction sees; as `armillaria_query`. The stream may outlive the transaction. */
ArmillariaStatus armillaria_transaction_query(const ArmillariaTransaction *tx,
                                              ArmillariaString sql,
                                              const ArmillariaParameter *parameters,
                                              size_t parameters_len,
                                              const ArmillariaCancel *cancel,
                                              struct ArrowArrayStream *out,
                                              ArmillariaError **error);

/** Streams a table as this transaction sees it; as `armillaria_read_table`. */
ArmillariaStatus armillaria_transaction_read_table(const ArmillariaTransaction *tx,
                                                   ArmillariaString name,
                                                   const ArmillariaString *columns,
                                                   size_t columns_len,
                                                   const ArmillariaCancel *cancel,
                                                   struct ArrowArrayStream *out,
                                                   ArmillariaError **error);

/**
 * Prepares rows, which show to others with the commit; as `armillaria_write_table`. `rows` is moved, also when the call
 * fails. It may be a stream that the same transaction handed out; callbacks of the caller's own must not call functions of
 * the transaction. Of the options, `branch` and `message` must not be given: they belong to the beginning and to the
 * commit.
 */
ArmillariaStatus armillaria_transaction_write_table(const ArmillariaTransaction *tx,
                                                    ArmillariaString name,
                                                    struct ArrowArrayStream *rows,
                                                    const ArmillariaWriteOptions *options,
                                                    const ArmillariaCancel *cancel,
                                                    ArmillariaError **error);

/** Prepares a new table without rows; as `armillaria_create_table`. `schema` is moved, also when the call fails. */
ArmillariaStatus armillaria_transaction_create_table(const ArmillariaTransaction *tx,
                                                     ArmillariaString name,
                                                     struct ArrowSchema *schema,
                                                     const ArmillariaString *key,
                                                     size_t key_len,
                                                     ArmillariaError **error);

/** Prepares the end of a table; as `armillaria_drop_table`. */
ArmillariaStatus armillaria_transaction_drop_table(const ArmillariaTransaction *tx,
                                                   ArmillariaString name,
                                                   ArmillariaError **error);

/** The names of the tables that this transaction sees, in order. */
ArmillariaStatus armillaria_transaction_list_tables(const ArmillariaTransaction *tx,
                                                    const ArmillariaStringList **out,
                                                    ArmillariaError **error);

/** The columns of a table as this transaction sees it; as `armillaria_table_schema`. */
ArmillariaStatus armillaria_transaction_table_schema(const ArmillariaTransaction *tx,
                                                     ArmillariaString name,
                                                     struct ArrowSchema *out,
                                                     ArmillariaError **error);

/** Runs a statement that changes tables: `UNSUPPORTED` for now. */
ArmillariaStatus armillaria_transaction_execute(const ArmillariaTransaction *tx,
                                                ArmillariaString sql,
                                                const ArmillariaParameter *parameters,
                                                size_t parameters_len,
                                                const ArmillariaCancel *cancel,
                                                ArmillariaError **error);

/** Prepares a version that is a bare list of chunks; as `armillaria_commit_chunks`. */
ArmillariaStatus armillaria_transaction_commit_chunks(const ArmillariaTransaction *tx,
                                                      ArmillariaString name,
                                                      uint64_t version,
                                                      const ArmillariaString *chunk_hashes,
                                                      size_t chunk_hashes_len,
                                                      ArmillariaError **error);

/**
 * Commits everything or nothing; durable when this returns. `message` is optional. Whatever the outcome, the transaction
 * has ended.
 *
 * `WRITE_CONFLICT`, `SERIALIZATION_FAILURE`, `CLOSED`.
 */
ArmillariaStatus armillaria_transaction_commit(const ArmillariaTransaction *tx,
                                               ArmillariaString message,
                                               const ArmillariaCommit **out,
                                               ArmillariaError **error);

/** Forgets what was prepared. `CLOSED` if the transaction has ended already. */
ArmillariaStatus armillaria_transaction_rollback(const ArmillariaTransaction *tx,
                                                 ArmillariaError **error);

/** Frees the transaction, rolling it back if it is open. NULL is allowed. */
void armillaria_transaction_free(ArmillariaTransaction *tx);

/* ---- The changelog --------------------------------------------------------------------------- */

/** Which entries of the changelog are wanted. What is not set is not asked for. */
typedef struct ArmillariaChangesOptions {
  /** `sizeof(ArmillariaChangesOptions)`. */
  size_t struct_size;
  /** Whether `since_tx` counts. */
  bool has_since_tx;
  /** Whether `until_tx` counts. */
  bool has_until_tx;
  /** Whether `from_time_us` counts. */
  bool has_from_time;
  /** Whether `to_time_us` counts. */
  bool has_to_time;
  /** Whether `limit` counts. */
  bool has_limit;
  /** Only transactions after this one, exclusive. */
  uint64_t since_tx;
  /** Only transactions up to this one, inclusive. */
  uint64_t until_tx;
  /** Only from this time on, inclusive, in microseconds since 1970-01-01 UTC. */
  int64_t from_time_us;
  /** Only up to this time, inclusive. */
  int64_t to_time_us;
  /** Only the first so many. */
  uint64_t limit;
  /** Only transactions that changed one of these tables; none: any. */
  const ArmillariaString *tables;
  /** How many. */
  size_t tables_len;
  /** Only transactions on this branch. Not given: on all. */
  ArmillariaString branch;
} ArmillariaChangesOptions;

/** What a transaction did to one table. */
typedef struct ArmillariaChangedTable {
  /** The table. */
  ArmillariaString table;
  /** What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`. */
  ArmillariaString kind;
  /** Whether there was such a table before. */
  bool has_from_version;
  /** Whether there is one afterwards. */
  bool has_to_version;
  /** The version before. */
  uint64_t from_version;
  /** The version after. */
  uint64_t to_version;
  /** Rows that came; an overwrite counts all its rows. */
  uint64_t rows_added;
  /** Rows that went; an overwrite counts all rows there were. */
  uint64_t rows_removed;
} ArmillariaChangedTable;

/** A branch or tag that was created or deleted. */
typedef struct ArmillariaChangedRef {
  /** `create_branch`, `delete_branch`, `create_tag` or `delete_tag`. */
  ArmillariaString kind;
  /** The branch or tag. */
  ArmillariaString name;
  /** For `create_tag` what it names, for `create_branch` where it starts; otherwise 0. */
  uint64_t target_tx_id;
} ArmillariaChangedRef;

/** One transaction, as the changelog tells it. */
typedef struct ArmillariaChangelogEntry {
  /** The transaction; a subscriber that stores it can go on from it. */
  uint64_t tx_id;
  /** The branch it stands on. */
  ArmillariaString branch;
  /** When, in microseconds since 1970-01-01 UTC. */
  int64_t time_us;
  /** Who; NULL if nobody said. */
  ArmillariaString author;
  /** Why; NULL if nobody said. */
  ArmillariaString message;
  /** What sort of transaction: `commit`, `merge`, `fast_forward`, `revert`, `refs` or `fold`. */
  ArmillariaString kind;
  /** The heads it follows. */
  const uint64_t *parents;
  /** How many. */
  size_t parents_len;
  /** What happened to tables; with a filter on tables, only to those. */
  const ArmillariaChangedTable *const *tables;
  /** How many. */
  size_t tables_len;
  /** What happened to branches and tags. */
  const ArmillariaChangedRef *const *refs;
  /** How many. */
  size_t refs_len;
} ArmillariaChangelogEntry;

/** Entries of the changelog, oldest first. */
typedef struct ArmillariaChangelog {
  /** The first; NULL if there are none. */
  const ArmillariaChangelogEntry *const *items;
  /** How many. */
  size_t len;
} ArmillariaChangelog;

/** The newest transaction; 0 in a new repository. */
ArmillariaStatus armillaria_latest_tx_id(const ArmillariaDatabase *db,
                                         uint64_t *out,
                                         ArmillariaError **error);

/** The changelog as a batch, oldest first. `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`. */
ArmillariaStatus armillaria_changes(const ArmillariaDatabase *db,
                                    const ArmillariaChangesOptions *options,
                                    const ArmillariaChangelog **out,
                                    ArmillariaError **error);

/**
 * Streams the rows that came and went after version `from_version` (0: from nothing) and up to `to_version`, with
 * `_change_type` (`insert`, `delete`, `update_preimage`, `update_postimage`), `_commit_version`, `_commit_timestamp`
 * and `_tx_id`. The columns are those of `to_version`, then those that only earlier versions had; one that changed its
 * type has a type that holds all its values.
 *
 * `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (one did not grow out of the other), `UNSUPPORTED` (no type
 * holds all values of a column; also in the stream), `CANCELLED`.
 */
ArmillariaStatus armillaria_table_changes(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          uint64_t from_version,
                                          uint64_t to_version,
                                          const ArmillariaCancel *cancel,
                                          struct ArrowArrayStream *out,
                                          ArmillariaError **error);

/** Frees a changelog with its entries. NULL is allowed. */
void armillaria_changelog_free(const ArmillariaChangelog *changelog);

/** Frees an entry that came from `armillaria_subscription_next`; those of a changelog are freed with it. NULL is allowed. */
void armillaria_changelog_entry_free(const ArmillariaChangelogEntry *entry);

/* ---- Subscriptions --------------------------------------------------------------------------- */

/**
 * A cursor over the changelog that can wait for what comes next. Exclusive: one thread at a time, but any thread may
 * close it. It may outlive the handle of its database, and then answers `CLOSED`.
 */
typedef struct ArmillariaSubscription ArmillariaSubscription;

/**
 * Follows the changelog. Of the options, `until_tx`, the times and `limit` say nothing; without `since_tx` it begins
 * behind the newest transaction. A subscriber that stores the last `tx_id` it handled and starts again from there misses
 * nothing and sees nothing twice.
 *
 * `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
 */
ArmillariaStatus armillaria_subscribe(const ArmillariaDatabase *db,
                                      const ArmillariaChangesOptions *options,
                                      ArmillariaSubscription **out,
                                      ArmillariaError **error);

/**
 * The next entry, waiting for it up to `timeout_ms` (0: not at all; -1: for ever); `*out` is NULL if none came. Free it
 * with `armillaria_changelog_entry_free`.
 *
 * `CLOSED` after the subscription or its database was closed, `CANCELLED` (the subscription goes on): both at once, also
 * while this waits.
 */
ArmillariaStatus armillaria_subscription_next(const ArmillariaSubscription *subscription,
                                              int64_t timeout_ms,
                                              const ArmillariaCancel *cancel,
                                              const ArmillariaChangelogEntry **out,
                                              ArmillariaError **error);

/** The last transaction that was handed out or passed over. */
ArmillariaStatus armillaria_subscription_cursor(const ArmillariaSubscription *subscription,
                                                uint64_t *out,
                                                ArmillariaError **error);

/**
 * Ends the subscription, from any thread: a waiting `armillaria_subscription_next` answers `CLOSED`. Closing again does
 * nothing. The handle is still to be freed.
 */
ArmillariaStatus armillaria_subscription_close(const ArmillariaSubscription *subscription,
                                               ArmillariaError **error);

/**
 * Frees the subscription, which no other thread may be using: close it first and let a waiting call return. NULL is
 * allowed.
 */
void armillaria_subscription_free(ArmillariaSubscription *subscription);

/* ---- Health ---------------------------------------------------------------------------------- */

/** Something that is damaged or missing. */
typedef struct ArmillariaProblem {
  /** What: a chunk, a node, a place in the log, a checkpoint, an index file. */
  ArmillariaString object;
  /** The name of the error code, such as `HASH_MISMATCH`. */
  ArmillariaString code;
  /** The error in words. */
  ArmillariaString message;
  /** The table versions that need it, in order. */
  const ArmillariaTableVersion *affects;
  /** How many. */
  size_t affects_len;
} ArmillariaProblem;

/** What a verification found. */
typedef struct ArmillariaVerifyReport {
  /** Whether nothing is damaged or missing. */
  bool ok;
  /** Log records read. */
  uint64_t records;
  /** Transactions in them. */
  uint64_t transactions;
  /** Table versions in them. */
  uint64_t versions;
  /** Chunks that versions use. */
  uint64_t chunks;
  /** Bytes of those chunks. */
  uint64_t chunk_bytes;
  /** Chunks that no version uses: leftovers of writes that were never committed. */
  uint64_t unused_chunks;
  /** What is damaged or missing. */
  const ArmillariaProblem *const *problems;
  /** How many. */
  size_t problems_len;
  /** What is unusual and costs nothing, such as the torn end of a write that was never acknowledged. */
  const ArmillariaString *notes;
  /** How many. */
  size_t notes_len;
} ArmillariaVerifyReport;

/** How much a repository holds. */
typedef struct ArmillariaStats {
  /** Tables at the head of any branch. */
  uint64_t tables;
  /** Table versions ever made. */
  uint64_t versions;
  /** Transactions. */
  uint64_t transactions;
  /** Branches, `main` included. */
  uint64_t branches;
  /** Tags. */
  uint64_t tags;
  /** Chunk files. */
  uint64_t chunks;
  /** Bytes of chunk files. */
  uint64_t chunk_bytes;
  /** Bytes of log records. */
  uint64_t log_bytes;
  /** Bytes of all that: chunks, records and metadata nodes. */
  uint64_t bytes_stored;
  /** Bytes that all versions together would take if each were stored by itself. */
  uint64_t bytes_logical;
  /** `bytes_logical` over `bytes_stored`; 0 in an empty repository. */
  double dedup_ratio;
} ArmillariaStats;

/**
 * Reads everything and reports what is damaged, which is no error; with `deep` also every chunk's bytes. `CANCELLED`,
 * `IO`.
 */
ArmillariaStatus armillaria_verify(const ArmillariaDatabase *db,
                                   bool deep,
                                   const ArmillariaCancel *cancel,
                                   const ArmillariaVerifyReport **out,
                                   ArmillariaError **error);

/** Counts what there is; reads the whole log. `LOG_CORRUPT`. */
ArmillariaStatus armillaria_stats(const ArmillariaDatabase *db,
                                  const ArmillariaStats **out,
                                  ArmillariaError **error);

/**
 * Shows a stored object as JSON (UTF-8): `repo`; `tx:42`, a transaction as the log keeps it; `users@3`, what a table
 * version consists of; `chunk:<hash>`, what a chunk says of itself; `node:<hash>`, a metadata node.
 *
 * `INVALID_ARGUMENT` for anything else; the `..._NOT_FOUND` of the object.
 */
ArmillariaStatus armillaria_inspect(const ArmillariaDatabase *db,
                                    ArmillariaString object,
                                    const ArmillariaBuffer **out,
                                    ArmillariaError **error);

/** Frees the report of a verification. NULL is allowed. */
void armillaria_verify_report_free(const ArmillariaVerifyReport *report);

/** Frees statistics. NULL is allowed. */
void armillaria_stats_free(const ArmillariaStats *stats);

/* ---- The low-level catalog: versions as bare lists of chunks --------------------------------- */

/**
 * Commits a version of a table that is a list of chunks, named by 64 hex digits each. The chunks need not be there yet;
 * to be read as rows they must be Parquet files of one schema. `version` must be the table's next one. Of the options,
 * `key` must not be given.
 *
 * `VERSION_CONFLICT`, `INVALID_ARGUMENT` (a hash), `WRITE_CONFLICT`.
 */
ArmillariaStatus armillaria_commit_chunks(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          uint64_t version,
                                          const ArmillariaString *chunk_hashes,
                                          size_t chunk_hashes_len,
                                          const ArmillariaTableOptions *options,
                                          const ArmillariaCommit **out,
                                          ArmillariaError **error);

/**
 * The chunks of a version of a table, in order, and which version it is. `version` 0: the latest ever made.
 * `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
 */
ArmillariaStatus armillaria_chunk_hashes(const ArmillariaDatabase *db,
                                         ArmillariaString name,
                                         uint64_t version,
                                         uint64_t *version_out,
                                         const ArmillariaStringList **out,
                                         ArmillariaError **error);

/** All versions of a table that were ever made, on any branch, ascending. `TABLE_NOT_FOUND`. */
ArmillariaStatus armillaria_list_versions(const ArmillariaDatabase *db,
                                          ArmillariaString name,
                                          const ArmillariaVersionList **out,
                                          ArmillariaError **error);

/* ---- The chunk store, usable alone ----------------------------------------------------------- */

/** Bytes named by their BLAKE3 hash, in files. Shared: any thread may use it, several at once. */
typedef struct ArmillariaChunkStore ArmillariaChunkStore;

/** Keeps chunks in `chunks/` of a directory, which is made unless `read_only`. `IO`. */
ArmillariaStatus armillaria_chunk_store_open(ArmillariaString directory,
                                             bool read_only,
                                             ArmillariaChunkStore **out,
                                             ArmillariaError **error);

/**
 * Stores bytes and tells their hash, 64 hex digits; durable when this returns. Equal bytes are stored once. `READ_ONLY`,
 * `OUT_OF_SPACE`, `IO`.
 */
ArmillariaStatus armillaria_chunk_store_put(const ArmillariaChunkStore *store,
                                            const uint8_t *data,
                                            size_t len,
                                            const ArmillariaBuffer **out,
                                            ArmillariaError **error);

/** The bytes of a chunk as they are stored, unchecked. `CHUNK_NOT_FOUND`, `INVALID_ARGUMENT` (no hash). */
ArmillariaStatus armillaria_chunk_store_get(const ArmillariaChunkStore *store,
                                            ArmillariaString hash,
                                            const ArmillariaBuffer **out,
                                            ArmillariaError **error);

/**
 * The bytes of a chunk, after checking them against its hash. `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `INVALID_ARGUMENT`
 * (no hash).
 */
ArmillariaStatus armillaria_chunk_store_get_verified(const ArmillariaChunkStore *store,
                                                     ArmillariaString hash,
                                                     const ArmillariaBuffer **out,
                                                     ArmillariaError **error);

/** Whether there is a chunk of that name; its bytes are not looked at. `INVALID_ARGUMENT` (no hash). */
ArmillariaStatus armillaria_chunk_store_exists(const ArmillariaChunkStore *store,
                                               ArmillariaString hash,
                                               bool *out,
                                               ArmillariaError **error);

/** The names of all chunks, in order. */
ArmillariaStatus armillaria_chunk_store_list(const ArmillariaChunkStore *store,
                                             const ArmillariaStringList **out,
                                             ArmillariaError **error);

/** Frees the handle; the chunks stay. NULL is allowed. */
void armillaria_chunk_store_free(ArmillariaChunkStore *store);

#ifdef __cplusplus
}  /* extern "C" */
#endif

#endif  /* ARMILLARIA_H */
