"""What the rows of the suite stand on: a place of their own, bundles, runtimes, races.

A row is a function of one Trial. It returns a note (what was seen) if the runtime held, raises Escaped if
it did not, and NotApplicable if the question does not arise. Any other exception is a fault of the suite.
"""

import ctypes
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWCGROUP = 0x02000000
NOBODY = 65534
LIMIT = 60  # seconds that any one command of a runtime may take
PROC_MAGIC = "9fa0"

ROWS = []


class Escaped(Exception):
    """The runtime let it happen: what happened."""


class NotApplicable(Exception):
    """The row says nothing about this runtime, or cannot on this machine: why."""


class Broken(Exception):
    """The test did not test: why."""


class Row:
    def __init__(self, name, title, function, engine):
        self.name, self.title, self.function, self.engine = name, title, function, engine


def row(name, title, engine=False):
    """Registers a row; those with engine=True are of `hull run IMAGE`, which peers don't have."""

    def register(function):
        ROWS.append(Row(name, title, function, engine))
        return function

    return register


# ---- the place


def command(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise Broken(f"{' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")


def mountinfo():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


class Place:
    """Mount, PID, network, IPC, UTS and cgroup namespaces of the suite's own, with all of the host read-only.

    The namespaces but for that of cgroups are made by unshare(1) (see `run`). Whatever a runtime that
    fails makes, mounts or overwrites is here, and goes away with the last process.
    """

    def __init__(self, work):
        self.work = work
        self.cgroup = os.path.basename(os.path.dirname(work))
        self._cgroup_root = -1

    def __enter__(self):
        self._cgroups()
        try:
            self._mounts()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _mounts(self):
        self._devices()
        for line in mountinfo():
            target, kind = line.split()[4], line.split(" - ")[1].split()[0]
            if kind not in ("proc", "sysfs", "cgroup2", "devpts", "mqueue") and not target.startswith("/dev"):
                # Some can't be (of another owner); the root must.
                done = subprocess.run(["mount", "-o", "remount,bind,ro", target], check=False, capture_output=True)
                if done.returncode and target == "/":
                    raise Broken("the root file system could not be made read-only")
        command("mount", "-t", "tmpfs", "-o", "mode=755", "run", "/run")
        command("mount", "-t", "tmpfs", "-o", "mode=755", "security", self.work)
        # What a runtime makes as a cache has its place here, too.
        os.environ.update(HOME=self.work, TMPDIR=self.work, XDG_RUNTIME_DIR="/run", XDG_CACHE_HOME=self.work)
        os.chdir(self.work)

    def _cgroups(self):
        """Cgroup v2 and nothing else, which crun asks for; its root is one that the suite made."""
        if not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            command("umount", "--recursive", "/sys/fs/cgroup")
            command("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        self._cgroup_root = os.open("/sys/fs/cgroup", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.mkdir(self.cgroup, dir_fd=self._cgroup_root)
        self._join(self.cgroup)
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWCGROUP) < 0:
            raise Broken(f"unshare the cgroup namespace: {os.strerror(ctypes.get_errno())}")
        command("umount", "--recursive", "--lazy", "/sys/fs/cgroup")
        command("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        os.mkdir("/sys/fs/cgroup/suite")
        self._join(self.cgroup + "/suite")

    def _join(self, path):
        fd = os.open(path + "/cgroup.procs", os.O_WRONLY, dir_fd=self._cgroup_root)
        os.write(fd, b"0")
        os.close(fd)

    @staticmethod
    def _devices():
        """Devices of our own: crun and runc change the owner of a /dev/null that they are given."""
        command("mount", "-t", "tmpfs", "-o", "mode=755", "dev", "/dev")
        for name, minor in ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9):
            os.mknod("/dev/" + name, 0o20666, os.makedev(1, minor))
            os.chmod("/dev/" + name, 0o666)
        os.mknod("/dev/tty", 0o20666, os.makedev(5, 0))
        os.chmod("/dev/tty", 0o666)
        for name in "pts", "shm", "mqueue":
            os.mkdir("/dev/" + name)
        command("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666,mode=620", "devpts", "/dev/pts")
        command("mount", "-t", "tmpfs", "shm", "/dev/shm")
        os.symlink("pts/ptmx", "/dev/ptmx")
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            os.symlink(f"/proc/self/fd/{number}", "/dev/" + name)
        os.symlink("/proc/self/fd", "/dev/fd")

    def __exit__(self, *_):
        kill_others()
        os.chdir("/")
        self._join(".")
        for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if directory != "/sys/fs/cgroup":
                try:
                    os.rmdir(directory)
                except OSError as error:
                    print(f"security: {directory}: {error.strerror}", file=sys.stderr)
        os.rmdir(self.cgroup, dir_fd=self._cgroup_root)


def kill_others():
    """Every other process of our PID namespace is one that a row has started."""
    for _ in range(100):
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        pids = [pid for pid in pids if pid not in (1, os.getpid())]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        if not pids:
            return
        time.sleep(0.01)


# ---- what runs


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def lines(self, first):
        """The words after `first` of the lines that begin with it."""
        return [line.split()[1:] for line in self.out.splitlines() if line.split()[:1] == [first]]

    def __str__(self):
        said = (self.err.strip() or self.out.strip()).splitlines()
        return f"status {self.status}: {said[-1] if said else 'silent'}"


class Bundle:
    """A directory with config.json (`config`, saved by each use) and a root that has /bin/probe alone."""

    def __init__(self, path, probe, cgroup):
        self.path, self.rootfs = path, path + "/rootfs"
        os.makedirs(self.rootfs + "/bin")
        for name in "proc", "sys", "dev", "tmp":
            os.mkdir(f"{self.rootfs}/{name}")
        shutil.copy(probe, self.rootfs + "/bin/probe")
        with open(self.rootfs + "/made-for-probe", "w", encoding="ascii"):
            pass
        self.config = default_config(cgroup)

    def probe(self, *words):
        self.config["process"]["args"] = ["/bin/probe", *[str(word) for word in words]]

    def mount(self, destination, kind, source=None, *options):
        self.config["mounts"].append(
            {"destination": destination, "type": kind, "source": source or kind, "options": list(options)}
        )

    def without_mounts(self, prefix):
        self.config["mounts"] = [m for m in self.config["mounts"] if not m["destination"].startswith(prefix)]

    def without_namespace(self, kind):
        self.config["linux"]["namespaces"] = [n for n in self.config["linux"]["namespaces"] if n["type"] != kind]

    def add_capabilities(self, *names):
        for names_of in self.config["process"]["capabilities"].values():
            names_of.extend(names)


def default_config(cgroup):
    """As `runc spec` has it, but for the device rules: crun can't load them without CAP_SYS_RESOURCE."""
    plain = ["nosuid", "noexec", "nodev"]
    few = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/probe", "true"],
            "env": ["PATH=/bin"],
            "cwd": "/",
            "capabilities": {"bounding": list(few), "effective": list(few), "permitted": list(few)},
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "inside",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": plain},
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
            },
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
            },
            {
                "destination": "/dev/shm",
                "type": "tmpfs",
                "source": "shm",
                "options": [*plain, "mode=1777", "size=65536k"],
            },
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": plain},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*plain, "ro"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": [*plain, "ro"]},
        ],
        "linux": {
            "cgroupsPath": cgroup,
            "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


class Runtime:
    def __init__(self, name, program):
        self.name, self.program = name, program
        done = subprocess.run([program, "--version"], stdin=subprocess.PIPE, capture_output=True, check=False)
        self.version = done.stdout.decode().splitlines()[0] if done.returncode == 0 else ""
        if not self.version:
            raise SystemExit(f"security: {program} --version says nothing")
        self.kind = next((k for k in ("hull", "crun", "runc") if self.version.startswith(k)), "other")


class Trial:
    """One row with one runtime: a directory, a state root, ids, and canaries that are to come out as they were."""

    def __init__(self, place, runtime, probe, seconds):
        self.runtime, self.probe, self.seconds = runtime, probe, seconds
        self.program, self.work = runtime.program, place.work + "/trial"
        self.state, self.canary = self.work + "/state", self.work + "/canary"
        self.id, self.environment, self.prefix, self.pass_fds = "security-test", {}, [], ()
        self._calls = 0
        os.mkdir(self.work)
        os.mkdir(self.canary)
        # Shared: what a runtime mounts there, in whatever namespace that came of this one, is seen here.
        command("mount", "-t", "tmpfs", "-o", "mode=755", "canary", self.canary)
        command("mount", "--make-shared", self.canary)
        for name in "ptmx", "null", "token":
            with open(f"{self.canary}/{name}", "w", encoding="ascii") as file:
                file.write("intact\n")
        self._before = self._canaries()

    def done(self):
        try:
            self.delete()
        finally:
            kill_others()
            for line in reversed(mountinfo()):
                target = line.split()[4]
                if target.startswith(self.work):
                    subprocess.run(["umount", "--lazy", target], check=False, capture_output=True)
            # Cgroups that a runtime left are not this suite's subject.
            for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
                if directory not in ("/sys/fs/cgroup", "/sys/fs/cgroup/suite"):
                    try:
                        os.rmdir(directory)
                    except OSError:
                        pass
            shutil.rmtree(self.work)

    # -- the canaries

    def _canaries(self):
        """What each of them is and holds, and what is mounted there."""
        found = {}
        for directory, _, files in os.walk(self.canary):
            for path in (directory, *[os.path.join(directory, name) for name in files]):
                st = os.lstat(path)
                content = b""
                if stat.S_ISREG(st.st_mode):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = (st.st_mode, st.st_uid, st.st_gid, content)
        for line in mountinfo():
            if line.split()[4].startswith(self.canary):
                found[f"a mount on {line.split()[4]}"] = line.split()[0]
        return found

    def check_canary(self, doing=""):
        now = self._canaries()
        changed = sorted(p for p in {**now, **self._before} if now.get(p) != self._before.get(p))
        if changed:
            names = ", ".join(changed[:3]).replace(self.work, "")
            raise Escaped(f"changed a directory of the host{doing}: {names}")

    def renew_canary(self):
        """A row has put something of its own there."""
        self._before = self._canaries()

    # -- bundles and commands

    def bundle(self, name="bundle"):
        made = Bundle(f"{self.work}/{name}", self.probe, "/" + self.id)
        return made

    def directory(self, name):
        os.makedirs(f"{self.work}/{name}")
        return f"{self.work}/{name}"

    @staticmethod
    def now():
        return time.monotonic()

    def copy_of_program(self):
        """The runtime where anybody reaches it, and where it may be overwritten."""
        path = self.work + "/program"
        os.makedirs(path, exist_ok=True)
        shutil.copy(self.runtime.program, path)
        return f"{path}/{os.path.basename(self.runtime.program)}"

    def public_probe(self):
        path = self.work + "/probe"
        if not os.path.exists(path):
            shutil.copy(self.probe, path)
            os.chmod(path, 0o755)
        return path

    def call(self, *words, stdin=b"", check=False, join=None):
        """A command of the runtime, to its end. Output goes through files: a container may keep them open.

        `join` is the cgroup (a path from the suite's root) in which it runs.
        """

        def enter():
            with open(f"/sys/fs/cgroup{join}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

        self._calls += 1
        names = [f"{self.work}/{what}.{self._calls % 8}" for what in ("out", "err", "in")]
        with open(names[2], "wb") as file:
            file.write(stdin)
        with open(names[2], "rb") as given, open(names[0], "wb") as out, open(names[1], "wb") as err:
            done = subprocess.run(
                [*self.prefix, self.program, "--root", self.state, *words],
                stdin=given, stdout=out, stderr=err, timeout=LIMIT, check=False,
                env={**os.environ, **self.environment}, pass_fds=self.pass_fds,
                preexec_fn=enter if join else None,
            )  # fmt: skip
        texts = [open(name, encoding="utf-8", errors="replace").read() for name in names[:2]]
        result = Result(done.returncode, *texts)
        if check and result.status:
            raise Broken(f"{self.runtime.name} {words[0]}: {result}")
        return result

    def save(self, bundle):
        with open(bundle.path + "/config.json", "w", encoding="utf-8") as file:
            json.dump(bundle.config, file)

    def run(self, bundle, check=False, join=None):
        """run, and delete if it left something; `check`: the container must have come to its program."""
        self.save(bundle)
        result = self.call("run", "--bundle", bundle.path, self.id, check=check, join=join)
        if result.status:
            self.delete()
        return result

    def create(self, bundle, check=True):
        self.save(bundle)
        return self.call("create", "--bundle", bundle.path, self.id, check=check)

    def exec(self, *words, options=(), check=False):
        return self.call("exec", *options, self.id, "/bin/probe", *words, check=check)

    def delete(self):
        if os.path.isdir(f"{self.state}/{self.id}"):
            self.call("delete", "--force", self.id)

    def start_run(self, bundle):
        """run in the background: a Popen with output in its .path; it ends by .stdin.close() for `probe wait`."""
        self.save(bundle)
        out = open(f"{self.work}/background", "wb")
        running = subprocess.Popen(
            [*self.prefix, self.program, "--root", self.state, "run", "--bundle", bundle.path, self.id],
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **self.environment},
        )  # fmt: skip
        out.close()
        self.wait_for(lambda: "ready" in self.background() or running.poll() is not None, "the container to run")
        if "ready" not in self.background():
            raise Broken(f"{self.runtime.name} run: {self.background().strip()}")
        return running

    def background(self):
        with open(f"{self.work}/background", encoding="utf-8", errors="replace") as file:
            return file.read()

    def end_run(self, running):
        running.stdin.close()
        try:
            running.wait(3)
            return
        except subprocess.TimeoutExpired:
            self.call("kill", self.id, "KILL")
        try:
            running.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self.runtime.name} run does not end") from None

    @staticmethod
    def wait_for(true, what):
        end = time.monotonic() + LIMIT
        while not true():
            if time.monotonic() > end:
                raise Broken(f"waited in vain for {what}")
            time.sleep(0.005)

    def _in_terminal(self, words):
        """A command of the runtime in a terminal of its own: its pid, the master, and the terminal's name."""
        master, slave = pty.openpty()
        name = os.ttyname(slave)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                os.close(os.open(name, os.O_RDWR))  # becomes the controlling one
                for n in range(3):
                    os.dup2(slave, n)
                os.closerange(3, 256)
                os.execv(self.program, [self.program, "--root", self.state, *words])
            finally:
                os._exit(127)
        return pid, master, slave

    def run_in_terminal(self, *words, left=False):
        """Such a command to its end: a Result, `out` being what it showed, `.left` what could be read from it then."""
        pid, master, slave = self._in_terminal(words)
        shown, status, end = b"", None, time.monotonic() + LIMIT
        while status is None or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 0.005)[0]:
                shown += os.read(master, 65536)
            if status is None:
                done, code = os.waitpid(pid, os.WNOHANG)
                status = os.waitstatus_to_exitcode(code) if done else None
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise Broken(f"{self.runtime.name} {words[0]} in a terminal does not end")
        # crun colours what passes through it in a terminal, and puts the time before it.
        text = re.sub(r"\x1b\[[0-9;]*m(\S+Z: )?", "", shown.decode(errors="replace").replace("\r", ""))
        result = Result(status, text, "")
        if left:
            os.set_blocking(slave, False)
            try:
                result.left = os.read(slave, 4096).decode(errors="replace")
            except OSError:
                result.left = ""
        os.close(slave)
        os.close(master)
        return result

    def resize_in_terminal(self, count, *words):
        """Changes the size of such a command's terminal: its memory in kB before and after, and how often."""

        def resident():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                return int(next(line.split()[1] for line in file if line.startswith("VmRSS:")))

        pid, master, slave = self._in_terminal(words)
        shown, end = b"", time.monotonic() + LIMIT
        while b"ready" not in shown and time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                shown += os.read(master, 65536)
        if b"ready" not in shown:
            raise Broken(f"nothing ran in the terminal: {shown!r}")
        for n in range(count):
            if n == count // 10:
                first = resident()  # what it takes once is taken
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20 + n % 50, 80 + n % 7, 0, 0))
            os.kill(pid, signal.SIGWINCH)
        last = resident()
        os.write(master, b"\4")
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < end:
            if select.select([master], [], [], 0.01)[0]:
                os.read(master, 65536)
        os.close(slave)
        os.close(master)
        return first, last, count

    def race(self, *pairs):
        return Race(self, [name for pair in pairs for name in pair])


