// Tables and SQL.
#include "arguments.hpp"
#include "results.hpp"

namespace conformance {
namespace {

json create_table(Step &step, Case &running) {
  const auto table = step.text("table");
  auto schema = rows_schema(step.get("columns"));
  const auto options = table_options(step);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).create_table(table, std::move(schema), options));
  open->create_table(table, std::move(schema), options.key);
  return nothing;
}

json drop_table(Step &step, Case &running) {
  const auto table = step.text("table");
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).drop_table(table, table_options(step)));
  open->drop_table(table);
  return nothing;
}

json list_tables(Step &step, Case &running) {
  auto *open = transaction(step, running);
  if (open == nullptr) return {{"tables", show_all(database(step, running).list_tables(at(step)))}};
  return {{"tables", all(open->list_tables(), [](const auto &name) { return json{{"name", name}}; })}};
}

json table_schema(Step &step, Case &running) {
  auto *open = transaction(step, running);
  const auto table = step.text("table");
  const auto schema = open ? open->table_schema(table) : database(step, running).table_schema(table, at(step));
  return {{"columns", describe_columns(*schema.get())}};
}

// What is to be written: rows of the case, or what a SELECT on the same handle answers.
Stream rows_to_write(Step &step, Case &running) {
  if (!step.has("query")) {
    return build_rows(step.get("columns"), step.get("rows"), step.optional_number("batch_rows").value_or(0));
  }
  auto *open = transaction(step, running);
  return open ? open->query(step.text("query")) : database(step, running).query(step.text("query"));
}

json write_table(Step &step, Case &running) {
  const std::map<std::string, WriteMode> modes = {
      {"overwrite", WriteMode::overwrite}, {"append", WriteMode::append}, {"upsert", WriteMode::upsert}};
  WriteOptions options;
  options.mode = choose(step, "mode", modes, options.mode);
  options.key = step.texts("key");
  options.branch = step.optional_text("branch");
  options.message = step.optional_text("message");
  options.cancel = cancel(step, running);
  const auto table = step.text("table");
  auto rows = rows_to_write(step, running);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).write_table(table, std::move(rows), options));
  open->write_table(table, std::move(rows), options);
  return nothing;
}

json read_table(Step &step, Case &running) {
  const auto table = step.text("table");
  const auto columns = step.has("columns") ? std::optional(step.texts("columns")) : std::nullopt;
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  auto rows = open ? open->read_table(table, columns, token)
                   : database(step, running).read_table(table, columns, at(step), token);
  return answer_rows(step, running, std::move(rows));
}

json query(Step &step, Case &running) {
  const auto sql = step.text("sql");
  const auto given = parameters(step);
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  auto rows = open ? open->query(sql, given, token) : database(step, running).query(sql, given, at(step), token);
  return answer_rows(step, running, std::move(rows));
}

json execute(Step &step, Case &running) {
  const auto sql = step.text("sql");
  const auto given = parameters(step);
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).execute(sql, given, token));
  open->execute(sql, given, token);
  return nothing;
}

}  // namespace

const Table &table_operations() {
  static const Table table = {
      {"create_table", create_table},
      {"drop_table", drop_table},
      {"list_tables", list_tables},
      {"table_schema", table_schema},
      {"table_key", [](Step &s, Case &c) { return json{{"key", database(s, c).table_key(s.text("table"), at(s))}}; }},
      {"write_table", write_table},
      {"read_table", read_table},
      {"history",
       [](Step &s, Case &c) {
         return json{{"entries", show_all(database(s, c).history(s.text("table"), s.optional_text("branch")))}};
       }},
      {"diff_versions",
       [](Step &s, Case &c) {
         return show(database(s, c).diff_versions(s.text("table"), s.number("from"), s.number("to"), s.texts("key"),
                                                  cancel(s, c)));
       }},
      {"diff_rows",
       [](Step &s, Case &c) {
         return answer_rows(
             s, c,
             database(s, c).diff_rows(s.text("table"), s.number("from"), s.number("to"), s.texts("key"), cancel(s, c)));
       }},
      {"compact",
       [](Step &s, Case &c) {
         const auto commit = database(s, c).compact(s.text("table"), s.optional_text("branch"), cancel(s, c));
         return json{{"commit", commit ? show(*commit) : json(nullptr)}};
       }},
      {"query", query},
      {"execute", execute},
      {"drain", [](Step &s, Case &c) { return drain(c.handles.get<Stream>(s.text("on"))); }},
  };
  return table;
}

}  // namespace conformance
