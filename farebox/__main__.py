"""`python -m farebox`."""

from farebox.cli import main

main()
