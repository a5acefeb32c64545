# make demo and make test install what they need and are all that a newcomer has to know.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CARGO       := cargo
BIN         := target/release/thorax
DEMO        ?=
DATA        ?= ../shared/data
BENCH       ?=

# CRASH_KILLS=1000 kills more often, CRASH_SEED=7 at other moments.
CRASH_KILLS ?= 200
CRASH_SEED  ?= 20

.PHONY: help demo model test lint crash load bench bench-index bench-search bench-models bench-encoders bench-pipeline bench-serve bench-archive size build gpu-build web browser pictures unit http deny parity

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

demo: build ## Phantom archive, training, index, page (DEMO='--no-serve' stops after the figures)
	$(BIN) demo $(DEMO)

test: lint unit http browser ## Everything that CI checks
	@cat target/test-summary.txt

build: web ## The program, with the page in it
	$(CARGO) build --release --locked

web: web/dist/index.html ## The page

web/dist/index.html: web/node_modules/.installed $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)
	cd web && npm run build
	touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

lint: web ## rustfmt, clippy, types of the page, licences where cargo-deny is installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	cd web && npm run check
	$(MAKE) --no-print-directory deny

deny: ## Licences, bans and sources of the dependencies
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check bans licenses sources; \
	else echo 'cargo-deny is not installed: licences are not checked (cargo install --locked cargo-deny)'; fi

unit: build ## Rust tests, and those of the page's logic
	mkdir -p target
	cd web && npm test
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  $(CARGO) nextest run --cargo-profile release --locked --workspace 2>&1 | tee target/unit.log; \
	  grep -E '^ *Summary' target/unit.log > target/test-summary.txt; \
	else \
	  $(CARGO) test --release --locked --workspace 2>&1 | tee target/unit.log; \
	  grep -E '^test result' target/unit.log > target/test-summary.txt; \
	fi

browser: build tests/browser/node_modules/.installed ## The page in a real Chromium
	tests/browser/chromium.sh
	cd tests/browser && THORAX_BIN=$(CURDIR)/$(BIN) npm test 2>&1 | tee $(CURDIR)/target/browser.log
	@grep -E '^[0-9]+ passed, [0-9]+ failed' target/browser.log >> target/test-summary.txt

pictures: build tests/browser/node_modules/.installed ## The pictures of the README, on phantoms (docs/)
	tests/browser/chromium.sh
	cd tests/browser && THORAX_DOCS=1 THORAX_BIN=$(CURDIR)/$(BIN) npx playwright test docs

tests/browser/node_modules/.installed: tests/browser/package.json tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund
	touch $@

EXAMPLES ?= 25

http: build target/http-venv/.installed ## The API as others use it: the Python example, schemathesis, a search for health data in logs (EXAMPLES=25)
	target/http-venv/bin/python tests/http/run.py $(BIN) --examples $(EXAMPLES)

target/http-venv/.installed: tests/http/requirements.txt
	python3 -m venv target/http-venv
	target/http-venv/bin/pip install --quiet -r $<
	touch $@

# PARITY_PYTHON=python uses an interpreter that has tests/parity/requirements.txt already; CASES picks some of the cases.
PARITY_PYTHON ?= target/parity/venv/bin/python
CASES         ?= swin resnet efficientnet

parity: $(if $(filter target/%,$(PARITY_PYTHON)),target/parity/venv/.installed) ## Embeddings, losses and every gradient beside PyTorch's (CASES='swin')
	@mkdir -p target/parity
	@failed=0; for case in $(CASES); do \
	  rm -f target/parity/$$case.safetensors; \
	  THORAX_PARITY_CASE=$$case THORAX_PARITY_OUT=$(CURDIR)/target/parity/$$case.safetensors \
	    $(CARGO) test --release --locked -q --workspace --lib parity::dump -- --exact --ignored >target/parity/$$case.log 2>&1 \
	    || { cat target/parity/$$case.log; exit 1; }; \
	  $(PARITY_PYTHON) tests/parity/compare.py $$case target/parity/$$case.safetensors || failed=1; \
	done; exit $$failed

