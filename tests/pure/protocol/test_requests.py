"""The table of requests: each row is whole, and what is packed by it comes back."""

import struct

from stimfw.protocol import asking, messages, requests, roles
from stimfw.therapy import program

CONDITIONS = (
    "session_allowed", "test_allowed", "impedance_allowed", "self_test_allowed",
    "output_off", "window_closed", "records_usable", "random_works", "magnet_near", "idle",
    "implanted",
)  # fmt: skip


def raises(call):
    try:
        call()
    except ValueError:
        return True
    return False


def values_of(layout):
    return struct.unpack(layout, bytes(range(1, 1 + struct.calcsize(layout))))


def test_every_format_has_a_name_for_each_value():
    for row in requests.TABLE:
        for layout in row[requests.BODY].split("|"):
            assert len(values_of(layout)) == len(row[requests.BODY_FIELDS].split()), row
        assert len(values_of(row[requests.REPLY])) == len(row[requests.REPLY_FIELDS].split()), row
        if row[requests.TAIL] == "s":
            assert len(row[requests.TAIL_FIELDS].split()) == 1, row
        else:
            assert len(values_of(row[requests.TAIL])) == len(row[requests.TAIL_FIELDS].split()), row


def test_every_row_says_known_words():
    for row in requests.TABLE:
        assert row[requests.BOARDS] in ("both", "stimulator", "remote")
        assert row[requests.ROLE] in roles.ROLE_NAMES[1:]
        assert all(word in CONDITIONS for word in row[requests.CONDITIONS].split()), row
        assert getattr(requests, row[requests.NAME].upper()) == row[requests.OPCODE]


def test_no_board_has_two_rows_of_one_number_and_none_looks_like_a_reply():
    for board in ("stimulator", "remote"):
        opcodes = [row[requests.OPCODE] for row in requests.answered_by(board)]
        assert len(set(opcodes)) == len(opcodes)
        assert 0 < min(opcodes) and max(opcodes) < messages.REPLY
    assert len({row[requests.OPCODE]: 0 for row in requests.TABLE}) == len(
        {row[requests.NAME]: 0 for row in requests.TABLE}
    )


def test_each_board_has_its_own_row():
    assert requests.row_of(requests.PAIR)[requests.BODY_FIELDS] == "peer_id role key"
    assert requests.row_of(requests.PAIR, "remote")[requests.BODY_FIELDS] == "base slot role key"
    assert requests.row_of(requests.STATUS) == requests.row_of(requests.STATUS, "remote")
    for opcode, board in ((requests.START, "remote"), (requests.MODEM_SEND, "stimulator"), (0, "remote")):
        try:
            requests.row_of(opcode, board)
        except KeyError:
            continue
        assert False, (opcode, board)  # noqa: B011


def test_bodies_come_back_and_other_lengths_do_not():
    for row in requests.TABLE:
        sizes = [struct.calcsize(layout) for layout in row[requests.BODY].split("|")]
        for layout in row[requests.BODY].split("|"):
            values = values_of(layout)
            assert asking.pack_body(row, values) == struct.pack(layout, *values)
            assert requests.unpack_body(row, asking.pack_body(row, values)) == values
        for length in range(64):
            assert (requests.unpack_body(row, bytes(length)) is None) == (length not in sizes), row


def test_a_key_or_frame_of_another_length_is_not_packed():
    pair = requests.row_of(requests.PAIR)
    assert raises(lambda: asking.pack_body(pair, (b"peer", 1, bytes(31))))
    assert raises(lambda: asking.pack_body(pair, (b"pee", 1, bytes(32))))
    send = requests.row_of(requests.MODEM_SEND, "remote")
    for length in range(40):
        if length != 32:
            assert raises(lambda length=length: asking.pack_body(send, (b"base", 1, 0, b"\1" * length)))


def test_replies_come_back_and_cut_ones_do_not():
    for row in requests.TABLE:
        head = values_of(row[requests.REPLY])
        size = struct.calcsize(row[requests.REPLY])
        if not row[requests.TAIL]:
            body = requests.pack_reply(row, head)
            assert asking.unpack_reply(row, body) == head and len(body) == size
            assert raises(lambda row=row, body=body: asking.unpack_reply(row, body + b"\0"))
        elif row[requests.TAIL] == "s":
            assert asking.unpack_reply(row, requests.pack_reply(row, head + (b"any",))) == head + (b"any",)
        else:
            record = values_of(row[requests.TAIL])
            for count in range(3):
                tail = asking.pack_records(row, [record] * count)
                body = requests.pack_reply(row, head + (tail,))
                assert asking.unpack_reply(row, body) == head + ([record] * count,), row
            if struct.calcsize(row[requests.TAIL]) > 1:
                assert raises(lambda row=row, body=body: asking.unpack_reply(row, body + b"\0"))
        if size:
            assert raises(lambda row=row, size=size: asking.unpack_reply(row, bytes(size - 1)))


