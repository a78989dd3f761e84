// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs: /sys/devices/system/cpu/cpuN/task_isolation/ and
 * /sys/kernel/task_isolation/. One value a file. The list itself is an
 * attribute of the core.
 */
#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "shell.h"

unsigned int timeout_ms = 1000;
bool debug;
u64 admission = POLICY_ALLOW_PRIVILEGED;

#define TIMEOUT_MS_MAX 60000

/* ---- of a CPU ------------------------------------------------------------------ */

enum { OWN, FOREIGN, ABSORBED, LATE, UNKNOWN };

static ssize_t show_counter(struct device *device, char *text, int which)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, device->id);
	u64 counters[5] = { };

	scoped_guard(spinlock, &owners_lock) {
		counters[OWN] = record->own;
		counters[FOREIGN] = record->foreign;
		counters[ABSORBED] = record->absorbed;
		counters[LATE] = record->late;
		counters[UNKNOWN] = record->unknown;
		/* One that is still entering has none yet. */
		if (record->owner && record->owner->flags)
			owner_counters(record->owner, counters);
	}
	return sysfs_emit(text, "%llu\n", counters[which]);
}

#define COUNTER(name, which)							\
static ssize_t name##_show(struct device *device, struct device_attribute *attribute,	\
			   char *text)						\
{										\
	return show_counter(device, text, which);				\
}										\
static DEVICE_ATTR_RO(name)

COUNTER(own, OWN);
COUNTER(foreign, FOREIGN);
COUNTER(absorbed, ABSORBED);
COUNTER(late, LATE);
COUNTER(unknown, UNKNOWN);

/* How often another CPU did not interrupt this one, of a kind. */
static ssize_t deferred_show(struct device *device, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%llu\n",
			  task_isolation_spared(device->id, TASK_ISOLATION_SPARE_TEXT) +
			  task_isolation_spared(device->id, TASK_ISOLATION_SPARE_FLUSH));
}
static DEVICE_ATTR_RO(deferred);

static ssize_t skipped_show(struct device *device, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%llu\n",
			  task_isolation_spared(device->id, TASK_ISOLATION_SPARE_ORDER) +
			  task_isolation_spared(device->id, TASK_ISOLATION_SPARE_CHORES));
}
static DEVICE_ATTR_RO(skipped);

/* How often this one made up for what was deferred, on an entry and in an NMI. */
static ssize_t synchronised_show(struct device *device, struct device_attribute *attribute,
				 char *text)
{
	return sysfs_emit(text, "%lu\n",
			  task_isolation_synchronised(device->id, TASK_ISOLATION_SYNC_ENTRY));
}
static DEVICE_ATTR_RO(synchronised);

static ssize_t synchronised_nmi_show(struct device *device, struct device_attribute *attribute,
				     char *text)
{
	return sysfs_emit(text, "%lu\n",
			  task_isolation_synchronised(device->id, TASK_ISOLATION_SYNC_NMI));
}
static DEVICE_ATTR_RO(synchronised_nmi);

/* How often who interrupted this one found no room to say so. */
static ssize_t unnoted_show(struct device *device, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%llu\n", task_isolation_note_overflows(device->id));
}
static DEVICE_ATTR_RO(unnoted);

static ssize_t state_show(struct device *device, struct device_attribute *attribute, char *text)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, device->id);
	const struct policy_operations *policy;
	char word[16] = "";
	u32 state;

	scoped_guard(spinlock, &owners_lock) {
		if (record->owner)
			state = owner_state(record->owner);
		else
			state = record->lost ? TASK_ISOLATION_LOST : TASK_ISOLATION_OFF;
	}
	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy && policy->state_text)
			policy->state_text(state, word, sizeof(word));
	}
	return sysfs_emit(text, "%s\n", word);
}
static DEVICE_ATTR_RO(state);

static ssize_t owner_show(struct device *device, struct device_attribute *attribute, char *text)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, device->id);
	pid_t pid = 0;

	scoped_guard(spinlock, &owners_lock)
		if (record->owner)
			pid = task_pid_vnr(record->owner->task);
	return pid ? sysfs_emit(text, "%d\n", pid) : sysfs_emit(text, "none\n");
}
static struct device_attribute dev_attr_owner = __ATTR(owner, 0400, owner_show, NULL);

