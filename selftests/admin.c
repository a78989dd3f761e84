// SPDX-License-Identifier: GPL-2.0
/* What the administrator sees and sets: the list, the per-CPU files, the switches. */
#include "isolation.h"
#include "kselftest_harness.h"

#define CGROUP "/sys/fs/cgroup/cpulist"

FIXTURE(admin) { struct stage *s; char list[4096]; };
FIXTURE_SETUP(admin)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
	(void)CPU_A;	/* known before the list changes */
}
FIXTURE_TEARDOWN(admin)
{
	char now[4096];

	restore_switches();
	/* an owner that a failed test left behind would hold its CPU */
	for (int nth = 0; nth < 2; nth++)
		if (owner_of(isolation_cpu(nth)) > 0)
			kill(owner_of(isolation_cpu(nth)), SIGKILL);
	read_text(FILE_LIST, now, sizeof(now));
	if (strcmp(now, self->list))
		(void)UNTIL(!write_text(FILE_LIST, self->list));
}

static const char *list_now(void)
{
	static char text[4096];

	read_text(FILE_LIST, text, sizeof(text));
	return text;
}

static const char *number(int n)
{
	static char text[4][16];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), "%d", n);
	return text[turn];
}

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : (int)(st.st_mode & 07777);
}

static void act_sleep(struct stage *s)
{
	if (!enter_on_stage(s, PERSISTENT))
		pause();
}

static void act_spin(struct stage *s)
{
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
}

static void act_quick(struct stage *s)
{
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

/* ---- 6.1, 6.2 as this boot shows them ------------------------------------- */

TEST_F_TIMEOUT(admin, p6_1_the_default_list_is_the_boot_argument_s, CASE_TIMEOUT)
{
	char line[4096], *at, *end;
	static bool listed[MAX_CPUS], now[MAX_CPUS];

	read_text("/proc/cmdline", line, sizeof(line));
	at = strstr(line, "task_isolation=");
	ASSERT_NE(NULL, at);
	at += strlen("task_isolation=");
	end = strchr(at, ' ');
	if (end)
		*end = 0;
	ASSERT_GT(parse_simple_list(at, listed), 0);
	parse_simple_list(self->list, now);
	EXPECT_EQ(0, memcmp(listed, now, sizeof(now))) TH_LOG("boot '%s', now '%s'", at, self->list);
}

/* Offloaded callbacks of CPU N are run by the kernel thread rcuop/N. */
static bool kernel_thread_exists(const char *wanted)
{
	char path[32], name[32];

	for (int pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (read_text(path, name, sizeof(name)) > 0 && !strcmp(name, wanted))
			return true;
	}
	return false;
}

TEST_F_TIMEOUT(admin, p6_2_one_word_does_it_all, CASE_TIMEOUT)
{
	char nohz[4096], isolated[4096], thread[32];

	read_text(DIR_CPUS "/nohz_full", nohz, sizeof(nohz));
	read_text(DIR_CPUS "/isolated", isolated, sizeof(isolated));
	EXPECT_STREQ(self->list, nohz);
	EXPECT_STREQ(self->list, isolated);
	for (int nth = 0; nth < 2; nth++) {
		snprintf(thread, sizeof(thread), "rcuop/%d", isolation_cpu(nth));
		EXPECT_TRUE(kernel_thread_exists(thread)) TH_LOG("no %s", thread);
	}
}

/* ---- 6.3 ------------------------------------------------------------------- */

TEST_F_TIMEOUT(admin, p6_3_a_new_list_is_effective_at_once, CASE_TIMEOUT)
{
	const char *a = number(CPU_A);
	int b = CPU_B;

	ASSERT_EQ(0, write_text(FILE_LIST, a));
	EXPECT_STREQ(a, list_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, b, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	ASSERT_EQ(0, write_text(FILE_LIST, self->list));
	EXPECT_STREQ(self->list, list_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, b, act_quick))));
	EXPECT_EQ(0, self->s->error);
}

