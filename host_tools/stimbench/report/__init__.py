"""Results as data first (figures), pictures and pages second."""

from stimbench.report.figures import Figure, Relation, all_passed, judge

__all__ = ("Figure", "Relation", "all_passed", "judge")
