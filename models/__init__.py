"""The model registry and the committed model artifacts."""
