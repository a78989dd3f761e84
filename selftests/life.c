// SPDX-License-Identifier: GPL-2.0
/* fork, execve, the end of a task, company on the CPU, and sleep. */
#include "isolation.h"
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include "kselftest_harness.h"

STAGE_FIXTURE(life)

MODES_FIXTURE(modes)

/* ---- 4.1 ---------------------------------------------------------------- */

enum { BY_FORK, BY_VFORK, BY_CLONE, BY_CLONE3, BY_THREAD, WAYS };

static void newborn(struct stage *s, int way)
{
	s->value[way] = flags_now();
	read_info(&s->info);
	if (s->info.own || s->info.foreign || s->info.absorbed || s->info.late ||
	    s->info.state != TASK_ISOLATION_OFF || s->info.loss_cause)
		s->value[way] = -2;
	/* were it isolated in any way, this would show */
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
}

static void *newborn_thread(void *arg)
{
	newborn(arg, BY_THREAD);
	return NULL;
}

static void act_have_children(struct stage *s)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pthread_t thread;
	pid_t pid;

	memset(s->value, 0xff, sizeof(s->value));
	if (enter_on_stage(s, PERSISTENT))
		return;
	pid = syscall(SYS_fork);
	if (!pid) {
		newborn(s, BY_FORK);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (!pid) {
		newborn(s, BY_VFORK);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		newborn(s, BY_CLONE);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		newborn(s, BY_CLONE3);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pthread_create(&thread, NULL, newborn_thread, s);
	pthread_join(thread, NULL);
	s->flags_after = flags_now();
	read_info(&s->before);
}

TEST_F_TIMEOUT(life, p4_1_children_start_unisolated, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_have_children));

	ASSERT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	ASSERT_EQ(0, self->s->error);
	for (int way = 0; way < WAYS; way++) {
		EXPECT_EQ(0, self->s->value[way]) TH_LOG("way %d: %ld", way, self->s->value[way]);
	}
	EXPECT_EQ(PERSISTENT, self->s->flags_after) TH_LOG("the parent lost its isolation");
	EXPECT_GE(self->s->before.own, 5);
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void act_child_enters(struct stage *s)
{
	pid_t pid;

	if (enter_on_stage(s, PERSISTENT))
		return;
	pid = fork();
	if (!pid) {
		bind_to(CPU_B);
		be_resident(s);
		s->value[0] = enter(STRICT) ? errno : 0;
		s->value[1] = flags_now();
		s->at = AT_ENTERED + 1;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(life, p4_1_a_child_may_enter_elsewhere, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_child_enters))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ((long)STRICT, self->s->value[1]);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
}

/* ---- 4.2 ---------------------------------------------------------------- */

struct report {
	long flags, state;
	unsigned long long own, foreign, late;
	int uid;
};

static int place_for_images(char *path, size_t size, const char *name)
{
	static bool mounted;
	char command[512], here[256], *slash;
	int from, to;
	char buffer[65536];
	ssize_t n;

	mkdir("/tmp/images", 0755);
	if (!mounted && mount("none", "/tmp/images", "tmpfs", 0, "mode=755"))
		return -1;
	mounted = true;
	n = readlink("/proc/self/exe", here, sizeof(here) - 1);
	if (n < 0)
		return -1;
	here[n] = 0;
	slash = strrchr(here, '/');
	*slash = 0;
	snprintf(command, sizeof(command), "%s/image", here);
	snprintf(path, size, "/tmp/images/%s", name);
	from = open(command, O_RDONLY);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (from < 0 || to < 0)
		return -1;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, n) != n)
			return -1;
	close(from);
	close(to);
	return 0;
}