def test_errors_say_what_is_wrong():
    row = requests.row_of(requests.PULSES)
    for call, text in (
        (lambda: asking.unpack_reply(row, b"123"), "3 bytes where 4 belong"),
        (lambda: asking.unpack_reply(row, bytes(10)), "6 bytes are no whole number of records"),
        (lambda: asking.pack_body(requests.row_of(requests.PAIR), (b"", 1, b"")), "no body of pair"),
    ):
        try:
            call()
        except ValueError as error:
            assert str(error) == text
        else:
            assert False, text  # noqa: B011


def test_a_reply_by_names():
    row = requests.row_of(requests.GET_WINDOW)
    named = asking.named_reply(row, struct.pack("<HHHH", 1, 2, 3, 4))
    assert named == {"left_min_ua": 1, "left_max_ua": 2, "right_min_ua": 3, "right_max_ua": 4}


def test_a_programme_travels_as_it_is_kept():
    kept = program.default()
    for opcode, layout, names in (
        (requests.SET_PROGRAM, requests.BODY, requests.BODY_FIELDS),
        (requests.GET_PROGRAM, requests.REPLY, requests.REPLY_FIELDS),
    ):
        row = requests.row_of(opcode)
        assert struct.pack(row[layout], *kept.values) == kept.pack()
        assert tuple(row[names].split()) == program.FIELD_NAMES


def test_the_formats_of_the_wire():
    """Written out a second time: boards and hosts of two versions must agree."""
    for opcode, board, body, reply, tail in (
        (requests.STATUS, "stimulator", "", "<BBBHHHHH", ""),
        (requests.AMPLITUDE, "stimulator", "<HH", "", ""),
        (requests.IMPEDANCE_RESULTS, "stimulator", "<B", "", "<BBHHH"),
        (requests.PULSES, "stimulator", "<I", "<I", "<Bhhh"),
        (requests.DETAILS, "stimulator", "", "<IIIHBhII", ""),
        (requests.COUNTERS, "stimulator", "", "", "<I"),
        (requests.GET_WINDOW, "stimulator", "", "<HHHH", ""),
        (requests.SET_WINDOW, "stimulator", "<HHHH", "", ""),
        (requests.TEST_STIMULATION, "stimulator", "<B", "", ""),
        (requests.LOG, "stimulator", "<I", "<I", "<IBBBB"),
        (requests.STRANGERS, "stimulator", "<I", "<IIII", "<IBBB"),
        (requests.GET_TIME, "stimulator", "", "<I", ""),
        (requests.SET_TIME, "stimulator", "<I", "", ""),
        (requests.PAIRINGS, "stimulator", "", "<4s", "<BBB4s"),
        (requests.PAIRINGS, "remote", "", "<4s", "<4sBBB4s"),
        (requests.PAIR, "stimulator", "<4sB32s", "<B4s", ""),
        (requests.PAIR, "remote", "<4sBB32s", "", ""),
        (requests.FORGET, "stimulator", "<B", "", ""),
        (requests.FORGET, "remote", "<B", "", ""),
        (requests.RECORDS, "remote", "", "", "<B"),
        (requests.REPAIR, "stimulator", "<B", "<B", ""),
        (requests.REPAIR, "remote", "<B", "<B", ""),
        (requests.XIP, "stimulator", "<B", "<II", ""),
        (requests.MODEM_SEND, "remote", "<4sBB32s", "<I", ""),
        (requests.MODEM_RECEIVE, "remote", "", "<BII", "s"),
        (requests.IMPLANT, "stimulator", "<8sBI", "", ""),
        (requests.EXPLANT, "stimulator", "", "", ""),
        (requests.GET_PRESCRIPTION, "stimulator", "", "<HBI", "s"),
        (requests.SET_PRESCRIPTION, "stimulator", "<HHHHIHBIIHBBHHHHHBBHHHHH", "<HHHHHI", ""),
        (requests.THERAPY, "stimulator", "", "<BBBBIHHHBBBBBI", ""),
        (requests.MODE, "stimulator", "<B", "", ""),
        (requests.TRAIN, "stimulator", "<BBBHHHBB", "", ""),
        (requests.TRAIN_ON, "stimulator", "", "<H", ""),
        (requests.JOURNAL, "stimulator", "<I", "<III", "s"),
        (requests.LEDGER, "stimulator", "<B", "<IIHHHHH", ""),
        (requests.HISTORY, "stimulator", "<B", "<HBI", "s"),
        (requests.KEPT_TIME, "stimulator", "<I", "", ""),
        (requests.WATCH, "stimulator", "<B", "<BhhhhhhHI", ""),
        (requests.CLEAR_FAULT, "stimulator", "", "", ""),
        (requests.CONTRACTIONS, "stimulator", "<BH", "<HH", "<HHHHII"),
    ):
        row = requests.row_of(opcode, board)
        assert (row[requests.BODY], row[requests.REPLY], row[requests.TAIL]) == (body, reply, tail), row
