// SPDX-License-Identifier: GPL-2.0
/*
 * Every interruption is named (6.10, 7.3): each cause that this machine can produce is
 * brought about by a known sender, a hundred times, and each report is compared with
 * it: class, function or number, and who sent it.
 *
 * What the machine cannot produce, and why:
 *   machine check    needs hardware that errs, or an injector that the emulator lacks
 *   preempted by a kernel thread without a wakeup, a tick that is nobody's wish: the
 *                    scheduler and the timers do not do that to a CPU that is quiet
 *   unknown          needs a vector of a hypervisor or of a device that the kernel does not know
 */
#include "reader.h"
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <asm/ldt.h>
#include "kselftest_harness.h"

#define TIMES	rounds_or(100)

enum sender {
	BY_TESTER,	/* this thread */
	BY_HELPER,	/* the actor's second thread */
	BY_NOBODY,	/* no task: itself, a device, a timer, an NMI */
};

/* What the actor does by itself when it is told. */
enum deed_of_actor { ACTOR_NOTHING, ACTOR_CALLS, ACTOR_FAULTS, ACTOR_TRAPS };

struct play;

/**
 * struct deed - one way to interrupt
 * @cause: @text: what its report must say; a text that ends with '*' may go on
 * @sender: who does it
 * @by_actor: what the actor does, or @by: what the tester does, or @by_helper: the helper
 * @prepare: @repair: around all of it
 * @after: after each time
 * @also: causes that may come with it, or of it
 * @several: more than one report of it may come each time
 */
struct deed {
	__u32 cause;
	const char *text;
	enum sender sender;
	enum deed_of_actor by_actor;
	bool (*by)(struct play *play);
	void (*by_helper)(struct play *play);
	bool (*prepare)(struct play *play);
	void (*repair)(struct play *play);
	bool (*after)(struct play *play);
	__u32 also[4];
	bool several;
};

struct play {
	struct stage *s;
	const struct task_isolation_page *shown;
	pid_t actor, intruder;
	pid_t *helper_tid;
	int fd;			/* of the reader */
	int other;		/* of the deed */
	atomic_int under_way;	/* the deed is not done yet */
	char text[128];
	struct stage *intruder_stage;
};

static struct play *play;	/* the actor has it by fork */
static const struct deed *now_doing;

/* ---- the actor -------------------------------------------------------------- */

static void *obey(void *arg)
{
	struct stage *s = arg;
	int done = 0;

	bind_to(HOUSE);
	*play->helper_tid = gettid();
	s->helper = 1;
	if (!now_doing->by_helper)
		return NULL;
	for (;;) {
		while (s->order == done)
			rest();
		done = s->order;
		now_doing->by_helper(play);
		s->helper++;
	}
	return NULL;
}

static char *target;	/* for faults */

static void store_gdt(void)
{
	char table[10];

	__asm__ volatile("sgdt %0" : "=m"(table));
}

static void act_endlessly(struct stage *s)
{
	int told = 0;

	target = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		       -1, 0);
	handle(SIGUSR2, on_other, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	start_thread(obey, s);
	while (!s->helper)
		rest();
	be_resident(s);
	/* not there, whatever was locked */
	munlock(target, 4096);
	madvise(target, 4096, MADV_DONTNEED);
	while (s->may < 9) {
		if (page_state(play->shown) != TASK_ISOLATION_ISOLATED &&
		    page_state(play->shown) != TASK_ISOLATION_LATE) {
			/* What sent it away may not be at its end. */
			if (play->under_way)
				continue;
			bind_to(s->cpu);
			if (enter(PERSISTENT))
				continue;
			s->entered++;
		}
		s->turns++;
		relax();
		if (s->order == told || !now_doing->by_actor)
			continue;
		told = s->order;
		switch (now_doing->by_actor) {
		case ACTOR_CALLS:
			syscall(SYS_getppid);
			break;
		case ACTOR_FAULTS:
			*(volatile char *)target = 1;
			madvise(target, 4096, MADV_DONTNEED);
			break;
		case ACTOR_TRAPS:
			store_gdt();
			break;
		case ACTOR_NOTHING:
			break;
		}
		s->helper++;
	}
}

