# make demo: see it. make test: everything that has to pass. The work is in scripts/.
.PHONY: demo test check bench

demo:
	@scripts/environment
	@.venv/bin/pingji demo

test:
	@scripts/environment test
	@scripts/system-packages
	@scripts/checks

check:
	@scripts/environment test
	@scripts/check

bench:
	@scripts/environment test
	@scripts/system-packages
	@.venv/bin/python -m bench
