// Rows of a case as Arrow data, and Arrow data as rows of a case.
#pragma once

#include "types.hpp"

namespace conformance {

// A stream of these rows, in batches of `batch_rows` (all in one where it is 0).
armillaria::Stream build_rows(const json &columns, const json &rows, std::size_t batch_rows);

// Reads a stream to its end: `{"columns", "rows", "row_count"}`.
json drain(armillaria::Stream &stream);

}  // namespace conformance
