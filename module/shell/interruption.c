// SPDX-License-Identifier: GPL-2.0
/*
 * Interruptions: what happened becomes an event, the policy's verdict becomes
 * an effect.
 *
 * Context: the owner itself, interrupts on, in its system call work, its exit
 * loop, execve or exit. All effects are here: other CPUs and interrupt context
 * only leave notes.
 *
 * Order at a loss (3.10): isolation ends first, then the record is made, the
 * log line queued and the signal sent, so that none of these is a second loss.
 */
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/thread_info.h>
#include <linux/tick.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#ifdef CONFIG_IA32_EMULATION
#include <asm/unistd_32_ia32.h>
#endif

#include "shell.h"

static struct owner *owner_of(struct task_isolation *isolation)
{
	return container_of(isolation, struct owner, isolation);
}

static bool ends(const struct policy_verdict *verdict)
{
	return verdict->state == TASK_ISOLATION_OFF || verdict->state == TASK_ISOLATION_LOST;
}

/* A counter of the task's, and what anybody may see of it. */
static void count(u64 *counter, u64 *shown)
{
	WRITE_ONCE(*counter, *counter + 1);
	WRITE_ONCE(*shown, *counter);
}

/*
 * Count what the verdict says, and tell whoever reads the same. Who ends a stay
 * tells it also when it was counted before.
 */
void interruption_count(struct owner *owner, const struct policy_event *event,
			const struct policy_verdict *verdict,
			const struct task_isolation_note *note)
{
	struct task_isolation *isolation = &owner->isolation;
	u32 flags = ends(verdict) && verdict->record ? TASK_ISOLATION_REPORT_LOSS : 0;

	switch ((enum policy_count)verdict->count) {
	case POLICY_COUNT_OWN:
		count(&isolation->own, &isolation->page->own);
		flags |= TASK_ISOLATION_REPORT_OWN;
		break;
	case POLICY_COUNT_FOREIGN:
		count(&isolation->foreign, &isolation->page->foreign);
		flags |= TASK_ISOLATION_REPORT_FOREIGN;
		break;
	case POLICY_COUNT_ABSORBED:
		count(&isolation->absorbed, &isolation->page->absorbed);
		flags |= TASK_ISOLATION_REPORT_ABSORBED;
		break;
	case POLICY_COUNT_NONE:
		break;
	}
	if (verdict->count != POLICY_COUNT_NONE &&
	    event->cause.cause == TASK_ISOLATION_CAUSE_UNKNOWN)
		count(&owner->unknown, &isolation->page->unknown);
	if (flags)
		report_interruption(owner, &event->cause, note, flags);
}

void interruption_text(const struct policy_cause *cause, char text[TASK_ISOLATION_TEXT_LEN])
{
	const struct policy_operations *policy;

	guard(rcu)();
	policy = policy_serving();
	if (policy && policy->cause_text)
		policy->cause_text(cause, text, TASK_ISOLATION_TEXT_LEN);
}

/* The last loss as the task itself may read it. */
void interruption_remember(struct owner *owner, const struct policy_cause *cause,
			   const struct task_isolation_note *note)
{
	struct last_loss *last = &owner->last;

	last->cause = *cause;
	owner_mask(&last->cause, NULL, ktime_get_boottime_ns());
	interruption_text(&last->cause, last->text);
	last->time_ns = ktime_get_ns();
	if (note)
		last->note = *note;
	else
		memset(&last->note, 0, sizeof(last->note));
}

/*
 * The last loss for whoever looks at the CPU. Under owners_lock; by the task itself
 * or while it sleeps.
 */
