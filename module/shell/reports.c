// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: each interruption as a record that others may read, in a ring for each CPU.
 *
 * Context: the owner itself writes, in its exit loop, or who detaches it while it
 * sleeps. A writer waits for no reader and wakes nobody: it stores. Readers keep
 * their own place, find out by the numbers what they were too slow for, and are
 * woken by a timer on a housekeeping CPU (chardev.c).
 *
 * Ordering: a writer takes the number off an entry, fills it, puts the new number on,
 * then moves the head. A reader looks at the number before and after it copied.
 * Writers of one CPU follow each other under the ring's lock, which no reader takes.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/coredump.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>

#include "shell.h"

#include <trace/events/task_isolation.h>

static_assert(sizeof(struct task_isolation_sender) == 160);
static_assert(sizeof(struct task_isolation_report) == 336);
static_assert(sizeof(struct task_isolation_page) == 56);
static_assert(sizeof(struct task_isolation_info) == TASK_ISOLATION_INFO_SIZE_VER1);
static_assert(TASK_COMM_LEN == TASK_ISOLATION_COMM_LEN);

#define ENTRIES		512
#define BEING_WRITTEN	U64_MAX

struct entry {
	u64 number;
	struct reported reported;
};

struct ring {
	raw_spinlock_t writing;	/* between writers, below run queue locks; no reader takes it */
	u64 head;		/* number of the next report */
	struct entry entries[ENTRIES];
};

static DEFINE_PER_CPU(struct ring *, rings);

/* NULL as long as the CPU was never listed. Pairs with reports_prepare(). */
static struct ring *ring_of(int cpu)
{
	return smp_load_acquire(per_cpu_ptr(&rings, cpu));
}

/* Nobody has the device open: nothing is written. Who opens it begins with what comes after. */
static atomic_t readers;

void reports_reader_comes(void)
{
	atomic_inc(&readers);
}

void reports_reader_goes(void)
{
	atomic_dec(&readers);
}

/* Memory for the reports of @cpu, kept until the module goes; 0 or -ENOMEM. Under list_mutex. */
int reports_prepare(int cpu)
{
	struct ring *ring = per_cpu(rings, cpu);

	if (ring)
		return 0;
	ring = kvzalloc_node(sizeof(*ring), GFP_KERNEL, cpu_to_node(cpu));
	if (!ring)
		return -ENOMEM;
	raw_spin_lock_init(&ring->writing);
	/* Empty, before anybody finds it. */
	smp_store_release(per_cpu_ptr(&rings, cpu), ring);
	return 0;
}

/* No reader and no owner is left. */
void reports_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(rings, cpu));
		per_cpu(rings, cpu) = NULL;
	}
}

/* ---- who may know what ------------------------------------------------------- */

/* CAP_PERFMON is enough, as for tracing. */
bool report_reader_knows_all(const struct file *file)
{
	if (!file)
		return perfmon_capable();
	return file_ns_capable(file, &init_user_ns, CAP_PERFMON) ||
	       file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
}

kuid_t report_reader_uid(const struct file *file)
{
	return file ? file->f_cred->euid : current_uid();
}

/*
 * What the current task knows @pid of the initial namespace by: there, as it was, also
 * when the task is gone; elsewhere the pid of that same task, or of its process, or 0.
 */
static pid_t translate(pid_t pid, u64 started, bool process)
{
	struct task_struct *task;

	if (!pid || task_active_pid_ns(current) == &init_pid_ns)
		return pid;
	guard(rcu)();
	task = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	/* Not another one that got the number since. */
	if (!task || task->start_boottime != started)
		return 0;
	return process ? task_tgid_vnr(task) : task_pid_vnr(task);
}

/* The process of thread @pid, which was @tgid. */
static pid_t translate_process(pid_t tgid, pid_t pid, u64 started)
{
	return task_active_pid_ns(current) == &init_pid_ns ? tgid : translate(pid, started, true);
}

/*
 * What the reader may be told of who sent something: @file is what it reads, NULL for
 * the current task's own call. Kernel threads are nobody's secret.
 */
void report_sender(const struct task_isolation_note *note, const struct file *file,
		   struct task_isolation_sender *sender)
{
	bool all = report_reader_knows_all(file);

	*sender = (struct task_isolation_sender){ .cpu = -1 };
	if (!note->depth && !note->by_task)
		return;
	sender->cpu = note->cpu;
	if (all && task_isolation_may_see_addresses(file ? file->f_cred : current_cred())) {
		sender->depth = note->depth;
		for (unsigned int i = 0; i < note->depth; i++)
			sender->stack[i] = note->stack[i];
	}
	if (!note->by_task || !(all || note->kthread || uid_eq(note->uid, report_reader_uid(file))))
		return;
	sender->pid = translate(note->pid, note->started, false);
	sender->tgid = translate_process(note->tgid, note->pid, note->started);
	if (sender->pid)
		strscpy(sender->comm, note->comm);
}

/* For siginfo: the sender in the current task's namespace, 0 when it is not to know. */
pid_t report_sender_pid(const struct task_isolation_note *note)
{
	struct task_isolation_sender sender;

	report_sender(note, NULL, &sender);
	return sender.pid;
}

/* Function addresses are the kernel's; a fault's or an interrupted one the program's own. */
bool report_address_is_users(u32 cause)
{
	return cause == TASK_ISOLATION_CAUSE_PAGE_FAULT || cause == TASK_ISOLATION_CAUSE_UNKNOWN;
}

