"""What the operators' page reckons, apart from how it is shown."""
