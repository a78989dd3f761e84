// SPDX-License-Identifier: GPL-2.0
/*
 * Deliveries: an entry that comes to give the task something addressed to it,
 * which isolation reports and never withholds.
 *
 * Context: the owner itself, on its way to user space, interrupts on, before the
 * exit work at hand is done: what is asked for is read where the kernel keeps it,
 * and judged before it happens. A signal is told by its frame, not here: one that
 * nobody handles, or that another thread takes, is none.
 */
#include <linux/cpumask.h>
#include <linux/freezer.h>
#include <linux/jhash.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "shell.h"

static u32 asked_cpus(void)
{
	const struct cpumask *asked = current->user_cpus_ptr;

	return asked ? jhash(cpumask_bits(asked), cpumask_size(), 1) : 0;
}

/* A number for what sched_setaffinity() asked for, in this task or one it comes from. */
u32 delivery_asked_cpus(void)
{
	guard(raw_spinlock_irqsave)(&current->pi_lock);
	return asked_cpus();
}

/*
 * On another CPU, or to be, or allowed to: who did that? The mask comes first, the
 * task is moved a while later; under pi_lock all of it is as its writer wants it.
 */
u32 delivery_displaced(const struct task_isolation *isolation)
{
	const struct owner *owner = container_of(isolation, struct owner, isolation);
	int cpu = isolation->cpu;

	if (task_isolation_going_down(cpu) || !cpu_online(cpu))
		return TASK_ISOLATION_CAUSE_HOTPLUG;
	guard(raw_spinlock_irqsave)(&current->pi_lock);
	if (cpumask_equal(&current->cpus_mask, cpumask_of(cpu)) && raw_smp_processor_id() == cpu)
		return TASK_ISOLATION_CAUSE_NONE;
	/* What sched_setaffinity() asked for is kept: neither this CPU alone nor as before. */
	if (current->user_cpus_ptr && !cpumask_equal(current->user_cpus_ptr, cpumask_of(cpu)) &&
	    asked_cpus() != owner->asked_cpus)
		return TASK_ISOLATION_CAUSE_AFFINITY;
	return TASK_ISOLATION_CAUSE_CPUSET;
}

/* Will the signal stop the process? Under siglock. */
static bool stops(int signal)
{
	if (!sigismember(&current->pending.signal, signal) &&
	    !sigismember(&current->signal->shared_pending.signal, signal))
		return false;
	return !sigismember(&current->blocked, signal) &&
	       current->sighand->action[signal - 1].sa.sa_handler == SIG_DFL;
}

/* TIF_SIGPENDING is set: for a freezer or a stop? */
static u32 halted(void)
{
	if (freezing(current) || (READ_ONCE(current->jobctl) & JOBCTL_TRAP_FREEZE))
		return TASK_ISOLATION_CAUSE_FREEZER;
	guard(spinlock_irq)(&current->sighand->siglock);
	if ((current->jobctl & (JOBCTL_STOP_PENDING | JOBCTL_TRAP_STOP)) || stops(SIGSTOP) ||
	    stops(SIGTSTP) || stops(SIGTTIN) || stops(SIGTTOU))
		return TASK_ISOLATION_CAUSE_STOP;
	return TASK_ISOLATION_CAUSE_NONE;
}

/* Work that a tick gives the task it interrupts, also on the way out: nobody came for it. */
static bool given_by_tick(const struct callback_head *work)
{
#ifdef CONFIG_SCHED_MM_CID
	if (work == &current->cid_work)
		return true;
#endif
#ifdef CONFIG_NUMA_BALANCING
	if (work == &current->numa_work)
		return true;
#endif
#ifdef CONFIG_POSIX_CPU_TIMERS_TASK_WORK
	if (work == &current->posix_cputimers_work.work)
		return true;
#endif
	return false;
}

static bool name_task_work(struct policy_cause *cause)
{
	struct callback_head *work;

	/*
	 * Against one that is cancelled just now: others only add to the front, and the task
	 * itself takes. A mark for an exiting task has no function.
	 */
	guard(raw_spinlock_irqsave)(&current->pi_lock);
	work = READ_ONCE(current->task_works);
	while (work && given_by_tick(work))
		work = READ_ONCE(work->next);
	if (!work)
		return false;
	if (work->func)
		snprintf(cause->name, sizeof(cause->name), "%ps", work->func);
	return true;
}

/* What an interrupt may have come for that does not end isolation by itself (3.5). */
static bool find_passing(const struct task_isolation *isolation, unsigned long ti_work,
			 struct policy_cause *cause)
{
	struct task_isolation_record entry;

	/* Else the entry was the task's own, and counts as such. */
	if (!isolation->entered)
		return false;
	task_isolation_classify(isolation, &entry);
	if (entry.kind < TASK_ISOLATION_ENTRY_TIMER || entry.kind > TASK_ISOLATION_ENTRY_IRQ)
		return false;
	if (ti_work & _TIF_SIGPENDING) {
		cause->cause = halted();
		if (cause->cause)
			return true;
	}
	cause->cause = TASK_ISOLATION_CAUSE_WORK;
	if (ti_work & _TIF_PATCH_PENDING) {
		strscpy(cause->name, "klp_update_patch_state");
		return true;
	}
	/* A tick adds task work of its own, also one while another task had the CPU. */
	return entry.kind != TASK_ISOLATION_ENTRY_TIMER && !isolation->preempted_pid &&
	       name_task_work(cause);
}

/*
 * Has something been delivered? Then @event is what, all but its counted.
 * @ti_work: exit work that waits.
 */
bool delivery_find(const struct owner *owner, unsigned long ti_work, struct policy_event *event)
{
	event->kind = POLICY_EVENT_DELIVERY;
	if (READ_ONCE(released))
		event->cause.cause = TASK_ISOLATION_CAUSE_RELEASE;
	else if (current->ptrace)
		event->cause.cause = TASK_ISOLATION_CAUSE_PTRACE;
	else
		event->cause.cause = delivery_displaced(&owner->isolation);
	if (event->cause.cause)
		return true;

	event->kind = POLICY_EVENT_PASSING;
	if (ti_work && find_passing(&owner->isolation, ti_work, &event->cause))
		return true;
	*event = (struct policy_event){ };
	return false;
}

/*
 * Who sent it, when the interrupt that the owner was entered by came to make it look
 * up, and one alone did that. Before the entry is judged.
 */
bool delivery_sender(const struct task_isolation *isolation, struct task_isolation_note *note)
{
	struct task_isolation_record entry;

	if (!isolation->entered)
		return false;
	task_isolation_classify(isolation, &entry);
	return entry.kind == TASK_ISOLATION_ENTRY_RESCHEDULE &&
	       task_isolation_find_note(isolation, TASK_ISOLATION_BY_RESCHEDULE, true, note) ==
		       TASK_ISOLATION_SENT_AFTER;
}
