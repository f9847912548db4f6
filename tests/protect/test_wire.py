"""Answers of providers that mean well and of some that do not, byte by byte, without sockets and with."""

import asyncio
import random
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from penstock.errors import NotUnderstood
from penstock.protect import wire
from penstock.protect.wire import WAITING, Broken, Connection, Pool

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE
TO_THE_END = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello world"


class Line(asyncio.Transport):
    """A transport that keeps what is written and tells whether it was cut."""

    def __init__(self):
        super().__init__()
        self.written, self.cut, self.paused = b"", False, False

    def write(self, data):
        self.written += data

    def writelines(self, parts):
        self.written += b"".join(parts)

    def abort(self):
        self.cut = True

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


async def answered(pieces, *, method="POST", ends=False):
    """Status and body of an answer that comes in pieces, and the connection."""
    connection, line = Connection(), Line()
    connection.connection_made(line)

    async def arrive():
        while not line.written:
            await asyncio.sleep(0)
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        if ends:
            connection.connection_lost(None)

    arriving = asyncio.create_task(arrive())
    try:
        await asyncio.wait_for(connection.ask(method, b"HEAD\r\n\r\n", b"body"), 5)
        body = b"".join([piece async for piece in connection.pieces()])
    finally:
        await arriving
    return connection.status, body, connection, line


def in_two(data):
    return [[data[:cut], data[cut:]] for cut in range(1, len(data))]


@pytest.mark.parametrize("data", [WHOLE, CHUNKED, INTERIM], ids=["sized", "chunked", "interim"])
async def test_an_answer_is_the_same_however_its_bytes_are_cut(data):
    for pieces in [*in_two(data), [data[i : i + 1] for i in range(len(data))]]:
        status, body, connection, line = await answered(pieces)
        assert (status, body) == (200, b"hello world") and connection.reusable and not line.cut


async def test_an_answer_without_a_length_ends_with_its_connection():
    for pieces in in_two(TO_THE_END):
        _, body, connection, _ = await answered(pieces, ends=True)
        assert body == b"hello world" and not connection.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(100)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
async def test_what_is_no_clean_answer_ends_the_connection(data):
    for pieces in ([data], [data[: len(data) // 2], data[len(data) // 2 :]]):
        with pytest.raises(Broken):
            await answered(pieces, ends=True)


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"\x00rest", WHOLE])
async def test_bytes_behind_an_answer_are_nobodys_and_the_connection_is_not_used_again(extra):
    status, body, connection, line = await answered([WHOLE + extra])
    assert (status, body) == (200, b"hello world") and line.cut and not connection.reusable
    status, body, connection, line = await answered([WHOLE, extra])
    assert body == b"hello world" and line.cut and not connection.reusable


async def test_answers_to_head_have_no_body():
    status, body, connection, _ = await answered([WHOLE[: -len(b"hello world")]], method="HEAD")
    assert (status, body) == (200, b"") and not connection.reusable


async def test_the_provider_waits_while_nobody_reads():
    connection, line = Connection(), Line()
    connection.connection_made(line)
    asking = asyncio.create_task(connection.ask("POST", b"x", b""))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    await asking
    while not line.paused:
        connection.data_received(b"z" * 65536)
    assert connection._waiting <= WAITING + 65536
    async for _ in connection.pieces():
        if not line.paused:
            break
    assert connection._waiting < WAITING


async def test_damaged_answers_neither_crash_nor_hang():
    chance = random.Random(7)
    for _ in range(1500):
        data = bytearray(chance.choice([WHOLE, CHUNKED, INTERIM, TO_THE_END]))
        signs = b"\r\n :;0123456789abc\x00\xff"
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(4)] = bytes(chance.choices(signs, k=chance.randrange(4)))
        cut = chance.randrange(len(data) + 1)
        try:
            _, body, _, _ = await answered([bytes(data[:cut]), bytes(data[cut:])], ends=True)
        except Broken:
            continue
        assert len(body) <= len(data)


@pytest.mark.parametrize("path", ["/a%0d%0aX:%20y", "/v1/chat"])
def test_no_header_and_no_path_can_end_a_line(path):
    url = URL("http://provider" + path, encoded=True)
    with pytest.raises(NotUnderstood):
        wire._head("POST", url, [(b"x", b"a\r\nEvil: 1")], 3)
    assert wire._head("POST", url, [(b"x", b"a")], 3).count(b"\r\n") == 5


class Servers:
    """A server on loopback that answers what each connection's script says; a thread of its own."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.opened = 0

    async def serve(self, reader, writer):
        self.opened += 1
        script = self.scripts[min(self.opened, len(self.scripts)) - 1]
        for step in script:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(step)
            await writer.drain()
        writer.close()


async def served(*scripts):
    world = Servers(*scripts)
    server = await asyncio.start_server(world.serve, "127.0.0.1", 0)
    return world, server, URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")


async def asked(pool, url):
    connection = await pool.ask("GET", url, [], b"")
    body = b"".join([piece async for piece in connection.pieces()])
    pool.give_back(url, connection)
    return body


async def test_connections_are_used_again():
    world, server, url = await served([WHOLE] * 10)
    pool = Pool()
    for _ in range(10):
        assert await asked(pool, url) == b"hello world"
    assert world.opened == 1
    await pool.close()
    server.close()


async def test_a_kept_connection_that_ended_meanwhile_costs_nobody_an_answer():
    world, server, url = await served([WHOLE], [WHOLE, WHOLE])
    pool = Pool()
    assert await asked(pool, url) == b"hello world"
    await asyncio.sleep(0.05)
    assert await asked(pool, url) == b"hello world" and world.opened == 2
    await pool.close()
    server.close()


async def test_an_answer_that_was_not_read_to_its_end_costs_its_connection():
    world, server, url = await served([WHOLE[:-3]], [WHOLE])
    pool = Pool()
    connection = await pool.ask("GET", url, [], b"")
    pool.give_back(url, connection)
    assert await asked(pool, url) == b"hello world" and world.opened == 2
    await pool.close()
    server.close()


async def test_a_provider_that_falls_silent_is_left(monkeypatch):
    monkeypatch.setattr(wire, "SILENCE", 0.0)
    connection, line = Connection(), Line()
    connection.connection_made(line)
    asking = asyncio.create_task(connection.ask("POST", b"x", b""))
    await asyncio.sleep(0.01)
    assert connection.silent_too_long(connection._loop.time())
    connection.fail("silent")
    with pytest.raises(Broken, match="silent"):
        await asking
    assert line.cut


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody but its owner knows, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_provider_is_spoken_to_in_tls_if_its_certificate_is_trusted(certificate, monkeypatch, trusted):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    world = Servers([WHOLE] * 3)
    server = await asyncio.start_server(world.serve, "127.0.0.1", 0, ssl=context)
    url = URL(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
    pool = Pool()
    if trusted:
        assert await asked(pool, url) == await asked(pool, url) == b"hello world" and world.opened == 1
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asked(pool, url)
    await pool.close()
    server.close()


def test_nothing_outlives_the_loop():
    before = threading.active_count()

    async def briefly():
        pool = Pool()
        await pool.close()

    asyncio.run(briefly())
    time.sleep(0)
    assert threading.active_count() == before
