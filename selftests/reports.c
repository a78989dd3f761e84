// SPDX-License-Identifier: GPL-2.0
/*
 * What is told, and to whom: the stream of reports and the page of /dev/task_isolation,
 * the sender in siginfo and in the info call, the sender's stack in the log and in
 * traces. Everybody learns what is theirs to know, and reading interrupts nobody.
 */
#include "reader.h"
#include <sched.h>
#include "kselftest_harness.h"

#define SOME		20
#define RING		512	/* reports that are kept of a CPU */
#define OTHER_USER	4711

#define DIR_TRACE	"/sys/kernel/tracing/instances/reports"
#define DIR_EVENTS	DIR_TRACE "/events/task_isolation"

FIXTURE(reports) { struct stage *s; };

FIXTURE_SETUP(reports)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	mkdir(DIR_TRACE, 0755);
	self->s = stage_new();
}

FIXTURE_TEARDOWN(reports)
{
	rmdir(DIR_TRACE);
	restore_switches();
}

static void act_spin(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 1);
	read_info(&s->info);
}

/* Each when the one before was judged, or two would be one interruption. */
static bool interrupt_cpu(int cpu, int times)
{
	const struct task_isolation_page *page = page_map(cpu);
	__u64 before;

	while (page && times--) {
		if (!UNTIL(page_state(page) == TASK_ISOLATION_ISOLATED && cpu_state_is(cpu, "isolated")))
			return false;
		before = page->stay;
		if (disturb("ipi", cpu) || !UNTIL(*(volatile const __u64 *)&page->stay != before))
			return false;
	}
	return page && !munmap((void *)page, 4096);
}

static bool interrupt_times(int times)
{
	return interrupt_cpu(CPU_A, times);
}

#define BRING(mode) ({							\
	pid_t pid_;							\
	self->s->flags = (mode);					\
	pid_ = actor(self->s, CPU_A, act_spin);				\
	ASSERT_TRUE(UNTIL(isolated(self->s, pid_))) TH_LOG("errno %d", self->s->error); \
	pid_; })

#define DISMISS(pid) do {						\
	self->s->may = 1;						\
	EXPECT_TRUE(ended_well(finish(pid)));				\
} while (0)

/* ---- read() -------------------------------------------------------------------------- */

TEST_F_TIMEOUT(reports, p3_13_each_interruption_is_reported_once, CASE_TIMEOUT)
{
	struct task_isolation_report report;
	int fd = reader_open(-1);
	unsigned long long first = 0;
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = BRING(PERSISTENT);
	while (reader_next(fd, &report))
		;
	ASSERT_TRUE(interrupt_times(SOME));
	for (int i = 0; i < SOME; i++) {
		ASSERT_TRUE(UNTIL(reader_next(fd, &report))) TH_LOG("report %d", i);
		first = i ? first : report.number;
		EXPECT_EQ(sizeof(report), report.size);
		EXPECT_EQ(TASK_ISOLATION_REPORT_FOREIGN, report.flags);
		EXPECT_EQ(first + i, report.number);
		EXPECT_EQ(0, report.dropped);
		EXPECT_EQ(CPU_A, report.cpu);
		EXPECT_EQ(pid, report.pid);
		EXPECT_EQ(pid, report.tgid);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_IPI, report.cause);
		EXPECT_STREQ("reports", report.comm);
		EXPECT_STREQ("ipi run_call [task_isolation_disturb]", report.text);
		EXPECT_EQ(gettid(), report.sender.pid);
	}
	EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") == SOME));
	EXPECT_FALSE(reader_next(fd, &report));
	EXPECT_EQ(EAGAIN, errno);
	DISMISS(pid);
	close(fd);
}

TEST_F_TIMEOUT(reports, p7_2_a_loss_is_reported, CASE_TIMEOUT)
{
	struct task_isolation_report report;
	int fd = reader_open(CPU_A);
	pid_t pid = BRING(STRICT);

	ASSERT_TRUE(interrupt_times(1));
	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
	ASSERT_TRUE(UNTIL(reader_next(fd, &report)));
	EXPECT_EQ(TASK_ISOLATION_REPORT_FOREIGN | TASK_ISOLATION_REPORT_LOSS, report.flags);
	EXPECT_EQ(pid, report.pid);
	EXPECT_EQ(gettid(), report.sender.pid);
	EXPECT_FALSE(reader_next(fd, &report));
	close(fd);
}

