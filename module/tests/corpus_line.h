/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: a line of the cpulist corpus: "NBITS TEXT", TEXT escaped so that
 * every byte but NUL can be in it and a line is a line.
 *
 * Example: 64 1-3\x0a,5
 *
 * Invariants: unescaped(escaped(text)) == text. Backslash and what is not
 * printable ASCII are \xNN; cpulist_compare.c reads the same form.
 */
#pragma once

#include <cstdio>
#include <string>

namespace task_isolation::test
{

inline std::string escaped(const std::string &text)
{
	std::string line;

	for (const char character : text) {
		const auto byte = static_cast<unsigned char>(character);
		char form[8];

		if (byte >= ' ' && byte <= '~' && byte != '\\') {
			line += character;
			continue;
		}
		snprintf(form, sizeof(form), "\\x%02x", byte);
		line += form;
	}
	return line;
}

inline std::string unescaped(const std::string &line)
{
	std::string text;

	for (size_t at = 0; at < line.size(); at++) {
		if (line[at] != '\\' || at + 3 >= line.size()) {
			text += line[at];
			continue;
		}
		text += static_cast<char>(std::stoi(line.substr(at + 2, 2), nullptr, 16));
		at += 3;
	}
	return text;
}

} // namespace task_isolation::test