void interruption_record(struct owner *owner, const struct policy_cause *cause)
{
	struct cpu_record *record = per_cpu_ptr(&cpu_records, owner->isolation.cpu);
	char text[TASK_ISOLATION_TEXT_LEN] = "";
	char comm[TASK_COMM_LEN];

	/* The CPU may have its next owner already, who starts without a loss. */
	if (record->owner && record->owner != owner)
		return;
	interruption_text(cause, text);
	/* Not get_task_comm(): that locks. A name that changes right now is half of each. */
	strscpy(comm, owner->task->comm);
	snprintf(record->last_loss, sizeof(record->last_loss), "%*pE/%d: %s",
		 (int)strnlen(comm, sizeof(comm)), comm, task_pid_nr(owner->task), text);
}

/* What the policy says of @event. Without an answer: count it and stay isolated. */
void interruption_ask(const struct owner *owner, struct policy_event *event,
		      struct policy_verdict *verdict)
{
	const struct policy_operations *policy;

	*verdict = (struct policy_verdict){
		.execute = 1,
		.state	 = TASK_ISOLATION_ISOLATED,
		.count	 = event->counted ? POLICY_COUNT_NONE :
			   event->kind <= POLICY_EVENT_FAULT ? POLICY_COUNT_OWN :
							       POLICY_COUNT_FOREIGN,
	};
	event->mode = owner->mode;
	event->signal = owner->signal;
	event->state = owner->isolation.went_late ? TASK_ISOLATION_LATE :
						    TASK_ISOLATION_ISOLATED;
	guard(rcu)();
	policy = policy_serving();
	if (policy && policy->judge) {
		memset(verdict, 0, sizeof(*verdict));
		policy->judge(event, verdict);
	}
	/* The door is root's, whatever a policy says (6.7), and with none. */
	if (event->cause.cause == TASK_ISOLATION_CAUSE_RELEASE && !ends(verdict)) {
		verdict->state = TASK_ISOLATION_LOST;
		verdict->record = 1;
	}
}

/* Is a loss among the current task's own pending signals? Only itself takes them. */
static bool loss_is_queued(int signal)
{
	const struct sigqueue *queued;

	guard(spinlock_irq)(&current->sighand->siglock);
	list_for_each_entry_reverse(queued, &current->pending.list, list) {
		if (queued->info.si_signo == signal && queued->info.si_code == TASK_ISOLATION_LOSS)
			return true;
	}
	return false;
}

/*
 * A real-time signal that finds no room in the queue (RLIMIT_SIGPENDING, memory) is not
 * sent at all, forced or not, and the task would go on without knowing. Another one is
 * pending then, without what it carries. In the task's own context, interrupts on, on its
 * way out or in a call: it sees SIGKILL before its next instruction.
 */
static void force_signal(int signal, u32 cause, pid_t sender)
{
	task_isolation_force_signal(signal, cause, sender);
	if (signal >= SIGRTMIN && !loss_is_queued(signal))
		force_sig(SIGKILL);
}

/*
 * Ask, and do what is answered; @note: who sent it, or NULL. False: the task is no
 * owner any more, and a signal may be pending.
 */
bool interruption_judge(struct owner *owner, struct policy_event *event,
			const struct task_isolation_note *note)
{
	struct policy_verdict verdict;

	interruption_ask(owner, event, &verdict);
	/* In the owner's time: the next one has counters of its own. */
	interruption_count(owner, event, &verdict, note);
	if (!ends(&verdict)) {
		owner->isolation.may_wait = verdict.may_wait;
		if (verdict.log)
			log_loss(current, owner->isolation.cpu, &event->cause, verdict.log, note);
		return true;
	}

	owner->lost = verdict.state == TASK_ISOLATION_LOST;
	owner_leave(owner, verdict.record ? &event->cause : NULL);
	if (verdict.record)
		interruption_remember(owner, &event->cause, note);
	if (verdict.log)
		log_loss(current, owner->isolation.cpu, &event->cause, verdict.log, note);
	if (verdict.signal)
		force_signal(verdict.signal, event->cause.cause,
			     note ? report_sender_pid(note) : 0);
	/* For the caller in the system call work. */
	event->syscall = verdict.execute;
	return false;
}

