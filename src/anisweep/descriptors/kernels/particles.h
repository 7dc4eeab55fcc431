/* The particles of a frame: their axes, and what their shapes make of a pair. */
#pragma once
#include "basis.h"

/* All frames one after another. The fields are those of `Particles` in tables.py. */
typedef struct {
    const double *positions;  /* [particle][3] Angstrom */
    const double *rotations;  /* [particle][4] quaternions (w, x, y, z), or [particle][9] matrices */
    const double *diameters;  /* [particle][3] Angstrom */
    const double *cells;      /* [frame][3][3] vectors in rows */
    const uint8_t *periodic;  /* [frame][3] */
    const int64_t *start;     /* [frame + 1] first particle */
    const int64_t *species;   /* [particle] from 0 */
    const int64_t *alike;     /* [particle] spheres of one size and species share a number from 0; else -1 */
    int64_t alike_count;
    int64_t species_count;
    int64_t matrices;         /* whether rotations are matrices */
    int64_t general;          /* treat all shapes as if their three axes differed */
} Particles;

/* What semiaxes a_k and the envelope's sigma make of a displacement. The monomial basis has no envelope:
 * sigma is infinite, shift 1 and decay 0. */
typedef struct {
    double semiaxis[3]; /* a_k */
    double variance[3]; /* c_k = a_k^2 sigma^2 / (sigma^2 + a_k^2) - s^2 / 2: see moments.h */
    double shift[3];    /* mean / displacement: sigma^2 / (sigma^2 + a_k^2) */
    double decay[3];    /* 1 / (sigma^2 + a_k^2) */
    double weight;      /* prod_k sigma / sqrt(sigma^2 + a_k^2) */
} Shape;

/* A particle as neighbour. The body axes are ordered so that an axis of revolution comes last. */
typedef struct {
    double axes[3][3]; /* in columns: body -> space */
    Shape shape;
    int order[3];      /* of the axes */
    int sphere, axial;
} Body;

static void matrix_of_quaternion(double R[3][3], const double *q)
{
    const double w = q[0], x = q[1], y = q[2], z = q[3];
    const double s = 2 / (w * w + x * x + y * y + z * z);
    const double whole[3][3] = {
        {1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)},
        {s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)},
        {s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)},
    };
    memcpy(R, whole, sizeof(whole));
}

static void body_of(Body *body, const Particles *p, int64_t i, const Basis *b)
{
    const double *d = p->diameters + 3 * i;
    const int first = d[0] == d[1] ? 0 : (d[1] == d[2] ? 1 : (d[0] == d[2] ? 2 : 0));
    double R[3][3];

    if (p->matrices)
        memcpy(R, p->rotations + 9 * i, sizeof(R));
    else
        matrix_of_quaternion(R, p->rotations + 4 * i);

    body->sphere = p->alike[i] >= 0;
    body->shape.weight = 1;

    for (int k = 0; k < 3; k++) {
        const int axis = (first + k) % 3;
        const double a = 0.5 * d[axis], share = 1 / (1 + a * a / b->width2);

        body->order[k] = axis;
        body->shape.shift[k] = share;
        body->shape.semiaxis[k] = a;
        body->shape.variance[k] = a * a * share - b->ordering;
        body->shape.decay[k] = share / b->width2;
        body->shape.weight *= sqrt(share);
        for (int x = 0; x < 3; x++)
            body->axes[x][k] = R[x][axis];
    }
    body->axial = !p->general && body->shape.variance[0] == body->shape.variance[1];
}