TEST_F_TIMEOUT(reports, one_cpu_or_all, CASE_TIMEOUT)
{
	struct task_isolation_report report;
	int one = reader_open(CPU_B), all = reader_open(-1), nowhere = 1 << 20;
	pid_t pid = BRING(PERSISTENT);

	EXPECT_EQ(-1, ioctl(all, TASK_ISOLATION_ONLY_CPU, &nowhere));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(all, TASK_ISOLATION_ONLY_CPU, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(all, TASK_ISOLATION_ONLY_CPU + 1, &nowhere));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, read(all, &report, sizeof(report) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, open(FILE_DEVICE, O_RDWR));
	ASSERT_TRUE(interrupt_times(1));
	EXPECT_TRUE(UNTIL(reader_next(all, &report)));
	EXPECT_FALSE(reader_next(one, &report));
	DISMISS(pid);
	close(one);
	close(all);
}

/* A reader that is too slow learns exactly how many it missed, and nobody waits for it. */
TEST_F_TIMEOUT(reports, what_a_slow_reader_missed_is_counted, CASE_TIMEOUT)
{
	struct task_isolation_report report[64];
	unsigned long long missed = 0, got = 0, all;
	int fd = reader_open(CPU_A);
	pid_t pid = BRING(PERSISTENT);
	ssize_t n;

	ASSERT_TRUE(interrupt_times(RING + SOME));
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	all = cpu_number(CPU_A, "foreign") + cpu_number(CPU_A, "absorbed");
	EXPECT_LE(RING + SOME, all);
	while ((n = read(fd, report, sizeof(report))) > 0) {
		EXPECT_EQ(0, n % sizeof(report[0]));
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(report[0]); i++, got++) {
			missed += report[i].dropped;
			EXPECT_EQ(got ? 0 : all - RING, report[i].dropped);
		}
	}
	EXPECT_EQ(RING, got);
	EXPECT_EQ(all, got + missed);
	DISMISS(pid);
	close(fd);
}

static void *interrupt_soon(void *arg)
{
	usleep(100000);
	disturb("ipi", CPU_A);
	return NULL;
}

TEST_F_TIMEOUT(reports, who_waits_is_woken, CASE_TIMEOUT)
{
	struct task_isolation_report report;
	int fd = reader_open(-1);
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	pid_t pid = BRING(PERSISTENT);
	pthread_t thread;

	EXPECT_EQ(0, poll(&polled, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt_soon, NULL));
	EXPECT_EQ(1, poll(&polled, 1, PATIENCE_MS));
	EXPECT_EQ(POLLIN, polled.revents);
	pthread_join(thread, NULL);
	EXPECT_TRUE(reader_next(fd, &report));
	fcntl(fd, F_SETFL, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt_soon, NULL));
	EXPECT_TRUE(reader_next(fd, &report));
	pthread_join(thread, NULL);
	DISMISS(pid);
	close(fd);
}

/* ---- mmap() ----------------------------------------------------------------------- */

static unsigned long long stay_of(const struct task_isolation_page *page)
{
	return *(volatile const __u64 *)&page->stay;
}

static void act_call_once(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	spin_until_may(s, 1);
	syscall(SYS_getppid);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

TEST_F_TIMEOUT(reports, one_load_tells_whether_it_is_still_quiet, CASE_TIMEOUT)
{
	const struct task_isolation_page *page = page_map(CPU_A);
	unsigned long long stay;
	pid_t pid;

	ASSERT_NE(NULL, page);
	EXPECT_LE(sizeof(*page), page->size);
	EXPECT_EQ(CPU_A, page->cpu);
	EXPECT_NE(TASK_ISOLATION_ISOLATED, page_state(page));
	pid = actor(self->s, CPU_A, act_call_once);
	AWAIT_ISOLATED(AT_ENTERED);
	stay = stay_of(page);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, page_state(page));
	for (int i = 0; i < 1000; i++) {
		EXPECT_EQ(stay, stay_of(page));
		rest();
	}
	EXPECT_EQ(0, page->own + page->foreign);
	/* what another does */
	ASSERT_TRUE(interrupt_times(1));
	EXPECT_TRUE(UNTIL(stay_of(page) != stay && page_state(page) == TASK_ISOLATION_ISOLATED));
	EXPECT_EQ(1, page->foreign);
	EXPECT_EQ(0, page->own);
	/* what it does itself */
	stay = stay_of(page);
	self->s->may = 1;
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED + 1));
	EXPECT_NE(stay, stay_of(page));
	EXPECT_EQ(1, page->own);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, page_state(page));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(TASK_ISOLATION_OFF, page_state(page));
}

