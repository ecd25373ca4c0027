# The commands anyone needs. Each is a script of its own name in scripts/.

.PHONY: help run test check bench build demo

help:
	@echo 'make run     start ACE with its demo on http://127.0.0.1:8080, installing what is missing; Ctrl-C stops it'
	@echo 'make test    every test: unit, database, HTTP, browser'
	@echo 'make check   formatting, lints, documentation, unused dependencies, licences'
	@echo 'make bench   the hot paths, each beside its limit'
	@echo 'make build   target/release/ace'
	@echo 'make demo    load the demo into the data directory and print the logins'

run:
	@scripts/run

test:
	@scripts/test

check:
	@scripts/check

bench:
	@scripts/bench

build:
	@scripts/build

demo: build
	@target/release/ace demo
