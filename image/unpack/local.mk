# What hull itself links of unpacking: it starts the helper and reads its answer.
noinst_LIBRARIES += image/libunpack.a
image_libunpack_a_SOURCES = \
	image/unpack.c \
	image/unpack.h
LIBUNPACK = image/libunpack.a $(LIBBASE)

# The helper: the only program that links libarchive, of which it takes the reading of tar alone.
noinst_LIBRARIES += image/unpack/libextract.a
image_unpack_libextract_a_SOURCES = \
	image/unpack/decompressor.c \
	image/unpack/decompressor.h \
	image/unpack/entry.c \
	image/unpack/entry.h \
	image/unpack/extract.c \
	image/unpack/extract.h \
	image/unpack/ids.c \
	image/unpack/ids.h \
	image/unpack/late.c \
	image/unpack/late.h \
	image/unpack/layer.c \
	image/unpack/layer.h \
	image/unpack/metadata.c \
	image/unpack/metadata.h \
	image/unpack/options.c \
	image/unpack/options.h \
	image/unpack/sandbox.c \
	image/unpack/sandbox.h \
	image/unpack/seen.c \
	image/unpack/seen.h \
	image/unpack/stream.c \
	image/unpack/stream.h \
	image/unpack/tree.c \
	image/unpack/tree.h \
	image/unpack/whiteout.c \
	image/unpack/whiteout.h
LIBEXTRACT = image/unpack/libextract.a $(LIBSECURITY) $(ARCHIVE_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) \
	$(CRYPTO_LIBS)

pkglibexec_PROGRAMS += libexec/hull/hull-unpack
libexec_hull_hull_unpack_SOURCES = image/unpack/main.c
libexec_hull_hull_unpack_LDADD = $(LIBEXTRACT)
