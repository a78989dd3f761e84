// SPDX-License-Identifier: GPL-2.0
/* Who may enter, who may not, and what the one learns of the other. */
#include "isolation.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include "kselftest_harness.h"

#define NOBODY	65534
#define GROUP	4242

FIXTURE(allow) { struct stage *s; };
FIXTURE_SETUP(allow)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
}
FIXTURE_TEARDOWN(allow)
{
	restore_switches();
}

static const char *allow_now(void)
{
	static char text[64];

	read_text(FILE_ALLOW, text, sizeof(text));
	return text;
}

/* ---- callers: who they are ----------------------------------------------------- */

static void set_caps(__u64 permitted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = permitted, .permitted = permitted },
		{ .effective = permitted >> 32, .permitted = permitted >> 32 },
	};

	if (syscall(SYS_capset, &header, data))
		_exit(120);
}

static __u64 caps_now(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(121);
	return data[0].permitted | (__u64)data[1].permitted << 32;
}

static void become(gid_t real, gid_t effective, gid_t saved, uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(real, effective, saved) || setresuid(uid, uid, uid))
		_exit(122);
}

static void be_root(void) { }

static void be_nobody(void)
{
	become(NOBODY, NOBODY, NOBODY, NOBODY);
}

static void be_nobody_with_nice(void)
{
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	be_nobody();
	set_caps(1ULL << CAP_SYS_NICE);
}

static void be_root_without_nice(void)
{
	set_caps(caps_now() & ~(1ULL << CAP_SYS_NICE));
}

/* CAP_SYS_NICE permitted, but not effective. */
static void be_root_with_sleeping_nice(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(121);
	data[0].effective &= ~(1U << CAP_SYS_NICE);
	if (syscall(SYS_capset, &header, data))
		_exit(120);
}

static void in_group(void)
{
	become(GROUP, GROUP, GROUP, NOBODY);
}

static void with_effective_group(void)
{
	become(NOBODY, GROUP, NOBODY, NOBODY);
}

static void with_supplementary_group(void)
{
	static const gid_t groups[] = { 7, GROUP, 5000 };

	if (setgroups(3, groups) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(122);
}

static void with_real_group(void)
{
	become(GROUP, NOBODY, NOBODY, NOBODY);
}

static void with_saved_group(void)
{
	become(NOBODY, NOBODY, GROUP, NOBODY);
}

/* A group for file access only, which a real one allows to take on. */
static void with_file_group(void)
{
	become(GROUP, NOBODY, NOBODY, NOBODY);
	setfsgid(GROUP);
	if (setfsgid(-1) != GROUP)
		_exit(123);
}

static void map_ids(unsigned int uid, unsigned int gid)
{
	char text[32];

	if (write_text("/proc/self/setgroups", "deny"))
		_exit(124);
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (write_text("/proc/self/uid_map", text))
		_exit(125);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	if (write_text("/proc/self/gid_map", text))
		_exit(126);
}

/* Root of a namespace of its own, with every capability in there. */
static void be_root_of_namespace(gid_t gid)
{
	become(gid, gid, gid, NOBODY);
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || unshare(CLONE_NEWUSER))
		_exit(127);
	map_ids(NOBODY, gid);
	if (getuid() || getgid() || !(caps_now() & 1ULL << CAP_SYS_NICE))
		_exit(128);
}

static void be_nobody_as_root_of_namespace(void)
{
	be_root_of_namespace(NOBODY);
}

static void be_group_as_root_of_namespace(void)
{
	be_root_of_namespace(GROUP);
}

/* The same from root: its capabilities are those of the new namespace only. */
static void be_root_in_another_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(127);
	map_ids(0, 0);
	if (!(caps_now() & 1ULL << CAP_SYS_NICE))
		_exit(128);
}

static void be_root_in_cgroup_namespace(void)
{
	if (unshare(CLONE_NEWCGROUP))
		_exit(127);
}

static void be_nobody_in_cgroup_namespace(void)
{
	be_root_in_cgroup_namespace();
	be_nobody();
}

static void (*who)(void);

