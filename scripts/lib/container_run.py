"""Runs the images of Dockerfile and deploy/ without a container engine, and checks what they promise.

``python container_run.py WORK MAP DATABASE PROXY``: a folder to work in, and the mounted roots of the three images,
each with its configuration beside it (``ROOT.json``, of ``buildah inspect``). To be started as root in a network
namespace of its own. Each root is mounted read-only by bubblewrap, with new process, IPC and mount namespaces, and the
entry point runs as the image's user without capabilities, as process 1. What fails is an AssertionError.
"""

import atexit
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

# what Docker allows unless told otherwise
STOP_WITHIN_S = 10
READY_WITHIN_S = 90
SHARED_MEMORY = 256 * 1024 * 1024
MAP = "http://127.0.0.1:8000"
EXPORT = "/exports/platforms.geojson"
QUESTION = "/collections/platforms/items?within=counties/330481&f=json"
UNCHECKED = ssl._create_unverified_context()  # noqa: S323 -- the certificate is self-signed


class Image:
    """A mounted image and what is configured in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        docker = json.loads(root.with_suffix(".json").read_text())["Docker"]["config"]
        self.environment: dict[str, str] = dict(pair.split("=", 1) for pair in docker["Env"])
        self.user, self.group = docker["User"].split(":")
        self.command: list[str] = [*docker["Entrypoint"], *(docker["Cmd"] or [])]
        self.folder: str = docker["WorkingDir"] or "/"
        self.volumes: list[str] = list(docker["Volumes"] or [])
        self.health: list[str] = docker["Healthcheck"]["Test"][1:]
        self.stop_signal = signal.Signals[docker.get("StopSignal") or "SIGTERM"]

    def as_user(self, *command: str) -> list[str]:
        return [
            "/usr/bin/setpriv", f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command,
        ]  # fmt: skip


class Running:
    """A container as far as it can be had without an engine: the image's entry point in its read-only root."""

    def __init__(self, image: Image, work: Path, name: str, volume: Path | None = None, **environment: str) -> None:
        self.image = image
        self.environment = image.environment | environment
        self.log = work / f"{name}.log"
        mounts = [part for one in image.volumes for part in ("--bind", str(volume), one)]
        if volume is None:
            assert not image.volumes
            mounts = ["--perms", "1777", "--tmpfs", "/tmp"]
        read, write = os.pipe()
        arguments = [
            "bwrap", "--ro-bind", str(image.root), "/", *mounts, "--proc", "/proc", "--dev", "/dev",
            "--perms", "1777", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm",
            "--ro-bind", str(work / "hosts"), "/etc/hosts",
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--info-fd", str(write),
            "--chdir", image.folder, *image.as_user(*image.command),
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write],
            )
        os.close(write)
        with os.fdopen(read) as told:
            self.pid: int = json.load(told)["child-pid"]
        self.began = time.monotonic()
        atexit.register(self.kill)

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as its user and with its environment."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--ipc", "--root", "--wd", "--"]
        return subprocess.run(
            [*enter, *self.image.as_user(*command)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def healthy(self) -> bool:
        asked = self.inside(*self.image.health)
        self.complaint = asked.stderr
        return asked.returncode == 0

    def wait_until_healthy(self) -> float:
        """Seconds from the start until the image's health command succeeded."""
        while not self.healthy():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - self.began < READY_WITHIN_S, self.complaint + self.log.read_text()
            time.sleep(0.3)
        return time.monotonic() - self.began

    def kill(self) -> None:
        """End process 1, and with it everything in the container."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> float:
        """Send the image's stop signal and wait; seconds that it took, at most `STOP_WITHIN_S`."""
        began = time.monotonic()
        os.kill(self.pid, self.image.stop_signal)
        self.process.wait(STOP_WITHIN_S)
        return time.monotonic() - began


def say(text: str) -> None:
    print(f"✓ {text}", flush=True)


def fetch(address: str, timeout: float = 60) -> bytes:
    with urllib.request.urlopen(address, timeout=timeout, context=UNCHECKED) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def count(base: str) -> int:
    matched: int = json.loads(fetch(base + QUESTION))["numberMatched"]
    return matched


def check_questions(container: Running) -> None:
    assert count(MAP) > 0
    assert fetch(f"{MAP}/maps/jiaxing.png").startswith(b"\x89PNG")
    assert fetch(f"{MAP}/exports/platforms.gpkg").startswith(b"SQLite format 3")
    assert "Jiaxing" in container.inside("innomap", "--help").stdout
    say("a question, a map to print (fonts) and a GeoPackage (temporary files) are answered")


def check_doctor(container: Running) -> None:
    """What the doctor reads (lock file, manifest, fonts, programs of backups) is in the image."""
    found = container.inside("innomap", "doctor")
    *lines, total = found.stdout.splitlines()
    assert found.returncode == 0, found.stdout + found.stderr
    assert not any(line.startswith("-") for line in lines), found.stdout  # nothing was left out
    say("; ".join([f"innomap doctor: {total}", *(line for line in lines if not line.startswith("✓"))]))


def check_confinement(container: Running) -> None:
    identity = container.inside("/usr/bin/id", "-u")
    assert identity.stdout.strip() == container.image.user != "0", identity.stderr
    for place in ("/opt/innomap/x", "/etc/x", "/tmp/x", "/x"):
        refused = container.inside("/usr/bin/touch", place)
        assert refused.returncode != 0, place
        assert "Read-only" in refused.stderr or "denied" in refused.stderr, refused.stderr
    status = (Path("/proc") / str(container.pid) / "status").read_text()
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in status, status
    say(f"runs as user {container.image.user} without capabilities; nothing but the volume can be written")


def check_stop_while_busy(container: Running, volume: Path) -> None:
    """SIGTERM while eight clients ask without a pause: every answer is whole, and the database is closed."""
    stop, broken = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                json.loads(fetch(MAP + EXPORT))
            except (urllib.error.URLError, ConnectionError):
                stop.set()  # no longer listening
            except Exception as error:
                broken.append(error)

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    time.sleep(1)
    took = container.stop()
    stop.set()
    for client in clients:
        client.join()
    assert not broken, broken
    assert not list(volume.glob("*/postmaster.pid")), "the database was not closed"
    say(f"SIGTERM under eight busy clients: ended in {took:.1f} s, no answer cut, database closed")


def check_stop_with_a_stuck_client(container: Running) -> None:
    """SIGTERM while a client asks for much and takes nothing."""
    static = container.image.root / "opt/innomap/app/static"
    largest = max((one for one in static.rglob("*") if one.is_file()), key=lambda one: one.stat().st_size)
    asked = 20_000_000 // largest.stat().st_size + 1
    head = f"GET /static/{largest.relative_to(static)} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", 8000)) as client:
        client.sendall(head.encode() * asked)
        time.sleep(1)
        took = container.stop()
    say(f"SIGTERM while a client does not take its answers: ended in {took:.1f} s")


