"""How cost grows with features, vertices of an outline and clients: ``python -m benchmarks.growth --help``."""
