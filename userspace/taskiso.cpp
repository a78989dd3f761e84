// SPDX-License-Identifier: GPL-2.0
//
// taskiso: run a program on an isolated CPU, show the isolated CPUs.
//
// Two verbs only.  "run" binds itself, enters isolation and becomes the
// program, so that the program's exit status is the command's.  "status" reads
// sysfs and nothing else: it never disturbs an isolated CPU.

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/task_isolation.h>

namespace
{

constexpr int interface_version = 1;

// As env(1) and taskset(1) answer: own failure, cannot execute, not found.
constexpr int exit_own_failure = 125;
constexpr int exit_cannot_execute = 126;
constexpr int exit_not_found = 127;
constexpr int exit_status_failed = 1;

constexpr const char *cpu_directory = "/sys/devices/system/cpu";
constexpr const char *list_file = "/sys/devices/system/cpu/task_isolation";
constexpr const char *settings_directory = "/sys/kernel/task_isolation";

constexpr const char *cure_hooks = "boot a kernel with the task isolation hooks (README, Install)";
constexpr const char *cure_module = "load the module: modprobe task_isolation";

constexpr const char *help_text =
	"usage: taskiso run -c CPU [--mode MODE] [--nowait] [--] PROG [ARG...]\n"
	"       taskiso status [--json]\n"
	"       taskiso --help | --version\n"
	"\n"
	"run      Bind to CPU, enter task isolation there, become PROG.\n"
	"  -c, --cpu CPU    one CPU of the task-isolation list\n"
	"  -m, --mode MODE  persistent, the default: interruptions are counted and\n"
	"                   the CPU is made quiet again. The other modes (strict,\n"
	"                   signal, oneshot) are refused here: starting PROG is a\n"
	"                   system call and would end them at once. A program that\n"
	"                   wants one of them calls prctl(PR_SET_TASK_ISOLATION)\n"
	"                   itself, see task_isolation(7).\n"
	"  -n, --nowait     refuse at once when the CPU is not quiet\n"
	"\n"
	"         The exit status is that of PROG; 125 when taskiso itself fails,\n"
	"         126 when PROG cannot be executed, 127 when it is not found.\n"
	"\n"
	"status   Show each task-isolation CPU: state, owner, counters, last loss.\n"
	"  -j, --json       the same as one JSON object\n"
	"\n"
	"         The exit status is 0; 1 when the kernel has no hooks or no module\n"
	"         is loaded. Owner and last loss are for root.\n";

[[noreturn]] void fail(int status, const std::string &message)
{
	std::fprintf(stderr, "taskiso: %s\n", message.c_str());
	std::exit(status);
}

std::string quoted(std::string_view text)
{
	return "'" + std::string(text) + "'";
}

std::optional<std::string> read_value(const std::string &path)
{
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return std::nullopt;
	std::string text;
	char part[4096];
	ssize_t got;
	while ((got = read(fd, part, sizeof(part))) > 0)
		text.append(part, static_cast<size_t>(got));
	close(fd);
	if (got < 0)
		return std::nullopt;
	while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
		text.pop_back();
	return text;
}

std::optional<unsigned> parse_unsigned(std::string_view text)
{
	unsigned value = 0;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size())
		return std::nullopt;
	return value;
}

// The kernel writes "0,2-5": numbers and ranges, nothing else.
std::vector<unsigned> parse_cpulist(std::string_view text)
{
	std::vector<unsigned> cpus;
	while (!text.empty()) {
		size_t comma = text.find(',');
		std::string_view part = text.substr(0, comma);
		text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
		size_t dash = part.find('-');
		auto first = parse_unsigned(part.substr(0, dash));
		auto last = dash == part.npos ? first : parse_unsigned(part.substr(dash + 1));
		if (!first || !last)
			continue;
		for (unsigned cpu = *first; cpu <= *last; cpu++)
			cpus.push_back(cpu);
	}
	return cpus;
}

std::string listed_cpus_text(const std::string &list)
{
	return list.empty() ? "the list is empty" : "the list is " + list;
}

// ---- run -------------------------------------------------------------------

struct RunOptions {
	unsigned cpu = 0;
	unsigned flags = PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG;
	char **program = nullptr;
};

void check_mode(std::string_view mode)
{
	if (mode == "persistent")
		return;
	if (mode == "strict" || mode == "signal" || mode == "oneshot")
		fail(exit_own_failure,
		     "--mode " + std::string(mode) +
			     ": starting a program is a system call and would end this mode at "
			     "once; "
			     "let the program call prctl(PR_SET_TASK_ISOLATION) itself "
			     "(task_isolation(7)), or leave --mode out for persistent");
	fail(exit_own_failure,
	     "--mode " + quoted(mode) + " is not a mode; the mode of run is persistent");
}

