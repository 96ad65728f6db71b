/* vmm_main.c - hull-vmm: started by hull as a container's process, see vmm.h. */
#include <stdio.h>

#include "base/log.h"
#include "microvm/vmm.h"

int main(int argc, char **argv)
{
	struct vmm_options options;
	struct err e = { 0 };

	(void)argc;
	if (vmm_options_read(argv, &options, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return VMM_FAILED;
	}
	log_adopt((int)options.log, (enum log_level)options.log_level,
		  options.log_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
	vmm_main(&options);
}
