/* tables_vm.c - `vm`: config-vm.md. */
#include "spec/names.h"
#include "spec/tables.h"

JSON_TABLE(hypervisor_fields, struct spec_vm) = {
	FIELD_STRING(struct spec_vm, "path", hypervisor.path, REQUIRED),
	FIELD_STRINGS(struct spec_vm, "parameters", hypervisor.parameters, 0),
	{ 0 },
};

JSON_TABLE(kernel_fields, struct spec_vm) = {
	FIELD_STRING(struct spec_vm, "path", kernel.path, REQUIRED),
	FIELD_STRINGS(struct spec_vm, "parameters", kernel.parameters, 0),
	FIELD_STRING(struct spec_vm, "initrd", kernel.initrd, 0),
	{ 0 },
};

JSON_TABLE(image_fields, struct spec_vm) = {
	FIELD_STRING(struct spec_vm, "path", image.path, REQUIRED),
	FIELD_ENUM(struct spec_vm, "format", image.format, spec_vm_format_names, REQUIRED),
	{ 0 },
};

JSON_TABLE(iomem_fields, struct spec_vm_iomem) = {
	FIELD_OPT_U64(struct spec_vm_iomem, "firstGFN", first_gfn, 0),
	FIELD_U64(struct spec_vm_iomem, "firstMFN", first_mfn, REQUIRED),
	FIELD_U64(struct spec_vm_iomem, "nrMFNs", nr_mfns, REQUIRED),
	{ 0 },
};

JSON_TABLE(hw_config_fields, struct spec_vm) = {
	FIELD_STRING(struct spec_vm, "deviceTree", hw_config.device_tree, 0),
	FIELD_OPT_U32_IN(struct spec_vm, "vcpus", hw_config.vcpus, 1, UINT32_MAX, 0),
	FIELD_OPT_U64_IN(struct spec_vm, "memory", hw_config.memory, 1, UINT64_MAX, 0),
	FIELD_STRINGS(struct spec_vm, "dtdevs", hw_config.dtdevs, 0),
	FIELD_LIST(struct spec_vm, "iomems", hw_config.iomems, iomem_fields, 0),
	FIELD_U32_LIST(struct spec_vm, "irqs", hw_config.irqs, 0),
	{ 0 },
};

/*
 * The text requires a kernel; here it is optional because there is one of our
 * own. Text and schema say "hwConfig", the Go bindings that clients use write
 * "hwconfig".
 */
const struct json_field spec_vm_fields[] = {
	FIELD_GROUP(struct spec_vm, "hypervisor", hypervisor_fields, 0),
	FIELD_GROUP(struct spec_vm, "kernel", kernel_fields, 0),
	FIELD_GROUP(struct spec_vm, "image", image_fields, 0),
	FIELD_GROUP(struct spec_vm, "hwConfig", hw_config_fields, 0),
	FIELD_GROUP(struct spec_vm, "hwconfig", hw_config_fields, 0),
	{ 0 },
};
