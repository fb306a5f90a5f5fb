"""Results as data first (figures), pictures and pages second."""

from stimbench.report.metrics import Metric, Relation, all_passed, judge

__all__ = ("Metric", "Relation", "all_passed", "judge")
