/* Neighbours of a centre, gathered in groups that share a frame and a shape.
 *
 * A group holds all periodic images of one neighbouring particle, or all spheres of one size and species.
 * Of a particle's own images one of each pair r, -r is kept: even l double, odd l vanish. Its own density
 * (r = 0) is then half a pair. */
#pragma once
#include "box.h"
#include "rotation.h"

typedef struct {
    double r[3];   /* from the centre */
    double weight; /* 1, or 1/2 */
    int64_t particle;
} Pair;

/* What a group needs of the kernel; groups of one kind share their lanes. */
enum { SPHERES = 0, TURNED = 1, EVEN = 2, TRIAXIAL = 4, OWN = 8, KINDS = 16 };

typedef struct {
    int64_t centre, particle; /* in the whole data set */
    int64_t frame;
    int row;                  /* of the centre's values */
    int kind, count;
    Shape shape;
    int order[3];             /* of the neighbour's axes */
    int64_t first;            /* pair */
    double axes[3][3];        /* of the pairs' means: group -> space */
    Euler euler;              /* group -> centre's frame, when TURNED */
} Group;

typedef struct {
    Body *bodies;   /* of the frame at hand */
    Box box;
    int *slot;      /* [particle, then sphere class] its group for the centre at hand, or -1 */
    Group *groups;
    Pair *pairs, *found;
    int64_t group_count, pair_count, found_count;
    int64_t group_room, pair_room, found_room;
} Neighbours;

/* Room for so many; 0 when there is no memory. */
static int grow(void **array, int64_t *room, int64_t needed, size_t size)
{
    if (needed <= *room)
        return 1;

    const int64_t wanted = 2 * needed + 64;
    void *larger = realloc(*array, wanted * size);
    if (!larger)
        return 0;
    *array = larger;
    *room = wanted;
    return 1;
}

/* One more pair; 0 when there is no memory. */
INLINE int add_found(Neighbours *nb, double x, double y, double z, double weight, int j)
{
    if (!grow((void **)&nb->found, &nb->found_room, nb->found_count + 1, sizeof(Pair)))
        return 0;
    nb->found[nb->found_count++] = (Pair){{x, y, z}, weight, j};
    return 1;
}

/* Pairs of centre i with all images of particle j: in small cells, where bins would find too many to reject.
 * Only cells within the cutoff's span of j are looked at, and of mirrored images only one half. */
