// SPDX-License-Identifier: GPL-2.0
/*
 * The list of task-isolation CPUs: all or nothing, effective at once.
 */
#include <linux/cpu.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/tick.h>

#include "shell.h"

DEFINE_MUTEX(list_mutex);
struct cpumask listed;

/* Does the scheduler leave @cpu's tasks where they are? By boot or by a cpuset partition. */
bool list_out_of_balancing(int cpu)
{
	return cpu_is_isolated(cpu) &&
	       (!housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) || cpuset_cpu_is_isolated(cpu));
}

/* Why @cpus cannot be the list: 0 or -errno, and the log says which and the cure. */
static int check(const struct cpumask *cpus)
{
	int cpu;

	for_each_cpu(cpu, cpus) {
		if (!cpu_present(cpu)) {
			pr_warn("task_isolation: CPU %d is absent; name CPUs of %*pbl\n",
				cpu, cpumask_pr_args(cpu_present_mask));
			return -ENODEV;
		}
		if (!tick_nohz_full_cpu(cpu)) {
			pr_warn("task_isolation: CPU %d is not nohz_full; boot with nohz_full=%d or task_isolation=%d\n",
				cpu, cpu, cpu);
			return -EINVAL;
		}
	}
	for_each_cpu(cpu, cpus)
		if (!list_out_of_balancing(cpu))
			pr_warn("task_isolation: CPU %d is not out of load balancing; nobody can enter on it until it is: boot with isolcpus=domain,%d or make it a cpuset partition of type isolated\n",
				cpu, cpu);
	return 0;
}

/* Called with list_mutex held; @cpus passed check(). */
static int apply(const struct cpumask *cpus)
{
	int cpu, error;

	for_each_cpu_andnot(cpu, cpus, &listed) {
		error = task_isolation_prepare_cpu(cpu) ?: reports_prepare(cpu);
		if (error)
			return error;
	}
	/*
	 * In one step against a task that enters, which looks under the same
	 * lock: who leaves is no longer listed before it is changed back, who
	 * joins is listed when it is ready.
	 */
	scoped_guard(spinlock, &owners_lock) {
		for_each_cpu_andnot(cpu, &listed, cpus)
			if (per_cpu(cpu_records, cpu).owner)
				return -EBUSY;
		cpumask_and(&listed, &listed, cpus);
	}
	for_each_possible_cpu(cpu)
		task_isolation_list_cpu(cpu, cpumask_test_cpu(cpu, cpus));
	scoped_guard(spinlock, &owners_lock)
		cpumask_copy(&listed, cpus);
	return 0;
}

static int set(const struct cpumask *cpus)
{
	int error = check(cpus);

	return error ?: apply(cpus);
}

typedef int (*parser)(const char *text, size_t length, unsigned long *bits, unsigned int nbits);

/* No policy can be loaded yet at load: the kernel's own parser. */
static int parse_at_load(const char *text, size_t length, unsigned long *bits, unsigned int nbits)
{
	return bitmap_parselist(text, bits, nbits);
}

static int parse_by_policy(const char *text, size_t length, unsigned long *bits,
			   unsigned int nbits)
{
	const struct policy_operations *policy;

	guard(rcu)();
	policy = policy_serving();
	if (!policy)
		return -ENODEV;
	return policy->parse_cpulist ?
	       policy->parse_cpulist(text, length, bits, nbits) : -EINVAL;
}

/*
 * The parser answers ERANGE for a number that this machine cannot have. When
 * the text is a list all the same, the CPU is absent, and that is what to say.
 */
static int parse(parser parse_text, const char *text, size_t length, struct cpumask *cpus)
{
	int error = parse_text(text, length, cpumask_bits(cpus), nr_cpu_ids);
	unsigned long *bits;

	if (error != -ERANGE)
		return error;
	bits = bitmap_zalloc(NR_CPUS, GFP_KERNEL);
	if (!bits)
		return -ENOMEM;
	if (!parse_text(text, length, bits, NR_CPUS)) {
		pr_warn("task_isolation: CPU %lu is absent; name CPUs of %*pbl\n",
			find_next_bit(bits, NR_CPUS, nr_cpu_ids),
			cpumask_pr_args(cpu_present_mask));
		error = -ENODEV;
	}
	bitmap_free(bits);
	return error;
}

/* The list at load: @text, or the boot argument's when it is NULL. */
int list_load(const char *text)
{
	cpumask_var_t cpus;
	int error = 0;

	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	if (text)
		error = parse(parse_at_load, text, strlen(text), cpus);
	else
		cpumask_copy(cpus, task_isolation_boot_cpus());
	if (error) {
		if (error != -ENODEV)
			pr_warn("task_isolation: cpus=%s is no list of possible CPUs; write it like cpus=2-5,8\n",
				text);
	} else {
		guard(mutex)(&list_mutex);
		error = set(cpus);
	}
	free_cpumask_var(cpus);
	return error;
}

/* The list as root writes it to the attribute. 0 or -errno, nothing changed. */
int list_write(const char *text, size_t length)
{
	cpumask_var_t cpus;
	int error;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	error = parse(parse_by_policy, text, length, cpus);
	if (!error) {
		guard(mutex)(&list_mutex);
		error = set(cpus);
	}
	free_cpumask_var(cpus);
	return error;
}

/* Unload: everything that was changed for a listed CPU is put back. */
void list_clear(void)
{
	static const struct cpumask none;

	guard(mutex)(&list_mutex);
	apply(&none);
}
