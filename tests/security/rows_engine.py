"""Rows of engines: what an image says and has. They are of `hull run IMAGE`; peers here make no containers of images."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile

from harness import HERE, Broken, Escaped, NotApplicable, row
from rows_runtime import abstract_sockets, as_nobody

SHUT = ("EPERM", "EACCES", "ENOSYS")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Image:
    """An OCI archive: a layer with /bin/probe and what is added, and a configuration."""

    def __init__(self, t, name="probe"):
        self.t, self.name, self.config, self.extra = t, f"localhost/{name}:latest", {"Cmd": ["/bin/probe", "true"]}, {}
        self._layer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._layer, mode="w", format=tarfile.PAX_FORMAT)
        for directory in "bin", "etc", "usr", "usr/bin", "tmp", "data":
            self.add(directory, tarfile.DIRTYPE, mode=0o755)
        with open(t.probe, "rb") as file:
            self.binary = file.read()
        self.add("bin/probe", content=self.binary, mode=0o755)
        self.add("made-for-probe")

    def add(self, name, kind=tarfile.REGTYPE, content=b"", mode=0o644, link="", device=(0, 0)):
        member = tarfile.TarInfo(name)
        member.type, member.mode, member.linkname, member.size = kind, mode, link, len(content)
        member.devmajor, member.devminor = device
        self._tar.addfile(member, io.BytesIO(content))

    def load(self, check=True):
        """Writes the archive and gives it to the engine."""
        self._tar.close()
        blobs = {}

        def blob(data, media):
            digest = hashlib.sha256(data).hexdigest()
            blobs[digest] = data
            return {"mediaType": media, "digest": "sha256:" + digest, "size": len(data)}

        layer = blob(self._layer.getvalue(), "application/vnd.oci.image.layer.v1.tar")
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
            "os": "linux",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [layer],
            **self.extra,
        }
        entry = blob(json.dumps(manifest).encode(), MANIFEST)
        entry["annotations"] = {
            "org.opencontainers.image.ref.name": "latest",
            "io.containerd.image.name": self.name,
        }
        path = f"{self.t.work}/image.tar"
        with tarfile.open(path, "w") as archive:
            files = {f"blobs/sha256/{name}": data for name, data in blobs.items()}
            files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
            files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return engine(self.t, "load", "--input", path, check=check)

    def run(self, *words, options=(), check=False):
        command = ["/bin/probe", *map(str, words)] if words else []
        return engine(self.t, "run", "--rm", "--network", "none", *options, self.name, *command, check=check)


def engine(t, *words, check=False):
    return t.call("--data-root", t.work + "/data", *words, check=check)


def shut_doors(result):
    doors = {words[0]: words[1] for words in result.lines("door")}
    if len(doors) < 20:
        raise Broken(f"the probe said {result}")
    return doors, [name for name, answer in doors.items() if answer not in SHUT]


@row("CVE-2022-0185 and kin", "doors into the kernel stand open to a container as it is made by default", engine=True)
def cve_2022_0185(t):
    image = Image(t)
    image.load()
    doors, unshut = shut_doors(image.run("kernel", check=True))
    if unshut:
        raise Escaped(", ".join(f"{name}: {doors[name]}" for name in unshut))
    if doors["clone3-newuser"] != "ENOSYS":
        raise Escaped(f"clone3 gives {doors['clone3-newuser']}: libc will not try clone")
    # The same without a filter: else the kernel shuts them, and the row says nothing.
    _, unfiltered = shut_doors(image.run("kernel", options=["--security-opt", "seccomp=unconfined"], check=True))
    if "unshare-newuser" not in unfiltered:
        raise Broken("this kernel has no user namespaces for containers")
    return f"{len(doors)} shut; without the filter {len(unfiltered)} of them are open"


@row("CVE-2026-31431, -43284, -43500 and kin", "address families that no container needs", engine=True)
def socket_families(t):
    image = Image(t)
    image.load()
    wanted = {"AF_UNIX", "AF_INET", "AF_INET6", "NETLINK_ROUTE"}
    few = ("--cap-drop", "NET_RAW")
    found = [line.split() for line in image.run("sockets", options=few, check=True).out.splitlines()]
    if len(found) < 40:
        raise Broken(f"the probe said {found}")
    for way, family, answer in found:
        if family in wanted:
            if way == "socket" and answer != "open":
                raise Broken(f"{family} is {answer}: nothing could work")
        elif answer not in (*SHUT, "signal"):
            raise Escaped(f"{family} by {way}: {answer}")
    unconfined = image.run("sockets", options=[*few, "--security-opt", "seccomp=unconfined"], check=True)
    reached = [line.split() for line in unconfined.out.splitlines()]
    through = {(way, family) for way, family, answer in reached if family not in wanted and answer not in SHUT}
    return f"{len(found)} ways shut but for those needed; without the filter the kernel is reached by {len(through)}"


@row("CVE-2022-1227", "the engine executes ps or nsenter of the image", engine=True)
def cve_2022_1227(t):
    image = Image(t)
    for name in "bin/ps", "usr/bin/nsenter", "bin/nsenter", "usr/bin/ps", "bin/sh", "usr/bin/newuidmap":
        image.add(name, content=image.binary, mode=0o755)
    image.load()
    engine(t, "run", "-d", "--network", "none", "--name", "one", image.name, "/bin/probe", "pause", check=True)
    said = engine(t, "top", "one", check=True).out
    engine(t, "stats", "--no-stream", "one")
    engine(t, "diff", "one")
    looked = engine(t, "exec", "one", "/bin/probe", "look", "/executed", check=True).lines("look")
    # That it would be seen: they do leave it when they are executed.
    engine(t, "exec", "one", "/bin/ps")
    control = engine(t, "exec", "one", "/bin/probe", "look", "/executed", check=True).lines("look")
    engine(t, "rm", "-f", "one")
    if looked[0][1] != "ENOENT":
        raise Escaped("a program of the image has been executed")
    if control[0][1] != "file":
        raise Broken("the image's programs leave no trace")
    if "probe" not in said:
        raise Broken(f"top said {said!r}")
    return "top, stats and diff execute nothing of it"


@row("CVE-2024-1753, CVE-2024-9676 and kin", "/etc/passwd of the image is a FIFO, a device, or leads out", engine=True)
def cve_2024_9676(t):
    kinds = {
        "fifo": (tarfile.FIFOTYPE, ""),
        "zero": (tarfile.SYMTYPE, "/dev/zero"),
        "shadow": (tarfile.SYMTYPE, "../" * 20 + t.canary.lstrip("/") + "/token"),
        "absolute": (tarfile.SYMTYPE, t.canary + "/passwd"),
        "directory": (tarfile.DIRTYPE, ""),
        "loop": (tarfile.SYMTYPE, "passwd"),
    }
    with open(t.canary + "/passwd", "w", encoding="ascii") as file:
        file.write("outsider:x:0:0::/:/bin/sh\n")
    t.renew_canary()
    for kind, (member, link) in kinds.items():
        image = Image(t, kind)
        for name in "etc/passwd", "etc/group":
            image.add(name, member, link=link.replace("passwd", name[4:]) if kind == "loop" else link)
        image.load()
        for user in "outsider", "nobody:outsider":
            result = image.run("true", options=["--user", user])  # a hang is a fault: call() has a limit
            if result.status == 0:
                raise Escaped(f"/etc/passwd as {kind}: --user {user} was found outside")
        image.run("true")
    return f"{len(kinds)} kinds: no user is found by them, and nothing hangs"


@row("CVE-2026-55686", "WORKDIR leads through a link of the image to the host", engine=True)
def cve_2026_55686(t):
    for number, link in enumerate((t.canary, "../" * 12 + t.canary.lstrip("/"), "/")):
        image = Image(t, f"workdir{number}")
        image.add("link", tarfile.SYMTYPE, link=link)
        image.config["WorkingDir"] = "/link/made-by-workdir"
        image.load()
        result = image.run("cwd", t.canary.lstrip("/") + "/token")
        t.check_canary(" by WORKDIR")
        if result.lines("reached") or result.status == 0 and not result.lines("cwd")[0][0].startswith("/"):
            raise Escaped("the working directory is outside")
    return "made inside"


@row("CVE-2026-57231 (images)", "an image's variable without a value takes that of the engine", engine=True)
def cve_2026_57231_image(t):
    t.environment = {"SECRET_OF_ENGINE": "1"}
    image = Image(t)
    image.config["Env"] = ["HOME", "SECRET_OF_ENGINE", "PATH=/bin"]
    image.load(check=False)
    said = image.run("env").out
    if "SECRET_OF_ENGINE=1" in said:
        raise Escaped("it does")
    return "it does not"


@row("CVE-2024-40635, CVE-2026-46680", "USER of the image wraps to root, or is looked up as a name", engine=True)
def cve_2024_40635(t):
    users = ["4294967296", "4294967295", "2147483648000", "99999999999", "-1", "0x0", "1:4294967296"]
    passwd = "".join(f"{u.split(':')[0]}:x:0:0::/:/bin/sh\n" for u in users)
    for number, user in enumerate(users):
        image = Image(t, f"user{number}")
        image.add("etc/passwd", content=passwd.encode())
        image.config["User"] = user
        image.load(check=False)
        result = image.run("cat", "/proc/self/status")
        got = re.search(r"^Uid:\t(\d+)\t.*\nGid:\t(\d+)\t", result.out, re.MULTILINE)
        if result.status == 0 and "0" in got.groups() and user not in ("-1", "0x0"):
            raise Escaped(f'USER "{user}" gives {got[1]}:{got[2]}')
        if result.status == 0 and user[0].isdigit() and user not in ("0x0",):
            raise Escaped(f'USER "{user}" gives {got[1]}:{got[2]}')
    return f"{len(users)} refused, or names"


@row("CVE-2026-53488", "labels of the image become control data of the runtime", engine=True)
def cve_2026_53488(t):
    labels = {
        "org.criu.config": "/evil",
        "run.oci.handler": "evil",
        "run.oci.hooks.stdout": t.canary + "/ptmx",
        "org.systemd.property.ExecStart": "/evil",
        "hull.vm": "1",
        "hull.isolation": "none",
    }
    image = Image(t)
    image.config["Labels"] = labels
    image.load()
    engine(t, "run", "-d", "--network", "none", "--name", "one", image.name, "/bin/probe", "pause", check=True)
    texts = []
    for directory, _, files in os.walk(t.state):
        texts += [open(f"{directory}/{f}", encoding="utf-8").read() for f in files if f == "config.json"]
    engine(t, "rm", "-f", "one")
    if not texts:
        raise Broken("the container's config.json is nowhere")
    for text in texts:
        annotations = json.loads(text).get("annotations", {})
        for label in labels:
            if label in annotations:
                raise Escaped(f"the label {label} is an annotation of the container")
    return f"{len(labels)} labels, none in the container's configuration"


@row("CVE-2021-41091", "other users reach set-id programs in the engine's store", engine=True)
def cve_2021_41091(t):
    image = Image(t)
    image.add("bin/setid", content=image.binary, mode=0o4755)
    image.load()
    engine(t, "run", "-d", "--network", "none", "--name", "one", image.name, "/bin/probe", "pause", check=True)
    found = [f"{d}/setid" for d, _, files in os.walk(t.work + "/data") for f in files if f == "setid"]
    if not found:
        raise Broken("the program is nowhere in the store")
    for path in found:
        said = as_nobody(t, "look", path)
        if "EACCES" not in said:
            raise Escaped(f"anybody reaches {path.replace(t.work, '')}: {said.strip()}")
    engine(t, "rm", "-f", "one")
    return f"{len(found)} closed to others"


@row("CVE-2022-23648", "VOLUME of the image takes files of the host", engine=True)
def cve_2022_23648(t):
    targets = ["/../" * 12 + t.canary.lstrip("/"), "/link", "/data/../../../.." + t.canary, "/data/link"]
    for number, volume in enumerate(targets):
        image = Image(t, f"volume{number}")
        image.add("link", tarfile.SYMTYPE, link=t.canary)
        image.add("data/link", tarfile.SYMTYPE, link="../" * 12 + t.canary.lstrip("/"))
        image.config["Volumes"] = {volume: {}}
        image.load(check=False)
        result = image.run("look", *[f"{p}/token" for p in (volume, "/link", "/data", t.canary)])
        t.check_canary(" by VOLUME")
        if any(words[1] == "file" for words in result.lines("look")):
            raise Escaped(f"VOLUME {volume.replace(t.work, '')} has a file of the host's")
    return f"{len(targets)} volumes without a file of the host's"


@row("CVE-2021-41190", "a document that is a manifest and an index at once", engine=True)
def cve_2021_41190(t):
    image = Image(t)
    image.extra = {"manifests": []}
    if image.load(check=False).status == 0 and image.run("true").status == 0:
        raise Escaped("it was taken")
    other = Image(t, "other")
    other.extra = {"mediaType": "application/vnd.oci.image.index.v1+json"}
    if other.load(check=False).status == 0 and other.run("true").status == 0:
        raise Escaped("a manifest that says it is an index was taken")
    good = Image(t, "good")
    good.load()
    good.run("true", check=True)
    return "refused"


@row("CVE-2020-15257 (keeper)", "a container in the host's network reaches the engine by an abstract socket", engine=True)
def cve_2020_15257_keeper(t):
    before = abstract_sockets()
    image = Image(t)
    image.load()
    engine(t, "run", "-d", "--network", "host", "--name", "one", image.name, "/bin/probe", "pause", check=True)
    seen = abstract_sockets() - before
    said = engine(t, "exec", "one", "/bin/probe", "cat", "/proc/net/unix", check=True).out
    engine(t, "rm", "-f", "one")
    seen |= {line.split()[-1] for line in said.splitlines() if line.split()[-1].startswith("@")} - before
    if seen:
        raise Escaped(f"an abstract socket {sorted(seen)[0]}")
    return "no abstract socket"


@row("CVE-2021-29136, CVE-2021-32760, CVE-2025-47290", "a layer writes outside of its directory", engine=True)
def hostile_layers(t):
    build = os.path.dirname(t.runtime.program)
    tools = [HERE + "/../tools/hostile-run", build + "/tests/tools/hostile-tar", build + "/libexec/hull/hull-unpack"]
    for tool in tools:
        if not os.path.exists(tool):
            raise NotApplicable(f"{os.path.basename(tool)} is not here (make builds it)")
    work = t.directory("hostile")
    done = subprocess.run([sys.executable, *tools, work], capture_output=True, check=False, timeout=300)
    said = done.stdout.decode().strip().splitlines()
    if done.returncode:
        raise Escaped(said[0] if said else done.stderr.decode()[-200:])
    return said[-1]
