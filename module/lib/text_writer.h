/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: builds a line of text in memory that somebody else owns.
 *
 * Example:
 *	TextWriter writer{text, size};
 *	writer.text("irq ").decimal(7);
 *	return writer.length();
 *
 * Invariants: the text ends in a NUL after every call (unless size is 0). What
 * does not fit is left out, and everything behind it, so that a cut text is a
 * beginning of the whole one. An escape is written whole or not at all.
 */
#pragma once

#include "lib/character.h"
#include "lib/span.h"

namespace task_isolation
{

class TextWriter final
{
public:
	[[gnu::always_inline]] constexpr TextWriter(char *text, u32 size) : text_{text}, size_{size}
	{
		if (size_ != 0)
			text_[0] = '\0';
	}

	[[nodiscard, gnu::always_inline]] constexpr u32 length() const
	{
		return length_;
	}

	constexpr TextWriter &text(const char *literal)
	{
		for (; *literal != '\0'; literal++)
			put(*literal);
		return *this;
	}

	constexpr TextWriter &decimal(u64 value)
	{
		char digits[20];
		u32 count = 0;

		do {
			digits[count++] = static_cast<char>('0' + value % 10);
			value /= 10;
		} while (value != 0);
		while (count != 0)
			put(digits[--count]);
		return *this;
	}

	constexpr TextWriter &signed_decimal(s64 value)
	{
		if (value >= 0)
			return decimal(static_cast<u64>(value));
		put('-');
		return decimal(~static_cast<u64>(value) + 1);
	}

	constexpr TextWriter &hexadecimal(u64 value)
	{
		u32 shift = 60;

		while (shift != 0 && value >> shift == 0)
			shift -= 4;
		text("0x");
		for (;; shift -= 4) {
			put(hexadecimal_digit(static_cast<u8>(value >> shift)));
			if (shift == 0)
				return *this;
		}
	}

	/* A name from outside: what could forge or garble a line is escaped. */
	constexpr TextWriter &escaped(Span<char> name)
	{
		for (const char character : name) {
			if (is_printable(character) && character != '\\') {
				put(character);
				continue;
			}
			if (!room(4))
				return *this;
			put('\\');
			put('x');
			put(hexadecimal_digit(byte_of(character) >> 4));
			put(hexadecimal_digit(byte_of(character)));
		}
		return *this;
	}

private:
	[[nodiscard]] static constexpr char hexadecimal_digit(u8 value)
	{
		return "0123456789abcdef"[value & 0xfU];
	}

	/* Whether count more characters fit; if not, nothing fits any more. */
	[[nodiscard]] constexpr bool room(u32 count)
	{
		if (full_ || size_ <= count || length_ >= size_ - count)
			full_ = true;
		return !full_;
	}

	constexpr void put(char character)
	{
		if (!room(1))
			return;
		text_[length_++] = character;
		text_[length_] = '\0';
	}

	char *text_;
	u32 size_;
	u32 length_{0};
	bool full_{false};
};

} // namespace task_isolation