/* Isolated, and really there. A stay that ended lets the actor enter again. */
static bool inside(struct play *play)
{
	return UNTIL(page_state(play->shown) == TASK_ISOLATION_ISOLATED &&
		     cpu_state_is(CPU_A, "isolated") && alive(play->s) &&
		     page_state(play->shown) == TASK_ISOLATION_ISOLATED);
}

/* ---- deeds ------------------------------------------------------------------- */

static bool disturb_ipi(struct play *play) { return !disturb("ipi", CPU_A); }
static bool disturb_ipi_with_tick(struct play *play) { return !disturb("ipi-with-tick", CPU_A); }
static bool disturb_irq_work(struct play *play) { return !disturb("irq-work", CPU_A); }
static bool disturb_work(struct play *play) { return !disturb("work", CPU_A); }
static bool disturb_timer(struct play *play) { return !disturb("timer", CPU_A); }
static bool disturb_tick(struct play *play) { return !disturb("tick", CPU_A); }
static bool disturb_untick(struct play *play) { return !disturb("untick", CPU_A); }
static bool disturb_kick(struct play *play) { return !disturb("kick", CPU_A); }
static bool disturb_nmi(struct play *play) { return !disturb("nmi", CPU_A); }
static bool disturb_order(struct play *play) { return !disturb("order", CPU_A); }
static bool disturb_patch(struct play *play) { return !disturb("patch", CPU_A); }
static bool disturb_alarm(struct play *play) { return !disturb("alarm", CPU_A); }

static bool disturb_unalias(struct play *play)
{
	return !disturb("churn", 0) &&
	       UNTIL(!disturb("unalias", 0) && interrupts(CPU_A, "TLB") + interrupts(CPU_A, "CAL"));
}

static bool switch_off(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DIR_ADMIN "/%s", name);
	return !write_number(path, 0);
}

static bool patching_interrupts(struct play *play) { return switch_off("defer_text_patching"); }
static bool ordering_interrupts(struct play *play) { return switch_off("skip_ordering"); }
static bool chores_interrupt(struct play *play) { return switch_off("skip_chores"); }

static void spare_again(struct play *play)
{
	write_number(DIR_ADMIN "/defer_text_patching", 1);
	write_number(DIR_ADMIN "/skip_ordering", 1);
	write_number(DIR_ADMIN "/skip_chores", 1);
}

static bool ask_for_calls(struct play *play)
{
	return !write_number(FILE_DEBUG, 1);
}

static bool membarrier_global(struct play *play)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

static void membarrier_private(struct play *play)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static void membarrier_sync_core(struct play *play)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static void membarrier_rseq(struct play *play)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
}

static void protect(struct play *play)
{
	*(volatile char *)play->s->page = 1;
	mprotect(play->s->page, 4096, PROT_READ);
	mprotect(play->s->page, 4096, PROT_READ | PROT_WRITE);
}

static void load_ldt(struct play *play)
{
	struct user_desc entry = {
		.entry_number = 0, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
		.useable = 1,
	};

	syscall(SYS_modify_ldt, 1, &entry, sizeof(entry));
}

static void arm_cpu_timer(struct play *play)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec in_an_hour = { .it_value.tv_sec = 3600 };
	timer_t timer;

	timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
	timer_settime(timer, 0, &in_an_hour, NULL);
	usleep(1000);
	timer_delete(timer);
}

static bool limit_cpu_time(struct play *play)
{
	struct rlimit hour = { 3600, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };

	return !prlimit(play->actor, RLIMIT_CPU, &hour, NULL) &&
	       !prlimit(play->actor, RLIMIT_CPU, &none, NULL);
}

static bool send_signal(struct play *play) { return !kill(play->actor, SIGUSR2); }

static bool stop_and_go(struct play *play)
{
	int status;

	return !kill(play->actor, SIGSTOP) &&
	       UNTIL(waitpid(play->actor, &status, WNOHANG | WUNTRACED) == play->actor) &&
	       !kill(play->actor, SIGCONT);
}

static bool seize(struct play *play)
{
	int status;

	/* It is told, looks up, and is let go. */
	return !ptrace(PTRACE_SEIZE, play->actor, 0, 0) &&
	       !ptrace(PTRACE_INTERRUPT, play->actor, 0, 0) &&
	       UNTIL(waitpid(play->actor, &status, WNOHANG | __WALL) == play->actor) &&
	       !ptrace(PTRACE_DETACH, play->actor, 0, 0);
}

