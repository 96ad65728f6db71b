"""Rows of any runtime with runc's command line: namespaces, root file systems, exec, descriptors, the kernel's doors."""

import os
import re
import shutil
import stat
import subprocess

from harness import NOBODY, PROC_MAGIC, Broken, Escaped, NotApplicable, command, row

NULL = ["char", "1:3"]


# ---- processes that join


def meet_intruder(t, capabilities):
    """Pid 1 looks at all that come; afterwards it must have had somebody to look at."""
    bundle = t.bundle()
    bundle.config["root"]["readonly"] = False
    bundle.add_capabilities(*capabilities)
    bundle.probe("intruder", 30)
    running = t.start_run(bundle)
    execs = 0
    commands = (["true"], ["true"], ["/proc/self/exe"], ["/bin/trap"])
    with open(bundle.rootfs + "/bin/trap", "w", encoding="ascii") as file:
        file.write("#!/proc/self/exe\n")
    os.chmod(bundle.rootfs + "/bin/trap", 0o755)
    end = t.now() + max(t.seconds, 2)
    while t.now() < end:
        what = commands[execs % 4]
        t.call("exec", t.id, *(what if what[0].startswith("/") else ["/bin/probe", *what]))
        execs += 1
    t.call("kill", t.id, "TERM")
    t.end_run(running)
    said = t.background()
    looked = re.search(r"^looked (\d+) others (\d+) descriptors (\d+) executables (\d+)$", said, re.MULTILINE)
    if not looked:
        raise Broken(f"the intruder said: {said[-200:]}")
    if int(looked[2]) < execs / 20:
        raise Broken(f"the intruder met {looked[2]} processes of {execs} execs")
    return said, f"{execs} execs, {looked[1]} looks at {looked[2]} processes that joined"


def held_against_intruder(said, first):
    found = sorted(set(re.sub(r"\d+", "N", line) for line in said.splitlines() if line.startswith(first)))
    if found:
        raise Escaped(f"pid 1 got at {found[0]}")


@row("CVE-2016-9962", "descriptors of a process that joins are seen by pid 1")
def cve_2016_9962(t):
    said, note = meet_intruder(t, [])
    held_against_intruder(said, ("descriptor", "namespace"))
    return note


@row("CVE-2016-9962, CAP_SYS_PTRACE", "the same, by a pid 1 that may look at any process")
def cve_2016_9962_ptrace(t):
    said, note = meet_intruder(t, ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])
    held_against_intruder(said, ("descriptor", "namespace"))
    return note


@row("CVE-2019-5736", "the container overwrites the runtime's executable")
def cve_2019_5736(t):
    # What could be overwritten is a copy.
    t.program = t.copy_of_program()
    before = open(t.program, "rb").read()
    said, note = meet_intruder(t, [])
    bundle = t.bundle("second")
    bundle.config["root"]["readonly"] = False
    with open(bundle.rootfs + "/bin/trap", "w", encoding="ascii") as file:
        file.write("#!/proc/self/exe\n")
    os.chmod(bundle.rootfs + "/bin/trap", 0o755)
    for program in "/proc/self/exe", "/bin/trap", "/proc/1/exe":
        bundle.config["process"]["args"] = [program, "--version"]
        t.run(bundle)
    if open(t.program, "rb").read() != before:
        raise Escaped("the runtime's executable has been overwritten")
    held_against_intruder(said, "writable")
    return note


# ---- /proc


def check_proc(t, result, doing):
    """What has started has a procfs at /proc, and masks that are in force."""
    if result.status:
        return
    looks = {words[0]: words[1:] for words in result.lines("look")}
    if looks["/proc"][0] != "directory" or looks["/proc"][2] != PROC_MAGIC:
        raise Escaped(f"started with a /proc that is no procfs ({doing})")
    if looks["/proc/kcore"][:2] != NULL:
        raise Escaped(f"started with /proc/kcore not masked ({doing})")
    if not int(looks["/proc/sys"][3], 16) & os.ST_RDONLY:
        raise Escaped(f"started with /proc/sys writable ({doing})")


@row("CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642", "/proc is a link or a volume")
def cve_2023_27561(t):
    started = refused = 0
    for link in "evil", "/evil", "../../canary", t.canary, "/dev/../evil":
        bundle = t.bundle(f"bundle-{started + refused}")
        os.rmdir(bundle.rootfs + "/proc")
        os.makedirs(bundle.rootfs + "/evil/self/attr")
        os.makedirs(bundle.rootfs + "/evil/sys/kernel")
        os.symlink(link, bundle.rootfs + "/proc")
        bundle.probe("look", "/proc", "/proc/kcore", "/proc/sys")
        result = t.run(bundle)
        check_proc(t, result, f"/proc -> {link.replace(t.work, '')}")
        t.check_canary(" through /proc")
        started, refused = started + (result.status == 0), refused + (result.status != 0)
    decoy = t.directory("decoy/self/attr")
    for target, source in ("/proc", t.work + "/decoy"), ("/proc/self", decoy), ("/proc/self/attr", decoy):
        bundle = t.bundle(f"bundle-{started + refused}")
        if target == "/proc":
            bundle.without_mounts("/proc")
        bundle.mount(target, "bind", source, "rbind", "rw")
        bundle.config["linux"]["sysctl"] = {"kernel.domainname": "sent-to-a-decoy"}
        bundle.probe("look", "/proc", "/proc/kcore", "/proc/sys")
        result = t.run(bundle)
        check_proc(t, result, f"a volume at {target}")
        if any(files for _, _, files in os.walk(t.work + "/decoy")):
            raise Escaped(f"wrote to a volume at {target}")
        started, refused = started + (result.status == 0), refused + (result.status != 0)
    return f"{started} started with a whole /proc, {refused} were refused"


