/* The backward pass: from derivatives by features, over those by coefficients, to those by particles. */
#pragma once
#include "gradients.h"
#include "spectrum.h"

/* One batch of groups; `values` holds the cotangents of the coefficients of the block's centres. */
static void differentiate_batch(Backward *w, const Group *const *groups, int lanes, const Neighbours *nb,
                                const int64_t *species, int64_t species_count, const real *values,
                                const Derivatives *to)
{
    const int kind = groups[0]->kind;
    const real *rows[LANES];
    Shared shared;
    share(&shared, groups, lanes);

    for (int k = 0; k < LANES; k++) {
        const Group *g = groups[k < lanes ? k : 0];
        rows[k] = values + (g->row * species_count + species[g->particle]) * w->basis->row;
    }

    pull_back(w, groups, lanes, kind, rows);
    transpose_products(w, kind, to->diameters != NULL);

    memset(w->batch.sum, 0, w->wider->row * sizeof(V));
    for (int p = 0; p < shared.most; p += PAIRS) {
        V product[PAIRS][PRODUCTS];
        Mean mean[PAIRS];

        means_of(mean, &w->batch, w->wider->lmax, &shared, groups, lanes, nb, p);
        pair_products(w, mean, shared.covariance, kind, to->diameters != NULL, product);
        for (int k = 0; k < lanes; k++)
            for (int q = 0; q < PAIRS && p + q < groups[k]->count; q++)
                add_pair(w->basis, groups[k], nb->pairs + groups[k]->first + p + q, product[q], k, to);
    }

    if (kind == SPHERES) /* of several particles, and none feels its orientation */
        return;

    V torque[3];
    turning(w->wider, w->basis->lmax, w->product[PLAIN], w->batch.sum, kind, torque);
    for (int k = 0; k < lanes; k++)
        for (int x = 0; x < 3; x++)
            for (int i = 0; i < 3; i++)
                to->rotations[3 * groups[k]->particle + x] += groups[k]->axes[x][i] * torque[i][k];
}
