"""`python -m farebox`."""

from farebox.entry import main

main()