static void act_sleep(struct stage *s)
{
	char byte;

	if (enter_on_stage(s, PERSISTENT))
		return;
	if (read(s->fd[0], &byte, 1) != 1)
		s->error = EIO;
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
}

TEST_F_TIMEOUT(reports, p4_7_a_sleeper_is_not_shown_as_isolated, CASE_TIMEOUT)
{
	const struct task_isolation_page *page = page_map(CPU_A);
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_sleep);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED && page_state(page) == TASK_ISOLATION_ENTERING));
	ASSERT_EQ(1, write(self->s->fd[1], "", 1));
	EXPECT_TRUE(UNTIL(page_state(page) == TASK_ISOLATION_ISOLATED));
	DISMISS(pid);
}

TEST_F_TIMEOUT(reports, the_page_is_only_to_be_read, CASE_TIMEOUT)
{
	int fd = reader_open(-1), none = sysconf(_SC_NPROCESSORS_CONF) + 5;
	void *page;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				   CPU_A * 4096L));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd,
				   CPU_A * 4096L));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, CPU_A * 4096L));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, none * 4096L));
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, CPU_A * 4096L);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(-1, mprotect(page, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect(page, 4096, PROT_READ | PROT_EXEC));
	close(fd);
	/* It stays, and the module with it, as long as it is mapped. */
	EXPECT_EQ(-1, syscall(SYS_delete_module, "task_isolation", O_NONBLOCK));
	EXPECT_EQ(CPU_A, ((const struct task_isolation_page *)page)->cpu);
	munmap(page, 4096);
}

/* ---- the sender ------------------------------------------------------------------- */

TEST_F_TIMEOUT(reports, p3_11_siginfo_names_the_sender, CASE_TIMEOUT)
{
	pid_t pid = BRING(WITH_SIGNAL(CHOSEN));

	ASSERT_TRUE(interrupt_times(1));
	ASSERT_TRUE(UNTIL(self->s->hits == 1));
	EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_IPI, self->s->seen.si_errno);
	EXPECT_EQ(gettid(), self->s->seen.si_pid);
	DISMISS(pid);
	EXPECT_EQ(gettid(), self->s->info.loss_sender.pid);
	EXPECT_EQ(getpid(), self->s->info.loss_sender.tgid);
	EXPECT_EQ(HOUSE, self->s->info.loss_sender.cpu);
	EXPECT_STREQ("reports", self->s->info.loss_sender.comm);
	EXPECT_LT(0, self->s->info.loss_sender.depth);
	EXPECT_LT(0, self->s->info.loss_time_ns);
}

/* What came of its own has no sender. */
static void act_call(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (!enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		syscall(SYS_getppid);
	read_info(&s->info);
}

TEST_F_TIMEOUT(reports, p3_11_nobody_is_named_for_its_own_call, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_call);

	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(0, self->s->seen.si_pid);
	EXPECT_EQ(-1, self->s->info.loss_sender.cpu);
	EXPECT_EQ(0, self->s->info.loss_sender.pid);
	EXPECT_EQ(0, self->s->info.loss_sender.depth);
}