target/parity/venv/.installed: tests/parity/requirements.txt
	python3 -m venv target/parity/venv
	target/parity/venv/bin/pip install -q -r $<
	touch $@

crash: build ## kill -9 at 200 random moments of import, delete, index, backup and restore
	THORAX_CRASH_KILLS=$(CRASH_KILLS) THORAX_CRASH_SEED=$(CRASH_SEED) \
	  $(CARGO) test --release --locked -p thorax --test it crash:: -- --nocapture

LOAD_SECONDS   ?= 60
LOAD_MALFORMED ?= 10000

load: build ## 64 clients for a minute, then ten thousand malformed requests and films (LOAD_SECONDS=60 LOAD_MALFORMED=10000)
	THORAX_LOAD_SECONDS=$(LOAD_SECONDS) THORAX_LOAD_MALFORMED=$(LOAD_MALFORMED) \
	  $(CARGO) test --release --locked -p thorax --test it load:: -- --nocapture --test-threads 1

bench: bench-index bench-search bench-encoders bench-models bench-pipeline ## All benches; each ends with one line of JSON

SIZE ?= 100000

bench-index: target/bench-index/venv/.installed ## Vector search beside hnswlib, usearch and faiss (SIZE=1000000 takes 15 GB of disk)
	$(CARGO) build --release --locked --workspace --example vectors
	@target/bench-index/venv/bin/python index/benches/compare.py target/release/examples/vectors target/bench-index/$(SIZE) --size $(SIZE)

target/bench-index/venv/.installed: index/benches/requirements.txt
	python3 -m venv target/bench-index/venv
	target/bench-index/venv/bin/pip install --quiet -r $<
	touch $@

bench-search: ## Scan, graph, filters and keywords over 20,000 studies, recall beside the time
	rm -rf target/criterion
	$(CARGO) bench --locked -p thorax-index --bench search
	@node benches/summary.mjs target/criterion

bench-models: target/bench-venv/.installed ## Encoders beside PyTorch's, 2 threads each, in turn: speed and peak memory
	$(CARGO) build --release --locked -p thorax-models --example tower
	@target/bench-venv/bin/python models/benches/compare.py target/release/examples/tower target/bench-venv/bin/python $(BENCH)

target/bench-venv/.installed: models/benches/requirements.txt
	python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet -r $<
	touch $@

bench-encoders: ## Encoders of a preset: embedding, and gradients of a batch
	rm -rf target/criterion
	$(CARGO) bench --locked -p thorax-models --bench encoders
	@node benches/summary.mjs target/criterion

bench-pipeline: ## Labeler, query understanding, phantom; indexing beside the bare encoder on the films of DATA
	rm -rf target/criterion
	$(CARGO) bench --locked -p thorax --bench pipeline
	@node benches/summary.mjs target/criterion
	THORAX_BENCH_NIH='$(abspath $(DATA))/nih' $(CARGO) bench --locked -p thorax --bench indexing

SECONDS_EACH ?= 30
SERVE_HOME   ?=

bench-serve: ## 20 queries/s before and while everything is embedded anew: p50, p99, errors (SECONDS_EACH=30 SERVE_HOME=path)
	THORAX_BENCH_SERVE='$(SECONDS_EACH)' $(if $(SERVE_HOME),THORAX_BENCH_HOME='$(abspath $(SERVE_HOME))') \
	  $(CARGO) test --release --locked -p thorax --test it reindexing -- --nocapture

SIZES ?= 10000
PLOT ?= target/bench-archive.svg

bench-archive: ## Growth of a synthetic archive: opening, memory, disk, search under filters (SIZES='10000 100000 1000000')
	THORAX_BENCH_SIZES='$(SIZES)' THORAX_BENCH_PLOT='$(abspath $(PLOT))' \
	  $(CARGO) bench --locked -p thorax-index --bench archive

model: build ## The model that ships, from published encoders and the films and reports in DATA
	DATA='$(DATA)' models/recipes/film/make.sh

gpu-build: web ## The program for NVIDIA GPUs (target/gpu); the CUDA compiler comes from PyPI
	models/gpu-build.sh

size: build ## Size of the binary, and what each crate brings
	@node benches/size.mjs $(BIN)
