/* From primitive coefficients to orthonormal ones and their products. Lanes are centres.
 *
 * A channel is a neighbour species with a radial function, species slow. With c_km the orthonormal
 * coefficient of channel k,   p^l_ab = (-1)^l / sqrt(2l+1) sum_m c_am c_bm. */
#pragma once
#include "basis.h"

/* A matrix of real numbers: entry (n, k) at n down + k across. */
typedef struct {
    const real *entry;
    int down, across;
} Matrix;

/* to_k = sum_n O[n][k] from_n for each m, N numbers to K; `to_step` and `step` lie between m and m + 1. */
INLINE void mix(const int N, V *restrict to, int to_step, const V *restrict from, int step, const Matrix O, int K, int l)
{
    for (int m = 0; m < 2 * l + 1; m++)
        for (int k = 0; k < K; k++) {
            const real *o = O.entry + k * O.across;
            V sum = *o * from[m * step];

#pragma GCC unroll 16
            for (int n = 1; n < N; n++)
                sum += o[n * O.down] * from[m * step + n];
            to[m * to_step + k] = sum;
        }
}

/* Products are computed in tiles, whose sums fit the registers. */
#define TILE 4

/* P[a + i][b + j] = f sum_m x[m][a + i] y[m][b + j] for a tile of A x B, and the same at [b][a]. */
INLINE void tile(const int A, const int B, V *P, const V *x, const V *y, int rows, int channels, int a, int b,
                 real f)
{
    V sum[TILE * TILE];

    for (int i = 0; i < A * B; i++)
        sum[i] = splat(0);
    for (int m = 0; m < rows; m++) {
        const V *left = x + m * channels + a, *right = y + m * channels + b;
        for (int i = 0; i < A; i++)
            for (int j = 0; j < B; j++)
                sum[i * B + j] += left[i] * right[j];
    }
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++)
            P[(a + i) * channels + b + j] = P[(b + j) * channels + a + i] = f * sum[i * B + j];
}

NOINLINE void whole_tile(V *P, const V *x, const V *y, int rows, int channels, int a, int b, real f)
{
    tile(TILE, TILE, P, x, y, rows, channels, a, b, f);
}

NOINLINE void edge_tile(int A, V *P, const V *x, const V *y, int rows, int channels, int a, int b, real f)
{
    switch (A) {
    case 1: tile(TILE, 1, P, x, y, rows, channels, a, b, f); break;
    case 2: tile(TILE, 2, P, x, y, rows, channels, a, b, f); break;
    case 3: tile(TILE, 3, P, x, y, rows, channels, a, b, f); break;
    }
}

NOINLINE void corner_tile(int A, V *P, const V *x, const V *y, int rows, int channels, int a, real f)
{
    switch (A) {
    case 1: tile(1, 1, P, x, y, rows, channels, a, a, f); break;
    case 2: tile(2, 2, P, x, y, rows, channels, a, a, f); break;
    case 3: tile(3, 3, P, x, y, rows, channels, a, a, f); break;
    }
}

/* (-1)^l / sqrt(2l+1) */
INLINE real factor_of(int l)
{
    return (l % 2 ? -1 : 1) / sqrt(2 * l + 1);
}

/* P_ab = f sum_m x_am y_bm, where that is symmetric. */
static void multiply_rows(V *P, const V *x, const V *y, int rows, int channels, real f)
{
    const int whole = channels / TILE * TILE, rest = channels - whole;

    for (int a = 0; a < whole; a += TILE) {
        for (int b = a; b < whole; b += TILE)
            whole_tile(P, x, y, rows, channels, a, b, f);
        edge_tile(rest, P, x, y, rows, channels, a, whole, f);
    }
    corner_tile(rest, P, x, y, rows, channels, whole, f);
}

static void products(V *P, const V *c, int l, int channels)
{
    multiply_rows(P, c, c, 2 * l + 1, channels, factor_of(l));
}

#define MIX(N)                                                                                                \
    NOINLINE void mix_##N(V *to, int to_step, const V *from, int step, const Matrix O, int K, int l)          \
    {                                                                                                         \
        mix(N, to, to_step, from, step, O, K, l);                                                             \
    }
EACH(MIX)

#define MIX_CASE(N) case N: mix_##N(to, to_step, from, step, O, K, l); break;

/* c_k = sum_n O[n][k] c_n takes N moments to K functions; its transpose takes derivatives by these to those by moments. */
NOINLINE void mix_any(int N, V *to, int to_step, const V *from, int step, const Matrix O, int K, int l)
{
    switch (N) {
    EACH(MIX_CASE)
    default: mix(N, to, to_step, from, step, O, K, l);
    }
}

/* d/dc_am of sum G_ab p_ab: sum_b H_ab c_bm with H_ab = f (G_ab + G_ba), which is written over G. */
static void products_backward(V *restrict to, V *restrict G, const V *restrict c, int l, int channels)
{
    const real f = factor_of(l);

    for (int a = 0; a < channels; a++)
        for (int b = a; b < channels; b++)
            G[a * channels + b] = G[b * channels + a] = f * (G[a * channels + b] + G[b * channels + a]);

    for (int m = 0; m < 2 * l + 1; m++, to += channels, c += channels)
        for (int a = 0; a < channels; a += TILE) {
            const int first = a + TILE > channels && channels >= TILE ? channels - TILE : a; /* the last overlaps the one before */
            V sum[TILE] = {{0}};

            for (int b = 0; b < channels; b++)
                for (int i = 0; i < TILE; i++)
                    sum[i] += G[b * channels + first + i] * c[b];
            for (int i = 0; i < TILE && first + i < channels; i++)
                to[first + i] = sum[i];
        }
}
