"""The views, in the order of their tabs. To add one: write its module here and static/views/<name>.js."""

from stimbench.web.table import View
from stimbench.web.views import boards, clinician, faults, leads, lessons, radio, run

__all__ = ("VIEWS",)

VIEWS: tuple[View, ...] = (
    clinician.VIEW,
    boards.VIEW,
    leads.VIEW,
    faults.VIEW,
    radio.VIEW,
    lessons.VIEW,
    run.VIEW,
)
