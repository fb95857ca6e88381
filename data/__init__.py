"""Feature schemas, data-set loaders and data cards; never raw data."""