RunOptions parse_run(int argc, char **argv)
{
	static const option options[] = {
		{"cpu", required_argument, nullptr, 'c'},
		{"mode", required_argument, nullptr, 'm'},
		{"nowait", no_argument, nullptr, 'n'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	RunOptions run;
	bool have_cpu = false;
	int letter;

	optind = 1;
	while ((letter = getopt_long(argc, argv, "+c:m:nh", options, nullptr)) != -1) {
		switch (letter) {
		case 'c': {
			auto cpu = parse_unsigned(optarg);
			if (!cpu)
				fail(exit_own_failure,
				     "-c " + quoted(optarg) +
					     " is not a CPU number; give one, as in -c 2");
			run.cpu = *cpu;
			have_cpu = true;
			break;
		}
		case 'm':
			check_mode(optarg);
			break;
		case 'n':
			run.flags |= PR_TASK_ISOLATION_NOWAIT;
			break;
		case 'h':
			std::fputs(help_text, stdout);
			std::exit(0);
		default:
			fail(exit_own_failure, "try: taskiso --help");
		}
	}
	if (!have_cpu)
		fail(exit_own_failure, "no CPU given; name one of the task-isolation list: taskiso "
				       "run -c CPU -- PROG");
	if (optind == argc)
		fail(exit_own_failure, "no program given: taskiso run -c CPU -- PROG [ARG...]");
	run.program = argv + optind;
	return run;
}

void bind_to(unsigned cpu)
{
	const std::string name = "CPU " + std::to_string(cpu);
	const std::string online =
		read_value(std::string(cpu_directory) + "/online").value_or("unknown");
	cpu_set_t *set = cpu < 65536 ? CPU_ALLOC(cpu + 1) : nullptr;
	if (!set)
		fail(exit_own_failure, name + " does not exist; online CPUs are " + online);
	const size_t size = CPU_ALLOC_SIZE(cpu + 1);
	CPU_ZERO_S(size, set);
	CPU_SET_S(cpu, size, set);
	if (sched_setaffinity(0, size, set) != 0)
		fail(exit_own_failure, "cannot bind to " + name + ": " + std::strerror(errno) +
					       "; online CPUs are " + online +
					       ", and the cpuset of this shell must allow it");
	CPU_FREE(set);
}

// What the kernel says is in the way, else the same from what sysfs shows.
std::string refusal_reason(unsigned cpu, int error)
{
	task_isolation_info info = {};
	if (prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0) == 0 &&
	    info.refusal[0] != '\0')
		return std::string(info.refusal, strnlen(info.refusal, sizeof(info.refusal)));

	auto list = read_value(list_file);
	if (!list)
		return std::string("this kernel has no ") + list_file + "; " + cure_hooks;
	if (access(settings_directory, F_OK) != 0)
		return std::string("no task isolation policy is loaded; ") + cure_module;
	bool listed = false;
	for (unsigned candidate : parse_cpulist(*list))
		listed = listed || candidate == cpu;
	if (!listed)
		return "it is not a task-isolation CPU, " + listed_cpus_text(*list) +
		       "; add it: echo LIST > " + list_file;
	if (error == EPERM)
		return "not allowed; it takes CAP_SYS_NICE, run as root";
	return "see the kernel log after: echo 1 > /sys/kernel/task_isolation/debug";
}

[[noreturn]] void run(int argc, char **argv)
{
	const RunOptions options = parse_run(argc, argv);
	bind_to(options.cpu);

	if (prctl(PR_SET_TASK_ISOLATION, options.flags, 0, 0, 0) != 0) {
		const int error = errno;
		fail(exit_own_failure, "cannot isolate CPU " + std::to_string(options.cpu) + ": " +
					       std::strerror(error) + ": " +
					       refusal_reason(options.cpu, error));
	}
	execvp(options.program[0], options.program);

	const int error = errno;
	prctl(PR_SET_TASK_ISOLATION, 0, 0, 0, 0);
	if (error == ENOENT)
		fail(exit_not_found,
		     quoted(options.program[0]) + " is not there; give a path or a name in PATH");
	fail(exit_cannot_execute,
	     "cannot execute " + quoted(options.program[0]) + ": " + std::strerror(error));
}

// ---- status ----------------------------------------------------------------

struct Column {
	const char *file;
	const char *heading;
	bool number;
};

constexpr Column columns[] = {
	{"state", "STATE", false},	   {"owner", "OWNER", true},	   {"own", "OWN", true},
	{"foreign", "FOREIGN", true},	   {"absorbed", "ABSORBED", true}, {"late", "LATE", true},
	{"last_loss", "LAST LOSS", false},
};

struct Row {
	unsigned cpu;
	std::vector<std::optional<std::string>> values;
};

std::string json_string(std::string_view text)
{
	std::string out = "\"";
	for (unsigned char byte : text) {
		char escaped[8];
		if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x7f)
			std::snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
		else
			std::snprintf(escaped, sizeof(escaped), "%c", byte);
		out += escaped;
	}
	return out + "\"";
}