/* x32 calls: the native table with this bit, and some numbers of their own. */
#define X32_BIT			0x40000000L
#define X32_RT_SIGRETURN	513

/* Which of the calls that a policy may want to tell apart. */
static u32 which_call(long nr)
{
#ifdef CONFIG_IA32_EMULATION
	if (in_ia32_syscall()) {
		switch (nr) {
		case __NR_ia32_prctl:		return POLICY_SYSCALL_PRCTL;
		case __NR_ia32_exit:		return POLICY_SYSCALL_EXIT;
		case __NR_ia32_exit_group:	return POLICY_SYSCALL_EXIT_GROUP;
		case __NR_ia32_rt_sigreturn:	return POLICY_SYSCALL_RT_SIGRETURN;
		case __NR_ia32_sigreturn:	return POLICY_SYSCALL_SIGRETURN;
		}
		return POLICY_SYSCALL_OTHER;
	}
#endif
	switch (IS_ENABLED(CONFIG_X86_X32_ABI) ? nr & ~X32_BIT : nr) {
	case __NR_prctl:		return POLICY_SYSCALL_PRCTL;
	case __NR_exit:			return POLICY_SYSCALL_EXIT;
	case __NR_exit_group:		return POLICY_SYSCALL_EXIT_GROUP;
	/* x32 has a number of its own for this one, which is no native call. */
	case __NR_rt_sigreturn:
		return nr & X32_BIT ? POLICY_SYSCALL_OTHER : POLICY_SYSCALL_RT_SIGRETURN;
	case X32_RT_SIGRETURN:
		return nr & X32_BIT ? POLICY_SYSCALL_RT_SIGRETURN : POLICY_SYSCALL_OTHER;
	}
	return POLICY_SYSCALL_OTHER;
}

/* Before user dispatch, ptrace and seccomp. False: not executed. */
bool interruption_syscall(struct task_isolation *isolation, struct pt_regs *regs, long nr)
{
	struct owner *owner = owner_of(isolation);
	unsigned long arguments[6];
	struct policy_event event = {
		.kind	 = POLICY_EVENT_SYSCALL,
		.syscall = which_call(nr),
		.cause	 = {
			.cause	= TASK_ISOLATION_CAUSE_SYSCALL,
			.detail	= nr,
		},
	};

	/* It came from user space that was late: no interruption of a quiet CPU. */
	if (!isolation->entered) {
		isolation->may_wait = true;
		return true;
	}
	syscall_get_arguments(current, regs, arguments);
	event.argument = arguments[0];
	isolation->entered = false;
	if (interruption_judge(owner, &event, NULL) || event.syscall)
		return true;
	/* With a handler the call restarts when that returns. */
	syscall_set_return_value(current, regs,
				 signal_pending(current) ? -ERESTARTNOINTR : -EINTR, 0);
	return false;
}

/* Was the entry a fault of the task, whatever is delivered on its way out? */
bool interruption_own_fault(const struct task_isolation *isolation)
{
	struct task_isolation_record entry;

	if (!isolation->entered)
		return false;
	task_isolation_classify(isolation, &entry);
	return entry.kind == TASK_ISOLATION_ENTRY_TRAP;
}

/* Not isolated yet: what ends the wait for it ends the call. */
static void cut_short(struct owner *owner, struct pt_regs *regs, unsigned long ti_work)
{
	long result;

	if (READ_ONCE(released)) {
		result = -EPERM;
		owner_refuse(owner, result, POLICY_REFUSAL_RELEASED, 0, NULL);
	} else if (current->ptrace) {
		result = -EAGAIN;
		owner_refuse(owner, result, POLICY_REFUSAL_TRACED, 0, NULL);
	} else if ((ti_work & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL)) && signal_pending(current)) {
		/* Task work by notification: a signal may come while it runs, too. */
		if (!test_thread_flag(TIF_SIGPENDING))
			quiet_restart(owner);
		result = -ERESTARTNOHAND;
		owner_refuse(owner, -EINTR, POLICY_REFUSAL_SIGNAL, TASK_ISOLATION_UNMET_WORK,
			     NULL);
	} else {
		return;
	}
	syscall_set_return_value(current, regs, result, 0);
	owner_back(owner);
}

