"""What an implant on the emulated bench has noted reaches the host's store whole, and is audited there."""

import random

import pytest
from stimbench.audit.device import audit_of
from stimbench.audit.incident import incident_of
from stimbench.bench import provision_implant
from stimbench.client import RadioConsole, Stimulator, connect_remote
from stimbench.client.on_bench import pair_bench
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import NoAnswerError
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from support.implant_bench import NOW_S, PLAN, ImplantBench

pytestmark = pytest.mark.emulated


@pytest.mark.control("C-66")
def test_a_session_is_pulled_once_verified_and_audited(implant, tmp_path):
    client, now_s = implant.client, NOW_S + 3600
    with Store(tmp_path / "j.sqlite", create=True) as store:
        first = pull(client, store, lambda: now_s)
        assert first.is_sound and first.device_id == provision_implant.DEVICE_ID.hex()
        client.start()
        implant.run_to("hold")
        implant.run_s(1)
        client.stop()
        implant.run_s(2)
        done = pull(client, store, lambda: now_s)
        assert done.is_sound and done.new and done.total == first.total + done.new
        assert pull(client, store, lambda: now_s).new == 0
        audit = audit_of(store, done.device_id, now_s)
        (session,) = audit.sessions
        assert (session.planned_s, session.is_complete) == (PLAN.session_s, False)
        for total, amplitude_ua in zip(audit.leads, PLAN.amplitude_ua, strict=True):
            assert total.pulses > 20 and (total.contractions, total.planned_pulses) == (0, 0)
            assert amplitude_ua / 2 < total.prescribed_ua < amplitude_ua, "the mean, with the ramp up"
            assert abs(total.mean_ua - total.prescribed_ua) < amplitude_ua / 20
            assert abs(total.charge_uc - total.planned_charge_uc) < total.planned_charge_uc / 20 + 1
        assert not audit.faults and audit.adherence.share is None, "no whole day"
        assert incident_of(audit, now_s, None)["journal"]["whole"]


@pytest.mark.slow
def test_by_radio_it_is_resumed_where_a_lost_link_left_it(tmp_path):
    with ImplantBench(paired=True) as implant, Store(tmp_path / "j.sqlite", create=True) as store:
        implant.begin()
        for number in range(8):
            implant.client.set_time(NOW_S + 10 * number)  # an entry each
        implant.run_s(1)
        take_random = random.Random(3).randbytes
        pairing = pair_bench(implant.client, take_random)
        remote = connect_remote(EmulatedLink(implant.bench, "remote"), first_number=0)
        clinician = Stimulator(RadioConsole(remote, pairing, take_random))
        clinician.require_role()
        usual, asked = clinician.journal, []

        def lost(first):
            asked.append(first)
            if len(asked) == 2:
                raise NoAnswerError("the link was lost")
            return usual(first)

        clinician.journal = lost
        with pytest.raises(NoAnswerError):
            pull(clinician, store, lambda: NOW_S)
        before = len(list(store.slots(1)))
        assert before == 7
        clinician.journal = usual
        done = pull(clinician, store, lambda: NOW_S)
        assert done.is_sound and done.new and done.total == before + done.new
        assert pull(implant.client, store, lambda: NOW_S).journal == done.journal, "over USB it is the same"
