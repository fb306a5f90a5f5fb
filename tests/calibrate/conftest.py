"""Boards with the built images."""

from support.bench_fixtures import make_bench, root  # noqa: F401
