"""The service beside what one would use instead, over one PostGIS: ``scripts/benchmark --help``."""