@row("CVE-2025-52881", "sysctls are written to what a racer puts in the place of /proc")
def cve_2025_52881(t):
    bundle = t.bundle()
    bundle.config["root"]["readonly"] = False
    bundle.config["linux"].pop("readonlyPaths")
    fake = bundle.rootfs + "/fake"
    os.makedirs(fake + "/sys/kernel")
    os.makedirs(fake + "/self/attr")
    os.mkdir(bundle.rootfs + "/real")
    bundle.mount("/real", "proc", "proc")
    # A decoy that is a file, and one that is another sysctl (of the container's own UTS namespace).
    wrote = 0
    for decoy in "file", "link":
        where = fake + "/sys/kernel/domainname"
        if decoy == "link":
            os.unlink(where)
            os.symlink("/real/sys/kernel/hostname", where)
        else:
            with open(where, "w", encoding="ascii") as file:
                file.write("decoy\n")
        with t.race((bundle.rootfs + "/proc", fake)) as race:
            for attempt in race.attempts():
                value = f"written-{race.tries}"
                bundle.config["linux"]["sysctl"] = {"kernel.domainname": value}
                bundle.probe("cat", "/real/sys/kernel/hostname", "/real/sys/kernel/domainname")
                result = attempt.took(t.run(bundle))
                if result.status == 0:
                    said = result.out.split()
                    if said[:1] == [value]:
                        raise Escaped("a sysctl was written to another file of procfs")
                    if said != ["inside", value]:
                        raise Escaped(f"started, and the sysctl is not set: {said}")
                    wrote += 1
                # After the exchanges the decoy may be in either place.
                for name in "proc", "fake":
                    path = f"{bundle.rootfs}/{name}/sys/kernel/domainname"
                    try:
                        if decoy == "file" and open(path, encoding="ascii").read() != "decoy\n":
                            raise Escaped("a sysctl was written to a file of the image")
                    except OSError:
                        pass
        notes = race.note()
        for path in f"{bundle.rootfs}/proc/sys", f"{bundle.rootfs}/fake/sys":
            if os.path.isdir(path):
                fake = os.path.dirname(path)
    # And volumes that do not move.
    for target in "/proc/sys", "/proc/sys/kernel", "/proc/thread-self", "/proc/self/attr":
        still = t.bundle("still" + target.replace("/", "-"))
        volume = t.directory("volume" + target.replace("/", "-"))
        os.makedirs(volume + "/kernel")
        for name in volume + "/kernel/domainname", volume + "/domainname":
            with open(name, "w", encoding="ascii") as file:
                file.write("decoy\n")
        still.mount(target, "bind", volume, "rbind", "rw")
        still.config["linux"]["sysctl"] = {"kernel.domainname": "written"}
        t.run(still)
        for name in volume + "/kernel/domainname", volume + "/domainname":
            if open(name, encoding="ascii").read() != "decoy\n":
                raise Escaped(f"a sysctl was written to a volume at {target}")
    return f"{notes}; of those started all had it set ({wrote})"


@row("CVE-2025-52881, labels", "an AppArmor label goes to a decoy and not to the process")
def cve_2025_52881_label(t):
    if not os.path.isdir("/sys/module/apparmor") or "Y" not in open("/sys/module/apparmor/parameters/enabled").read():
        raise NotApplicable("no AppArmor on this machine")
    profiles = "/sys/kernel/security/apparmor/profiles"
    if not os.path.exists(profiles):
        raise NotApplicable("securityfs is not mounted")
    named = [line.split(" (")[0] for line in open(profiles, encoding="utf-8") if "(unconfined)" not in line]
    named = [name for name in named if name.startswith(("docker-default", "crun-default", "hull-default"))]
    if not named:
        raise NotApplicable("no profile of a container's is loaded")
    bundle = t.bundle()
    bundle.config["process"]["apparmorProfile"] = named[0]
    bundle.config["root"]["readonly"] = False
    os.makedirs(bundle.rootfs + "/fake/self/attr/apparmor")
    os.makedirs(bundle.rootfs + "/fake/thread-self/attr/apparmor")
    os.mkdir(bundle.rootfs + "/real")
    bundle.mount("/real", "proc", "proc")
    bundle.probe("cat", "/real/self/attr/current")
    with t.race((bundle.rootfs + "/proc", bundle.rootfs + "/fake")) as race:
        for attempt in race.attempts():
            result = attempt.took(t.run(bundle))
            if result.status == 0 and not result.out.startswith(named[0]):
                raise Escaped(f"started with the label {result.out.strip()!r} in place of {named[0]}")
    return race.note()


