"""Many slow lines at once: all others are served meanwhile, and what breaks off leaves nothing."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.project.site import MEGABYTE, Site, Watch
from tests.project.test_up import Running, port, up, var_dir

__all__ = ["port", "up", "var_dir"]

pytestmark = pytest.mark.slow

LIMIT_MB = 2
STEPS, STEP_SECONDS = 40, 0.25  # ten seconds for each upload
DROPPED, FINISHED = 8, 7
ROWS = b"".join(b"user%06d;Pelanggan %06d;08%010d\n" % (n, n, n) for n in range(20_000))
FILE = b"Username;Nama;No HP\n" + ROWS


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Come before the service starts: it takes this over."""
    monkeypatch.setenv("UPLOAD_MAX_MB", str(LIMIT_MB))
    return


def test_sixteen_slow_uploads_keep_nobody_waiting(_small_limit: None, up: Running) -> None:
    up.wait_until_ready()
    site = Site(up)
    empty = site.beside("look")
    too_large = FILE * (LIMIT_MB * MEGABYTE // len(FILE) + 2)
    requests = [_upload(site, FILE) for _ in range(DROPPED + FINISHED)] + [_upload(site, too_large)]
    pages: list[float] = []
    with Watch(up) as watch, ThreadPoolExecutor(len(requests)) as pool:
        sending = [
            pool.submit(_send_slowly, up.port, request, drop_at=STEPS // 2 if n < DROPPED else None)
            for n, request in enumerate(requests)
        ]
        while not all(one.done() for one in sending):
            started = time.monotonic()
            assert site.get("/manage/databases/")[0] == 200
            pages.append(time.monotonic() - started)
            time.sleep(0.2)
        answers = [one.result() for one in sending]
    left = _until(site, lambda found: not found["arriving"] and _settled(found))
    print(  # noqa: T201 - the measure, for whoever reads the run
        f"\n/livez p95 {watch.wait(95):.3f} s, slowest {watch.wait(100):.3f} s of "
        f"{len(watch.waits)}; a page {max(pages):.3f} s at most; "
        f"memory { ({kind: most // MEGABYTE for kind, most in watch.most.items()}) } MB"
    )
    assert empty["imports"] == []
    assert [answer[:12] for answer in answers[:DROPPED]] == [b""] * DROPPED
    assert {answer[:12] for answer in answers[DROPPED:-1]} == {b"HTTP/1.1 302"}
    assert answers[-1].startswith(b"HTTP/1.1 422"), answers[-1][:200]
    assert f"larger than {LIMIT_MB} MB" in answers[-1].decode()
    # What broke off or was too large is in no table and no folder.
    assert len(left["imports"]) == len(left["files"]) == FINISHED
    assert left["received"] == left["records"] == left["failed_jobs"] == 0
    assert left["arriving"] == []
    assert watch.failures == []
    assert watch.wait(95) < 1.0
    assert max(pages) < 5.0
    assert max(watch.most[kind] for kind in ("web", "worker")) < 200 * MEGABYTE
    assert "Traceback" not in "\n".join(up.said)


def test_sixteen_slow_pieces_keep_nobody_waiting(_small_limit: None, up: Running) -> None:
    up.wait_until_ready()
    site = Site(up)
    before = site.beside("look")
    begun = [_begin(site, len(FILE)) for _ in range(4)]
    requests = [_piece(site, begun[n % len(begun)], FILE) for n in range(16)]
    with Watch(up) as watch, ThreadPoolExecutor(len(requests)) as pool:
        sending = [
            pool.submit(_send_slowly, up.port, request, drop_at=STEPS // 2 if n < DROPPED else None)
            for n, request in enumerate(requests)
        ]
        while not all(one.done() for one in sending):
            assert site.get("/manage/databases/")[0] == 200
            time.sleep(0.2)
        answers = [one.result() for one in sending]
    print(  # noqa: T201
        f"\n/livez p95 {watch.wait(95):.3f} s, slowest {watch.wait(100):.3f} s"
    )
    # Two whole pieces came for each file: one was taken, the other told where the file stands.
    told = sorted(answer[:12] for answer in answers[DROPPED:])
    assert told == [b"HTTP/1.1 200"] * 4 + [b"HTTP/1.1 409"] * 4
    for begun_file in begun:
        assert json.loads(site.get(begun_file["pieces"])[2])["whole"]
        assert site.post(begun_file["cancel"], {})[0] == 204
    left = _until(site, lambda found: not found["arriving"])
    assert left["imports"] == before["imports"]
    assert (left["received"], left["files"]) == (before["received"], before["files"])
    assert watch.failures == []
    assert watch.wait(95) < 1.0
    assert max(watch.most[kind] for kind in ("web", "worker")) < 200 * MEGABYTE
    assert "Traceback" not in "\n".join(up.said)


def _upload(site: Site, content: bytes) -> bytes:
    body, kind = site.multipart("pelan.csv", content)
    return _request(site, "/manage/databases/upload/", kind, body)


def _begin(site: Site, size: int) -> dict[str, str]:
    fields = {"name": "pelan.csv", "size": str(size)}
    status, _, answer = site.post("/manage/databases/upload/receive/", fields)
    assert status == 201, answer
    begun: dict[str, str] = json.loads(answer)
    return begun


def _piece(site: Site, begun: dict[str, str], content: bytes) -> bytes:
    path = f"{begun['pieces']}?{urlencode({'offset': 0})}"
    return _request(site, path, "application/octet-stream", content)


def _request(site: Site, path: str, kind: str, body: bytes) -> bytes:
    headers = site.headers | {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "X-CSRFToken": site.csrf,
        "Connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def _send_slowly(port: int, request: bytes, *, drop_at: int | None) -> bytes:
    """Send `request` in small steps, or only some of them; give what is answered."""
    length = len(request) // STEPS + 1
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        for step in range(STEPS):
            if step == drop_at:
                # As a line that breaks: no farewell.
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return b""
            try:
                line.sendall(request[step * length : (step + 1) * length])
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(STEP_SECONDS)
        answer = b""
        while part := line.recv(65_536):
            answer += part
    return answer


def _settled(found: dict[str, object]) -> bool:
    imports = found["imports"]
    assert isinstance(imports, list)
    return all(state != "reading" for _, state, _ in imports)


def _until(
    site: Site, satisfied: Callable[[dict[str, object]], bool], seconds: float = 60
) -> dict[str, list[object]]:
    end = time.monotonic() + seconds
    while not satisfied(found := site.beside("look")) and time.monotonic() < end:
        time.sleep(0.5)
    return found
