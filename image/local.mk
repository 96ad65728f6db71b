# The default image, from the system's static busybox.
EXTRA_DIST += image/default/make-image image/default/unpack image/default/rootfs
