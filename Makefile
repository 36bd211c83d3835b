# The project's commands. `make demo` and `make test` install what a fresh machine lacks.
.PHONY: demo test build format lint bench fuzz simulate simulate-load cluster-up cluster-down help

sources := Package.swift Sources Plugins Tests examples

help: ## Show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: ## Run the transcoding case on this machine, without a cluster
	@tools/demo

test: ## Run everything: format, build, unit, integration, real cluster
	@tools/test

build: ## Build the release programs into bin/
	@tools/dependencies
	@tools/build

format: ## Format the Swift sources in place
	swift format --in-place --recursive --parallel $(sources)

lint: ## Check format and style
	swift format lint --strict --recursive --parallel $(sources)

bench: ## Measure; docs/performance.md says what the figures mean
	@tools/bench

SECONDS ?= 60
release := -c release --disable-index-store --static-swift-stdlib
fuzz: ## Throw manifests that nobody would write at all that reads them: make fuzz SECONDS=600
	@tools/dependencies
	@swift build $(release) --product Fuzz >&2
	@"$$(swift build $(release) --show-bin-path)/Fuzz" --seconds $(SECONDS)

SEEDS ?= 20000
FIRST ?= 1
# The order of sets and dictionaries is chance too: with this, a seed repeats a run.
simulation = SWIFT_DETERMINISTIC_HASHING=1 "$$(swift build $(release) --show-bin-path)/Simulate"
simulate: ## Play the controller in a world that breaks: make simulate SEEDS=20000 FIRST=1
	@tools/dependencies
	@swift build $(release) --product Simulate >&2
	@$(simulation) --first $(FIRST) --seeds $(SEEDS)

simulate-load: ## Measure what 10,000 ScaledJobs cost the controller
	@tools/dependencies
	@swift build $(release) --product Simulate >&2
	@$(simulation) --load 10000

cluster-up: ## Start a real Kubernetes on this machine, with a node
	@tools/cluster up --node

cluster-down: ## Stop it and delete its state
	@tools/cluster down
