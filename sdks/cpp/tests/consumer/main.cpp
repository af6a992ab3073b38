#include <armillaria.hpp>
#include <iostream>

int main() {
  const auto db = armillaria::Database::open("memory:");
  for (const auto &batch : db.query("SELECT 40 + 2 AS answer")) {
    std::cout << "armillaria " << armillaria::version() << " answers " << *batch.column("answer").number<int>(0)
              << "\n";
  }
}
