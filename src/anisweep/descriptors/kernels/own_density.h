/* Pair features: products of the centre's own density with those of its neighbours, a sum over neighbours,
 *
 *     N^l_b = (-1)^l / sqrt(2l+1) sum_m s_lm c_blm,
 *
 * with s_lm the coefficient of the centre's own density for the first radial function and b a channel of the
 * neighbours. A Gaussian around the origin has even l alone. Where no neighbour is of the centre's species these are
 * elements of the power spectrum. Lanes are centres. */
#pragma once
#include "spectrum.h"

/* s_lm from coefficients of the own density: it lies in the channel of one species, n = 0. */
INLINE V own_of(const V *own, int m, int channels, int K)
{
    V sum = own[m * channels];

    for (int a = K; a < channels; a += K)
        sum += own[m * channels + a];
    return sum;
}

/* N (+)= f sum_m s_m c_bm */
static void own_products(V *N, const V *own, const V *c, int l, int channels, int K, int add)
{
    for (int b = 0; b < channels; b++)
        N[b] = add ? N[b] : splat(0);
    for (int m = 0; m < 2 * l + 1; m++) {
        const V s = factor_of(l) * own_of(own, m, channels, K);

        for (int b = 0; b < channels; b++)
            N[b] += s * c[m * channels + b];
    }
}

/* Derivatives of sum_b G_b N_b by the coefficients of the neighbours and by those of the own density. */
static void own_products_backward(V *by_c, V *by_own, const V *G, const V *own, const V *c, int l, int channels, int K)
{
    for (int m = 0; m < 2 * l + 1; m++) {
        const V s = factor_of(l) * own_of(own, m, channels, K);
        V sum = splat(0);

        for (int b = 0; b < channels; b++) {
            by_c[m * channels + b] = G[b] * s;
            by_own[m * channels + b] = splat(0);
            sum += G[b] * c[m * channels + b];
        }
        for (int a = 0; a < channels; a += K)
            by_own[m * channels + a] = factor_of(l) * sum;
    }
}
