/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: which characters are digits, white space or printable.
 *
 * Example: if (is_space(text[0])) ...
 *
 * Invariants: independent of locale and of the sign of char (signed on the
 * host, unsigned in the kernel). White space is what the kernel's table says,
 * 0xa0 included; a list parser that left it out would refuse other inputs.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

[[nodiscard, gnu::always_inline]] constexpr u8 byte_of(char character)
{
	return static_cast<u8>(character);
}

[[nodiscard, gnu::always_inline]] constexpr bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

[[nodiscard, gnu::always_inline]] constexpr bool is_space(char character)
{
	const u8 byte = byte_of(character);

	return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == 0xa0;
}

[[nodiscard, gnu::always_inline]] constexpr bool is_printable(char character)
{
	const u8 byte = byte_of(character);

	return byte >= ' ' && byte <= '~';
}

/* The small letter of an ASCII letter, anything else as it is. */
[[nodiscard, gnu::always_inline]] constexpr char lower(char character)
{
	if (character >= 'A' && character <= 'Z')
		return static_cast<char>(character - 'A' + 'a');
	return character;
}

static_assert(is_space('\n') && is_space('\xa0') && !is_space('\0'));
static_assert(!is_printable('\x7f') && !is_printable('\xe4') && is_printable('~'));
static_assert(lower('L') == 'l' && lower('[') == '[');

} // namespace task_isolation
