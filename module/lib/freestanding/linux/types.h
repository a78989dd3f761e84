/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: stands in for the kernel's <linux/types.h> so that the uapi header
 * compiles where no kernel or libc header may be seen.
 *
 * Context: only on the include path of the policy's C++ files, in the kernel
 * build and on the host alike.
 *
 * Invariants: each name has the width and sign the kernel gives it.
 */
#pragma once

using __u8 = __UINT8_TYPE__;
using __u32 = __UINT32_TYPE__;
using __s32 = __INT32_TYPE__;
using __u64 = __UINT64_TYPE__;
