// SPDX-License-Identifier: GPL-2.0
#include "cpulist.h"

namespace task_isolation
{
namespace
{

constexpr u64 largest_number = 0xffffffffU;

/* first-last:used/group */
struct Region {
	u32 first;
	u32 last;
	u32 used;
	u32 group;
};

bool at_end(const TextReader &reader)
{
	return reader.peek() == '\0' || reader.peek() == '\n';
}

/* Commas and white space mean the same, in any number; a newline is white space too. */
bool at_separator(const TextReader &reader)
{
	return is_space(reader.peek()) || reader.peek() == ',';
}

Result<u32, Errno> take_number(TextReader &reader, u32 last_bit)
{
	if (reader.take('N'))
		return last_bit;

	const Digits digits = reader.take_digits();

	if (digits.count == 0)
		return Errno::Invalid;
	if (digits.too_large || digits.value > largest_number)
		return Errno::TooLargeType;
	return static_cast<u32>(digits.value);
}

/* The bits from..to of the list, without a pattern: one group, all of it used. */
Region whole(u32 first, u32 last)
{
	return {first, last, last + 1, last + 1};
}

Result<Region, Errno> take_range(TextReader &reader, u32 last_bit)
{
	if (reader.take_word("all"))
		return whole(0, last_bit);

	const Result<u32, Errno> first = take_number(reader, last_bit);

	if (!first.ok())
		return first.error();
	if (at_separator(reader) || at_end(reader))
		return whole(first.value(), first.value());
	if (!reader.take('-'))
		return Errno::Invalid;

	const Result<u32, Errno> last = take_number(reader, last_bit);

	if (!last.ok())
		return last.error();
	return whole(first.value(), last.value());
}

/*
 * Whether the list goes on is decided here as the kernel does: a newline ends
 * it only right behind a region without a pattern. Elsewhere it is white space.
 */
struct Parsed {
	Region region;
	bool list_ends;
};

Result<Parsed, Errno> take_region(TextReader &reader, u32 last_bit)
{
	const Result<Region, Errno> range = take_range(reader, last_bit);

	if (!range.ok())
		return range.error();
	if (at_separator(reader) || at_end(reader))
		return Parsed{range.value(), at_end(reader)};
	if (!reader.take(':'))
		return Errno::Invalid;

	const Result<u32, Errno> used = take_number(reader, last_bit);

	if (!used.ok())
		return used.error();
	if (!reader.take('/'))
		return Errno::Invalid;

	const Result<u32, Errno> group = take_number(reader, last_bit);

	if (!group.ok())
		return group.error();
	return Parsed{{range.value().first, range.value().last, used.value(), group.value()},
		      false};
}

Errno objection(const Region &region, u32 size)
{
	if (region.first > region.last || region.group == 0 || region.used > region.group)
		return Errno::Invalid;
	if (region.last >= size)
		return Errno::OutOfRange;
	return Errno::None;
}

/*
 * A group so large that the addition wraps makes first walk downwards, in the
 * kernel too. It ends all the same: each round changes first by the same step,
 * and the step that would take it below 0 takes it above last.
 */
void set_region(const Region &region, Bitmap &bitmap)
{
	for (u32 first = region.first; first <= region.last; first += region.group) {
		const u32 rest = region.last - first + 1;

		bitmap.set(first, region.used < rest ? region.used : rest);
	}
}

} // namespace

Result<Nothing, Errno> parse_cpulist(TextReader reader, Bitmap bitmap)
{
	bitmap.clear();

	for (;;) {
		while (at_separator(reader))
			reader.skip();
		if (at_end(reader))
			return Nothing{};

		const Result<Parsed, Errno> parsed = take_region(reader, bitmap.size() - 1);

		if (!parsed.ok())
			return parsed.error();

		const Region region = parsed.value().region;
		const Errno error = objection(region, bitmap.size());

		if (error != Errno::None)
			return error;
		set_region(region, bitmap);
		if (parsed.value().list_ends)
			return Nothing{};
	}
}

void write_cpulist(TextWriter &writer, ConstBitmap bitmap)
{
	const char *separator = "";

	for (u32 bit = 0; bit < bitmap.size(); bit++) {
		if (!bitmap.test(bit))
			continue;

		const u32 first = bit;

		while (bitmap.test(bit + 1))
			bit++;
		writer.text(separator).decimal(first);
		if (bit != first)
			writer.text("-").decimal(bit);
		separator = ",";
	}
}

} // namespace task_isolation
