// SPDX-License-Identifier: GPL-2.0
/*
 * Reads corpus lines, writes what our parser answers to each: "ERRNO LIST",
 * LIST empty unless ERRNO is 0, as the test module kernel_cpulist does.
 */
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "callbacks.h"
#include "corpus_line.h"
#include "lib/bitmap.h"

int main()
{
	using namespace task_isolation;

	for (std::string line; std::getline(std::cin, line);) {
		const size_t space = line.find(' ');
		const u32 nbits = static_cast<u32>(std::stoul(line.substr(0, space)));
		const std::string text = test::unescaped(line.substr(space + 1));
		const std::vector<char> exact(text.begin(), text.end());
		std::vector<bitmap_word> bits(words_for(nbits));
		char list[2048] = "";
		const s32 error = standard::parse_cpulist(
			exact.data(), static_cast<u32>(exact.size()), bits.data(), nbits);

		if (error == 0)
			standard::format_cpulist(bits.data(), nbits, list, sizeof(list));
		printf("%d %s\n", error, list);
	}
	return 0;
}
