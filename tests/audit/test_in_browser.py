"""The page of a device in Chromium: nothing overflows on a telephone, charts and cells are readable."""

from datetime import date

from stimbench.audit.device_page import write_device_page
from stimbench.audit.outcomes import add_scores
from stimbench.audit.service import review
from stimbench.audit.service_page import write_service_page
from stimfw.protocol import journal_entries as kinds
from support.journals import DAY_S, DEVICE, EPOCH_S


def test_it_is_readable_on_a_telephone_and_on_a_wide_dark_screen(browser, store, audited, year, tmp_path):
    for day in range(10):
        year.impedance(year.at(day), day % 2, 700 + 20 * day)
        year.both(day)
    year.journal.add(kinds.FAULT, year.at(9, 21), 3, 1, 2, 77)
    add_scores(store, DEVICE.hex(), {"nrs": 7, "odi": 44}, date(2027, 1, 14), True, EPOCH_S)
    add_scores(store, DEVICE.hex(), {"nrs": 4, "odi": 30}, date(2027, 4, 29), False, EPOCH_S)
    write_device_page(audited(year, 10), tmp_path / "a.html")
    page = browser.new_page()
    for width_px, shown in ((360, "narrow"), (768, "wide"), (900, "wide"), (1400, "wide")):
        page.set_viewport_size({"width": width_px, "height": 900})
        page.emulate_media(color_scheme="dark" if width_px > 768 else "light")
        page.goto((tmp_path / "a.html").as_uri())
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        charts = page.evaluate(
            "[...document.querySelectorAll('.chart')].filter(e => e.checkVisibility()).map(e => e.className)"
        )
        assert charts == [f"chart {shown}"] * 3
        cut = page.evaluate(
            """[...document.querySelectorAll('svg text')].filter(e => e.checkVisibility()).filter(e => {
              const box = e.getBoundingClientRect(), frame = e.closest('svg').getBoundingClientRect();
              return box.left < frame.left - 1 || box.right > frame.right + 1;
            }).map(e => e.textContent)"""
        )
        assert cut == []
        write_service_page(review([store.path], EPOCH_S + 200 * DAY_S), tmp_path / "s.html")
        page.goto((tmp_path / "s.html").as_uri())
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), "a service's tables"
    label = "getComputedStyle(document.querySelector('td'), '::before').content"
    page.set_viewport_size({"width": 360, "height": 900})
    assert page.evaluate(label) != "none"
    page.close()