/*
 * Other exit work waits. A task that is not isolated yet goes back to before its
 * call; an owner may have got what a delivery brings (delivery.c).
 */
void interruption_pending(struct task_isolation *isolation, struct pt_regs *regs,
			  unsigned long ti_work)
{
	struct owner *owner = owner_of(isolation);
	struct policy_event event = { };
	struct task_isolation_note note;
	int cpu = isolation->cpu;
	bool known;

	if (!isolation->ready)
		cut_short(owner, regs, ti_work);
	if (!isolation->ready || !owner->flags)
		return;
	if (delivery_find(owner, ti_work, &event)) {
		event.counted = !isolation->entered;
		event.own = interruption_own_fault(isolation);
		known = delivery_sender(isolation, &note);
		isolation->entered = false;
		isolation->nmi = false;
		isolation->preempted_pid = 0;
		if (!interruption_judge(owner, &event, known ? &note : NULL)) {
			if (event.cause.cause == TASK_ISOLATION_CAUSE_HOTPLUG)
				quiet_give_way(cpu);
			return;
		}
	}
	/*
	 * A stop, which comes after this, is no time that the CPU had to become quiet:
	 * the next failed test begins anew. Task work by notification does not: others
	 * can send it without end.
	 */
	if (ti_work & _TIF_SIGPENDING)
		isolation->retried = false;
}

/* Somebody else took the CPU after it, or wants it: that is what it was for. */
static void blame_other_task(const struct task_isolation *isolation, struct policy_cause *cause)
{
	pid_t taker, other;

	/* Read once: a task that takes it right here must not lend its name to the other. */
	taker = READ_ONCE(isolation->preempted_pid);
	if (!taker && !task_isolation_other_task(&other, cause->name))
		return;
	cause->cause = TASK_ISOLATION_CAUSE_PREEMPTED;
	cause->detail = taker ?: other;
	if (taker)
		strscpy(cause->name, isolation->preempted_comm, sizeof(isolation->preempted_comm));
}

static void name_function(struct policy_cause *cause, u32 class, unsigned long function)
{
	cause->cause = class;
	cause->address = function;
	snprintf(cause->name, sizeof(cause->name), "%ps", (void *)function);
	/* Of a module that is gone, or without symbols: an address, which is not for everybody. */
	if (!strncmp(cause->name, "0x", 2))
		cause->name[0] = '\0';
}

/* What the sender of an interrupt wanted. */
static void describe_note(const struct task_isolation *isolation,
			  const struct task_isolation_note *note, struct policy_cause *cause)
{
	switch ((enum task_isolation_for)note->kind) {
	case TASK_ISOLATION_FOR_CALL:
		name_function(cause, task_isolation_flushes(note) ?
			      TASK_ISOLATION_CAUSE_TLB_FLUSH : TASK_ISOLATION_CAUSE_IPI,
			      note->what);
		break;
	case TASK_ISOLATION_FOR_IRQ_WORK:
		name_function(cause, TASK_ISOLATION_CAUSE_IRQ_WORK, note->what);
		break;
	case TASK_ISOLATION_FOR_WORK:
		name_function(cause, TASK_ISOLATION_CAUSE_WORK, note->what);
		break;
	case TASK_ISOLATION_FOR_TIMER:
		name_function(cause, TASK_ISOLATION_CAUSE_TIMER, note->what);
		break;
	case TASK_ISOLATION_FOR_TICK:
		cause->cause = TASK_ISOLATION_CAUSE_TICK;
		cause->detail = note->what;
		/* The scheduler's wish for a tick: for two that want to run. */
		if (note->what == TICK_DEP_MASK_SCHED)
			blame_other_task(isolation, cause);
		break;
	case TASK_ISOLATION_FOR_WAKEUP:
		cause->cause = TASK_ISOLATION_CAUSE_PREEMPTED;
		cause->detail = note->woken_pid;
		strscpy(cause->name, note->woken_comm, sizeof(note->woken_comm));
		break;
	case TASK_ISOLATION_FOR_RESCHEDULE:
		cause->cause = TASK_ISOLATION_CAUSE_RESCHEDULE;
		blame_other_task(isolation, cause);
		break;
	case TASK_ISOLATION_FOR_KICK:
		cause->cause = TASK_ISOLATION_CAUSE_RESCHEDULE;
		break;
	}
}

