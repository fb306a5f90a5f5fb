"""Pulse checks: plans, cases, verdicts and reports."""
