/* setup.py compiles this with the flags of its level. */
#define ANISWEEP_SINGLE
#include "kernels.c"
