/*
 * settings.h - what is set inside fresh namespaces: names and kernel parameters.
 */
#ifndef HULL_NAMESPACES_SETTINGS_H
#define HULL_NAMESPACES_SETTINGS_H

#include "base/err.h"
#include "spec/spec.h"

/* sethostname(2) and setdomainname(2) with what the configuration has. */
int names_apply(const struct spec *s, struct err *e) MUST_CHECK;

/*
 * Writes linux.sysctl below `proc`, a descriptor of a procfs that the
 * container has no hand in (CVE-2025-52881): which namespace a parameter is of
 * follows from the writer, not from the mount.
 */
int sysctl_apply(int proc, const struct spec_pairs *sysctl, struct err *e) MUST_CHECK;

/* Pure: "net.ipv4.ip_forward" -> "sys/net/ipv4/ip_forward"; -EINVAL for what is no name. */
int sysctl_path(const char *name, char *buf, size_t size) MUST_CHECK;

#endif
