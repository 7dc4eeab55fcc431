/* The cell of a frame, divided into bins, so that neighbours are found in a time linear in the particles.
 *
 * Fractional coordinates are wrapped into [0, 1) along periodic axes. Along the others the cell's vector
 * does not matter: it is replaced by one at right angles that just holds all particles. One bin per axis is
 * allowed, and the reach then counts whole cells, so cells smaller than the cutoff need no other code. */
#pragma once
#include "particles.h"

typedef struct {
    double vector[3][3];  /* rows */
    double inverse[3][3]; /* fractional_k = inverse[k] . (x - origin) */
    double origin[3];
    double span[3];       /* the cutoff in fractional coordinates */
    int periodic[3], bins[3], reach[3];
    double (*inside)[3];  /* [particle] position, wrapped into the cell */
    int (*place)[3];      /* [particle] bin coordinates */
    int *bin;             /* [particle] */
    int *first, *member;  /* [bin + 1], [particle] sorted by bin */
} Box;

INLINE double dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

INLINE void cross(double *to, const double *a, const double *b)
{
    to[0] = a[1] * b[2] - a[2] * b[1];
    to[1] = a[2] * b[0] - a[0] * b[2];
    to[2] = a[0] * b[1] - a[1] * b[0];
}

/* Unit vectors at right angles for the axes that are not periodic. */
static void complete(Box *box)
{
    for (int k = 0; k < 3; k++) {
        double *v = box->vector[k];
        const double *a = box->vector[(k + 1) % 3], *b = box->vector[(k + 2) % 3];

        if (box->periodic[k])
            continue;
        if (dot(a, a) == 0 && dot(b, b) == 0) {
            v[k] = 1;
        } else if (dot(a, a) == 0 || dot(b, b) == 0) {
            const double *only = dot(a, a) > 0 ? a : b;
            double least[3] = {0};
            const double x = fabs(only[0]), y = fabs(only[1]), z = fabs(only[2]);
            least[x <= y && x <= z ? 0 : (y <= z ? 1 : 2)] = 1;
            cross(v, only, least);
        } else {
            cross(v, a, b);
        }

        const double length = sqrt(dot(v, v));
        for (int x = 0; x < 3 && length > 0; x++)
            v[x] /= length;
    }
}

/* Returns 0 when the vectors span no volume. */
static int invert(Box *box)
{
    const double scale = sqrt(dot(box->vector[0], box->vector[0]) * dot(box->vector[1], box->vector[1]) *
                              dot(box->vector[2], box->vector[2]));
    double normal[3];
    cross(normal, box->vector[1], box->vector[2]);
    const double volume = dot(box->vector[0], normal);

    if (!(fabs(volume) > 1e-10 * scale))
        return 0;

    for (int k = 0; k < 3; k++) {
        cross(normal, box->vector[(k + 1) % 3], box->vector[(k + 2) % 3]);
        for (int x = 0; x < 3; x++)
            box->inverse[k][x] = normal[x] / volume;
    }
    return 1;
}

/* Let the axes that are not periodic just hold all particles. */
static void enclose(Box *box, const double *positions, int n)
{
    for (int k = 0; k < 3; k++) {
        double low = INFINITY, high = -INFINITY;

        if (box->periodic[k] || n == 0)
            continue;
        for (int i = 0; i < n; i++) {
            const double s = dot(box->inverse[k], positions + 3 * i);
            low = fmin(low, s);
            high = fmax(high, s);
        }

        const double extent = (high - low) * (1 + 1e-9) + 1e-9;
        for (int x = 0; x < 3; x++) {
            box->origin[x] += low * box->vector[k][x];
            box->vector[k][x] *= extent;
            box->inverse[k][x] /= extent;
        }
    }
}

/* At most one bin per particle, none much narrower than the cutoff. */
static void divide(Box *box, int n, double cutoff)
{
    double height[3];

    for (int k = 0; k < 3; k++) {
        height[k] = 1 / sqrt(dot(box->inverse[k], box->inverse[k]));
        box->span[k] = cutoff / height[k];
        box->bins[k] = (int)fmax(1, fmin(1024, floor(height[k] / cutoff)));
    }
    while ((double)box->bins[0] * box->bins[1] * box->bins[2] > fmax(1, n)) {
        int widest = 0;
        for (int k = 1; k < 3; k++)
            if (box->bins[k] > box->bins[widest])
                widest = k;
        box->bins[widest] = (box->bins[widest] + 1) / 2;
    }
    for (int k = 0; k < 3; k++) {
        const double reach = ceil(cutoff * box->bins[k] / height[k]);
        box->reach[k] = box->periodic[k] ? (int)fmin(reach, 1e9) : (int)fmin(reach, box->bins[k] - 1);
    }
}

/* Wrap particle i into the cell and find its bin. */
static void put(Box *box, const double *position, int i)
{
    double x[3];
    for (int k = 0; k < 3; k++) {
        x[k] = position[k] - box->origin[k];
        box->inside[i][k] = position[k];
    }

    for (int k = 0; k < 3; k++) {
        const double s = dot(box->inverse[k], x), cells = box->periodic[k] ? floor(s) : 0;
        const int place = (int)((s - cells) * box->bins[k]);

        box->place[i][k] = place < 0 ? 0 : (place < box->bins[k] ? place : box->bins[k] - 1);
        if (cells != 0)
            for (int y = 0; y < 3; y++)
                box->inside[i][y] -= cells * box->vector[k][y];
    }
    box->bin[i] = (box->place[i][0] * box->bins[1] + box->place[i][1]) * box->bins[2] + box->place[i][2];
}

static void sort_into_bins(Box *box, const double *positions, int n)
{
    const int total = box->bins[0] * box->bins[1] * box->bins[2];
    memset(box->first, 0, (total + 1) * sizeof(int));

    for (int i = 0; i < n; i++) {
        put(box, positions + 3 * i, i);
        box->first[box->bin[i]]++;
    }

    for (int i = 1; i <= total; i++)
        box->first[i] += box->first[i - 1];
    for (int i = n - 1; i >= 0; i--)
        box->member[--box->first[box->bin[i]]] = i;
}

/* Returns 0 when the periodic vectors span no volume. */
static int box_of(Box *box, const Particles *p, int64_t frame, double cutoff)
{
    const int64_t start = p->start[frame];
    const int n = p->start[frame + 1] - start;

    for (int k = 0; k < 3; k++) {
        box->periodic[k] = p->periodic[3 * frame + k];
        box->origin[k] = 0;
        for (int x = 0; x < 3; x++)
            box->vector[k][x] = box->periodic[k] ? p->cells[9 * frame + 3 * k + x] : 0;
        if (box->periodic[k] && !(dot(box->vector[k], box->vector[k]) > 0))
            return 0;
    }

    complete(box);
    if (!invert(box))
        return 0;
    enclose(box, p->positions + 3 * start, n);
    divide(box, n, cutoff);
    sort_into_bins(box, p->positions + 3 * start, n);
    return 1;
}