TEST_F_TIMEOUT(admin, p6_3_the_empty_list, CASE_TIMEOUT)
{
	int a = CPU_A;

	ASSERT_EQ(0, write_text(FILE_LIST, "\n"));
	EXPECT_STREQ("", list_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, a, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	ASSERT_EQ(0, write_text(FILE_LIST, self->list));
}

/* An absent CPU needs a boot where one is possible: see boot.c. */
TEST_F_TIMEOUT(admin, p6_3_errors_change_nothing, CASE_TIMEOUT)
{
	char both[64];
	const struct { const char *text; int error; } bad[] = {
		{ "0", EINVAL }, { both, EINVAL }, { "abc", EINVAL }, { "3-2", EINVAL }, { "-1", EINVAL },
		{ "2-3:4/2", EINVAL }, { "99999", ERANGE },
	};

	snprintf(both, sizeof(both), "0,%d", CPU_A);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-bad[i].error, write_text(FILE_LIST, bad[i].text)) TH_LOG("'%s'", bad[i].text);
		EXPECT_STREQ(self->list, list_now());
	}
}

TEST_F_TIMEOUT(admin, p6_3_an_owned_cpu_is_EBUSY, CASE_TIMEOUT)
{
	int a = CPU_A, b = CPU_B;
	pid_t pid = actor(self->s, a, act_sleep);

	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(-EBUSY, write_text(FILE_LIST, number(b)));
	EXPECT_EQ(-EBUSY, write_text(FILE_LIST, "\n"));
	EXPECT_STREQ(self->list, list_now());
	EXPECT_EQ(pid, owner_of(a));
	/* a list that keeps it is fine, and the owner does not notice */
	EXPECT_EQ(0, write_text(FILE_LIST, number(a)));
	EXPECT_EQ(pid, owner_of(a));
	EXPECT_EQ(0, write_text(FILE_LIST, self->list));
	kill(pid, SIGKILL);
	finish(pid);
	EXPECT_EQ(0, write_text(FILE_LIST, number(b)));
}

TEST_F_TIMEOUT(admin, p6_3_only_root_writes, CASE_TIMEOUT)
{
	int status;
	pid_t pid;

	EXPECT_EQ(0644, mode_of(FILE_LIST));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(write_text(FILE_LIST, "\n") == -EACCES ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_STREQ(self->list, list_now());
}

/* ---- 6.4 ------------------------------------------------------------------- */

/*
 * The kernel's own parser reads cpuset.cpus of a cgroup, stripped of outer
 * white space, which the parser ignores anyway. Whatever is refused there for
 * its text is refused here with the same errno, and the other way round.
 */
static int by_kernel(const char *text, char *list, size_t size)
{
	int error = write_text(CGROUP "/cpuset.cpus", text);

	if (!error)
		read_text(CGROUP "/cpuset.cpus", list, size);
	return error;
}

static void compare_parsers(struct __test_metadata *_metadata, const char *text, const char *allowed,
			    int *accepted, int *refused)
{
	char theirs[4096] = "", ours[4096];
	int kernel = by_kernel(text, theirs, sizeof(theirs));
	int error = write_text(FILE_LIST, text);
	static bool set[MAX_CPUS], may[MAX_CPUS];

	/* A list with a number that this machine cannot have: the CPU is absent (6.3). */
	if (kernel == -ERANGE && error == -ENODEV) {
		(*refused)++;
		return;
	}
	if (kernel) {
		EXPECT_EQ(kernel, error) TH_LOG("text '%s'", text);
		(*refused)++;
		return;
	}
	(*accepted)++;
	parse_simple_list(allowed, may);
	parse_simple_list(theirs, set);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (set[cpu] && !may[cpu]) {
			EXPECT_EQ(-EINVAL, error) TH_LOG("text '%s': CPU %d is not nohz_full", text, cpu);
			return;
		}
	read_text(FILE_LIST, ours, sizeof(ours));
	EXPECT_EQ(0, error) TH_LOG("text '%s'", text);
	EXPECT_STREQ(theirs, ours) TH_LOG("text '%s'", text);
}

TEST_F_TIMEOUT(admin, p6_4_the_syntax_is_the_kernel_s_own, 120)
{
	static const char *const words[] = {
		"2", "3", "2-3", "2,3", "3,2", "2-2", "2,", ",2", ",,2,,3,,", " 2 3 ", "2\t3", "2\n3\n", "2-3:1/2",
		"2-3:2/2", "2-3:1/1", "2-3:0/1", "2-3:1/0", "2-3:2/1", "2-3:1", "2-3/2", "2-3:/2", "2-3:1/", "all",
		"ALL", "All", "al", "alll", "N", "n", "2-N", "N-2", "N-N", "2-Nx", "x", "2x", "2-", "-2", "--", "2--3",
		"2-3-4", "02", "0x2", "+2", "2 -3", "2- 3", "2 - 3", "4294967298", "18446744073709551618", "1e1", "2;3",
		"2.3", "2-3:1/2:1/2", "2,3,2,3", "2-3,2", "all:1/2", "all,2", "2,all", "N:1/1", "2-all", ":1/2", "1/2",
		" ", "\n", ",", ", ,", "2-3 :1/2", "2-3: 1/2", "9", "2-9", "64", "2-64", "99999", "\x01", "2\x7f",
		"2-3:3/4", "2-3:4/3", "2-3:1/99999999999", "2-3:4294967297/4294967298", "2-3,9", "3-2", "3-2:1/2",
	};
	int accepted = 0, refused = 0;

	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, access(CGROUP "/cpuset.cpus", W_OK));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		compare_parsers(_metadata, words[i], self->list, &accepted, &refused);
	EXPECT_GE(accepted, 15);
	EXPECT_GE(refused, 25);
	rmdir(CGROUP);
}

