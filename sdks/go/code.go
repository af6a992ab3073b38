package armillaria

import "strconv"

// Code is the stable number of an error. Codes never change meaning and are never reused. A Code is itself an error,
// so that errors.Is(err, armillaria.CodeTableNotFound) asks for it; the Err constants are the same under Go's usual names.
type Code uint32

// The codes of all errors.
const (
	CodeInvalidArgument Code = 100 // a bad name, option, path or value
	CodeSchemaMismatch  Code = 101 // columns or types do not fit the table
	CodeSQLError        Code = 102 // DuckDB refused the statement; its message is kept
	CodeUnsupported     Code = 103 // understood and not offered
	CodeReadOnly        Code = 104 // a write through a read-only handle
	CodeClosed          Code = 105 // the handle was closed, or the transaction has ended

	CodeTableNotFound       Code = 200
	CodeVersionNotFound     Code = 201
	CodeBranchNotFound      Code = 202
	CodeTagNotFound         Code = 203
	CodeChunkNotFound       Code = 204
	CodeRepositoryNotFound  Code = 205
	CodeTransactionNotFound Code = 206

	CodeTableExists          Code = 300
	CodeBranchExists         Code = 301
	CodeTagExists            Code = 302
	CodeWriteConflict        Code = 310 // another commit changed what this one writes; safe to retry
	CodeSerializationFailure Code = 311 // another commit changed what this one read; safe to retry
	CodeMergeConflict        Code = 312 // both sides changed the same thing
	CodeVersionConflict      Code = 313 // the low-level catalog was given a version out of sequence

	CodeHashMismatch      Code = 400 // bytes do not match their name
	CodeLogCorrupt        Code = 401 // a record is damaged, missing or out of chain
	CodeFormatUnsupported Code = 402 // written by a newer format

	CodeIO         Code = 500 // the operating system or the object store failed
	CodeOutOfSpace Code = 501
	CodeTimeout    Code = 502
	CodeCancelled  Code = 503 // the context ended, or the rows were closed

	CodeInternal Code = 900 // a bug in Armillaria
)

// What errors.Is can ask for: one code, or a whole category.
const (
	ErrInvalidArgument      = CodeInvalidArgument
	ErrSchemaMismatch       = CodeSchemaMismatch
	ErrSQL                  = CodeSQLError
	ErrUnsupported          = CodeUnsupported
	ErrReadOnly             = CodeReadOnly
	ErrClosed               = CodeClosed
	ErrTableNotFound        = CodeTableNotFound
	ErrVersionNotFound      = CodeVersionNotFound
	ErrBranchNotFound       = CodeBranchNotFound
	ErrTagNotFound          = CodeTagNotFound
	ErrChunkNotFound        = CodeChunkNotFound
	ErrRepositoryNotFound   = CodeRepositoryNotFound
	ErrTransactionNotFound  = CodeTransactionNotFound
	ErrTableExists          = CodeTableExists
	ErrBranchExists         = CodeBranchExists
	ErrTagExists            = CodeTagExists
	ErrWriteConflict        = CodeWriteConflict
	ErrSerializationFailure = CodeSerializationFailure
	ErrMergeConflict        = CodeMergeConflict
	ErrVersionConflict      = CodeVersionConflict
	ErrHashMismatch         = CodeHashMismatch
	ErrLogCorrupt           = CodeLogCorrupt
	ErrFormatUnsupported    = CodeFormatUnsupported
	ErrIO                   = CodeIO
	ErrOutOfSpace           = CodeOutOfSpace
	ErrTimeout              = CodeTimeout
	ErrCancelled            = CodeCancelled
	ErrInternal             = CodeInternal

	ErrUsage       = CategoryUsage
	ErrNotFound    = CategoryNotFound
	ErrConflict    = CategoryConflict
	ErrIntegrity   = CategoryIntegrity
	ErrEnvironment = CategoryEnvironment
)