/* Another user's task: who interrupts it is root, which it is not told. */
static void act_as_other_user(struct stage *s)
{
	if (setgid(OTHER_USER) || setuid(OTHER_USER)) {
		s->error = errno;
		return;
	}
	/* As after execve(): a program of that user's own. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	act_spin(s);
}

TEST_F_TIMEOUT(reports, p3_11_other_users_are_not_named, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	self->s->flags = WITH_SIGNAL(CHOSEN);
	pid = actor(self->s, CPU_A, act_as_other_user);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("errno %d", self->s->error);
	ASSERT_TRUE(interrupt_times(1));
	ASSERT_TRUE(UNTIL(self->s->hits == 1));
	EXPECT_EQ(0, self->s->seen.si_pid);
	DISMISS(pid);
	EXPECT_EQ(0, self->s->info.loss_sender.pid);
	EXPECT_EQ(0, self->s->info.loss_sender.tgid);
	EXPECT_EQ(0, self->s->info.loss_sender.depth);
	EXPECT_STREQ("", self->s->info.loss_sender.comm);
	/* The kernel's function is no secret, its address is. */
	EXPECT_STREQ("ipi run_call [task_isolation_disturb]", self->s->info.loss);
	EXPECT_EQ(0, self->s->info.loss_address);
}

/* A reader without privilege, forked: what it got of the others' and of its own. */
static void act_read_as_other_user(struct stage *s)
{
	struct task_isolation_report report;
	int fd;

	if (setgid(OTHER_USER) || setuid(OTHER_USER))
		return;
	fd = reader_open(-1);
	s->at = AT_READY;
	while (!s->may)
		rest();
	while (reader_next(fd, &report)) {
		s->value[report.comm[0] == 'r' && report.pid == s->value[7]]++;
		s->value[2] |= report.sender.pid || report.sender.depth || report.address;
	}
}

TEST_F_TIMEOUT(reports, readers_get_reports_of_their_own_tasks, CASE_TIMEOUT)
{
	struct stage *second = stage_new(), *reader = stage_new();
	pid_t others, own, reads;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	self->s->flags = second->flags = PERSISTENT;
	others = actor(self->s, CPU_A, act_spin);
	own = actor(second, CPU_B, act_as_other_user);
	reader->value[7] = own;
	ASSERT_TRUE(UNTIL(isolated(self->s, others) && isolated(second, own)));
	reads = actor(reader, HOUSE, act_read_as_other_user);
	ASSERT_TRUE(UNTIL(reader->at == AT_READY));
	ASSERT_TRUE(interrupt_times(SOME));
	ASSERT_TRUE(interrupt_cpu(CPU_B, SOME));
	ASSERT_TRUE(UNTIL(cpu_number(CPU_B, "foreign") >= SOME && isolated(second, own)));
	reader->may = 1;
	EXPECT_TRUE(ended_well(finish(reads)));
	EXPECT_EQ(0, reader->value[0]);
	EXPECT_LE(SOME, reader->value[1]);
	EXPECT_EQ(0, reader->value[2]);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(own)));
	DISMISS(others);
}

/* In a pid namespace of its own a process knows nobody outside. */
static void act_in_own_pids(struct stage *s)
{
	pid_t child;
	int status;

	if (unshare(CLONE_NEWPID)) {
		s->error = errno;
		return;
	}
	child = fork();
	if (!child) {
		act_spin(s);
		_exit(0);
	}
	waitpid(child, &status, 0);
}

TEST_F_TIMEOUT(reports, p3_11_a_sender_outside_of_the_pid_namespace_is_0, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = WITH_SIGNAL(CHOSEN);
	pid = actor(self->s, CPU_A, act_in_own_pids);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED && cpu_state_is(CPU_A, "isolated")));
	ASSERT_TRUE(interrupt_times(1));
	ASSERT_TRUE(UNTIL(self->s->hits == 1));
	EXPECT_EQ(0, self->s->seen.si_pid);
	DISMISS(pid);
	EXPECT_EQ(0, self->s->info.loss_sender.pid);
	EXPECT_EQ(HOUSE, self->s->info.loss_sender.cpu);
}

static bool stacks_have(const char *kptr_restrict, struct stage *s)
{
	struct task_isolation_report report = { 0 };
	int fd = reader_open(CPU_A);
	bool got;

	write_text("/proc/sys/kernel/kptr_restrict", kptr_restrict);
	disturb("ipi", CPU_A);
	got = UNTIL(reader_next(fd, &report)) && report.sender.depth && report.sender.stack[0] &&
	      report.address;
	close(fd);
	return got;
}

