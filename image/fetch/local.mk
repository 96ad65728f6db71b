# The helper that talks to registries: the only program that links libcurl.
noinst_LIBRARIES += image/fetch/libfetch.a
image_fetch_libfetch_a_SOURCES = \
	image/fetch/challenge.c \
	image/fetch/challenge.h \
	image/fetch/frames.c \
	image/fetch/frames.h \
	image/fetch/headers.c \
	image/fetch/headers.h \
	image/registry.c \
	image/registry.h

pkglibexec_PROGRAMS += libexec/hull/hull-fetch
libexec_hull_hull_fetch_SOURCES = \
	image/fetch/authenticate.c \
	image/fetch/fetcher.h \
	image/fetch/main.c \
	image/fetch/sandbox.c \
	image/fetch/sandbox.h \
	image/fetch/upload.c
libexec_hull_hull_fetch_LDADD = image/fetch/libfetch.a image/libimage.a $(LIBSECURITY) $(CURL_LIBS)
