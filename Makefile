# Two commands do everything: `make demo` and `make test`. Both install and build what they need, and cache it.

.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## From kubectl apply to a Secret that works, step by step (KEEP=1 leaves it up, VERSION=2.3 plays that portal)
	@KEEP=$(KEEP) VERSION=$(VERSION) tools/demo.sh

.PHONY: demo-stop
demo-stop: ## End a demo that was left up
	@tools/demo.sh stop

.PHONY: test
test: ## Run all tests: format, lints, dependencies, generated files, unit and end-to-end tests
	@tools/test.sh

.PHONY: e2e
e2e: ## Run the tests on a real node alone: chart, image and connectors, by the commands of the pages
	@tools/e2e.sh

.PHONY: image
image: ## Build the operator's image into a file, without Docker (IMAGE=name:tag names it, OUT=path places it)
	@IMAGE="$(IMAGE)" OUT="$(OUT)" tools/image.sh

.PHONY: generate
generate: ## Write crds/ and the chart's copies from the types
	@tools/generate-crds.sh