# ---- mounts


def raced_mounts(t, propagation):
    """Directories of a volume are exchanged for links out while a mount is made on each of them."""
    bundle = t.bundle()
    volume = t.directory("volume")
    bundle.config["root"]["readonly"] = False
    bundle.config["linux"]["rootfsPropagation"] = propagation
    bundle.mount("/volume", "bind", volume, "rbind", "rw")
    pairs = []
    for n in range(4):
        os.makedirs(f"{volume}/d{n}/sub")
        os.symlink(t.canary if n % 2 else "../../canary", f"{volume}/l{n}")
        pairs.append((f"{volume}/d{n}", f"{volume}/l{n}"))
        # The size tells one mount from another, wherever its place has been moved to.
        bundle.mount(f"/volume/d{n}", "tmpfs", "tmpfs", f"size={1000 + 4 * n}k")
        bundle.mount(f"/volume/d{n}/sub", "tmpfs", "tmpfs", f"size={2000 + 4 * n}k")
    bundle.probe("cat", "/proc/self/mountinfo")
    with t.race(*pairs) as race:
        for attempt in race.attempts():
            result = attempt.took(t.run(bundle))
            t.check_canary(" while mounts were made")
            if result.status:
                continue
            for n in range(4):
                if f"size={1000 + 4 * n}k" not in result.out:
                    raise Escaped("started, and a mount is not below its root: it was made outside")
    return race.note()


@row("CVE-2021-30465", "a mount's target is exchanged for a link while it is mounted")
def cve_2021_30465(t):
    return raced_mounts(t, "rprivate")


@row("CVE-2021-30465, shared", "the same, with mounts that propagate to the host")
def cve_2021_30465_shared(t):
    return raced_mounts(t, "rshared")


@row("CVE-2024-45310", "directories and files are made through a link that comes while they are made")
def cve_2024_45310(t):
    bundle = t.bundle()
    volume = t.directory("volume")
    bundle.config["root"]["readonly"] = False
    bundle.mount("/volume", "bind", volume, "rbind", "rw")
    os.mkdir(volume + "/dir")
    os.symlink(t.canary, volume + "/out")
    file = t.work + "/file"
    with open(file, "w", encoding="ascii"):
        pass
    with t.race((volume + "/dir", volume + "/out")) as race:
        for attempt in race.attempts():
            # New names each time: what exists is not made.
            bundle.config["mounts"] = [m for m in bundle.config["mounts"] if not m["destination"].startswith("/volume/")]
            for n in range(4):
                bundle.mount(f"/volume/dir/{race.tries}-{n}/y/z", "tmpfs", "tmpfs")
                bundle.mount(f"/volume/dir/f{race.tries}-{n}", "bind", file, "bind", "ro")
            bundle.config["process"]["cwd"] = f"/volume/dir/w{race.tries}/x"
            attempt.took(t.run(bundle))
            t.check_canary(" while directories were made")
    return race.note()


@row("CVE-2019-18837", "a link of the image at the destination of each mount")
def cve_2019_18837(t):
    started = refused = 0
    file = t.work + "/file"
    with open(file, "w", encoding="ascii") as content:
        content.write("bound\n")
    extra = {"/data": ("tmpfs", "tmpfs"), "/bound": ("bind", t.directory("bound")), "/file": ("bind", file)}
    targets = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", *extra]
    for target in targets:
        for number, link in enumerate((t.canary, "../" * 12 + t.canary.lstrip("/"), t.canary + "/ptmx")):
            bundle = t.bundle(f"bundle{target.replace('/', '-')}-{number}")
            bundle.config["root"]["readonly"] = False
            bundle.config["linux"]["rootfsPropagation"] = "rshared"
            if target.startswith("/dev/"):
                bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/dev"]
            if target.startswith("/sys/"):
                bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/sys"]
            place = bundle.rootfs + target
            if os.path.isdir(place):
                os.rmdir(place)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(link, place)
            for destination, (kind, source) in extra.items():
                bundle.mount(destination, kind, source, *(["rbind"] if kind == "bind" else ["size=1024k"]))
            result = t.run(bundle)
            t.check_canary(f" by a link at {target}")
            started, refused = started + (result.status == 0), refused + (result.status != 0)
            shutil.rmtree(bundle.path)
    return f"{started} started, {refused} were refused"