static void act_exec(struct stage *s)
{
	char *argv[] = { s->bytes, s->value[1] ? "spin" : NULL, NULL };

	int report = fcntl(s->fd[1], F_DUPFD, 50);
	int stop = s->value[2] < 0 ? -1 : fcntl(s->value[2], F_DUPFD, 50);

	dup2(report, 3);
	if (stop >= 0)
		dup2(stop, 4);
	if (enter_on_stage(s, s->flags))
		return;
	/* persistent tasks may give up their identity: own entries only */
	if (s->value[3] && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(109);
	syscall(SYS_execve, s->bytes, argv, NULL);
	_exit(110);
}

static bool read_report(int fd, struct report *r)
{
	char text[160] = "";
	ssize_t n = 0;

	(void)UNTIL((n = read(fd, text, sizeof(text) - 1)) > 0 || (n < 0 && errno != EAGAIN));
	return n > 0 && sscanf(text, "%ld %ld %llu %llu %llu %d", &r->flags, &r->state, &r->own,
			       &r->foreign, &r->late, &r->uid) == 6;
}

TEST_F_TIMEOUT(modes, p4_2_execve, CASE_TIMEOUT)
{
	struct report r = { 0 };
	int status;
	pid_t pid;

	ASSERT_EQ(0, place_for_images(self->s->bytes, sizeof(self->s->bytes), "plain"));
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->value[2] = -1;
	pid = actor(self->s, CPU_A, act_exec);
	status = finish(pid);
	ASSERT_EQ(0, self->s->error);
	switch (variant->mode) {
	case MODE_STRICT:
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		break;
	case MODE_SIGNAL:
		/* the call is a loss; without a handler the signal is the end */
		EXPECT_TRUE(killed_by(status, CHOSEN)) TH_LOG("status %#x", status);
		break;
	case MODE_PERSISTENT:
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		ASSERT_TRUE(read_report(self->s->fd[0], &r));
		EXPECT_EQ((long)variant->flags, r.flags);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, r.state);
		EXPECT_GE(r.own, 1);
		EXPECT_EQ(0, r.late);
		break;
	case MODE_ONE_SHOT:
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		ASSERT_TRUE(read_report(self->s->fd[0], &r));
		EXPECT_EQ(0, r.flags);
		EXPECT_EQ(TASK_ISOLATION_OFF, r.state);
		break;
	}
	if (variant->mode == MODE_STRICT || variant->mode == MODE_SIGNAL) {
		char byte;

		EXPECT_NE(1, read(self->s->fd[0], &byte, 1)) TH_LOG("the new image ran");
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall 59"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	}
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(life, p4_2_the_new_image_of_a_persistent_task_starts_quiesced, CASE_TIMEOUT)
{
	int file = memfd_create("stop", 0);
	struct report r = { 0 };
	unsigned long before;
	long foreign;
	pid_t pid;

	ASSERT_EQ(0, ftruncate(file, 4096));
	ASSERT_EQ(0, place_for_images(self->s->bytes, sizeof(self->s->bytes), "plain"));
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->flags = PERSISTENT;
	self->s->value[1] = 1;
	self->s->value[2] = file;
	pid = actor(self->s, CPU_A, act_exec);
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(PERSISTENT, r.flags);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, r.state);
	/* it maps its stop page and then needs nothing any more */
	ASSERT_TRUE(UNTIL(({
		long own = cpu_number(CPU_A, "own");

		for (int i = 0; i < 200; i++)
			rest();
		cpu_state_is(CPU_A, "isolated") && own == cpu_number(CPU_A, "own");
	})));
	EXPECT_EQ(pid, owner_of(CPU_A));
	before = interrupts(CPU_A, "all");
	foreign = cpu_number(CPU_A, "foreign");
	for (long end = now_ms() + 1000; now_ms() < end;)
		rest();
	EXPECT_EQ(before, interrupts(CPU_A, "all"));
	EXPECT_EQ(foreign, cpu_number(CPU_A, "foreign"));
	EXPECT_TRUE(cpu_state_is(CPU_A, "isolated"));
	ASSERT_EQ(1, pwrite(file, "x", 1, 0));
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(life, p4_2_set_user_id_turns_it_off, CASE_TIMEOUT)
{
	struct report r = { 0 };

	ASSERT_EQ(0, place_for_images(self->s->bytes, sizeof(self->s->bytes), "setuid"));
	ASSERT_EQ(0, chmod(self->s->bytes, 04755));
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->flags = PERSISTENT;
	self->s->value[2] = -1;
	self->s->value[3] = 1;
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_exec))));
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(0, r.uid) TH_LOG("the exec was not privileged: the test proves nothing");
	EXPECT_EQ(0, r.flags);
	EXPECT_NE(TASK_ISOLATION_ISOLATED, r.state);
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(life, p4_2_file_capabilities_turn_it_off, CASE_TIMEOUT)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1U << CAP_NET_RAW,
	};
	struct report r = { 0 };

	ASSERT_EQ(0, place_for_images(self->s->bytes, sizeof(self->s->bytes), "capable"));
	ASSERT_EQ(0, setxattr(self->s->bytes, "security.capability", &caps, sizeof(caps), 0))
		TH_LOG("errno %d", errno);
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->flags = PERSISTENT;
	self->s->value[2] = -1;
	self->s->value[3] = 1;
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_exec))));
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(life, p4_2_an_unprivileged_exec_after_setuid_stays_on, CASE_TIMEOUT)
{
	struct report r = { 0 };

	ASSERT_EQ(0, place_for_images(self->s->bytes, sizeof(self->s->bytes), "plain"));
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->flags = PERSISTENT;
	self->s->value[2] = -1;
	self->s->value[3] = 1;
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_exec))));
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(65534, r.uid);
	EXPECT_EQ(PERSISTENT, r.flags);
}

