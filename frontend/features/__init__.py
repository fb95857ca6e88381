"""What a model's features mean, in words for people."""
