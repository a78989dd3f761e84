// SPDX-License-Identifier: GPL-2.0
/*
 * execve in all its forms: from a vfork child, from and beside a sibling
 * thread, by descriptor, of scripts and of unmodified programs; and images
 * that fail early and late. life.c has execve plain and privileged.
 */
#include "isolation.h"
#include <elf.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include "kselftest_harness.h"

STAGE_FIXTURE(one)

MODES_FIXTURE(modes)

/* ---- images and their reports ------------------------------------------- */

struct report {
	long flags, state;
	unsigned long long own, foreign, late;
	int uid;
};

/* What image.c says; several may have been said into one pipe. */
static bool read_report(int fd, struct report *r)
{
	char text[160] = "";
	size_t len = 0;

	(void)UNTIL(({
		while (len + 1 < sizeof(text) && read(fd, text + len, 1) == 1 && text[len++] != '\n')
			;
		len && text[len - 1] == '\n';
	}));
	return sscanf(text, "%ld %ld %llu %llu %llu %d", &r->flags, &r->state, &r->own,
		      &r->foreign, &r->late, &r->uid) == 6;
}

/* The image that reports lies beside this program. */
static const char *image_path(void)
{
	static char path[300];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 8);

	if (n < 0)
		return "?";
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, "image");
	return path;
}

/* A file of the tests' own in a file system without restrictions. */
static int put_file(char *path, size_t size, const char *name, const void *bytes, size_t len,
		    mode_t mode)
{
	int fd;

	snprintf(path, size, "/tmp/exec-%s", name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode))
		return -1;
	return close(fd);
}

static int put_image(char *path, size_t size, const char *name, mode_t mode)
{
	static char bytes[4 << 20];
	int fd = open(image_path(), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	close(fd);
	return n <= 0 || n == sizeof(bytes) ? -1 : put_file(path, size, name, bytes, n, mode);
}

/* Actor: descriptor 3 is where the image reports, 4 the page that stops it. */
static void place_descriptors(struct stage *s)
{
	int report = fcntl(s->fd[1], F_DUPFD, 50);
	int stop = s->value[7] ? fcntl(s->value[7], F_DUPFD, 50) : -1;

	dup2(report, 3);
	if (stop >= 0)
		dup2(stop, 4);
}

static int stop_page(void)
{
	int fd = memfd_create("stop", 0);

	return fd < 0 || ftruncate(fd, 4096) ? -1 : fd;
}

/* ---- vfork -------------------------------------------------------------- */

static void act_vfork_and_exec(struct stage *s)
{
	char *argv[] = { s->bytes, NULL };
	int status = -1;
	pid_t pid;

	place_descriptors(s);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	pid = vfork();
	if (!pid) {
		execve(s->bytes, argv, NULL);
		_exit(110);
	}
	waitpid(pid, &status, 0);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->value[0] = status;
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	leave();
}

TEST_F_TIMEOUT(one, p4_2_the_parent_of_a_vfork_stays_and_its_child_is_not, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	struct report r = { 0 };
	pid_t pid;

	strcpy(s->bytes, image_path());
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	pid = actor(s, CPU_A, act_vfork_and_exec);
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_TRUE(ended_well(s->value[0])) TH_LOG("child ended with %#lx", s->value[0]);
	ASSERT_TRUE(read_report(s->fd[0], &r));
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(TASK_ISOLATION_OFF, r.state);
	EXPECT_EQ(0, r.own + r.foreign);
	EXPECT_EQ((long)PERSISTENT, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
	/* vfork, wait4 */
	EXPECT_EQ(2 + 2 * s->toll, s->info.own - s->before.own);
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	NEXT_CAN_ENTER(STRICT);
}

/* ---- threads ------------------------------------------------------------ */

/* In both the isolated thread is on its CPU, and the other on a housekeeping CPU. */
static void *isolated_thread(void *arg)
{
	struct stage *s = arg;

	bind_to(CPU_A);
	s->value[3] = syscall(SYS_gettid);
	prefault();
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 100);
	return NULL;
}

static void *execing_thread(void *arg)
{
	struct stage *s = arg;
	char *argv[] = { s->bytes, NULL };

	bind_to(HOUSE);
	s->helper = 1;
	while (s->order < 1)
		rest();
	execve(s->bytes, argv, NULL);
	_exit(110);
}

static void act_leader_execs(struct stage *s)
{
	place_descriptors(s);
	bind_to(HOUSE);
	start_thread(isolated_thread, s);
	execing_thread(s);
}

static void act_thread_execs(struct stage *s)
{
	place_descriptors(s);
	start_thread(execing_thread, s);
	while (!s->helper)
		rest();
	be_resident(s);
	s->value[3] = getpid();
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 100);
}