TEST_F_TIMEOUT(admin, p6_4_two_hundred_random_texts, 120)
{
	static const char letters[] = "2323232323--,,:/ \nNal0149x";
	unsigned int seed = 20260612;
	int accepted = 0, refused = 0;

	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, access(CGROUP "/cpuset.cpus", W_OK));
	for (int i = 0; i < 200; i++) {
		char text[16];
		int len = 1 + rand_r(&seed) % 9;

		for (int c = 0; c < len; c++)
			text[c] = letters[rand_r(&seed) % (sizeof(letters) - 1)];
		text[len] = 0;
		compare_parsers(_metadata, text, self->list, &accepted, &refused);
	}
	EXPECT_GE(accepted, 5);
	EXPECT_GE(refused, 50);
	rmdir(CGROUP);
}

/* ---- 6.5 ------------------------------------------------------------------- */

TEST_F_TIMEOUT(admin, p6_5_the_files_and_their_modes, CASE_TIMEOUT)
{
	static const char *const open_to_all[] = { "state", "own", "foreign", "absorbed", "late" };
	static const char *const for_root[] = { "owner", "last_loss" };

	for (int nth = 0; nth < 2; nth++) {
		for (size_t i = 0; i < 5; i++) {
			EXPECT_EQ(0444, mode_of(cpu_path(isolation_cpu(nth), open_to_all[i])))
				TH_LOG("%s", open_to_all[i]);
		}
		for (size_t i = 0; i < 2; i++) {
			EXPECT_EQ(0400, mode_of(cpu_path(isolation_cpu(nth), for_root[i])))
				TH_LOG("%s", for_root[i]);
		}
	}
}

TEST_F_TIMEOUT(admin, p6_5_one_value_a_file, CASE_TIMEOUT)
{
	static const char *const numbers[] = { "own", "foreign", "absorbed", "late" };
	char raw[256];
	int fd, n;

	for (size_t i = 0; i < 4; i++) {
		char *end;

		fd = open(cpu_path(CPU_A, numbers[i]), O_RDONLY);
		ASSERT_GE(fd, 0);
		n = read(fd, raw, sizeof(raw) - 1);
		close(fd);
		ASSERT_GT(n, 1);
		raw[n] = 0;
		strtoul(raw, &end, 10);
		EXPECT_STREQ("\n", end) TH_LOG("%s: '%s'", numbers[i], raw);
	}
	EXPECT_EQ(NULL, strchr(cpu_text(CPU_A, "state"), ' '));
	EXPECT_STREQ("none", cpu_text(CPU_A, "owner"));
}

