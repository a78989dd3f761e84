// SPDX-License-Identifier: GPL-2.0
/*
 * Hands the policy of this module to the shell. All decisions are in the C++
 * files; what needs kernel headers is here.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "policy.h"

#ifndef POLICY_DESCRIPTION
#define POLICY_DESCRIPTION "Task isolation: the standard policy"
#endif

extern struct policy_operations task_isolation_policy;

static int __init policy_init(void)
{
	task_isolation_policy.owner = THIS_MODULE;
	return task_isolation_register_policy(&task_isolation_policy);
}

static void __exit policy_exit(void)
{
	task_isolation_unregister_policy(&task_isolation_policy);
}

module_init(policy_init);
module_exit(policy_exit);
MODULE_DESCRIPTION(POLICY_DESCRIPTION);
MODULE_LICENSE("GPL");
