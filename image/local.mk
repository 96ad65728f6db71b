# The default image, from the system's static busybox, as an OCI image layout.
EXTRA_DIST += image/default/make-image image/default/unpack image/default/rootfs

if HAVE_BUSYBOX
all-local: image/default.oci/index.json

image/default.oci/index.json: $(srcdir)/image/default/make-image $(srcdir)/image/default/rootfs/bin/hello \
		$(BUSYBOX)
	$(AM_V_GEN)$(MKDIR_P) image && $(SHELL) $(srcdir)/image/default/make-image $(BUSYBOX) image/default.oci
	@touch $@

install-data-local:
	$(MKDIR_P) $(DESTDIR)$(pkgdatadir)
	rm -rf $(DESTDIR)$(pkgdatadir)/default.oci
	cp -R image/default.oci $(DESTDIR)$(pkgdatadir)/default.oci

uninstall-local:
	rm -rf $(DESTDIR)$(pkgdatadir)/default.oci

clean-local:
	rm -rf image/default.oci
endif
