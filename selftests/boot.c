// SPDX-License-Identifier: GPL-2.0
/*
 * What depends on the boot line. One fixture per boot; run-in-vm starts the
 * program with -f FIXTURE on a boot with the words named there.
 */
#include "modules.h"
#include "kselftest_harness.h"

static void read_file(const char *path, char *text, size_t size)
{
	read_text(path, text, size);
}

static void act_quick(struct stage *s)
{
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

/* Somewhere in the log since boot. */
static bool log_has(const char *one, const char *two)
{
	int log = log_open();
	char line[1024];
	bool found = false;

	lseek(log, 0, SEEK_SET);
	while (!found && log_next(log, line, sizeof(line)) >= 0)
		found = strstr(line, one) && strstr(line, two);
	close(log);
	return found;
}

#define BOOT(name)							\
	FIXTURE(name) { struct stage *s; char list[256], nohz[256], isolated[256]; }; \
	FIXTURE_SETUP(name)						\
	{								\
		self->s = stage_new();					\
		read_file(FILE_LIST, self->list, sizeof(self->list));	\
		read_file(DIR_CPUS "/nohz_full", self->nohz, sizeof(self->nohz)); \
		read_file(DIR_CPUS "/isolated", self->isolated, sizeof(self->isolated)); \
	}								\
	FIXTURE_TEARDOWN(name) { }

/* task_isolation=2,3 and nothing else that concerns CPUs; tsc=reliable is the emulator's need */
BOOT(alone)

TEST_F(alone, p5_5_no_boot_word_but_ours)
{
	static const char *const others[] = { "nohz_full=", "isolcpus=", "rcu_nocbs=", "rcu_nocb_poll",
					      "nosoftlockup", "nowatchdog", "skew_tick", "mce=", "irqaffinity=" };
	char line[4096];

	read_text("/proc/cmdline", line, sizeof(line));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		EXPECT_EQ(NULL, strstr(line, others[i])) TH_LOG("the boot line has %s", others[i]);
	}
	EXPECT_STREQ("2-3", self->list);
	EXPECT_TRUE(ended_well(finish(actor(self->s, 2, act_quick))));
	EXPECT_EQ(0, self->s->error) TH_LOG("%s", self->s->info.refusal);
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
}

/* nohz_full=1-3 isolcpus=domain,managed_irq,1-3 task_isolation=2 */
BOOT(subset)

TEST_F(subset, p6_2_beside_the_other_words_it_only_marks)
{
	EXPECT_STREQ("2", self->list);
	EXPECT_STREQ("1-3", self->nohz);
	EXPECT_STREQ("1-3", self->isolated);
	EXPECT_TRUE(ended_well(finish(actor(self->s, 2, act_quick))));
	EXPECT_EQ(0, self->s->error) TH_LOG("%s", self->s->info.refusal);
}

/* task_isolation=2 nohz_full=1-3 isolcpus=domain,managed_irq,1-3 */
BOOT(subset_first)

TEST_F(subset_first, p6_2_in_any_order)
{
	EXPECT_STREQ("2", self->list);
	EXPECT_STREQ("1-3", self->nohz);
	EXPECT_STREQ("1-3", self->isolated);
}

/* nohz_full=3 isolcpus=domain,managed_irq,3 task_isolation=2-3 */
BOOT(superset)

TEST_F(superset, p6_2_more_than_nohz_full_is_refused_whole)
{
	EXPECT_STREQ("", self->list);
	EXPECT_STREQ("3", self->nohz);
	EXPECT_STREQ("3", self->isolated);
	EXPECT_TRUE(log_has("boot list 2-3 is not within nohz_full=", "is ignored"));
}

/* task_isolation=2-x */
BOOT(bad_list)

TEST_F(bad_list, p6_2_a_bad_list_is_refused_whole)
{
	EXPECT_STREQ("", self->list);
	EXPECT_EQ(NULL, strchr(self->nohz, '2'));
	EXPECT_EQ(NULL, strchr(self->isolated, '2'));
	EXPECT_TRUE(log_has("boot list '2-x' is no list of possible CPUs", "is ignored"));
}

/* task_isolation=2,3 task_isolation_nodefer=text_patching,nonsense,chores */
BOOT(nodefer)

TEST_F(nodefer, the_boot_word_switches_off_what_it_names)
{
	EXPECT_STREQ("2-3", self->list);
	read_file(DIR_ADMIN "/defer_text_patching", self->list, sizeof(self->list));
	EXPECT_STREQ("0", self->list);
	read_file(DIR_ADMIN "/skip_ordering", self->list, sizeof(self->list));
	EXPECT_STREQ("1", self->list);
	read_file(DIR_ADMIN "/skip_chores", self->list, sizeof(self->list));
	EXPECT_STREQ("0", self->list);
	EXPECT_TRUE(log_has("task_isolation_nodefer", "'nonsense' is unknown"));
}

