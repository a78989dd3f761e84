// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the shell's place on a kernel without the hooks, so that packages build
 * and upgrade everywhere: it says what is missing and does not load. It exports
 * what policies link against, so that these build too.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

#include "policy.h"

int task_isolation_register_policy(const struct policy_operations *policy)
{
	return -ENODEV;
}
EXPORT_SYMBOL_GPL(task_isolation_register_policy);

void task_isolation_unregister_policy(const struct policy_operations *policy)
{
}
EXPORT_SYMBOL_GPL(task_isolation_unregister_policy);

static int __init stub_init(void)
{
	pr_err("task_isolation: this kernel has no CONFIG_TASK_ISOLATION; boot one built with the task-isolation core hooks\n");
	return -ENODEV;
}
module_init(stub_init);

MODULE_DESCRIPTION("Task isolation: stands in on a kernel without the core hooks");
MODULE_LICENSE("GPL");
