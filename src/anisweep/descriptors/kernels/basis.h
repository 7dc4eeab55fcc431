/* What the hyperparameters fix, prepared by tables.py. The fields are those of `Basis` there. */
#pragma once
#include "vector.h"

typedef struct {
    int64_t lmax;
    int64_t stride;         /* largest number of radial functions */
    int64_t values;         /* primitive values of a centre and neighbour species: offset[lmax + 1] */
    int64_t row;            /* the same, rounded up to 64 bytes */
    double cutoff;
    double smoothing;       /* width below the cutoff over which a neighbour fades; 0: none does */
    double width2;          /* sigma^2 of the envelope; infinite for the monomial basis */
    double ordering;        /* s^2 / 2: what is taken from all variances, see moments.h */
    const int64_t *moments; /* [l] radial moments computed: not fewer than for l + 1 */
    const int64_t *kept;    /* [l] radial functions asked for: not more than moments[l] */
    const int64_t *offset;  /* [l] of the values (m, n) of l, m from -l to l, n fastest */
    const real *norm;       /* [l][m] from r^l P_lm e^(i m phi) to the real orthonormal r^l Y_lm */
    const real *mixing;     /* [l][n][k] from primitive to orthonormal radial functions */
    const int64_t *blocks;  /* [l] first block of J_l; [lmax + 1] the end */
    const int64_t *shape;   /* [block] rows, columns, place in `index`, place in `entry` */
    const int64_t *index;   /* of the block's rows, then of its columns, counted from m = -l */
    const real *entry;      /* of J (swap of y and z), row-major */
    const real *scaled;     /* the same, of J times the norms of its columns */
} Basis;

INLINE real norm_of(const Basis *b, int l, int m)
{
    return b->norm[l * (b->lmax + 1) + (m < 0 ? -m : m)];
}
