noinst_LIBRARIES += namespaces/libnamespaces.a
namespaces_libnamespaces_a_SOURCES = \
	namespaces/idmap.c \
	namespaces/idmap.h \
	namespaces/namespaces.c \
	namespaces/namespaces.h \
	namespaces/settings.c \
	namespaces/settings.h
