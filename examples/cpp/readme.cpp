#include <armillaria.hpp>
#include <iostream>

using namespace armillaria;

int main() {
  const auto db = Database::open("memory:");  // or a folder
  db.write_table("users", db.query("SELECT range AS id FROM range(3)"));
  db.create_branch("trial");
  db.checkout("trial");
  db.transact([](Transaction &tx) { tx.write_table("users", tx.query("SELECT id FROM users WHERE id > 0")); });
  for (const auto &batch : db.query("SELECT count(*) FROM users", {}, At::branch("main")))
    std::cout << "main still has " << *batch.column(0).number<int>(0) << " users\n";
}