static void exec_beside(struct __test_metadata *_metadata, struct stage *s, act_fn act)
{
	struct report r = { 0 };
	pid_t pid;
	int status;

	strcpy(s->bytes, image_path());
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	pid = actor(s, CPU_A, act);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED && s->helper));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, s->value[3]))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	s->order = 1;
	status = finish(pid);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	ASSERT_TRUE(read_report(s->fd[0], &r));
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(TASK_ISOLATION_OFF, r.state);
	EXPECT_EQ(0, r.own + r.foreign);
	EXPECT_EQ(0, s->hits);
	NEXT_CAN_ENTER(STRICT);
}

TEST_F_TIMEOUT(modes, p4_2_the_leader_execs_beside_an_isolated_thread, CASE_TIMEOUT)
{
	exec_beside(_metadata, self->s, act_leader_execs);
}

TEST_F_TIMEOUT(modes, p4_2_a_thread_execs_beside_an_isolated_leader, CASE_TIMEOUT)
{
	exec_beside(_metadata, self->s, act_thread_execs);
}

/* SIGKILL comes to the thread as to anybody: a delivery, counted and recorded. */
static void act_leader_exits(struct stage *s)
{
	bind_to(HOUSE);
	start_thread(isolated_thread, s);
	s->helper = 1;
	while (s->order < 1)
		rest();
	syscall(SYS_exit_group, 0);
}

static void goes_with_its_group(struct __test_metadata *_metadata, struct stage *s, act_fn act)
{
	pid_t pid;

	strcpy(s->bytes, image_path());
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	pid = actor(s, CPU_A, act);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED && s->helper));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, s->value[3]))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	s->order = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
	EXPECT_LAST_LOSS(s->value[3], "signal 9");
}

TEST_F_TIMEOUT(modes, p7_2_a_thread_that_goes_by_execve_is_recorded, CASE_TIMEOUT)
{
	goes_with_its_group(_metadata, self->s, act_leader_execs);
}

TEST_F_TIMEOUT(modes, p7_2_a_thread_that_goes_by_exit_group_is_recorded, CASE_TIMEOUT)
{
	goes_with_its_group(_metadata, self->s, act_leader_exits);
}

/* The isolated thread is not the leader, and is the one that calls execve. */
static void *isolated_thread_execs(void *arg)
{
	struct stage *s = arg;
	char *argv[] = { s->bytes, s->value[7] ? "spin" : NULL, NULL };

	bind_to(CPU_A);
	s->value[3] = syscall(SYS_gettid);
	prefault();
	if (!enter_on_stage(s, s->flags)) {
		spin_until_may(s, 1);
		syscall(SYS_execve, s->bytes, argv, NULL);
	}
	s->value[2] = 1;
	return NULL;
}

static void act_thread_execs_itself(struct stage *s)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	place_descriptors(s);
	bind_to(HOUSE);
	start_thread(isolated_thread_execs, s);
	pause();
}