static bool move_away(struct play *play) { return !bind_task(play->actor, HOUSE); }

static bool release_all(struct play *play)
{
	return !write_number(FILE_RELEASE, 1) && !write_number(FILE_RELEASE, 0);
}

static bool give_task_work(struct play *play) { return !disturb("task-resume", play->actor); }
static bool signal_task_work(struct play *play) { return !disturb("task-signal", play->actor); }

static bool count_events(struct play *play)
{
	struct perf_event_attr attribute = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attribute),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
	};
	int fd = syscall(SYS_perf_event_open, &attribute, -1, CPU_A, -1, 0);

	return fd >= 0 && !close(fd);
}

static bool refresh_statistics(struct play *play)
{
	return !write_text("/proc/sys/vm/stat_refresh", "1");
}

static bool resize_buffer(struct play *play)
{
	static int turn;

	turn ^= 1;
	return !write_number(play->text, turn ? 16 : 8);
}

static bool find_buffer(struct play *play)
{
	snprintf(play->text, sizeof(play->text),
		 "/sys/kernel/tracing/per_cpu/cpu%d/buffer_size_kb", CPU_A);
	return !access(play->text, W_OK);
}

static bool clear_references(struct play *play)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", play->actor);
	return !write_text(path, "4");
}

static bool change_class(struct play *play)
{
	struct sched_param realtime = { .sched_priority = 1 }, ordinary = { };

	return !sched_setscheduler(play->actor, SCHED_FIFO, &realtime) &&
	       !sched_setscheduler(play->actor, SCHED_OTHER, &ordinary);
}

/* ---- somebody else on its CPU ---- */

static void act_on_demand(struct stage *s)
{
	char byte;

	prctl(PR_SET_NAME, "intruder", 0, 0, 0);
	s->at = AT_READY;
	while (read(s->fd[0], &byte, 1) == 1)
		s->turns++;
}

static bool bring_intruder(struct play *play)
{
	play->intruder_stage = stage_new();
	if (pipe(play->intruder_stage->fd))
		return false;
	play->intruder = actor(play->intruder_stage, CPU_A, act_on_demand);
	return UNTIL(play->intruder_stage->at == AT_READY);
}

static bool bring_realtime_intruder(struct play *play)
{
	struct sched_param priority = { .sched_priority = 1 };

	return bring_intruder(play) &&
	       !sched_setscheduler(play->intruder, SCHED_FIFO, &priority);
}

static void send_intruder_away(struct play *play)
{
	close(play->intruder_stage->fd[1]);
	kill(play->intruder, SIGKILL);
	finish(play->intruder);
}

static bool wake_intruder(struct play *play)
{
	unsigned long turns = play->intruder_stage->turns;

	return write(play->intruder_stage->fd[1], "", 1) == 1 &&
	       UNTIL(play->intruder_stage->turns > turns);
}

/* ---- control groups ---- */

#define DIR_GROUPS	"/tmp/attribution-cgroup"

