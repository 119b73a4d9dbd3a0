"""Keeps one PostgreSQL server running for as long as any program holds the users' lock.

Run as a script of its own (``python -I -S supervisor.py …``) with nothing but the standard library, so that it
starts quickly and outlives the program that started it. Arguments: the inherited descriptor of the supervisor's
lock, the users' lock, the cluster folder, the socket folder, the server's uid and gid, and the server's command.

There is one supervisor per data folder because its exclusive lock was taken by the program that started it and
came with the descriptor; the kernel drops it when the supervisor ends, however it ends. A server that is running
already (its supervisor was killed) is adopted. SIGTERM and its like are ignored: when a machine or a service
stops, the programs still need the database while they finish, and the supervisor leaves right after the last.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time

POLL_S = 0.1
FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 5.0
STABLE_AFTER_S = 10.0
# Fast, immediate, and finally no shutdown at all, each with the time it is given
SHUTDOWN = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))


def is_server(pid: int, pgdata: str) -> bool:
    """Whether the process is a server (or one of its workers) of this cluster: PostgreSQL works in its folder."""
    try:
        with open(f"/proc/{pid}/comm") as name:
            return name.read().startswith("postgres") and os.path.samefile(f"/proc/{pid}/cwd", pgdata)
    except OSError:
        return False if os.path.isdir("/proc/self") else _is_server_by_ps(pid, pgdata)


def _is_server_by_ps(pid: int, pgdata: str) -> bool:
    # Systems without /proc: the command line ends with the folder, see Server.start
    done = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.rstrip().endswith(f" -D {pgdata}")


def recorded_pid(pgdata: str) -> int | None:
    """The process that ``postmaster.pid`` names, whatever it may be by now."""
    try:
        with open(os.path.join(pgdata, "postmaster.pid")) as file:
            return int(file.readline())
    except (OSError, ValueError):
        return None


class Server:
    """The PostgreSQL server of one cluster: a child of this process, or an adopted orphan."""

    def __init__(self, pgdata: str, sockets: str, command: list[str]) -> None:
        self.pgdata, self.sockets, self.command = pgdata, sockets, command
        self.child: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None

    def alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        return self.pid is not None and is_server(self.pid, self.pgdata)

    def start(self) -> None:
        """Adopt the running server of this cluster or start one."""
        self.child, self.pid = None, recorded_pid(self.pgdata)
        if self.alive():
            return
        self._end_leftovers()
        # A foreign process may have been given the number of a dead server, and PostgreSQL would take it for a
        # live one. Any other stale postmaster.pid it judges better itself, by the shared memory that this names.
        if self.pid is not None and _exists(self.pid):
            os.unlink(os.path.join(self.pgdata, "postmaster.pid"))
        for name in os.listdir(self.sockets):
            os.unlink(os.path.join(self.sockets, name))
        self.child = subprocess.Popen([*self.command, "-D", self.pgdata], stdin=subprocess.DEVNULL)  # noqa: S603
        self.pid = self.child.pid

    def stop(self) -> None:
        for number, patience in SHUTDOWN:
            if self.pid is None or not self.alive():
                break
            _signal(self.pid, number)
            deadline = time.monotonic() + patience
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        self._end_leftovers()

    def _end_leftovers(self) -> None:
        """End workers that outlived their killed server: while they compute, no new server can start."""
        for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            if entry.isdigit() and is_server(int(entry), self.pgdata):
                _signal(int(entry), signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def no_user_left(users: int) -> bool:
    """Take the users' lock exclusively if nobody holds it; from then on new users wait until it is dropped."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def supervise(users: int, server: Server) -> None:
    delay, started = FIRST_DELAY_S, -LONGEST_DELAY_S
    while not no_user_left(users):
        now = time.monotonic()
        if server.alive():
            if now - started > STABLE_AFTER_S:
                delay = FIRST_DELAY_S
        elif not os.path.exists(os.path.join(server.pgdata, "PG_VERSION")):
            return  # the data folder was deleted
        elif now - started >= delay:
            delay = min(2 * delay, LONGEST_DELAY_S)
            started = now
            server.start()
        time.sleep(POLL_S)


def main(arguments: list[str]) -> None:
    lock, users_path, pgdata, sockets, uid, gid, *command = arguments
    users = os.open(users_path, os.O_RDWR)
    if os.fork():
        os._exit(0)  # the program waits for this one only; the supervisor itself belongs to init
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # SIG_IGN would be inherited by the server
    os.ftruncate(int(lock), 0)
    os.write(int(lock), b"%d\n" % os.getpid())
    os.chdir("/")
    if os.geteuid() != int(uid):
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    server = Server(pgdata, sockets, command)
    try:
        supervise(users, server)
    finally:
        server.stop()
        if os.path.dirname(sockets) != os.path.dirname(pgdata):
            with contextlib.suppress(OSError):
                os.rmdir(sockets)  # the short folder in the temporary directory
        os.close(int(lock))  # before the users' lock: who gets that may start a supervisor at once
        os.close(users)


if __name__ == "__main__":
    main(sys.argv[1:])