/* A change of credentials forgets that the child shall not outlive the test. */
static void change_sides(void)
{
	who();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static void act_try(struct stage *s)
{
	change_sides();
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
	s->value[0] = read_info(&s->info) ? errno : 0;
	s->value[1] = leave() ? errno : 0;
}

/* How entering ends for such a caller; -1 when the test itself failed. */
static int try_as(struct stage *s, void (*caller)(void))
{
	int status;

	memset(s, 0, sizeof(*s));
	s->error = -1;
	who = caller;
	status = finish(actor(s, CPU_A, act_try));
	if (!ended_well(status)) {
		printf("# caller ended with status %#x\n", status);
		return -1;
	}
	return s->error;
}

#define ENTERS(caller) do {						\
	EXPECT_EQ(0, try_as(self->s, caller)) TH_LOG("%s: '%s'", #caller, self->s->info.refusal); \
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after) TH_LOG("%s", #caller); \
	EXPECT_EQ(0, self->s->value[1]);				\
	EXPECT_EQ(0, owner_of(CPU_A));					\
} while (0)

/* Asking and leaving stay open to all. */
#define IS_REFUSED(caller, word) do {					\
	EXPECT_EQ(EPERM, try_as(self->s, caller)) TH_LOG("%s", #caller); \
	EXPECT_EQ(0, self->s->flags_after);				\
	EXPECT_EQ(0, self->s->value[0]);				\
	EXPECT_EQ(0, self->s->value[1]);				\
	EXPECT_EQ(EPERM, self->s->info.refusal_errno);			\
	EXPECT_NE(NULL, strstr(self->s->info.refusal, word))		\
		TH_LOG("%s: '%s' lacks '%s'", #caller, self->s->info.refusal, word); \
	EXPECT_EQ(0, owner_of(CPU_A));					\
} while (0)

/* ---- the three settings -------------------------------------------------------- */

TEST_F_TIMEOUT(allow, p6_8_privileged, CASE_TIMEOUT)
{
	EXPECT_STREQ("privileged", allow_now());
	ENTERS(be_root);
	ENTERS(be_nobody_with_nice);
	IS_REFUSED(be_nobody, "CAP_SYS_NICE");
	IS_REFUSED(in_group, "CAP_SYS_NICE");
	IS_REFUSED(be_root_without_nice, "CAP_SYS_NICE");
	IS_REFUSED(be_root_with_sleeping_nice, "CAP_SYS_NICE");
}

TEST_F_TIMEOUT(allow, p6_8_capabilities_of_another_namespace_do_not_count, CASE_TIMEOUT)
{
	IS_REFUSED(be_nobody_as_root_of_namespace, "CAP_SYS_NICE");
	IS_REFUSED(be_root_in_another_namespace, "CAP_SYS_NICE");
}

TEST_F_TIMEOUT(allow, p6_8_a_cgroup_namespace_changes_nothing, CASE_TIMEOUT)
{
	ENTERS(be_root_in_cgroup_namespace);
	IS_REFUSED(be_nobody_in_cgroup_namespace, "CAP_SYS_NICE");
}

TEST_F_TIMEOUT(allow, p6_8_a_group, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_ALLOW, "gid=4242"));
	EXPECT_STREQ("gid=4242", allow_now());
	ENTERS(in_group);
	ENTERS(with_effective_group);
	ENTERS(with_supplementary_group);
	/* a privileged one needs no group */
	ENTERS(be_root);
	ENTERS(be_nobody_with_nice);
	IS_REFUSED(be_nobody, "group");
	IS_REFUSED(with_real_group, "group");
	IS_REFUSED(with_saved_group, "group");
	IS_REFUSED(with_file_group, "group");
}

/* It is the group outside that counts, whatever number the namespace gives it. */
TEST_F_TIMEOUT(allow, p6_8_a_group_seen_from_a_user_namespace, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_ALLOW, "gid=4242"));
	ENTERS(be_group_as_root_of_namespace);
	IS_REFUSED(be_nobody_as_root_of_namespace, "group");
	ASSERT_EQ(0, write_text(FILE_ALLOW, "gid=0"));
	/* group 0 in there, another one outside */
	IS_REFUSED(be_group_as_root_of_namespace, "group");
	/* in group 0 outside, though nothing of its capabilities counts there */
	ENTERS(be_root_without_nice);
	ENTERS(be_root_in_another_namespace);
}

