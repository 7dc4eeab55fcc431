/* From groups to the coefficients of their centres: moments, norms, rotation, sum. Lanes are groups. */
#pragma once
#include "neighbours.h"
#include "triaxial.h"

typedef struct {
    V *state;   /* PAIRS x 3 rows of the recurrence */
    V *sum;     /* values of a batch */
    V *scratch; /* one l */
    V *turns;   /* three angles */
    V *kappa;
    double *waste; /* a row for lanes without a group */
    int size;      /* of a row of the state */
} Batch;

/* The Gaussian of one pair in the frame of its group: lane k of `mean`. */
INLINE void mean_of(Mean *mean, int k, const Pair *pair, const Group *g)
{
    double u[3], decay = 0;

    for (int i = 0; i < 3; i++) {
        u[i] = g->axes[0][i] * pair->r[0] + g->axes[1][i] * pair->r[1] + g->axes[2][i] * pair->r[2];
        decay += g->shape.decay[i] * u[i] * u[i];
    }
    mean->weight[k] = pair->weight * g->shape.weight * exp(-0.5 * decay);
    mean->ax[k] = u[0] * g->shape.shift[0];
    mean->ay[k] = u[1] * g->shape.shift[1];
    mean->az[k] = u[2] * g->shape.shift[2];
}

/* The pairs `p` and `p + 1` of each group; those that are not there have weight zero. */
static void means_of(Mean mean[PAIRS], const Group *const *groups, int lanes, const Neighbours *nb, int p)
{
    memset(mean, 0, PAIRS * sizeof(Mean));

    for (int k = 0; k < lanes; k++)
        for (int q = 0; q < PAIRS && p + q < groups[k]->count; q++)
            mean_of(mean + q, k, nb->pairs + groups[k]->first + p + q, groups[k]);
}

/* The covariances of the groups, and the largest number of pairs that one has. */
static Covariance covariance_of(const Group *const *groups, int lanes, int *most)
{
    Covariance cov = {splat(0), splat(0), splat(0)};
    *most = 0;

    for (int k = 0; k < lanes; k++) {
        cov.cx[k] = groups[k]->shape.variance[0];
        cov.cy[k] = groups[k]->shape.variance[1];
        cov.cz[k] = groups[k]->shape.variance[2];
        *most = groups[k]->count > *most ? groups[k]->count : *most;
    }
    return cov;
}

/* Values of the pairs `p` and `p + 1` of each group, added to batch->sum. */
static void add_moments(Batch *batch, const Basis *b, const Group *const *groups, int lanes,
                        const Neighbours *nb, int p, Covariance cov, int kind)
{
    const V c = 0.5 * (cov.cx + cov.cy), shape[3] = {c, cov.cz - c, cov.cx - cov.cy};
    const int stride = b->stride, size = batch->size;
    Mean mean[PAIRS];
    means_of(mean, groups, lanes, nb, p);

    for (int q = 0; q < PAIRS; q++) {
        V *row = batch->state + q * 3 * size;
        seeds(row, batch->kappa, b->moments[0], mean[q], cov);
        for (int n = 0; n < b->moments[0]; n++)
            batch->sum[n] += row[n];
    }

    for (int l = 1; l <= b->lmax; l++) {
        const int add = !(kind & EVEN) || l % 2 == 0;
        V *sum = batch->sum + b->offset[l];
        if (kind & TRIAXIAL)
            triaxial(b->moments[l], sum, batch->state, size, stride, l, mean, shape, add);
        else
            axial(b->moments[l], sum, batch->state, size, stride, l, mean, shape, add);
    }
}

/* Orthonormal harmonics in the frame of the centre. */
static void finish(Batch *batch, const Basis *b, const Group *const *groups, int lanes, int kind)
{
    const int size = 2 * (b->lmax + 1), step = kind & EVEN ? 2 : 1;
    const double weight = kind & EVEN ? 2 : 1;

    for (int t = 0; t < 3 && kind & TURNED; t++)
        for (int k = 0; k < lanes; k++)
            write_turns((double *)(batch->turns + t * size), b->lmax, k, groups[k]->euler.angle[t]);

    for (int l = 0; l <= b->lmax; l += step) {
        const int N = b->moments[l];
        V *value = batch->sum + b->offset[l];

        for (int m = -l; m <= l; m++)
            for (int n = 0; n < N; n++)
                value[(l + m) * N + n] *= weight * norm_of(b, l, m);
        if (kind & TURNED && l > 0)
            rotate(N, value, batch->scratch, b, batch->turns, l, kind & TRIAXIAL, 1);
    }
}

/* Up to LANES groups of one kind, added to the rows of their centres. */
static void add_batch(Batch *batch, const Basis *b, const Group *const *groups, int lanes,
                      const Neighbours *nb, const int64_t *species, int64_t species_count, double *values)
{
    const int kind = groups[0]->kind;
    double *rows[LANES];
    int most;
    const Covariance cov = covariance_of(groups, lanes, &most);

    for (int k = 0; k < LANES; k++)
        rows[k] = k < lanes ? values + (groups[k]->row * species_count + species[groups[k]->particle]) * b->row
                            : batch->waste;

    memset(batch->sum, 0, b->row * sizeof(V));
    for (int p = 0; p < most; p += PAIRS)
        add_moments(batch, b, groups, lanes, nb, p, cov, kind);
    finish(batch, b, groups, lanes, kind);

    /* Lanes of one centre must be added one after the other. */
    add_to_rows(rows, batch->sum, b->row);
}