@row("CVE-2025-54867", "/proc and /sys of the image are links to directories of the host")
def cve_2025_54867(t):
    started = refused = 0
    for links in (("sys",), ("proc", "sys")):
        for target in t.canary, "/":
            bundle = t.bundle(f"bundle-{started + refused}")
            bundle.config["linux"]["rootfsPropagation"] = "rshared"
            for name in links:
                os.rmdir(f"{bundle.rootfs}/{name}")
                os.symlink(target, f"{bundle.rootfs}/{name}")
            bundle.probe("look", "/canary", t.canary + "/token", "/proc/kcore", "/made-for-probe")
            result = t.run(bundle)
            t.check_canary(" by /sys")
            looks = {words[0]: words[1:] for words in result.lines("look")}
            if result.status == 0 and (looks[t.canary + "/token"][0] == "file" or looks["/made-for-probe"][0] != "file"):
                raise Escaped("the container sees the host's files")
            started, refused = started + (result.status == 0), refused + (result.status != 0)
    return f"{started} started, {refused} were refused"


# ---- /dev


def masks_held(result):
    for path, *facts in result.lines("look"):
        if facts[:2] != NULL and facts[0] not in ("ENOENT", "ENOTDIR"):
            return f"{path} is {' '.join(facts[:2])} in place of the null device"
    return ""


@row("CVE-2025-31133, CVE-2025-62161", "what masks files is exchanged for something else")
def cve_2025_31133(t):
    masked = ["/proc/kcore", "/proc/keys", "/proc/timer_list"]

    def make(name):
        bundle = t.bundle(name)
        volume = t.directory(name + "-dev")
        bundle.config["root"]["readonly"] = False
        bundle.without_mounts("/dev")
        bundle.mount("/dev", "bind", volume, "rbind", "rw")
        bundle.config["linux"]["maskedPaths"] = masked
        bundle.probe("look", *masked)
        return bundle, volume

    still = 0
    # A link to a file of procfs (of the container's own UTS namespace), nowhere, a file, another device.
    for kind in "procfs", "nowhere", "file", "device":
        bundle, volume = make(kind)
        if kind in ("procfs", "nowhere"):
            os.symlink("/proc/sys/kernel/domainname" if kind == "procfs" else "/no/where", volume + "/null")
        elif kind == "device":
            os.mknod(volume + "/null", 0o20666, os.makedev(1, 5))
        else:
            with open(volume + "/null", "w", encoding="ascii"):
                pass
        result = t.run(bundle)
        if result.status == 0 and masks_held(result):
            raise Escaped(f"with a {kind} as /dev/null, {masks_held(result)}")
        still += 1
    bundle, volume = make("racing")
    os.mknod(volume + "/null", 0o20666, os.makedev(1, 3))
    os.symlink("/proc/sys/kernel/domainname", volume + "/link")
    with t.race((volume + "/null", volume + "/link")) as race:
        for attempt in race.attempts():
            result = attempt.took(t.run(bundle))
            if result.status == 0 and masks_held(result):
                raise Escaped(f"raced, {masks_held(result)}")
    return f"{still} that stand still; {race.note()}"


@row("CVE-2025-52565", "/dev/pts/N or /dev/console is exchanged before it is bound")
def cve_2025_52565(t):
    def make(name, console=True):
        bundle = t.bundle(name)
        volume = t.directory(name + "-dev")
        os.mkdir(volume + "/pts")
        os.symlink("pts/ptmx", volume + "/ptmx")
        for node, minor in ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9):
            os.mknod(f"{volume}/{node}", 0o20666, os.makedev(1, minor))
        if console:
            with open(volume + "/console", "w", encoding="ascii"):
                pass
        bundle.config["root"]["readonly"] = False
        bundle.config["process"]["terminal"] = True
        bundle.without_mounts("/dev")
        bundle.mount("/dev", "bind", volume, "rbind", "rw")
        bundle.mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620")
        bundle.probe("look", "/dev/console", "/proc/self/fd/0")
        return bundle, volume

    def attempt_of(bundle):
        t.save(bundle)
        result = t.run_in_terminal("run", "--bundle", bundle.path, t.id)
        t.delete()
        t.check_canary(" by the console")
        for path, *facts in result.lines("look"):
            if result.status == 0 and not (facts[0] == "char" and facts[1].startswith("136:")):
                raise Escaped(f"{path} is {' '.join(facts[:3])} in place of a terminal")
        if result.status == 0 and len(result.lines("look")) != 2:
            raise Broken(f"the container said {result.out!r}")
        return result

    bundle, _ = make("plain")
    if attempt_of(bundle).status:
        raise Broken(f"a container with a terminal does not start: {attempt_of(bundle)}")
    for target in t.canary + "/ptmx", "/proc/sys/kernel/domainname", "/no/where":
        bundle, volume = make("link" + target.replace("/", "-"), console=False)
        os.symlink(target, volume + "/console")
        attempt_of(bundle)
    bundle, volume = make("racing")
    os.mkdir(volume + "/other")
    for n in range(4):
        os.symlink("/proc/sys/kernel/domainname", f"{volume}/other/{n}")
    os.symlink("/proc/sys/kernel/domainname", volume + "/other/ptmx")
    with t.race((volume + "/pts", volume + "/other")) as race:
        for attempt in race.attempts():
            attempt.took(attempt_of(bundle))
    return race.note()


