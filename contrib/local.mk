# What others need to be told to use hull; installed, to be copied or included from there.
CONTRIB = contrib/apparmor contrib/containerd.toml contrib/containers.conf contrib/crio.conf contrib/daemon.json
contribdir = $(pkgdatadir)
contrib_DATA = $(CONTRIB)
dist_contrib_DATA = contrib/runtimeclass.yaml
EXTRA_DIST += $(CONTRIB:=.in)
CLEANFILES += $(CONTRIB)

$(CONTRIB): Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && sed 's,[@]bindir[@],$(bindir),g' $(srcdir)/$@.in >$@.new && mv $@.new $@
contrib/apparmor: contrib/apparmor.in
contrib/containerd.toml: contrib/containerd.toml.in
contrib/containers.conf: contrib/containers.conf.in
contrib/crio.conf: contrib/crio.conf.in
contrib/daemon.json: contrib/daemon.json.in
