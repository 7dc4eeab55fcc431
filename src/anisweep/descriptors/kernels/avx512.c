/* setup.py compiles this with the flags of its level. */
#include "kernels.c"