static int find_images(Neighbours *nb, int i, int j, double cutoff2, int self_pair)
{
    const Box *box = &nb->box;
    const int mirrored = i == j && !nb->bodies[i].sphere;
    const double *a = box->inside[i], *b = box->inside[j], d[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
    int low[3], high[3];

    for (int k = 0; k < 3; k++) {
        const double s = dot(box->inverse[k], d);
        low[k] = box->periodic[k] ? (int)ceil(-s - box->span[k]) : 0;
        high[k] = box->periodic[k] ? (int)floor(-s + box->span[k]) : 0;
    }

    for (int p = mirrored ? 0 : low[0]; p <= high[0]; p++)
        for (int q = mirrored && p == 0 ? 0 : low[1]; q <= high[1]; q++) {
            const double *u = box->vector[0], *v = box->vector[1], *w = box->vector[2];
            const double x = d[0] + p * u[0] + q * v[0], y = d[1] + p * u[1] + q * v[1],
                         z = d[2] + p * u[2] + q * v[2];

            if (!grow((void **)&nb->found, &nb->found_room, nb->found_count + high[2] - low[2] + 1, sizeof(Pair)))
                return 0;

            /* Each is written, and the next one over those that do not count: half of them, which no branch foresees. */
            for (int t = mirrored && p == 0 && q == 0 ? 0 : low[2]; t <= high[2]; t++) {
                const double rx = x + t * w[0], ry = y + t * w[1], rz = z + t * w[2];
                const int own = i == j && p == 0 && q == 0 && t == 0;

                nb->found[nb->found_count] = (Pair){{rx, ry, rz}, own && mirrored ? 0.5 : 1, j};
                nb->found_count += (rx * rx + ry * ry + rz * rz < cutoff2) & !(own & !self_pair);
            }
        }
    return 1;
}

/* Pairs of centre i with the members of one bin, `cells` away. */
static int find_in_bin(Neighbours *nb, int i, int bin, const int cells[3], double cutoff2, int self_pair)
{
    const Box *box = &nb->box;
    const int here = cells[0] == 0 && cells[1] == 0 && cells[2] == 0;
    const int behind = cells[0] < 0 || (cells[0] == 0 && (cells[1] < 0 || (cells[1] == 0 && cells[2] < 0)));
    double from[3];

    for (int x = 0; x < 3; x++)
        from[x] = box->inside[i][x] - cells[0] * box->vector[0][x] - cells[1] * box->vector[1][x] -
                  cells[2] * box->vector[2][x];

    for (int k = box->first[bin]; k < box->first[bin + 1]; k++) {
        const int j = box->member[k], mirrored = i == j && !nb->bodies[i].sphere;
        const double *to = box->inside[j], r[3] = {to[0] - from[0], to[1] - from[1], to[2] - from[2]};

        if (!(dot(r, r) < cutoff2) || (mirrored && behind) || (i == j && here && !self_pair))
            continue;
        if (!add_found(nb, r[0], r[1], r[2], mirrored && here ? 0.5 : 1, j))
            return 0;
    }
    return 1;
}

/* All pairs of centre i, bin by bin. */
static int find_in_bins(Neighbours *nb, int i, double cutoff2, int self_pair)
{
    const Box *box = &nb->box;
    int at[3], cells[3];

    for (int a = -box->reach[0]; a <= box->reach[0]; a++)
        for (int b = -box->reach[1]; b <= box->reach[1]; b++)
            for (int c = -box->reach[2]; c <= box->reach[2]; c++) {
                const int step[3] = {a, b, c};
                int inside = 1;

                for (int k = 0; k < 3; k++) {
                    const int place = box->place[i][k] + step[k], bins = box->bins[k];
                    cells[k] = place >= 0 ? place / bins : -((bins - 1 - place) / bins);
                    at[k] = place - cells[k] * bins;
                    inside &= box->periodic[k] || cells[k] == 0;
                }
                if (!inside)
                    continue;

                const int bin = (at[0] * box->bins[1] + at[1]) * box->bins[2] + at[2];
                if (!find_in_bin(nb, i, bin, cells, cutoff2, self_pair))
                    return 0;
            }
    return 1;
}

/* All pairs of centre i, one of n particles. */
static int find(Neighbours *nb, int i, int n, double cutoff2, int self_pair)
{
    const int *bins = nb->box.bins;
    nb->found_count = 0;

    if (bins[0] * bins[1] * bins[2] > 1)
        return find_in_bins(nb, i, cutoff2, self_pair);
    for (int j = 0; j < n; j++)
        if (!find_images(nb, i, j, cutoff2, self_pair))
            return 0;
    return 1;
}

/* A neighbour fades within `smoothing` of the cutoff: f(r) = sin^2(pi/2 (cutoff - r) / smoothing). */
static void fade(Neighbours *nb, const Basis *b)
{
    const double inner = b->cutoff - b->smoothing;

    for (int64_t k = 0; k < nb->found_count && b->smoothing > 0; k++) {
        Pair *pair = nb->found + k;
        const double r = sqrt(dot(pair->r, pair->r));
        if (r > inner) {
            const double root = sin(0.5 * M_PI * (b->cutoff - r) / b->smoothing);
            pair->weight *= root * root;
        }
    }
}

/* d log f / dr at a displacement, over r: times the displacement it is the gradient. */
INLINE double fading(const Basis *b, const double r[3])
{
    const double length = sqrt(dot(r, r)), left = b->cutoff - length;

    /* left may be rounded to zero, where the weight is. */
    if (!(left > 0 && left < b->smoothing) || length == 0)
        return 0;
    return -M_PI / (b->smoothing * tan(0.5 * M_PI * left / b->smoothing) * length);
}

/* The frame of a group: the neighbour's axes, where an axis of revolution leaves one angle free. */
static void orient(Group *g, const Body *body, const double home[3][3])
{
    double Q[3][3];

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            Q[i][k] = home[0][i] * body->axes[0][k] + home[1][i] * body->axes[1][k] + home[2][i] * body->axes[2][k];
    g->euler = euler_of(Q);
    memcpy(g->axes, body->axes, sizeof(g->axes));

    if (body->axial) {
        const double c = g->euler.angle[GAMMA][0], s = g->euler.angle[GAMMA][1];
        for (int x = 0; x < 3; x++) {
            const double a = body->axes[x][0], b = body->axes[x][1];
            g->axes[x][0] = c * a - s * b;
            g->axes[x][1] = s * a + c * b;
        }
    }
}

/* A new group of centre i with particle j of the frame. `home` is the centre's frame; `own` says that it
 * consists of the centre's axes. */
static int open_group(Neighbours *nb, const Particles *p, int64_t frame, int i, int j, int row,
                      const double home[3][3], int own)
{
    const Body *body = nb->bodies + j;

    if (!grow((void **)&nb->groups, &nb->group_room, nb->group_count + 1, sizeof(Group)))
        return 0;

    Group *g = nb->groups + nb->group_count++;
    const int64_t start = p->start[frame];
    *g = (Group){.centre = start + i, .particle = start + j, .frame = frame, .row = row, .shape = body->shape};
    memcpy(g->order, body->order, sizeof(g->order));

    if (body->sphere || (i == j && own)) {
        memcpy(g->axes, home, sizeof(g->axes));
    } else {
        orient(g, body, home);
        g->kind |= TURNED;
    }
    if (i == j && !body->sphere)
        g->kind |= EVEN;
    if (!body->axial)
        g->kind |= TRIAXIAL;
    return 1;
}

/* A group of the own density of centre i, in its own frame, which is no neighbour. */
static int add_own(Neighbours *nb, const Particles *p, int64_t frame, int i, int row)
{
    const Body *body = nb->bodies + i;

    if (!grow((void **)&nb->pairs, &nb->pair_room, nb->pair_count + 1, sizeof(Pair)) ||
        !open_group(nb, p, frame, i, i, row, body->axes, 1))
        return 0;

    Group *g = nb->groups + nb->group_count - 1;
    g->kind |= OWN;
    g->first = nb->pair_count;
    g->count = 1;
    nb->pairs[nb->pair_count++] = (Pair){{0, 0, 0}, body->sphere ? 1 : 0.5, g->particle};
    return 1;
}

/* Sort what was found for centre i into groups. */
static int group(Neighbours *nb, const Particles *p, int64_t frame, int i, int row, int own)
{
    const int64_t start = p->start[frame], n = p->start[frame + 1] - start;
    static const double space[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    const double(*home)[3] = own ? (const double(*)[3])nb->bodies[i].axes : space;
    const int64_t opened = nb->group_count;

    if (!grow((void **)&nb->pairs, &nb->pair_room, nb->pair_count + nb->found_count, sizeof(Pair)))
        return 0;

    for (int64_t k = 0; k < nb->found_count; k++) {
        const int64_t j = nb->found[k].particle, alike = p->alike[start + j];
        int *slot = nb->slot + (alike >= 0 ? n + alike : j);

        if (*slot < 0) {
            *slot = nb->group_count;
            if (!open_group(nb, p, frame, i, j, row, home, own))
                return 0;
        }
        nb->groups[*slot].count++;
    }

    for (int64_t g = opened; g < nb->group_count; g++) {
        nb->groups[g].first = nb->pair_count;
        nb->pair_count += nb->groups[g].count;
        nb->groups[g].count = 0;
    }
    for (int64_t k = 0; k < nb->found_count; k++) {
        Pair pair = nb->found[k];
        const int64_t alike = p->alike[start + pair.particle];
        Group *g = nb->groups + nb->slot[alike >= 0 ? n + alike : pair.particle];
        pair.particle += start;
        nb->pairs[g->first + g->count++] = pair;
    }
    for (int64_t g = opened; g < nb->group_count; g++) {
        const int64_t j = nb->groups[g].particle, alike = p->alike[j];
        nb->slot[alike >= 0 ? n + alike : j - start] = -1;
    }
    return 1;
}
