/* rules_resources.c - rules for `linux.resources`: config-linux.md. */
#include <string.h>

#include "spec/validate.h"

static int check_device_rules(const struct spec_check *c)
{
	for (size_t i = 0; i < c->resources->devices.n; i++) {
		const char *access = c->resources->devices.at[i].access;

		if (access && access[strspn(access, "rwm")])
			return CHECK_FAIL(c, json_find(c->at, "devices[%zu].access", i),
					  "%s is not made of r, w and m", json_quote(access).text);
	}
	return 0;
}

static int check_burst(const struct spec_check *c)
{
	const struct spec_cpu *cpu = &c->resources->cpu;

	if (cpu->burst.set && cpu->quota.set && cpu->quota.value > 0 &&
	    cpu->burst.value > (uint64_t)cpu->quota.value)
		return CHECK_FAIL(c, json_find(c->at, "cpu.burst"), "is larger than the quota");
	return 0;
}

static int check_weight_devices(const struct spec_check *c)
{
	const struct spec_block_io *io = &c->resources->block_io;

	for (size_t i = 0; i < io->weight_devices.n; i++)
		if (!io->weight_devices.at[i].weight.set &&
		    !io->weight_devices.at[i].leaf_weight.set)
			return CHECK_FAIL(c, json_find(c->at, "blockIO.weightDevice[%zu]", i),
					  "needs weight or leafWeight");
	return 0;
}

/* The schema's ^[1-9][0-9]*[KMG]B$: the name becomes part of a file's. */
static bool is_page_size(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return len > 0 && s[0] != '0' && s[len] && strchr("KMG", s[len]) &&
	       strcmp(s + len + 1, "B") == 0;
}

static int check_hugepages(const struct spec_check *c)
{
	for (size_t i = 0; i < c->resources->hugepage_limits.n; i++) {
		const char *size = c->resources->hugepage_limits.at[i].page_size;

		if (!is_page_size(size))
			return CHECK_FAIL(c, json_find(c->at, "hugepageLimits[%zu].pageSize", i),
					  "%s is no size like \"2MB\"", json_quote(size).text);
	}
	return 0;
}

static int check_rdma(const struct spec_check *c)
{
	const struct json *at = json_find(c->at, "rdma");

	for (size_t i = 0; i < c->resources->rdma.n; i++) {
		const struct spec_rdma *r = &c->resources->rdma.at[i];

		if (!r->hca_handles.set && !r->hca_objects.set)
			return CHECK_FAIL(c, json_member(at, r->device),
					  "needs hcaHandles or hcaObjects");
	}
	return 0;
}

/* The keys are file names in the container's cgroup. */
static int check_unified(const struct spec_check *c)
{
	const struct json *at = json_find(c->at, "unified");

	for (size_t i = 0; i < c->resources->unified.n; i++) {
		const char *key = c->resources->unified.at[i].key;
		const char *dot = strchr(key, '.');

		if (!dot || dot == key || dot[1] == '\0' || strchr(key, '/'))
			return CHECK_FAIL(c, json_member(at, key),
					  "must have the form CONTROLLER.PARAMETER");
	}
	return 0;
}

const struct spec_rule spec_resources_rules[] = {
	{ "device-rules", check_device_rules },
	{ "cpu-burst", check_burst },
	{ "weight-devices", check_weight_devices },
	{ "hugepages", check_hugepages },
	{ "rdma", check_rdma },
	{ "unified", check_unified },
	{ 0 },
};
