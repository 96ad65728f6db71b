#include "security/privileges.h"

#include <sys/prctl.h>

int privileges_hide(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "hide from other processes");
	return 0;
}

int privileges_show(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_sys(e, "show itself to hull");
	return 0;
}

int privileges_no_new(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no_new_privs");
	return 0;
}