// A number where the text is one, null where it cannot be read.
std::string json_value(const std::optional<std::string> &text, bool number)
{
	if (!text)
		return "null";
	bool digits = number && !text->empty();
	for (unsigned char byte : *text)
		digits = digits && std::isdigit(byte);
	return digits ? *text : json_string(*text);
}

void print_json(const std::string &list, const std::vector<Row> &rows)
{
	std::printf("{\"list\":%s", json_string(list).c_str());
	for (const char *name : {"policy", "timeout_ms", "debug"})
		std::printf(",\"%s\":%s", name,
			    json_value(read_value(std::string(settings_directory) + "/" + name),
				       name[0] != 'p')
				    .c_str());
	std::fputs(",\"cpus\":[", stdout);
	for (size_t i = 0; i < rows.size(); i++) {
		std::printf("%s{\"cpu\":%u", i ? "," : "", rows[i].cpu);
		for (size_t c = 0; c < std::size(columns); c++)
			std::printf(",\"%s\":%s", columns[c].file,
				    json_value(rows[i].values[c], columns[c].number).c_str());
		std::fputs("}", stdout);
	}
	std::fputs("]}\n", stdout);
}

void print_table(const std::vector<Row> &rows)
{
	std::vector<size_t> widths;
	for (size_t c = 0; c < std::size(columns); c++) {
		size_t width = std::strlen(columns[c].heading);
		for (const Row &row : rows)
			width = std::max(width, row.values[c].value_or("?").size());
		widths.push_back(width);
	}
	std::fputs("CPU ", stdout);
	for (size_t c = 0; c < std::size(columns); c++)
		std::printf(columns[c].number ? "  %*s" : "  %-*s", static_cast<int>(widths[c]),
			    columns[c].heading);
	std::fputs("\n", stdout);
	for (const Row &row : rows) {
		std::printf("%-4u", row.cpu);
		for (size_t c = 0; c < std::size(columns); c++)
			std::printf(columns[c].number ? "  %*s" : "  %-*s",
				    static_cast<int>(widths[c]),
				    row.values[c].value_or("?").c_str());
		std::fputs("\n", stdout);
	}
}

int status(int argc, char **argv)
{
	static const option options[] = {
		{"json", no_argument, nullptr, 'j'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	bool json = false;
	int letter;

	optind = 1;
	while ((letter = getopt_long(argc, argv, "jh", options, nullptr)) != -1) {
		switch (letter) {
		case 'j':
			json = true;
			break;
		case 'h':
			std::fputs(help_text, stdout);
			return 0;
		default:
			fail(exit_status_failed, "try: taskiso --help");
		}
	}
	if (optind != argc)
		fail(exit_status_failed,
		     "status takes no argument, but was given " + quoted(argv[optind]));

	auto list = read_value(list_file);
	if (!list)
		fail(exit_status_failed,
		     std::string("this kernel has no ") + list_file + "; " + cure_hooks);
	if (access(settings_directory, F_OK) != 0)
		fail(exit_status_failed, std::string("the kernel has the hooks, but ") +
						 settings_directory + " is missing; " +
						 cure_module);

	std::vector<Row> rows;
	for (unsigned cpu : parse_cpulist(*list)) {
		Row row = {cpu, {}};
		for (const Column &column : columns)
			row.values.push_back(read_value(std::string(cpu_directory) + "/cpu" +
							std::to_string(cpu) + "/task_isolation/" +
							column.file));
		rows.push_back(row);
	}
	if (json) {
		print_json(*list, rows);
		return 0;
	}
	const auto setting = [](const char *name) {
		return read_value(std::string(settings_directory) + "/" + name).value_or("?");
	};
	std::printf("policy %s, timeout_ms %s, debug %s\n", setting("policy").c_str(),
		    setting("timeout_ms").c_str(), setting("debug").c_str());
	if (rows.empty())
		std::printf("no task-isolation CPUs; name some: echo LIST > %s\n", list_file);
	else
		print_table(rows);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	const std::string_view verb = argc > 1 ? argv[1] : "";

	if (verb == "run")
		run(argc - 1, argv + 1);
	if (verb == "status")
		return status(argc - 1, argv + 1);
	if (verb == "--help" || verb == "-h" || verb == "help") {
		std::fputs(help_text, stdout);
		return 0;
	}
	if (verb == "--version" || verb == "-V") {
		std::printf("taskiso, interface %d\n", interface_version);
		return 0;
	}
	if (verb.empty())
		fail(exit_own_failure, "no verb given; use run or status, see taskiso --help");
	fail(exit_own_failure,
	     quoted(verb) + " is not a verb; use run or status, see taskiso --help");
}
