# One command for each thing. Each target sets itself up on a fresh machine and says what it installs.
.DEFAULT_GOAL := help
.PHONY: help deps build demo test test-c test-cpp test-go parity lint header fmt bench soak doc clean

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## Checks the tools and installs libduckdb into .deps (skipped if DUCKDB_LIB_DIR is set)
	@scripts/setup.sh

build: deps ## Builds target/release/armillaria
	@scripts/build.sh

demo: deps ## Shows everything on real data, in a temporary folder
	@scripts/demo.sh

test: deps ## Runs lints, all tests, the build without DuckDB, and the documentation
	@scripts/test.sh

test-c: deps ## Checks the C ABI: header, symbols, layout, C tests under the sanitizers
	@scripts/test-c.sh

test-cpp: deps ## Tests the C++ SDK and the examples in C and C++, with what they need from PyPI in .deps
	@scripts/test-cpp.sh

test-go: deps ## Tests the Go SDK: lints, race detector, example, conformance
	@scripts/test-go.sh

parity: deps ## Turns the conformance reports of `make test` into docs/PARITY.md
	@scripts/parity.sh

lint: deps ## Checks formatting and lints
	@scripts/lint.sh

header: deps ## Writes include/armillaria.h from the sources of the C ABI
	@cargo run --quiet --locked --package armillaria-header

fmt: ## Formats the code
	@cargo fmt --all
	@scripts/lint-cpp.sh --fix

bench: deps ## Measures everything against its peers, installing them into .deps; writes docs/BENCHMARKS.md
	@scripts/bench.sh $(BENCH)

soak: deps ## Runs the crash, kill, model and mutation loops and the C tests for long
	ARMILLARIA_PROOF_CASES=2000 ARMILLARIA_PROOF_SEEDS=5 ARMILLARIA_PROOF_KILLS=2000 ARMILLARIA_PROOF_MUTATIONS=20000 \
	  cargo test --release --locked --workspace --test proof -- --nocapture
	ARMILLARIA_C_ROUNDS=100000 ARMILLARIA_C_THREAD_ROUNDS=1000 ARMILLARIA_C_CANCEL_MS=100 scripts/test-c.sh
	ARMILLARIA_GO_LEAK_ROUNDS=20000 ARMILLARIA_GO_THREAD_ROUNDS=500 ARMILLARIA_GO_CGOCHECK=1 scripts/test-go.sh
	scripts/test-cpp.sh --soak

doc: deps ## Builds the documentation into cargo's target folder
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --lib --no-deps

clean: ## Removes build output; keeps .deps
	cargo clean
	rm -rf target
