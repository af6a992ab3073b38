package armillaria

// #include "armillaria.h"
import "C"

// The codes are those of the header: each of these does not compile if its two sides differ.
var (
	_ [0]struct{} = [CodeInvalidArgument - C.ARMILLARIA_STATUS_INVALID_ARGUMENT]struct{}{}
	_ [0]struct{} = [CodeSchemaMismatch - C.ARMILLARIA_STATUS_SCHEMA_MISMATCH]struct{}{}
	_ [0]struct{} = [CodeSQLError - C.ARMILLARIA_STATUS_SQL_ERROR]struct{}{}
	_ [0]struct{} = [CodeUnsupported - C.ARMILLARIA_STATUS_UNSUPPORTED]struct{}{}
	_ [0]struct{} = [CodeReadOnly - C.ARMILLARIA_STATUS_READ_ONLY]struct{}{}
	_ [0]struct{} = [CodeClosed - C.ARMILLARIA_STATUS_CLOSED]struct{}{}
	_ [0]struct{} = [CodeTableNotFound - C.ARMILLARIA_STATUS_TABLE_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeVersionNotFound - C.ARMILLARIA_STATUS_VERSION_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeBranchNotFound - C.ARMILLARIA_STATUS_BRANCH_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeTagNotFound - C.ARMILLARIA_STATUS_TAG_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeChunkNotFound - C.ARMILLARIA_STATUS_CHUNK_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeRepositoryNotFound - C.ARMILLARIA_STATUS_REPOSITORY_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeTransactionNotFound - C.ARMILLARIA_STATUS_TRANSACTION_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CodeTableExists - C.ARMILLARIA_STATUS_TABLE_EXISTS]struct{}{}
	_ [0]struct{} = [CodeBranchExists - C.ARMILLARIA_STATUS_BRANCH_EXISTS]struct{}{}
	_ [0]struct{} = [CodeTagExists - C.ARMILLARIA_STATUS_TAG_EXISTS]struct{}{}
	_ [0]struct{} = [CodeWriteConflict - C.ARMILLARIA_STATUS_WRITE_CONFLICT]struct{}{}
	_ [0]struct{} = [CodeSerializationFailure - C.ARMILLARIA_STATUS_SERIALIZATION_FAILURE]struct{}{}
	_ [0]struct{} = [CodeMergeConflict - C.ARMILLARIA_STATUS_MERGE_CONFLICT]struct{}{}
	_ [0]struct{} = [CodeVersionConflict - C.ARMILLARIA_STATUS_VERSION_CONFLICT]struct{}{}
	_ [0]struct{} = [CodeHashMismatch - C.ARMILLARIA_STATUS_HASH_MISMATCH]struct{}{}
	_ [0]struct{} = [CodeLogCorrupt - C.ARMILLARIA_STATUS_LOG_CORRUPT]struct{}{}
	_ [0]struct{} = [CodeFormatUnsupported - C.ARMILLARIA_STATUS_FORMAT_UNSUPPORTED]struct{}{}
	_ [0]struct{} = [CodeIO - C.ARMILLARIA_STATUS_IO]struct{}{}
	_ [0]struct{} = [CodeOutOfSpace - C.ARMILLARIA_STATUS_OUT_OF_SPACE]struct{}{}
	_ [0]struct{} = [CodeTimeout - C.ARMILLARIA_STATUS_TIMEOUT]struct{}{}
	_ [0]struct{} = [CodeCancelled - C.ARMILLARIA_STATUS_CANCELLED]struct{}{}
	_ [0]struct{} = [CodeInternal - C.ARMILLARIA_STATUS_INTERNAL]struct{}{}

	_ [0]struct{} = [CategoryUsage - C.ARMILLARIA_CATEGORY_USAGE]struct{}{}
	_ [0]struct{} = [CategoryNotFound - C.ARMILLARIA_CATEGORY_NOT_FOUND]struct{}{}
	_ [0]struct{} = [CategoryConflict - C.ARMILLARIA_CATEGORY_CONFLICT]struct{}{}
	_ [0]struct{} = [CategoryIntegrity - C.ARMILLARIA_CATEGORY_INTEGRITY]struct{}{}
	_ [0]struct{} = [CategoryEnvironment - C.ARMILLARIA_CATEGORY_ENVIRONMENT]struct{}{}
	_ [0]struct{} = [CategoryInternal - C.ARMILLARIA_CATEGORY_INTERNAL]struct{}{}
)