TEST_F_TIMEOUT(allow, p6_8_any, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	EXPECT_STREQ("any", allow_now());
	ENTERS(be_root);
	ENTERS(be_nobody);
	ENTERS(with_real_group);
	ENTERS(be_root_without_nice);
	ENTERS(be_nobody_as_root_of_namespace);
	ASSERT_EQ(0, write_text(FILE_ALLOW, "privileged"));
	IS_REFUSED(be_nobody, "CAP_SYS_NICE");
}

/* ---- the file ------------------------------------------------------------------- */

TEST_F_TIMEOUT(allow, p6_8_what_the_file_takes, CASE_TIMEOUT)
{
	static const struct { const char *text, *shown; } good[] = {
		{ "any", "any" }, { "any\n", "any" }, { "gid=0", "gid=0" }, { "gid=1\n", "gid=1" },
		{ "gid=65534", "gid=65534" }, { "gid=4294967294", "gid=4294967294" },
		{ "privileged", "privileged" }, { "privileged\n", "privileged" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		EXPECT_EQ(0, write_text(FILE_ALLOW, good[i].text)) TH_LOG("'%s'", good[i].text);
		EXPECT_STREQ(good[i].shown, allow_now());
	}
}

TEST_F_TIMEOUT(allow, p6_8_refused_texts_change_nothing, CASE_TIMEOUT)
{
	static const char *const settings[] = { "privileged", "gid=4242", "any" };
	static const char *const bad[] = {
		"\n", "Any", "anyone", "an", "any x", "any,gid=1", "gid", "gid=", "gid=\n", "gid=x",
		"gid=1x", "gid=1 2", "gid=-1", "gid=4294967295", "gid=4294967296",
		"gid=18446744073709551617", "GID=1", "uid=0", "1", "root", "privileged any", "privilege",
	};

	for (size_t set = 0; set < 3; set++) {
		ASSERT_EQ(0, write_text(FILE_ALLOW, settings[set]));
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			EXPECT_EQ(-EINVAL, write_text(FILE_ALLOW, bad[i])) TH_LOG("'%s'", bad[i]);
			EXPECT_STREQ(settings[set], allow_now());
		}
	}
	/* and not by what is shown alone */
	ENTERS(be_nobody);
}

TEST_F_TIMEOUT(allow, p6_8_only_root_writes, CASE_TIMEOUT)
{
	struct stat st;
	int status;
	pid_t pid;

	ASSERT_EQ(0, stat(FILE_ALLOW, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	pid = fork();
	if (!pid) {
		be_nobody();
		if (strcmp(allow_now(), "privileged"))
			_exit(2);
		_exit(write_text(FILE_ALLOW, "any") == -EACCES ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status) TH_LOG("status %#x", status);
	EXPECT_STREQ("privileged", allow_now());
}

static void act_spin_as(struct stage *s)
{
	change_sides();
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->value[0] = enter(s->flags) ? errno : 0;
	s->value[1] = flags_now();
}

/* It is about entering: who is inside stays, untouched. */
TEST_F_TIMEOUT(allow, p6_8_a_new_setting_throws_nobody_out, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	who = be_nobody;
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_spin_as);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, write_text(FILE_ALLOW, "gid=4242"));
	ASSERT_EQ(0, write_text(FILE_ALLOW, "privileged"));
	EXPECT_TRUE(isolated(self->s, pid));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(STRICT, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
	/* a call that is refused changes nothing for it either (2.8) */
	EXPECT_EQ(EPERM, self->s->value[0]);
	EXPECT_EQ((long)STRICT, self->s->value[1]);
}

static void act_wrong_in_two_ways(struct stage *s)
{
	be_nobody();
	s->value[0] = enter(STRICT | 1UL << 20) ? errno : 0;
	bind_to(HOUSE + 1);
	s->value[1] = enter(STRICT) ? errno : 0;
	read_info(&s->info);
}

TEST_F_TIMEOUT(allow, p2_7_not_allowed_stands_after_flags_before_affinity, CASE_TIMEOUT)
{
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_wrong_in_two_ways))));
	EXPECT_EQ(EINVAL, self->s->value[0]);
	EXPECT_EQ(EPERM, self->s->value[1]);
}