@row("CVE-2026-41579, CVE-2026-47766", "/dev of the image is a link: devices and links are made on the host")
def cve_2026_47766(t):
    started = refused = 0
    for link in t.canary, "../../canary", "../" * 12 + t.canary.lstrip("/"):
        for with_mount in True, False:
            bundle = t.bundle(f"bundle-{started + refused}")
            bundle.config["root"]["readonly"] = False
            if not with_mount:
                bundle.without_mounts("/dev")
            os.rmdir(bundle.rootfs + "/dev")
            os.symlink(link, bundle.rootfs + "/dev")
            result = t.run(bundle)
            t.check_canary(f" by /dev -> {'absolute' if link[0] == '/' else 'relative'} link, run")
            if t.create(bundle, check=False).status == 0:
                t.call("start", t.id)
            t.delete()
            t.check_canary(" by create and start")
            started, refused = started + (result.status == 0), refused + (result.status != 0)
    return f"{started} started, {refused} were refused"


# ---- what a process is given


@row("CVE-2022-29162, CVE-2022-27650", "inheritable capabilities that nobody asked for")
def cve_2022_29162(t):
    for uid in 0, 1000:
        bundle = t.bundle(f"bundle-{uid}")
        bundle.config["process"]["user"] = {"uid": uid, "gid": uid}
        bundle.probe("cat", "/proc/self/status")
        said = [t.run(bundle, check=True).out]
        bundle.probe("wait")
        running = t.start_run(bundle)
        for options in [], ["--cap", "CAP_KILL"], ["--user", "1000"], ["--user", "0", "--cap", "CAP_KILL"]:
            said.append(t.exec("cat", "/proc/self/status", options=options, check=True).out)
        t.end_run(running)
        for text in said:
            inheritable = re.search(r"^CapInh:\t(\w+)$", text, re.MULTILINE)[1]
            if int(inheritable, 16):
                raise Escaped(f"CapInh is {inheritable} as uid {uid}")
    return "CapInh is 0 by run and by exec, as root and as uid 1000"


@row("CVE-2026-30892", "exec --user: numbers that are cut, wrap, or become 0")
def cve_2026_30892(t):
    bundle = t.bundle()
    bundle.probe("wait")
    running = t.start_run(bundle)
    good = {"1": (1, None), "1:2": (1, 2), "0": (0, None), "4294967294": (4294967294, None)}
    bad = ["4294967295", "4294967296", "99999999999999999999", "-1", "1x", "1 ", "", ":", "1:", ":1", "1:x", "0x1"]
    for user, (uid, gid) in good.items():
        result = t.exec("cat", "/proc/self/status", options=["--user", user])
        got = re.search(r"^Uid:\t(\d+)\t.*\nGid:\t(\d+)\t", result.out, re.MULTILINE)
        if result.status == 0 and (int(got[1]) != uid or gid is not None and int(got[2]) != gid):
            raise Escaped(f"--user {user} gives {got[1]}:{got[2]}")
    for user in bad:
        result = t.exec("cat", "/proc/self/status", options=["--user", user])
        if result.status == 0:
            got = re.search(r"^Uid:\t(\d+)\t.*\nGid:\t(\d+)\t", result.out, re.MULTILINE)
            raise Escaped(f'--user "{user}" gives {got[1]}:{got[2]}')
    t.end_run(running)
    return f"{len(good)} right, {len(bad)} refused"


@row("CVE-2024-21626", "the working directory is a descriptor of the host's")
def cve_2024_21626(t):
    def check(result, doing):
        for words in result.lines("cwd"):
            if not words or not words[0].startswith("/"):
                raise Escaped(f"{doing}: the working directory is outside: {' '.join(words)}")
        if result.lines("reached") or ["other"] in result.lines("top"):
            raise Escaped(f"{doing}: the host's files can be reached")
        return result.status == 0

    bundle = t.bundle()
    bundle.probe("cwd", t.canary.lstrip("/") + "/token")
    check(t.run(bundle, check=True), "plain")
    started, tried = 0, 0
    for n in range(3, 40):
        for cwd in f"/proc/self/fd/{n}", f"/proc/self/fd/{n}/../..":
            bundle.config["process"]["cwd"] = cwd
            started += check(t.run(bundle), f"cwd {cwd}")
            tried += 1
            if n > 16:
                break
    bundle.config["process"]["cwd"] = "/"
    # One that a racer makes: a link of the image to a descriptor.
    bundle.probe("wait")
    running = t.start_run(bundle)
    for n in range(3, 40):
        cwd = f"/proc/self/fd/{n}"
        result = t.exec("cwd", t.canary.lstrip("/") + "/token", options=["--cwd", cwd])
        started += check(result, f"exec --cwd {cwd}")
        tried += 1
    t.end_run(running)
    return f"{tried} directories, {tried - started} refused"


