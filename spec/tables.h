/*
 * tables.h - config.json as tables, for spec_load.c and for the tests that
 * compare them with the schema. Everybody else reads spec.h.
 */
#ifndef HULL_SPEC_TABLES_H
#define HULL_SPEC_TABLES_H

#include "base/json_decode.h"
#include "spec/spec.h"

JSON_TABLE_EXTERN(spec_fields, struct spec);
JSON_TABLE_EXTERN(spec_process_fields, struct spec_process);
JSON_TABLE_EXTERN(spec_linux_fields, struct spec_linux);
JSON_TABLE_EXTERN(spec_resources_fields, struct spec_resources);
JSON_TABLE_EXTERN(spec_seccomp_fields, struct spec_seccomp);
JSON_TABLE_EXTERN(spec_vm_fields, struct spec_vm);
JSON_TABLE_EXTERN(spec_idmap_fields, struct spec_idmap);

#endif
