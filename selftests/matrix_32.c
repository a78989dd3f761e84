// SPDX-License-Identifier: GPL-2.0
/* The part of the matrix in which a 32-bit program could differ; built with -m32. */
#include "matrix.c"