class Race:
    """Names that are exchanged all the time (renameat2(2), RENAME_EXCHANGE), by a process that counts.

    with trial.race((a, b)) as race:
        for attempt in race.attempts():
            attempt.took(trial.run(bundle))
    return race.note()
    """

    def __init__(self, trial, names):
        self.trial, self._names = trial, names
        self._counter = trial.work + "/counter"
        self.tries = self.started = self.exchanges = self.idle = 0
        self.least = None
        self._swap = None

    def count(self):
        with open(self._counter, "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]

    def __enter__(self):
        with open(self._counter, "wb") as file:
            file.write(bytes(8))
        # First in line for a processor, or on a busy machine an attempt may pass without an exchange.
        racer = ["nice", "-n", "-10", self.trial.probe, "swap", self._counter, *self._names]
        self._swap = subprocess.Popen(racer)
        self.trial.wait_for(lambda: self.count() > 0 or self._swap.poll() is not None, "the first exchange")
        return self

    def __exit__(self, *_):
        self._swap.kill()
        self._swap.wait()

    def took(self, result):
        self.started += result.status == 0
        return result

    def attempts(self):
        end = time.monotonic() + self.trial.seconds
        while time.monotonic() < end or self.tries < 3:
            before = self.count()
            yield self
            seen = self.count() - before
            self.tries += 1
            self.exchanges += seen
            if self._swap.poll() is not None:
                raise Broken("the swapper ended while the runtime worked")
            if seen:
                self.least = seen if self.least is None else min(self.least, seen)
            else:
                self.idle += 1  # it was not on a processor: that attempt says nothing

    def note(self):
        """How it went; a race that nobody ran is no evidence."""
        raced = self.tries - self.idle
        if raced < 3 or raced < self.tries / 2:
            raise Broken(f"in {self.idle} of {self.tries} attempts nothing was exchanged")
        return (
            f"{self.exchanges} exchanges, at least {self.least} in each of {raced} attempts; "
            f"{self.started} started, {self.tries - self.started} were refused"
        )

