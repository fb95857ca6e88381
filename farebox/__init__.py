"""The command line: starts, stops and administers the product."""
