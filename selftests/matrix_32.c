// SPDX-License-Identifier: GPL-2.0
/* The matrix for 32-bit programs; built with -m32. */
#include "matrix.c"
