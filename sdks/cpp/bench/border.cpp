// What the border between C++ and the core costs: an empty query, as in border.c.
// Usage: border ROUNDS. Prints {"rounds": …, "ns_per_query": …}.
#include <armillaria.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

namespace {

void empty_query(const armillaria::Database &db) {
  for (const auto &batch : db.query("SELECT 1 WHERE false")) static_cast<void>(batch);
}

}  // namespace

int main(int count, char **arguments) {
  const long rounds = count == 2 ? std::atol(arguments[1]) : 0;
  if (rounds <= 0) {
    std::cerr << "usage: border ROUNDS\n";
    return 2;
  }
  try {
    const auto db = armillaria::Database::open("memory:");
    db.write_table("small", db.query("SELECT range AS id FROM range(100)"));
    for (long warm_up = 0; warm_up < rounds / 10 + 1; ++warm_up) empty_query(db);
    const auto begin = std::chrono::steady_clock::now();
    for (long round = 0; round < rounds; ++round) empty_query(db);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    std::cout << "{\"rounds\": " << rounds << ", \"ns_per_query\": " << spent.count() / static_cast<double>(rounds)
              << "}\n";
    return 0;
  } catch (const std::exception &error) {
    std::cerr << "border: " << error.what() << "\n";
    return 1;
  }
}