TEST_F_TIMEOUT(modes, p4_2_an_isolated_thread_execs, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	struct report r = { 0 };
	pid_t pid;
	int status;

	strcpy(s->bytes, image_path());
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	s->value[7] = variant->mode == MODE_PERSISTENT ? stop_page() : 0;
	pid = actor(s, CPU_A, act_thread_execs_itself);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_EQ(0, s->error);
	EXPECT_NE(pid, s->value[3]);
	ASSERT_TRUE(UNTIL(isolated(s, s->value[3]))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	s->may = 1;
	if (variant->mode == MODE_PERSISTENT) {
		ASSERT_TRUE(read_report(s->fd[0], &r));
		EXPECT_EQ((long)variant->flags, r.flags);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, r.state);
		EXPECT_GE(r.own, 1);
		/* the same task under the leader's number */
		EXPECT_EQ(pid, owner_of(CPU_A));
		EXPECT_TRUE(UNTIL(cpu_state_is(CPU_A, "isolated")));
		ASSERT_EQ(1, pwrite(s->value[7], "x", 1, 0));
	}
	status = finish(pid);
	switch (variant->mode) {
	case MODE_STRICT:
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		break;
	case MODE_SIGNAL:
		EXPECT_TRUE(killed_by(status, CHOSEN)) TH_LOG("status %#x", status);
		break;
	case MODE_PERSISTENT:
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		break;
	case MODE_ONE_SHOT:
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		ASSERT_TRUE(read_report(s->fd[0], &r));
		EXPECT_EQ(0, r.flags);
		EXPECT_EQ(TASK_ISOLATION_OFF, r.state);
		break;
	}
	if (variant->mode != MODE_PERSISTENT) {
		EXPECT_LAST_LOSS(s->value[3], "syscall 59");
	}
	EXPECT_EQ(0, s->value[2]);
	NEXT_CAN_ENTER(STRICT);
}

/* ---- the restart after a chosen signal ----------------------------------- */

static void act_exec_with_handler(struct stage *s)
{
	char *argv[] = { s->bytes, NULL };

	handle(CHOSEN, on_chosen, 0);
	place_descriptors(s);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	syscall(SYS_execve, s->bytes, argv, NULL);
	_exit(110);
}

TEST_F_TIMEOUT(one, p4_2_execve_restarts_after_the_handler, CASE_TIMEOUT)
{
	struct report r = { 0 };
	pid_t pid;

	strcpy(self->s->bytes, image_path());
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	pid = actor(self->s, CPU_A, act_exec_with_handler);
	EXPECT_TRUE(ended_well(finish(pid)));
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(0, r.flags);
	EXPECT_NE(TASK_ISOLATION_ISOLATED, r.state);
	EXPECT_LAST_LOSS(pid, "syscall 59");
	NEXT_CAN_ENTER(STRICT);
}

/* ---- set-user-ID -------------------------------------------------------- */

/* Another user, who may enter all the same. */
static void become_nobody_who_may(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	data[0].permitted = data[0].effective = 1U << CAP_SYS_NICE;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534) || syscall(SYS_capset, &header, data))
		_exit(109);
}

static void act_exec_as_nobody(struct stage *s)
{
	char *argv[] = { s->bytes, NULL };

	place_descriptors(s);
	become_nobody_who_may();
	if (enter_on_stage(s, s->flags))
		return;
	syscall(SYS_execve, s->bytes, argv, NULL);
	s->value[2] = errno;
	_exit(110);
}

TEST_F_TIMEOUT(modes, p4_2_a_set_user_id_program, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	struct report r = { 0 };
	pid_t pid;
	int status;

	ASSERT_EQ(0, put_image(s->bytes, sizeof(s->bytes), "suid", 04755));
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	pid = actor(s, CPU_A, act_exec_as_nobody);
	status = finish(pid);
	ASSERT_EQ(0, s->error);
	if (variant->mode == MODE_STRICT || variant->mode == MODE_SIGNAL) {
		char byte;

		/* refused before anybody looks at the file */
		EXPECT_TRUE(killed_by(status, variant->mode == MODE_STRICT ? SIGKILL : CHOSEN))
			TH_LOG("status %#x", status);
		EXPECT_NE(1, read(s->fd[0], &byte, 1)) TH_LOG("the new image ran");
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x, errno %ld", status, s->value[2]);
		ASSERT_TRUE(read_report(s->fd[0], &r));
		EXPECT_EQ(0, r.uid) TH_LOG("the exec was not privileged: the test proves nothing");
		EXPECT_EQ(0, r.flags);
		EXPECT_NE(TASK_ISOLATION_ISOLATED, r.state);
	}
	EXPECT_LAST_LOSS(pid, "syscall 59");
	unlink(s->bytes);
	NEXT_CAN_ENTER(STRICT);
}