/* ---- writing ------------------------------------------------------------------ */

static void put(struct ring *ring, const struct reported *reported)
{
	struct entry *entry;

	guard(raw_spinlock_irqsave)(&ring->writing);
	entry = &ring->entries[ring->head % ENTRIES];
	WRITE_ONCE(entry->number, BEING_WRITTEN);
	/* The number is off before anything changes. */
	smp_wmb();
	entry->reported = *reported;
	entry->reported.report.number = ring->head;
	/* All of it is there before the number, and that before the head. */
	smp_store_release(&entry->number, ring->head);
	smp_store_release(&ring->head, ring->head + 1);
}

/* Whose reports are its: of a program with more rights than its user, nobody's but root's. */
static kuid_t visible_to(struct task_struct *task)
{
	const struct cred *cred;

	guard(rcu)();
	cred = __task_cred(task);
	if (!uid_eq(cred->uid, cred->euid) || !uid_eq(cred->uid, cred->suid) || !task->mm ||
	    get_dumpable(task->mm) != SUID_DUMP_USER)
		return GLOBAL_ROOT_UID;
	return cred->uid;
}

/**
 * report_interruption - tell whoever reads
 * @owner: whose
 * @cause: what
 * @note: who sent it, or NULL
 * @flags: TASK_ISOLATION_REPORT_*
 *
 * Context: the owner itself, or who detaches it, under run queue locks; does not sleep.
 */
void report_interruption(const struct owner *owner, const struct policy_cause *cause,
			 const struct task_isolation_note *note, u32 flags)
{
	struct ring *ring = atomic_read(&readers) ? ring_of(owner->isolation.cpu) : NULL;
	struct reported reported;

	if (!ring && !trace_task_isolation_interrupt_enabled())
		return;
	reported = (struct reported){
		.report = {
			.size	 = sizeof(reported.report),
			.flags	 = flags,
			.time_ns = ktime_get_ns(),
			.cpu	 = owner->isolation.cpu,
			.pid	 = task_pid_nr(owner->task),
			.tgid	 = task_tgid_nr(owner->task),
			.cause	 = cause->cause,
			.detail	 = cause->detail,
			.address = cause->address,
			.sender	 = { .cpu = -1 },
		},
		.cause	 = *cause,
		.uid	 = visible_to(owner->task),
		.started = owner->task->start_boottime,
		.judged	 = ktime_get_boottime_ns(),
	};

	strscpy(reported.report.comm, owner->task->comm);
	interruption_text(cause, reported.report.text);
	if (note) {
		reported.note = *note;
		reported.report.sender.cpu = note->cpu;
		reported.report.sender.pid = note->pid;
		reported.report.sender.tgid = note->tgid;
		strscpy(reported.report.sender.comm, note->comm);
	}
	trace_task_isolation_interrupt(&reported.report);
	if (ring)
		put(ring, &reported);
}

/* ---- reading ------------------------------------------------------------------ */

/* The number that the next report of @cpu gets. */
u64 reports_head(int cpu)
{
	struct ring *ring = ring_of(cpu);

	/* Pairs with put(), as below. */
	return ring ? smp_load_acquire(&ring->head) : 0;
}

/*
 * The report at @position, or the oldest there is after it; what was skipped is added
 * to @dropped and @position moves there. False: there is none yet.
 */
bool reports_peek(int cpu, u64 *position, u64 *dropped, struct reported *reported)
{
	struct ring *ring = ring_of(cpu);
	const struct entry *entry;
	u64 head, oldest;

	while (ring) {
		/* What is before the head has its number. */
		head = smp_load_acquire(&ring->head);
		if (*position >= head)
			return false;
		oldest = head > ENTRIES ? head - ENTRIES : 0;
		if (*position < oldest) {
			*dropped += oldest - *position;
			*position = oldest;
		}
		entry = &ring->entries[*position % ENTRIES];
		/* The number before the copy. */
		if (smp_load_acquire(&entry->number) == *position) {
			*reported = entry->reported;
			/* The copy is done before the number is looked at again. */
			smp_rmb();
			if (READ_ONCE(entry->number) == *position)
				return true;
		}
		/* It is being written over: the head moves on. */
		cpu_relax();
		if (READ_ONCE(ring->head) == head) {
			*dropped += 1;
			*position += 1;
		}
	}
	return false;
}

/* What the reader of @file gets to see of it. False: nothing. */
bool report_mask(struct reported *reported, const struct file *file)
{
	struct task_isolation_report *report = &reported->report;
	bool all = report_reader_knows_all(file);

	if (!all && !uid_eq(reported->uid, report_reader_uid(file)))
		return false;
	report->tgid = translate_process(report->tgid, report->pid, reported->started);
	report->pid = translate(report->pid, reported->started, false);
	report_sender(&reported->note, file, &report->sender);
	if (report->cause == TASK_ISOLATION_CAUSE_PREEMPTED) {
		owner_mask(&reported->cause, file, reported->judged);
		report->detail = reported->cause.detail;
		interruption_text(&reported->cause, report->text);
	}
	if (!report_address_is_users(report->cause) &&
	    !(all && task_isolation_may_see_addresses(file->f_cred)))
		report->address = 0;
	return true;
}