TEST_F_TIMEOUT(admin, p6_5_what_they_say_of_an_owner, CASE_TIMEOUT)
{
	pid_t pid;

	EXPECT_TRUE(cpu_state_is(CPU_A, "off") || cpu_state_is(CPU_A, "lost"));
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	EXPECT_STREQ(number(pid), cpu_text(CPU_A, "owner"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, cpu_number(CPU_A, "late"));
	EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));
	EXPECT_STREQ("none", cpu_text(CPU_B, "owner"));
	/* reading disturbs nobody */
	for (int i = 0; i < 100; i++)
		cpu_text(CPU_A, "state");
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_STREQ("none", cpu_text(CPU_A, "owner"));
	EXPECT_TRUE(cpu_state_is(CPU_A, "off"));
}

/* ---- 6.6 ------------------------------------------------------------------- */

static const char *switch_now(const char *path)
{
	static char text[64];

	read_text(path, text, sizeof(text));
	return text;
}

TEST_F_TIMEOUT(admin, p6_6_timeout_ms, CASE_TIMEOUT)
{
	static const char *const good[] = { "0", "1", "1000", "60000", "60000\n" };
	static const char *const bad[] = { "60001", "-1", "", "x", "10x", "1 2", "4294967297",
					   "99999999999999999999" };

	EXPECT_EQ(default_timeout_ms(), atol(switch_now(FILE_TIMEOUT)));
	EXPECT_EQ(0644, mode_of(FILE_TIMEOUT));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		EXPECT_EQ(0, write_text(FILE_TIMEOUT, good[i]));
		EXPECT_EQ(atol(good[i]), atol(switch_now(FILE_TIMEOUT)));
	}
	EXPECT_EQ(0, write_text(FILE_TIMEOUT, "777"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (!*bad[i])
			continue;
		EXPECT_LT(write_text(FILE_TIMEOUT, bad[i]), 0) TH_LOG("'%s'", bad[i]);
		EXPECT_STREQ("777", switch_now(FILE_TIMEOUT));
	}
	EXPECT_EQ(-EINVAL, write_text(FILE_TIMEOUT, "60001"));
	EXPECT_EQ(-EINVAL, write_text(FILE_TIMEOUT, "x"));
}

TEST_F_TIMEOUT(admin, p6_6_debug, CASE_TIMEOUT)
{
	EXPECT_STREQ("0", switch_now(FILE_DEBUG));
	EXPECT_EQ(0, write_text(FILE_DEBUG, "1"));
	EXPECT_STREQ("1", switch_now(FILE_DEBUG));
	EXPECT_EQ(-EINVAL, write_text(FILE_DEBUG, "2"));
	EXPECT_EQ(-EINVAL, write_text(FILE_DEBUG, "x"));
	EXPECT_STREQ("1", switch_now(FILE_DEBUG));
	EXPECT_EQ(0, write_text(FILE_DEBUG, "0"));
}

TEST_F_TIMEOUT(admin, p6_6_policy, CASE_TIMEOUT)
{
	EXPECT_STREQ("standard", switch_now(FILE_POLICY));
	EXPECT_EQ(0, write_text(FILE_POLICY, "standard\n"));
	EXPECT_EQ(-ENOENT, write_text(FILE_POLICY, "nobody"));
	EXPECT_EQ(-ENOENT, write_text(FILE_POLICY, "standardx"));
	EXPECT_EQ(-ENOENT, write_text(FILE_POLICY, "stand"));
	EXPECT_STREQ("standard", switch_now(FILE_POLICY));
}

TEST_HARNESS_MAIN
