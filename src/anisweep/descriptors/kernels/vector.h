/* The vector type, and the move between rows in memory and lanes.
 *
 * Everything is written with GCC's and Clang's vector extensions: `a * b + c` on a V works on all lanes,
 * and the compiler's flags decide the instructions. One object is compiled for each level (see setup.py):
 * 8 lanes for AVX-512, 4 for AVX2, 2 for everything else (SSE2, NEON).
 *
 * With ANISWEEP_SINGLE the lanes are `real` of single precision, and there are twice as many. Geometry stays in
 * double: displacements, axes, exponents and angles are rounded when they become lanes. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif

#ifdef ANISWEEP_SINGLE
typedef float real;
#define LANES (BYTES / 4)
#else
typedef double real;
#define LANES (BYTES / 8)
#endif

typedef real V __attribute__((vector_size(BYTES), aligned(BYTES)));
typedef real Row __attribute__((vector_size(BYTES), aligned(BYTES / LANES), may_alias));
typedef double Exact __attribute__((vector_size(8 * LANES), aligned(BYTES))); /* geometry, of as many lanes */

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

/* Loops over up to so many radial functions are compiled for each number, as straight lines. */
#define STRAIGHT 9
#define EACH(F) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9)

#define UP(count) (((count) + LANES - 1) / LANES * LANES)

INLINE V splat(real x)
{
    return x - (V){0};
}

INLINE V rounded(Exact x)
{
    return __builtin_convertvector(x, V);
}

INLINE V load(const real *from)
{
    return *(const Row *)from;
}

INLINE void store(real *to, V value)
{
    *(Row *)to = value;
}

/* A square of LANES rows becomes its transpose: log2(LANES) rounds of exchanging halves. */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE __builtin_shufflevector
#else
typedef __typeof__((V){0} == (V){0}) Places;
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (Places){__VA_ARGS__})
#endif
INLINE void transpose(V t[LANES])
{
#if LANES == 2
    V a = SHUFFLE(t[0], t[1], 0, 2), b = SHUFFLE(t[0], t[1], 1, 3);
    t[0] = a;
    t[1] = b;
#elif LANES == 4
    V u[4];
    for (int i = 0; i < 4; i += 2) {
        u[i] = SHUFFLE(t[i], t[i + 1], 0, 4, 2, 6);
        u[i + 1] = SHUFFLE(t[i], t[i + 1], 1, 5, 3, 7);
    }
    for (int i = 0; i < 2; i++) {
        t[i] = SHUFFLE(u[i], u[i + 2], 0, 1, 4, 5);
        t[i + 2] = SHUFFLE(u[i], u[i + 2], 2, 3, 6, 7);
    }
#elif LANES == 8
    V u[8], v[8];
    for (int i = 0; i < 8; i += 2) {
        u[i] = SHUFFLE(t[i], t[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        u[i + 1] = SHUFFLE(t[i], t[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            v[i + j] = SHUFFLE(u[i + j], u[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            v[i + j + 2] = SHUFFLE(u[i + j], u[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        t[i] = SHUFFLE(v[i], v[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        t[i + 4] = SHUFFLE(v[i], v[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#else
    V u[16], v[16];
    for (int i = 0; i < 16; i += 2) {
        u[i] = SHUFFLE(t[i], t[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        u[i + 1] = SHUFFLE(t[i], t[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            v[i + 2 * j] = SHUFFLE(u[i + j], u[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            v[i + 2 * j + 1] = SHUFFLE(u[i + j], u[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }

    /* Now quarter j of v[4 g + i] is column 4 j + i of the rows 4 g to 4 g + 3. */
#define EVEN_QUARTERS(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define ODD_QUARTERS(a, b) SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
    for (int i = 0; i < 4; i++) {
        const V even = EVEN_QUARTERS(v[i], v[i + 4]), odd = ODD_QUARTERS(v[i], v[i + 4]);
        const V later_even = EVEN_QUARTERS(v[i + 8], v[i + 12]), later_odd = ODD_QUARTERS(v[i + 8], v[i + 12]);

        t[i] = EVEN_QUARTERS(even, later_even);
        t[i + 4] = EVEN_QUARTERS(odd, later_odd);
        t[i + 8] = ODD_QUARTERS(even, later_even);
        t[i + 12] = ODD_QUARTERS(odd, later_odd);
    }
#endif
}

/* rows[k][j] += lanes[j][k], for j < count (a multiple of LANES in memory) */
INLINE void add_to_rows(real *const rows[LANES], const V *lanes, int count)
{
    for (int j = 0; j < count; j += LANES) {
        V t[LANES];
        for (int k = 0; k < LANES; k++)
            t[k] = lanes[j + k];
        transpose(t);
        for (int k = 0; k < LANES; k++)
            store(rows[k] + j, load(rows[k] + j) + t[k]);
    }
}

/* lanes[j][k] = rows[k][j] */
INLINE void from_rows(V *lanes, const real *const rows[LANES], int count)
{
    for (int j = 0; j < count; j += LANES) {
        V t[LANES];
        for (int k = 0; k < LANES; k++)
            t[k] = load(rows[k] + j);
        transpose(t);
        for (int k = 0; k < LANES; k++)
            lanes[j + k] = t[k];
    }
}

/* Memory aligned to a vector; NULL when there is none. */
static void *vectors(size_t count)
{
    return aligned_alloc(64, (count * sizeof(V) + 63) / 64 * 64);
}