/*
 * An interrupt that somebody sent: @class as far as the vector says. With a note it is
 * what the sender wanted; without one it was on its way before the CPU was isolated.
 */
static bool describe_sent(const struct task_isolation *isolation, struct pt_regs *regs,
			  enum task_isolation_by vector, u32 class,
			  struct policy_event *event, struct task_isolation_note *note)
{
	struct policy_cause *cause = &event->cause;
	int number = cause->detail;

	cause->cause = class;
	cause->detail = 0;
	switch (task_isolation_find_note(isolation, vector, false, note)) {
	case TASK_ISOLATION_SENT_AFTER:
		describe_note(isolation, note, cause);
		return true;
	case TASK_ISOLATION_SENT_BEFORE:
		event->kind = POLICY_EVENT_ABSORBED;
		return false;
	case TASK_ISOLATION_SENT_UNKNOWN:
		break;
	}
	cause->cause = TASK_ISOLATION_CAUSE_UNKNOWN;
	cause->detail = number;
	cause->address = instruction_pointer(regs);
	return false;
}

/* What the noted entry was, as an event. True: @note says who sent it. */
static bool describe_entry(const struct task_isolation *isolation, struct pt_regs *regs,
			   struct policy_event *event, struct task_isolation_note *note)
{
	struct policy_cause *cause = &event->cause;
	struct task_isolation_record entry;

	task_isolation_classify(isolation, &entry);
	event->kind = POLICY_EVENT_INTERFERENCE;
	cause->detail = entry.code;
	cause->address = entry.address;
	switch ((enum task_isolation_entry)entry.kind) {
	case TASK_ISOLATION_ENTRY_SYSCALL:
		/* One that got no further than the entry code. */
		event->kind = POLICY_EVENT_FAULT;
		cause->cause = TASK_ISOLATION_CAUSE_SYSCALL;
		break;
	case TASK_ISOLATION_ENTRY_TRAP:
		event->kind = POLICY_EVENT_FAULT;
		cause->cause = entry.code == 14 ? TASK_ISOLATION_CAUSE_PAGE_FAULT :
						  TASK_ISOLATION_CAUSE_TRAP;
		break;
	case TASK_ISOLATION_ENTRY_NMI:
		event->kind = POLICY_EVENT_NMI;
		cause->cause = TASK_ISOLATION_CAUSE_NMI;
		break;
	case TASK_ISOLATION_ENTRY_MACHINE_CHECK:
		event->kind = POLICY_EVENT_NMI;
		cause->cause = TASK_ISOLATION_CAUSE_MACHINE_CHECK;
		break;
	case TASK_ISOLATION_ENTRY_TIMER:
		cause->detail = task_isolation_tick_dependency();
		cause->cause = cause->detail ? TASK_ISOLATION_CAUSE_TICK :
					       TASK_ISOLATION_CAUSE_TIMER;
		blame_other_task(isolation, cause);
		break;
	case TASK_ISOLATION_ENTRY_RESCHEDULE:
		return describe_sent(isolation, regs, TASK_ISOLATION_BY_RESCHEDULE,
				     TASK_ISOLATION_CAUSE_RESCHEDULE, event, note);
	case TASK_ISOLATION_ENTRY_CALL:
		return describe_sent(isolation, regs, TASK_ISOLATION_BY_CALL,
				     TASK_ISOLATION_CAUSE_IPI, event, note);
	case TASK_ISOLATION_ENTRY_IRQ_WORK:
		/* A CPU raises it for itself only: in the kernel, so before, or in an NMI. */
		event->kind = POLICY_EVENT_ABSORBED;
		cause->cause = TASK_ISOLATION_CAUSE_IRQ_WORK;
		cause->detail = 0;
		break;
	case TASK_ISOLATION_ENTRY_IRQ:
		cause->cause = TASK_ISOLATION_CAUSE_IRQ;
		if (entry.code >= 0)
			task_isolation_irq_name(entry.code, cause->name, sizeof(cause->name));
		break;
	case TASK_ISOLATION_ENTRY_OTHER:
		cause->cause = TASK_ISOLATION_CAUSE_UNKNOWN;
		cause->address = instruction_pointer(regs);
		break;
	}
	return false;
}