/* A script cannot be set-user-ID: its interpreter is what counts. */
TEST_F_TIMEOUT(one, p4_2_a_set_user_id_script_is_not_privileged, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	struct report r = { 0 };
	char text[320];
	int len = snprintf(text, sizeof(text), "#!%s\n", image_path());

	ASSERT_EQ(0, put_file(s->bytes, sizeof(s->bytes), "suid-script", text, len, 04755));
	ASSERT_EQ(0, pipe2(s->fd, O_NONBLOCK));
	s->flags = PERSISTENT;
	EXPECT_TRUE(ended_well(finish(actor(s, CPU_A, act_exec_as_nobody))));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(read_report(s->fd[0], &r)) TH_LOG("errno %ld", s->value[2]);
	EXPECT_EQ(65534, r.uid);
	EXPECT_EQ((long)PERSISTENT, r.flags);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, r.state);
	unlink(s->bytes);
}

/* ---- other ways to name an image ----------------------------------------- */

enum { BY_EXECVEAT, BY_EMPTY_PATH, BY_FEXECVE, BY_SCRIPT, BY_SCRIPT_OF_SCRIPT };

static void act_exec_by(struct stage *s)
{
	char *argv[] = { s->bytes, NULL }, *envp[] = { NULL };
	char *name = strrchr(s->bytes, '/') + 1;
	int file = open(s->bytes, O_RDONLY | O_CLOEXEC);
	int dir;

	*strrchr(s->bytes, '/') = 0;
	dir = open(s->bytes[0] ? s->bytes : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->bytes[strlen(s->bytes)] = '/';
	/* a descriptor that is closed by execve cannot name a script */
	place_descriptors(s);
	if (enter_on_stage(s, s->flags))
		return;
	switch (s->value[5]) {
	case BY_EXECVEAT:
		syscall(SYS_execveat, dir, name, argv, envp, 0);
		break;
	case BY_EMPTY_PATH:
		syscall(SYS_execveat, file, "", argv, envp, AT_EMPTY_PATH);
		break;
	case BY_FEXECVE:
		fexecve(file, argv, envp);
		break;
	default:
		syscall(SYS_execve, s->bytes, argv, envp);
	}
	s->value[2] = errno;
	_exit(110);
}

FIXTURE(way) { struct stage *s; };
FIXTURE_VARIANT(way) { int way; };
FIXTURE_VARIANT_ADD(way, execveat) { .way = BY_EXECVEAT };
FIXTURE_VARIANT_ADD(way, empty_path) { .way = BY_EMPTY_PATH };
FIXTURE_VARIANT_ADD(way, fexecve) { .way = BY_FEXECVE };
FIXTURE_VARIANT_ADD(way, script) { .way = BY_SCRIPT };
FIXTURE_VARIANT_ADD(way, script_of_script) { .way = BY_SCRIPT_OF_SCRIPT };
FIXTURE_SETUP(way)
{
	char text[320];
	int len = snprintf(text, sizeof(text), "#!%s\n", image_path());

	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->value[5] = variant->way;
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	strcpy(self->s->bytes, image_path());
	if (variant->way < BY_SCRIPT)
		return;
	ASSERT_EQ(0, put_file(self->s->bytes, sizeof(self->s->bytes), "script", text, len, 0755));
	if (variant->way == BY_SCRIPT)
		return;
	len = snprintf(text, sizeof(text), "#!%s\n", self->s->bytes);
	ASSERT_EQ(0, put_file(self->s->bytes, sizeof(self->s->bytes), "script2", text, len, 0755));
}
FIXTURE_TEARDOWN(way)
{
	restore_switches();
}

TEST_F_TIMEOUT(way, p4_2_persistent_stays_on, CASE_TIMEOUT)
{
	struct report r = { 0 };
	int status;

	self->s->flags = PERSISTENT;
	status = finish(actor(self->s, CPU_A, act_exec_by));
	ASSERT_EQ(0, self->s->error);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x, errno %ld", status, self->s->value[2]);
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ((long)PERSISTENT, r.flags);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, r.state);
	EXPECT_GE(r.own, 1);
	EXPECT_EQ(0, r.foreign);
	EXPECT_EQ(0, r.late);
	NEXT_CAN_ENTER(STRICT);
}

