// SPDX-License-Identifier: GPL-2.0
#include "allow.h"

namespace task_isolation
{
namespace
{

/* The kernel's word for no group at all. */
constexpr u32 no_group = 0xffffffffU;

/* Takes the word, or as much of it as is there: then nothing else can match. */
template <usize N> bool take(TextReader &reader, const char (&word)[N])
{
	for (usize index = 0; index < N - 1; index++) {
		if (!reader.take(word[index]))
			return false;
	}
	return true;
}

Result<Admission, Errno> at_end(TextReader reader, const Admission &admission)
{
	static_cast<void>(reader.take('\n'));
	if (reader.peek() != '\0')
		return Errno::Invalid;
	return admission;
}

Result<Admission, Errno> parse_group(TextReader reader)
{
	if (!take(reader, "gid="))
		return Errno::Invalid;

	const Digits digits = reader.take_digits();

	if (digits.count == 0 || digits.too_large || digits.value >= no_group)
		return Errno::Invalid;
	return at_end(reader, {Allow::Group, static_cast<u32>(digits.value)});
}

} // namespace

Result<Admission, Errno> parse_allow(TextReader reader)
{
	switch (reader.peek()) {
	case 'p':
		if (take(reader, "privileged"))
			return at_end(reader, {Allow::Privileged, 0});
		return Errno::Invalid;
	case 'a':
		if (take(reader, "any"))
			return at_end(reader, {Allow::Any, 0});
		return Errno::Invalid;
	default:
		return parse_group(reader);
	}
}

void write_allow(TextWriter &writer, const Admission &admission)
{
	switch (admission.allow) {
	case Allow::Privileged:
		writer.text("privileged");
		return;
	case Allow::Group:
		writer.text("gid=").decimal(admission.group);
		return;
	case Allow::Any:
		writer.text("any");
		return;
	}
}

} // namespace task_isolation