var codeNames = map[Code]string{
	CodeInvalidArgument:      "INVALID_ARGUMENT",
	CodeSchemaMismatch:       "SCHEMA_MISMATCH",
	CodeSQLError:             "SQL_ERROR",
	CodeUnsupported:          "UNSUPPORTED",
	CodeReadOnly:             "READ_ONLY",
	CodeClosed:               "CLOSED",
	CodeTableNotFound:        "TABLE_NOT_FOUND",
	CodeVersionNotFound:      "VERSION_NOT_FOUND",
	CodeBranchNotFound:       "BRANCH_NOT_FOUND",
	CodeTagNotFound:          "TAG_NOT_FOUND",
	CodeChunkNotFound:        "CHUNK_NOT_FOUND",
	CodeRepositoryNotFound:   "REPOSITORY_NOT_FOUND",
	CodeTransactionNotFound:  "TRANSACTION_NOT_FOUND",
	CodeTableExists:          "TABLE_EXISTS",
	CodeBranchExists:         "BRANCH_EXISTS",
	CodeTagExists:            "TAG_EXISTS",
	CodeWriteConflict:        "WRITE_CONFLICT",
	CodeSerializationFailure: "SERIALIZATION_FAILURE",
	CodeMergeConflict:        "MERGE_CONFLICT",
	CodeVersionConflict:      "VERSION_CONFLICT",
	CodeHashMismatch:         "HASH_MISMATCH",
	CodeLogCorrupt:           "LOG_CORRUPT",
	CodeFormatUnsupported:    "FORMAT_UNSUPPORTED",
	CodeIO:                   "IO",
	CodeOutOfSpace:           "OUT_OF_SPACE",
	CodeTimeout:              "TIMEOUT",
	CodeCancelled:            "CANCELLED",
	CodeInternal:             "INTERNAL",
}

// String gives the stable name, such as "WRITE_CONFLICT"; the number for a code that this package does not know.
func (c Code) String() string {
	if name, known := codeNames[c]; known {
		return name
	}
	return strconv.FormatUint(uint64(c), 10)
}

// Error makes a Code something that errors.Is can ask for.
func (c Code) Error() string { return c.String() }

// Category gives the group of a code, which its hundreds tell.
func (c Code) Category() Category {
	switch c / 100 {
	case 1:
		return CategoryUsage
	case 2:
		return CategoryNotFound
	case 3:
		return CategoryConflict
	case 4:
		return CategoryIntegrity
	case 5:
		return CategoryEnvironment
	default:
		return CategoryInternal
	}
}

// Is tells whether target is this code or its category.
func (c Code) Is(target error) bool {
	switch target := target.(type) {
	case Code:
		return c == target
	case Category:
		return c.Category() == target
	default:
		return false
	}
}

// Category says what kind of trouble an error is, and so how to react to it. It is itself an error, so that
// errors.Is(err, armillaria.ErrConflict) asks for all its codes.
type Category uint32

// The categories.
const (
	CategoryUsage       Category = 1 // the call is wrong: fix the input
	CategoryNotFound    Category = 2 // what was named is not there
	CategoryConflict    Category = 3 // somebody else got there first: retry or decide
	CategoryIntegrity   Category = 4 // stored bytes are damaged or of another format: run Verify
	CategoryEnvironment Category = 5 // the surroundings failed: repair them, then open again
	CategoryInternal    Category = 6 // a bug: report it
)

var categoryNames = map[Category]string{
	CategoryUsage:       "usage",
	CategoryNotFound:    "not_found",
	CategoryConflict:    "conflict",
	CategoryIntegrity:   "integrity",
	CategoryEnvironment: "environment",
	CategoryInternal:    "internal",
}

// String gives the stable name, such as "not_found".
func (c Category) String() string {
	if name, known := categoryNames[c]; known {
		return name
	}
	return strconv.FormatUint(uint64(c), 10)
}

// Error makes a Category something that errors.Is can ask for.
func (c Category) Error() string { return c.String() }
