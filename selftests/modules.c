// SPDX-License-Identifier: GPL-2.0
/* Loading, refusing to load, removing; leaves the default state behind. */
#include "modules.h"
#include "kselftest_harness.h"

static int take_all_out(void)
{
	unload(POLICY("absorb"));
	unload(POLICY("kill_own"));
	unload(POLICY("never_ready"));
	if (is_loaded(STANDARD) && unload(STANDARD))
		return -1;
	return is_loaded(SHELL) ? unload(SHELL) : 0;
}

static int put_back(void)
{
	int error = is_loaded(SHELL) ? 0 : load(SHELL, "");

	return error ? error : is_loaded(STANDARD) ? 0 : load(STANDARD, "");
}

FIXTURE(modules) { struct stage *s; char list[4096]; int a, b; };
FIXTURE_SETUP(modules)
{
	ASSERT_EQ(0, put_back());
	ASSERT_TRUE(settle());
	self->s = stage_new();
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
	self->a = CPU_A;
	self->b = CPU_B;
}
FIXTURE_TEARDOWN(modules)
{
	char list[4096];

	(void)put_back();
	read_text(FILE_LIST, list, sizeof(list));
	if (strcmp(list, self->list))
		write_text(FILE_LIST, self->list);
}

static const char *list_now(void)
{
	static char text[4096];

	read_text(FILE_LIST, text, sizeof(text));
	return text;
}

static void act_quick(struct stage *s)
{
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
}

/* Load with that list; expect the error, and a line of ours that holds both words. */
static void refuse(struct __test_metadata *_metadata, const char *list, int error, const char *value,
		   const char *cure)
{
	char parameters[128], line[1024] = "";
	int log = log_open();

	ASSERT_EQ(0, take_all_out());
	lseek(log, 0, SEEK_END);
	snprintf(parameters, sizeof(parameters), "cpus=%s", list);
	EXPECT_EQ(error, load(SHELL, parameters)) TH_LOG("%s", parameters);
	EXPECT_FALSE(is_loaded(SHELL));
	EXPECT_GE(log_find(log, 3000, "task_isolation", line, sizeof(line)), 0) TH_LOG("a mute refusal");
	EXPECT_NE(NULL, strstr(line, value)) TH_LOG("'%s' lacks '%s'", line, value);
	EXPECT_NE(NULL, strstr(line, cure)) TH_LOG("'%s' lacks '%s'", line, cure);
	close(log);
}

TEST_F_TIMEOUT(modules, p6_1_cpus_gives_the_list, CASE_TIMEOUT)
{
	char parameters[64], alone[16];

	ASSERT_EQ(0, take_all_out());
	snprintf(alone, sizeof(alone), "%d", self->b);
	snprintf(parameters, sizeof(parameters), "cpus=%s", alone);
	ASSERT_EQ(0, load(SHELL, parameters));
	ASSERT_EQ(0, load(STANDARD, ""));
	EXPECT_STREQ(alone, list_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->b, act_quick))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->a, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	EXPECT_EQ(0, take_all_out());
}

TEST_F_TIMEOUT(modules, p6_1_strides_and_all_forms, CASE_TIMEOUT)
{
	char parameters[64], alone[16];

	ASSERT_EQ(0, take_all_out());
	snprintf(alone, sizeof(alone), "%d", self->a);
	snprintf(parameters, sizeof(parameters), "cpus=%d-%d:1/2", self->a, self->b);
	ASSERT_EQ(0, load(SHELL, parameters));
	ASSERT_EQ(0, load(STANDARD, ""));
	EXPECT_STREQ(alone, list_now());
	EXPECT_EQ(0, take_all_out());
}

TEST_F_TIMEOUT(modules, p6_1_without_cpus_the_boot_list_stands, CASE_TIMEOUT)
{
	ASSERT_EQ(0, take_all_out());
	ASSERT_EQ(0, load(SHELL, ""));
	ASSERT_EQ(0, load(STANDARD, ""));
	EXPECT_STREQ(self->list, list_now());
}

TEST_F_TIMEOUT(modules, p6_1_not_nohz_full_fails_and_says_so, CASE_TIMEOUT)
{
	refuse(_metadata, "1", -EINVAL, "CPU 1", "nohz_full");
}

TEST_F_TIMEOUT(modules, p6_1_a_number_that_no_cpu_can_have_fails_and_says_so, CASE_TIMEOUT)
{
	refuse(_metadata, "99999", -ERANGE, "99999", "cpus");
}

TEST_F_TIMEOUT(modules, p6_1_garbage_fails_and_says_so, CASE_TIMEOUT)
{
	refuse(_metadata, "two", -EINVAL, "two", "cpus");
}

