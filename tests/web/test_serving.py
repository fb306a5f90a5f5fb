"""Where a server listens."""

import asyncio
import socket

import pytest
from stimbench.errors import InputError
from stimbench.web.serving import listen


def test_it_listens_on_this_machine_only_and_a_browser_may_say_localhost():
    address = listen("127.0.0.1", 0)
    with address.socket:
        assert address.socket.getsockname() == ("127.0.0.1", address.port)
        assert address.names == [f"127.0.0.1:{address.port}", f"localhost:{address.port}"]


def test_frames_are_sent_at_once():
    """Without TCP_NODELAY a small frame waits for the acknowledgement of the one before: 40 ms."""
    address = listen("127.0.0.1", 0)

    async def option():
        found = asyncio.get_running_loop().create_future()

        def connected(_reader, writer):
            sock = writer.get_extra_info("socket")
            found.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=address.socket):
            _, writer = await asyncio.open_connection("127.0.0.1", address.port)
            value = await found
            writer.close()
            return value

    assert asyncio.run(option())


def test_a_port_that_is_taken_is_one_sentence():
    address = listen("127.0.0.1", 0)
    with address.socket, pytest.raises(InputError, match=f"Port {address.port} of 127.0.0.1 cannot be had"):
        listen("127.0.0.1", address.port)
