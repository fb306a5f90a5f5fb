"""docs/telemetry-vectors.json is what its maker makes, and its maker knows nothing of the firmware."""

import ast
import re
import struct
from pathlib import Path

import pytest
from stimbench.attacks import request_vectors, vectors
from stimbench.project import find_project_root
from stimfw.protocol import messages, refusals, requests, roles

MAKERS = (vectors, request_vectors)
LETTERS = {"B": "u8", "H": "u16", "I": "u32", "h": "i16", "i": "i32"}
ROWS = {(row[requests.NAME].upper(), row[requests.BOARDS]): row for row in requests.TABLE}
EXAMPLES = {(one["request"], one["answered_by"]): one for one in request_vectors.requests()}
REFUSALS = request_vectors.refusals()


def test_the_file_is_up_to_date():
    written = (find_project_root() / vectors.PATH).read_text(encoding="utf-8")
    assert written == vectors.as_text(), "run python -m stimbench.attacks.vectors"


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__.rsplit(".", 1)[1])
def test_the_maker_imports_nothing_of_the_firmware(maker):
    tree = ast.parse(Path(maker.__file__).read_text(encoding="utf-8"))
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert not [name for name in names if name.startswith("stimfw")]


# The second table of requests: typed in from docs/telemetry.md, whose tables are made from the firmware's.


def test_there_is_an_example_of_every_request_and_of_nothing_else():
    assert set(EXAMPLES) == set(ROWS)
    assert len(EXAMPLES) == len(request_vectors.requests()) == len(requests.TABLE)


def types(layout, names):
    """Field names and types, as the file tells them, of a struct format."""
    if layout == "s":
        return [(names, "bytes")]
    found = re.findall(r"(\d*)([a-zA-Z])", layout)
    kinds = [count if letter == "s" else LETTERS[letter] for count, letter in found]
    return list(zip(names.split(), kinds, strict=True))


def numbers(values):
    """The values of an example as struct takes them."""
    return [value if isinstance(value, int) else bytes.fromhex(value) for value in values.values()]


@pytest.mark.parametrize("key", EXAMPLES, ids="-".join)
def test_an_example_is_what_the_firmwares_table_says(key):
    row, one = ROWS[key], EXAMPLES[key]
    assert one["number"] == row[requests.OPCODE]
    assert one["role"] == roles.ROLE_NAMES.index(row[requests.ROLE])
    body = bytes.fromhex(one["request_bytes"])[1:]
    layouts = [part for part in row[requests.BODY].split("|") if struct.calcsize(part) == len(body)]
    assert len(layouts) == 1 and list(one["types"].items()) == types(layouts[0], row[requests.BODY_FIELDS])
    assert list(one["reply_types"].items()) == types(row[requests.REPLY], row[requests.REPLY_FIELDS])
    assert list(one["record_types"].items()) == types(row[requests.TAIL], row[requests.TAIL_FIELDS])
    assert bool(one["records"]) == bool(row[requests.TAIL])


@pytest.mark.parametrize("key", EXAMPLES, ids="-".join)
def test_the_firmware_reads_and_writes_an_example(key):
    row, one = ROWS[key], EXAMPLES[key]
    request = bytes.fromhex(one["request_bytes"])
    assert list(requests.unpack_body(row, request[1:])) == numbers(one["body"])
    assert requests.unpack_body(row, request[1:] + b"\0") is None
    layout = "" if row[requests.TAIL] == "s" else row[requests.TAIL]
    records = [numbers(record) for record in one["records"]]
    tail = b"".join(struct.pack(layout, *values) if layout else values[0] for values in records)
    values = (*numbers(one["reply"]), tail) if row[requests.TAIL] else tuple(numbers(one["reply"]))
    made = messages.reply(one["number"], messages.OK, requests.pack_reply(row, values))
    assert made.hex() == one["reply_bytes"]


def test_every_code_of_a_refusal_has_an_example():
    assert {one["code"] for one in REFUSALS} == set(range(1, len(messages.CODE_NAMES)))
    for one in REFUSALS:
        assert one["code"] == getattr(messages, one["code_name"])


@pytest.mark.parametrize("one", REFUSALS, ids=lambda one: f"{one['request']}-{one['code_name']}")
def test_a_refusal_is_what_the_firmware_says(one):
    code, body = messages.parse_reply(one["number"], bytes.fromhex(one["reply_bytes"]))
    assert code == one["code"]
    row = ROWS.get((one["request"], "stimulator"))
    assert (row is None) == (code == messages.UNKNOWN_OPCODE)
    values = tuple(numbers(one["body"]))
    if code in (messages.OUT_OF_RANGE, messages.WRONG_STATE):
        assert refusals.unpack(code, body) == values
        assert refusals.pack(row, (code, values)).hex() == one["reply_bytes"]
    else:
        assert body == b"" and values == ()


def test_bytes_of_a_wrong_length_are_not_taken_for_a_field():
    with pytest.raises(ValueError, match="3 bytes, 4 wanted"):
        request_vectors.pack("base 4 010203")
