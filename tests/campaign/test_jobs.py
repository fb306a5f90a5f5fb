"""Jobs and their keys: the same case has the same key on every machine, and another one another key."""

import pytest
from stimbench.campaign.jobs import Job, job_key, make_job, require_distinct, require_work, work_function
from stimbench.errors import InputError
from support import campaign_work

WORK = "support.campaign_work:double"
FIRMWARE = {"stimulator": "ab" * 32, "remote": "cd" * 32}


def test_a_key_never_changes_between_machines_and_releases():
    # A folder of results is found again by these: whoever changes how they are made loses every old folder.
    assert job_key(WORK, {"seed": 1, "case": ["a", None]}, FIRMWARE) == "c9f2b1cbde1ba22dc321d60e6ec421cb"
    assert job_key(WORK, {"case": ["a", None], "seed": 1}, FIRMWARE) == "c9f2b1cbde1ba22dc321d60e6ec421cb"


@pytest.mark.parametrize(
    ("work", "payload", "firmware"),
    [
        ("support.campaign_work:fails", {"seed": 1}, FIRMWARE),
        (WORK, {"seed": 2}, FIRMWARE),
        (WORK, {"seed": 1, "more": None}, FIRMWARE),
        (WORK, {"seed": "1"}, FIRMWARE),
        (WORK, {"seed": 1}, FIRMWARE | {"remote": "ce" * 32}),
        (WORK, {"seed": 1}, {}),
    ],
)
def test_whatever_decides_a_result_is_in_the_key(work, payload, firmware):
    assert job_key(work, payload, firmware) != job_key(WORK, {"seed": 1}, FIRMWARE)


def test_a_job_is_what_a_worker_far_away_would_get():
    job = make_job(WORK, {"electrodes": (1, 2)}, FIRMWARE)
    assert job.payload == {"electrodes": [1, 2]}
    assert job == Job(job_key(WORK, {"electrodes": [1, 2]}, FIRMWARE), WORK, job.payload)
    assert make_job(WORK, {"name": "a name"}, {}).name == "a name"
    assert job.name == job.key


@pytest.mark.parametrize("payload", [{"value": float("nan")}, {"value": {1, 2}}, {"value": b"bytes"}])
def test_what_is_no_json_is_refused(payload):
    with pytest.raises(InputError, match="A job can be given JSON only"):
        make_job(WORK, payload, {})


@pytest.mark.parametrize("work", ["double", "support:", ":double", "support.campaign_work:a.b", "os; x:y"])
def test_what_names_no_function_is_refused(work):
    with pytest.raises(InputError, match="does not name a function"):
        make_job(work, {}, {})


def test_a_module_that_is_not_there_is_found_before_the_first_job():
    good, bad = make_job(WORK, {}, {}), make_job("support.no_such_module:work", {}, {})
    require_work([good])
    with pytest.raises(InputError, match=r"There is no module support\.no_such_module"):
        require_work([good, bad])
    assert work_function(WORK) is campaign_work.double


def test_two_equal_jobs_are_refused_by_name():
    one = make_job(WORK, {"name": "a", "n": 1}, {})
    with pytest.raises(InputError, match="are the same: a and a"):
        require_distinct([one, make_job(WORK, {"name": "b", "n": 1}, {}), one])
