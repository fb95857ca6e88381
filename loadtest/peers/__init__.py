"""Other ways to do Farebox's job, to measure it against."""
