// A year of real flights in twelve commits, and what can be asked of them then.
// Usage: flights FOLDER_OF_DATA NEW_REPOSITORY
#include <armillaria.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <string>

using namespace armillaria;

namespace {

constexpr std::array months = {"January", "February", "March",     "April",   "May",      "June",
                               "July",    "August",   "September", "October", "November", "December"};

// Five tables appear together, or not at all. Rows go from DuckDB's Parquet reader into chunks without passing here.
void import_tables(const Database &db, const std::string &data) {
  TransactOptions options;
  options.message = "The tables, flights still empty";
  const auto commit = db.transact(
      [&](Transaction &tx) {
        for (const std::string name : {"airlines", "airports", "planes", "weather"}) {
          tx.write_table(name, tx.query("SELECT * FROM read_parquet($1)", {data + "/" + name + ".parquet"}));
        }
        auto columns = tx.query("SELECT * FROM read_parquet($1) LIMIT 0", {data + "/flights.parquet"}).schema();
        tx.create_table("flights", std::move(columns));
      },
      options);
  std::cout << "Transaction " << commit.tx_id << " brought " << commit.tables.size() << " tables\n";
}

void import_months(const Database &db, const std::string &data) {
  for (std::size_t month = 0; month < months.size(); ++month) {
    WriteOptions options;
    options.mode = WriteMode::append;
    options.message = std::string(months[month]) + " 2013";
    auto rows = db.query("SELECT * FROM read_parquet($1) WHERE month = $2", {data + "/flights.parquet", month + 1});
    db.write_table("flights", std::move(rows), options);
  }
  for (const auto &version : db.history("flights")) {
    std::printf("  version %2d: %7d flights  %s\n", static_cast<int>(version.version), static_cast<int>(version.rows),
                version.message.value_or("").c_str());
  }
}

void print_busiest(const Database &db, const std::string &title, const At &at) {
  std::cout << "\nBusiest airlines, " << title << ":\n";
  auto rows = db.query(
      "SELECT name, count(*) AS flights, avg(dep_delay) AS delay FROM flights JOIN airlines USING (carrier)"
      " GROUP BY name ORDER BY flights DESC LIMIT 3",
      {}, at);
  for (const auto &batch : rows) {
    const auto name = batch.column("name"), flights = batch.column("flights"), delay = batch.column("delay");
    for (std::size_t row = 0; row < batch.num_rows(); ++row) {
      std::printf("  %-24s %6d flights, %4.1f minutes late\n", std::string(*name.text(row)).c_str(),
                  *flights.number<int>(row), *delay.number<double>(row));
    }
  }
}

// On 8 March it snowed, and the delays of carrier EV were booked an hour too high: put right on a branch, then merged.
void correct_delays(const Database &db) {
  db.create_branch("fix-snow", At::head(), "Delays of 8 March");
  WriteOptions options;
  options.branch = "fix-snow";
  options.message = "EV left an hour earlier on 8 March";
  const auto commit = db.write_table(
      "flights",
      db.query(
          "SELECT * REPLACE (CASE WHEN month = 3 AND day = 8 AND carrier = 'EV' THEN dep_delay - 60 ELSE dep_delay "
          "END AS dep_delay) FROM flights ORDER BY time_hour, carrier, flight, origin, dest"),
      options);
  const auto diff = db.diff_versions("flights", *commit.version - 1, *commit.version,
                                     {"time_hour", "carrier", "flight", "origin", "dest"});
  std::cout << "\nThe correction modifies " << diff.rows_modified << " flights, adds " << diff.rows_added
            << " and removes " << diff.rows_removed << "\n";
  const auto merged = db.merge_branch("fix-snow");
  std::cout << "Merged: " << (merged.kind == MergeKind::fast_forward ? "fast forward" : "three-way") << " of "
            << merged.tables.size() << " table\n";
}

// Whoever follows the changelog learns of everything, in order.
void print_changelog(const Database &db) {
  ChangesOptions options;
  options.since_tx = 0;
  options.tables = {"flights"};
  auto subscription = db.subscribe(options);
  std::uint64_t entries = 0, added = 0;
  while (const auto entry = subscription.next(std::chrono::milliseconds(0))) {
    ++entries;
    if (entry->kind == "commit" && entry->branch == "main") added += entry->tables.at(0).rows_added;
  }
  std::cout << "\nThe changelog tells of " << entries << " changes of flights; the months added " << added << " rows\n";
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    std::cerr << "usage: flights FOLDER_OF_DATA NEW_REPOSITORY\n";
    return 2;
  }
  try {
    OpenOptions options;
    options.external_access = true;  // SQL reads the data files
    options.author = "flights.cpp";
    const auto db = Database::open(arguments[2], options);
    import_tables(db, arguments[1]);
    import_months(db, arguments[1]);
    db.create_tag("first-quarter", At::tx(4));
    print_busiest(db, "as of March", At::tag("first-quarter"));
    print_busiest(db, "the whole year", At::head());
    correct_delays(db);
    print_changelog(db);
    std::cout << (db.verify(true).ok ? "Everything is whole\n" : "Something is damaged\n");
    return 0;
  } catch (const Error &error) {
    std::cerr << error.name() << ": " << error.what() << "\n";
    return 1;
  }
}