static void act_exec_missing(struct stage *s)
{
	char *argv[] = { "none", NULL };

	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = syscall(SYS_execve, "/no/such/image", argv, NULL) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(life, p4_2_a_failed_execve_changes_nothing, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_exec_missing))));
	EXPECT_EQ(ENOENT, self->s->value[0]);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
}

/* ---- 4.3 ---------------------------------------------------------------- */

static void act_enter_and_spin(struct stage *s)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 1);
}

TEST_F_TIMEOUT(modes, p4_3_exit, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_and_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	NEXT_CAN_ENTER(variant->flags);
}

TEST_F_TIMEOUT(modes, p4_3_kill_9, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_and_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	kill(pid, SIGKILL);
	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
	NEXT_CAN_ENTER(variant->flags);
}

TEST_F_TIMEOUT(modes, p4_3_core_dump, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_and_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	kill(pid, SIGQUIT);
	EXPECT_TRUE(killed_by(finish(pid), SIGQUIT));
	NEXT_CAN_ENTER(variant->flags);
}

static void act_group(struct stage *s)
{
	start_helper(s);
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 1);
}

TEST_F_TIMEOUT(modes, p4_3_exit_group_of_a_sibling, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_group);

	AWAIT_ISOLATED(AT_ENTERED);
	self->s->order = ORDER_EXIT_GROUP;
	EXPECT_TRUE(ended_well(finish(pid)));
	NEXT_CAN_ENTER(variant->flags);
}

static void *enter_and_return(void *arg)
{
	struct stage *s = arg;

	bind_to(CPU_A);
	enter_on_stage(s, s->flags);
	syscall(SYS_exit, 0);
	return NULL;
}

static void act_thread_exits(struct stage *s)
{
	bind_to(HOUSE);
	start_thread(enter_and_return, s);
	spin_until_may(s, 1);
}

TEST_F_TIMEOUT(modes, p4_3_exit_of_one_thread, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_thread_exits);

	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	NEXT_CAN_ENTER(variant->flags);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_eat_memory(struct stage *s)
{
	write_number("/sys/fs/cgroup/selftest/cgroup.procs", getpid());
	if (enter_on_stage(s, PERSISTENT))
		return;
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p != MAP_FAILED)
			memset(p, 1, 1 << 20);
	}
}

TEST_F_TIMEOUT(life, p4_3_oom_kill, CASE_TIMEOUT)
{
	struct stage *next = stage_new();
	int status;

	ASSERT_EQ(0, write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory"));
	rmdir("/sys/fs/cgroup/selftest");
	ASSERT_EQ(0, mkdir("/sys/fs/cgroup/selftest", 0755));
	ASSERT_EQ(0, write_text("/sys/fs/cgroup/selftest/memory.max", "16M"));
	status = finish(actor(self->s, CPU_A, act_eat_memory));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_TRUE(UNTIL(!rmdir("/sys/fs/cgroup/selftest")));
	EXPECT_EQ(0, owner_of(CPU_A));
	next->flags = STRICT;
	EXPECT_TRUE(ended_well(finish(actor(next, CPU_A, act_next_owner))));
	EXPECT_EQ(0, next->error);
}

TEST_F_TIMEOUT(life, p4_3_a_hundred_owners_in_a_row, CASE_TIMEOUT)
{
	for (int i = 0; i < 100; i++) {
		static const unsigned long flags[] = { STRICT, PERSISTENT, ONE_SHOT, WITH_SIGNAL(CHOSEN) };

		self->s->flags = flags[i % 4];
		ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_next_owner))));
		ASSERT_EQ(0, self->s->error) TH_LOG("owner %d", i);
		ASSERT_EQ(0, owner_of(CPU_A));
	}
}

