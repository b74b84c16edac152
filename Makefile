# The two main commands are `make demo` and `make test`. Both install, build and cache what they need.

.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Show the operator step by step (KEEP=1 keeps it running, VERSION=2.3 simulates that portal)
	@KEEP=$(KEEP) VERSION=$(VERSION) tools/demo.sh

.PHONY: demo-stop
demo-stop: ## End a demo that is still running
	@tools/demo.sh stop

.PHONY: test
test: ## Run all tests: format, lints, dependencies, generated files, unit and end-to-end tests
	@tools/test.sh

.PHONY: e2e
e2e: ## Run only the tests on a real node: chart, image and connectors, with the commands of the pages
	@tools/e2e.sh

.PHONY: campaign
campaign: ## Simulate the controller with many seeds (SEEDS=10000 instead of 1000 for all runs together, RUNS=entries for some of them)
	@SEEDS="$(or $(SEEDS),1000)" RUNS="$(RUNS)" cargo test --profile simulation --test simulation -- --nocapture --test-threads 1 runs:: --skip runs::first

.PHONY: mutants
mutants: ## Change the code at 150 places, one at a time, and show which changes no test notices (SEED=2 takes others; hours)
	@tools/mutants.sh

.PHONY: bench
bench: ## Measure users a second, waiting times and costs (PROFILES="bulk idle", N=1000, DELAY=20, WORKERS=8, RUNS=1)
	@PROFILES="$(PROFILES)" N="$(N)" DELAY="$(DELAY)" WORKERS="$(WORKERS)" RUNS="$(RUNS)" tools/bench.sh

.PHONY: exhaustive
exhaustive: ## Check the plan in every schedule of the small and the large scopes of its model
	@cargo test --lib --config profile.dev.package.technical-user-operator.opt-level=2 exhaustive -- --include-ignored --nocapture

.PHONY: image
image: ## Build the operator's image into a file, without Docker (IMAGE=name:tag names it, OUT=path places it)
	@IMAGE="$(IMAGE)" OUT="$(OUT)" tools/image.sh

.PHONY: messages
messages: ## Write docs/messages.md from the sources
	@UPDATE_MESSAGES=1 cargo test --quiet --test reasons messages

.PHONY: generate
generate: ## Write crds/ and the chart's copies from the types
	@tools/generate-crds.sh
