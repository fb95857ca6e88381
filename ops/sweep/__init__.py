"""Changes one knob of the running product at a time and measures: `make sweep`."""
