// SPDX-License-Identifier: GPL-2.0
/*
 * The door: whether anybody may enter, and how root makes everybody leave (6.7).
 *
 * Who runs is made to look up and leaves by itself. Who sleeps, for whatever and
 * however long, is detached where it is and does not notice. Nobody else can be
 * an owner: who waits in this module for a quiet CPU looks up within 10 ms.
 *
 * Context: root's write, may sleep, until a fatal signal. Closing ends when no CPU
 * has an owner; no task can prolong that by what it does, only by not being run at
 * all, beside a real-time task that never sleeps.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "shell.h"

static DEFINE_MUTEX(release_mutex);	/* one writer; outside of owners_lock */

/* What detaching a task leaves to do when the locks are gone. */
struct parting {
	struct policy_event event;
	struct policy_verdict verdict;
};

/* The owner sleeps, or is the writer: see task_isolation_detach_asleep(). */
static void part(struct task_isolation *isolation, void *arg)
{
	struct owner *owner = container_of(isolation, struct owner, isolation);
	struct parting *parting = arg;

	/* It may sleep in a fault, whose entry nobody judged. */
	parting->event.counted = !isolation->entered;
	parting->event.own = interruption_own_fault(isolation);
	interruption_ask(owner, &parting->event, &parting->verdict);
	interruption_count(owner, &parting->event, &parting->verdict, NULL);
	owner->lost = parting->verdict.state == TASK_ISOLATION_LOST;
	interruption_remember(owner, &parting->event.cause, NULL);
	owner_forget(owner);
	interruption_record(owner, &parting->event.cause);
}

static void send_signal(struct task_struct *task, const struct parting *parting)
{
	struct kernel_siginfo info;

	clear_siginfo(&info);
	info.si_signo = parting->verdict.signal;
	info.si_code = TASK_ISOLATION_LOSS;
	info.si_errno = parting->event.cause.cause;
	/* As force_signal() has it: no room for a real-time signal. */
	if (send_sig_info(info.si_signo, &info, task) == -EAGAIN)
		send_sig(SIGKILL, task, 1);
}

/* One try. True: the CPU has no owner. */
static bool release_cpu(int cpu)
{
	struct parting parting = {
		.event = {
			.kind	= POLICY_EVENT_DELIVERY,
			.cause	= { .cause = TASK_ISOLATION_CAUSE_RELEASE },
		},
	};
	struct task_struct *task;
	struct owner *owner;
	bool detached;

	scoped_guard(spinlock, &owners_lock) {
		owner = per_cpu(cpu_records, cpu).owner;
		if (!owner)
			return true;
		task = get_task_struct(owner->task);
		task_isolation_look(task);
		detached = task_isolation_detach_asleep(task, part, &parting);
		if (detached)
			policy_unpin();
	}
	if (detached && parting.verdict.log)
		log_loss(task, cpu, &parting.event.cause, parting.verdict.log, NULL);
	if (detached && parting.verdict.signal)
		send_signal(task, &parting);
	put_task_struct(task);
	return detached;
}

/* Close the door and see everybody out, or open it; 0, or -EINTR with the door closed. */
int release_write(bool close)
{
	int cpu;

	guard(mutex)(&release_mutex);
	scoped_guard(spinlock, &owners_lock)
		WRITE_ONCE(released, close);
	if (!close)
		return 0;
	for_each_possible_cpu(cpu) {
		while (!release_cpu(cpu)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			usleep_range(200, 1000);
		}
	}
	return 0;
}
