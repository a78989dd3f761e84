// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: entering, leaving, and what a task can ask about itself.
 *
 * A CPU has at most one owner. Who it is changes under owners_lock, always by
 * the task itself: it enters, leaves, loses isolation or exits.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/init.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/deadline.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/tick.h>
#include <linux/uaccess.h>

#include "shell.h"

DEFINE_SPINLOCK(owners_lock);
DEFINE_PER_CPU(struct cpu_record, cpu_records);

/* The door is closed: nobody enters, and owners leave. Written under owners_lock. */
bool released;

/* Which load of this module this is: a record of an earlier one may be laid out otherwise. */
static u64 this_load __ro_after_init;

void __init owner_init(void)
{
	this_load = ktime_get_ns();
}

/* The current task's record, or NULL when it never tried to enter. */
struct owner *current_owner(void)
{
	struct task_isolation *isolation = current->task_isolation;
	struct owner *owner = container_of_const(isolation, struct owner, isolation);

	return isolation && owner->cookie == this_load ? owner : NULL;
}

static struct owner *make_owner(void)
{
	struct owner *owner = current_owner();

	if (owner)
		return owner;
	owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	if (!owner)
		return NULL;
	owner->cookie = this_load;
	owner->task = current;
	owner->isolation.cpu = -1;
	task_isolation_replace(&owner->isolation);
	return owner;
}

/*
 * What the owner's CPU is for it right now, as another CPU can tell: isolated
 * is only who is in user space after a passed test.
 */
u32 owner_state(const struct owner *owner)
{
	int state = atomic_read(per_cpu_ptr(&context_tracking.state, owner->isolation.cpu));

	if ((state & CT_STATE_ISOLATED) && (state & CT_STATE_MASK) == CT_STATE_USER)
		return TASK_ISOLATION_ISOLATED;
	if (READ_ONCE(owner->isolation.went_late))
		return TASK_ISOLATION_LATE;
	return TASK_ISOLATION_ENTERING;
}

void owner_counters(const struct owner *owner, u64 counters[5])
{
	counters[0] = READ_ONCE(owner->isolation.own);
	counters[1] = READ_ONCE(owner->isolation.foreign);
	counters[2] = READ_ONCE(owner->isolation.absorbed);
	counters[3] = READ_ONCE(owner->isolation.late_entries);
	counters[4] = READ_ONCE(owner->unknown);
}

/* Another policy serves, or somebody wants to hear of each call: ask for all. */
void owner_ask_for_calls(void)
{
	struct owner *owner;
	int cpu;

	guard(spinlock)(&owners_lock);
	for_each_possible_cpu(cpu) {
		owner = per_cpu(cpu_records, cpu).owner;
		if (owner)
			WRITE_ONCE(owner->isolation.count_syscalls, false);
	}
}

static bool is_owner(const struct owner *owner)
{
	return owner && owner->flags;
}

/*
 * May the reader of @file, or the current task when that is NULL, be told of @task?
 * Kernel threads are nobody's secret.
 */
static bool may_name(const struct task_struct *task, const struct file *file)
{
	return (task->flags & PF_KTHREAD) || uid_eq(task_uid(task), report_reader_uid(file)) ||
	       report_reader_knows_all(file);
}

/* The pid that the current task knows it by, 0 when it is not to know. */
static pid_t pid_to_tell(struct task_struct *task)
{
	return may_name(task, NULL) ? task_pid_vnr(task) : 0;
}

/*
 * What the reader of @file, or the current task when that is NULL, may be told of
 * @cause: tasks of others only with privilege. Who started after @since, which is
 * CLOCK_BOOTTIME, only got the pid of whom it was about.
 */
