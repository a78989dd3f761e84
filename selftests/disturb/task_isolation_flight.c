// SPDX-License-Identifier: GPL-2.0
/*
 * Purpose: interrupts in flight, for selftests/in_flight: makes the two moments longer in
 * which it is decided whether an interrupt was sent before its target was isolated, and
 * compares what was decided with what it saw itself.
 *
 * Writing "CPU COUNT READY SEND" sends COUNT calls to that CPU, while the owner stays
 * READY turns between its last test and user space, and each sender SEND turns
 * between looking at the owner and interrupting. Reading gives one line of numbers:
 *   before     sent before the owner was isolated, and absorbed
 *   after      sent while it was isolated, and told as what this module did
 *   between    looked at before and sent after, or the other way: either is right
 *   killed     sent before, and a loss         unnoticed   sent after, and absorbed or not told
 *   misnamed   a loss, but by another name     unordered   looked at before it was published
 *
 * Context: the windows have interrupts or preemption off; nothing here sleeps in them.
 * What the owner's CPU writes is read by others when the sending is over.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/task_isolation.h>
#include <linux/uaccess.h>

#include <trace/events/task_isolation.h>

enum expected { NOTHING, BEFORE, AFTER, EITHER };

enum count { BEFORE_ABSORBED, AFTER_TOLD, BETWEEN, KILLED, UNNOTICED, MISNAMED, UNORDERED, COUNTS };

static const char *const names[COUNTS] = {
	"before", "after", "between", "killed", "unnoticed", "misnamed", "unordered",
};

static atomic_long_t counts[COUNTS];

/* One flight at a time: the sender waits until it has arrived. */
static struct {
	int cpu;
	u64 looked;		/* when the sender had looked at the owner */
	bool isolated;		/* what this module saw before it sent */
	u64 stay;
	call_single_data_t call;
	int arrived;
} flight = { .cpu = -1 };

static struct task_struct *sender;

/* The owner's CPU's own. */
static u64 left_test;		/* end of the window before user space */
static enum expected expected;

static unsigned int ready_turns, send_turns;
static struct dentry *file;
static DEFINE_MUTEX(flight_mutex);

/* Not linked anywhere: what a call looks like that was not published yet. */
#define UNPUBLISHED	((struct llist_node *)&flight)

static void add(enum count which)
{
	atomic_long_inc(&counts[which]);
}

static void dwell(unsigned int turns)
{
	while (turns--)
		cpu_relax();
}

static void in_window(enum task_isolation_window window)
{
	int cpu = raw_smp_processor_id();

	if (window == TASK_ISOLATION_WINDOW_READY) {
		if (cpu != flight.cpu)
			return;
		if (expected != NOTHING)
			add(UNNOTICED);
		expected = NOTHING;
		dwell(ready_turns);
		WRITE_ONCE(left_test, local_clock());
	} else if (current == READ_ONCE(sender)) {
		if (READ_ONCE(flight.call.node.llist.next) == UNPUBLISHED)
			add(UNORDERED);
		WRITE_ONCE(flight.looked, local_clock());
		dwell(send_turns);
	}
}

/* The interrupt itself, on the owner's CPU. */
static void arrive(void *unused)
{
	const struct task_isolation *isolation = current->task_isolation;
	struct task_isolation_record entry = { };

	/* Did it take the task out of user space, or find it in the kernel? */
	if (isolation && READ_ONCE(isolation->entered))
		task_isolation_classify(isolation, &entry);
	if (entry.kind == TASK_ISOLATION_ENTRY_CALL) {
		u64 looked = READ_ONCE(flight.looked);

		/* Queued and not looked yet: it came with an interrupt of another, whoever sent that. */
		if (looked == U64_MAX)
			expected = EITHER;
		else if (flight.isolated && flight.stay == READ_ONCE(isolation->page->stay))
			expected = AFTER;
		else
			expected = looked < left_test ? BEFORE : EITHER;
	}
	smp_store_release(&flight.arrived, 1);
}

