/* tables_resources.c - `linux.resources`, also on its own for `update`: config-linux.md. */
#include "spec/names.h"
#include "spec/tables.h"

JSON_TABLE(device_rule_fields, struct spec_device_rule) = {
	FIELD_BOOL(struct spec_device_rule, "allow", allow, REQUIRED),
	FIELD_ENUM(struct spec_device_rule, "type", type, spec_device_rule_names, 0),
	FIELD_OPT_I64_IN(struct spec_device_rule, "major", major, -1, UINT32_MAX, 0),
	FIELD_OPT_I64_IN(struct spec_device_rule, "minor", minor, -1, UINT32_MAX, 0),
	FIELD_STRING(struct spec_device_rule, "access", access, 0),
	{ 0 },
};

JSON_TABLE(memory_fields, struct spec_memory) = {
	FIELD_OPT_I64(struct spec_memory, "limit", limit, 0),
	FIELD_OPT_I64(struct spec_memory, "reservation", reservation, 0),
	FIELD_OPT_I64(struct spec_memory, "swap", swap, 0),
	FIELD_OPT_I64(struct spec_memory, "kernel", kernel, 0),
	FIELD_OPT_I64(struct spec_memory, "kernelTCP", kernel_tcp, 0),
	FIELD_OPT_U64_IN(struct spec_memory, "swappiness", swappiness, 0, 100, 0),
	FIELD_OPT_BOOL(struct spec_memory, "disableOOMKiller", disable_oom_killer, 0),
	FIELD_OPT_BOOL(struct spec_memory, "useHierarchy", use_hierarchy, 0),
	FIELD_OPT_BOOL(struct spec_memory, "checkBeforeUpdate", check_before_update, 0),
	{ 0 },
};

JSON_TABLE(cpu_fields, struct spec_cpu) = {
	FIELD_OPT_U64(struct spec_cpu, "shares", shares, 0),
	FIELD_OPT_I64(struct spec_cpu, "quota", quota, 0),
	FIELD_OPT_U64(struct spec_cpu, "burst", burst, 0),
	FIELD_OPT_U64(struct spec_cpu, "period", period, 0),
	FIELD_OPT_I64(struct spec_cpu, "realtimeRuntime", realtime_runtime, 0),
	FIELD_OPT_U64(struct spec_cpu, "realtimePeriod", realtime_period, 0),
	FIELD_STRING(struct spec_cpu, "cpus", cpus, 0),
	FIELD_STRING(struct spec_cpu, "mems", mems, 0),
	FIELD_OPT_I64_IN(struct spec_cpu, "idle", idle, 0, 1, 0),
	{ 0 },
};

/* 1.3.0's text made the limit optional, its schema still requires it. */
JSON_TABLE(pids_fields, struct spec_resources) = {
	FIELD_OPT_I64(struct spec_resources, "limit", pids_limit, 0),
	{ 0 },
};

JSON_TABLE(weight_device_fields, struct spec_weight_device) = {
	FIELD_I64_IN(struct spec_weight_device, "major", major, 0, UINT32_MAX, REQUIRED),
	FIELD_I64_IN(struct spec_weight_device, "minor", minor, 0, UINT32_MAX, REQUIRED),
	FIELD_OPT_U16(struct spec_weight_device, "weight", weight, 0),
	FIELD_OPT_U16(struct spec_weight_device, "leafWeight", leaf_weight, 0),
	{ 0 },
};

JSON_TABLE(throttle_device_fields, struct spec_throttle_device) = {
	FIELD_I64_IN(struct spec_throttle_device, "major", major, 0, UINT32_MAX, REQUIRED),
	FIELD_I64_IN(struct spec_throttle_device, "minor", minor, 0, UINT32_MAX, REQUIRED),
	FIELD_U64(struct spec_throttle_device, "rate", rate, REQUIRED),
	{ 0 },
};

JSON_TABLE(block_io_fields, struct spec_block_io) = {
	FIELD_OPT_U16(struct spec_block_io, "weight", weight, 0),
	FIELD_OPT_U16(struct spec_block_io, "leafWeight", leaf_weight, 0),
	FIELD_LIST(struct spec_block_io, "weightDevice", weight_devices, weight_device_fields, 0),
	FIELD_LIST(struct spec_block_io, "throttleReadBpsDevice", read_bps, throttle_device_fields,
		   0),
	FIELD_LIST(struct spec_block_io, "throttleWriteBpsDevice", write_bps,
		   throttle_device_fields, 0),
	FIELD_LIST(struct spec_block_io, "throttleReadIOPSDevice", read_iops,
		   throttle_device_fields, 0),
	FIELD_LIST(struct spec_block_io, "throttleWriteIOPSDevice", write_iops,
		   throttle_device_fields, 0),
	{ 0 },
};

JSON_TABLE(hugepage_limit_fields, struct spec_hugepage_limit) = {
	FIELD_STRING(struct spec_hugepage_limit, "pageSize", page_size, REQUIRED),
	FIELD_U64(struct spec_hugepage_limit, "limit", limit, REQUIRED),
	{ 0 },
};

JSON_TABLE(net_priority_fields, struct spec_net_priority) = {
	FIELD_STRING(struct spec_net_priority, "name", name, REQUIRED),
	FIELD_U32(struct spec_net_priority, "priority", priority, REQUIRED),
	{ 0 },
};

JSON_TABLE(network_fields, struct spec_resources) = {
	FIELD_OPT_U32(struct spec_resources, "classID", network.class_id, 0),
	FIELD_LIST(struct spec_resources, "priorities", network.priorities, net_priority_fields, 0),
	{ 0 },
};

JSON_TABLE(rdma_fields, struct spec_rdma) = {
	FIELD_OPT_U32(struct spec_rdma, "hcaHandles", hca_handles, 0),
	FIELD_OPT_U32(struct spec_rdma, "hcaObjects", hca_objects, 0),
	{ 0 },
};

const struct json_field spec_resources_fields[] = {
	FIELD_LIST(struct spec_resources, "devices", devices, device_rule_fields, 0),
	FIELD_OBJECT(struct spec_resources, "memory", memory, memory_fields, 0),
	FIELD_OBJECT(struct spec_resources, "cpu", cpu, cpu_fields, 0),
	FIELD_GROUP(struct spec_resources, "pids", pids_fields, 0),
	FIELD_OBJECT(struct spec_resources, "blockIO", block_io, block_io_fields, 0),
	FIELD_LIST(struct spec_resources, "hugepageLimits", hugepage_limits, hugepage_limit_fields,
		   0),
	FIELD_GROUP(struct spec_resources, "network", network_fields, 0),
	FIELD_OBJECT_MAP(struct spec_resources, "rdma", rdma, device, rdma_fields, 0),
	FIELD_STRING_MAP(struct spec_resources, "unified", unified, key, value, 0),
	{ 0 },
};
