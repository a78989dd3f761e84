// SPDX-License-Identifier: GPL-2.0
#include "number.h"

namespace task_isolation
{

Result<u32, Errno> parse_number(TextReader reader, u32 max)
{
	/* Either there is a plus or there is none: both are fine. */
	static_cast<void>(reader.take('+'));

	const Digits digits = reader.take_digits();

	if (digits.too_large)
		return Errno::OutOfRange;
	if (digits.count == 0)
		return Errno::Invalid;
	static_cast<void>(reader.take('\n'));
	if (reader.peek() != '\0')
		return Errno::Invalid;
	if (digits.value > 0xffffffffU)
		return Errno::OutOfRange;
	if (digits.value > max)
		return Errno::Invalid;
	return static_cast<u32>(digits.value);
}

} // namespace task_isolation