void owner_mask(struct policy_cause *cause, const struct file *file, u64 since)
{
	struct task_struct *task;

	if (cause->cause != TASK_ISOLATION_CAUSE_PREEMPTED)
		return;
	guard(rcu)();
	task = pid_task(find_pid_ns(cause->detail, &init_pid_ns), PIDTYPE_PID);
	/* One that is gone cannot be asked whose it was. */
	if (task && task->start_boottime > since)
		task = NULL;
	if (!task && report_reader_knows_all(file) &&
	    task_active_pid_ns(current) == &init_pid_ns)
		return;
	cause->detail = task && may_name(task, file) ? task_pid_vnr(task) : 0;
	if (!cause->detail)
		cause->name[0] = '\0';
}

/*
 * The CPU gets an owner; 0, -EBUSY, -EPERM when the door was closed since, or
 * -EINVAL when the CPU just left the list or this module goes. What
 * @asked said of system calls holds while it serves: who lets another policy serve
 * takes this lock after that, and finds the owner.
 */
static int claim(struct owner *owner, int cpu, bool count_syscalls,
		 const struct policy_operations *asked)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, cpu);

	guard(spinlock)(&owners_lock);
	/* Moved while it owns another CPU: its exit loop finds that out first. */
	if (is_owner(owner) && owner->isolation.cpu != cpu)
		return -EINVAL;
	if (released)
		return -EPERM;
	if (record->owner && record->owner != owner)
		return -EBUSY;
	if (!cpumask_test_cpu(cpu, &listed))
		return -EINVAL;
	/* An owner of now has both pinned. Without a policy: as without hooks (2.7). */
	if (record->owner != owner) {
		if (!policy_pin())
			return -EINVAL;
		if (!task_isolation_pin(&owner->isolation)) {
			policy_unpin();
			return -EINVAL;
		}
	}
	scoped_guard(rcu)
		WRITE_ONCE(owner->isolation.count_syscalls,
			   count_syscalls && policy_serving() == asked && !READ_ONCE(debug));
	if (record->owner == owner)
		return 0;
	owner->isolation.cpu = cpu;
	record->owner = owner;
	task_isolation_show_state(task_isolation_page(cpu), TASK_ISOLATION_ENTERING);
	return 0;
}

/* What anybody may see of the CPU's counters: the owner's, or the last one's. */
static void show_counters(int cpu, u64 own, u64 foreign, u64 absorbed, u64 late, u64 unknown)
{
	struct task_isolation_page *page = task_isolation_page(cpu);

	WRITE_ONCE(page->own, own);
	WRITE_ONCE(page->foreign, foreign);
	WRITE_ONCE(page->absorbed, absorbed);
	WRITE_ONCE(page->late, late);
	WRITE_ONCE(page->unknown, unknown);
}

static void set_counters(struct owner *owner, const u64 counters[5])
{
	owner->isolation.own = counters[0];
	owner->isolation.foreign = counters[1];
	owner->isolation.absorbed = counters[2];
	owner->isolation.late_entries = counters[3];
	owner->unknown = counters[4];
	show_counters(owner->isolation.cpu, counters[0], counters[1], counters[2], counters[3],
		      counters[4]);
}

/*
 * Nobody refused: what is known of the stays before goes. The way out may refuse
 * still, and brings it back (owner_back()).
 */
static void begin_stay(struct owner *owner, u32 flags)
{
	static const u64 none[5];
	struct cpu_record *record = per_cpu_ptr(&cpu_records, owner->isolation.cpu);

	guard(spinlock)(&owners_lock);
	owner->flags = flags;
	if (owner->again)
		return;
	owner->kept.lost = owner->lost;
	owner->kept.last = owner->last;
	owner_counters(owner, owner->kept.counters);
	owner->kept.cpu_lost = record->lost;
	strscpy(owner->kept.cpu_loss, record->last_loss);
	owner->lost = false;
	memset(&owner->last, 0, sizeof(owner->last));
	set_counters(owner, none);
	record->lost = false;
	record->last_loss[0] = '\0';
}

/* Refused after begin_stay(): there was no stay. Under owners_lock. */
static void undo_stay(struct owner *owner)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, owner->isolation.cpu);

	owner->flags = 0;
	owner->lost = owner->kept.lost;
	owner->last = owner->kept.last;
	set_counters(owner, owner->kept.counters);
	show_counters(owner->isolation.cpu, record->own, record->foreign, record->absorbed,
		      record->late, record->unknown);
	record->lost = owner->kept.cpu_lost;
	strscpy(record->last_loss, owner->kept.cpu_loss);
}

