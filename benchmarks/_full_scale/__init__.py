"""The parts of benchmarks/full_scale.py: its data, its machine's bounds, its stages."""