@row("CVE-2024-21626, descriptors", "a created container's init, or the program, holds descriptors of the host's")
def cve_2024_21626_descriptors(t):
    # An engine that has forgotten to close some.
    leaked = [os.open(path, os.O_RDONLY) for path in ("/", t.canary, "/etc")]
    given = [os.dup2(fd, n, inheritable=True) for n, fd in zip((20, 21, 22), leaked)]
    try:
        t.pass_fds = given
        bundle = t.bundle()
        bundle.probe("descriptors")
        found = t.run(bundle, check=True).lines("descriptor")
        if found:
            raise Escaped(f"the program has descriptor {' '.join(found[0])}")
        bundle.probe("pause")
        t.create(bundle)
        pid = int(re.search(r'"pid":\s*(\d+)', t.call("state", t.id, check=True).out)[1])
        kinds = set()
        for name in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if int(name) <= 2:
                continue
            kinds.add(re.sub(r"\d+", "N", target))
            own = target.startswith((t.state, t.work + "/state"))
            if target.startswith("/") and not own and not target.startswith(("/memfd:", "/dev/null")):
                inside = os.path.exists(f"/proc/{pid}/root{target}") and os.path.samefile(
                    f"/proc/{pid}/root{target}", f"/proc/{pid}/fd/{name}"
                )
                if not inside:
                    raise Escaped(f"a created container's init holds descriptor {name}: {target}")
        t.call("start", t.id, check=True)
        found = t.exec("descriptors", check=True).lines("descriptor")
        if found:
            raise Escaped(f"a program of exec has descriptor {' '.join(found[0])}")
    finally:
        t.pass_fds = ()
        for fd in [*leaked, *given]:
            os.close(fd)
    return f"init has beside its streams: {', '.join(sorted(kinds)) or 'nothing'}"


@row("CVE-2021-43784", "sizes that wrap in what the runtime says to its child")
def cve_2021_43784(t):
    host = {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "net", "ipc", "uts", "cgroup")}
    notes = []

    def check(result, what):
        if result.status:
            notes.append(f"{what} refused")
            return
        for words in result.lines("namespace"):
            if words[0] in host.values():
                raise Escaped(f"{what}: started in the host's namespace {words[0]}")
        notes.append(f"{what} whole")

    for size in 65_520, 65_536, 70_000, 131_000:
        value = "".join(chr(97 + n * 7 % 26) for n in range(size))
        bundle = t.bundle(f"environment-{size}")
        bundle.config["process"]["env"].append("BIG=" + value)
        bundle.probe("digest", "BIG")
        result = t.run(bundle)
        total = 0xCBF29CE484222325
        for c in value.encode():
            total = (total ^ c) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        if result.status == 0 and result.out.split() != [str(size), f"{total:016x}"]:
            raise Escaped(f"a variable of {size} bytes arrives as {result.out.strip()}")
        bundle.probe("namespaces")
        check(t.run(bundle), f"a variable of {size} bytes")
    bundle = t.bundle("mounts")
    for n in range(400):
        bundle.mount(f"/tmp/{n:03d}-" + "m" * 180, "tmpfs", "tmpfs", "size=4k")
    bundle.config["root"]["readonly"] = False
    bundle.probe("cat", "/proc/self/mountinfo")
    result = t.run(bundle)
    if result.status == 0 and result.out.count("size=4k") != 400:
        raise Escaped(f"of 400 mounts {result.out.count('size=4k')} were made")
    notes.append("70 kB of mounts " + ("refused" if result.status else "whole"))
    for size in 65_535 - 64, 65_536 + 4, 70_000:
        # The message of runc's child begins with these: a length that wraps is a message of the caller's.
        bundle = t.bundle(f"path-{size}")
        spaces = bundle.config["linux"]["namespaces"]
        next(n for n in spaces if n["type"] == "network")["path"] = "/" + "n" * size
        bundle.probe("namespaces")
        check(t.run(bundle), f"a path of {size} bytes")
    bundle = t.bundle("mappings")
    bundle.config["linux"]["namespaces"].append({"type": "user"})
    many = [{"containerID": n, "hostID": 100_000 + n, "size": 1} for n in range(3000)]
    bundle.config["linux"].update(uidMappings=many, gidMappings=many)
    bundle.probe("namespaces")
    check(t.run(bundle), "3000 mappings")
    return ", ".join(notes[-5:])


# ---- sockets, cgroups, state


def abstract_sockets():
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
        return {line.split()[-1] for line in file if len(line.split()) > 7 and line.split()[-1].startswith("@")}


@row("CVE-2020-15257", "a container in the host's network reaches the runtime by an abstract socket")
def cve_2020_15257(t):
    before = abstract_sockets()
    bundle = t.bundle()
    bundle.without_namespace("network")
    bundle.without_mounts("/sys")
    bundle.probe("wait")
    t.create(bundle)
    seen = abstract_sockets() - before
    # Sockets with names: who is somebody else gets to none of them.
    paths = [
        os.path.join(d, name)
        for d, _, names in os.walk(t.work)
        for name in names
        if stat.S_ISSOCK(os.lstat(os.path.join(d, name)).st_mode)
    ]
    for path in paths:
        result = as_nobody(t, "connect", path)
        if " open" in result:
            raise Escaped(f"anybody can connect to {path.replace(t.work, '')}")
    t.delete()
    running = t.start_run(bundle)
    seen |= abstract_sockets() - before
    inside = t.exec("cat", "/proc/net/unix", check=True).out
    seen |= {line.split()[-1] for line in inside.splitlines() if line.split()[-1].startswith("@")} - before
    t.end_run(running)
    if seen:
        raise Escaped(f"an abstract socket {sorted(seen)[0]}")
    return f"no abstract socket; {len(paths)} with names, closed to others"