TEST_F_TIMEOUT(allow, p2_9_a_refusal_names_the_cure, CASE_TIMEOUT)
{
	IS_REFUSED(be_nobody, "CAP_SYS_NICE");
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "allow")) TH_LOG("'%s'", self->s->info.refusal);
	ASSERT_EQ(0, write_text(FILE_ALLOW, "gid=4242"));
	IS_REFUSED(be_nobody, "group");
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "allow")) TH_LOG("'%s'", self->s->info.refusal);
}

/* ---- what a caller learns of other users' tasks ------------------------------------ */

static bool says_number(const char *text, long number)
{
	for (const char *at = text; *at;) {
		char *end;

		if (*at < '0' || *at > '9') {
			at++;
			continue;
		}
		if (strtol(at, &end, 10) == number)
			return true;
		at = end;
	}
	return false;
}

TEST_F_TIMEOUT(allow, p6_8_another_user_s_owner_is_not_named, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	who = be_root;
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin_as);
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(EBUSY, try_as(second, be_nobody));
	EXPECT_EQ(EBUSY, second->info.refusal_errno);
	EXPECT_NE(NULL, strstr(second->info.refusal, "owned"))
		TH_LOG("'%s'", second->info.refusal);
	EXPECT_FALSE(says_number(second->info.refusal, pid)) TH_LOG("'%s'", second->info.refusal);
	/* one who may look at everybody learns it */
	EXPECT_EQ(EBUSY, try_as(second, be_root));
	EXPECT_TRUE(says_number(second->info.refusal, pid)) TH_LOG("'%s'", second->info.refusal);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_intrude_as(struct stage *s)
{
	change_sides();
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	act_intruder(s);
}

static void learn_of_company(struct __test_metadata *_metadata, struct stage *s,
			     void (*company)(void), void (*caller)(void), bool named)
{
	struct stage *second = stage_new();
	pid_t other;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "100"));
	who = company;
	other = actor(second, CPU_A, act_intrude_as);
	ASSERT_TRUE(UNTIL(second->turns > 1));
	EXPECT_EQ(EAGAIN, try_as(s, caller));
	EXPECT_TRUE(s->info.refusal_unmet & TASK_ISOLATION_UNMET_TASK);
	EXPECT_NE('\0', s->info.refusal[0]) TH_LOG("a mute refusal");
	EXPECT_EQ(named, !!strstr(s->info.refusal, "intruder")) TH_LOG("'%s'", s->info.refusal);
	EXPECT_EQ(named, says_number(s->info.refusal, other)) TH_LOG("'%s'", s->info.refusal);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
}

TEST_F_TIMEOUT(allow, p6_8_another_user_s_task_in_the_way_is_not_named, CASE_TIMEOUT)
{
	learn_of_company(_metadata, self->s, be_root, be_nobody, false);
}

TEST_F_TIMEOUT(allow, p2_9_the_caller_s_own_task_in_the_way_is_named, CASE_TIMEOUT)
{
	learn_of_company(_metadata, self->s, be_nobody, be_nobody, true);
}

TEST_F_TIMEOUT(allow, p2_9_a_privileged_caller_learns_any_task_in_the_way, CASE_TIMEOUT)
{
	learn_of_company(_metadata, self->s, be_nobody, be_nobody_with_nice, true);
}

static void act_lose_as(struct stage *s)
{
	change_sides();
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	spin_until_may(s, 1);
	read_info(&s->info);
}

/* The record of a loss is read by the same call. */
TEST_F_TIMEOUT(allow, p6_8_another_user_s_intruder_is_not_named_to_the_loser, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid, other;
	char named[24];

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	who = be_nobody;
	pid = actor(self->s, CPU_A, act_lose_as);
	AWAIT_ISOLATED(AT_ENTERED);
	who = be_root;
	other = actor(second, CPU_A, act_intrude_as);
	ASSERT_TRUE(UNTIL(self->s->hits == 1));
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(TASK_ISOLATION_CAUSE_PREEMPTED, self->s->info.loss_cause);
	EXPECT_FALSE(says_number(self->s->info.loss, other)) TH_LOG("'%s'", self->s->info.loss);
	EXPECT_NE(other, self->s->info.loss_detail);
	EXPECT_NE(other, self->s->seen.si_pid);
	/* root reads it all in the file */
	snprintf(named, sizeof(named), "/%d", other);
	EXPECT_NE(NULL, strstr(cpu_text(CPU_A, "last_loss"), named))
		TH_LOG("'%s'", cpu_text(CPU_A, "last_loss"));
}