TEST_F_TIMEOUT(modules, p6_3_without_a_policy_writing_is_ENODEV, CASE_TIMEOUT)
{
	ASSERT_EQ(0, take_all_out());
	/* always present, and empty or the boot list */
	EXPECT_EQ(0, access(FILE_LIST, F_OK));
	EXPECT_EQ(-ENODEV, write_text(FILE_LIST, "2"));
}

TEST_F_TIMEOUT(modules, p2_7_without_a_policy_48_is_EINVAL, CASE_TIMEOUT)
{
	struct task_isolation_info info;

	ASSERT_EQ(0, take_all_out());
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->a, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	EXPECT_EQ(-1, read_info(&info));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, flags_now());
	EXPECT_EQ(-1, leave());
	EXPECT_EQ(EINVAL, errno);
}

TEST_F_TIMEOUT(modules, p6_12_unload_and_load_again_and_again, 120)
{
	int rounds = default_timeout_ms() > 1000 ? 3 : 10;

	for (int i = 0; i < rounds; i++) {
		int only = i % 2 ? self->a : self->b, other = i % 2 ? self->b : self->a;
		char parameters[32];

		ASSERT_EQ(0, take_all_out()) TH_LOG("round %d", i);
		EXPECT_FALSE(is_loaded(SHELL));
		snprintf(parameters, sizeof(parameters), "cpus=%d", only);
		ASSERT_EQ(0, load(SHELL, parameters)) TH_LOG("round %d", i);
		ASSERT_EQ(0, load(STANDARD, ""));
		ASSERT_TRUE(ended_well(finish(actor(self->s, only, act_quick))));
		ASSERT_EQ(0, self->s->error) TH_LOG("round %d", i);
		ASSERT_TRUE(ended_well(finish(actor(self->s, other, act_quick))));
		ASSERT_EQ(EINVAL, self->s->error) TH_LOG("round %d", i);
	}
	EXPECT_EQ(0, take_all_out());
}

TEST_F_TIMEOUT(modules, p6_12_the_files_come_and_go, CASE_TIMEOUT)
{
	ASSERT_EQ(0, take_all_out());
	EXPECT_NE(0, access(FILE_TIMEOUT, F_OK));
	EXPECT_EQ(0, access(FILE_LIST, F_OK));
	ASSERT_EQ(0, put_back());
	EXPECT_EQ(0, access(FILE_TIMEOUT, F_OK));
	EXPECT_EQ(0, access(cpu_path(self->a, "state"), F_OK));
}

TEST_F_TIMEOUT(modules, p6_12_the_shell_loads_before_or_stays_without_a_policy, CASE_TIMEOUT)
{
	ASSERT_EQ(0, take_all_out());
	ASSERT_EQ(0, load(SHELL, ""));
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->a, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	ASSERT_EQ(0, load(STANDARD, ""));
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->a, act_quick))));
	EXPECT_EQ(0, self->s->error);
}

static void act_sleep_inside(struct stage *s)
{
	char byte;

	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = read(s->fd[0], &byte, 1);
}

/* Asked once and not until it succeeds: nobody may be in the way, or somebody is. */
static int unload_once(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

TEST_F_TIMEOUT(modules, p6_11_modules_in_use_stay_until_a_release, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, self->a, act_sleep_inside);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(-EAGAIN, unload_once(STANDARD));
	EXPECT_EQ(-EAGAIN, unload_once(SHELL));
	EXPECT_EQ(pid, owner_of(self->a));
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	/* the shell waits for its policies, and for nobody else */
	EXPECT_EQ(-EAGAIN, unload_once(SHELL));
	EXPECT_EQ(0, unload_once(STANDARD));
	EXPECT_EQ(0, unload_once(SHELL));
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->value[0]);
}

TEST_F_TIMEOUT(modules, p6_12_a_load_begins_with_the_defaults, CASE_TIMEOUT)
{
	char text[64];

	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "7"));
	ASSERT_EQ(0, write_text(FILE_DEBUG, "1"));
	ASSERT_EQ(0, take_all_out());
	ASSERT_EQ(0, put_back());
	ASSERT_GT(read_text(FILE_RELEASE, text, sizeof(text)), 0);
	EXPECT_STREQ("0", text);
	ASSERT_GT(read_text(FILE_ALLOW, text, sizeof(text)), 0);
	EXPECT_STREQ("privileged", text);
	ASSERT_GT(read_text(FILE_TIMEOUT, text, sizeof(text)), 0);
	EXPECT_STREQ("1000", text);
	ASSERT_GT(read_text(FILE_DEBUG, text, sizeof(text)), 0);
	EXPECT_STREQ("0", text);
	EXPECT_TRUE(ended_well(finish(actor(self->s, self->a, act_quick))));
	EXPECT_EQ(0, self->s->error);
}

TEST_HARNESS_MAIN
