"""The machine-learning task: split, train, evaluate."""
