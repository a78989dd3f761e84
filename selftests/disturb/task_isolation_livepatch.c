// SPDX-License-Identifier: GPL-2.0
/*
 * Purpose: a live patch that changes nothing of importance, for the selftests:
 * while it is applied, /proc/version says so.
 *
 * Context: loaded and removed by deliveries.c. Never part of an installation.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int say_patched(struct seq_file *file, void *unused)
{
	seq_puts(file, "task_isolation_livepatch\n");
	return 0;
}

static struct klp_func functions[] = {
	{
		.old_name = "version_proc_show",
		.new_func = say_patched,
	},
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = functions },		/* no name: the kernel itself */
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

/* Only ever called when the patch is disabled and everybody has left it. */
static void __exit livepatch_exit(void)
{
}

module_init(livepatch_init);
module_exit(livepatch_exit);
MODULE_DESCRIPTION("A live patch for the task isolation selftests");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
