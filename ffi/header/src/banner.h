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
