/* From the frame of a group to the frame of its centre, all lanes at once.
 *
 * Q = Rz(alpha) Ry(beta) Rz(gamma). A rotation about z turns (Re, Im) of each m by m times the angle, and
 * one about y is J Rz(-beta) J, with J the exchange of y and z: sparse, and the same for all groups. */
#pragma once
#include "basis.h"

/* Cosines and sines of the three angles, of one lane. */
typedef struct {
    double angle[3][2];
} Euler;

enum { ALPHA, BETA, GAMMA };

/* Angles of Q, a proper rotation. Near the poles alpha is known badly, and gamma, made of Rz(-alpha) Q, makes
 * up for it: only their sum or difference matters there. */
static Euler euler_of(const double Q[3][3])
{
    const double square = Q[0][2] * Q[0][2] + Q[1][2] * Q[1][2];
    const double sine = square > 1e-280 ? sqrt(square) : 0; /* before squares lose digits */
    const double cos_alpha = sine > 0 ? Q[0][2] / sine : 1, sin_alpha = sine > 0 ? Q[1][2] / sine : 0;
    const double c = cos_alpha * Q[1][1] - sin_alpha * Q[0][1], s = cos_alpha * Q[1][0] - sin_alpha * Q[0][0];
    const double turn = sqrt(c * c + s * s), whole = sqrt(Q[2][2] * Q[2][2] + sine * sine);

    return (Euler){{{cos_alpha, sin_alpha}, {Q[2][2] / whole, sine / whole}, {c / turn, s / turn}}};
}

/* turns[m] = (Re, Im) of (x + iy)^m, m = 1..lmax: for a cosine and a sine those of m times the angle. */
static void write_turns(V *turns, int lmax, Exact x, Exact y)
{
    Exact re = x, im = y;

    for (int m = 1; m <= lmax; m++) {
        turns[2 * m] = rounded(re);
        turns[2 * m + 1] = rounded(im);

        const Exact next = re * x - im * y;
        im = re * y + im * x;
        re = next;
    }
}

/* to(m) = from(m) e^(i m angle); with `sign` -1 the opposite angle. N values for each m. */
INLINE void turn(const int N, V *to, const V *from, const V *turns, int l, real sign)
{
    for (int n = 0; n < N; n++)
        to[l * N + n] = from[l * N + n];

    for (int m = 1; m <= l; m++) {
        const V c = turns[2 * m], s = sign * turns[2 * m + 1];
        const int p = (l + m) * N, i = (l - m) * N;

        for (int n = 0; n < N; n++) {
            const V re = from[p + n], im = from[i + n];
            to[p + n] = c * re - s * im;
            to[i + n] = s * re + c * im;
        }
    }
}

/* One block of J: `width` values from n on of each row, two rows at a time. */
INLINE void swap_block(const int N, const int width, V *restrict to, const V *restrict from, const Basis *b,
                       const real *entries, int64_t i, int n)
{
    const int64_t *shape = b->shape + 4 * i, *row = b->index + shape[2], *column = row + shape[0];
    const int rows = shape[0], columns = shape[1];
    const real *entry = entries + shape[3];

    for (int a = 0; a < rows; a += 2) {
        const int next = a + 1 < rows ? a + 1 : a; /* the last of an odd number of rows is done twice */
        V s[STRAIGHT], t[STRAIGHT];

        for (int k = 0; k < width; k++)
            s[k] = t[k] = splat(0);
        for (int c = 0; c < columns; c++) {
            const V *x = from + column[c] * N + n;
            const V p = splat(entry[a * columns + c]), q = splat(entry[next * columns + c]);
            for (int k = 0; k < width; k++) {
                s[k] += p * x[k];
                t[k] += q * x[k];
            }
        }
        for (int k = 0; k < width; k++) {
            to[row[a] * N + n + k] = s[k];
            to[row[next] * N + n + k] = t[k];
        }
    }
}

/* to = J from, with the entries of J or of J times norms */
INLINE void swap(const int N, V *restrict to, const V *restrict from, const Basis *b, const real *entries, int l)
{
    for (int64_t i = b->blocks[l]; i < b->blocks[l + 1]; i++)
        for (int n = 0; n < N; n += STRAIGHT)
            swap_block(N, N - n < STRAIGHT ? N - n : STRAIGHT, to, from, b, entries, i, n);
}

/* One l in place. `turns` has the three angles one after another; `way` is +1 for Q after the norms of `finish`, -1 for
 * the inverse of Q alone. */
INLINE void rotate_degree(const int N, V *values, V *scratch, const Basis *b, const V *turns, int l,
                          int with_gamma, int way)
{
    const int size = 2 * (b->lmax + 1);
    const V *first = turns + (way > 0 ? GAMMA : ALPHA) * size, *last = turns + (way > 0 ? ALPHA : GAMMA) * size;

    if (way < 0 || with_gamma)
        turn(N, values, values, first, l, way);
    swap(N, scratch, values, b, way > 0 ? b->scaled : b->entry, l);
    turn(N, scratch, scratch, turns + BETA * size, l, -way);
    swap(N, values, scratch, b, b->entry, l);
    if (way > 0 || with_gamma)
        turn(N, values, values, last, l, way);
}

#define ROTATE(N)                                                                                             \
    NOINLINE void rotate_##N(V *values, V *scratch, const Basis *b, const V *turns, int l, int g, int way)    \
    {                                                                                                         \
        rotate_degree(N, values, scratch, b, turns, l, g, way);                                               \
    }
EACH(ROTATE)

#define ROTATE_CASE(N) case N: rotate_##N(values, scratch, b, turns, l, g, way); break;

NOINLINE void rotate_any(int N, V *values, V *scratch, const Basis *b, const V *turns, int l, int g, int way)
{
    rotate_degree(N, values, scratch, b, turns, l, g, way);
}

static void rotate(int N, V *values, V *scratch, const Basis *b, const V *turns, int l, int g, int way)
{
    switch (N) {
    EACH(ROTATE_CASE)
    default: rotate_any(N, values, scratch, b, turns, l, g, way);
    }
}