TEST_F_TIMEOUT(way, p4_2_strict_loses, CASE_TIMEOUT)
{
	bool at = variant->way < BY_SCRIPT;
	char byte;
	pid_t pid;
	int status;

	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_exec_by);
	status = finish(pid);
	ASSERT_EQ(0, self->s->error);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_NE(1, read(self->s->fd[0], &byte, 1)) TH_LOG("the new image ran");
	EXPECT_LAST_LOSS(pid, at ? "syscall 322" : "syscall 59");
	NEXT_CAN_ENTER(STRICT);
}

TEST_F_TIMEOUT(way, p4_2_one_shot_is_off, CASE_TIMEOUT)
{
	struct report r = { 0 };

	self->s->flags = ONE_SHOT;
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_exec_by))));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(read_report(self->s->fd[0], &r));
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(TASK_ISOLATION_OFF, r.state);
}

/* ---- an unmodified program ------------------------------------------------ */

/* This very program, which with -l prints the names of its tests and ends. */
static void act_wrap(struct stage *s)
{
	char *argv[] = { "/proc/self/exe", "-l", NULL }, *envp[] = { "A=b", NULL };

	dup2(s->fd[1], 1);
	dup2(s->fd[1], 2);
	if (enter_on_stage(s, PERSISTENT))
		return;
	execve(argv[0], argv, envp);
	_exit(110);
}