/*
 * The task owns nothing any more; what happened stays readable. Under owners_lock,
 * by the task itself or while it sleeps. Return: whether it owned the CPU.
 */
bool owner_forget(struct owner *owner)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, owner->isolation.cpu);
	u64 counters[5];
	bool stayed;

	/* It came from user space that was late, and does not pass the exit loop as owner. */
	if (owner->isolation.went_late)
		owner->isolation.late_entries++;
	owner->isolation.entered = false;
	owner->isolation.nmi = false;
	owner->isolation.ready = false;
	owner->isolation.late = false;
	owner->isolation.went_late = false;
	owner->isolation.retried = false;
	owner->isolation.preempted_pid = 0;
	owner->isolation.stack = 0;

	stayed = is_owner(owner);
	owner->flags = 0;
	if (record->owner != owner)
		return false;
	record->owner = NULL;
	if (stayed)
		record->lost = owner->lost;
	task_isolation_show_state(task_isolation_page(owner->isolation.cpu),
				  record->lost ? TASK_ISOLATION_LOST : TASK_ISOLATION_OFF);
	/* Refused: what is known of the owner before stays. */
	if (!stayed)
		return true;
	owner_counters(owner, counters);
	record->own = counters[0];
	record->foreign = counters[1];
	record->absorbed = counters[2];
	record->late = counters[3];
	record->unknown = counters[4];
	show_counters(owner->isolation.cpu, counters[0], counters[1], counters[2], counters[3],
		      counters[4]);
	return true;
}

/*
 * The current task leaves, by @loss or, when that is NULL, without one. In one
 * section: the next owner must find the record of this one, and not be written over.
 */
void owner_leave(struct owner *owner, const struct policy_cause *loss)
{
	bool owned;

	task_isolation_detach();
	guard(spinlock)(&owners_lock);
	owned = owner_forget(owner);
	if (loss)
		interruption_record(owner, loss);
	if (owned)
		policy_unpin();
}

/* Remember and, with debug, log why an entry was refused (2.9). */
void owner_refuse(struct owner *owner, int error, u32 refusal, u32 unmet,
		  const struct policy_cause *in_the_way)
{
	char text[TASK_ISOLATION_TEXT_LEN] = "";
	const struct policy_operations *policy;
	struct policy_cause told;

	owner->refusal_errno = -error;
	owner->refusal_unmet = unmet;
	owner->refusal[0] = '\0';
	if (in_the_way) {
		told = *in_the_way;
		owner_mask(&told, NULL, ktime_get_boottime_ns());
	}
	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy && policy->refusal_text) {
			policy->refusal_text(&owner->admit, refusal, unmet,
					     in_the_way ? &told : NULL,
					     owner->refusal, sizeof(owner->refusal));
			if (debug)
				policy->refusal_text(&owner->admit, refusal, unmet, in_the_way,
						     text, sizeof(text));
		}
	}
	if (text[0])
		log_line(text, true);
}