def embedded(image: Image, work: Path) -> None:
    volume = work / "volume"
    volume.mkdir()
    # as Kubernetes hands out a volume with fsGroup
    os.chown(volume, 0, int(image.group))
    volume.chmod(0o2770)
    container = Running(image, work, "embedded-1", volume)
    say(f"on its own database: healthy {container.wait_until_healthy():.1f} s after the first start")
    check_confinement(container)
    check_questions(container)
    check_doctor(container)
    before = count(MAP)
    check_stop_while_busy(container, volume)

    container = Running(image, work, "embedded-2", volume)
    say(f"second start: healthy after {container.wait_until_healthy():.1f} s")
    assert count(MAP) == before
    container.kill()

    container = Running(image, work, "embedded-3", volume)
    say(f"after a kill -9: healthy after {container.wait_until_healthy():.1f} s")
    assert count(MAP) == before
    check_stop_with_a_stuck_client(container)


def unwritable(image: Image, work: Path) -> None:
    volume = work / "foreign"
    volume.mkdir(mode=0o755)
    container = Running(image, work, "foreign", volume)
    assert container.process.wait(20) == 1
    assert f"user {image.user}" in container.log.read_text(), container.log.read_text()
    say("a volume of somebody else is refused with a sentence")


def composed(images: dict[str, Image], work: Path) -> None:
    """The three services of compose.yaml together, with the names that its networks would give them."""
    volumes = {}
    for name in ("map", "database"):
        volumes[name] = work / f"volume-{name}"
        volumes[name].mkdir(mode=0o700)
        os.chown(volumes[name], int(images[name].user), int(images[name].group))
    password = "Of1letters2And3digits"  # noqa: S105
    database = Running(images["database"], work, "database", volumes["database"], INNOMAP_DB_PASSWORD=password)
    say(f"PostGIS: healthy after {database.wait_until_healthy():.1f} s")
    url = f"postgresql://innomap:{password}@database:5432/innomap"
    service = Running(
        images["map"], work, "map", volumes["map"], DATABASE_URL=url, INNOMAP_TRUSTED_PROXIES='["127.0.0.0/8"]'
    )  # fmt: skip
    say(f"map on DATABASE_URL: healthy after {service.wait_until_healthy():.1f} s")
    assert not list(volumes["map"].glob("*/PG_VERSION"))
    check_doctor(service)
    proxy = Running(images["proxy"], work, "proxy", INNOMAP_UPSTREAM="map:8000", INNOMAP_HOST="localhost")
    proxy.wait_until_healthy()
    assert count("https://localhost:8443") > 0
    link = json.loads(fetch("https://localhost:8443/?f=json"))["links"][0]["href"]
    assert link.startswith("https://localhost:8443/"), link
    say("proxy with TLS: a question is answered, links begin with https")

    stopped = database.stop()
    assert not service.healthy()
    again = Running(
        images["database"], work, "database-2", volumes["database"], INNOMAP_DB_PASSWORD="changed" + password
    )
    again.wait_until_healthy()
    assert not service.healthy(), "the old password still opens the database"
    again.stop()
    again = Running(images["database"], work, "database-3", volumes["database"], INNOMAP_DB_PASSWORD=password)
    again.wait_until_healthy()
    while not service.healthy():
        time.sleep(0.3)
        assert time.monotonic() - again.began < READY_WITHIN_S
    assert count("https://localhost:8443") > 0
    say(f"database stopped ({stopped:.1f} s), password changed and changed back: the map says unhealthy, and recovers")
    say(
        "stopped in s: "
        + ", ".join(
            f"{name} {one.stop():.1f}" for name, one in (("proxy", proxy), ("map", service), ("PostGIS", again))
        )
    )


def main(work: Path, *roots: Path) -> None:
    os.umask(0o022)
    (work / "hosts").write_text("127.0.0.1 localhost map database\n")
    images = dict(zip(("map", "database", "proxy"), map(Image, roots), strict=True))
    embedded(images["map"], work)
    unwritable(images["map"], work)
    composed(images, work)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
