# What others need to be told to use hull; installed, to be copied or included from there.
CONTRIB = contrib/apparmor contrib/containerd.toml contrib/containers.conf contrib/crio.conf contrib/daemon.json
contribdir = $(pkgdatadir)
contrib_DATA = $(CONTRIB)
dist_contrib_DATA = contrib/runtimeclass.yaml
# One unit, for the system and for users.
UNIT = contrib/systemd/hull-restart.service
systemunitdir = $(prefix)/lib/systemd/system
userunitdir = $(prefix)/lib/systemd/user
systemunit_DATA = $(UNIT)
userunit_DATA = $(UNIT)
EXTRA_DIST += $(CONTRIB:=.in) $(UNIT).in
CLEANFILES += $(CONTRIB) $(UNIT)

$(CONTRIB) $(UNIT): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's,[@]bindir[@],$(bindir),g' $(srcdir)/$@.in >$@.new && mv $@.new $@
contrib/apparmor: contrib/apparmor.in
contrib/containerd.toml: contrib/containerd.toml.in
contrib/containers.conf: contrib/containers.conf.in
contrib/crio.conf: contrib/crio.conf.in
contrib/daemon.json: contrib/daemon.json.in
$(UNIT): $(UNIT).in