static void gather(struct policy_admit_facts *facts, const struct policy_call_verdict *call,
		   const struct owner *owner)
{
	u32 dependency = task_isolation_tick_dependency();
	u64 who = READ_ONCE(admission);
	const struct owner *other;
	int cpu;

	*facts = (struct policy_admit_facts){
		.mode		= call->mode,
		.allow		= lower_32_bits(who),
		.privileged	= capable(CAP_SYS_NICE),
		.in_group	= in_egroup_p(make_kgid(&init_user_ns, upper_32_bits(who))),
		.released	= READ_ONCE(released),
		.switched_off	= task_isolation_switched_off(),
		.affinity	= current->nr_cpus_allowed,
		.cpu		= -1,
		.clock_stable	= !(dependency & TICK_DEP_MASK_CLOCK_UNSTABLE),
		.deadline	= dl_task(current),
		.allocated	= owner != NULL,
		.traced		= current->ptrace != 0,
		.tick_dependency = dependency,
	};
	if (facts->affinity != 1)
		return;
	cpu = cpumask_first(current->cpus_ptr);
	/* The mask may be changing under us: then this is no single CPU. */
	if (cpu >= nr_cpu_ids) {
		facts->affinity = 0;
		return;
	}
	facts->cpu = cpu;
	facts->nohz_full = tick_nohz_full_cpu(cpu);
	facts->out_of_balancing = list_out_of_balancing(cpu);

	guard(spinlock)(&owners_lock);
	facts->listed = cpumask_test_cpu(cpu, &listed);
	other = per_cpu(cpu_records, cpu).owner;
	facts->other_owner = other && other != owner;
	facts->other_owner_pid = facts->other_owner ? pid_to_tell(other->task) : 0;
}

/*
 * Enter, or enter again with other flags. On any error nothing is changed: a
 * task that was no owner is none, one that was keeps its mode (2.8).
 */
static long enter(u32 flags, const struct policy_call_verdict *call)
{
	struct owner *owner = make_owner();
	const struct policy_operations *policy;
	const struct policy_operations *asked;
	struct policy_admit_verdict admit = {
		.error = -EINVAL,
	};
	struct policy_admit_facts facts;
	bool was_owner;
	int error;

	gather(&facts, call, owner);
	scoped_guard(rcu) {
		policy = policy_serving();
		/* Compared only, never followed, after this. */
		asked = policy;
		if (policy && policy->admit) {
			admit.error = 0;
			policy->admit(&facts, &admit);
		}
	}
	if (!owner)
		return admit.error ?: -ENOMEM;
	owner->admit = facts;
	was_owner = is_owner(owner);
	owner->before.cpu = owner->isolation.cpu;
	if (!admit.error) {
		admit.error = claim(owner, facts.cpu, admit.count_syscalls, asked);
		if (admit.error)
			admit.refusal = admit.error == -EBUSY ? POLICY_REFUSAL_OWNED :
					admit.error == -EPERM ? POLICY_REFUSAL_RELEASED :
								POLICY_REFUSAL_NOT_LISTED;
	}
	if (admit.error) {
		owner_refuse(owner, admit.error, admit.refusal,
			     admit.refusal == POLICY_REFUSAL_TICK ? TASK_ISOLATION_UNMET_TICK : 0,
			     NULL);
		return admit.error;
	}

	owner->again = was_owner;
	owner->before.flags = owner->flags;
	owner->before.mode = owner->mode;
	owner->before.signal = owner->signal;
	owner->before.need = owner->isolation.need;
	owner->before.nowait = owner->nowait;
	owner->mode = call->mode;
	owner->signal = call->signal;
	owner->nowait = call->nowait;
	owner->isolation.need = admit.need;
	owner->asked_cpus = delivery_asked_cpus();
	/* Not entered before user space is reached: see quiet_unmet(). */
	owner->isolation.ready = false;
	/* Before the wait: the core looks after what quiescence stops for an owner. */
	if (!was_owner)
		task_isolation_attach(&owner->isolation);
	error = quiet_wait(owner);
	if (error) {
		owner_back(owner);
		return error;
	}
	owner->refusal_errno = 0;
	owner->refusal_unmet = 0;
	owner->refusal[0] = '\0';
	begin_stay(owner, flags);
	return 0;
}

/*
 * Entering failed, in the call or on its way out: the task is again what it was
 * before. An owner's way out is from here on that of any exempt call (2.8).
 */
