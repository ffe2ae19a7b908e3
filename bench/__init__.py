"""Benchmarks: what Pingji promises about speed, measured beside a peer in the same run. `make bench`."""