/* ---- namespaces of pids --------------------------------------------------------------- */

/* The caller becomes process 1 of a pid namespace: its child acts, and it waits. */
static void go_into_pid_namespace(struct stage *s)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		_exit(129);
	pid = fork();
	if (pid) {
		if (waitpid(pid, &status, 0) != pid || status)
			_exit(130);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getpid() != 1)
		_exit(131);
	be_resident(s);
}

static void act_try_in_pid_namespace(struct stage *s)
{
	go_into_pid_namespace(s);
	act_try(s);
}

TEST_F_TIMEOUT(allow, p6_8_an_owner_outside_the_pid_namespace_is_not_named, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid;

	who = be_root;
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin_as);
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_TRUE(ended_well(finish(actor(second, CPU_A, act_try_in_pid_namespace))));
	EXPECT_EQ(EBUSY, second->error);
	/* that number is another task's in there, or nobody's */
	EXPECT_FALSE(says_number(second->info.refusal, pid)) TH_LOG("'%s'", second->info.refusal);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_own_and_be_refused_in_pid_namespace(struct stage *s)
{
	pid_t pid;

	go_into_pid_namespace(s);
	pid = fork();
	if (!pid) {
		be_resident(s);
		if (!enter_on_stage(s, PERSISTENT))
			spin_until_may(s, 1);
		_exit(0);
	}
	bind_to(HOUSE + 1);
	while (s->at < AT_ENTERED)
		rest();
	bind_to(s->cpu);
	s->value[2] = pid;
	s->value[3] = enter(PERSISTENT) ? errno : 0;
	read_info(&s->info);
	bind_to(HOUSE + 1);
	s->at = AT_ENTERED + 1;
	waitpid(pid, NULL, 0);
}

TEST_F_TIMEOUT(allow, p6_8_an_owner_in_the_caller_s_pid_namespace, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_own_and_be_refused_in_pid_namespace);
	pid_t outside;

	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED)) TH_LOG("at %d", self->s->at);
	ASSERT_EQ(0, self->s->error);
	/* outside, the file says the number that holds outside */
	outside = owner_of(CPU_A);
	EXPECT_GT(outside, 1);
	EXPECT_NE(self->s->value[2], outside);
	EXPECT_EQ(0, kill(outside, 0));
	EXPECT_EQ(EBUSY, self->s->value[3]);
	/* inside, the number that holds inside or none */
	EXPECT_FALSE(says_number(self->s->info.refusal, outside))
		TH_LOG("'%s'", self->s->info.refusal);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_lose_in_pid_namespace(struct stage *s)
{
	go_into_pid_namespace(s);
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	spin_until_may(s, 1);
	syscall(SYS_getppid);
	read_info(&s->info);
}

TEST_F_TIMEOUT(allow, p6_8_a_loss_in_a_pid_namespace_is_recorded_as_seen_from_outside, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_in_pid_namespace);
	pid_t outside;

	ASSERT_TRUE(UNTIL(self->s->at >= AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	outside = owner_of(CPU_A);
	EXPECT_GT(outside, 1);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->info.loss_cause);
	EXPECT_TRUE(last_loss_is(CPU_A, outside, "syscall"))
		TH_LOG("'%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_FALSE(says_number(self->s->info.loss, outside)) TH_LOG("'%s'", self->s->info.loss);
}

/* Numbers and names of owners are for root, also in the files. */
TEST_F_TIMEOUT(allow, p6_5_the_files_that_name_somebody_are_closed_to_others, CASE_TIMEOUT)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		char text[256];

		be_nobody();
		if (read_text(cpu_path(CPU_A, "owner"), text, sizeof(text)) != -EACCES)
			_exit(1);
		if (read_text(cpu_path(CPU_A, "last_loss"), text, sizeof(text)) != -EACCES)
			_exit(2);
		_exit(read_text(cpu_path(CPU_A, "state"), text, sizeof(text)) > 0 ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status) TH_LOG("status %#x", status);
}

TEST_HARNESS_MAIN