/* task_isolation=2,3 notaskisolation */
BOOT(switched_off)

TEST_F(switched_off, p6_2_notaskisolation_lets_nobody_enter)
{
	EXPECT_STREQ("2-3", self->list);
	EXPECT_TRUE(ended_well(finish(actor(self->s, 2, act_quick))));
	EXPECT_EQ(EPERM, self->s->error);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "notaskisolation")) TH_LOG("%s", self->s->info.refusal);
}

/* nohz_full=2,3, the modules loaded with cpus=2,3 */
BOOT(balanced)

TEST_F(balanced, p6_1_a_balanced_cpu_is_warned_of)
{
	EXPECT_STREQ("2-3", self->list);
	EXPECT_TRUE(log_has("CPU 2", "isolcpus=domain"));
	EXPECT_TRUE(ended_well(finish(actor(self->s, 2, act_quick))));
	EXPECT_EQ(EINVAL, self->s->error);
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "isolcpus=domain")) TH_LOG("%s", self->s->info.refusal);
}

/* task_isolation=2,3 possible_cpus=6: CPU 4 may exist, but does not */
BOOT(absent)

TEST_F(absent, p6_3_an_absent_cpu_is_ENODEV)
{
	EXPECT_EQ(-ENODEV, write_text(FILE_LIST, "4"));
	EXPECT_EQ(-ENODEV, write_text(FILE_LIST, "2,4"));
	EXPECT_STREQ("2-3", self->list);
	read_text(FILE_LIST, self->list, sizeof(self->list));
	EXPECT_STREQ("2-3", self->list);
}

TEST_F_TIMEOUT(absent, p6_1_an_absent_cpu_fails_and_says_so, 2 * CASE_TIMEOUT)
{
	char line[1024];
	int log;

	ASSERT_EQ(0, unload(STANDARD));
	ASSERT_EQ(0, unload(SHELL));
	log = log_open();
	EXPECT_EQ(-ENODEV, load(SHELL, "cpus=2,4"));
	EXPECT_FALSE(is_loaded(SHELL));
	EXPECT_GE(log_find(log, 3000, "CPU 4 is absent", line, sizeof(line)), 0);
	close(log);
	EXPECT_EQ(0, load(SHELL, ""));
	EXPECT_EQ(0, load(STANDARD, ""));
}

/* task_isolation=2,3 without tsc=reliable, the clocksource watchdog on */
BOOT(watchdog)

#define TRACING "/sys/kernel/tracing"

static char trace_text[1 << 20];

static int runs_of(const char *function, int cpu)
{
	char where[16], *line, *save;
	int n = 0;

	read_text(TRACING "/trace", trace_text, sizeof(trace_text));
	snprintf(where, sizeof(where), "[%03d]", cpu);
	for (line = strtok_r(trace_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, function) && strstr(line, where))
			n++;
	return n;
}

TEST_F_TIMEOUT(watchdog, p5_3_walking_timers_skip_listed_cpus, CASE_TIMEOUT)
{
	write_text(TRACING "/events/timer/timer_expire_entry/enable", "1");
	/* eight steps of half a second: a walker that knew no list came by twice */
	EXPECT_TRUE(UNTIL_MS(30000, runs_of("clocksource_watchdog", 0) + runs_of("clocksource_watchdog", 1) >= 8))
		TH_LOG("the watchdog does not run: the test proves nothing");
	EXPECT_GE(runs_of("clocksource_watchdog", 0), 1);
	EXPECT_GE(runs_of("clocksource_watchdog", 1), 1);
	EXPECT_EQ(0, runs_of("clocksource_watchdog", 2));
	EXPECT_EQ(0, runs_of("clocksource_watchdog", 3));
	EXPECT_EQ(0, runs_of("tsc_sync_check", 2));
	EXPECT_EQ(0, runs_of("tsc_sync_check", 3));
	/* off the list it is walked to again */
	ASSERT_EQ(0, write_text(FILE_LIST, "2"));
	EXPECT_TRUE(UNTIL_MS(30000, runs_of("clocksource_watchdog", 3) >= 1));
	EXPECT_EQ(0, runs_of("clocksource_watchdog", 2));
	EXPECT_EQ(0, write_text(FILE_LIST, "2-3"));
	write_text(TRACING "/events/timer/timer_expire_entry/enable", "0");
}

TEST_HARNESS_MAIN
