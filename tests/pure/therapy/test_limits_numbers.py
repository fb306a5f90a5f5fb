"""The limits, number by number: what stands here was worked out once and holds for every board."""

from stimfw.therapy import limits


def test_charges_are_rounded_up_by_the_last_unit():
    assert [limits.charge_nc(*pulse) for pulse in ((1, 1), (1, 1000), (1, 1001), (25, 40))] == [1, 1, 2, 1]
    assert [limits.of_charge_ua(*phase) for phase in ((1999, 200), (2000, 200), (5, 1000))] == [
        9975,
        10_000,
        0,
    ]


def test_shannons_constants():
    """0.12 cm2 x 10^1.5 = 3.7947 uC^2, and x 10^1.75 = 6.7481 uC^2."""
    squares = [
        (nc, limits.shannon_holds(nc), limits.shannon_holds(nc, 1750)) for nc in (1948, 1949, 2597, 2598)
    ]
    assert squares == [(1948, True, True), (1949, False, True), (2597, False, True), (2598, False, False)]
    assert limits.shannon_holds(0) and limits.RECHARGE_OHM == 1045


def test_steps():
    assert [limits.stepped_ua(ua) for ua in (-1, 1, 24, 26, 9999)] == [0, 0, 0, 25, 9975]


def test_what_the_pump_needs():
    for pulse, needed_mv in (
        ((1, 1, 0, 1), 2),
        ((25, 20, 1, 0), 1),
        ((1, 0, 981, 0), 1),
        ((1, 0, 982, 0), 2),
        ((3333, 777, 999, 333), 11_747),
        ((10_000, 1000, 65_535, 1), 10_655_540),
    ):
        assert limits.needed_mv(*pulse) == needed_mv, pulse


def test_what_compliance_allows():
    widths = (20, 214, 1000)
    for ohm, capacitance_nf, allowed in (
        (0, 1, [575, 50, 0]),
        (777, 1, [575, 50, 0]),
        (777, 2500, [10_000, 10_000, 8500]),
        (12_345, 0, [950, 950, 950]),
        (12_345, 1, [350, 50, 0]),
        (12_345, 2500, [950, 950, 900]),
        (12_345, 65_535, [950, 950, 950]),
    ):
        assert [limits.compliance_ua(width, ohm, capacitance_nf) for width in widths] == allowed


def test_what_recharge_leaves():
    """519 + 1045 ohm and 1631 nF: tau is 2550.9 us, a half-life 1768 us, here taken as 1771."""
    for rest, left_ppm in (
        ((0, 500, 2500), 1_000_002),
        ((1000, 500, 2500), 717_675),
        ((1770, 500, 2500), 500_284),
        ((1771, 500, 2500), 500_001),
        ((1772, 500, 2500), 499_860),
        ((3542, 500, 2500), 250_001),
        ((35_419, 500, 2500), 1),
        ((100, 0, 0), 985_596),
        ((4444, 5000, 500), 207_478),
        ((9000, 65_535, 65_535), 977_798),
    ):
        assert limits.left_ppm(*rest) == left_ppm, rest


def test_net_dc():
    for pulses, net_pa in (
        ((4000, 214, 0, 50_000, 10_000, 500, 2500), 861),
        ((6475, 300, 500, 50_000, 1000, 500, 2500), 62_317),
        ((10_000, 1000, 500, 5050, 1000, 500, 2500), 5_617_116),
        ((5000, 200, 0, 422, 1000, 500, 0), 4_739_337),
        ((5000, 200, 0, 424, 1000, 500, 0), 4_716_982),
        ((3000, 250, 3, 5000, 1000, 5000, 65_535), 15_095),
        ((9100, 214, 0, 5000, 10_000, 0, 0), 675),
        ((25, 20, 0, 1_000_000, 60_000, 500, 1), 2),
    ):
        assert limits.net_dc_pa(*pulses) == net_pa, pulses
