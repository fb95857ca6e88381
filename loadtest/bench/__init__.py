"""The benchmark: the product beside the plain peer, on one machine, with money checked."""