def as_nobody(t, *words):
    """What the probe says as a user who owns nothing, on the host."""
    done = subprocess.run(
        [t.public_probe(), *words], capture_output=True, check=False, user=NOBODY, group=NOBODY, extra_groups=[]
    )
    return done.stdout.decode(errors="replace")


@row("CVE-2024-25621", "other users read the state of containers")
def cve_2024_25621(t):
    t.state = t.work + "/made/state"
    bundle = t.bundle()
    bundle.probe("wait")
    bundle.config["process"]["env"].append("SECRET=1")
    t.create(bundle)
    files = [os.path.join(d, n) for d, ds, ns in os.walk(t.state) for n in [*ds, *ns]]
    if not files:
        raise Broken("there is no state")
    # Only what lies below the root that the runtime made counts.
    for path in files:
        said = as_nobody(t, "cat", path)
        if not re.fullmatch(r"\S+ (EACCES|ENXIO|EPERM)\n", said):
            raise Escaped(f"anybody can read {path.replace(t.state, 'ROOT')}")
    t.delete()
    return f"{len(files)} files and directories, closed to others"


@row("CVE-2023-25809", "rootless and without a cgroup namespace, the user's other cgroups are writable")
def cve_2023_25809(t):
    uid, slice_ = 1000, "/sys/fs/cgroup/user.slice"
    for name in "", "/session", "/other":
        os.mkdir(slice_ + name)
        for file in "", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads":
            os.chown(slice_ + name + file, uid, uid)
    t.program = t.copy_of_program()
    bundle = t.bundle()
    shutil.chown(bundle.path, uid, uid)
    command("chown", "-R", f"{uid}:{uid}", bundle.path)
    t.state = t.directory("rootless")
    os.chown(t.state, uid, uid)
    t.prefix = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--"]
    t.environment = {"XDG_RUNTIME_DIR": t.state, "HOME": t.state}
    linux = bundle.config["linux"]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "cgroup"] + [{"type": "user"}]
    mapping = [{"containerID": 0, "hostID": uid, "size": 1}]
    linux.update(uidMappings=mapping, gidMappings=mapping)
    linux["cgroupsPath"] = "/user.slice/session/inside"
    for mount in bundle.config["mounts"]:
        if mount["type"] == "cgroup":
            mount["options"] = ["nosuid", "noexec", "nodev"]
        mount["options"] = [o for o in mount["options"] if not o.startswith("gid=")]
    places = ["", "/other", "/session", "/user.slice", "/user.slice/other", "/../other", "/../../other"]
    bundle.probe("mkdir", *[f"/sys/fs/cgroup{place}/evil" for place in places])
    os.chmod(t.work, 0o755)
    result = t.run(bundle, join="/user.slice/session")
    made = [d for d, _, _ in os.walk("/sys/fs/cgroup") if d.endswith("/evil")]
    outside = [d for d in made if "/session/inside/" not in d]
    if outside:
        raise Escaped(f"a cgroup of the host's was made: {outside[0]}")
    if result.status and not result.lines("mkdir"):
        return f"refused ({result})"
    answers = sorted(set(words[1] for words in result.lines("mkdir")))
    return f"mkdir in {len(places)} places: {', '.join(answers)}"


@row("CVE-2022-0492", "release_agent of a cgroup v1 hierarchy can be written")
def cve_2022_0492(t):
    base = "/sys/fs/cgroup"
    hierarchies = [line.split(":")[1] for line in open("/proc/self/cgroup", encoding="ascii")]
    hierarchies = [h for h in hierarchies if h and not h.startswith("name=")]
    if not hierarchies:
        raise NotApplicable("this machine has no cgroup v1")
    try:
        return with_cgroup_v1(t, base, hierarchies, True)
    except NotApplicable:
        return with_cgroup_v1(t, base, hierarchies, False)