static ssize_t last_loss_show(struct device *device, struct device_attribute *attribute,
			      char *text)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, device->id);

	guard(spinlock)(&owners_lock);
	return sysfs_emit(text, "%s\n", record->last_loss[0] ? record->last_loss : "none");
}
static struct device_attribute dev_attr_last_loss = __ATTR(last_loss, 0400, last_loss_show, NULL);

static struct attribute *cpu_attributes[] = {
	&dev_attr_state.attr,
	&dev_attr_own.attr,
	&dev_attr_foreign.attr,
	&dev_attr_absorbed.attr,
	&dev_attr_late.attr,
	&dev_attr_unknown.attr,
	&dev_attr_deferred.attr,
	&dev_attr_skipped.attr,
	&dev_attr_synchronised.attr,
	&dev_attr_synchronised_nmi.attr,
	&dev_attr_unnoted.attr,
	&dev_attr_owner.attr,
	&dev_attr_last_loss.attr,
	NULL
};

static const struct attribute_group cpu_group = {
	.name	= "task_isolation",
	.attrs	= cpu_attributes,
};

/* ---- of the whole --------------------------------------------------------------- */

/* Text of a file into a number, by the policy's rules. */
static int number(const char *text, size_t length, u32 max, u32 *value)
{
	const struct policy_operations *policy;

	guard(rcu)();
	policy = policy_serving();
	if (!policy)
		return -ENODEV;
	return policy->parse_number ? policy->parse_number(text, length, max, value) : -EINVAL;
}

static ssize_t timeout_ms_show(struct kobject *kobject, struct kobj_attribute *attribute,
			       char *text)
{
	return sysfs_emit(text, "%u\n", READ_ONCE(timeout_ms));
}

static ssize_t timeout_ms_store(struct kobject *kobject, struct kobj_attribute *attribute,
				const char *text, size_t length)
{
	u32 value;
	int error = number(text, length, TIMEOUT_MS_MAX, &value);

	if (error)
		return error;
	WRITE_ONCE(timeout_ms, value);
	return length;
}

static ssize_t debug_show(struct kobject *kobject, struct kobj_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%d\n", READ_ONCE(debug));
}

static ssize_t debug_store(struct kobject *kobject, struct kobj_attribute *attribute,
			   const char *text, size_t length)
{
	u32 value;
	int error = number(text, length, 1, &value);

	if (error)
		return error;
	WRITE_ONCE(debug, value);
	if (value)
		owner_ask_for_calls();
	return length;
}

static ssize_t policy_show(struct kobject *kobject, struct kobj_attribute *attribute, char *text)
{
	return policy_name(text, PAGE_SIZE);
}

static ssize_t policy_store(struct kobject *kobject, struct kobj_attribute *attribute,
			    const char *text, size_t length)
{
	char name[POLICY_NAME_LEN + 1];	/* and a newline */
	int error;

	if (length >= sizeof(name))
		return -ENOENT;
	memcpy(name, text, length);
	name[length] = '\0';
	error = policy_choose(strim(name));
	return error ?: length;
}

static ssize_t allow_show(struct kobject *kobject, struct kobj_attribute *attribute, char *text)
{
	u64 now = READ_ONCE(admission);
	const struct policy_operations *policy;
	char words[32] = "";

	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy && policy->allow_text)
			policy->allow_text(lower_32_bits(now), upper_32_bits(now), words,
					   sizeof(words));
	}
	return sysfs_emit(text, "%s\n", words);
}

static ssize_t allow_store(struct kobject *kobject, struct kobj_attribute *attribute,
			   const char *text, size_t length)
{
	const struct policy_operations *policy;
	int error = -ENODEV;
	u32 allow, group;

	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy)
			error = policy->parse_allow ?
				policy->parse_allow(text, length, &allow, &group) : -EINVAL;
	}
	if (error)
		return error;
	WRITE_ONCE(admission, (u64)group << 32 | allow);
	return length;
}

static ssize_t release_show(struct kobject *kobject, struct kobj_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%d\n", READ_ONCE(released));
}