/* An entry was noted, or a signal frame was built. False: no owner any more. */
bool interruption_entry(struct task_isolation *isolation, struct pt_regs *regs, int signal)
{
	struct owner *owner = owner_of(isolation);
	struct policy_event event = { };
	struct task_isolation_note note;
	bool known;

	if (signal) {
		event.kind = POLICY_EVENT_DELIVERY;
		event.cause.cause = TASK_ISOLATION_CAUSE_SIGNAL;
		event.cause.detail = signal;
		/* Delivered on the way out of a call, or the task was late. */
		event.counted = !isolation->entered;
		event.own = interruption_own_fault(isolation);
		known = delivery_sender(isolation, &note);
	} else if (delivery_find(owner, 0, &event)) {
		event.own = interruption_own_fault(isolation);
		known = delivery_sender(isolation, &note);
	} else {
		known = describe_entry(isolation, regs, &event, &note);
	}
	isolation->entered = false;
	isolation->nmi = false;
	isolation->preempted_pid = 0;
	if (interruption_judge(owner, &event, known ? &note : NULL))
		return true;
	if (event.cause.cause == TASK_ISOLATION_CAUSE_HOTPLUG)
		quiet_give_way(isolation->cpu);
	return false;
}

void interruption_exec(struct task_isolation *isolation, bool privileged)
{
	struct policy_event event = {
		.kind		 = POLICY_EVENT_EXEC,
		.privileged_exec = privileged,
		.cause		 = {
			.cause	= TASK_ISOLATION_CAUSE_SYSCALL,
			.detail	= syscall_get_nr(current, current_pt_regs()),
		},
	};

	interruption_judge(owner_of(isolation), &event, NULL);
}

/* A signal that ends the task never gets a frame: this is its delivery. */
void interruption_exit(struct task_isolation *isolation, long code)
{
	struct owner *owner = owner_of(isolation);
	struct policy_event event = {
		.kind = POLICY_EVENT_EXIT,
	};
	struct task_isolation_note note;
	bool known = false;

	/*
	 * An entry that nobody judged and that is no call: its process ends, by a
	 * sibling's exit_group() or execve() with no signal in the code.
	 */
	if ((code & 0x7f) || isolation->entered) {
		event.kind = POLICY_EVENT_DELIVERY;
		event.cause.cause = TASK_ISOLATION_CAUSE_SIGNAL;
		event.cause.detail = (code & 0x7f) ?: SIGKILL;
		event.counted = !isolation->entered;
		event.own = interruption_own_fault(isolation);
		known = delivery_sender(isolation, &note);
	}
	/* Nobody is left to tell, and a forced signal would end the rest of the process. */
	owner->signal = 0;
	if (interruption_judge(owner, &event, known ? &note : NULL))
		owner_leave(owner, NULL);
}
