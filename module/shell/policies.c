// SPDX-License-Identifier: GPL-2.0
/*
 * Which policies are loaded, and which one serves.
 *
 * The serving policy is one pointer under RCU: choosing another one is one
 * store, sends nothing to any CPU and leaves every owner isolated. While there
 * are owners the serving policy's module is pinned, so that it cannot be
 * removed under them; without owners it can, and the next one loaded serves.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "shell.h"

struct loaded {
	struct list_head entry;
	const struct policy_operations *policy;
};

static LIST_HEAD(policies);			/* in order of loading */
static DEFINE_MUTEX(policies_mutex);		/* the list */
static DEFINE_SPINLOCK(serving_lock);		/* the pointer and the pin */
static const struct policy_operations __rcu *serving;
static unsigned int pins;			/* owners */

/* Under RCU, or with an owner to pin it. NULL: none is loaded. */
const struct policy_operations *policy_serving(void)
{
	return rcu_dereference_check(serving, lockdep_is_held(&serving_lock));
}

/* Called with serving_lock held; @policy is loaded, or NULL. */
static bool serve(const struct policy_operations *policy)
{
	const struct policy_operations *before = policy_serving();

	if (pins && policy && !try_module_get(policy->owner))
		return false;
	rcu_assign_pointer(serving, policy);
	if (pins && before)
		module_put(before->owner);
	return true;
}

/* An owner more. False: none serves, or the one that does is going; nobody is pinned. */
bool policy_pin(void)
{
	const struct policy_operations *policy;

	guard(spinlock)(&serving_lock);
	policy = policy_serving();
	if (!policy || (!pins && !try_module_get(policy->owner)))
		return false;
	pins++;
	return true;
}

void policy_unpin(void)
{
	const struct policy_operations *policy;

	guard(spinlock)(&serving_lock);
	policy = policy_serving();
	if (!--pins && policy)
		module_put(policy->owner);
}

/* Let the loaded policy of that name serve; 0 or -ENOENT. May sleep. */
int policy_choose(const char *name)
{
	struct loaded *loaded;
	int error = -ENOENT;

	guard(mutex)(&policies_mutex);
	list_for_each_entry(loaded, &policies, entry) {
		if (strcmp(loaded->policy->name, name))
			continue;
		scoped_guard(spinlock, &serving_lock)
			error = serve(loaded->policy) ? 0 : -ENOENT;
		break;
	}
	/* What the policy before it promised the core to count is asked for now. */
	if (!error)
		owner_ask_for_calls();
	return error;
}

/* Name of the serving policy and a newline; "none" without one. */
size_t policy_name(char *text, size_t size)
{
	const struct policy_operations *policy;

	guard(rcu)();
	policy = policy_serving();
	return scnprintf(text, size, "%s\n", policy ? policy->name : "none");
}

/**
 * task_isolation_register_policy - a policy module was loaded
 * @policy: its table, lives until task_isolation_unregister_policy()
 *
 * The first one loaded serves.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL for another interface, -EEXIST for a name that is taken,
 * -ENOMEM.
 */
int task_isolation_register_policy(const struct policy_operations *policy)
{
	struct loaded *loaded, *other;

	if (policy->abi_version != POLICY_ABI_VERSION || policy->size != sizeof(*policy) ||
	    !policy->name || strlen(policy->name) >= POLICY_NAME_LEN)
		return -EINVAL;
	loaded = kzalloc(sizeof(*loaded), GFP_KERNEL);
	if (!loaded)
		return -ENOMEM;
	loaded->policy = policy;

	guard(mutex)(&policies_mutex);
	list_for_each_entry(other, &policies, entry)
		if (!strcmp(other->policy->name, policy->name)) {
			kfree(loaded);
			return -EEXIST;
		}
	list_add_tail(&loaded->entry, &policies);
	scoped_guard(spinlock, &serving_lock)
		if (!policy_serving())
			serve(policy);
	return 0;
}
EXPORT_SYMBOL_GPL(task_isolation_register_policy);

/**
 * task_isolation_unregister_policy - a policy module goes
 * @policy: its table; no callback runs in it after this
 *
 * Context: may sleep.
 */
void task_isolation_unregister_policy(const struct policy_operations *policy)
{
	struct loaded *loaded, *next;

	scoped_guard(mutex, &policies_mutex) {
		list_for_each_entry_safe(loaded, next, &policies, entry)
			if (loaded->policy == policy) {
				list_del(&loaded->entry);
				kfree(loaded);
			}
		loaded = list_first_entry_or_null(&policies, struct loaded, entry);
		scoped_guard(spinlock, &serving_lock)
			if (policy_serving() == policy &&
			    (!loaded || !serve(loaded->policy)))
				serve(NULL);
		owner_ask_for_calls();
	}
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(task_isolation_unregister_policy);
