// SPDX-License-Identifier: GPL-2.0
/*
 * task_isolation: the module's start and end.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "shell.h"

static char *cpus;
module_param(cpus, charp, 0444);
MODULE_PARM_DESC(cpus, "task-isolation CPUs as a list, for example 2-5,8-30:2/4; default: the CPUs of the boot argument task_isolation=");

static const struct task_isolation_ops ops = {
	.abi_version	= TASK_ISOLATION_ABI_VERSION,
	.size		= sizeof(ops),
	.owner		= THIS_MODULE,
	.prctl		= owner_prctl,
	.syscall	= interruption_syscall,
	.pending	= interruption_pending,
	.entry		= interruption_entry,
	.unmet		= quiet_unmet,
	.exec		= interruption_exec,
	.exit		= interruption_exit,
	.list_write	= list_write,
};

static int __init shell_init(void)
{
	int error;

	owner_init();
	log_begin();
	error = list_load(cpus);
	if (error) {
		reports_free();
		return error;
	}
	error = files_add();
	if (error)
		goto clear;
	error = chardev_add();
	if (error)
		goto remove;
	error = task_isolation_register(&ops);
	if (error)
		goto remove_device;
	chardev_serve();
	return 0;
remove_device:
	pr_warn("task_isolation: the kernel's hooks refused this module: error %d; build it against the running kernel\n",
		error);
	chardev_remove();
remove:
	files_remove();
clear:
	list_clear();
	reports_free();
	return error;
}
module_init(shell_init);

static void __exit shell_exit(void)
{
	/* Owners pin the module, so there is none. */
	task_isolation_unregister(&ops);
	chardev_remove();
	files_remove();
	list_clear();
	reports_free();
	log_end();
	/* A callback of an abandoned wait may still be on its way here. */
	rcu_barrier();
}
module_exit(shell_exit);

MODULE_DESCRIPTION("Task isolation: facts and effects");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_SOFTDEP("post: task_isolation_policy");
