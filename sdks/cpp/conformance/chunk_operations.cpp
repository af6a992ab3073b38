// The low-level catalog, the chunk store, cancel tokens, and what is no operation of the product.
#include <thread>

#include "arguments.hpp"
#include "files.hpp"
#include "results.hpp"

namespace conformance {
namespace {

json commit_chunks(Step &step, Case &running) {
  const auto table = step.text("table");
  const auto version = step.number("version");
  const auto hashes = step.texts("hashes");
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).commit_chunks(table, version, hashes, table_options(step)));
  open->commit_chunks(table, version, hashes);
  return nothing;
}

json put_chunk(Step &step, Case &running) {
  const auto bytes =
      step.has("fixture") ? read_file(running.fixtures / step.text("fixture")) : from_base64(step.text("data"));
  return {{"hash", running.handles.get<ChunkStore>(step.text("on")).put(bytes)}};
}

}  // namespace

const Table &chunk_and_case_operations() {
  static const Table table = {
      {"commit_chunks", commit_chunks},
      {"chunk_hashes",
       [](Step &s, Case &c) {
         const auto chunks = database(s, c).chunk_hashes(s.text("table"), s.optional_number("version"));
         return json{{"version", chunks.version}, {"hashes", chunks.hashes}};
       }},
      {"list_versions",
       [](Step &s, Case &c) { return json{{"versions", database(s, c).list_versions(s.text("table"))}}; }},
      {"open_chunk_store",
       [](Step &s, Case &c) {
         return c.handles.put(s.text("as"), ChunkStore(c.place(s.text("location")), s.flag("read_only"))), nothing;
       }},
      {"put_chunk", put_chunk},
      {"get_chunk",
       [](Step &s, Case &c) {
         const auto data = c.handles.get<ChunkStore>(s.text("on")).get(s.text("hash"));
         return json{{"data", to_base64(data.data(), data.size())}};
       }},
      {"get_verified_chunk",
       [](Step &s, Case &c) {
         const auto data = c.handles.get<ChunkStore>(s.text("on")).get_verified(s.text("hash"));
         return json{{"data", to_base64(data.data(), data.size())}};
       }},
      {"chunk_exists",
       [](Step &s, Case &c) {
         return json{{"exists", c.handles.get<ChunkStore>(s.text("on")).exists(s.text("hash"))}};
       }},
      {"list_chunks",
       [](Step &s, Case &c) { return json{{"hashes", c.handles.get<ChunkStore>(s.text("on")).list()}}; }},
      {"new_cancel_token", [](Step &s, Case &c) { return c.handles.put(s.text("as"), CancelToken()), nothing; }},
      {"cancel", [](Step &s, Case &c) { return c.handles.get<CancelToken>(s.text("on")).cancel(), nothing; }},
      {"is_cancelled",
       [](Step &s, Case &c) { return json{{"cancelled", c.handles.get<CancelToken>(s.text("on")).is_cancelled()}}; }},
      {"release", [](Step &s, Case &c) { return c.handles.release(s.text("on")), nothing; }},
      {"copy_fixture",
       [](Step &s, Case &c) {
         return copy_fixture(c.fixtures / s.text("fixture"), c.directory / s.text("to")), nothing;
       }},
      {"write_file",
       [](Step &s, Case &c) { return write_file(c.directory / s.text("path"), s.text("text")), nothing; }},
      {"corrupt_file",
       [](Step &s, Case &c) { return corrupt(c.directory / s.text("path"), s.number("offset")), nothing; }},
      {"corrupt_chunk",
       [](Step &s, Case &c) {
         return corrupt(chunk_file(c.directory / s.text_or("location", "repo"), s.text("hash")), std::nullopt), nothing;
       }},
      {"delete_chunk",
       [](Step &s, Case &c) {
         return remove_file(chunk_file(c.directory / s.text_or("location", "repo"), s.text("hash"))), nothing;
       }},
      {"sleep_ms",
       [](Step &s, Case &) { return std::this_thread::sleep_for(std::chrono::milliseconds(s.number("ms"))), nothing; }},
  };
  return table;
}

}  // namespace conformance