TEST_F_TIMEOUT(one, p4_2_a_wrapper_isolates_an_unmodified_program, CASE_TIMEOUT)
{
	char text[8192];
	ssize_t len = 0, n;
	int status;

	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	status = finish(actor(self->s, CPU_A, act_wrap));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(WIFEXITED(status)) TH_LOG("status %#x", status);
	/* what listing ends with */
	EXPECT_EQ(KSFT_SKIP, WEXITSTATUS(status));
	while (len + 1 < sizeof(text) &&
	       (n = read(self->s->fd[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	EXPECT_NE(NULL, strstr(text, "a_wrapper_isolates_an_unmodified_program"));
	/* its calls and faults, from the first to the last, and nobody else */
	EXPECT_GE(cpu_number(CPU_A, "own"), 10);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, cpu_number(CPU_A, "late"));
	EXPECT_EQ(0, strcmp(cpu_text(CPU_A, "last_loss"), "none"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	NEXT_CAN_ENTER(STRICT);
}

/* ---- images that fail ----------------------------------------------------- */

struct image {
	Elf64_Ehdr file;
	Elf64_Phdr part[2];
	char interpreter[64];
};

static struct image good_header(void)
{
	struct image image = {
		.file = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0x400000,
			.e_phoff = offsetof(struct image, part),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.part[0] = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = 0x400000,
			.p_filesz = sizeof(image),
			.p_memsz = sizeof(image),
			.p_align = 4096,
		},
	};

	return image;
}

static void act_exec_in_vain(struct stage *s)
{
	char *argv[] = { s->bytes, NULL };
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->value[0] = syscall(SYS_execve, s->bytes, argv, NULL) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
}

TEST_F_TIMEOUT(one, p4_2_an_image_that_fails_early_changes_nothing, CASE_TIMEOUT)
{
	struct image no_interpreter = good_header(), wrong_machine = good_header();
	struct image no_parts = good_header();
	struct {
		const void *bytes;
		size_t len;
		mode_t mode;
		int error;
	} file[] = {
		{ &no_interpreter, sizeof(no_interpreter), 0755, ENOENT },
		{ &wrong_machine, sizeof(wrong_machine), 0755, ENOEXEC },
		{ &no_parts, sizeof(no_parts), 0755, ENOEXEC },
		{ "\177ELF", 4, 0755, ENOEXEC },
		{ "#!/no/such/interpreter\n", 23, 0755, ENOENT },
		{ "#!\n", 3, 0755, ENOEXEC },
		{ "x", 1, 0644, EACCES },
	};

	no_interpreter.file.e_phnum = 2;
	no_interpreter.part[1] = no_interpreter.part[0];
	no_interpreter.part[0].p_type = PT_INTERP;
	no_interpreter.part[0].p_offset = offsetof(struct image, interpreter);
	strcpy(no_interpreter.interpreter, "/no/such/interpreter");
	no_interpreter.part[0].p_filesz = strlen(no_interpreter.interpreter) + 1;
	wrong_machine.file.e_machine = EM_S390;
	no_parts.file.e_phnum = 0;
	for (size_t i = 0; i < sizeof(file) / sizeof(*file); i++) {
		struct stage *s = self->s = stage_new();

		ASSERT_EQ(0, put_file(s->bytes, sizeof(s->bytes), "early", file[i].bytes,
				      file[i].len, file[i].mode));
		s->flags = PERSISTENT;
		ASSERT_TRUE(ended_well(finish(actor(s, CPU_A, act_exec_in_vain))));
		ASSERT_EQ(0, s->error);
		EXPECT_EQ(file[i].error, s->value[0]) TH_LOG("image %zu", i);
		EXPECT_EQ((long)PERSISTENT, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
		EXPECT_EQ(1 + 2 * s->toll, s->info.own - s->before.own);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, s->info.loss_cause);
		unlink(s->bytes);
	}
	NEXT_CAN_ENTER(STRICT);
}

/*
 * Past the point of no return there is nothing to go back to: a part that is
 * larger in the file than in memory is found out there, and is the end.
 */
TEST_F_TIMEOUT(modes, p4_3_an_image_that_fails_late, CASE_TIMEOUT)
{
	struct image image = good_header();
	struct stage *s = self->s;
	pid_t pid;
	int status;

	image.part[0].p_memsz = image.part[0].p_filesz - 1;
	ASSERT_EQ(0, put_file(s->bytes, sizeof(s->bytes), "late", &image, sizeof(image), 0755));
	pid = actor(s, CPU_A, act_exec_in_vain);
	status = finish(pid);
	if (variant->mode == MODE_STRICT || variant->mode == MODE_SIGNAL) {
		/* the question before it is exempt, the call itself the loss */
		EXPECT_TRUE(killed_by(status, variant->mode == MODE_STRICT ? SIGKILL : CHOSEN))
			TH_LOG("status %#x", status);
		EXPECT_LAST_LOSS(pid, "syscall 59");
	} else {
		EXPECT_TRUE(killed_by(status, SIGSEGV)) TH_LOG("status %#x", status);
		EXPECT_LAST_LOSS(pid, variant->mode == MODE_PERSISTENT ? "signal 11" : "syscall 59");
	}
	EXPECT_EQ(0, s->error);
	EXPECT_EQ(AT_ENTERED, s->at);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	unlink(s->bytes);
	NEXT_CAN_ENTER(STRICT);
}

/* A file that ends before its parts do: the image starts, and dies of its first page. */
TEST_F_TIMEOUT(one, p4_3_an_image_that_is_cut_off, CASE_TIMEOUT)
{
	struct image image = good_header();
	struct stage *s = self->s;
	pid_t pid;
	int status;

	image.part[0].p_offset = 1 << 20;
	ASSERT_EQ(0, put_file(s->bytes, sizeof(s->bytes), "cut", &image, sizeof(image), 0755));
	s->flags = PERSISTENT;
	pid = actor(s, CPU_A, act_exec_in_vain);
	status = finish(pid);
	ASSERT_EQ(0, s->error);
	EXPECT_TRUE(killed_by(status, SIGBUS)) TH_LOG("status %#x", status);
	EXPECT_LAST_LOSS(pid, "signal 7");
	unlink(s->bytes);
	NEXT_CAN_ENTER(STRICT);
}

/* ---- many ----------------------------------------------------------------- */

TEST_F_TIMEOUT(one, p4_3_one_image_after_the_other_leaves_nothing, CASE_TIMEOUT)
{
	static const unsigned long flags[] = { PERSISTENT, ONE_SHOT, STRICT };

	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	strcpy(self->s->bytes, image_path());
	self->s->value[5] = BY_FEXECVE;
	for (int i = 0; i < 30; i++) {
		self->s->flags = flags[i % 3];
		finish(actor(self->s, CPU_A, act_exec_by));
		ASSERT_EQ(0, self->s->error) TH_LOG("image %d", i);
		ASSERT_EQ(0, owner_of(CPU_A));
	}
	NEXT_CAN_ENTER(STRICT);
}

TEST_HARNESS_MAIN