TEST_F_TIMEOUT(reports, addresses_obey_kptr_restrict, CASE_TIMEOUT)
{
	pid_t pid = BRING(PERSISTENT);

	EXPECT_TRUE(stacks_have("0", self->s));
	EXPECT_TRUE(stacks_have("1", self->s));
	EXPECT_FALSE(stacks_have("2", self->s));
	write_text("/proc/sys/kernel/kptr_restrict", "0");
	DISMISS(pid);
}

/* ---- log and traces -------------------------------------------------------------- */

TEST_F_TIMEOUT(reports, p6_9_debug_shows_the_senders_stack, CASE_TIMEOUT)
{
	int log = log_open();
	char line[1024], who[64];
	pid_t pid = BRING(PERSISTENT);

	ASSERT_EQ(0, write_number(FILE_DEBUG, 1));
	ASSERT_TRUE(interrupt_times(1));
	snprintf(who, sizeof(who), "sent by reports/%d on CPU %d", gettid(), HOUSE);
	EXPECT_LE(0, log_find(log, PATIENCE_MS, who, line, sizeof(line)));
	EXPECT_LE(0, log_find(log, PATIENCE_MS, "smp_call_function_single", line, sizeof(line)));
	EXPECT_LE(0, log_find(log, PATIENCE_MS, "[task_isolation_disturb]", line, sizeof(line)));
	DISMISS(pid);
	close(log);
}

TEST_F_TIMEOUT(reports, traces_show_sender_and_interruption, CASE_TIMEOUT)
{
	static char text[1 << 18];
	char *sent;
	pid_t pid;

	ASSERT_EQ(0, write_text(DIR_TRACE "/options/stacktrace", "1"));
	ASSERT_EQ(0, write_text(DIR_EVENTS "/enable", "1"));
	pid = BRING(PERSISTENT);
	ASSERT_TRUE(interrupt_times(1));
	ASSERT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") == 1));
	write_text(DIR_EVENTS "/enable", "0");
	ASSERT_LT(0, read_text(DIR_TRACE "/trace", text, sizeof(text)));
	sent = strstr(text, "task_isolation_send: ");
	ASSERT_NE(NULL, sent);
	EXPECT_NE(NULL, strstr(sent, "for=call what=run_call [task_isolation_disturb]"));
	EXPECT_NE(NULL, strstr(sent, "=> smp_call_function_single"));
	EXPECT_NE(NULL, strstr(text, "task_isolation_interrupt: "));
	EXPECT_NE(NULL, strstr(text, "foreign cause=6 detail=0 (ipi run_call [task_isolation_disturb])"));
	DISMISS(pid);
}

/* ---- no noise of our own ----------------------------------------------------------- */

static void act_read_all(struct stage *s)
{
	const struct task_isolation_page *page = page_map(CPU_A);
	struct task_isolation_report report[8];
	struct pollfd polled = { .fd = reader_open(-1), .events = POLLIN };
	static char text[1 << 16];
	int trace = open(DIR_TRACE "/trace_pipe", O_RDONLY | O_NONBLOCK);

	s->at = AT_READY;
	while (!s->may) {
		s->turns++;
		s->value[0] += page->foreign + page->own + page->late;
		poll(&polled, 1, 0);
		if (read(polled.fd, report, sizeof(report)) > 0)
			s->value[1]++;
		if (read(trace, text, sizeof(text)) > 0)
			s->value[2]++;
		cpu_text(CPU_A, "state");
		cpu_text(CPU_A, "foreign");
		cpu_text(CPU_A, "last_loss");
		relax();
	}
}

TEST_F_TIMEOUT(reports, reading_everything_at_full_speed_interrupts_nobody, 250)
{
	struct stage *reader = stage_new();
	long end;
	pid_t reads, pid;

	ASSERT_EQ(0, write_text(DIR_EVENTS "/enable", "1"));
	reads = actor(reader, HOUSE, act_read_all);
	ASSERT_TRUE(UNTIL(reader->at == AT_READY));
	bind_to(1);
	pid = BRING(STRICT);
	/* in seconds of the guest */
	for (end = now_ms() + 1000L * rounds_or(3); now_ms() < end;)
		rest();
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_LT(10, reader->turns);
	DISMISS(pid);
	reader->may = 1;
	EXPECT_TRUE(ended_well(finish(reads)));
	write_text(DIR_EVENTS "/enable", "0");
}

TEST_HARNESS_MAIN
