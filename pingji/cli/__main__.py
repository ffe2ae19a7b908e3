"""`python -m pingji.cli`."""

from pingji.cli import main

main()
