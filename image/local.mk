noinst_LIBRARIES += image/libimage.a
image_libimage_a_SOURCES = \
	image/auth.c \
	image/auth.h \
	image/base64.c \
	image/base64.h \
	image/config_bundle.c \
	image/config_bundle.h \
	image/config_change.c \
	image/config_change.h \
	image/digest.c \
	image/digest.h \
	image/documents.c \
	image/documents.h \
	image/documents_write.c \
	image/layout.c \
	image/layout.h \
	image/media_type.c \
	image/media_type.h \
	image/name_set.c \
	image/name_set.h \
	image/passwd.c \
	image/passwd.h \
	image/platform.c \
	image/platform.h \
	image/reference.c \
	image/reference.h \
	image/registries.c \
	image/registries.h \
	image/sha2.c \
	image/sha2.h \
	image/store.c \
	image/store.h \
	image/store_blobs.c \
	image/store_check.c \
	image/store_gc.c \
	image/store_images.c \
	image/store_layers.c \
	image/store_names.c \
	image/store_pins.c \
	image/store_private.h \
	image/tar_tree.c \
	image/tar_tree.h \
	image/tar_write.c \
	image/tar_write.h \
	image/toml.c \
	image/toml.h

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
