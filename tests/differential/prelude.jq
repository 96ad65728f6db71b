# What the edits of cases.tsv are written with. Members that begin with "@" are for the
# program that runs the cases, and are no part of the configuration.

# One more mount, with its options.
def mounted($at; $type; $source; $options):
	.mounts += [{destination: $at, type: $type, source: $source, options: $options}];
def bound($at; $source; $options): mounted($at; "bind"; $source; $options);
# The mount at $at is edited by f, or taken away.
def remount($at; f): (.mounts[] | select(.destination == $at)) |= f;
def unmounted($at): .mounts |= map(select(.destination != $at));

# The namespace is the host's; a new one; the one at $path.
def shared($type): .linux.namespaces |= map(select(.type != $type));
def own($type): shared($type) | .linux.namespaces += [{type: $type}];
def joined($type; $path): shared($type) | .linux.namespaces += [{type: $type, path: $path}];
def own_user: own("user")
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}];

# The probe also looks at this path.
def look($path): .process.args += ["-s", $path];
def capabilities($names):
	.process.capabilities = ({} | .bounding = $names | .effective = $names | .permitted = $names);
def limit($type; $soft; $hard): .process.rlimits += [{type: $type, soft: $soft, hard: $hard}];
def sysctl($name; $value): .linux.sysctl[$name] = $value;
def seccomp($default; $calls): .linux.seccomp = {defaultAction: $default, syscalls: $calls};
def call($action; $names): {names: $names, action: $action};
# A hook that copies the state to a file of its name.
def hook($when): .hooks[$when] += [{path: "/bin/sh", args: ["sh", "-c", "cat >@BUNDLE@/left/\($when)"]}];
# One that does not read it may make crun fail to write it.
def hook_sh($when; $script):
	.hooks[$when] += [{path: "/bin/sh", args: ["sh", "-c", "cat >/dev/null; " + $script]}];

# Options of the runtime; so many descriptors handed on; the probe is not the first process
# but one that f makes of it, by exec.
def options($words): .["@options"] = $words;
def descriptors($count): .["@descriptors"] = $count | options(["--preserve-fds", ($count | tostring)]);
def by_exec(f): .["@exec"] = (.process | f) | .process.args = ["/bin/sleep", "100"];
