"""Check an app: pick or paste what it asks for, and read the verdict with its reasons."""