def with_cgroup_v1(t, base, hierarchies, hybrid):
    """A machine with cgroup v1, with v2 beside it or alone, in the suite's own mount namespace."""
    command("mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", base)
    try:
        agents = []
        for name in hierarchies:
            os.mkdir(f"{base}/{name}")
            command("mount", "-t", "cgroup", "-o", name, "cgroup", f"{base}/{name}")
            # A hierarchy has one at its root, which a cgroup namespace may hide. Empty is what it is; and
            # that is what will be written.
            agent = f"{base}/{name}/release_agent"
            if os.path.exists(agent) and not open(agent, encoding="utf-8").read().strip():
                agents.append(agent)
        if not agents:
            raise NotApplicable("this machine has no release_agent that is not in use")
        if hybrid:
            os.mkdir(f"{base}/unified")
            command("mount", "-t", "cgroup2", "cgroup2", f"{base}/unified")
        bundle = t.bundle("hybrid" if hybrid else "v1")
        for mount in bundle.config["mounts"]:
            if mount["type"] == "cgroup":
                mount["options"] = ["nosuid", "noexec", "nodev"]
        bundle.config["root"]["readonly"] = False
        started = 0
        for namespace in True, False:
            if not namespace:
                bundle.without_namespace("cgroup")
            for agent in agents:
                bundle.probe("put", agent, "\n")
                result = t.run(bundle)
                if result.status and not result.lines("put"):
                    if not started:
                        raise NotApplicable(f"does not start with cgroup v1 here: {result}")
                    continue
                started += 1
                for path, answer in result.lines("put"):
                    if answer == "open":
                        raise Escaped(f"{path} has been written")
        return f"{started} tried on {len(agents)} hierarchies of v1, {'v2 beside them' if hybrid else 'without v2'}"
    finally:
        command("umount", "--recursive", base)


# ---- terminals, hooks, environment


@row("CVE-2017-5226, CVE-2016-10124", "characters are put into the caller's terminal (TIOCSTI)")
def cve_2017_5226(t):
    bundle = t.bundle()
    bundle.probe("tiocsti")
    notes = []
    for terminal in False, True:
        bundle.config["process"]["terminal"] = terminal
        t.save(bundle)
        result = t.run_in_terminal("run", "--bundle", bundle.path, t.id, left=True)
        if "PWNED" in result.left:
            raise Escaped(f"the caller's terminal got {result.left!r} (terminal: {terminal})")
        answers = result.lines("tty")
        if len(answers) != 3 or terminal and all(words[1] == "none" for words in answers):
            raise Broken(f"the probe had no terminal: {result.out!r}")
        if any(words[1] == "open" for words in answers) and not terminal:
            raise Escaped("TIOCSTI on the caller's terminal succeeds")
        notes.append(f"{'its own' if terminal else 'the caller' + chr(39) + 's'}: {answers[0][1]}")
    return "; ".join(notes)


@row("CVE-2025-23266, CVE-2024-0132 (hooks)", "a hook of the host runs with what the container says")
def cve_2025_23266(t):
    bundle = t.bundle()
    seen = t.work + "/hook"
    script = f"env >{seen}; pwd >{seen}.cwd; ls -l /proc/self/fd >{seen}.fd"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GIVEN=1"]}
    bundle.config["hooks"] = {"createRuntime": [hook], "poststop": [hook]}
    bundle.config["process"]["env"] += ["LD_PRELOAD=./evil.so", "EVIL=1", "BASH_ENV=/evil"]
    t.run(bundle, check=True)
    environment = open(seen, encoding="utf-8").read()
    if "GIVEN=1" not in environment:
        raise Broken("the hook did not run as told")
    for evil in "LD_PRELOAD=", "EVIL=", "BASH_ENV=":
        if evil in environment:
            raise Escaped(f"{evil} of the container gets into a hook")
    cwd = open(seen + ".cwd", encoding="utf-8").read().strip()
    if cwd.startswith(bundle.rootfs):
        raise Escaped("a hook runs in the container's root file system")
    return f"environment of the entry alone, in {cwd.replace(t.work, '') or '/'}"


@row("CVE-2026-57231, CVE-2020-14370", "variables of the runtime, or of another container, get into a container")
def cve_2026_57231(t):
    t.environment = {"SECRET_OF_RUNTIME": "1", "HOME_OF_RUNTIME": "/x"}
    bundle = t.bundle()
    bundle.config["process"]["env"].append("SECRET_OF_FIRST=1")
    bundle.probe("env")
    t.run(bundle, check=True)
    said = []
    for extra in [], ["SECRET_OF_RUNTIME"], ["SECRET_OF_RUNTIME", "A=1"]:
        other = t.bundle(f"other-{len(said)}")
        other.config["process"]["env"] += extra
        other.probe("env")
        said.append(t.run(other).out)
    other.config["process"]["env"] = ["PATH=/bin"]
    other.probe("wait")
    running = t.start_run(other)
    said.append(t.exec("env", check=True).out)
    said.append(t.exec("env", options=["--env", "SECRET_OF_RUNTIME"]).out)
    t.end_run(running)
    for text in said:
        if "SECRET_OF_RUNTIME=1" in text or "HOME_OF" in text or "SECRET_OF_FIRST" in text:
            raise Escaped("a variable that was not given is there")
    return f"{len(said)} environments, none with more than was given"


@row("CVE-2022-31030 and kin (resize)", "each change of the terminal's size costs memory for good")
def cve_2022_31030(t):
    bundle = t.bundle()
    bundle.config["process"]["terminal"] = True
    bundle.probe("wait")
    t.save(bundle)
    first, last, count = t.resize_in_terminal(20_000, "run", "--bundle", bundle.path, t.id)
    if last > first + 4096:
        raise Escaped(f"{count} changes cost {last - first} kB")
    return f"{count} changes, {last - first:+d} kB"