static bool bring_group(struct play *play)
{
	char number[24];

	mkdir(DIR_GROUPS, 0755);
	if (mount("none", DIR_GROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		return false;
	mkdir(DIR_GROUPS "/actor", 0755);
	snprintf(number, sizeof(number), "%d", play->actor);
	return !write_text(DIR_GROUPS "/actor/cgroup.procs", number);
}

static void send_group_away(struct play *play)
{
	char number[24];

	snprintf(number, sizeof(number), "%d", play->actor);
	write_text(DIR_GROUPS "/cgroup.procs", number);
	rmdir(DIR_GROUPS "/actor");
	umount(DIR_GROUPS);
}

static bool freeze_and_thaw(struct play *play)
{
	char text[64];

	return !write_number(DIR_GROUPS "/actor/cgroup.freeze", 1) &&
	       UNTIL(read_text(DIR_GROUPS "/actor/cgroup.events", text, sizeof(text)) > 0 &&
		     strstr(text, "frozen 1")) &&
	       !write_number(DIR_GROUPS "/actor/cgroup.freeze", 0);
}

/* ---- devices ---- */

/* The serial line of the console says with an interrupt when it has sent something. */
#define LINE_IRQ	"4"
#define FILE_AFFINITY	"/proc/irq/" LINE_IRQ "/smp_affinity"

static bool send_character(struct play *play)
{
	return write(play->other, "\n", 1) == 1;
}

static bool point_line_here(struct play *play)
{
	char mask[16];

	snprintf(mask, sizeof(mask), "%x", 1 << CPU_A);
	play->other = open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (play->other < 0 || write_text(FILE_AFFINITY, mask))
		return false;
	/* It moves with the next interrupt. */
	return UNTIL(send_character(play) && interrupts(CPU_A, LINE_IRQ));
}

static void point_line_away(struct play *play)
{
	unsigned long before = interrupts(HOUSE, LINE_IRQ);

	write_text(FILE_AFFINITY, "1");
	(void)UNTIL(send_character(play) && interrupts(HOUSE, LINE_IRQ) > before);
	close(play->other);
}

/* ---- the test --------------------------------------------------------------------- */

FIXTURE(attribution)
{
	struct stage *s;
};

FIXTURE_VARIANT(attribution)
{
	struct deed deed;
};

#define DEED(name, ...) \
	FIXTURE_VARIANT_ADD(attribution, name) { .deed = { __VA_ARGS__ } }
#define CAUSE(which)	TASK_ISOLATION_CAUSE_##which

DEED(system_call, CAUSE(SYSCALL), "syscall 110", BY_NOBODY, ACTOR_CALLS, .prepare = ask_for_calls);
DEED(page_fault, CAUSE(PAGE_FAULT), "page fault at *", BY_NOBODY, ACTOR_FAULTS,
     .also = { CAUSE(SYSCALL) });
DEED(trap, CAUSE(TRAP), "trap 13", BY_NOBODY, ACTOR_TRAPS);
DEED(ipi, CAUSE(IPI), "ipi run_call [task_isolation_disturb]", .by = disturb_ipi);
/* A tick on a slow way out gives the task work: that is not what came. */
DEED(ipi_with_a_tick, CAUSE(IPI), "ipi run_call_and_tick [task_isolation_disturb]",
     .by = disturb_ipi_with_tick);
DEED(ipi_membarrier_global, CAUSE(IPI), "ipi ipi_mb", .by = membarrier_global);
DEED(ipi_membarrier_private, CAUSE(IPI), "ipi ipi_mb", BY_HELPER, .by_helper = membarrier_private);
DEED(ipi_membarrier_sync_core, CAUSE(IPI), "ipi ipi_sync_core", BY_HELPER,
     .by_helper = membarrier_sync_core);
DEED(ipi_membarrier_rseq, CAUSE(IPI), "ipi ipi_rseq", BY_HELPER, .by_helper = membarrier_rseq);
DEED(ipi_text_patching, CAUSE(IPI), "ipi do_sync_core", .by = disturb_patch, .several = true,
     .prepare = patching_interrupts, .repair = spare_again);
DEED(ipi_ordering, CAUSE(IPI), "ipi do_nothing", .by = disturb_order,
     .prepare = ordering_interrupts, .repair = spare_again);
DEED(ipi_perf_event, CAUSE(IPI), "ipi remote_function", .by = count_events, .several = true,
     .also = { CAUSE(IPI), CAUSE(TICK), CAUSE(WORK) });
DEED(ipi_alarm, CAUSE(IPI), "ipi set_alarm [task_isolation_disturb]", .by = disturb_alarm,
     .also = { CAUSE(TIMER), CAUSE(TICK) });
DEED(ipi_ldt, CAUSE(IPI), "ipi flush_ldt", BY_HELPER, .by_helper = load_ldt,
     .also = { CAUSE(TLB_FLUSH) });
DEED(tlb_flush, CAUSE(TLB_FLUSH), "tlb flush", BY_HELPER, .by_helper = protect, .several = true);
DEED(tlb_flush_from_outside, CAUSE(TLB_FLUSH), "tlb flush", .by = clear_references,
     .several = true, .also = { CAUSE(PAGE_FAULT) });
DEED(tlb_flush_of_kernel_addresses, CAUSE(TLB_FLUSH), "tlb flush", .by = disturb_unalias,
     .several = true);
DEED(irq_work, CAUSE(IRQ_WORK), "irq_work run_irq_work [task_isolation_disturb]",
     .by = disturb_irq_work, .prepare = disturb_irq_work);
DEED(work, CAUSE(WORK), "work run_work [task_isolation_disturb]", .by = disturb_work);
DEED(work_statistics, CAUSE(WORK), "work refresh_vm_stats", .by = refresh_statistics,
     .prepare = chores_interrupt, .repair = spare_again);
DEED(work_trace_buffer, CAUSE(WORK), "work update_pages_handler", .by = resize_buffer,
     .prepare = find_buffer);
DEED(timer, CAUSE(TIMER), "timer run_timer [task_isolation_disturb]", .by = disturb_timer,
     .also = { CAUSE(TICK), CAUSE(TIMER), CAUSE(PREEMPTED) });
DEED(tick, CAUSE(TICK), "tick (*", .by = disturb_tick, .after = disturb_untick,
     .also = { CAUSE(TICK), CAUSE(TIMER) });
DEED(tick_for_cpu_timer, CAUSE(TICK), "tick (*", BY_HELPER, .by_helper = arm_cpu_timer,
     .also = { CAUSE(TICK), CAUSE(TIMER) });
DEED(tick_for_cpu_limit, CAUSE(TICK), "tick (*", .by = limit_cpu_time,
     .also = { CAUSE(TICK), CAUSE(TIMER) });
DEED(reschedule, CAUSE(RESCHEDULE), "reschedule", .by = disturb_kick);
DEED(reschedule_by_class, CAUSE(RESCHEDULE), "reschedule", .by = change_class, .several = true);
DEED(preempted, CAUSE(PREEMPTED), "preempted by intruder/*", .by = wake_intruder,
     .prepare = bring_intruder, .repair = send_intruder_away,
     .also = { CAUSE(TICK), CAUSE(TIMER) });
DEED(preempted_by_real_time, CAUSE(PREEMPTED), "preempted by intruder/*", .by = wake_intruder,
     .prepare = bring_realtime_intruder, .repair = send_intruder_away,
     .also = { CAUSE(TICK), CAUSE(TIMER) });
DEED(nmi, CAUSE(NMI), "nmi", BY_NOBODY, .by = disturb_nmi);
DEED(device, CAUSE(IRQ), "irq " LINE_IRQ " (ttyS0)", BY_NOBODY, .by = send_character,
     .prepare = point_line_here, .repair = point_line_away, .several = true);
DEED(signal, CAUSE(SIGNAL), "signal 12", .by = send_signal, .also = { CAUSE(SYSCALL) });
DEED(stop, CAUSE(STOP), "stop", .by = stop_and_go, .also = { CAUSE(SIGNAL) });
DEED(ptrace, CAUSE(PTRACE), "ptrace", .by = seize);
DEED(freezer, CAUSE(FREEZER), "freezer", .by = freeze_and_thaw, .prepare = bring_group,
     .repair = send_group_away);
DEED(affinity, CAUSE(AFFINITY), "affinity", .by = move_away);
DEED(release, CAUSE(RELEASE), "release", .by = release_all);
DEED(task_work, CAUSE(WORK), "work run_task_work [task_isolation_disturb]", .by = give_task_work);
DEED(task_work_by_signal, CAUSE(WORK), "work run_task_work [task_isolation_disturb]",
     .by = signal_task_work);

FIXTURE_SETUP(attribution)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	self->s = stage_new();
	now_doing = &variant->deed;
	play = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	play->s = self->s;
	play->helper_tid = (pid_t *)(play + 1);
	play->shown = page_map(CPU_A);
	ASSERT_NE(NULL, play->shown);
	play->fd = reader_open(CPU_A);
	ASSERT_LE(0, play->fd);
	play->actor = actor(self->s, CPU_A, act_endlessly);
	ASSERT_TRUE(UNTIL(self->s->entered > 0));
	if (variant->deed.prepare)
		ASSERT_TRUE(variant->deed.prepare(play)) TH_LOG("cannot be prepared: errno %d", errno);
}

FIXTURE_TEARDOWN(attribution)
{
	disturb("untick", CPU_A);
	if (variant->deed.repair)
		variant->deed.repair(play);
	self->s->may = 9;
	kill(play->actor, SIGKILL);
	finish(play->actor);
	close(play->fd);
	restore_switches();
}

static bool text_is(const char *wanted, const char *text)
{
	size_t length = strlen(wanted);

	if (length && wanted[length - 1] == '*')
		return !strncmp(wanted, text, length - 1);
	return !strcmp(wanted, text);
}

static bool sent_by(enum sender sender, const struct task_isolation_sender *who)
{
	switch (sender) {
	case BY_TESTER:
		return who->pid == gettid() && who->tgid == getpid() && who->cpu == HOUSE &&
		       !strcmp(who->comm, "attribution") && who->depth > 0 && who->stack[0];
	case BY_HELPER:
		return who->pid == *play->helper_tid && who->tgid == play->actor &&
		       who->cpu == HOUSE && who->depth > 0 && who->stack[0];
	case BY_NOBODY:
		return who->cpu == -1 && !who->pid && !who->depth;
	}
	return false;
}

/* KASAN frees addresses of its own, and whoever purges them interrupts every CPU. */
static bool is_kasan_s(const struct task_isolation_report *report)
{
	return default_timeout_ms() > 1000 && report->cause == CAUSE(TLB_FLUSH) &&
	       strstr(report->sender.comm, "kworker");
}

static bool comes_along(const struct deed *deed, __u32 cause)
{
	for (size_t i = 0; i < sizeof(deed->also) / sizeof(deed->also[0]); i++)
		if (deed->also[i] && deed->also[i] == cause)
			return true;
	return false;
}

static void do_it(struct __test_metadata *_metadata, const struct deed *deed)
{
	int before = play->s->helper;

	play->under_way = 1;
	if (deed->by) {
		ASSERT_TRUE(deed->by(play)) TH_LOG("not done: errno %d", errno);
	} else {
		play->s->order++;
		ASSERT_TRUE(UNTIL(play->s->helper > before));
	}
	play->under_way = 0;
}

TEST_F_TIMEOUT(attribution, p6_10_every_report_names_cause_and_sender, 300)
{
	const struct deed *deed = &variant->deed;
	struct task_isolation_report report;
	int right = 0, times = TIMES;

	for (int i = 0; i < times; i++) {
		int found = 0, absorbed = 0;
		bool more;

		ASSERT_TRUE(inside(play)) TH_LOG("round %d: state %s", i, cpu_text(CPU_A, "state"));
		while (reader_next(play->fd, &report))
			;
		do_it(_metadata, deed);
		if (deed->after) {
			UNTIL_MS(50, false);
			ASSERT_TRUE(deed->after(play));
		}
		/* The first comes; what else comes does so before the CPU is quiet again. */
		for (more = true; more;) {
			more = !found ? UNTIL(reader_next(play->fd, &report)) :
					reader_next(play->fd, &report);
			if (!more) {
				ASSERT_TRUE(found) TH_LOG("round %d: no report", i);
				ASSERT_TRUE(inside(play));
				more = reader_next(play->fd, &report);
				if (!more)
					break;
			}
			ASSERT_EQ(0, report.dropped);
			ASSERT_NE(CAUSE(UNKNOWN), report.cause);
			if (report.flags & TASK_ISOLATION_REPORT_ABSORBED) {
				absorbed++;
				continue;
			}
			if (is_kasan_s(&report))
				continue;
			if (is_ksoftirqd_s(report.text)) {
				found++;
				continue;
			}
			if (report.cause == deed->cause && text_is(deed->text, report.text) &&
			    (!found || deed->several)) {
				found++;
				ASSERT_TRUE(sent_by(deed->sender, &report.sender))
					TH_LOG("round %d: '%s' sent by %s/%d of %d on CPU %d, %d frames",
					       i, report.text, report.sender.comm, report.sender.pid,
					       report.sender.tgid, report.sender.cpu,
					       report.sender.depth);
				continue;
			}
			ASSERT_TRUE(comes_along(deed, report.cause))
				TH_LOG("round %d: '%s' (%u, flags %#x) by %s/%d, not '%s'", i,
				       report.text, report.cause, report.flags, report.sender.comm,
				       report.sender.pid, deed->text);
		}
		right += found > 0;
	}
	EXPECT_EQ(times, right);
}

TEST_HARNESS_MAIN