/* ---- 4.5 ---------------------------------------------------------------- */

static void act_isolated_with_handler(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void act_fifo_intruder(struct stage *s)
{
	struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &param);
	act_intruder(s);
}

static void company(struct __test_metadata *_metadata, struct stage *s, enum mode mode, act_fn visitor)
{
	struct stage *second = stage_new();
	pid_t pid = actor(s, CPU_A, act_isolated_with_handler);
	char cause[64];
	pid_t other;
	int status;

	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	other = actor(second, CPU_A, visitor);
	ASSERT_TRUE(UNTIL(second->turns > 1));
	snprintf(cause, sizeof(cause), "preempted by intruder/%d", other);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	if (mode == MODE_PERSISTENT) {
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= 1));
		EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("alone again, but not isolated");
	} else if (mode != MODE_STRICT) {
		EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	}
	s->may = 1;
	status = finish(pid);
	if (mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(mode == MODE_SIGNAL, s->hits);
		EXPECT_EQ(mode == MODE_PERSISTENT ? (long)s->flags : 0, s->flags_after);
	}
	if (mode == MODE_SIGNAL) {
		EXPECT_EQ(TASK_ISOLATION_CAUSE_PREEMPTED, s->seen.si_errno);
	}
	if (mode != MODE_PERSISTENT) {
		const char *said = strstr(cpu_text(CPU_A, "last_loss"), "preempted by ");

		EXPECT_NE(NULL, said) TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
		/* it may have been seen before it took its own name */
		if (said) {
			snprintf(cause, sizeof(cause), "/%d", other);
			EXPECT_NE(NULL, strstr(said, cause)) TH_LOG("'%s' lacks %s", said, cause);
		}
	}
}

TEST_F_TIMEOUT(modes, p4_5_a_second_runnable_task, CASE_TIMEOUT)
{
	company(_metadata, self->s, variant->mode, act_intruder);
}

TEST_F_TIMEOUT(modes, p4_5_a_second_task_of_higher_class, CASE_TIMEOUT)
{
	company(_metadata, self->s, variant->mode, act_fifo_intruder);
}

/* ---- 4.7 ---------------------------------------------------------------- */

static void act_sleep_inside(struct stage *s)
{
	char byte;

	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	if (read(s->fd[0], &byte, 1) != 1)
		_exit(111);
	s->at = AT_ENTERED + 1;
	s->flags_after = flags_now();
	read_info(&s->info);
	spin_until_may(s, 1);
}

static void act_others_business(struct stage *s)
{
	start_helper(s);
	for (int i = 0; i < 50; i++) {
		syscall(SYS_getppid);
		order(s, ORDER_IPI);
		order(s, ORDER_TLB);
	}
	s->value[0] = flags_now();
	read_info(&s->info);
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(life, p4_7_a_sleeping_owner_is_not_isolated_and_nobody_pays, CASE_TIMEOUT)
{
	struct stage *other = stage_new();
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_sleep_inside);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_TRUE(UNTIL(!cpu_state_is(CPU_A, "isolated")));
	EXPECT_EQ(pid, owner_of(CPU_A));
	/* another task on the same CPU: neither protected nor blamed */
	EXPECT_TRUE(ended_well(finish(actor(other, CPU_A, act_others_business))));
	EXPECT_EQ(0, other->value[0]);
	EXPECT_EQ(0, other->info.own + other->info.foreign);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_EQ(1 + 2 * self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(0, self->s->info.foreign);
}

TEST_F_TIMEOUT(life, p4_7_a_strict_task_after_a_sleeping_owner_is_refused, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_sleep_inside);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	second->flags = STRICT;
	EXPECT_TRUE(ended_well(finish(actor(second, CPU_A, act_next_owner))));
	EXPECT_EQ(EBUSY, second->error);
	EXPECT_EQ(pid, owner_of(CPU_A));
	kill(pid, SIGKILL);
	finish(pid);
}

TEST_HARNESS_MAIN
