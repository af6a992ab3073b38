// The vocabulary of the suite.
#include "arguments.hpp"

namespace conformance {

json run_operation(Step &step, Case &running) {
  const auto name = step.text("op");
  for (const auto *table :
       {&database_operations(), &table_operations(), &branch_operations(), &chunk_and_case_operations()}) {
    const auto found = table->find(name);
    if (found != table->end()) return found->second(step, running);
  }
  throw Failure("unknown operation " + name);
}

}  // namespace conformance