void owner_back(struct owner *owner)
{
	if (!owner->again) {
		task_isolation_detach();
		guard(spinlock)(&owners_lock);
		if (owner->flags)
			undo_stay(owner);
		if (owner_forget(owner))
			policy_unpin();
		owner->isolation.cpu = owner->before.cpu;
		return;
	}
	owner->mode = owner->before.mode;
	owner->signal = owner->before.signal;
	owner->nowait = owner->before.nowait;
	owner->isolation.need = owner->before.need;
	owner->isolation.ready = true;
	quiet_begin(owner);
	/* Ask for each call: another policy may serve by now, and counted otherwise. */
	WRITE_ONCE(owner->isolation.count_syscalls, false);
	guard(spinlock)(&owners_lock);
	owner->flags = owner->before.flags;
}

static void refuse_flags(unsigned long flags, int error)
{
	struct owner *owner = make_owner();
	struct policy_cause in_the_way = {
		.address = flags,
	};

	if (owner)
		owner_refuse(owner, error, POLICY_REFUSAL_FLAGS, 0, &in_the_way);
}

static long leave(struct owner *owner)
{
	if (is_owner(owner))
		owner_leave(owner, NULL);
	return 0;
}

/* 2.3: older and newer callers both get what both sides know of. */
static long inform(struct owner *owner, void __user *to, u64 size,
		   struct task_isolation_reply *reply)
{
	struct task_isolation_info info = {
		.size = min_t(u64, size, sizeof(info)),
		.cpu = -1,
	};
	u64 counters[5];

	if (size < TASK_ISOLATION_INFO_SIZE_VER0 || size > PAGE_SIZE)
		return -E2BIG;
	if (owner) {
		owner_counters(owner, counters);
		info.flags = owner->flags;
		if (!is_owner(owner))
			info.state = owner->lost ? TASK_ISOLATION_LOST : TASK_ISOLATION_OFF;
		else if (owner->isolation.went_late)
			info.state = TASK_ISOLATION_LATE;
		else
			info.state = TASK_ISOLATION_ISOLATED;
		info.cpu = owner->isolation.cpu;
		info.own = counters[0];
		info.foreign = counters[1];
		info.absorbed = counters[2];
		info.late = counters[3];
		info.refusal_errno = owner->refusal_errno;
		info.refusal_unmet = owner->refusal_unmet;
		info.loss_cause = owner->last.cause.cause;
		info.loss_detail = owner->last.cause.detail;
		/* A function's address is the kernel's secret; its name is in the text. */
		if (report_address_is_users(owner->last.cause.cause))
			info.loss_address = owner->last.cause.address;
		strscpy(info.refusal, owner->refusal);
		strscpy(info.loss, owner->last.text);
		info.unknown = counters[4];
		info.loss_time_ns = owner->last.time_ns;
		report_sender(&owner->last.note, NULL, &info.loss_sender);
	} else {
		info.loss_sender.cpu = -1;
	}
	reply->to = to;
	reply->size = size;
	reply->info = info;
	return 0;
}

/* The prctl() options that nobody else knows. May sleep. */
long owner_prctl(int option, unsigned long arg2, unsigned long arg3,
		 unsigned long arg4, unsigned long arg5, struct task_isolation_reply *reply)
{
	struct owner *owner = current_owner();
	const struct policy_operations *policy;
	struct policy_call_verdict call = { };
	struct policy_call_facts facts = {
		.option	= option,
		.arg2	= arg2,
		.arg3	= arg3,
		.arg4	= arg4,
		.arg5	= arg5,
		.flags	= owner ? owner->flags : 0,
	};

	if (is_owner(owner))
		facts.state = TASK_ISOLATION_ISOLATED;
	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy && policy->prctl)
			policy->prctl(&facts, &call);
	}
	switch ((enum policy_call)call.call) {
	case POLICY_CALL_RETURN:
		if (option == PR_SET_TASK_ISOLATION && call.result < 0)
			refuse_flags(arg2, call.result);
		return call.result;
	case POLICY_CALL_ENTER:
		return enter(arg2, &call);
	case POLICY_CALL_LEAVE:
		return leave(owner);
	case POLICY_CALL_INFO:
		return inform(owner, (void __user *)arg2, arg3, reply);
	case POLICY_CALL_NOT_OURS:
		break;
	}
	return -EINVAL;
}
