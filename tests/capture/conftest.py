"""Bare boards without firmware, and boards with the built images."""

from support.bench_fixtures import bare, make_bench, repl, root  # noqa: F401