/* Without a policy, too: the door is root's. */
static ssize_t release_store(struct kobject *kobject, struct kobj_attribute *attribute,
			     const char *text, size_t length)
{
	u32 value;
	int error = number(text, length, 1, &value);
	bool close = value;

	if (error == -ENODEV)
		error = kstrtobool(text, &close);
	if (error)
		return error;
	error = release_write(close);
	return error ?: length;
}

static ssize_t capabilities_show(struct kobject *kobject, struct kobj_attribute *attribute,
				 char *text)
{
	return sysfs_emit(text, "%#x\n", TASK_ISOLATION_CAPABILITIES);
}

/* One switch for each kind of interrupt that is held back: 1 by default. */
static ssize_t spare_show(enum task_isolation_sparing sparing, char *text)
{
	return sysfs_emit(text, "%d\n", task_isolation_spares(sparing));
}

static ssize_t spare_store(enum task_isolation_sparing sparing, const char *text, size_t length)
{
	u32 value;
	int error = number(text, length, 1, &value);

	if (error)
		return error;
	task_isolation_spare(sparing, value);
	return length;
}

#define SPARE(name, sparing)								\
static ssize_t name##_show(struct kobject *kobject, struct kobj_attribute *attribute,	\
			   char *text)							\
{											\
	return spare_show(sparing, text);						\
}											\
static ssize_t name##_store(struct kobject *kobject, struct kobj_attribute *attribute,	\
			    const char *text, size_t length)				\
{											\
	return spare_store(sparing, text, length);					\
}											\
static struct kobj_attribute name##_attribute = __ATTR_RW(name)

SPARE(defer_text_patching, TASK_ISOLATION_SPARE_TEXT);
SPARE(defer_kernel_flushes, TASK_ISOLATION_SPARE_FLUSH);
SPARE(skip_ordering, TASK_ISOLATION_SPARE_ORDER);
SPARE(skip_chores, TASK_ISOLATION_SPARE_CHORES);

static struct kobj_attribute timeout_ms_attribute = __ATTR_RW(timeout_ms);
static struct kobj_attribute debug_attribute = __ATTR_RW(debug);
static struct kobj_attribute policy_attribute = __ATTR_RW(policy);
static struct kobj_attribute allow_attribute = __ATTR_RW(allow);
static struct kobj_attribute release_attribute = __ATTR_RW(release);
static struct kobj_attribute capabilities_attribute = __ATTR_RO(capabilities);

static struct attribute *attributes[] = {
	&timeout_ms_attribute.attr,
	&debug_attribute.attr,
	&policy_attribute.attr,
	&allow_attribute.attr,
	&release_attribute.attr,
	&capabilities_attribute.attr,
	&defer_text_patching_attribute.attr,
	&defer_kernel_flushes_attribute.attr,
	&skip_ordering_attribute.attr,
	&skip_chores_attribute.attr,
	NULL
};

static const struct attribute_group group = {
	.attrs = attributes,
};

static struct kobject *directory;

/* ---- both -------------------------------------------------------------------------- */

/* CPUs that were present when the files were made; one may have gone since. */
static struct cpumask with_files;

static void remove_cpus(void)
{
	struct device *device;
	int cpu;

	for_each_cpu(cpu, &with_files) {
		device = get_cpu_device(cpu);
		if (device)
			sysfs_remove_group(&device->kobj, &cpu_group);
	}
	cpumask_clear(&with_files);
}

/* Out of sysfs at once: a last reference may stay a while, and the next load wants the name. */
static void remove_directory(void)
{
	kobject_del(directory);
	kobject_put(directory);
}

int files_add(void)
{
	struct device *device;
	int error, cpu;

	directory = kobject_create_and_add("task_isolation", kernel_kobj);
	if (!directory)
		return -ENOMEM;
	error = sysfs_create_group(directory, &group);
	if (error)
		goto put;
	for_each_present_cpu(cpu) {
		device = get_cpu_device(cpu);
		if (!device)
			continue;
		error = sysfs_create_group(&device->kobj, &cpu_group);
		if (error) {
			remove_cpus();
			goto put;
		}
		cpumask_set_cpu(cpu, &with_files);
	}
	return 0;
put:
	remove_directory();
	return error;
}

void files_remove(void)
{
	remove_cpus();
	remove_directory();
}
