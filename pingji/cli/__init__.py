"""The command line: `pingji serve`, `demo`, `import`, `export`, `check`, `simulate`, `db`."""