/* What the owner made of it; on its CPU, in its exit loop. */
static void judged(void *unused, const struct task_isolation_report *report)
{
	enum expected was = expected;

	if (report->cpu != flight.cpu || was == NOTHING)
		return;
	expected = NOTHING;
	if (report->flags & TASK_ISOLATION_REPORT_ABSORBED) {
		add(was == BEFORE ? BEFORE_ABSORBED : was == AFTER ? UNNOTICED : BETWEEN);
		return;
	}
	if (was == BEFORE) {
		add(KILLED);
	} else if (report->cause != TASK_ISOLATION_CAUSE_IPI ||
		 report->address != (unsigned long)arrive || report->sender.pid != sender->pid) {
		pr_warn("task_isolation_flight: misnamed: cause %u, %ps, sent by %s/%d\n",
			report->cause, (void *)report->address, report->sender.comm,
			report->sender.pid);
		add(MISNAMED);
	} else {
		add(was == AFTER ? AFTER_TOLD : BETWEEN);
	}
}

static int send_one(int cpu, const struct task_isolation_page *page)
{
	int word, error;

	flight.arrived = 0;
	INIT_CSD(&flight.call, arrive, NULL);
	flight.call.node.llist.next = UNPUBLISHED;
	WRITE_ONCE(flight.looked, U64_MAX);
	flight.stay = READ_ONCE(page->stay);
	smp_rmb();
	word = atomic_read(per_cpu_ptr(&context_tracking.state, cpu));
	flight.isolated = (word & (CT_STATE_MASK | CT_STATE_ISOLATED)) ==
			  (CT_STATE_USER | CT_STATE_ISOLATED);
	error = smp_call_function_single_async(cpu, &flight.call);
	while (!error && !smp_load_acquire(&flight.arrived)) {
		cpu_relax();
		cond_resched();
	}
	return error;
}

static int fly(int cpu, unsigned int times)
{
	const struct task_isolation_page *page = task_isolation_page(cpu);
	int error = 0;

	if (!page)
		return -ENODEV;
	WRITE_ONCE(sender, current);
	flight.cpu = cpu;
	expected = NOTHING;
	WRITE_ONCE(task_isolation_in_window, in_window);
	while (times-- && !error && !signal_pending(current))
		error = send_one(cpu, page);
	WRITE_ONCE(task_isolation_in_window, NULL);
	/* Windows have preemption off. */
	synchronize_rcu();
	flight.cpu = -1;
	WRITE_ONCE(sender, NULL);
	return error;
}

static ssize_t write_file(struct file *f, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int times;
	char text[64];
	int cpu, error;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = 0;
	guard(mutex)(&flight_mutex);
	if (sscanf(text, "%d %u %u %u", &cpu, &times, &ready_turns, &send_turns) != 4 ||
	    cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	for (int i = 0; i < COUNTS; i++)
		atomic_long_set(&counts[i], 0);
	error = fly(cpu, times);
	return error ? error : len;
}

static ssize_t read_file(struct file *f, char __user *to, size_t len, loff_t *pos)
{
	char text[256];
	int n = 0;

	for (int i = 0; i < COUNTS; i++)
		n += scnprintf(text + n, sizeof(text) - n, "%s %ld%c", names[i],
			       atomic_long_read(&counts[i]), i + 1 < COUNTS ? ' ' : '\n');
	return simple_read_from_buffer(to, len, pos, text, n);
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.read = read_file,
	.write = write_file,
};

static int __init flight_init(void)
{
	int error = register_trace_task_isolation_interrupt(judged, NULL);

	if (error)
		return error;
	file = debugfs_create_file("task_isolation_flight", 0600, NULL, NULL, &operations);
	return 0;
}

static void __exit flight_exit(void)
{
	debugfs_remove(file);
	unregister_trace_task_isolation_interrupt(judged, NULL);
	tracepoint_synchronize_unregister();
}

module_init(flight_init);
module_exit(flight_exit);
MODULE_DESCRIPTION("Interrupts in flight for the task isolation selftests");
MODULE_LICENSE("GPL");
